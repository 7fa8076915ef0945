//! `harn explain`: what a diagnostic code or a lint rule means, with a wrong and a right program.

use super::Command;
use crate::output;
use clap::{Arg, ArgMatches};
use harn_types::{codes, lint::RULES};
use std::fmt::Write as _;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "explain",
    aliases: &[],
    about: "Explains a diagnostic code or a lint rule; lists them all without one",
    args: |command| {
        command.arg(Arg::new("code").value_name("CODE").help("HARN1001, or a rule such as empty-block"))
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let Some(code) = matches.get_one::<String>("code") else {
        output::out(&list());
        return ExitCode::SUCCESS;
    };
    if let Some(row) = codes::lookup(code) {
        output::out(&format!(
            "{}: {}\n\n{}\n\nWrong:\n\n{}\nRight:\n\n{}",
            row.code,
            row.title,
            row.explanation,
            indented(row.wrong),
            indented(row.right)
        ));
        return ExitCode::SUCCESS;
    }
    if let Some(rule) = RULES.iter().find(|r| r.name == code.as_str()) {
        let fix = if rule.fixes { "\n\n`harn lint --fix` can rewrite it." } else { "" };
        output::outln(&format!("lint[{}]\n\n{}{fix}", rule.name, rule.explanation));
        return ExitCode::SUCCESS;
    }
    output::error(&format!("unknown code or rule `{code}`; `harn explain` lists them"));
    ExitCode::FAILURE
}

fn indented(program: &str) -> String {
    program.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "    {line}");
        out
    })
}

fn list() -> String {
    let mut out = String::new();
    for row in harn_syntax::codes::TABLE.iter().chain(codes::TABLE) {
        let _ = writeln!(out, "{}  {}", row.code, row.title);
    }
    for rule in RULES {
        let _ = writeln!(out, "{}", rule.name);
    }
    out
}
