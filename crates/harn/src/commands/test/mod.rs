//! `harn test`: finds test pipelines, runs each in a process of its own on all cores, and reports (spec 09 section 4).
//!
//! The way through: `discover` reads and checks the files, `runner` starts `worker` processes and bounds them in time,
//! `results` prints, `coverage` and `junit` write files. A test is its own process, so it has its own virtual machine,
//! environment, working directory and state directory, and a test that never comes back can be killed. `models` says how
//! model calls are answered, `twice` compares two runs of a test.

mod coverage;
mod discover;
mod filter;
mod junit;
mod models;
mod results;
mod runner;
mod twice;
mod worker;

use super::Command;
use crate::modules::DiskModules;
use crate::output;
use crate::watch::Watch;
use clap::{Arg, ArgAction, ArgMatches};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "test",
    aliases: &[],
    about: "Runs the tests of files and directories",
    args: |command| {
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        command
            .arg(Arg::new("targets").value_name("TARGET").num_args(0..).help("Files and directories [default: tests/]"))
            .arg(Arg::new("filter").long("filter").value_name("P").help(
                "Runs the tests whose name matches: a substring, `a|b`, a glob with `*` and `?`, or `re:REGEX`",
            ))
            .arg(
                Arg::new("timeout")
                    .long("timeout")
                    .value_name("MS")
                    .value_parser(clap::value_parser!(u64).range(1..))
                    .default_value("30000")
                    .help("Ends a test after so many milliseconds"),
            )
            .arg(
                Arg::new("jobs")
                    .long("jobs")
                    .short('j')
                    .value_name("N")
                    .value_parser(clap::value_parser!(u16).range(1..))
                    .help("Tests at the same time [default: the number of cores]"),
            )
            .arg(flag("parallel", "Runs tests on all cores (the default)").conflicts_with("jobs"))
            .arg(
                Arg::new("seed")
                    .long("seed")
                    .value_name("N")
                    .value_parser(clap::value_parser!(u64))
                    .help("What all randomness in the tests is drawn from [default: new in each run]"),
            )
            .arg(Arg::new("junit").long("junit").value_name("FILE").help("Writes the results as JUnit XML"))
            .arg(
                Arg::new("coverage")
                    .long("coverage")
                    .value_name("FILE")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("lcov.info")
                    .help("Counts the lines that are reached; writes lcov to FILE [default: lcov.info]"),
            )
            .arg(flag("record", "Asks real models, and keeps the replies in .harn-fixtures/ for --replay"))
            .arg(flag("replay", "Answers model calls from .harn-fixtures/").conflicts_with("record"))
            .arg(
                flag("determinism", "Runs each test twice, the second time on the replies of the first, and compares")
                    .conflicts_with_all(["record", "replay", "watch", "coverage", "update"]),
            )
            .arg(flag("update", "Writes the snapshots of `assert_snapshot` that are missing or differ"))
            .arg(flag("watch", "Runs again whenever a .harn or .snap file changes"))
            .arg(flag("verbose", "Shows how long each test took, the seed and all captured output").short('v'))
            .arg(flag("timing", "Adds the slowest tests and percentiles to the summary"))
            .arg(Arg::new("worker").long("worker").value_name("PLACE").hide(true))
    },
    run,
};

/// What `harn test` was asked for.
#[derive(Clone, Debug)]
struct Wish {
    targets: Vec<String>,
    /// Whether the command line says which tests are meant.
    explicit: bool,
    filter: filter::Filter,
    timeout_ms: u64,
    jobs: usize,
    seed: u64,
    junit: Option<String>,
    coverage: Option<String>,
    update: bool,
    models: models::Source,
    determinism: bool,
    verbose: bool,
    timing: bool,
}

fn run(matches: &ArgMatches) -> ExitCode {
    if let Some(place) = matches.get_one::<String>("worker") {
        return worker::run(place);
    }
    let wish = match wish(matches) {
        Ok(wish) => wish,
        Err((problem, super::USAGE)) => return super::misuse("test", &problem),
        Err((problem, code)) => {
            output::error(&problem);
            return ExitCode::from(code);
        }
    };
    if matches.get_flag("watch") { Watch::of(&watched(&wish)).work(|| once(&wish)) } else { once(&wish) }
}

