//! Fuzzing from lexer to VM: mutated and generated programs are parsed, formatted, checked, linted, compiled, verified
//! and run in a world without effects. Nothing may panic, hang, break a law of the formatter or compile to code that
//! the verifier refuses.
//!
//! `cargo fuzz-programs --seconds 600` runs workers as processes of their own, so that an abort or an endless loop is a
//! finding like any other: the input of the moment is on disk before it is tried. `cargo fuzz-programs try FILE`
//! repeats one.

#![allow(clippy::disallowed_methods, reason = "a development tool: it reads programs and writes findings")]

use harn_fuzz::{compose, corpus, differ, laws, mutate, prefixes, random, shrink, soak, trial, watch};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let number = |name: &str, default: u64| option(name).and_then(|n| n.parse().ok()).unwrap_or(default);
    let out = || PathBuf::from(option("--out").unwrap_or_else(|| "target/fuzz".to_owned()));
    match args.first().map(String::as_str) {
        Some("try") => match args.get(1).map(std::fs::read_to_string) {
            Some(Ok(text)) => verdict(&trial::run(&text)),
            _ => usage(),
        },
        Some("worker") => {
            let place = PathBuf::from(option("--input").unwrap_or_default());
            work(number("--seed", 1), &place)
        }
        Some("prefixes") => {
            let plan = prefixes::Plan {
                jobs: number("--jobs", 1) as usize,
                generated: number("--generated", 0),
                out: out(),
            };
            prefixes::run(&plan)
        }
        Some("compose") => {
            print!("{}", compose::program(number("--seed", 1)));
            ExitCode::SUCCESS
        }
        Some("compare") => match args.get(1).map(std::fs::read_to_string) {
            Some(Ok(text)) => {
                let verdict = differ::compare(&text);
                println!("{}", differ::told(&verdict));
                ExitCode::from(if verdict.is_finding() { watch::FINDING } else { 0 })
            }
            _ => usage(),
        },
        Some("run") => {
            let threads = number("--threads", 1) as usize;
            let files: Vec<&String> = args.iter().skip(1).take_while(|arg| !arg.starts_with("--")).collect();
            if files.is_empty() { usage() } else { all_run(&files, threads) }
        }
        Some("shrink") => match args.get(1).map(std::fs::read_to_string) {
            Some(Ok(text)) => {
                let differs = |text: &str| differ::compare(text).is_finding();
                let small = shrink::shrink(&text, differs);
                print!("{small}");
                println!("// {}", differ::told(&differ::compare(&small)).replace('\n', "\n// "));
                ExitCode::SUCCESS
            }
            _ => usage(),
        },
        Some("laws") => laws::run(number("--count", 1_000), number("--seed", 1)),
        Some("law") => match args.get(1).map(std::fs::read_to_string) {
            Some(Ok(text)) => {
                let small = if args.iter().any(|arg| arg == "--shrink") {
                    let kind = |law: String| law.split([':', '/']).next().unwrap_or_default().to_owned();
                    let broken = laws::hold(&text).err().map(kind);
                    shrink::shrink(&text, |text| laws::hold(text).err().map(kind) == broken)
                } else {
                    text
                };
                print!("{small}");
                println!("// {:?}", laws::hold(&small));
                ExitCode::SUCCESS
            }
            _ => usage(),
        },
        Some("soak") => {
            soak::run(&soak::Plan { seconds: number("--seconds", 60), seed: number("--seed", 1) })
        }
        None | Some("--seconds" | "--seed" | "--jobs" | "--out") => {
            let plan = watch::Plan {
                seconds: number("--seconds", 60),
                seed: number("--seed", 1),
                jobs: number("--jobs", 2),
                out: out(),
            };
            watch::run(&plan)
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("cargo fuzz-programs [--seconds N] [--seed S] [--jobs J] [--out DIR]");
    eprintln!("cargo fuzz-programs try FILE     repeats one input");
    eprintln!(
        "cargo fuzz-programs prefixes [--jobs J] [--generated N] [--out DIR]  every beginning of every program of the corpus and of N composed ones, without running it"
    );
    eprintln!("cargo fuzz-programs compose --seed S  prints a composed program");
    eprintln!("cargo fuzz-programs compare FILE      runs a program by the product and by the oracle");
    eprintln!(
        "cargo fuzz-programs run FILE... [--threads N]  runs programs in the scripted world, tasks on N threads"
    );
    eprintln!("cargo fuzz-programs shrink FILE       the smallest program in FILE on which the two differ");
    eprintln!(
        "cargo fuzz-programs laws [--count N] [--seed S]  holds the laws of the formatter on composed programs"
    );
    eprintln!("cargo fuzz-programs law FILE [--shrink]  holds them on one program");
    eprintln!(
        "cargo fuzz-programs soak [--seconds N] [--seed S]  compares composed programs, and watches memory"
    );
    ExitCode::from(2)
}

/// Runs programs one after the other and prints what they print; fails when one of them is refused.
fn all_run(files: &[&String], threads: usize) -> ExitCode {
    for file in files {
        let answer = std::fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| differ::product_on(&text, threads));
        match answer {
            Ok(answer) => println!("{}{:?}", answer.output, answer.ending),
            Err(why) => {
                eprintln!("{file}: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn verdict(found: &Result<&'static str, String>) -> ExitCode {
    match found {
        Ok(stage) => {
            println!("{stage}");
            ExitCode::SUCCESS
        }
        Err(finding) => {
            println!("{finding}");
            ExitCode::from(watch::FINDING)
        }
    }
}

/// Tries inputs until stopped: each is written to `place` first and reported on standard output afterwards.
fn work(seed: u64, place: &Path) -> ExitCode {
    let corpus = corpus::load();
    let mut random = random::Random::new(seed);
    loop {
        let input = mutate::input(&corpus, &mut random);
        if let Err(error) = std::fs::write(place, &input) {
            eprintln!("{}: {error}", place.display());
            return ExitCode::FAILURE;
        }
        match trial::run(&input) {
            Ok(stage) => println!("{stage}"),
            Err(finding) => {
                println!("{finding}");
                return ExitCode::from(watch::FINDING);
            }
        }
    }
}
