//! `harn run`: loads a program and runs it (spec 09 section 2.1, 02 section 15).

use super::Command;
use crate::account::{Account, Counting};
use crate::modules::DiskModules;
use crate::session::{self, Session};
use crate::{output, report, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_builtins::Visibility;
use harn_effect::EffectClass;
use harn_host::RealHost;
use harn_runtime::program::{self, Program};
use harn_runtime::run::{Ending, Run};
use harn_runtime::services::llm::{LlmSetup, Recording};
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
    let options = program::Options { args, limits, denied, ..Default::default() };
    match program::load(&path, text, &mut DiskModules::new(), options) {
        Ok(program) => execute(&path, program, live, models, matches),
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

/// Runs a loaded program to its end and gives its exit code (spec 02 section 15.3).
fn execute(path: &str, program: Program, live: bool, models: LlmSetup, matches: &ArgMatches) -> ExitCode {
    output::err(&report::diagnostics(&program.graph, &program.warnings));
    let host = RealHost::new();
    host.listen_for_signals();
    let (graph, is_script) = (program.graph.clone(), program.is_script);
    let (recording, account) = (models.recording.clone(), Account::default());
    let progress = Box::new(Counting { account: account.clone(), next: session::progress(live) });
    let session = Session { progress, models, ..Session::new(path, Box::new(host)) };
    let mut run = Run::new(program.vm, program.root, session.surroundings());
    if RealHost::env("HARN_RECORD_EFFECTS").is_some_and(|which| which == "all") {
        run.gate().record_all();
    }
    for (flag, class) in [
        ("deny-net", EffectClass::Network),
        ("deny-exec", EffectClass::Process),
        ("deny-write", EffectClass::Write),
    ] {
        if matches.get_flag(flag) {
            run.gate().deny_class(class);
        }
    }
    let code = match run.drive() {
        Ending::Value(value) if matches.get_flag("print") && !is_err(&value) => {
            output::outln(&harn_vm::display(&value));
            0
        }
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
