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
        let fix = if rule.fixes { "`harn lint --fix` can rewrite it. " } else { "" };
        output::out(&format!(
            "lint[{}]\n\n{}\n\n{fix}`// harn-lint: allow({}): why` silences it on one line, `[lint] disabled` in harn.toml \
             everywhere.\n\nWrong:\n\n{}\nRight:\n\n{}",
            rule.name,
            rule.explanation,
            rule.name,
            indented(rule.wrong),
            indented(rule.right)
        ));
        return ExitCode::SUCCESS;
    }
    if code == PREFLIGHT {
        output::out(PREFLIGHT_TEXT);
        return ExitCode::SUCCESS;
    }
    let known = harn_syntax::codes::TABLE.iter().chain(codes::TABLE).map(|row| row.code);
    let names = known.chain(RULES.iter().map(|rule| rule.name));
    let near = harn_types::spelling::nearest(code, names, 3);
    let hint =
        near.map_or_else(|| "`harn explain` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    output::error(&format!("unknown code or rule `{code}`; {hint}"));
    ExitCode::FAILURE
}

/// The code of what `harn check` finds missing around a program.
const PREFLIGHT: &str = "preflight";

const PREFLIGHT_TEXT: &str = "preflight: what a program needs around it is missing

`harn check` looks for the imports, templates (`render`), directories (`exec_at`, `shell_at`) and host operations
(`host_call`) that a program names by plain text. `--preflight warning` or `off`, and `[check] preflight_severity`,
`preflight_allow` and `host_capabilities` in harn.toml say what is to be found where.

Wrong, beside a directory without page.prompt:

    println(render(\"page.prompt\", {title: \"T\"}))

Right:

    println(render_string(\"{{ title }}\", {title: \"T\"}))
";

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
    let _ = writeln!(out, "{PREFLIGHT}");
    out
}
