//! The static front end: which file a name comes from, what type an expression has, and what is wrong with a program
//! before it runs.
//!
//! The main way through: [`graph::load`] reads a program's files into a [`graph::ModuleGraph`], [`check`] gives the
//! diagnostics of its modules, [`lint::lint`] what is better avoided, [`index::index`] where each name is declared and
//! what type stands where. The compiler takes the same graph.

#![forbid(unsafe_code)]

mod check;
pub mod codes;
pub mod graph;
pub mod index;
pub mod lint;
pub mod manifest;
pub mod spelling;
mod types;
pub mod walk;

pub use check::{Options, check, check_module, is_builtin_name, is_global_name};
