//! The event log of the project a command runs in (spec 08 section 2.4).

use crate::{anchoring, identities, output};
use harn_embed::project::Settings;
use harn_eventlog::store::again;
use harn_eventlog::{Durability, LogError, MemoryStore, Store, Tx};
use harn_govern::Moment;
use harn_govern::rules::Rules;
use harn_host::RealHost;
use harn_host::presence::Processes;
use harn_host::store::LogConfig;
use std::path::PathBuf;

/// The processes of this machine that use the log.
pub fn processes() -> Result<Processes, String> {
    Ok(Processes::new(config()?.state_root.join("processes")))
}

/// The configured log of the nearest project above the working directory, else of the working directory. It is made at
/// the first append.
pub fn open() -> Result<Box<dyn Store>, String> {
    Ok(config()?.open())
}

/// The log, which has to be there.
///
/// # Errors
/// Nothing was ever written to it: most likely the command is run in another folder than the program.
pub fn require() -> Result<Box<dyn Store>, String> {
    let config = config()?;
    match missing(&config) {
        Some(text) => Err(text),
        None => Ok(config.open()),
    }
}

/// The log, to list what is on it: one that is not there is empty, which is said on standard error.
pub fn look() -> Result<Box<dyn Store>, String> {
    let config = config()?;
    match missing(&config) {
        Some(text) => {
            output::err(&format!("note: {text}\n"));
            Ok(Box::new(MemoryStore::new()))
        }
        None => Ok(config.open()),
    }
}

/// Where the log is, for messages about what is not on it.
pub fn place() -> String {
    let place = config().ok().and_then(|config| config.place().map(|place| place.display().to_string()));
    place.unwrap_or_else(|| "the event log".to_owned())
}

fn config() -> Result<LogConfig, String> {
    let config =
        LogConfig::resolve(&base()?, &|name| RealHost::env(name)).map_err(|e| format!("event_log: {e}"))?;
    if !config.is_durable() {
        return Err("event_log: a memory log is gone with its process: nothing to look at".into());
    }
    Ok(config)
}

fn missing(config: &LogConfig) -> Option<String> {
    let place = config.place().filter(|_| config.is_missing())?.display();
    Some(format!(
        "there is no event log at {place}: nothing was decided or asked here. Run the command in the folder of the \
         program or its harn.toml, or name the state directory with HARN_STATE_DIR"
    ))
}

/// The nearest project above the working directory, else the working directory.
pub fn base() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    Ok(here.ancestors().find(|dir| dir.join("harn.toml").is_file()).map_or(here.clone(), PathBuf::from))
}

/// What the operator of that project decides (`harn.toml`).
pub fn rules() -> Result<Rules, String> {
    Ok(Settings::read(&base()?)?.rules)
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
    let signer = identities::signer(None).ok();
    let mut moment = Moment::new(now_ms(), &mut entropy).signed_by(signer.as_ref());
    let done = again(|| {
        moment.anchored = None;
        let mut tx = store.begin(Durability::Synced)?;
        let result = work(&mut *tx, &mut moment)?;
        tx.commit()?;
        Ok(result)
    });
    let result = done.map_err(failed)?;
    if let Some(anchor) = &moment.anchored {
        anchoring::mirror(anchor)?;
    }
    Ok(result)
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
