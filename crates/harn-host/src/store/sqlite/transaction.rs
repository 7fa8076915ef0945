//! A transaction of the SQLite log. Nobody else writes while it is open, so what it has once looked up stays true.

use std::collections::BTreeMap;
use std::path::Path;

use harn_eventlog::store::check_append;
use harn_eventlog::{Event, Json, LogError, Read, Stored, Tx, provenance, topic};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::{checkpoint, log_error, read_range};

/// The head of a topic with the headers in which its record hash is found.
const LAST: &str = "SELECT h.last_id, e.headers FROM topic_heads AS h
     LEFT JOIN events AS e ON e.topic = h.topic AND e.event_id = h.last_id WHERE h.topic = ?1";
const APPEND: &str = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const MOVE_HEAD: &str =
    "INSERT INTO topic_heads VALUES (?1, ?2) ON CONFLICT DO UPDATE SET last_id = excluded.last_id";

/// The end of a topic.
struct Head {
    /// The last id; 0 for a topic never written.
    last: u64,
    record_hash: Option<String>,
    /// Whether this transaction has appended.
    moved: bool,
}

/// An open transaction; dropped without a commit it leaves no trace.
pub(super) struct SqliteTx<'a> {
    path: &'a Path,
    connection: &'a Connection,
    commits: &'a mut u64,
    /// The topics looked at so far.
    heads: BTreeMap<String, Head>,
    append: Option<CachedStatement<'a>>,
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

impl<'a> SqliteTx<'a> {
    /// Waits for the lock of writers and begins.
    pub(super) fn begin(
        path: &'a Path,
        connection: &'a Connection,
        commits: &'a mut u64,
    ) -> rusqlite::Result<SqliteTx<'a>> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(SqliteTx { path, connection, commits, heads: BTreeMap::new(), append: None })
    }

    fn head(&mut self, topic: &str) -> Result<&mut Head, LogError> {
        if !self.heads.contains_key(topic) {
            topic::check(topic)?;
            let head = self.look_up(topic)?;
            self.heads.insert(topic.to_owned(), head);
        }
        self.heads.get_mut(topic).ok_or(LogError::Busy)
    }

    fn look_up(&self, topic: &str) -> Result<Head, LogError> {
        let failed = |error: rusqlite::Error| log_error(self.path, &error);
        let found = self
            .connection
            .prepare_cached(LAST)
            .and_then(|mut last| {
                last.query_row([topic], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))
                    .optional()
            })
            .map_err(failed)?;
        let Some((last, headers)) = found else {
            return Ok(Head { last: 0, record_hash: None, moved: false });
        };
        let record_hash = match headers {
            Some(text) => Json::parse(&text)
                .map_err(LogError::Corrupt)?
                .field(provenance::RECORD_HASH)
                .as_str()
                .map(str::to_owned),
            None => checkpoint(self.connection, topic).map_err(failed)?.map(|c| c.record_hash),
        };
        Ok(Head { last: last.cast_unsigned(), record_hash, moved: false })
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // What cannot be rolled back here is so when the connection is closed or the file is opened again.
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

impl Read for SqliteTx<'_> {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        Ok(Some(self.head(topic)?.last).filter(|last| *last > 0))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        if self.head(topic)?.last <= from.unwrap_or(0) {
            return Ok(Vec::new());
        }
        read_range(self.path, self.connection, topic, from, limit)
    }
}

impl Tx for SqliteTx<'_> {
    fn append(&mut self, topic: &str, event: Event) -> Result<u64, LogError> {
        check_append(topic, &event)?;
        let (path, connection) = (self.path, self.connection);
        let head = self.head(topic)?;
        let id = head.last + 1;
        let sealed = provenance::sealed(topic, id, &event, head.record_hash.as_deref());
        (head.last, head.moved) = (id, true);
        head.record_hash = Some(sealed.record_hash.clone());
        let failed = |error: rusqlite::Error| log_error(path, &error);
        if self.append.is_none() {
            self.append = Some(connection.prepare_cached(APPEND).map_err(failed)?);
        }
        if let Some(append) = &mut self.append {
            let payload = sealed.payload().as_bytes();
            let row =
                params![topic, id.cast_signed(), event.kind, payload, sealed.headers, event.occurred_at_ms];
            append.execute(row).map_err(failed)?;
        }
        Ok(id)
    }

    fn commit(self: Box<Self>) -> Result<(), LogError> {
        let failed = |error: rusqlite::Error| log_error(self.path, &error);
        let mut moved = false;
        for (topic, head) in self.heads.iter().filter(|(_, head)| head.moved) {
            moved = true;
            self.connection
                .prepare_cached(MOVE_HEAD)
                .and_then(|mut statement| statement.execute(params![topic, head.last.cast_signed()]))
                .map_err(failed)?;
        }
        run(self.connection, "COMMIT").map_err(failed)?;
        if moved {
            *self.commits += 1;
        }
        Ok(())
    }
}
