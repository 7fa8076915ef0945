//! Which thread a task runs on (spec 04 section 4.1).
//!
//! Every task begins at home. When one has computed through a whole slice of fuel, or many short ones took a while,
//! tasks that have not begun are offered to the other threads: those whose code and captured values need nothing of
//! the home thread. A task that turns out to need it there has done nothing that anybody could see, and begins again
//! at home. So placement is never observable, and programs without long computations pay nothing for it.

use super::Run;
use crate::natives;
use crate::schedule::TaskId;
use crate::schedule::pool::{Job, Order, Pool, Report, Verdict};
use crate::schedule::task::{Role, State};
use harn_effect::EffectClass;
use harn_vm::parcel::Parcel;
use harn_vm::{Escape, code_address};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How far into the queue of ready tasks the search for one that may leave goes.
const REACH: usize = 64;
/// Short tasks are offered when so many milliseconds went by since the last look.
const BUSY_MS: i64 = 3;
/// How long the home thread waits for the others before it looks at its own affairs.
const REST: Duration = Duration::from_millis(5);

/// The other threads, and what is known about the program's code.
pub(super) struct Placement {
    threads: usize,
    pool: Option<Pool>,
    /// By address of the code of a body: whether it has to stay at home.
    stays: HashMap<usize, bool>,
    /// Tasks that are on other threads or queued for them.
    away: HashSet<TaskId>,
    looked_ms: i64,
}

impl Placement {
    /// Everything runs on the home thread.
    pub fn home() -> Placement {
        Placement { threads: 1, pool: None, stays: HashMap::new(), away: HashSet::new(), looked_ms: 0 }
    }
}

/// Whether a builtin needs the home thread: it asks the scheduler or the world. Output may travel, as text.
fn foreign(name: &str) -> bool {
    if natives::is_control(name) {
        return true;
    }
    let row = harn_builtins::lookup(name).and_then(harn_builtins::row);
    let prints = name.starts_with("print");
    row.is_some_and(|row| row.effect.is_some_and(|class| class != EffectClass::Ambient || !prints))
}

impl Run {
    /// Lets tasks run on up to `threads` threads; 1 keeps every task on the calling thread.
    pub fn use_threads(&mut self, threads: usize) {
        self.placement.threads = threads.max(1);
    }

    /// Many short tasks: offers some to the other threads when they take a while.
    pub(super) fn place_short(&mut self) {
        if self.placement.threads > 1 && self.ready.len() > 1 {
            let now = self.now();
            let took = now.saturating_sub(std::mem::replace(&mut self.placement.looked_ms, now));
            // After a rest the time says nothing about the tasks; the second look does.
            if (BUSY_MS..BUSY_MS * 1_000).contains(&took) {
                self.place();
            }
        }
        self.take_reports();
    }

    /// Offers tasks that have not begun to the other threads.
    pub(super) fn place(&mut self) {
        if self.placement.threads < 2
            || self.ready.is_empty()
            || self.sampler.is_some()
            || !self.gate.passes(EffectClass::Ambient)
        {
            return;
        }
        if self.placement.pool.is_none() {
            let started = self.vm.blueprint().and_then(|blueprint| {
                Pool::start(self.placement.threads - 1, &blueprint, crate::program::guest_outfit)
            });
            if started.is_none() {
                self.placement.threads = 1;
            }
            self.placement.pool = started;
        }
        let mut room = self.placement.pool.as_ref().map_or(0, Pool::room);
        let mut jobs = Vec::new();
        let mut at = 0;
        while room > 0 && at < self.ready.len().min(REACH) {
            let Some(job) = self.ready.get(at).copied().and_then(|id| self.job(id)) else {
                at += 1;
                continue;
            };
            self.ready.remove(at);
            room -= 1;
            jobs.push(job);
        }
        if let Some(pool) = self.placement.pool.as_ref().filter(|_| !jobs.is_empty()) {
            pool.send(jobs);
        }
    }

    /// A task as a job for another thread, if it may leave.
    fn job(&mut self, id: TaskId) -> Option<Job> {
        let task = self.tasks.get_mut(&id)?;
        if task.flagged || !matches!(task.role, Role::Spawned { .. } | Role::Body { .. }) {
            return None;
        }
        let (body, args) = task.fiber.as_ref()?.fresh_call()?;
        let address = code_address(body)?;
        let vm = &self.vm;
        let stays = *self.placement.stays.entry(address).or_insert_with(|| vm.needs_home(body, foreign));
        if stays {
            return None;
        }
        let packed = Parcel::pack(body).zip(args.iter().map(Parcel::pack).collect::<Option<Vec<_>>>());
        let Some((body, args)) = packed else {
            self.placement.stays.insert(address, true);
            return None;
        };
        let order = Arc::new(Order::default());
        task.state = State::Away(order.clone());
        self.placement.away.insert(id);
        Some(Job { id, body, args, order })
    }

    /// Takes in what the other threads have done; whether there was anything.
    pub(super) fn take_reports(&mut self) -> bool {
        let Some(pool) = self.placement.pool.as_ref().filter(|_| !self.placement.away.is_empty()) else {
            return false;
        };
        let reports = pool.reports();
        let any = !reports.is_empty();
        for report in reports {
            self.take_report(report);
        }
        any
    }

    fn take_report(&mut self, report: Report) {
        self.placement.away.remove(&report.id);
        let Some(task) = self.tasks.get_mut(&report.id) else { return };
        let result = match report.verdict {
            Verdict::Value(parcel) => self.vm.unpack(parcel),
            Verdict::Error(parcel) => Err(match self.vm.unpack_error(parcel) {
                Ok(error) | Err(error) => error,
            }),
            Verdict::Escaped(escape) => {
                let address =
                    task.fiber.as_ref().and_then(|f| f.fresh_call()).and_then(|(b, _)| code_address(b));
                let lent = match escape {
                    Escape::Global(module, index) => {
                        let value = self.vm.lend_global(&module, index);
                        value
                            .zip(self.placement.pool.as_ref())
                            .map(|(value, pool)| pool.lend(module, index, value))
                    }
                    Escape::Home => None,
                };
                if let (None, Some(address)) = (lent, address) {
                    self.placement.stays.insert(address, true);
                }
                return self.begin_at_home(report.id);
            }
        };
        task.fiber = None;
        task.output.push_str(&report.output);
        self.finish(report.id, result);
    }

    fn begin_at_home(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.state = State::Ready;
            self.ready.push_front(id);
        }
    }

    /// Nothing is ready at home: takes back a task that no other thread has begun, or waits a moment for those that
    /// run there. False when nothing is away.
    pub(super) fn wait_for_others(&mut self) -> bool {
        if self.placement.away.is_empty() {
            return false;
        }
        if self.take_reports() {
            return true;
        }
        let Some(pool) = self.placement.pool.as_ref() else { return false };
        if let Some(id) = pool.take_back() {
            self.placement.away.remove(&id);
            self.begin_at_home(id);
            return true;
        }
        pool.wait(REST);
        self.take_reports();
        self.look_outside();
        true
    }
}
