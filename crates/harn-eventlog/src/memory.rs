//! The log that ends with the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{self, record_hash_of};
use crate::{
    Checkpoint, Compaction, Description, Durability, Event, LogError, Mark, Read, Store, Stored, Tx,
    provenance, topic,
};

/// A store in memory. Clones are handles on one log, usable from several threads.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    topics: BTreeMap<String, Topic>,
    consumers: BTreeMap<(String, String), u64>,
    notes: BTreeMap<String, String>,
    changes: u64,
}

#[derive(Debug, Default)]
struct Topic {
    checkpoint: Option<Checkpoint>,
    events: Vec<Stored>,
}

impl Topic {
    fn last(&self) -> Option<u64> {
        self.events.last().map(|e| e.id).or(self.checkpoint.as_ref().map(|c| c.id))
    }

    fn last_hash(&self) -> Option<String> {
        match self.events.last() {
            Some(stored) => record_hash_of(&stored.event),
            None => self.checkpoint.as_ref().map(|c| c.record_hash.clone()),
        }
    }

    fn range(&self, from: Option<u64>, limit: usize) -> Vec<Stored> {
        let start = self.events.partition_point(|e| e.id <= from.unwrap_or(0));
        self.events.iter().skip(start).take(limit).cloned().collect()
    }
}

impl MemoryStore {
    /// An empty log.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// A transaction that panicked leaves the log as it was before, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for MemoryStore {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        Ok(self.lock().topics.get(topic).and_then(Topic::last))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        Ok(self.lock().topics.get(topic).map(|t| t.range(from, limit)).unwrap_or_default())
    }
}

impl Store for MemoryStore {
    fn begin(&mut self, _: Durability) -> Result<Box<dyn Tx + '_>, LogError> {
        Ok(Box::new(MemoryTx { log: self.lock(), appended: Vec::new() }))
    }

    fn ack(&mut self, topic: &str, consumer: &str, up_to: u64, _: i64) -> Result<(), LogError> {
        store::check_consumer(topic, consumer)?;
        self.lock().consumers.insert((topic.into(), consumer.into()), up_to);
        Ok(())
    }

    fn consumer_cursor(&mut self, topic: &str, consumer: &str) -> Result<Option<u64>, LogError> {
        store::check_consumer(topic, consumer)?;
        Ok(self.lock().consumers.get(&(topic.into(), consumer.into())).copied())
    }

    fn compact(&mut self, topic: &str, before: u64) -> Result<Compaction, LogError> {
        topic::check(topic)?;
        let mut log = self.lock();
        let Some(topic) = log.topics.get_mut(topic) else {
            return Ok(Compaction { removed: 0, remaining: 0, latest: None, checkpointed: false });
        };
        let keep_from = topic.events.partition_point(|e| e.id <= before);
        let dropped: Vec<Stored> = topic.events.drain(..keep_from).collect();
        if let Some(last) = dropped.last() {
            let record_hash = record_hash_of(&last.event).unwrap_or_default();
            topic.checkpoint = Some(Checkpoint { id: last.id, record_hash });
        }
        let report = Compaction {
            removed: dropped.len() as u64,
            remaining: topic.events.len() as u64,
            latest: topic.last(),
            checkpointed: topic.checkpoint.is_some(),
        };
        log.changes += 1;
        Ok(report)
    }

    fn checkpoint(&mut self, topic: &str) -> Result<Option<Checkpoint>, LogError> {
        Ok(self.lock().topics.get(topic).and_then(|t| t.checkpoint.clone()))
    }

    fn flush(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        let log = self.lock();
        Ok(log.topics.iter().filter(|(_, t)| !t.events.is_empty()).map(|(name, _)| name.clone()).collect())
    }

    fn describe(&mut self) -> Result<Description, LogError> {
        Ok(Description { backend: "memory", location: None, size_bytes: None })
    }

    fn mark(&mut self) -> Result<Mark, LogError> {
        Ok(Mark { theirs: self.lock().changes, ours: 0 })
    }

    fn write_note(&mut self, name: &str, text: &str) -> Result<(), LogError> {
        self.lock().notes.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    fn read_note(&mut self, name: &str) -> Result<Option<String>, LogError> {
        Ok(self.lock().notes.get(name).cloned())
    }
}

struct MemoryTx<'a> {
    log: MutexGuard<'a, Log>,
    appended: Vec<(String, Stored)>,
}

impl MemoryTx<'_> {
    fn pending(&self, topic: &str) -> impl DoubleEndedIterator<Item = &Stored> {
        self.appended.iter().filter(move |(name, _)| name == topic).map(|(_, stored)| stored)
    }
}

impl Read for MemoryTx<'_> {
    fn latest(&mut self, topic: &str) -> Result<Option<u64>, LogError> {
        topic::check(topic)?;
        let pending = self.pending(topic).next_back().map(|s| s.id);
        Ok(pending.or_else(|| self.log.topics.get(topic).and_then(Topic::last)))
    }

    fn read_range(&mut self, topic: &str, from: Option<u64>, limit: usize) -> Result<Vec<Stored>, LogError> {
        topic::check(topic)?;
        let mut events = self.log.topics.get(topic).map(|t| t.range(from, limit)).unwrap_or_default();
        let room = limit.saturating_sub(events.len());
        events.extend(self.pending(topic).filter(|s| s.id > from.unwrap_or(0)).take(room).cloned());
        Ok(events)
    }
}

impl Tx for MemoryTx<'_> {
    fn append(&mut self, topic: &str, mut event: Event) -> Result<u64, LogError> {
        store::check_append(topic, &event)?;
        let id = self.latest(topic)?.unwrap_or(0) + 1;
        let pending = self.pending(topic).next_back().map(|s| record_hash_of(&s.event));
        let prev = pending.unwrap_or_else(|| self.log.topics.get(topic).and_then(Topic::last_hash));
        provenance::seal(topic, id, &mut event, prev.as_deref());
        self.appended.push((topic.to_owned(), Stored { id, event }));
        Ok(id)
    }

    fn commit(mut self: Box<Self>) -> Result<(), LogError> {
        if !self.appended.is_empty() {
            self.log.changes += 1;
        }
        for (topic, stored) in std::mem::take(&mut self.appended) {
            self.log.topics.entry(topic).or_default().events.push(stored);
        }
        Ok(())
    }
}
