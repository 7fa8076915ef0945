//! What a store of events does.

use crate::{Event, Json, LogError, Stored, json, provenance, topic};

/// When an append counts as done (spec 08 section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// It may be lost with the power, together with what followed it.
    Grouped,
    /// It is on the disk before the commit returns.
    Synced,
}

/// How long a waiter rests, in milliseconds, before it looks at the mark of a store again.
pub const REST_MS: i64 = 100;

/// How often a transaction is done again whose connection was lost before the commit.
const AGAIN: u32 = 30;

/// Where compaction stopped: the last dropped event stands for all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The id of the last dropped event.
    pub id: u64,
    /// Its record hash.
    pub record_hash: String,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Events dropped.
    pub removed: u64,
    /// Events kept.
    pub remaining: u64,
    /// The last id of the topic.
    pub latest: Option<u64>,
    /// Whether a checkpoint stands for what was dropped.
    pub checkpointed: bool,
}

/// Which log this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `memory`, `file`, `sqlite` or `postgres`.
    pub backend: &'static str,
    /// Where it lives; none in memory.
    pub location: Option<String>,
    /// Bytes on disk; none in memory or before the first append.
    pub size_bytes: Option<u64>,
}

/// A point in the life of a store. Two equal marks: nothing was appended in between, by anyone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// What others did.
    pub theirs: u64,
    /// What this store object did.
    pub ours: u64,
}

/// Reading, inside and outside of a transaction.
pub trait Read {
    /// The last assigned id of a topic; none when it was never written.
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError>;

    /// At most `limit` events with an id greater than `from`, ascending.
    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError>;

    /// Shows `take` the payloads of the same events as text, each with its id. A store that holds text shows what it holds,
    /// whatever it is.
    fn read_payloads(
        &mut self,
        topic: &str,
        from: Option<u64>,
        limit: usize,
        take: &mut dyn FnMut(u64, &str),
    ) -> Result<(), LogError> {
        for Stored { id, event } in self.read_range(topic, from, limit)? {
            take(id, &event.payload.canonical());
        }
        Ok(())
    }
}

/// A transaction: reads see the log and what was appended in it. Dropping it without commit leaves no trace.
pub trait Tx: Read {
    /// Appends under the next id, with provenance headers.
    fn append(&mut self, topic: &str, event: Event) -> Result<u64, LogError>;

    /// Makes all of it stored, at the durability the transaction was begun with.
    fn commit(self: Box<Self>) -> Result<(), LogError>;
}

/// A store of events (spec 08 section 2.2). Objects are independent: several, in several processes, may be open on one
/// log.
pub trait Store: Read {
    /// Begins a transaction. No other writer comes between its reads and its commit.
    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Tx + '_>, LogError>;

    /// Sets a consumer's cursor; it may move backwards.
    fn ack(&mut self, topic: &str, consumer: &str, up_to: u64, now_ms: i64) -> Result<(), LogError>;

    /// A consumer's cursor.
    fn consumer_cursor(&mut self, topic: &str, consumer: &str) -> Result<Option<u64>, LogError>;

    /// Drops events with an id up to and including `before`.
    fn compact(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError>;

    /// Where the last compaction of a topic stopped.
    fn checkpoint(&mut self, topic: &str) -> Result<Option<Checkpoint>, LogError>;

    /// Makes everything appended so far durable.
    fn flush(&mut self) -> Result<(), LogError>;

    /// Names of the topics that hold events, sorted.
    fn topics(&mut self) -> Result<Vec<String>, LogError>;

    /// Which log this is.
    fn describe(&mut self) -> Result<Description, LogError>;

    /// The present mark; cheap enough to ask five times a second.
    fn mark(&mut self) -> Result<Mark, LogError>;

    /// How long, in milliseconds, a waiter may rest before it asks for the mark again: less than a second, or as long as
    /// somebody wakes it anyway.
    fn rest_ms(&self) -> i64 {
        REST_MS
    }

    /// Keeps a small text under a name, outside of the log but beside it; replaced as a whole.
    fn write_note(&mut self, name: &str, text: &str) -> Result<(), LogError>;

    /// The text kept under a name.
    fn read_note(&mut self, name: &str) -> Result<Option<String>, LogError>;

    /// Appends one event at the durability of its topic.
    fn append(&mut self, topic: &str, event: Event) -> Result<u64, LogError> {
        again(|| {
            let mut tx = self.begin(topic::durability(topic))?;
            let id = tx.append(topic, event.clone())?;
            tx.commit()?;
            Ok(id)
        })
    }

    /// Appends only if the topic's last id is still `expected`; else [`LogError::Conflict`] with the present one.
    fn append_if(&mut self, topic: &str, expected: Option<u64>, event: Event) -> Result<u64, LogError> {
        again(|| {
            let mut tx = self.begin(topic::durability(topic))?;
            let head = tx.latest(topic)?;
            if head != expected {
                return Err(LogError::Conflict { head });
            }
            let id = tx.append(topic, event.clone())?;
            tx.commit()?;
            Ok(id)
        })
    }
}

/// Does a transaction, and does it again when its connection was lost before the commit, for nothing was written then.
pub fn again<T>(mut transaction: impl FnMut() -> Result<T, LogError>) -> Result<T, LogError> {
    let mut tries = 0;
    loop {
        match transaction() {
            Err(LogError::Lost(_)) if tries < AGAIN => tries += 1,
            done => return done,
        }
    }
}

/// What every store does first with an append: the topic's name and the event's depth are checked.
pub fn check_append(topic: &str, event: &Event) -> Result<(), LogError> {
    topic::check(topic)?;
    if !event.payload.fits_depth(json::MAX_DEPTH) {
        return Err(LogError::Refused("payload is nested too deeply".into()));
    }
    Ok(())
}

/// What every store does first with a consumer's name.
pub fn check_consumer(topic: &str, consumer: &str) -> Result<(), LogError> {
    topic::check(topic)?;
    if consumer.trim().is_empty() {
        return Err(LogError::Refused("consumer id cannot be empty".into()));
    }
    Ok(())
}

/// Headers as the JSON object a store keeps.
pub fn headers_json(event: &Event) -> Json {
    Json::object(event.headers.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))))
}

/// An event from the columns or fields a store keeps.
pub fn event_from(kind: &str, payload: Json, headers: &Json, occurred_at_ms: i64) -> Event {
    let mut event = Event::new(kind, payload, occurred_at_ms);
    if let Json::Object(fields) = headers {
        for (name, value) in fields {
            if let Some(text) = value.as_str() {
                event.headers.insert(name.clone(), text.to_owned());
            }
        }
    }
    event
}

/// The record hash that the next event names as its predecessor.
pub fn record_hash_of(event: &Event) -> Option<String> {
    event.headers.get(provenance::RECORD_HASH).cloned()
}
