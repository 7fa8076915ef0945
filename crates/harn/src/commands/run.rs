//! `harn run`: loads a program and runs it (spec 09 section 2.1, 02 section 15).

use super::Command;
use crate::modules::DiskModules;
use crate::session::{self, Session};
use crate::{output, report, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_host::RealHost;
use harn_runtime::program::{self, Program};
use harn_runtime::run::{Ending, Run};
use harn_vm::{Limits, Value, View};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "run",
    aliases: &[],
    about: "Runs a program",
    args: |command| {
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
    let mut limits = Limits { strict: matches.get_flag("strict"), ..Limits::default() };
    if let Some(depth) = matches.get_one::<u32>("max-depth") {
        limits.depth = *depth as usize;
    }
    let args = matches.get_many::<String>("args").map(|args| args.cloned().collect()).unwrap_or_default();
    let live = match (matches.get_flag("quiet"), matches.get_flag("progress")) {
        (true, _) => false,
        (_, true) => true,
        _ => std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    match program::load(
        &path,
        text,
        &mut DiskModules::new(),
        program::Options { args, limits, ..Default::default() },
    ) {
        Ok(program) => execute(&path, program, live),
        Err(refusal) => {
            output::err(&report::refusal(&refusal));
            ExitCode::FAILURE
        }
    }
}

/// Runs a loaded program to its end and gives its exit code (spec 02 section 15.3).
fn execute(path: &str, program: Program, live: bool) -> ExitCode {
    output::err(&report::diagnostics(&program.graph, &program.warnings));
    let host = RealHost::new();
    host.listen_for_signals();
    let (graph, is_script) = (program.graph.clone(), program.is_script);
    let session = Session { progress: session::progress(live), ..Session::new(path, Box::new(host)) };
    let mut run = Run::new(program.vm, program.root, session.surroundings());
    if RealHost::env("HARN_RECORD_EFFECTS").is_some_and(|which| which == "all") {
        run.gate().record_all();
    }
    let code = match run.drive() {
        Ending::Value(value) => value_code(&value, is_script),
        Ending::Failed(error) => {
            output::err(&report::uncaught(&error, &graph));
            1
        }
        Ending::Exit(code) => (code & 0xff) as u8,
        Ending::Signal(_) => {
            output::err("[harn] signal received, flushing state...\n");
            124
        }
    };
    drop(run);
    ExitCode::from(code)
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
