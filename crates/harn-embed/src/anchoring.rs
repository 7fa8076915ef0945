//! Anchors of the trust chain on this machine: who signs them, and the file outside of the log that holds copies (spec 08
//! section 11.1 G6).

use crate::identities;
use harn_eventlog::Json;
use harn_govern::trust::Anchor;
use harn_host::RealHost;
use harn_runtime::services::governance::Signing;
use std::io::Write;

/// Anchors by the identity of this user, when exactly one can sign.
pub fn signing() -> Signing {
    Signing { identity: Box::new(|| identities::signer(None).ok()), mirror: Box::new(mirror) }
}

fn file() -> Option<String> {
    RealHost::env("HARN_TRUST_ANCHOR_FILE").filter(|path| !path.trim().is_empty())
}

/// Writes an anchor to `HARN_TRUST_ANCHOR_FILE`, when that is set.
pub fn mirror(anchor: &Anchor) -> Result<(), String> {
    let Some(path) = file() else { return Ok(()) };
    let line = format!("{}\n", anchor.to_json().canonical());
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    opened
        .and_then(|mut file| {
            file.write_all(line.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| format!("HARN_TRUST_ANCHOR_FILE {path}: {error}"))
}

/// The anchors in that file. One that was set but cannot be read is an error: it may hold what the log has lost.
pub fn mirrored() -> Result<Vec<Anchor>, String> {
    let Some(path) = file() else { return Ok(Vec::new()) };
    let failed = |error: &dyn std::fmt::Display| format!("HARN_TRUST_ANCHOR_FILE {path}: {error}");
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let json = Json::parse(line).map_err(|error| failed(&error))?;
            Anchor::parse(&json).ok_or_else(|| failed(&"a line is no anchor"))
        })
        .collect()
}
