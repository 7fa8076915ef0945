//! Diagnostics in the forms that people and machines read: text, one line each, JSON, SARIF.

use crate::output;
use clap::Arg;
use harn_syntax::{Diagnostic, Severity, Source, render};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the source line, on standard error.
    Text,
    /// `FILE:LINE:COL: severity[CODE]: message`, one line each, on standard output.
    Short,
    /// One JSON list on standard output.
    Json,
    /// One SARIF 2.1.0 document on standard output.
    Sarif,
}

/// The flag `--format`.
pub fn format_arg() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["text", "short", "json", "sarif"])
        .default_value("text")
        .help("How diagnostics are printed")
}

/// What `--format` says.
pub fn format(matches: &clap::ArgMatches) -> Format {
    match matches.get_one::<String>("format").map(String::as_str) {
        Some("short") => Format::Short,
        Some("json") => Format::Json,
        Some("sarif") => Format::Sarif,
        _ => Format::Text,
    }
}

/// Prints diagnostics, or gathers them for one document.
pub struct Findings {
    format: Format,
    listed: Vec<Json>,
}

impl Findings {
    /// Nothing found yet.
    pub fn new(format: Format) -> Findings {
        Findings { format, listed: Vec::new() }
    }

    /// Whether people read along.
    pub fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// One more.
    pub fn add(&mut self, diagnostic: &Diagnostic, source: &Source) {
        match self.format {
            Format::Text => output::err(&render(diagnostic, source, output::stderr_colours())),
            Format::Short => {
                let at = source.position(diagnostic.span.start);
                output::outln(&format!(
                    "{}:{}:{}: {}[{}]: {}",
                    source.path(),
                    at.line,
                    at.column,
                    severity(diagnostic),
                    diagnostic.code,
                    diagnostic.message
                ));
            }
            Format::Json => self.listed.push(as_json(diagnostic, source)),
            Format::Sarif => self.listed.push(as_sarif(diagnostic, source)),
        }
    }

    /// Prints the document, if there is one.
    pub fn finish(self) {
        match self.format {
            Format::Text | Format::Short => {}
            Format::Json => output::outln(&Json::Array(self.listed).to_string()),
            Format::Sarif => output::outln(&sarif(self.listed).to_string()),
        }
    }
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    if diagnostic.severity == Severity::Error { "error" } else { "warning" }
}

fn as_json(diagnostic: &Diagnostic, source: &Source) -> Json {
    let (start, end) = (source.position(diagnostic.span.start), source.position(diagnostic.span.end));
    json!({
        "file": source.path(),
        "severity": severity(diagnostic),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "start": {"line": start.line, "column": start.column},
        "end": {"line": end.line, "column": end.column},
    })
}

fn as_sarif(diagnostic: &Diagnostic, source: &Source) -> Json {
    let (start, end) = (source.position(diagnostic.span.start), source.position(diagnostic.span.end));
    let text = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    json!({
        "ruleId": diagnostic.code,
        "level": severity(diagnostic),
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": source.path().trim_start_matches("./")},
            "region": {
                "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
            },
        }}],
    })
}

fn sarif(results: Vec<Json>) -> Json {
    let rules: BTreeSet<String> =
        results.iter().filter_map(|r| r.get("ruleId")?.as_str().map(str::to_owned)).collect();
    let rules: Vec<Json> = rules.into_iter().map(|id| json!({"id": id})).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "harn", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// The change as a unified diff.
pub fn diff(path: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let path = path.trim_start_matches("./");
    diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}
