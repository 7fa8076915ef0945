//! `harn run`: loads a program and runs it (spec 09 section 2.1, 02 section 15).

use super::Command;
use crate::account::{Account, Counting};
use crate::code_cache::code_cache;
use crate::modules::DiskModules;
use crate::run_options::RunOptions;
use crate::session::{self, Session};
use crate::{output, report, run_options, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_host::RealHost;
use harn_runtime::program::{self, Program};
use harn_runtime::run::{Ending, Plan, Run};
use harn_runtime::services::llm::LlmSetup;
use harn_runtime::suspensions::Launch;
use harn_types::graph::ModuleGraph;
use harn_vm::{Value, View};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "run",
    aliases: &[],
    about: "Runs a program",
    args: |command| {
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        run_options::args(command)
            .arg(Arg::new("file").value_name("FILE").help("The program"))
            .arg(Arg::new("code").short('e').value_name("CODE").help("Runs CODE instead of a file"))
            .arg(
                flag("print", "Prints the value of the program instead of making it the exit code")
                    .short('p'),
            )
            .arg(flag("trace", "Sums up the model calls after the program has succeeded"))
            .arg(flag("suspend", "Ends with code 75 when the program waits for a person; see `harn resume`"))
            .arg(Arg::new("args").value_name("ARGS").num_args(0..).last(true).help("The program's `argv`"))
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let file = matches.get_one::<String>("file");
    let code = matches.get_one::<String>("code");
    let (path, text) = match (file, code) {
        (Some(_), Some(_)) => {
            return super::misuse("run", "`harn run` accepts either `-e <code>` or `<file.harn>`, not both");
        }
        (None, None) => {
            return super::misuse("run", "`harn run` requires either `-e <code>` or `<file.harn>`");
        }
        (Some(path), None) => match source::read(path) {
            Ok(text) => (path.clone(), text),
            Err(problem) => {
                output::err(&format!("{problem}\n"));
                return ExitCode::FAILURE;
            }
        },
        (None, Some(code)) => ("<code>".to_owned(), format!("pipeline main(task) {{ {code}\n}}")),
    };
    let options = match RunOptions::read(matches) {
        Ok(options) => options,
        Err(problem) => return problem.tell("run"),
    };
    let settings = match session::settings(&path) {
        Ok(settings) => settings,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    let launch = Launch {
        script: path.clone(),
        path: file.and_then(|file| std::path::absolute(file).ok()).map(|p| p.to_string_lossy().into_owned()),
        code: code.cloned(),
        args: matches.get_many::<String>("args").map(|args| args.cloned().collect()).unwrap_or_default(),
        strict: options.strict || settings.strict_runtime(),
        max_depth: options.max_depth,
        max_memory: options.max_memory,
        denied: options.denied.into_iter().collect(),
        forbidden: options.forbidden,
        print: matches.get_flag("print"),
    };
    let loading = program::Options { cache: code_cache(), ..run_options::program_options(&launch) };
    match program::load(&path, text, &mut DiskModules::new(), loading) {
        Ok(program) => execute(launch, program, options.live, options.models, matches),
        Err(refusal) => {
            output::err(&report::refusal(&refusal));
            ExitCode::FAILURE
        }
    }
}

/// How a run may be suspended.
pub(super) fn plan(launch: Launch, graph: &ModuleGraph, leave: bool) -> Plan {
    let key = graph.module(graph.entry).map(|module| module.key.to_string()).unwrap_or_default();
    let root = key.rfind('/').and_then(|end| key.get(..=end)).unwrap_or_default().to_owned();
    let host = rustix::system::uname();
    let process = format!("process {} on {}", std::process::id(), host.nodename().to_string_lossy());
    Plan { launch, root, leave, process, again: None }
}

/// The exit code of a process whose run waits on the log (`EX_TEMPFAIL`).
pub(super) const SUSPENDED: u8 = 75;

/// The exit code of a run that a signal ended (spec 02 section 15.3).
const STOPPED: u8 = 124;

/// Runs a program to its end and gives its exit code (spec 02 section 15.3).
pub(super) fn drive(mut run: Run, run_id: &str, graph: &ModuleGraph, is_script: bool, print: bool) -> u8 {
    match run.drive() {
        Ending::Value(value) if print && !is_err(&value) => {
            output::outln(&harn_vm::display(&value));
            0
        }
        Ending::Value(value) => value_code(&value, is_script),
        Ending::Failed(error) => {
            output::err(&report::uncaught(&error, graph));
            1
        }
        Ending::Suspended { waits_for } => {
            output::err(&format!("suspended {run_id} waiting for {}\n", waits_for.join(", ")));
            SUSPENDED
        }
        Ending::Elsewhere => {
            output::err(&format!("[harn] {run_id} goes on in another process\n"));
            SUSPENDED
        }
        Ending::Held { reason } => {
            output::err(&format!("[harn] {run_id} stays suspended: {reason}\n"));
            SUSPENDED
        }
        Ending::Exit(code) => (code & 0xff) as u8,
        // The run has said so itself.
        Ending::Signal(_) => STOPPED,
    }
}

/// Runs a loaded program and does what the options ask for besides.
fn execute(launch: Launch, program: Program, live: bool, models: LlmSetup, matches: &ArgMatches) -> ExitCode {
    output::err(&report::diagnostics(&program.graph, &program.warnings));
    let host = RealHost::new();
    host.listen_for_signals();
    let (graph, is_script) = (program.graph.clone(), program.is_script);
    let (recording, account) = (models.recording.clone(), Account::default());
    let progress = Box::new(Counting { account: account.clone(), next: session::progress(live) });
    let wake = Some(host.waker());
    let session = Session { progress, models, wake, ..Session::new(&launch.script, Box::new(host)) };
    let run_id = session.run_id.clone();
    let print = launch.print;
    let surroundings = match session.surroundings() {
        Ok(surroundings) => surroundings,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    let mut run = Run::new(program.vm, program.root, surroundings);
    run_options::prepare(&mut run, &launch);
    run.allow_suspension(plan(launch, &graph, matches.get_flag("suspend")));
    let code = drive(run, &run_id, &graph, is_script, print);
    if let Err(problem) = run_options::save_recording(matches, recording.as_ref()) {
        output::error(&problem);
        return ExitCode::FAILURE;
    }
    if matches.get_flag("trace") && code == 0 {
        output::err(&account.summary());
    }
    ExitCode::from(code)
}

fn is_err(value: &Value) -> bool {
    matches!(value.view(), View::Enum(result) if result.enum_name() == "Result" && result.variant() == "Err")
}

/// The exit code of a program that ended with a value.
fn value_code(value: &Value, _is_script: bool) -> u8 {
    match value.view() {
        View::Int(code) => code.clamp(0, 255) as u8,
        View::Enum(result) if result.enum_name() == "Result" && result.variant() == "Err" => {
            let text = result.fields().first().map(harn_vm::display).unwrap_or_default();
            output::err(&format!("{}\n", if text.is_empty() { "error" } else { &text }));
            1
        }
        _ => 0,
    }
}
