//! Event logs on disk, and which of them a program uses (spec 08 sections 2.4 and 2.5).

mod config;
mod file;
mod journal;
mod postgres;
mod sqlite;

use std::io::ErrorKind;
use std::path::Path;

use harn_eventlog::LogError;

pub use config::{Backend, LogConfig};
pub use file::FileStore;
pub use postgres::{PostgresStore, Target};
pub use sqlite::SqliteStore;

/// Called, on whatever thread, when the log may have changed.
pub type Wake = std::sync::Arc<dyn Fn() + Send + Sync>;

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

/// The file of a note beside a log: in the log's directory under its plain name, unless the log itself has a name of its
/// own.
fn note_path(log: &Path, usual: &str, name: &str) -> std::path::PathBuf {
    let directory = log.parent().unwrap_or(Path::new("."));
    match log.file_name().and_then(|n| n.to_str()) {
        Some(own) if own != usual => directory.join(format!("{own}.{name}")),
        _ => directory.join(name),
    }
}

fn read_note(path: &Path) -> Result<Option<String>, LogError> {
    match journal::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, &error)),
    }
}
