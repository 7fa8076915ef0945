//! `harn doc`: what a builtin or method does, from the table of builtins; the reference page is made from the same rows.

use super::Command;
use crate::output;
use clap::{Arg, ArgAction, ArgMatches};
use harn_builtins::{Builtin, Method, Visibility, builtins, domains, methods};
use harn_effect::EffectClass;
use std::fmt::Write;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "doc",
    aliases: &[],
    about: "Shows what a builtin or method does",
    args: |command| {
        command
            .arg(Arg::new("name").value_name("NAME").help(
                "A builtin (`split`), a method (`list.map`, `map`), a type (`list`) or a part of a name; without one, all",
            ))
            .arg(
                Arg::new("markdown")
                    .long("markdown")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("name")
                    .help("Prints the whole reference as a Markdown page"),
            )
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("markdown") {
        output::out(&markdown());
        return ExitCode::SUCCESS;
    }
    let Some(name) = matches.get_one::<String>("name") else {
        output::out(&list());
        return ExitCode::SUCCESS;
    };
    match entry(name.trim_end_matches("()").trim_start_matches('.')) {
        Ok(text) => {
            output::out(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            output::error(&problem);
            ExitCode::FAILURE
        }
    }
}

fn public() -> impl Iterator<Item = &'static Builtin> {
    builtins().iter().filter(|row| row.visibility == Visibility::Public)
}

/// `fn(a: int) -> int` of `name` as one writes it: `name(a: int) -> int`.
fn shown(name: &str, signature: &str) -> String {
    signature
        .strip_prefix("fn")
        .map_or_else(|| format!("{name}: {signature}"), |rest| format!("{name}{rest}"))
}

/// Everything that goes by a name, or what was meant.
fn entry(name: &str) -> Result<String, String> {
    let mut out = String::new();
    for row in public().filter(|row| row.name == name) {
        out.push_str(&builtin(row));
    }
    let named = |m: &&Method| m.name == name || format!("{}.{}", m.on, m.name) == name;
    for row in methods().iter().filter(named) {
        separate(&mut out);
        out.push_str(&method(row));
    }
    if !out.is_empty() {
        return Ok(out);
    }
    let of_type: Vec<&Method> = methods().iter().filter(|m| m.on == name).collect();
    if !of_type.is_empty() {
        let _ = writeln!(out, "methods of {name}:\n");
        for row in of_type {
            let _ = writeln!(out, "  {}  {}", shown(row.name, row.signature), row.doc);
        }
        return Ok(out);
    }
    let parts: Vec<&Builtin> = public().filter(|row| name.len() > 1 && row.name.contains(name)).collect();
    if !parts.is_empty() {
        let _ = writeln!(out, "names with `{name}`:\n");
        for row in parts {
            let _ = writeln!(out, "  {}  {}", shown(row.name, row.signature), row.doc);
        }
        return Ok(out);
    }
    let whole: Vec<String> = methods().iter().map(|m| format!("{}.{}", m.on, m.name)).collect();
    let names = public()
        .map(|row| row.name)
        .chain(methods().iter().map(|m| m.name))
        .chain(whole.iter().map(String::as_str));
    let near = harn_types::spelling::nearest(name, names, if name.chars().count() > 3 { 2 } else { 1 });
    let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    Err(format!("no builtin or method is called `{name}`{hint}"))
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn builtin(row: &Builtin) -> String {
    let mut out = format!("{}\n\n    {}\n", shown(row.name, row.signature), row.doc);
    if let Some(effect) = row.effect {
        let _ = writeln!(out, "    effect: {}", class(effect));
    }
    example(&mut out, row.example);
    out
}

fn method(row: &Method) -> String {
    let name = format!("{}.{}", row.on, row.name);
    let mut out = format!("{}\n\n    {}\n", shown(&name, row.signature), row.doc);
    example(&mut out, row.example);
    out
}

fn example(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n    example:");
    for line in text.lines() {
        let _ = writeln!(out, "        {line}");
    }
}

/// What a program needs to be allowed for the effect.
fn class(effect: EffectClass) -> &'static str {
    match effect {
        EffectClass::Ambient => "ambient (output, clock, randomness)",
        EffectClass::Read => "reads",
        EffectClass::Write => "writes",
        EffectClass::Control => "writes governance records",
        EffectClass::Process => "starts processes",
        EffectClass::Model => "calls models",
        EffectClass::Network => "uses the network",
    }
}

/// One line for each builtin, by domain.
fn list() -> String {
    let mut out = String::new();
    for (heading, rows) in domains() {
        let rows: Vec<&Builtin> = rows.iter().filter(|row| row.visibility == Visibility::Public).collect();
        if rows.is_empty() {
            continue;
        }
        separate(&mut out);
        let _ = writeln!(out, "{heading}");
        for row in rows {
            let _ = writeln!(out, "  {}", shown(row.name, row.signature));
        }
    }
    out.push_str("\n`harn doc NAME` says more; `harn doc list` shows the methods of a type.\n");
    out
}

/// The reference page, `docs/builtins.md`.
fn markdown() -> String {
    let mut out = String::from(
        "# Builtins and methods\n\nMade by `harn doc --markdown` from the table in `crates/harn-builtins`; a test keeps it \
         current. Every example\nruns as a test: `// value` is the display of the last expression, `// error: TEXT` what \
         `catch` binds, `// prints: TEXT`\nstandard output.\n",
    );
    for (heading, rows) in domains() {
        let rows: Vec<&Builtin> = rows.iter().filter(|row| row.visibility == Visibility::Public).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n## {heading}");
        for row in rows {
            let effect = row.effect.map(|effect| format!(" Effect: {}.", class(effect))).unwrap_or_default();
            section(&mut out, &shown(row.name, row.signature), &format!("{}{effect}", row.doc), row.example);
        }
    }
    let mut on = "";
    for row in methods() {
        if row.on != on {
            on = row.on;
            let _ = writeln!(out, "\n## Methods of `{on}`");
        }
        section(&mut out, &shown(&format!("{on}.{}", row.name), row.signature), row.doc, row.example);
    }
    out
}

fn section(out: &mut String, title: &str, doc: &str, example: &str) {
    let _ = writeln!(out, "\n### `{title}`\n\n{doc}");
    if !example.is_empty() {
        let _ = writeln!(out, "\n```harn\n{example}\n```");
    }
}
