//! The real world behind the [`harn_effect::Host`] trait: clocks, randomness, files, environment, processes,
//! terminal, signals, and the stores of the event log.
//!
//! The main way through is [`RealHost`]: what can be answered at once is answered by `start`; the rest runs on
//! threads that put their outcomes on one queue, which `wait` reads. This is the only crate that touches the
//! operating system.
#![allow(clippy::disallowed_methods, reason = "this is the one place that may")]

mod causes;
mod clock_offset;
mod code_store;
mod completions;
mod environment;
mod files;
mod locks;
pub mod memory;
mod model;
mod network;
mod pipes;
pub mod presence;
mod process;
mod real;
mod signals;
mod sockets;
mod stdio;
pub mod store;
mod web;

pub use code_store::CodeStore;
pub use completions::Completions;
pub use real::RealHost;
