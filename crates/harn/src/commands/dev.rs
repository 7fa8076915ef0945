//! `harn dev`: looks inside the front end, for people who work on Harn itself.

use super::Command;
use crate::modules::DiskModules;
use crate::{output, source};
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
    if what == "code" {
        return code(path, text);
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

fn tokens(source: &Source, parsed: &Parsed) -> String {
    let mut text = String::new();
    for token in &parsed.tokens {
        let (start, end) = (token.span.start, token.span.end);
        let _ = writeln!(text, "{start}..{end} {:?} {:?}", token.kind, source.slice(token.span));
    }
    text
}
