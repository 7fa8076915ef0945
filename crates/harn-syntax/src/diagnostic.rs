//! Diagnostics as data. The one renderer of their text lives beside (spec 01 section 8.1).

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program does not run.
    Error,
    /// The program runs.
    Warning,
}

/// Something wrong at a place of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The stable code (`HARN0001`), key of `harn explain`.
    pub code: &'static str,
    /// One sentence that says what is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The text behind the carets; none prints no caret line.
    pub label: Option<String>,
    /// One sentence that says how to mend it.
    pub help: Option<String>,
}
