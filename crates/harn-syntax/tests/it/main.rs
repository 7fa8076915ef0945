//! Tests of the way from text to tree and diagnostics.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests read example files and measure time"
)]

mod diagnostics;
mod examples;
mod lexing;
mod limits;
mod properties;
mod trees;

use harn_syntax::{Parsed, Source, dump_ast, parse, render};

fn parsed(text: &str) -> Parsed {
    parse(&Source::new("t.harn", text))
}

/// The tree of a program that has no fault.
fn tree(text: &str) -> String {
    let found = parsed(text);
    assert!(found.diagnostics.is_empty(), "{text}\n{}", faults(text));
    dump_ast(&found.ast)
}

/// The tree of a one-line program, without its final newline.
fn line(text: &str) -> String {
    tree(text).trim_end().to_string()
}

/// All diagnostics of a program as printed.
fn faults(text: &str) -> String {
    let source = Source::new("t.harn", text);
    parse(&source).diagnostics.iter().map(|d| render(d, &source, false)).collect()
}

/// The messages of all diagnostics with their places: `1:7 expected =, found int(5)`.
fn messages(text: &str) -> Vec<String> {
    let source = Source::new("t.harn", text);
    let described = |d: &harn_syntax::Diagnostic| {
        let place = source.position(d.span.start);
        format!("{}:{} {}", place.line, place.column, d.message)
    };
    parse(&source).diagnostics.iter().map(described).collect()
}
