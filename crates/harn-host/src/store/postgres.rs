//! The log in a PostgreSQL database that many machines share (spec 08 section 2.5, issue of governed autonomy): the tables of
//! the SQLite log, one lock for all writers, news of commits by notification.
//!
//! A connection that breaks is made again: reading goes on, a transaction that was not committed yet is reported as
//! [`LogError::Lost`], and a commit whose answer got lost is looked up.

mod link;
mod listen;
mod target;
mod tls;
mod transaction;

use std::time::Duration;

use harn_eventlog::store::{check_consumer, record_hash_of};
use harn_eventlog::{
    Checkpoint, Compaction, Description, Durability, LogError, Mark, Read, Store, Stored, Tx, topic,
};
use tokio_postgres::Row;

use super::Wake;
use link::{Link, Params, Trouble};
use listen::Listener;
pub use target::Target;
use transaction::{CHECKPOINT, HEAD, PostgresTx, RANGE, range_params, stored};

/// How often a statement is repeated on a new connection.
const TRIES: u32 = 30;

/// How long a waiter may rest between two looks while commits are told to it.
const REST_WITH_NEWS_MS: i64 = 1000;

/// A handle on a log in a PostgreSQL database. Opening touches nothing; the first append makes the tables.
pub struct PostgresStore {
    link: Link,
    /// Whether the tables are known to be there.
    tables: bool,
    /// The token of this handle's last commit, to be taken away by its next.
    token: Option<String>,
    wake: Option<Wake>,
    listener: Option<Listener>,
}

impl PostgresStore {
    /// A handle on the log in a database. `wake`, when given, is called soon after each commit of anybody, once somebody
    /// has asked for the mark.
    pub fn new(target: Target, wake: Option<Wake>) -> PostgresStore {
        PostgresStore { link: Link::new(target), tables: false, token: None, wake, listener: None }
    }

    /// Sets how long a server that does not answer is tried again; 30 s by default, 3 s while it has never answered.
    pub fn set_patience(&mut self, patience: Duration) {
        self.link.set_patience(patience);
    }

    fn has_tables(&mut self) -> Result<bool, Trouble> {
        if !self.tables {
            let rows = self.link.query("SELECT to_regclass('harn_mark') IS NOT NULL", &[])?;
            self.tables = rows.first().is_some_and(|row| row.get(0));
        }
        Ok(self.tables)
    }

