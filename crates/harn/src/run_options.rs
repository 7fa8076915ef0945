//! What `harn run` and `harn repl` let a program do, and how they show it: options of the command line and what they
//! mean (spec 09 section 2.1, 06 section 13.1).

use crate::modules::DiskModules;
use crate::{commands, output, session, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_builtins::Visibility;
use harn_effect::EffectClass;
use harn_host::{RealHost, memory};
use harn_runtime::program;
use harn_runtime::run::Run;
use harn_runtime::services::llm::{LlmSetup, Recording};
use harn_runtime::suspensions::Launch;
use harn_vm::{Limits, MemoryLimit};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Adds the options.
pub fn args(command: clap::Command) -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    command
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
            Arg::new("max-memory").long("max-memory").value_name("SIZE").value_parser(size).help(
                "Limits the memory of the process (512M, 2G); three quarters of the machine's unless set",
            ),
        )
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
}

/// What the options say.
pub struct RunOptions {
    /// Whether progress is shown.
    pub live: bool,
    /// Silent misuse is an error.
    pub strict: bool,
    /// The depth of nested calls.
    pub max_depth: Option<u32>,
    /// The memory of the process, in bytes.
    pub max_memory: Option<u64>,
    /// Builtins that may not be used.
    pub denied: BTreeSet<String>,
    /// Options that forbid a class of effects.
    pub forbidden: Vec<String>,
    /// How model calls are answered.
    pub models: LlmSetup,
}

/// Why options are of no use.
pub enum Misuse {
    /// They contradict what there is: a usage error.
    Usage(String),
    /// They name a file that is of no use.
    File(String),
}

impl Misuse {
    /// Says so; the exit code.
    pub fn tell(self, command: &str) -> ExitCode {
        match self {
            Misuse::Usage(text) => commands::misuse(command, &text),
            Misuse::File(text) => {
                output::error(&text);
                ExitCode::FAILURE
            }
        }
    }
}

impl RunOptions {
    /// Reads the options.
    pub fn read(matches: &ArgMatches) -> Result<RunOptions, Misuse> {
        let live = match (matches.get_flag("quiet"), matches.get_flag("progress")) {
            (true, _) => false,
            (_, true) => true,
            _ => std::io::IsTerminal::is_terminal(&std::io::stderr()),
        };
        let forbidden = FORBIDDEN.iter().filter(|(flag, _)| matches.get_flag(flag));
        Ok(RunOptions {
            live,
            strict: matches.get_flag("strict"),
            max_depth: matches.get_one::<u32>("max-depth").copied(),
            max_memory: matches.get_one::<u64>("max-memory").copied(),
            denied: denied(matches).map_err(Misuse::Usage)?,
            forbidden: forbidden.map(|(flag, _)| (*flag).to_owned()).collect(),
            models: models(matches).map_err(Misuse::File)?,
        })
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

/// Three quarters of the memory of the machine: a program that wants more gets an error with its place, before the system
/// kills the process without one.
pub fn usual_memory() -> Option<u64> {
    memory::of_machine().map(|all| all / 4 * 3)
}

/// A size in bytes, with a unit of 1024 (`K`, `M`, `G`) or none.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is a whole number with K, M, G or no unit, as 512M".to_owned();
    let upper = text.trim().to_ascii_uppercase();
    let upper = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let shift = [('K', 10), ('M', 20), ('G', 30)].into_iter().find(|(unit, _)| upper.ends_with(*unit));
    let (digits, shift) = match shift {
        Some((unit, shift)) => (upper.trim_end_matches(unit), shift),
        None => (upper, 0),
    };
    let count: u64 = digits.trim().parse().map_err(|_| wrong())?;
    count.checked_shl(shift).filter(|bytes| bytes >> shift == count && *bytes > 0).ok_or_else(wrong)
}

/// What a program is loaded with.
pub fn program_options(launch: &Launch) -> program::Options {
    let bytes = launch.max_memory.or_else(usual_memory);
    let memory = bytes.map(|bytes| MemoryLimit { bytes, in_use: memory::in_use });
    let mut limits = Limits { strict: launch.strict, memory, ..Limits::default() };
    if let Some(depth) = launch.max_depth {
        limits.depth = depth as usize;
    }
    let denied = launch.denied.iter().cloned().collect();
    program::Options { args: launch.args.clone(), limits, denied, ..program::Options::default() }
}

/// Sets the rules of a run: those it was launched with, and how it may be suspended.
pub fn prepare(run: &mut Run, launch: &Launch) {
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

/// Writes the answers of models that `--llm-mock-record` asked for.
pub fn save_recording(matches: &ArgMatches, recording: Option<&Recording>) -> Result<(), String> {
    let (Some(file), Some(lines)) = (matches.get_one::<String>("llm-mock-record"), recording) else {
        return Ok(());
    };
    let text: String = lines.borrow().iter().map(|line| format!("{line}\n")).collect();
    DiskModules::new().write(file, &text).map_err(|problem| format!("cannot write {file}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none() {
        let sizes = ["512M", "2g", "1 KiB", "77"].map(size);
        assert_eq!(sizes, [Ok(512 << 20), Ok(2 << 30), Ok(1024), Ok(77)]);
        assert!(["", "M", "-1", "1.5G", "0", "99999999999G"].iter().all(|text| size(text).is_err()));
    }
}
