//! The static front end: which file a name comes from, what type an expression has, and what is wrong with a program
//! before it runs.
//!
//! The main way through: [`graph::load`] reads a program's files into a [`graph::ModuleGraph`]. The compiler takes the
//! same graph.

#![forbid(unsafe_code)]

pub mod graph;
pub mod manifest;
