//! The event log of the project a command runs in (spec 08 section 2.4).

use harn_eventlog::store::again;
use harn_eventlog::{Durability, LogError, Store, Tx};
use harn_govern::Moment;
use harn_govern::rules::Rules;
use harn_host::RealHost;
use harn_host::store::LogConfig;
use std::path::{Path, PathBuf};

/// The configured log of the nearest project above the working directory, else of the working directory.
pub fn open() -> Result<Box<dyn Store>, String> {
    let config =
        LogConfig::resolve(&base()?, &|name| RealHost::env(name)).map_err(|e| format!("event_log: {e}"))?;
    if !config.is_durable() {
        return Err("event_log: a memory log is gone with its process: nothing to look at".into());
    }
    Ok(config.open())
}

/// The nearest project above the working directory, else the working directory.
pub fn base() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    Ok(here.ancestors().find(|dir| dir.join("harn.toml").is_file()).map_or(here.clone(), PathBuf::from))
}

/// The rules in the `harn.toml` of a project; none when it has no such file. The error names the file.
pub fn rules(base: &Path) -> Result<Rules, String> {
    let path = base.join("harn.toml");
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Rules::default()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    Rules::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs `work` in one durable transaction.
pub fn transact<T>(
    store: &mut dyn Store,
    mut work: impl FnMut(&mut dyn Tx, &mut Moment<'_>) -> Result<T, LogError>,
) -> Result<T, String> {
    let failed = |error: LogError| format!("event_log: {error}");
    let mut entropy = || {
        let mut bytes = [0; 10];
        let id = uuid::Uuid::new_v4().into_bytes();
        bytes.copy_from_slice(id.split_at(6).1);
        bytes
    };
    let mut moment = Moment { now_ms: now_ms(), entropy: &mut entropy };
    let done = again(|| {
        let mut tx = store.begin(Durability::Synced)?;
        let result = work(&mut *tx, &mut moment)?;
        tx.commit()?;
        Ok(result)
    });
    done.map_err(failed)
}

/// The wall clock.
pub fn now_ms() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok().and_then(|d| i64::try_from(d.as_millis()).ok()).unwrap_or(0)
}

/// The name of the person at the keyboard.
pub fn os_user() -> Option<String> {
    RealHost::env("USER").or_else(|| RealHost::env("LOGNAME")).filter(|name| !name.trim().is_empty())
}
