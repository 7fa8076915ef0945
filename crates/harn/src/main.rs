//! The `harn` command line: one file per command in `commands/`, one table of them.

mod account;
mod commands;
mod findings;
mod live;
mod output;
mod project_log;
mod quiet;
mod report;
mod run_options;
mod session;
mod source;
mod targets;
mod watch;

use harn_embed::{anchoring, code_cache, identities, modules};
use std::process::ExitCode;

/// Passes over deep trees (parser, checker, compiler) recurse; this much stack is reserved, not used.
const STACK_BYTES: usize = 512 << 20;

fn main() -> ExitCode {
    let worker =
        std::thread::Builder::new().name("main".into()).stack_size(STACK_BYTES).spawn(commands::dispatch);
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The panic has printed its own message.
        Ok(Err(_)) => ExitCode::from(101),
        Err(_) => commands::dispatch(),
    }
}
