//! `harn run`: loads a program and runs it (spec 09 section 2.1, 02 section 15).

use super::Command;
use crate::account::{Account, Counting};
use crate::code_cache::code_cache;
use crate::modules::DiskModules;
use crate::session::{self, Session};
use crate::{output, report, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_builtins::Visibility;
use harn_effect::EffectClass;
use harn_host::RealHost;
use harn_runtime::program::{self, Program};
use harn_runtime::run::{Ending, Plan, Run};
use harn_runtime::services::llm::{LlmSetup, Recording};
use harn_runtime::suspensions::Launch;
use harn_types::graph::ModuleGraph;
use harn_vm::{Limits, Value, View};
use std::collections::BTreeSet;
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
        command
            .arg(Arg::new("file").value_name("FILE").help("The program"))
            .arg(Arg::new("code").short('e').value_name("CODE").help("Runs CODE instead of a file"))
            .arg(
                Arg::new("quiet")
                    .long("quiet")
                    .short('q')
                    .action(ArgAction::SetTrue)
                    .help("Shows no progress on standard error"),
            )
            .arg(
                Arg::new("progress")
                    .long("progress")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("quiet")
                    .help("Shows progress on standard error even when it is no terminal"),
            )
            .arg(
                Arg::new("strict")
                    .long("strict")
                    .action(ArgAction::SetTrue)
                    .help("Turns silent misuse into errors at run time"),
            )
            .arg(
                Arg::new("max-depth")
                    .long("max-depth")
                    .value_name("N")
                    .value_parser(clap::value_parser!(u32).range(1..))
                    .help("Limits the depth of nested calls"),
            )
            .arg(
                flag("print", "Prints the value of the program instead of making it the exit code")
                    .short('p'),
            )
            .arg(flag("trace", "Sums up the model calls after the program has succeeded"))
            .arg(
                Arg::new("deny")
                    .long("deny")
                    .value_name("LIST")
                    .value_delimiter(',')
                    .conflicts_with("allow")
                    .help("Forbids builtins by name"),
            )
            .arg(
                Arg::new("allow")
                    .long("allow")
                    .value_name("LIST")
                    .value_delimiter(',')
                    .help("Forbids every builtin but these and a harmless core"),
            )
            .arg(flag("deny-net", "Forbids network traffic other than model calls"))
            .arg(flag("deny-exec", "Forbids starting processes"))
            .arg(flag("deny-write", "Forbids writing files and durable state"))
            .arg(
                Arg::new("llm-mock")
                    .long("llm-mock")
                    .value_name("FILE.jsonl")
                    .conflicts_with("llm-mock-record")
                    .help("Answers model calls from a file; none leaves the process"),
            )
            .arg(
                Arg::new("llm-mock-record")
                    .long("llm-mock-record")
                    .value_name("FILE.jsonl")
                    .help("Writes the answers of models to a file for --llm-mock"),
            )
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
            output::error("`harn run` accepts either `-e <code>` or `<file.harn>`, not both");
            return ExitCode::from(super::USAGE);
        }
        (None, None) => {
            output::error("`harn run` requires either `-e <code>` or `<file.harn>`");
            return ExitCode::from(super::USAGE);
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
    let live = match (matches.get_flag("quiet"), matches.get_flag("progress")) {
        (true, _) => false,
        (_, true) => true,
        _ => std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    let denied = match denied(matches) {
        Ok(denied) => denied,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::from(super::USAGE);
        }
    };
    let models = match models(matches) {
        Ok(models) => models,
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
        strict: matches.get_flag("strict"),
        max_depth: matches.get_one::<u32>("max-depth").copied(),
        denied: denied.into_iter().collect(),
        forbidden: FORBIDDEN
            .iter()
            .filter(|(flag, _)| matches.get_flag(flag))
            .map(|(flag, _)| (*flag).to_owned())
            .collect(),
        print: matches.get_flag("print"),
    };
    let options = program::Options { cache: code_cache(), ..program_options(&launch) };
    match program::load(&path, text, &mut DiskModules::new(), options) {
        Ok(program) => execute(launch, program, live, models, matches),
        Err(refusal) => {
            output::err(&report::refusal(&refusal));
            ExitCode::FAILURE
        }
    }
}

/// Builtins that `--allow` never takes away (spec 06 section 13.1).
const CORE: &[&str] = &[
    "println",
    "print",
    "log",
    "type_of",
    "to_string",
    "to_int",
    "to_float",
    "len",
    "assert",
    "assert_eq",
    "assert_ne",
    "json_parse",
    "json_stringify",
    "runtime_context",
    "task_current",
    "runtime_context_values",
    "runtime_context_get",
    "runtime_context_set",
    "runtime_context_clear",
];

