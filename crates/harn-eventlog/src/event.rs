//! Events as they are appended and as they are stored.

use std::collections::BTreeMap;

use crate::Json;

/// One thing that happened (spec 08 section 2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What kind of thing, for example `hitl.approval_requested`.
    pub kind: String,
    /// Any JSON.
    pub payload: Json,
    /// Text by name; a store adds the provenance headers.
    pub headers: BTreeMap<String, String>,
    /// The appender's wall clock, Unix milliseconds.
    pub occurred_at_ms: i64,
}

impl Event {
    /// An event without headers.
    pub fn new(kind: impl Into<String>, payload: Json, occurred_at_ms: i64) -> Event {
        Event { kind: kind.into(), payload, headers: BTreeMap::new(), occurred_at_ms }
    }

    /// The event with one more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Event {
        self.headers.insert(name.into(), value.into());
        self
    }
}

/// An event with its place in its topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// 1, 2, 3, ... per topic; also the cursor.
    pub id: u64,
    /// The event with its provenance headers.
    pub event: Event,
}
