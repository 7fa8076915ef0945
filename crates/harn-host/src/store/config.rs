//! Which log is active: the environment variables of spec 08 section 2.4.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use harn_eventlog::{LogError, MemoryStore, Store};

use super::{FileStore, PostgresStore, SqliteStore, Target, Wake};

/// Where events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In the process.
    Memory,
    /// In a directory of JSON lines.
    File(PathBuf),
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In a PostgreSQL database.
    Postgres(Box<Target>),
}

/// The configured log of a base directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Where events are kept.
    pub backend: Backend,
    /// Live events a subscriber may fall behind.
    pub queue_depth: usize,
    /// The state root: `HARN_STATE_DIR`, or `.harn` in the base directory.
    pub state_root: PathBuf,
}

impl LogConfig {
    /// Reads the configuration; `env` gives environment variables.
    pub fn resolve(base: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<LogConfig, LogError> {
        let var = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        let place = |name: &str, default: PathBuf| var(name).map_or(default, |value| base.join(value));
        let state_root = place("HARN_STATE_DIR", base.join(".harn"));
        let kind = var("HARN_EVENT_LOG_BACKEND").map(|kind| kind.trim().to_lowercase());
        let backend = match (kind.as_deref(), var("HARN_STORE")) {
            (None | Some("postgres"), Some(url)) => {
                if !Target::is_url(url.trim()) {
                    let text = "HARN_STORE must be a URL: postgres://user:password@host:port/database";
                    return Err(LogError::Refused(text.to_owned()));
                }
                // A URL that cannot be read is said now, not at the first append.
                Backend::Postgres(Box::new(Target::parse(&url, var("PGPASSWORD"))?))
            }
            (Some("postgres"), None) => {
                let text = "HARN_EVENT_LOG_BACKEND=postgres needs HARN_STORE=postgres://user:password@host:port/database";
                return Err(LogError::Refused(text.to_owned()));
            }
            (Some(kind), Some(_)) => {
                let text =
                    format!("HARN_STORE and HARN_EVENT_LOG_BACKEND={kind} name different logs: unset one");
                return Err(LogError::Refused(text));
            }
            (None | Some("sqlite"), None) => {
                Backend::Sqlite(place("HARN_EVENT_LOG_SQLITE_PATH", state_root.join("events.sqlite")))
            }
            (Some("file"), None) => Backend::File(place("HARN_EVENT_LOG_DIR", state_root.join("events"))),
            (Some("memory"), None) => Backend::Memory,
            (Some(other), None) => {
                return Err(LogError::Refused(format!("unsupported event log backend '{other}'")));
            }
        };
        let queue_depth =
            var("HARN_EVENT_LOG_QUEUE_DEPTH").and_then(|d| d.trim().parse().ok()).unwrap_or(128).max(1);
        Ok(LogConfig { backend, queue_depth, state_root })
    }

    /// Whether what is appended survives the process.
    pub fn is_durable(&self) -> bool {
        self.backend != Backend::Memory
    }

    /// Where a log of this machine is kept; a database has no such place.
    pub fn place(&self) -> Option<&Path> {
        match &self.backend {
            Backend::File(path) | Backend::Sqlite(path) => Some(path),
            Backend::Memory | Backend::Postgres(_) => None,
        }
    }

    /// Whether nothing has ever been written to the log, as far as a look at the disk tells.
    pub fn is_missing(&self) -> bool {
        self.place().is_some_and(|place| !place.exists())
    }

    /// The log as the services of a run share it; nothing is created before the first append. `wake` is called when
    /// another machine has changed it, where the log has a way to know.
    pub fn open_shared(&self, wake: Option<Wake>) -> Rc<RefCell<dyn Store>> {
        match &self.backend {
            Backend::Memory => Rc::new(RefCell::new(MemoryStore::new())),
            Backend::File(directory) => Rc::new(RefCell::new(FileStore::new(directory))),
            Backend::Sqlite(path) => Rc::new(RefCell::new(SqliteStore::new(path))),
            Backend::Postgres(target) => Rc::new(RefCell::new(PostgresStore::new((**target).clone(), wake))),
        }
    }

    /// A handle on the log; nothing is created before the first append.
    pub fn open(&self) -> Box<dyn Store> {
        match &self.backend {
            Backend::Memory => Box::new(MemoryStore::new()),
            Backend::File(directory) => Box::new(FileStore::new(directory)),
            Backend::Sqlite(path) => Box::new(SqliteStore::new(path)),
            Backend::Postgres(target) => Box::new(PostgresStore::new((**target).clone(), None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(vars: &[(&str, &str)]) -> Result<LogConfig, LogError> {
        LogConfig::resolve(Path::new("/base"), &|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_default_is_sqlite_in_the_state_root() {
        assert_eq!(resolve(&[]).unwrap().backend, Backend::Sqlite("/base/.harn/events.sqlite".into()));
        assert_eq!(
            resolve(&[("HARN_STATE_DIR", "st")]).unwrap().backend,
            Backend::Sqlite("/base/st/events.sqlite".into())
        );
        assert_eq!(
            resolve(&[("HARN_EVENT_LOG_BACKEND", "  ")]).unwrap().backend,
            resolve(&[]).unwrap().backend
        );
    }

    #[test]
    fn backends_are_chosen_in_any_case_and_unknown_ones_refused() {
        assert_eq!(resolve(&[("HARN_EVENT_LOG_BACKEND", " MEMORY ")]).unwrap().backend, Backend::Memory);
        assert_eq!(
            resolve(&[("HARN_EVENT_LOG_BACKEND", "file"), ("HARN_EVENT_LOG_DIR", "/x")]).unwrap().backend,
            Backend::File("/x".into())
        );
        assert_eq!(
            resolve(&[("HARN_EVENT_LOG_BACKEND", "redis")]).unwrap_err().to_string(),
            "unsupported event log backend 'redis'"
        );
    }

    #[test]
    fn a_database_is_named_by_a_url_that_no_text_shows() {
        let config = resolve(&[("HARN_STORE", "postgres://ann:secret@db:5433/agents")]).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("postgres://db:5433/agents") && !shown.contains("secret"), "{shown}");
        let error = resolve(&[("HARN_STORE", "postgres://ann:secret@db:port/agents")]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(resolve(&[("HARN_STORE", "mysql://db")]).is_err());
    }

    #[test]
    fn two_variables_that_name_different_logs_are_refused() {
        let url = ("HARN_STORE", "postgres://ann@db/agents");
        let error = resolve(&[url, ("HARN_EVENT_LOG_BACKEND", "memory")]).unwrap_err().to_string();
        assert_eq!(error, "HARN_STORE and HARN_EVENT_LOG_BACKEND=memory name different logs: unset one");
        assert!(resolve(&[url, ("HARN_EVENT_LOG_BACKEND", "Postgres")]).is_ok());
        assert!(resolve(&[("HARN_EVENT_LOG_BACKEND", "postgres")]).is_err());
    }

    #[test]
    fn the_queue_depth_has_a_floor_and_a_default() {
        assert_eq!(resolve(&[("HARN_EVENT_LOG_QUEUE_DEPTH", "0")]).unwrap().queue_depth, 1);
        assert_eq!(resolve(&[("HARN_EVENT_LOG_QUEUE_DEPTH", "x")]).unwrap().queue_depth, 128);
    }
}