/// The builtins that the program may not use.
fn denied(matches: &ArgMatches) -> Result<BTreeSet<String>, String> {
    let list = |name: &str| -> Option<Vec<&str>> {
        Some(matches.get_many::<String>(name)?.map(|n| n.trim()).filter(|n| !n.is_empty()).collect())
    };
    let public = || harn_builtins::builtins().iter().filter(|row| row.visibility == Visibility::Public);
    let known = |names: &[&str]| match names.iter().find(|name| !public().any(|row| row.name == **name)) {
        None => Ok(()),
        Some(name) => {
            let near = harn_types::spelling::nearest(name, public().map(|row| row.name), 2);
            let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            Err(format!("no builtin is called `{name}`{hint}"))
        }
    };
    if let Some(names) = list("deny") {
        known(&names)?;
        return Ok(names.into_iter().map(str::to_owned).collect());
    }
    let Some(names) = list("allow") else { return Ok(BTreeSet::new()) };
    known(&names)?;
    let kept = |name: &str| names.contains(&name) || CORE.contains(&name);
    Ok(public().filter(|row| !kept(row.name)).map(|row| row.name.to_owned()).collect())
}

/// How model calls are answered.
fn models(matches: &ArgMatches) -> Result<LlmSetup, String> {
    let mut setup = LlmSetup::default();
    if let Some(file) = matches.get_one::<String>("llm-mock") {
        setup.fixtures = Some(harn_llm::fixture::read(file, &source::read(file)?)?);
    }
    if matches.get_one::<String>("llm-mock-record").is_some() {
        setup.recording = Some(Recording::default());
    }
    Ok(setup)
}

/// Options that forbid a class of effects for the whole run.
const FORBIDDEN: &[(&str, EffectClass)] = &[
    ("deny-net", EffectClass::Network),
    ("deny-exec", EffectClass::Process),
    ("deny-write", EffectClass::Write),
];

/// What a program is loaded with.
pub(super) fn program_options(launch: &Launch) -> program::Options {
    let mut limits = Limits { strict: launch.strict, ..Limits::default() };
    if let Some(depth) = launch.max_depth {
        limits.depth = depth as usize;
    }
    let denied = launch.denied.iter().cloned().collect();
    program::Options { args: launch.args.clone(), limits, denied, ..program::Options::default() }
}

/// Sets the rules of a run: those it was launched with, and how it may be suspended.
pub(super) fn prepare(run: &mut Run, launch: &Launch) {
    run.use_threads(session::threads());
    if RealHost::env("HARN_RECORD_EFFECTS").is_some_and(|which| which == "all") {
        run.gate().record_all();
    }
    for (flag, class) in FORBIDDEN {
        if launch.forbidden.iter().any(|forbidden| forbidden == flag) {
            run.gate().deny_class(*class);
        }
    }
}

/// How a run may be suspended.
pub(super) fn plan(launch: Launch, graph: &ModuleGraph, leave: bool) -> Plan {
    let key = graph.module(graph.entry).map(|module| module.key.to_string()).unwrap_or_default();
    let root = key.rfind('/').and_then(|end| key.get(..=end)).unwrap_or_default().to_owned();
    let host = rustix::system::uname();
    let process = format!("process {} on {}", std::process::id(), host.nodename().to_string_lossy());
    Plan { launch, root, leave, process, again: false }
}

/// The exit code of a process whose run waits on the log (`EX_TEMPFAIL`).
pub(super) const SUSPENDED: u8 = 75;

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
        Ending::Exit(code) => (code & 0xff) as u8,
        Ending::Signal(_) => {
            output::err("[harn] signal received, flushing state...\n");
            124
        }
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
    let session = Session { progress, models, ..Session::new(&launch.script, Box::new(host)) };
    let run_id = session.run_id.clone();
    let print = launch.print;
    let mut run = Run::new(program.vm, program.root, session.surroundings());
    prepare(&mut run, &launch);
    run.allow_suspension(plan(launch, &graph, matches.get_flag("suspend")));
    let code = drive(run, &run_id, &graph, is_script, print);
    if let (Some(file), Some(lines)) = (matches.get_one::<String>("llm-mock-record"), recording) {
        let text: String = lines.borrow().iter().map(|line| format!("{line}\n")).collect();
        if let Err(problem) = DiskModules::new().write(file, &text) {
            output::error(&format!("cannot write {file}: {problem}"));
            return ExitCode::FAILURE;
        }
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
