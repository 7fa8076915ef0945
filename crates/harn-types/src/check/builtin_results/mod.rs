//! The builtins the language defines and what they return (spec 03 section 8, spec 00 section 5).
//!
//! The rows of `harn_builtins` are what this build can run; this list is what a program may name. The checker must know
//! a name even where a build lacks the body, and the result types here are the ones the language promises.

mod collections;
mod dependent;
mod values;

/// A result type and the names with it, row by row.
type Rows = &'static [(&'static str, &'static [&'static str])];

/// Result types and names; `·` where the result depends on the arguments or is not known.
pub fn results() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    [values::RESULTS, collections::RESULTS, dependent::RESULTS].into_iter().flatten()
}
