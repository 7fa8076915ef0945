//! What an agent loop needs besides the language: the tool contract of the system prompt, globs of policies, the stack
//! of loops of a task.
//!
//! The loop itself is a Harn program (`harn-stdlib/prelude/agent_loop.harn`): its state lives in ordinary registers, so
//! it can be suspended at every model call, tool call and question. This crate is the native part; [`NATIVES`] lists it
//! for the registry.

pub mod contract;
pub mod glob;
mod natives;
pub mod stack;

pub use natives::NATIVES;
