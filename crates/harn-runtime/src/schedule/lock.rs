//! Named locks of a program: mutexes, semaphores, gates, read-write locks (spec 04 section 4.7). All are counters of
//! permits with a queue; who comes first is served first.

use crate::schedule::channel::Waiter;
use harn_effect::Data;
use harn_vm::{Handle, SavedHandle, Value};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// The kinds, each a name space of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LockKind {
    Gate,
    Mutex,
    RwLock,
    Semaphore,
}

impl LockKind {
    /// The name in messages and metrics.
    pub fn name(self) -> &'static str {
        match self {
            LockKind::Gate => "gate",
            LockKind::Mutex => "mutex",
            LockKind::RwLock => "rwlock",
            LockKind::Semaphore => "semaphore",
        }
    }
}

/// A lock's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LockId {
    pub kind: LockKind,
    pub key: Rc<str>,
}

/// The name of the mutex of `mutex` blocks.
pub(crate) const DEFAULT_MUTEX: &str = "__default__";
/// Readers that may hold a read-write lock at once; a writer takes them all.
pub(crate) const RW_CAPACITY: i64 = 1024;

/// A task in the queue of a lock.
pub(crate) struct LockWaiter {
    pub waiter: Waiter,
    pub permits: i64,
    pub since: i64,
    /// A `mutex` block waits (it gets nil), not a call (it gets a permit).
    pub block: bool,
}

/// A named lock.
#[derive(Default)]
pub(crate) struct Lock {
    pub capacity: i64,
    pub held: i64,
    pub queue: VecDeque<LockWaiter>,
    pub acquired: i64,
    pub timed_out: i64,
    pub cancelled: i64,
    pub released: i64,
    pub max_queue: usize,
    pub total_wait_ms: i64,
    pub total_held_ms: i64,
}

impl Lock {
    /// Whether `permits` can be had now without overtaking anybody.
    pub fn is_free_for(&self, permits: i64) -> bool {
        self.queue.is_empty() && self.held + permits <= self.capacity
    }

    /// Takes permits.
    pub fn take(&mut self, permits: i64, waited_ms: i64) {
        self.held += permits;
        self.acquired += 1;
        self.total_wait_ms += waited_ms;
    }

    /// What it counts, for a snapshot: everything but its queue.
    pub fn counts(&self) -> [i64; 8] {
        [
            self.capacity,
            self.held,
            self.acquired,
            self.timed_out,
            self.cancelled,
            self.released,
            self.total_wait_ms,
            self.total_held_ms,
        ]
    }

    /// Takes back what [`Lock::counts`] gave.
    pub fn set_counts(&mut self, counts: impl Iterator<Item = i64>) {
        let places = [
            &mut self.capacity,
            &mut self.held,
            &mut self.acquired,
            &mut self.timed_out,
            &mut self.cancelled,
            &mut self.released,
            &mut self.total_wait_ms,
            &mut self.total_held_ms,
        ];
        for (place, count) in places.into_iter().zip(counts) {
            *place = count;
        }
    }

    /// `sync_metrics`.
    pub fn metrics(&self, id: &LockId) -> Value {
        let count = |n: usize| Value::int(i64::try_from(n).unwrap_or(i64::MAX));
        Value::dict([
            ("kind", Value::str(id.kind.name())),
            ("key", Value::str(&id.key)),
            ("capacity", Value::int(self.capacity)),
            ("acquisition_count", Value::int(self.acquired)),
            ("timeout_count", Value::int(self.timed_out)),
            ("cancellation_count", Value::int(self.cancelled)),
            ("release_count", Value::int(self.released)),
            ("current_held", Value::int(self.held)),
            ("current_queue_depth", count(self.queue.len())),
            ("max_queue_depth", count(self.max_queue)),
            ("total_wait_ms", Value::int(self.total_wait_ms)),
            ("total_held_ms", Value::int(self.total_held_ms)),
        ])
    }
}

/// Permits that were dropped without a release; the scheduler collects them.
pub(crate) type Dropped = Rc<RefCell<Vec<Release>>>;

/// What a returned permit gives back.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub lock: LockId,
    pub permits: i64,
    pub since: i64,
}

/// The locks of a program.
#[derive(Default)]
pub(crate) struct Locks {
    pub by_id: BTreeMap<LockId, Lock>,
    pub dropped: Dropped,
}

/// The value of `sync_*_acquire`.
pub(crate) struct Permit {
    pub release: Release,
    pub released: Cell<bool>,
    pub dropped: Dropped,
}

impl Permit {
    /// What to give back; `None` when that has happened.
    pub fn give_back(&self) -> Option<Release> {
        if self.released.replace(true) { None } else { Some(self.release.clone()) }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(release) = self.give_back() {
            self.dropped.borrow_mut().push(release);
        }
    }
}

impl Handle for Permit {
    fn type_name(&self) -> &'static str {
        "sync_permit"
    }

    fn display(&self) -> String {
        format!("<sync_permit:{}:{}>", self.release.lock.kind.name(), self.release.lock.key)
    }

    fn save(&self) -> Option<SavedHandle> {
        let data = Data::dict([
            ("release", crate::run::release_data(&self.release)),
            ("released", Data::Bool(self.released.get())),
        ]);
        Some(SavedHandle { kind: "permit", data, values: Vec::new() })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
