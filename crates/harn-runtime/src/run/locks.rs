//! Named locks and `mutex` blocks (spec 04 section 4.7).

use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::channel::Waiter;
use crate::schedule::lock::{
    DEFAULT_MUTEX, Lock, LockId, LockKind, LockWaiter, Permit, RW_CAPACITY, Release,
};
use crate::schedule::task::Wait;
use crate::schedule::timer::Purpose;
use harn_vm::{Fiber, Value, View, VmError, display};
use std::cell::Cell;
use std::rc::Rc;

/// What an acquisition asks for.
struct Wanted {
    lock: LockId,
    capacity: i64,
    permits: i64,
    timeout: Option<i64>,
    /// By a `mutex` block.
    block: bool,
}

/// The text of the argument at `i`, `default` when it is missing or nil.
fn key(args: &[Value], i: usize, default: &str) -> Rc<str> {
    match args.get(i) {
        Some(value) if !value.is_nil() => display(value).into(),
        _ => default.into(),
    }
}

fn positive(name: &str, args: &[Value], i: usize) -> Result<i64, Box<VmError>> {
    match args.get(i).and_then(Value::as_int) {
        Some(n) if n <= 0 => Err(VmError::runtime(format!("{name}: value must be positive"))),
        Some(n) => Ok(n),
        None => Ok(1),
    }
}

fn wanted(name: &str, args: &[Value]) -> Result<Wanted, Box<VmError>> {
    let timeout = |i: usize| super::named::millis(args.get(i));
    let (kind, key, capacity, permits, timeout) = match name {
        "sync_mutex_acquire" => (LockKind::Mutex, key(args, 0, DEFAULT_MUTEX), 1, 1, timeout(1)),
        "sync_semaphore_acquire" => {
            let (capacity, permits) = (positive(name, args, 1)?, positive(name, args, 2)?);
            (LockKind::Semaphore, key(args, 0, "default"), capacity, permits, timeout(3))
        }
        "sync_gate_acquire" => {
            (LockKind::Gate, key(args, 0, "default"), positive(name, args, 1)?, 1, timeout(2))
        }
        _ => {
            let permits = match &*key(args, 1, "read") {
                "read" => 1,
                "write" => RW_CAPACITY,
                _ => return Err(VmError::runtime(format!("{name}: mode must be read or write"))),
            };
            (LockKind::RwLock, key(args, 0, "default"), RW_CAPACITY, permits, timeout(2))
        }
    };
    Ok(Wanted { lock: LockId { kind, key }, capacity, permits, timeout, block: false })
}

impl Run {
    /// `sync_*_acquire`.
    pub(super) fn acquire(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        name: &str,
        args: &[Value],
    ) -> Progressed {
        match wanted(name, args) {
            Ok(wanted) => self.take_permits(id, fiber, wanted),
            Err(error) => fail(fiber, error),
        }
    }

    /// The start of a `mutex` block.
    pub(super) fn enter_mutex(&mut self, id: TaskId, fiber: &mut Fiber) -> Progressed {
        if self.blocks.get(&id).is_some_and(|held| !held.is_empty()) {
            let text = format!("mutex '{DEFAULT_MUTEX}' is already held by this task");
            return fail(fiber, VmError::runtime(text));
        }
        let lock = LockId { kind: LockKind::Mutex, key: DEFAULT_MUTEX.into() };
        self.take_permits(id, fiber, Wanted { lock, capacity: 1, permits: 1, timeout: None, block: true })
    }

    fn take_permits(&mut self, id: TaskId, fiber: &mut Fiber, wanted: Wanted) -> Progressed {
        self.collect_permits();
        let (now, waiter) = (self.now(), self.waiter(id));
        let lock = self
            .locks
            .by_id
            .entry(wanted.lock.clone())
            .or_insert_with(|| Lock { capacity: wanted.capacity, ..Lock::default() });
        let name = format!("sync {} '{}'", wanted.lock.kind.name(), wanted.lock.key);
        if lock.capacity != wanted.capacity {
            let text =
                format!("{name} already exists with capacity {}, not {}", lock.capacity, wanted.capacity);
            return fail(fiber, VmError::runtime(text));
        }
        if wanted.permits > lock.capacity {
            let text = format!("{name} requested {} permits from capacity {}", wanted.permits, lock.capacity);
            return fail(fiber, VmError::runtime(text));
        }
        if lock.is_free_for(wanted.permits) {
            lock.take(wanted.permits, 0);
            let value = self.permit(id, wanted.lock, wanted.permits, now, wanted.block);
            fiber.resume_value(value);
            return Progressed::Answered;
        }
        if wanted.timeout == Some(0) {
            lock.timed_out += 1;
            fiber.resume_value(Value::NIL);
            return Progressed::Answered;
        }
        let block = wanted.block;
        lock.queue.push_back(LockWaiter { waiter, permits: wanted.permits, since: now, block });
        lock.max_queue = lock.max_queue.max(lock.queue.len());
        if let Some(ms) = wanted.timeout {
            self.timers.set(now.saturating_add(ms), Purpose::Timeout, waiter);
        }
        Progressed::Suspended(Wait::Lock(wanted.lock))
    }

