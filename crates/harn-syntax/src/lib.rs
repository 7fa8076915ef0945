//! Sources, tokens, syntax tree and diagnostics of Harn: text in, tree and diagnostics out.
//!
//! The main way through is [`parse`]: a [`Source`] becomes a [`Parsed`] with the tree, every token (trivia
//! included) and what was wrong.

pub mod ast;
pub mod diagnostic;
pub mod source;

pub use diagnostic::{Diagnostic, Severity};
pub use source::{Position, Source, Span};
