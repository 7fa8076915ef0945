//! Tests of the canonical format: laws over all example programs, rules one by one.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read example files")]

mod laws;
mod rules;

use harn_fmt::{Options, Refusal, format};
use harn_syntax::Source;

fn formatted(text: &str) -> Result<String, Refusal> {
    format(&Source::new("t.harn", text), Options::default())
}

/// The canonical text, which must be its own.
fn canonical(text: &str) -> String {
    let once = formatted(text).unwrap();
    assert_eq!(formatted(&once).unwrap(), once, "formatted twice");
    once
}
