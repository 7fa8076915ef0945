//! Transactions of all writers of a database, one at a time, so that there is one chain and every reservation counts what
//! everybody has reserved.
//!
//! One advisory lock orders them. Serialisable transactions would let two writers work side by side only to refuse one of
//! them at its commit, and all writers meet at the heads of the same few topics; the lock makes them queue, first come,
//! first served.

use std::collections::BTreeMap;

use harn_eventlog::store::{check_append, event_from};
use harn_eventlog::{Event, Json, LogError, Read, Stored, Tx, provenance, topic};
use tokio_postgres::Row;

use super::PostgresStore;
use super::link::{Params, Trouble};
use super::listen::CHANNEL;

/// How often a commit whose answer got lost is looked for over connections that break as well.
const LOOKS: u32 = 20;

/// The isolation is named because another default of the server would read the state before the wait for the lock. The lock
/// is "harn" in ASCII.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock(1751216750)";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS harn_topic_heads (topic TEXT COLLATE \"C\" PRIMARY KEY, last_id BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS harn_events (
  topic TEXT COLLATE \"C\" NOT NULL, event_id BIGINT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
  headers TEXT NOT NULL, occurred_at_ms BIGINT NOT NULL, PRIMARY KEY (topic, event_id));
CREATE TABLE IF NOT EXISTS harn_consumers (
  topic TEXT COLLATE \"C\" NOT NULL, consumer_id TEXT COLLATE \"C\" NOT NULL, cursor BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL, PRIMARY KEY (topic, consumer_id));
CREATE TABLE IF NOT EXISTS harn_checkpoints (
  topic TEXT COLLATE \"C\" PRIMARY KEY, last_id BIGINT NOT NULL, record_hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS harn_notes (name TEXT COLLATE \"C\" PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS harn_commits (token TEXT PRIMARY KEY, made_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS harn_mark (one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), n BIGINT NOT NULL);
INSERT INTO harn_mark (n) VALUES (0) ON CONFLICT DO NOTHING;
";

/// The last id of a topic.
pub(super) const HEAD: &str = "SELECT last_id FROM harn_topic_heads WHERE topic = $1";
/// A range of a topic's events.
pub(super) const RANGE: &str = "SELECT event_id, kind, payload, headers, occurred_at_ms FROM harn_events
     WHERE topic = $1 AND event_id > $2 ORDER BY event_id LIMIT $3";
/// Where the compaction of a topic stopped.
pub(super) const CHECKPOINT: &str = "SELECT last_id, record_hash FROM harn_checkpoints WHERE topic = $1";

/// The head of a topic with what its record hash is found in.
const LAST: &str = "SELECT h.last_id, e.headers, c.record_hash FROM harn_topic_heads AS h
     LEFT JOIN harn_events AS e ON e.topic = h.topic AND e.event_id = h.last_id
     LEFT JOIN harn_checkpoints AS c ON c.topic = h.topic WHERE h.topic = $1";
const APPEND: &str = "WITH head AS (INSERT INTO harn_topic_heads VALUES ($1, $2)
       ON CONFLICT (topic) DO UPDATE SET last_id = excluded.last_id)
     INSERT INTO harn_events VALUES ($1, $2, $3, $4, $5, $6)";
/// The last statement of a transaction: leaves its token, takes the handle's last one away, moves the mark, and tells
/// whoever listens, once it is committed.
const SIGN: &str = "WITH mine AS (INSERT INTO harn_commits (token) VALUES ($1)),
       last AS (DELETE FROM harn_commits WHERE token = $2), moved AS (UPDATE harn_mark SET n = n + 1)
     SELECT pg_notify($3, '')";
/// Tokens of processes that are gone. Nobody asks for a token as old as that.
const SWEEP: &str = "DELETE FROM harn_commits WHERE made_at < now() - interval '7 days'";

/// A statement of a transaction failed, and the transaction with it.
fn failed(store: &PostgresStore, trouble: Trouble) -> LogError {
    match trouble {
        Trouble::Lost(_) => LogError::Lost(store.link.place().to_owned()),
        Trouble::Refused(error) => error,
    }
}

impl PostgresStore {
    /// Begins a transaction that no other writer comes into, and makes the tables when there are none.
    pub(super) fn lock(&mut self) -> Result<(), LogError> {
        let mut tries = 0;
        loop {
            self.link.connect()?;
            let begun = self.link.batch(BEGIN).and_then(|()| match self.has_tables()? {
                true => Ok(()),
                false => self.link.batch(SCHEMA),
            });
            match begun {
                Ok(()) => return Ok(()),
                // Nothing was done yet: beginning again does nothing twice.
                Err(Trouble::Lost(_)) if tries < super::TRIES => tries += 1,
                Err(trouble) => {
                    self.roll_back();
                    return Err(failed(self, trouble));
                }
            }
        }
    }

    /// Runs a statement inside the transaction.
    pub(super) fn within(&mut self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, LogError> {
        self.link.query(sql, params).map_err(|trouble| failed(self, trouble))
    }

    /// Ends the transaction without a trace. A connection that is gone has taken it along.
    pub(super) fn roll_back(&mut self) {
        if self.link.batch("ROLLBACK").is_err() {
            self.link.lose();
        }
    }

    /// Commits what [`PostgresStore::lock`] began. An answer that got lost is looked up: the transaction has left a token
    /// that only it wrote (its number would not do: after a crash the server gives the same number to another one).
    pub(super) fn commit(&mut self) -> Result<(), LogError> {
        let token = uuid::Uuid::new_v4().to_string();
        let signed = match &self.token {
            Some(last) => self.link.query(SIGN, &[&token, last, &CHANNEL]),
            None => self.link.query(SWEEP, &[]).and_then(|_| self.link.query(SIGN, &[&token, &"", &CHANNEL])),
        };
        if let Err(trouble) = signed {
            self.roll_back();
            return Err(failed(self, trouble));
        }
        match self.link.batch("COMMIT") {
            Ok(()) => {}
            Err(Trouble::Lost(_)) => self.look_up(&token)?,
            Err(Trouble::Refused(error)) => {
                self.roll_back();
                return Err(error);
            }
        }
        self.tables = true;
        self.token = Some(token);
        Ok(())
    }

    /// Whether the transaction with this token was committed. Holding the lock, it is over either way. Looking changes
    /// nothing, so a connection that breaks meanwhile is only a reason to look again.
    fn look_up(&mut self, token: &str) -> Result<(), LogError> {
        for _ in 0..LOOKS {
            match self.lock() {
                Ok(()) => {}
                Err(LogError::Lost(_)) => continue,
                Err(_) => break,
            }
            let found = self.link.query("SELECT 1 FROM harn_commits WHERE token = $1", &[&token]);
            self.roll_back();
            match found {
                Ok(rows) if rows.is_empty() => return Err(LogError::Lost(self.link.place().to_owned())),
                Ok(_) => return Ok(()),
                Err(Trouble::Lost(_)) => {}
                Err(Trouble::Refused(_)) => break,
            }
        }
        Err(LogError::Unknown(self.link.place().to_owned()))
    }
}

/// A range as the parameters of [`RANGE`].
pub(super) fn range_params(from: Option<u64>, limit: usize) -> (i64, i64) {
    (i64::try_from(from.unwrap_or(0)).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX))
}

/// The events in the rows of [`RANGE`].
pub(super) fn stored(topic: &str, rows: &[Row]) -> Result<Vec<Stored>, LogError> {
    let event = |row: &Row| {
        let id = row.get::<_, i64>(0).cast_unsigned();
        let json = |column: usize| {
            Json::parse(row.get::<_, &str>(column))
                .map_err(|detail| LogError::Corrupt(format!("{topic} event {id}: {detail}")))
        };
        let event = event_from(row.get(1), json(2)?, &json(3)?, row.get(4));
        Ok(Stored { id, event })
    };
    rows.iter().map(event).collect()
}

/// A transaction of the log.
pub(super) struct PostgresTx<'a> {
    store: &'a mut PostgresStore,
    /// Per topic appended to: the last id and its record hash.
    appended: BTreeMap<String, (u64, Option<String>)>,
    open: bool,
}

