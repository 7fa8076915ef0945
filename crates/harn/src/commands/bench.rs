//! `harn bench`: runs a program many times and tells how long it took (spec 09 section 2.9).

use super::Command;
use crate::account::{Account, Counting};
use crate::modules::DiskModules;
use crate::quiet::Quiet;
use crate::session::{self, Session};
use crate::{output, report, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_runtime::program::{self, Options};
use harn_runtime::progress::Silent;
use harn_runtime::run::{Ending, Run};
use serde_json::json;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "bench",
    aliases: &[],
    about: "Measures a program over many runs; its output is discarded",
    args: |command| {
        let number = |name: &'static str, default: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name("N")
                .value_parser(clap::value_parser!(u32))
                .default_value(default)
                .help(help)
        };
        command
            .arg(Arg::new("file").value_name("FILE").required(true).help("The program"))
            .arg(number("iterations", "10", "Runs that are measured").short('n'))
            .arg(number("warmup", "1", "Runs before them that are not"))
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints the figures as JSON"))
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let count = |name: &str| matches.get_one::<u32>(name).copied().unwrap_or(0);
    let (iterations, warmup) = (count("iterations"), count("warmup"));
    let Some(path) = matches.get_one::<String>("file").filter(|_| iterations > 0) else {
        return super::misuse("bench", "`harn bench` requires at least one iteration");
    };
    let text = match source::read(path) {
        Ok(text) => text,
        Err(problem) => {
            output::err(&format!("{problem}\n"));
            return ExitCode::FAILURE;
        }
    };
    let account = Account::default();
    let mut times = Vec::new();
    for turn in 0..warmup + iterations {
        // Sums count measured runs only.
        let sums = if turn < warmup { Account::default() } else { account.clone() };
        match one(path, &text, sums) {
            Ok(ms) if turn >= warmup => times.push(ms),
            Ok(_) => {}
            Err(problem) => {
                output::err(&problem);
                return ExitCode::FAILURE;
            }
        }
    }
    times.sort_by(f64::total_cmp);
    tell(path, &times, &account, matches.get_flag("json"));
    ExitCode::SUCCESS
}

/// One run: milliseconds from its first instruction to its end.
fn one(path: &str, text: &str, account: Account) -> Result<f64, String> {
    let said = |problem: String| format!("error: {problem}\n");
    let options = Options { limits: session::limits(path).map_err(said)?, ..Options::default() };
    let program = program::load(path, text.to_owned(), &mut DiskModules::new(), options)
        .map_err(|refusal| report::refusal(&refusal))?;
    let graph = program.graph.clone();
    let progress = Box::new(Counting { account, next: Box::new(Silent) });
    let session = Session { progress, ..Session::new(path, Box::new(Quiet::new())) };
    let mut run = Run::new(program.vm, program.root, session.surroundings().map_err(said)?);
    let started = session::instant();
    let ending = run.drive();
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    match ending {
        Ending::Failed(error) => Err(report::uncaught(&error, &graph)),
        Ending::Signal(number) => Err(format!("error: ended by signal {number}\n")),
        Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => {
            Err("error: the program paused to wait for a person; only runs that end can be measured\n"
                .to_owned())
        }
        Ending::Value(_) | Ending::Exit(_) => Ok(ms),
    }
}

fn tell(path: &str, times: &[f64], account: &Account, as_json: bool) {
    let total: f64 = times.iter().sum();
    let avg = total / times.len().max(1) as f64;
    let at = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).clamp(1, times.len().max(1)) - 1;
        times.get(rank).copied().unwrap_or(0.0)
    };
    let (min, max) = (times.first().copied().unwrap_or(0.0), times.last().copied().unwrap_or(0.0));
    let sums = account.sums();
    if as_json {
        let figures = json!({
            "file": path, "iterations": times.len(),
            "wall_ms": {"min": min, "avg": avg, "median": at(50), "p95": at(95), "max": max, "total": total},
            "llm": {"ms": sums.ms, "calls": sums.calls, "input_tokens": sums.input_tokens,
                "output_tokens": sums.output_tokens},
        });
        return output::outln(&figures.to_string());
    }
    output::out(&format!(
        "Benchmark: {path}\nIterations: {}\nWall time: min {min:.3} ms | avg {avg:.3} ms | max {max:.3} ms | total \
         {total:.3} ms\nMedian: {:.3} ms | p95 {:.3} ms\nLLM time: {} ms\nLLM calls: {}\nInput tokens: {}\nOutput tokens: \
         {}\n",
        times.len(),
        at(50),
        at(95),
        sums.ms,
        sums.calls,
        sums.input_tokens,
        sums.output_tokens
    ));
}
