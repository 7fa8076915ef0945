//! Things to do at a time of the monotonic clock.

use crate::schedule::channel::Waiter;
use harn_effect::Data;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// The wait ends with its ordinary "time is up" result.
    Timeout,
    /// A deadline of the task has passed.
    Deadline,
    /// A suspended task that was asked to stop has had its time.
    Grace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: i64,
    number: u64,
    purpose: Purpose,
    task: u64,
    epoch: u64,
}

/// Timers, earliest first; equal times in the order they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    set: u64,
}

impl Timers {
    /// Sets a timer for the present wait of a task.
    pub fn set(&mut self, due: i64, purpose: Purpose, waiter: Waiter) {
        let number = self.set;
        self.set += 1;
        let entry = Entry { due, number, purpose, task: waiter.task.0, epoch: waiter.epoch };
        self.heap.push(Reverse(entry));
    }

    /// Moves every timer by so much.
    pub fn shift(&mut self, by: i64) {
        let moved = self
            .heap
            .drain()
            .map(|Reverse(entry)| Reverse(Entry { due: entry.due.saturating_add(by), ..entry }));
        self.heap = moved.collect();
    }

    /// Takes over all timers of another set; those that are due together fire after the own ones, in their order.
    pub fn append(&mut self, other: &mut Timers) {
        let mut taken: Vec<Entry> = other.heap.drain().map(|entry| entry.0).collect();
        taken.sort_unstable();
        for entry in taken {
            self.set(entry.due, entry.purpose, entry.waiter());
        }
    }

    /// The earliest timer that `alive` knows; drops stale ones before it.
    pub fn next_due(&mut self, alive: impl Fn(Waiter) -> bool) -> Option<i64> {
        while let Some(Reverse(entry)) = self.heap.peek() {
            if alive(entry.waiter()) {
                return Some(entry.due);
            }
            self.heap.pop();
        }
        None
    }

    /// The timers that `alive` knows, in the order they fire, for a snapshot.
    pub fn save(&self, alive: impl Fn(Waiter) -> bool) -> Data {
        let mut entries: Vec<Entry> = self.heap.iter().map(|entry| entry.0).collect();
        entries.retain(|entry| alive(entry.waiter()));
        entries.sort_unstable();
        let row = |entry: &Entry| {
            let purpose = match entry.purpose {
                Purpose::Timeout => 0,
                Purpose::Deadline => 1,
                Purpose::Grace => 2,
            };
            let (task, epoch) = (entry.task.cast_signed(), entry.epoch.cast_signed());
            Data::List([entry.due, purpose, task, epoch].map(Data::Int).to_vec())
        };
        Data::List(entries.iter().map(row).collect())
    }

    /// Sets what [`Timers::save`] gave, each by `shift` later.
    pub fn load(&mut self, saved: &Data, shift: i64) {
        for row in saved.as_list().unwrap_or_default() {
            let number = |i: usize| row.as_list().and_then(|row| row.get(i)?.as_int()).unwrap_or(0);
            let purpose = match number(1) {
                0 => Purpose::Timeout,
                1 => Purpose::Deadline,
                _ => Purpose::Grace,
            };
            let waiter =
                Waiter { task: super::TaskId(number(2).cast_unsigned()), epoch: number(3).cast_unsigned() };
            self.set(number(0).saturating_add(shift), purpose, waiter);
        }
    }

    /// Takes the earliest timer that is due.
    pub fn pop_due(&mut self, now: i64) -> Option<(Purpose, Waiter)> {
        match self.heap.peek() {
            Some(Reverse(entry)) if entry.due <= now => {}
            _ => return None,
        }
        self.heap.pop().map(|Reverse(entry)| (entry.purpose, entry.waiter()))
    }
}

impl Entry {
    fn waiter(&self) -> Waiter {
        Waiter { task: super::TaskId(self.task), epoch: self.epoch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::TaskId;

    fn waiter(task: u64) -> Waiter {
        Waiter { task: TaskId(task), epoch: 1 }
    }

    #[test]
    fn timers_come_by_time_and_then_by_age() {
        let mut timers = Timers::default();
        timers.set(20, Purpose::Timeout, waiter(1));
        timers.set(10, Purpose::Timeout, waiter(2));
        timers.set(10, Purpose::Deadline, waiter(3));
        assert_eq!(timers.pop_due(9), None);
        assert_eq!(timers.pop_due(30), Some((Purpose::Timeout, waiter(2))));
        assert_eq!(timers.pop_due(30), Some((Purpose::Deadline, waiter(3))));
        assert_eq!(timers.pop_due(30), Some((Purpose::Timeout, waiter(1))));
    }

    #[test]
    fn stale_timers_do_not_count() {
        let mut timers = Timers::default();
        timers.set(10, Purpose::Timeout, waiter(1));
        timers.set(20, Purpose::Timeout, waiter(2));
        assert_eq!(timers.next_due(|w| w.task.0 == 2), Some(20));
    }
}