    /// What an acquisition gives: a permit, or nil inside a block, which the scheduler keeps.
    fn permit(&mut self, id: TaskId, lock: LockId, permits: i64, since: i64, block: bool) -> Value {
        let release = Release { lock, permits, since };
        if block {
            self.blocks.entry(id).or_default().push(release);
            return Value::NIL;
        }
        let dropped = self.locks.dropped.clone();
        Value::handle(Rc::new(Permit { release, released: Cell::new(false), dropped }))
    }

    /// The end of a `mutex` block.
    pub(super) fn leave_mutex(&mut self, id: TaskId) {
        let held = self.blocks.get_mut(&id).and_then(Vec::pop);
        if let Some(release) = held {
            self.give_back(release);
        }
    }

    /// A task is over: blocks it was in are left.
    pub(super) fn leave_blocks(&mut self, id: TaskId) {
        if self.blocks.is_empty() {
            return;
        }
        for release in self.blocks.remove(&id).unwrap_or_default() {
            self.give_back(release);
        }
    }

    /// Permits that were dropped are given back.
    pub(super) fn collect_permits(&mut self) {
        let dropped = std::mem::take(&mut *self.locks.dropped.borrow_mut());
        for release in dropped {
            self.give_back(release);
        }
    }

    fn give_back(&mut self, release: Release) {
        let now = self.now();
        if let Some(lock) = self.locks.by_id.get_mut(&release.lock) {
            lock.held -= release.permits;
            lock.released += 1;
            lock.total_held_ms += now - release.since;
        }
        self.admit(&release.lock);
    }

    /// Serves the queue of a lock from its head as far as it goes.
    fn admit(&mut self, id: &LockId) {
        let now = self.now();
        while let Some(lock) = self.locks.by_id.get_mut(id) {
            match lock.queue.front() {
                Some(head) if lock.held + head.permits <= lock.capacity => {}
                _ => return,
            }
            let Some(next) = lock.queue.pop_front() else { return };
            lock.take(next.permits, now - next.since);
            let value = self.permit(next.waiter.task, id.clone(), next.permits, now, next.block);
            self.wake(next.waiter.task, |fiber| fiber.resume_value(value));
        }
    }

    /// A task gives up its place in the queue of a lock.
    pub(super) fn leave_lock_queue(&mut self, id: &LockId, waiter: Waiter) {
        if let Some(lock) = self.locks.by_id.get_mut(id) {
            lock.queue.retain(|w| w.waiter != waiter);
        }
        // It may have been a large request at the head that held up small ones.
        self.admit(id);
    }

    /// `sync_release`.
    pub(super) fn release(&mut self, fiber: &mut Fiber, args: &[Value]) -> Progressed {
        let given = match args.first().map(Value::view) {
            Some(View::Handle(handle)) => handle.as_any().downcast_ref::<Permit>().map(Permit::give_back),
            _ => None,
        };
        match given {
            None => fail(fiber, VmError::runtime("sync_release: first argument must be a sync permit")),
            Some(release) => {
                fiber.resume_value(Value::bool(release.is_some()));
                if let Some(release) = release {
                    self.give_back(release);
                }
                Progressed::Answered
            }
        }
    }

    /// `sync_metrics`.
    pub(super) fn lock_metrics(&mut self, args: &[Value]) -> Value {
        self.collect_permits();
        let text = |i: usize| args.get(i).filter(|v| !v.is_nil()).map(display);
        let (kind, key) = (text(0), text(1));
        let mut found = self.locks.by_id.iter().filter(|(id, _)| {
            kind.as_ref().is_none_or(|kind| *kind == id.kind.name())
                && key.as_ref().is_none_or(|key| **key == *id.key)
        });
        if kind.is_some() && key.is_some() {
            return found.next().map(|(id, lock)| lock.metrics(id)).unwrap_or_default();
        }
        Value::list(found.map(|(id, lock)| lock.metrics(id)).collect())
    }
}

fn fail(fiber: &mut Fiber, error: Box<VmError>) -> Progressed {
    fiber.resume_error(error);
    Progressed::Answered
}
