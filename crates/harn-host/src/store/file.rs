//! The log as a directory of JSON lines (spec 08 section 2.5): one file per topic, one lock for writers, offsets of the
//! lines kept in memory.
//!
//! The lock file grows by one byte with each commit, so its length tells waiters that something changed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harn_eventlog::store::{check_append, check_consumer, event_from, headers_json, record_hash_of};
use harn_eventlog::{
    Checkpoint, Compaction, Description, Durability, Event, Json, LogError, Mark, Read, Store, Stored, Tx,
    provenance, topic,
};

use super::io_error;
use super::journal::{self, Tail, read_text, replace, topic_path};

/// How long a writer waits for another process, in steps of one millisecond.
const BUSY_STEPS: u32 = 5_000;

/// A handle on a log in a directory. Opening touches nothing; the first append makes the directory.
pub struct FileStore {
    root: PathBuf,
    lock: Option<File>,
    topics: BTreeMap<String, Index>,
}

/// What is known of a topic's file.
#[derive(Default)]
struct Index {
    inode: u64,
    /// Where each line begins.
    starts: Vec<u64>,
    /// Where the last whole line ends.
    end: u64,
    /// Whether the last line lacks its newline.
    unterminated: bool,
    checkpoint: Option<Checkpoint>,
    first_id: u64,
}

impl Index {
    fn last_id(&self) -> Option<u64> {
        match self.starts.len() as u64 {
            0 => self.checkpoint.as_ref().map(|c| c.id),
            n => Some(self.first_id + n - 1),
        }
    }
}

