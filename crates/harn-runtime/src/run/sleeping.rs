//! `sleep` and the mocked clock (spec 04 section 4.11). While time is mocked nobody waits: when no task is ready, the
//! clock moves to where the next sleeper wakes, so sleepers wake in the order of their virtual times.

use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::task::Wait;
use crate::schedule::timer::Purpose;
use harn_vm::{Fiber, Value};

impl Run {
    /// `sleep`: real, or by the mocked clock.
    pub(super) fn sleep(&mut self, id: TaskId, fiber: &mut Fiber, ms: i64) -> Progressed {
        if ms == 0 {
            fiber.resume_value(Value::NIL);
            return Progressed::Answered;
        }
        let waiter = self.waiter(id);
        match self.clock.mocked_monotonic_ms() {
            Some(now) => self.sleepers.set(now.saturating_add(ms), Purpose::Timeout, waiter),
            None => self.timers.set(self.now().saturating_add(ms), Purpose::Timeout, waiter),
        }
        Progressed::Suspended(Wait::Sleep)
    }

    /// `mock_time`: sleepers of an earlier mock keep what they had left.
    pub(super) fn pin_clock(&mut self, wall_ms: i64) {
        if let Some(now) = self.clock.mocked_monotonic_ms() {
            self.sleepers.shift(-now);
        }
        self.clock.pin(wall_ms);
    }

    /// `advance_time`: the new wall time, or `None` when the clock is not pinned. Sleepers whose time came are ready.
    pub(super) fn advance_clock(&mut self, ms: i64) -> Option<i64> {
        let wall = self.clock.advance(ms)?;
        self.wake_sleepers();
        Some(wall)
    }

    /// `unmock_time`: sleepers wait in real time for what they had left.
    pub(super) fn release_clock(&mut self) {
        if let Some(now) = self.clock.mocked_monotonic_ms() {
            self.sleepers.shift(self.now().saturating_sub(now));
            self.timers.append(&mut self.sleepers);
        }
        self.clock.release();
    }

    /// When nothing is ready: moves the mocked clock to the next sleeper and wakes it. Whether there was one.
    pub(super) fn skip_to_next_sleeper(&mut self) -> bool {
        let Some(now) = self.clock.mocked_monotonic_ms() else { return false };
        let mut sleepers = std::mem::take(&mut self.sleepers);
        let due = sleepers.next_due(|waiter| self.is_alive(waiter));
        self.sleepers = sleepers;
        let Some(due) = due else { return false };
        self.clock.advance(due.saturating_sub(now).max(0));
        self.wake_sleepers();
        true
    }

    fn wake_sleepers(&mut self) {
        let Some(now) = self.clock.mocked_monotonic_ms() else { return };
        while let Some((purpose, waiter)) = self.sleepers.pop_due(now) {
            if self.is_alive(waiter) {
                self.fire(purpose, waiter.task, now);
            }
        }
    }
}