impl PostgresTx<'_> {
    /// The transaction that [`PostgresStore::lock`] has begun.
    pub(super) fn begun(store: &mut PostgresStore) -> PostgresTx<'_> {
        PostgresTx { store, appended: BTreeMap::new(), open: true }
    }

    fn head(&mut self, topic: &str) -> Result<(u64, Option<String>), LogError> {
        let rows = self.store.within(LAST, &[&topic])?;
        let Some(row) = rows.first() else { return Ok((0, None)) };
        let hash = match row.get::<_, Option<&str>>(1) {
            Some(headers) => Json::parse(headers)
                .map_err(LogError::Corrupt)?
                .field(provenance::RECORD_HASH)
                .as_str()
                .map(str::to_owned),
            None => row.get(2),
        };
        Ok((row.get::<_, i64>(0).cast_unsigned(), hash))
    }
}

impl Read for PostgresTx<'_> {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        Ok(self.store.within(HEAD, &[&topic])?.first().map(|row| row.get::<_, i64>(0).cast_unsigned()))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        let (from, limit) = range_params(from, limit);
        stored(topic, &self.store.within(RANGE, &[&topic, &from, &limit])?)
    }
}

impl Tx for PostgresTx<'_> {
    fn append(&mut self, topic: &str, event: Event) -> Result<u64, LogError> {
        check_append(topic, &event)?;
        let (last, prev) = match self.appended.get(topic) {
            Some(head) => head.clone(),
            None => self.head(topic)?,
        };
        let id = last + 1;
        let sealed = provenance::sealed(topic, id, &event, prev.as_deref());
        let (payload, headers) = (sealed.payload(), sealed.headers.as_str());
        self.store.within(
            APPEND,
            &[&topic, &id.cast_signed(), &event.kind, &payload, &headers, &event.occurred_at_ms],
        )?;
        self.appended.insert(topic.to_owned(), (id, Some(sealed.record_hash)));
        Ok(id)
    }

    fn commit(mut self: Box<Self>) -> Result<(), LogError> {
        self.open = false;
        if self.appended.is_empty() {
            self.store.roll_back();
            return Ok(());
        }
        self.store.commit()
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if self.open {
            self.store.roll_back();
        }
    }
}
