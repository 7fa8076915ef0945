//! The log in one SQLite file (spec 08 section 2.5): write-ahead log, one immediate transaction per commit, any number
//! of processes.

mod transaction;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harn_eventlog::store::{check_consumer, event_from, record_hash_of};
use harn_eventlog::{
    Checkpoint, Compaction, Description, Durability, Json, LogError, Mark, Read, Store, Stored, Tx, topic,
};
use transaction::SqliteTx;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

/// How long a writer waits for other processes. Spec 08 section 2.5 says 5 s, which sixteen busy writers on a slow disk can
/// exceed.
const BUSY: Duration = Duration::from_secs(30);

/// The longest and the shortest pause between two tries of a writer that waits.
const PAUSES: (Duration, Duration) = (Duration::from_millis(4), Duration::from_micros(250));

/// How long a writer that had to wait for its last turn leaves the lock to others before it asks again.
const COURTESY: Duration = Duration::from_millis(1);

/// Events lie in the order in which they were appended, with an index by topic and id beside them. In a table without rowid,
/// as older logs have it, the inner pages of the tree hold whole events: it is as deep as four of them fill a page.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS topic_heads (topic TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
  topic TEXT NOT NULL, event_id INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL, headers TEXT NOT NULL,
  occurred_at_ms INTEGER NOT NULL, PRIMARY KEY (topic, event_id));
CREATE TABLE IF NOT EXISTS consumers (
  topic TEXT NOT NULL, consumer_id TEXT NOT NULL, cursor INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL,
  PRIMARY KEY (topic, consumer_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (
  topic TEXT PRIMARY KEY, last_id INTEGER NOT NULL, record_hash TEXT NOT NULL) WITHOUT ROWID;
";

/// A handle on a log in a SQLite file. Opening touches nothing; the first append makes the file.
pub struct SqliteStore {
    path: PathBuf,
    connection: Option<Connection>,
    synced: Option<bool>,
    commits: u64,
}

impl SqliteStore {
    /// A handle on the log at `path`.
    pub fn new(path: impl Into<PathBuf>) -> SqliteStore {
        SqliteStore { path: path.into(), connection: None, synced: None, commits: 0 }
    }

    /// Lets the file grow to at most `pages` pages: a quota, after which appends fail as on a full disk.
    pub fn limit_pages(&mut self, pages: u32) -> Result<(), LogError> {
        let path = self.path.clone();
        self.writer()?
            .query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(()))
            .map_err(|e| log_error(&path, &e))
    }

    /// The connection for reading; none while there is no file.
    fn reader(&mut self) -> Result<Option<&mut Connection>, LogError> {
        if self.connection.is_none() {
            match self.path.try_exists() {
                Ok(false) => return Ok(None),
                Ok(true) => self.connection = Some(open(&self.path, false)?),
                Err(error) => return Err(LogError::Storage(format!("{}: {error}", self.path.display()))),
            }
        }
        Ok(self.connection.as_mut())
    }

    /// The connection for writing; makes the directory, the file and the tables.
    fn writer(&mut self) -> Result<&mut Connection, LogError> {
        if self.connection.is_none() {
            if let Some(parent) = self.path.parent() {
                std::fs::create_dir_all(parent).map_err(|error| super::io_error(parent, &error))?;
            }
            self.connection = Some(open(&self.path, true)?);
        }
        self.connection.as_mut().ok_or(LogError::Busy)
    }
}

/// Opens the file; `create` also makes its tables. A reader of a file without tables makes them too: another process
/// was just about to.
fn open(path: &Path, create: bool) -> Result<Connection, LogError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let failed = |error: rusqlite::Error| log_error(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_handler(Some(wait_for_turn)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Plans do not depend on the values: otherwise SQLite prepares a statement again each time a value differs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name IN ('topic_heads', 'checkpoints')",
            [],
            |row| row.get(0),
        )
        .map_err(failed)?;
    if tables < 2 {
        // Two processes may both be first: changing the journal mode does not honour the busy timeout.
        let mut tries = 0;
        loop {
            match connection
                .execute_batch(&format!("PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))
            {
                Ok(()) => break,
                Err(error) if is_busy(&error) && tries < 500 => {
                    tries += 1;
                    let _ = connection.execute_batch("ROLLBACK");
                    #[allow(
                        clippy::disallowed_methods,
                        reason = "the host waits for another process to make the file"
                    )]
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }
    Ok(connection)
}

thread_local! {
    /// Since when this thread waits for the lock.
    static WAITS_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Called by SQLite each time another connection holds the lock. Who has waited longer tries more often, so everybody gets a
/// turn: SQLite's own handler rests longer and longer, and loses against whoever has just come.
fn wait_for_turn(tries: i32) -> bool {
    let now = Instant::now();
    let since = match WAITS_SINCE.get() {
        Some(since) if tries > 0 => since,
        _ => now,
    };
    WAITS_SINCE.set(Some(since));
    let waited = now.duration_since(since);
    if waited > BUSY {
        return false;
    }
    let (longest, shortest) = PAUSES;
    let age = u32::try_from(waited.as_millis() / 4).unwrap_or(u32::MAX).saturating_add(1);
    #[allow(clippy::disallowed_methods, reason = "the host waits for another process")]
    std::thread::sleep((longest / age).max(shortest));
    true
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The log's words for an error of SQLite.
fn log_error(path: &Path, error: &rusqlite::Error) -> LogError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy,
        Some(ErrorCode::DiskFull) => LogError::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            LogError::ReadOnly(path.display().to_string())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LogError::Corrupt(format!("{}: {error}", path.display()))
        }
        _ => LogError::Storage(format!("{}: {error}", path.display())),
    }
}

fn latest(connection: &Connection, topic: &str) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT last_id FROM topic_heads WHERE topic = ?1")?
        .query_row([topic], |row| row.get::<_, i64>(0))
        .optional()
        .map(|id| id.map(|id| id as u64))
}

fn read_range(
    path: &Path,
    connection: &Connection,
    topic: &str,
    from: Option<u64>,
    limit: usize,
) -> Result<Vec<Stored>, LogError> {
    let failed = |error: rusqlite::Error| log_error(path, &error);
    let mut statement = connection
        .prepare_cached(
            "SELECT event_id, kind, payload, headers, occurred_at_ms FROM events
             WHERE topic = ?1 AND event_id > ?2 ORDER BY event_id LIMIT ?3",
        )
        .map_err(failed)?;
    let from = i64::try_from(from.unwrap_or(0)).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![topic, from, limit]).map_err(failed)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let id = row.get::<_, i64>(0).map_err(failed)? as u64;
        let corrupt = |detail: String| LogError::Corrupt(format!("{topic} event {id}: {detail}"));
        let json = |column: usize| -> Result<Json, LogError> {
            // A payload column holding text is accepted on read.
            let bytes =
                row.get_ref(column).map_err(failed)?.as_bytes().map_err(|e| corrupt(e.to_string()))?;
            let text = std::str::from_utf8(bytes).map_err(|e| corrupt(e.to_string()))?;
            Json::parse(text).map_err(corrupt)
        };
        let kind: String = row.get(1).map_err(failed)?;
        let event = event_from(&kind, json(2)?, &json(3)?, row.get(4).map_err(failed)?);
        events.push(Stored { id, event });
    }
    Ok(events)
}

