//! The binary from outside: its commands, its models, its governance.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests set up the real world and fail by panicking"
)]

mod agents;
mod builtin_examples;
mod chapters;
mod checking;
mod cli;
mod editor;
mod flags;
mod formatting;
mod governance;
mod guarantees;
mod http;
mod measures;
mod mends;
mod mistakes;
mod place;
#[path = "../../../../tests/postgres/server.rs"]
mod postgres_server;
mod projects;
mod providers;
mod repl;
#[path = "../../../../tests/model_server/server.rs"]
mod server;
mod shared_log;
mod spending;
mod suspend;
mod testing;
mod triggers;
mod verdicts;
mod walkthrough;
mod watching;
mod workflows;
