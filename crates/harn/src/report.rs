//! Reports of programs, coloured for standard error.

use crate::output;
pub use harn_embed::report::{uncaught, uncaught_in};
use harn_runtime::program::Refusal;
use harn_syntax::Diagnostic;
use harn_types::graph::{ModuleGraph, ModuleIndex};

/// Why a program cannot start.
pub fn refusal(refusal: &Refusal) -> String {
    harn_embed::report::refusal(refusal, output::stderr_colours())
}

/// Renders diagnostics, each with its place.
pub fn diagnostics(graph: &ModuleGraph, found: &[(ModuleIndex, Diagnostic)]) -> String {
    harn_embed::report::diagnostics(graph, found, output::stderr_colours())
}