    /// Runs a statement that changes nothing, on a new connection when the present one is lost. No rows while there are
    /// no tables.
    fn read(&mut self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, LogError> {
        let mut tries = 0;
        loop {
            self.link.connect()?;
            let result = match self.has_tables() {
                Ok(true) => self.link.query(sql, params),
                Ok(false) => Ok(Vec::new()),
                Err(trouble) => Err(trouble),
            };
            match result {
                Ok(rows) => return Ok(rows),
                Err(Trouble::Lost(_)) if tries < TRIES => tries += 1,
                Err(Trouble::Lost(text)) => {
                    return Err(LogError::Unreachable(format!("{}: {text}", self.link.place())));
                }
                Err(Trouble::Refused(error)) => return Err(error),
            }
        }
    }

    /// Runs one statement as a transaction, again when its connection is lost: it must be one that may be repeated.
    fn write(&mut self, sql: &'static str, params: Params<'_>) -> Result<(), LogError> {
        let mut tries = 0;
        loop {
            self.lock()?;
            let done = match self.within(sql, params) {
                Ok(_) => self.commit(),
                Err(error) => {
                    self.roll_back();
                    Err(error)
                }
            };
            match done {
                Err(LogError::Lost(_)) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    fn compact_locked(&mut self, topic: &str, before: i64) -> Result<Compaction, LogError> {
        let one = |store: &mut PostgresStore, sql: &'static str, params: Params<'_>| {
            let rows = store.within(sql, params)?;
            Ok::<Option<i64>, LogError>(rows.first().and_then(|row| row.get::<_, Option<i64>>(0)))
        };
        let sql = "SELECT max(event_id) FROM harn_events WHERE topic = $1 AND event_id <= $2";
        let last = one(self, sql, &[&topic, &before])?;
        let mut removed = 0;
        if let Some(last) = last {
            let rows = self.within(RANGE, &[&topic, &(last - 1), &1_i64])?;
            let hash =
                stored(topic, &rows)?.first().and_then(|s| record_hash_of(&s.event)).unwrap_or_default();
            let sql = "INSERT INTO harn_checkpoints VALUES ($1, $2, $3) ON CONFLICT (topic)
                 DO UPDATE SET last_id = excluded.last_id, record_hash = excluded.record_hash";
            self.within(sql, &[&topic, &last, &hash])?;
            let sql = "WITH gone AS (DELETE FROM harn_events WHERE topic = $1 AND event_id <= $2 RETURNING 1)
                 SELECT count(*) FROM gone";
            removed = one(self, sql, &[&topic, &last])?.unwrap_or(0);
        }
        let remaining = one(self, "SELECT count(*) FROM harn_events WHERE topic = $1", &[&topic])?;
        let latest = one(self, HEAD, &[&topic])?;
        let checkpoint = one(self, CHECKPOINT, &[&topic])?;
        Ok(Compaction {
            removed: removed.cast_unsigned(),
            remaining: remaining.unwrap_or(0).cast_unsigned(),
            latest: latest.map(i64::cast_unsigned),
            checkpointed: checkpoint.is_some(),
        })
    }
}

impl Read for PostgresStore {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        let rows = self.read(HEAD, &[&topic])?;
        Ok(rows.first().map(|row| row.get::<_, i64>(0).cast_unsigned()))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        let (from, limit) = range_params(from, limit);
        stored(topic, &self.read(RANGE, &[&topic, &from, &limit])?)
    }
}

impl Store for PostgresStore {
    /// Every transaction is synced: a client outlives a crash of the server, so nothing that it was told is done may go.
    fn begin(&mut self, _: Durability) -> Result<Box<dyn Tx + '_>, LogError> {
        self.lock()?;
        Ok(Box::new(PostgresTx::begun(self)))
    }

    fn ack(&mut self, topic: &str, consumer: &str, up_to: u64, now_ms: i64) -> Result<(), LogError> {
        check_consumer(topic, consumer)?;
        let sql = "INSERT INTO harn_consumers VALUES ($1, $2, $3, $4) ON CONFLICT (topic, consumer_id)
             DO UPDATE SET cursor = excluded.cursor, updated_at_ms = excluded.updated_at_ms";
        self.write(sql, &[&topic, &consumer, &up_to.cast_signed(), &now_ms])
    }

    fn consumer_cursor(&mut self, topic: &str, consumer: &str) -> Result<Option<u64>, LogError> {
        check_consumer(topic, consumer)?;
        let sql = "SELECT cursor FROM harn_consumers WHERE topic = $1 AND consumer_id = $2";
        let rows = self.read(sql, &[&topic, &consumer])?;
        Ok(rows.first().map(|row| row.get::<_, i64>(0).cast_unsigned()))
    }

    fn compact(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError> {
        if self.latest(topic)?.is_none() {
            return Ok(Compaction { removed: 0, remaining: 0, latest: None, checkpointed: false });
        }
        self.lock()?;
        match self.compact_locked(topic, i64::try_from(before).unwrap_or(i64::MAX)) {
            Ok(report) => self.commit().map(|()| report),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    fn checkpoint(&mut self, topic: &str) -> Result<Option<Checkpoint>, LogError> {
        topic::check(topic)?;
        let rows = self.read(CHECKPOINT, &[&topic])?;
        let checkpoint =
            |row: &Row| Checkpoint { id: row.get::<_, i64>(0).cast_unsigned(), record_hash: row.get(1) };
        Ok(rows.first().map(checkpoint))
    }

    fn flush(&mut self) -> Result<(), LogError> {
        // Every commit was synced.
        Ok(())
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        let sql = "SELECT topic FROM harn_topic_heads AS h
             WHERE EXISTS (SELECT 1 FROM harn_events AS e WHERE e.topic = h.topic) ORDER BY topic";
        Ok(self.read(sql, &[])?.iter().map(|row| row.get(0)).collect())
    }

    fn describe(&mut self) -> Result<Description, LogError> {
        let rows = self.read("SELECT pg_total_relation_size('harn_events')", &[])?;
        let size_bytes = rows.first().map(|row| row.get::<_, i64>(0).cast_unsigned());
        Ok(Description { backend: "postgres", location: Some(self.link.place().to_owned()), size_bytes })
    }

    fn mark(&mut self) -> Result<Mark, LogError> {
        if let Some(wake) = &self.wake
            && self.listener.is_none()
        {
            // Without a thread for it there is no news; looking finds out what happened all the same.
            self.listener = Listener::start(self.link.target().clone(), wake.clone()).ok();
        }
        // Whoever waits looks again soon; meanwhile other tasks of its program want to go on.
        self.link.connect_within(Duration::ZERO)?;
        let rows = self.read("SELECT n FROM harn_mark", &[])?;
        Ok(Mark { theirs: rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()), ours: 0 })
    }

    fn rest_ms(&self) -> i64 {
        if self.listener.as_ref().is_some_and(Listener::is_live) {
            return REST_WITH_NEWS_MS;
        }
        harn_eventlog::store::REST_MS
    }

    fn write_note(&mut self, name: &str, text: &str) -> Result<(), LogError> {
        let sql =
            "INSERT INTO harn_notes VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text";
        self.write(sql, &[&name, &text])
    }

    fn read_note(&mut self, name: &str) -> Result<Option<String>, LogError> {
        let rows = self.read("SELECT text FROM harn_notes WHERE name = $1", &[&name])?;
        Ok(rows.first().map(|row| row.get(0)))
    }
}
