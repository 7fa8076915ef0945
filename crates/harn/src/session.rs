//! What commands need besides a run: its progress on the terminal, time, files of their own.

use crate::live::Live;
use harn_embed::project::Settings;
pub use harn_embed::session::{Session, base_dir, threads};
use harn_runtime::progress::{Progress, Silent};
use harn_vm::Limits;
use std::path::Path;

/// A point in time to measure from.
#[allow(clippy::disallowed_methods, reason = "a command is its own host")]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}

/// Sleeps: commands that watch files look again after a moment.
#[allow(clippy::disallowed_methods, reason = "a command is its own host")]
pub fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}

/// The text of a file, with bytes that are not UTF-8 replaced; nothing when it cannot be read.
#[allow(clippy::disallowed_methods, reason = "a command is its own host")]
pub fn text_of(path: &Path) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What the project of a script decides.
///
/// # Errors
/// Its `harn.toml` cannot be read.
pub fn settings(script: &str) -> Result<Settings, String> {
    Settings::read(Path::new(&base_dir(script)))
}

/// The limits of a program that is run without options of its own.
///
/// # Errors
/// As [`settings`].
pub fn limits(script: &str) -> Result<Limits, String> {
    Ok(Limits { strict: settings(script)?.strict_runtime(), ..Limits::default() })
}

/// Progress on standard error, or none.
pub fn progress(live: bool) -> Box<dyn Progress> {
    if live { Box::new(Live::new()) } else { Box::new(Silent) }
}
