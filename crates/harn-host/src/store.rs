//! Event logs on disk, and which of them a program uses (spec 08 sections 2.4 and 2.5).

mod config;
mod file;
mod journal;
mod sqlite;

use std::io::ErrorKind;
use std::path::Path;

use harn_eventlog::LogError;

pub use config::{Backend, LogConfig};
pub use file::FileStore;
pub use sqlite::SqliteStore;

/// The log's words for an error of the file system at `path`.
fn io_error(path: &Path, error: &std::io::Error) -> LogError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => LogError::Full,
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            LogError::ReadOnly(path.display().to_string())
        }
        _ => LogError::Storage(format!("{}: {error}", path.display())),
    }
}
