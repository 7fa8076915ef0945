//! The hash chain of every topic (spec 08 section 2.6).

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::{Checkpoint, Event, Json, Stored, json};

/// Header with the version of the chain.
pub const SCHEMA: &str = "harn.provenance.schema";
/// Header with the record hash of the event before.
pub const PREV_HASH: &str = "harn.provenance.prev_hash";
/// Header with the event's own record hash.
pub const RECORD_HASH: &str = "harn.provenance.record_hash";

const VERSION: &str = "harn-eventlog-provenance-v1";

/// `sha256:` and the lower-case hex SHA-256 of a text.
pub fn sha256(text: &str) -> String {
    let mut out = String::with_capacity(71);
    out.push_str("sha256:");
    data_encoding::HEXLOWER.encode_append(&Sha256::digest(text.as_bytes()), &mut out);
    out
}

/// What a store keeps of an event that was sealed: written once, hashed and stored as it is.
pub struct Sealed {
    text: String,
    payload: Range<usize>,
    /// The headers with those of the chain, as canonical JSON.
    pub headers: String,
    /// The record hash, which is among the headers too.
    pub record_hash: String,
}

impl Sealed {
    /// The payload as canonical JSON.
    pub fn payload(&self) -> &str {
        self.text.get(self.payload.clone()).unwrap_or_default()
    }
}

/// The text of an event that becomes `id` of `topic` after the event with hash `prev`, with the provenance headers.
pub fn sealed(topic: &str, id: u64, event: &Event, prev: Option<&str>) -> Sealed {
    let own = event.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let chained = [(PREV_HASH, prev), (SCHEMA, Some(VERSION))];
    let chained = chained.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let mut headers: Vec<(&str, &str)> =
        own.filter(|(name, _)| ![SCHEMA, PREV_HASH, RECORD_HASH].contains(name)).chain(chained).collect();
    headers.sort_unstable();
    let (text, payload) = covered(topic, id, event, headers.iter().copied());
    let record_hash = sha256(&text);
    headers.push((RECORD_HASH, &record_hash));
    headers.sort_unstable();
    let mut out = String::with_capacity(384);
    write_headers(headers.iter().copied(), &mut out);
    Sealed { text, payload, headers: out, record_hash }
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
    let headers = event.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    sha256(&covered(topic, id, event, headers.filter(|(name, _)| *name != RECORD_HASH)).0)
}

/// The canonical object that a record hash covers, written by hand so that nothing is copied, and where its payload is.
fn covered<'e>(
    topic: &str,
    id: u64,
    event: &Event,
    headers: impl Iterator<Item = (&'e str, &'e str)>,
) -> (String, Range<usize>) {
    let mut text = String::with_capacity(1024);
    text.push_str("{\"event_id\":");
    Json::Int(id as i64).write_canonical(&mut text);
    text.push_str(",\"headers\":");
    write_headers(headers, &mut text);
    text.push_str(",\"kind\":");
    json::write_string(&event.kind, &mut text);
    text.push_str(",\"occurred_at_ms\":");
    Json::Int(event.occurred_at_ms).write_canonical(&mut text);
    text.push_str(",\"payload\":");
    let from = text.len();
    event.payload.write_canonical(&mut text);
    let payload = from..text.len();
    text.push_str(",\"topic\":");
    json::write_string(topic, &mut text);
    text.push('}');
    (text, payload)
}

/// Headers in the order of their names as a JSON object.
fn write_headers<'e>(headers: impl Iterator<Item = (&'e str, &'e str)>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in headers.enumerate() {
        if i > 0 {
            out.push(',');
        }
        json::write_string(name, out);
        out.push(':');
        json::write_string(value, out);
    }
    out.push('}');
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
    use crate::store::headers_json;

    #[test]
    fn the_record_hash_covers_the_canonical_object() {
        let mut event = Event::new("made", Json::object([("b", Json::Float(2.5)), ("a", "x".into())]), 7)
            .header("who", "me");
        seal("t", 1, &mut event, None);
        let covered = r#"{"event_id":1,"headers":{"harn.provenance.schema":"harn-eventlog-provenance-v1","who":"me"},"kind":"made","occurred_at_ms":7,"payload":{"a":"x","b":2.5},"topic":"t"}"#;
        assert_eq!(event.headers.get(RECORD_HASH), Some(&sha256(covered)));
    }
    #[test]
    fn what_is_stored_of_a_sealed_event_is_the_event_sealed_in_place() {
        for prev in [None, Some("sha256:0")] {
            let mut event = Event::new("ma\"de", Json::object([("b", Json::Float(2.5))]), 7)
                .header("who", "me")
                .header("a", "b")
                .header(RECORD_HASH, "forged")
                .header(PREV_HASH, "forged");
            let text = sealed("t", 3, &event, prev);
            seal("t", 3, &mut event, prev);
            assert_eq!(text.payload(), event.payload.canonical());
            assert_eq!(text.headers, headers_json(&event).canonical());
            assert_eq!(Some(&text.record_hash), event.headers.get(RECORD_HASH));
        }
    }
}