fn read_payloads(
    path: &Path,
    connection: &Connection,
    topic: &str,
    from: Option<u64>,
    limit: usize,
    take: &mut dyn FnMut(u64, &str),
) -> Result<(), LogError> {
    let failed = |error: rusqlite::Error| log_error(path, &error);
    let mut statement = connection
        .prepare_cached(
            "SELECT event_id, payload FROM events WHERE topic = ?1 AND event_id > ?2 ORDER BY event_id LIMIT ?3",
        )
        .map_err(failed)?;
    let from = i64::try_from(from.unwrap_or(0)).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![topic, from, limit]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let id = row.get::<_, i64>(0).map_err(failed)? as u64;
        let corrupt = |detail: String| LogError::Corrupt(format!("{topic} event {id}: {detail}"));
        let bytes = row.get_ref(1).map_err(failed)?.as_bytes().map_err(|e| corrupt(e.to_string()))?;
        take(id, std::str::from_utf8(bytes).map_err(|e| corrupt(e.to_string()))?);
    }
    Ok(())
}

fn checkpoint(connection: &Connection, topic: &str) -> rusqlite::Result<Option<Checkpoint>> {
    connection
        .prepare_cached("SELECT last_id, record_hash FROM checkpoints WHERE topic = ?1")?
        .query_row([topic], |row| {
            Ok(Checkpoint { id: row.get::<_, i64>(0)? as u64, record_hash: row.get(1)? })
        })
        .optional()
}

impl Read for SqliteStore {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        let path = self.path.clone();
        match self.reader()? {
            Some(connection) => latest(connection, topic).map_err(|e| log_error(&path, &e)),
            None => Ok(None),
        }
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        let path = self.path.clone();
        match self.reader()? {
            Some(connection) => read_range(&path, connection, topic, from, limit),
            None => Ok(Vec::new()),
        }
    }

    fn read_payloads(
        &mut self,
        topic: &str,
        from: Option<u64>,
        limit: usize,
        take: &mut dyn FnMut(u64, &str),
    ) -> Result<(), LogError> {
        topic::check(topic)?;
        let path = self.path.clone();
        match self.reader()? {
            Some(connection) => read_payloads(&path, connection, topic, from, limit, take),
            None => Ok(()),
        }
    }
}

impl Store for SqliteStore {
    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Tx + '_>, LogError> {
        let synced = durability == Durability::Synced;
        self.writer()?;
        let Some(connection) = self.connection.as_ref() else { return Err(LogError::Busy) };
        if self.synced != Some(synced) {
            let level = if synced { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" };
            connection.execute_batch(level).map_err(|e| log_error(&self.path, &e))?;
            self.synced = Some(synced);
        }
        // Whoever holds the lock would take it again before those who wait look.
        if WAITS_SINCE.take().is_some() {
            #[allow(clippy::disallowed_methods, reason = "the host leaves a turn to another process")]
            std::thread::sleep(COURTESY);
        }
        let tx = SqliteTx::begin(&self.path, connection, &mut self.commits);
        Ok(Box::new(tx.map_err(|e| log_error(&self.path, &e))?))
    }

