//! What commands need besides a run: its progress on the terminal, time, files of their own.

use crate::live::Live;
pub use harn_embed::session::{Session, base_dir, threads};
use harn_runtime::progress::{Progress, Silent};

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
pub fn text_of(path: &std::path::Path) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Progress on standard error, or none.
pub fn progress(live: bool) -> Box<dyn Progress> {
    if live { Box::new(Live::new()) } else { Box::new(Silent) }
}
