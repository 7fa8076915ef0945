//! `harn dev`: looks inside the front end, for people who work on Harn itself.

use super::Command;
use crate::modules::DiskModules;
use crate::{output, session, source};
use clap::{Arg, ArgMatches};
use harn_syntax::{Parsed, Source};
use harn_types::graph;
use std::fmt::Write as _;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "dev",
    aliases: &[],
    about: "Shows what the front end makes of a file",
    args: |command| {
        let file = || Arg::new("file").value_name("FILE").required(true);
        command
            .subcommand_required(true)
            .subcommand(clap::Command::new("tokens").about("Prints every token with its bytes").arg(file()))
            .subcommand(clap::Command::new("ast").about("Prints the syntax tree").arg(file()))
            .subcommand(clap::Command::new("code").about("Prints the bytecode of a program").arg(file()))
            .subcommand(
                clap::Command::new("speed").about("Measures each stage of the front end").arg(file()).arg(
                    Arg::new("turns")
                        .long("turns")
                        .value_name("N")
                        .value_parser(clap::value_parser!(u32).range(1..))
                        .default_value("5")
                        .help("How often each stage runs; the shortest time counts"),
                ),
            )
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let Some((what, arguments)) = matches.subcommand() else { return ExitCode::from(super::USAGE) };
    let path = arguments.get_one::<String>("file").map_or("", String::as_str);
    let text = match source::read(path) {
        Ok(text) => text,
        Err(problem) => {
            output::err(&format!("{problem}\n"));
            return ExitCode::FAILURE;
        }
    };
    match what {
        "code" => return code(path, text),
        "speed" => return speed(path, &text, arguments.get_one::<u32>("turns").copied().unwrap_or(1)),
        _ => {}
    }
    let source = Source::new(path, text);
    let parsed = harn_syntax::parse(&source);
    output::out(&if what == "tokens" { tokens(&source, &parsed) } else { format!("{:#?}\n", parsed.ast) });
    for diagnostic in &parsed.diagnostics {
        output::err(&harn_syntax::render(diagnostic, &source, output::stderr_colours()));
    }
    if parsed.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints the bytecode of the program's entry file; what the verifier says of it comes last.
fn code(path: &str, text: String) -> ExitCode {
    let graph = graph::load_text(path, text, &mut DiskModules::new());
    let colours = output::stderr_colours();
    let Some(entry) = graph.module(graph.entry) else { return ExitCode::FAILURE };
    for diagnostic in &entry.parsed.diagnostics {
        output::err(&harn_syntax::render(diagnostic, &entry.source, colours));
    }
    if entry.parsed.has_errors() {
        return ExitCode::FAILURE;
    }
    match harn_compiler::compile(&graph, graph.entry) {
        Ok(module) => {
            output::out(&harn_bytecode::disassemble(&module));
            match harn_bytecode::verify(&module) {
                Ok(()) => ExitCode::SUCCESS,
                Err(refusal) => {
                    output::error(&format!("refused by the verifier: {refusal}"));
                    ExitCode::FAILURE
                }
            }
        }
        Err(diagnostics) => {
            for diagnostic in &diagnostics {
                output::err(&harn_syntax::render(diagnostic, &entry.source, colours));
            }
            ExitCode::FAILURE
        }
    }
}

/// Prints how long the stages of the front end take on a file, the shortest of so many turns each. The diagnostics are
/// not shown; a file with errors of syntax is not measured.
fn speed(path: &str, text: &str, turns: u32) -> ExitCode {
    let lines = text.lines().count();
    let mut rows = [("read", f64::MAX), ("check", f64::MAX), ("compile", f64::MAX), ("verify", f64::MAX)];
    let mut fastest = |at: usize, started: std::time::Instant| {
        if let Some((_, best)) = rows.get_mut(at) {
            *best = best.min(started.elapsed().as_secs_f64());
        }
    };
    for _ in 0..turns {
        let text = text.to_owned();
        let started = session::instant();
        let graph = graph::load_text(path, text, &mut DiskModules::new());
        fastest(0, started);
        if graph.module(graph.entry).is_none_or(|entry| entry.parsed.has_errors()) {
            output::error("the file has errors of syntax: see `harn check`");
            return ExitCode::FAILURE;
        }
        let started = session::instant();
        std::hint::black_box(harn_types::check(&graph));
        fastest(1, started);
        let started = session::instant();
        let compiled = harn_compiler::compile(&graph, graph.entry);
        fastest(2, started);
        if let Ok(module) = compiled {
            let started = session::instant();
            let _ = std::hint::black_box(harn_bytecode::verify(&module));
            fastest(3, started);
        }
    }
    let row = |name: &str, seconds: f64| {
        output::out(&format!(
            "{name:<14} {:>9.2} ms {:>12.0} lines/s\n",
            seconds * 1e3,
            lines as f64 / seconds
        ));
    };
    output::out(&format!("{lines} lines\n"));
    for (name, seconds) in rows.iter().filter(|(_, seconds)| *seconds < f64::MAX) {
        row(name, *seconds);
    }
    row("read + compile", rows[0].1 + rows[2].1);
    ExitCode::SUCCESS
}

fn tokens(source: &Source, parsed: &Parsed) -> String {
    let mut text = String::new();
    for token in &parsed.tokens {
        let (start, end) = (token.span.start, token.span.end);
        let _ = writeln!(text, "{start}..{end} {:?} {:?}", token.kind, source.slice(token.span));
    }
    text
}