fn wish(matches: &ArgMatches) -> Result<Wish, (String, u8)> {
    let mut disk = DiskModules::new();
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut targets: Vec<String> =
        matches.get_many::<String>("targets").map(|t| t.cloned().collect()).unwrap_or_default();
    let explicit = !targets.is_empty() || text("filter").is_some();
    if targets.is_empty() {
        if !disk.is_dir("tests") {
            return Err(("no path specified and no tests/ directory found".to_owned(), super::USAGE));
        }
        targets.push("tests".to_owned());
    }
    for target in &targets {
        if !harn_types::graph::SourceLoader::exists(&mut disk, target) {
            return Err((format!("Path not found: {target}"), 1));
        }
    }
    let filter = filter::Filter::parse(text("filter").as_deref()).map_err(|e| (e, super::USAGE))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Wish {
        targets,
        explicit,
        filter,
        timeout_ms: matches.get_one::<u64>("timeout").copied().unwrap_or(30_000),
        jobs: matches.get_one::<u16>("jobs").map_or(cores, |n| usize::from(*n)),
        seed: matches.get_one::<u64>("seed").copied().unwrap_or_else(new_seed),
        junit: text("junit"),
        coverage: text("coverage"),
        update: matches.get_flag("update"),
        models: match (matches.get_flag("record"), matches.get_flag("replay")) {
            (true, _) => models::Source::Record,
            (_, true) => models::Source::Replay,
            _ => models::Source::Mock,
        },
        determinism: matches.get_flag("determinism"),
        verbose: matches.get_flag("verbose"),
        timing: matches.get_flag("timing"),
    })
}

/// A seed that is short enough to be typed again.
fn new_seed() -> u64 {
    u64::from(u32::from_le_bytes(uuid::Uuid::new_v4().into_bytes()[..4].try_into().unwrap_or_default()))
}

/// What a change of which matters to the tests: they, and the project around them.
fn watched(wish: &Wish) -> Vec<String> {
    let mut targets = wish.targets.clone();
    targets.push(".".to_owned());
    targets
}

/// One whole round of tests.
fn once(wish: &Wish) -> ExitCode {
    let mut disk = DiskModules::new();
    let found = discover::discover(wish, &mut disk);
    let total = found.tests.len() + found.broken.len();
    if total == 0 {
        output::outln("No test pipelines found");
        // Asked for by name, nothing is likely a mistake.
        if wish.explicit {
            output::err("warning: the targets and the filter leave no test to run\n");
        }
        return ExitCode::SUCCESS;
    }
    output::outln(&format!("Running {total} tests from {} files...\n", found.files));
    let started = crate::session::instant();
    let mut printer = results::Printer::new(wish, total);
    let mut done: Vec<runner::Finished> = found.broken;
    for broken in &done {
        printer.result(broken);
    }
    match runner::run_all(wish, &found.tests, &mut printer) {
        Ok(finished) => done.extend(finished),
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    }
    let ms = started.elapsed().as_millis();
    printer.summary(&done, ms);
    if wish.models == models::Source::Record {
        output::outln(&models::kept(&done));
    }
    let mut failed = done.iter().any(|test| test.failure.is_some());
    if let Some(file) = &wish.coverage {
        let covered = coverage::merge(&done);
        output::out(&coverage::table(&covered));
        failed |= !written(&mut disk, file, &coverage::lcov(&covered), "Coverage");
    }
    if let Some(file) = &wish.junit {
        failed |= !written(&mut disk, file, &junit::xml(&done, ms, wish.seed), "JUnit XML");
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn written(disk: &mut DiskModules, file: &str, text: &str, what: &str) -> bool {
    match disk.write(file, text) {
        Ok(()) => {
            output::outln(&format!("{what} written to {file}"));
            true
        }
        Err(problem) => {
            output::error(&format!("cannot write {file}: {problem}"));
            false
        }
    }
}
