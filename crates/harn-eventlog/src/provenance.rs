//! The hash chain of every topic (spec 08 section 2.6).

use sha2::{Digest, Sha256};

use crate::{Checkpoint, Event, Json, Stored};

/// Header with the version of the chain.
pub const SCHEMA: &str = "harn.provenance.schema";
/// Header with the record hash of the event before.
pub const PREV_HASH: &str = "harn.provenance.prev_hash";
/// Header with the event's own record hash.
pub const RECORD_HASH: &str = "harn.provenance.record_hash";

const VERSION: &str = "harn-eventlog-provenance-v1";

/// `sha256:` and the lower-case hex SHA-256 of a text.
pub fn sha256(text: &str) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(text.as_bytes());
    let mut out = String::with_capacity(71);
    out.push_str("sha256:");
    for byte in digest {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Overwrites the three provenance headers of an event that becomes `id` of `topic` after the event with hash `prev`.
pub fn seal(topic: &str, id: u64, event: &mut Event, prev: Option<&str>) {
    event.headers.remove(RECORD_HASH);
    event.headers.insert(SCHEMA.into(), VERSION.into());
    match prev {
        Some(hash) => event.headers.insert(PREV_HASH.into(), hash.into()),
        None => event.headers.remove(PREV_HASH),
    };
    let hash = record_hash(topic, id, event);
    event.headers.insert(RECORD_HASH.into(), hash);
}

/// The record hash over everything of the event but the hash itself.
pub fn record_hash(topic: &str, id: u64, event: &Event) -> String {
    // The canonical object, written by hand so that the payload is not copied.
    let mut text = String::with_capacity(256);
    text.push_str("{\"event_id\":");
    Json::Int(id as i64).write_canonical(&mut text);
    text.push_str(",\"headers\":");
    let headers = event.headers.iter().filter(|(name, _)| *name != RECORD_HASH);
    Json::object(headers.map(|(name, value)| (name.clone(), Json::from(value.as_str()))))
        .write_canonical(&mut text);
    text.push_str(",\"kind\":");
    Json::from(event.kind.as_str()).write_canonical(&mut text);
    text.push_str(",\"occurred_at_ms\":");
    Json::Int(event.occurred_at_ms).write_canonical(&mut text);
    text.push_str(",\"payload\":");
    event.payload.write_canonical(&mut text);
    text.push_str(",\"topic\":");
    Json::from(topic).write_canonical(&mut text);
    text.push('}');
    sha256(&text)
}

/// Checks the chain of a topic's stored events; a checkpoint stands for what was compacted away.
pub fn verify(topic: &str, checkpoint: Option<&Checkpoint>, events: &[Stored]) -> Vec<String> {
    let mut errors = Vec::new();
    let mut prev = checkpoint.map(|c| c.record_hash.clone());
    let mut expected_id = checkpoint.map_or(1, |c| c.id + 1);
    for Stored { id, event } in events {
        if *id != expected_id {
            errors.push(format!("event {id}: expected event id {expected_id}"));
        }
        if event.headers.get(PREV_HASH) != prev.as_ref() {
            errors.push(format!("event {id}: prev_hash mismatch"));
        }
        let hash = record_hash(topic, *id, event);
        if event.headers.get(RECORD_HASH) != Some(&hash) {
            errors.push(format!("event {id}: record_hash mismatch"));
        }
        prev = event.headers.get(RECORD_HASH).cloned();
        expected_id = id + 1;
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_hash_covers_the_canonical_object() {
        let mut event = Event::new("made", Json::object([("b", Json::Float(2.5)), ("a", "x".into())]), 7)
            .header("who", "me");
        seal("t", 1, &mut event, None);
        let covered = r#"{"event_id":1,"headers":{"harn.provenance.schema":"harn-eventlog-provenance-v1","who":"me"},"kind":"made","occurred_at_ms":7,"payload":{"a":"x","b":2.5},"topic":"t"}"#;
        assert_eq!(event.headers.get(RECORD_HASH), Some(&sha256(covered)));
    }
}
