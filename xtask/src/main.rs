//! Chores of the repository that cargo itself does not do.
//!
//! `cargo xtask tidy` checks the rules of the house: floors, file sizes, forbidden calls, left-overs. It is also run by
//! this crate's test, so that `cargo test` holds the rules. `cargo xtask unsafe` writes the list in `docs/unsafe.md`.

#![allow(clippy::disallowed_methods, reason = "a chore of the repository writes its files")]

mod tidy;
mod unsafe_blocks;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            let findings = tidy::check(&root);
            for finding in &findings {
                eprintln!("{finding}");
            }
            eprintln!("tidy: {} finding(s)", findings.len());
            if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some("unsafe") => match unsafe_blocks::page(&root) {
            Ok(page) => match std::fs::write(root.join(unsafe_blocks::PAGE), page) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failed(&error.to_string()),
            },
            Err(why) => failed(&why),
        },
        _ => {
            eprintln!("usage: cargo xtask tidy | unsafe");
            ExitCode::from(2)
        }
    }
}

fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