impl FileStore {
    /// A handle on the log in the directory `root`.
    pub fn new(root: impl Into<PathBuf>) -> FileStore {
        FileStore { root: root.into(), lock: None, topics: BTreeMap::new() }
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Takes the writers' lock and finishes what a crash interrupted.
    fn lock(&mut self) -> Result<File, LogError> {
        let path = self.lock_path();
        let failed = |error: std::io::Error| io_error(&path, &error);
        if self.lock.is_none() {
            for directory in ["topics", "consumers", "checkpoints"] {
                let directory = self.root.join(directory);
                std::fs::create_dir_all(&directory).map_err(|error| io_error(&directory, &error))?;
            }
            self.lock = Some(OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?);
        }
        let Some(lock) = &self.lock else { return Err(LogError::Busy) };
        // A clone shares the lock: dropping the transaction's clone does not release it, `unlock` does.
        let lock = lock.try_clone().map_err(failed)?;
        for step in 0..=BUSY_STEPS {
            match lock.try_lock() {
                Ok(()) => {
                    journal::recover(&self.root)?;
                    return Ok(lock);
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if step == BUSY_STEPS => break,
                Err(TryLockError::WouldBlock) => {
                    #[allow(clippy::disallowed_methods, reason = "the host waits for another process")]
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        Err(LogError::Busy)
    }

    /// Brings the index of a topic up to date; gives the open file, none when there is none.
    fn refresh(&mut self, topic: &str) -> Result<Option<File>, LogError> {
        let path = topic_path(&self.root, topic);
        let failed = |error: std::io::Error| io_error(&path, &error);
        #[allow(clippy::disallowed_methods, reason = "the host's own store")]
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.topics.insert(topic.to_owned(), Index::default());
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        let index = self.topics.entry(topic.to_owned()).or_default();
        if index.inode != metadata.ino() || metadata.len() < index.end {
            // Compaction writes the checkpoint before it replaces the file.
            let checkpoint = read_checkpoint(&self.root, topic)?;
            let first_id = checkpoint.as_ref().map_or(1, |c| c.id + 1);
            *index = Index { inode: metadata.ino(), checkpoint, first_id, ..Index::default() };
        }
        if metadata.len() > index.end {
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(index.end)).map_err(failed)?;
            file.read_to_end(&mut text).map_err(failed)?;
            let fresh = index.starts.is_empty();
            index.extend(&text);
            if fresh && let Some(start) = index.starts.first() {
                let line =
                    read_span(&mut file, *start, index.starts.get(1).copied().unwrap_or(index.end), &path)?;
                let first = line.lines().next().unwrap_or_default();
                index.first_id = parse_line(topic, first)?.id;
            }
        }
        Ok(Some(file))
    }

    fn index(&self, topic: &str) -> Option<&Index> {
        self.topics.get(topic)
    }

    fn read_events(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        let Some(mut file) = self.refresh(topic)? else { return Ok(Vec::new()) };
        let Some(index) = self.index(topic) else { return Ok(Vec::new()) };
        let skip = (from.unwrap_or(0) + 1).saturating_sub(index.first_id) as usize;
        let Some(start) = index.starts.get(skip).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let end = index.starts.get(skip.saturating_add(limit)).copied().unwrap_or(index.end);
        let text = read_span(&mut file, *start, end, &topic_path(&self.root, topic))?;
        let mut events = Vec::new();
        let ids = index.first_id + skip as u64..;
        for (expected, line) in ids.zip(text.lines().filter(|line| !line.trim().is_empty())) {
            let stored = parse_line(topic, line)?;
            if stored.id != expected {
                return Err(LogError::Corrupt(format!(
                    "{topic}: expected event {expected}, found {}",
                    stored.id
                )));
            }
            events.push(stored);
        }
        Ok(events)
    }

    /// Readers do not lock, but a commit over several topics that was interrupted is finished first.
    fn settle(&mut self) -> Result<(), LogError> {
        if journal::is_pending(&self.root) {
            let lock = self.lock()?;
            let _ = lock.unlock();
        }
        Ok(())
    }

    fn last_hash(&mut self, topic: &str) -> Result<Option<String>, LogError> {
        let Some(index) = self.index(topic) else { return Ok(None) };
        let Some(last) = index.last_id() else { return Ok(None) };
        if index.starts.is_empty() {
            return Ok(index.checkpoint.as_ref().map(|c| c.record_hash.clone()));
        }
        let events = self.read_events(topic, Some(last - 1), 1)?;
        Ok(events.first().and_then(|s| record_hash_of(&s.event)))
    }

    fn consumer_paths(&self, topic: &str, consumer: &str) -> [PathBuf; 2] {
        let plain = format!("{topic}__{}", topic::sanitise(consumer));
        let hash = provenance::sha256(&format!("{topic}\n{consumer}"));
        let directory = self.root.join("consumers");
        [
            directory.join(format!("{plain}.json")),
            directory.join(format!("{plain}~{}.json", hash.get(7..23).unwrap_or_default())),
        ]
    }

    /// The first file that is this consumer's own, or is free: sanitised names may collide.
    fn consumer_file(&self, topic: &str, consumer: &str) -> Result<(PathBuf, Option<u64>), LogError> {
        let [plain, hashed] = self.consumer_paths(topic, consumer);
        for path in [&plain, &hashed] {
            match read_text(path) {
                Ok(text) => {
                    let json = Json::parse(&text).map_err(LogError::Corrupt)?;
                    if json.text("topic") == topic && json.text("consumer_id") == consumer {
                        let cursor = json.field("cursor").as_int().and_then(|c| u64::try_from(c).ok());
                        return Ok((path.clone(), cursor));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Ok((path.clone(), None));
                }
                Err(error) => return Err(io_error(path, &error)),
            }
        }
        Ok((hashed, None))
    }
}

impl Index {
    /// Takes in the bytes after `end`.
    fn extend(&mut self, text: &[u8]) {
        let mut start = 0;
        while let Some(length) = text.get(start..).and_then(|rest| rest.iter().position(|b| *b == b'\n')) {
            if length > 0 {
                self.starts.push(self.end + start as u64);
            }
            start += length + 1;
        }
        let tail = text.get(start..).unwrap_or_default();
        let base = self.end;
        self.end = base + start as u64;
        self.unterminated = false;
        // A last line without its newline is an event if it is whole, else an unfinished append.
        if std::str::from_utf8(tail).is_ok_and(|line| !line.trim().is_empty() && Json::parse(line).is_ok()) {
            self.starts.push(base + start as u64);
            self.end = base + text.len() as u64;
            self.unterminated = true;
        }
    }
}

fn read_span(file: &mut File, start: u64, end: u64, path: &Path) -> Result<String, LogError> {
    let failed = |error: std::io::Error| io_error(path, &error);
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    file.read_exact(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map_err(|e| LogError::Corrupt(format!("{}: {e}", path.display())))
}

fn parse_line(topic: &str, line: &str) -> Result<Stored, LogError> {
    let json = Json::parse(line).map_err(|e| LogError::Corrupt(format!("{topic}: {e}")))?;
    let event = json.field("event");
    let corrupt = || LogError::Corrupt(format!("{topic}: a line is not an event"));
    let id = json.field("id").as_int().and_then(|id| u64::try_from(id).ok()).ok_or_else(corrupt)?;
    let kind = event.field("kind").as_str().ok_or_else(corrupt)?;
    let at = event.field("occurred_at_ms").as_int().ok_or_else(corrupt)?;
    Ok(Stored { id, event: event_from(kind, event.field("payload").clone(), event.field("headers"), at) })
}

/// The line of an event whose payload and headers are JSON text already, with its newline.
fn line_of(id: u64, kind: &str, payload: &str, headers: &str, occurred_at_ms: i64) -> String {
    let kind = Json::from(kind).canonical();
    format!(
        "{{\"event\":{{\"headers\":{headers},\"kind\":{kind},\"occurred_at_ms\":{occurred_at_ms},\
         \"payload\":{payload}}},\"id\":{id}}}\n"
    )
}

fn checkpoint_path(root: &Path, topic: &str) -> PathBuf {
    root.join("checkpoints").join(format!("{topic}.json"))
}

fn read_checkpoint(root: &Path, topic: &str) -> Result<Option<Checkpoint>, LogError> {
    let path = checkpoint_path(root, topic);
    match read_text(&path) {
        Ok(text) => {
            let json = Json::parse(&text).map_err(LogError::Corrupt)?;
            let id = json.field("last_id").as_int().and_then(|id| u64::try_from(id).ok());
            Ok(id.map(|id| Checkpoint { id, record_hash: json.text("record_hash").to_owned() }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(&path, &error)),
    }
}

impl Read for FileStore {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        self.settle()?;
        self.refresh(topic)?;
        Ok(self.index(topic).and_then(Index::last_id))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        self.settle()?;
        self.read_events(topic, from, limit)
    }
}

impl Store for FileStore {
    fn begin(&mut self, durability: Durability) -> Result<Box<dyn Tx + '_>, LogError> {
        let lock = self.lock()?;
        Ok(Box::new(FileTx {
            store: self,
            lock,
            sync: durability == Durability::Synced,
            appended: BTreeMap::new(),
        }))
    }

    fn ack(&mut self, topic: &str, consumer: &str, up_to: u64, now_ms: i64) -> Result<(), LogError> {
        check_consumer(topic, consumer)?;
        let lock = self.lock()?;
        let written = self.consumer_file(topic, consumer).and_then(|(path, _)| {
            let record = Json::object([
                ("topic", Json::from(topic)),
                ("consumer_id", Json::from(consumer)),
                ("cursor", Json::Int(up_to as i64)),
                ("updated_at_ms", Json::Int(now_ms)),
            ]);
            replace(&path, &record.canonical(), false)
        });
        let _ = lock.unlock();
        written
    }

    fn consumer_cursor(&mut self, topic: &str, consumer: &str) -> Result<Option<u64>, LogError> {
        check_consumer(topic, consumer)?;
        Ok(self.consumer_file(topic, consumer)?.1)
    }

    fn compact(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError> {
        topic::check(topic)?;
        let none = Compaction { removed: 0, remaining: 0, latest: None, checkpointed: false };
        if !topic_path(&self.root, topic).exists() {
            return Ok(none);
        }
        let lock = self.lock()?;
        let done = self.compact_locked(topic, before);
        let _ = (&lock).write_all(b".");
        let _ = lock.unlock();
        done
    }

    fn checkpoint(&mut self, topic: &str) -> Result<Option<Checkpoint>, LogError> {
        topic::check(topic)?;
        read_checkpoint(&self.root, topic)
    }

    fn flush(&mut self) -> Result<(), LogError> {
        for topic in self.topics()? {
            let path = topic_path(&self.root, &topic);
            let file = OpenOptions::new().append(true).open(&path);
            file.and_then(|f| f.sync_data()).map_err(|error| io_error(&path, &error))?;
        }
        Ok(())
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        self.settle()?;
        let directory = self.root.join("topics");
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error(&directory, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| io_error(&directory, &error))?.file_name();
            let Some(name) = name.to_str().and_then(|n| n.strip_suffix(".jsonl")) else { continue };
            self.refresh(name)?;
            if self.index(name).is_some_and(|i| !i.starts.is_empty()) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn describe(&mut self) -> Result<Description, LogError> {
        let mut size = None;
        for topic in self.topics()? {
            size = Some(size.unwrap_or(0) + self.index(&topic).map_or(0, |i| i.end));
        }
        Ok(Description { backend: "file", location: Some(self.root.display().to_string()), size_bytes: size })
    }

    fn mark(&mut self) -> Result<Mark, LogError> {
        match std::fs::metadata(self.lock_path()) {
            Ok(metadata) => Ok(Mark { theirs: metadata.len(), ours: 0 }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Mark::default()),
            Err(error) => Err(io_error(&self.lock_path(), &error)),
        }
    }

    fn write_note(&mut self, name: &str, text: &str) -> Result<(), LogError> {
        super::journal::replace(&super::note_path(&self.root, "events", name), text, false)
    }

    fn read_note(&mut self, name: &str) -> Result<Option<String>, LogError> {
        super::read_note(&super::note_path(&self.root, "events", name))
    }
}

impl FileStore {
    fn compact_locked(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError> {
        let events = self.read_events(topic, None, usize::MAX)?;
        let keep_from = events.partition_point(|e| e.id <= before);
        let (dropped, kept) = events.split_at(keep_from);
        if let Some(last) = dropped.last() {
            let record = Json::object([
                ("last_id", Json::Int(last.id as i64)),
                ("record_hash", Json::from(record_hash_of(&last.event))),
            ]);
            replace(&checkpoint_path(&self.root, topic), &record.canonical(), true)?;
            let line = |Stored { id, event }: &Stored| {
                let (payload, headers) = (event.payload.canonical(), headers_json(event).canonical());
                line_of(*id, &event.kind, &payload, &headers, event.occurred_at_ms)
            };
            let text: String = kept.iter().map(line).collect();
            replace(&topic_path(&self.root, topic), &text, true)?;
            self.topics.remove(topic);
            self.refresh(topic)?;
        }
        Ok(Compaction {
            removed: dropped.len() as u64,
            remaining: kept.len() as u64,
            latest: self.index(topic).and_then(Index::last_id),
            checkpointed: self.index(topic).is_some_and(|i| i.checkpoint.is_some()),
        })
    }
}

struct FileTx<'a> {
    store: &'a mut FileStore,
    lock: File,
    sync: bool,
    appended: BTreeMap<String, Pending>,
}

/// What is to be appended to a topic: at least one line.
struct Pending {
    last: u64,
    record_hash: String,
    lines: Vec<(u64, String)>,
}

impl Drop for FileTx<'_> {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Read for FileTx<'_> {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        match self.appended.get(topic) {
            Some(pending) => Ok(Some(pending.last)),
            None => {
                topic::check(topic)?;
                self.store.refresh(topic)?;
                Ok(self.store.index(topic).and_then(Index::last_id))
            }
        }
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        let mut events = self.store.read_events(topic, from, limit)?;
        let room = limit.saturating_sub(events.len());
        let pending = self.appended.get(topic).map_or(&[][..], |pending| pending.lines.as_slice());
        for (_, line) in pending.iter().filter(|(id, _)| *id > from.unwrap_or(0)).take(room) {
            events.push(parse_line(topic, line)?);
        }
        Ok(events)
    }
}

impl Tx for FileTx<'_> {
    fn append(&mut self, topic: &str, event: Event) -> Result<u64, LogError> {
        check_append(topic, &event)?;
        let id = self.latest(topic)?.unwrap_or(0) + 1;
        let prev = match self.appended.get(topic) {
            Some(pending) => Some(pending.record_hash.clone()),
            None => self.store.last_hash(topic)?,
        };
        let sealed = provenance::sealed(topic, id, &event, prev.as_deref());
        let line = line_of(id, &event.kind, sealed.payload(), &sealed.headers, event.occurred_at_ms);
        match self.appended.get_mut(topic) {
            Some(pending) => {
                (pending.last, pending.record_hash) = (id, sealed.record_hash);
                pending.lines.push((id, line));
            }
            None => {
                let pending = Pending { last: id, record_hash: sealed.record_hash, lines: vec![(id, line)] };
                self.appended.insert(topic.to_owned(), pending);
            }
        }
        Ok(id)
    }

    fn commit(self: Box<Self>) -> Result<(), LogError> {
        if self.appended.is_empty() {
            return Ok(());
        }
        let mut tails = Vec::new();
        for (topic, pending) in &self.appended {
            let index = self.store.index(topic);
            let mut data = String::new();
            if index.is_some_and(|i| i.unterminated) {
                data.push('\n');
            }
            data.extend(pending.lines.iter().map(|(_, line)| line.as_str()));
            tails.push(Tail { topic: topic.clone(), offset: index.map_or(0, |i| i.end), data });
        }
        journal::commit(&self.store.root, &tails, self.sync)?;
        // Only a hint for waiters: the events are stored whether or not it can be written.
        let _ = (&self.lock).write_all(b".");
        Ok(())
    }
}
