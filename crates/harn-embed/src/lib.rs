//! A Harn program inside another Rust program.
//!
//! The main way through is [`Engine`]: it says what a program may do and what it can ask its host for, and runs the text of
//! one. [`Report`] says how that went. A run has its own thread and its own machine, so any number may go on side by side.
//!
//! ```
//! use harn_embed::{Data, Engine, Outcome};
//!
//! let engine = Engine::new().in_memory().operation("stock.level", "Pieces in store", |params| {
//!     Ok(Data::Int(if params.field("item").as_str() == Some("bolt") { 120 } else { 0 }))
//! });
//! let report = engine.run("stock.harn", r#"
//!     pipeline main(task) {
//!       println("bolts: ${host_call("stock.level", {item: "bolt"})}")
//!       return host_has("stock", "level")
//!     }
//! "#)?;
//! assert_eq!(report.output, "bolts: 120\n");
//! assert_eq!(report.outcome, Outcome::Finished(Data::Bool(true)));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The other modules wire the real world to the runtime ([`session`]) and are what the command line is made of too.
#![allow(clippy::disallowed_methods, reason = "what wires the host to the runtime reads its own files")]

pub mod anchoring;
pub mod code_cache;
mod engine;
pub mod identities;
pub mod modules;
pub mod project;
pub mod report;
pub mod session;
mod world;

pub use engine::{Engine, Outcome, Report, Running, Stopper};
pub use harn_effect::{Data, EffectClass};
pub use harn_vm::Limits;