    fn ack(&mut self, topic: &str, consumer: &str, up_to: u64, now_ms: i64) -> Result<(), LogError> {
        check_consumer(topic, consumer)?;
        let path = self.path.clone();
        self.writer()?
            .execute(
                "INSERT INTO consumers VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET cursor = excluded.cursor, updated_at_ms = excluded.updated_at_ms",
                params![topic, consumer, up_to as i64, now_ms],
            )
            .map_err(|e| log_error(&path, &e))?;
        Ok(())
    }

    fn consumer_cursor(&mut self, topic: &str, consumer: &str) -> Result<Option<u64>, LogError> {
        check_consumer(topic, consumer)?;
        let path = self.path.clone();
        let Some(connection) = self.reader()? else { return Ok(None) };
        connection
            .query_row(
                "SELECT cursor FROM consumers WHERE topic = ?1 AND consumer_id = ?2",
                [topic, consumer],
                |row| row.get::<_, i64>(0),
            )
            .optional()
            .map(|cursor| cursor.map(|c| c as u64))
            .map_err(|e| log_error(&path, &e))
    }

    fn compact(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError> {
        topic::check(topic)?;
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| log_error(&path, &error);
        let Some(connection) = self.reader()? else {
            return Ok(Compaction { removed: 0, remaining: 0, latest: None, checkpointed: false });
        };
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let last: Option<i64> = tx
            .query_row(
                "SELECT max(event_id) FROM events WHERE topic = ?1 AND event_id <= ?2",
                params![topic, before],
                |r| r.get(0),
            )
            .map_err(failed)?;
        let mut removed = 0;
        if let Some(last) = last {
            let dropped = read_range(&path, &tx, topic, Some(last as u64 - 1), 1)?;
            let hash = dropped.first().and_then(|s| record_hash_of(&s.event)).unwrap_or_default();
            tx.execute(
                "INSERT INTO checkpoints VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET last_id = excluded.last_id, record_hash = excluded.record_hash",
                params![topic, last, hash],
            )
            .map_err(failed)?;
            removed = tx
                .execute("DELETE FROM events WHERE topic = ?1 AND event_id <= ?2", params![topic, last])
                .map_err(failed)?;
        }
        let remaining: i64 = tx
            .query_row("SELECT count(*) FROM events WHERE topic = ?1", [topic], |r| r.get(0))
            .map_err(failed)?;
        let report = Compaction {
            removed: removed as u64,
            remaining: remaining as u64,
            latest: latest(&tx, topic).map_err(failed)?,
            checkpointed: checkpoint(&tx, topic).map_err(failed)?.is_some(),
        };
        tx.commit().map_err(failed)?;
        self.commits += 1;
        Ok(report)
    }

    fn checkpoint(&mut self, topic: &str) -> Result<Option<Checkpoint>, LogError> {
        topic::check(topic)?;
        let path = self.path.clone();
        match self.reader()? {
            Some(connection) => checkpoint(connection, topic).map_err(|e| log_error(&path, &e)),
            None => Ok(None),
        }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let path = self.path.clone();
        match self.reader()? {
            // A checkpoint syncs the write-ahead log before it copies from it.
            Some(connection) => connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .map_err(|e| log_error(&path, &e)),
            None => Ok(()),
        }
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| log_error(&path, &error);
        let Some(connection) = self.reader()? else { return Ok(Vec::new()) };
        let mut statement = connection
            .prepare_cached(
                "SELECT topic FROM topic_heads AS h
                 WHERE EXISTS (SELECT 1 FROM events AS e WHERE e.topic = h.topic) ORDER BY topic",
            )
            .map_err(failed)?;
        let names = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        names.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    fn describe(&mut self) -> Result<Description, LogError> {
        let size = std::fs::metadata(&self.path).ok().map(|m| m.len());
        Ok(Description {
            backend: "sqlite",
            location: Some(self.path.display().to_string()),
            size_bytes: size,
        })
    }

    fn mark(&mut self) -> Result<Mark, LogError> {
        let path = self.path.clone();
        let ours = self.commits;
        match self.reader()? {
            Some(connection) => {
                let theirs: i64 = connection
                    .prepare_cached("PRAGMA data_version")
                    .and_then(|mut s| s.query_row([], |row| row.get(0)))
                    .map_err(|e| log_error(&path, &e))?;
                Ok(Mark { theirs: theirs as u64, ours })
            }
            None => Ok(Mark { theirs: 0, ours }),
        }
    }

    fn write_note(&mut self, name: &str, text: &str) -> Result<(), LogError> {
        super::journal::replace(&super::note_path(&self.path, "events.sqlite", name), text, false)
    }

    fn read_note(&mut self, name: &str) -> Result<Option<String>, LogError> {
        super::read_note(&super::note_path(&self.path, "events.sqlite", name))
    }
}
