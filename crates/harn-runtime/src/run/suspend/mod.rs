//! Suspending and resuming (spec 08 section 4.6): when nothing of a run can go on before somebody answers, its state is
//! written to the event log, and the process may end.
//!
//! A run whose state is written may go on here or elsewhere, but only once: before the first effect after that point the
//! run claims the suspension in the log. Who comes second stops without having done anything.

mod load;
mod save;

pub(crate) use save::{channel_parts, release as release_data};

use super::{Ending, Run, Surroundings};
use crate::progress::ProgressEvent;
use crate::schedule::task::{State, Wait};
use crate::suspensions::{self, Claim, Claimant, Launch, Suspension, Writing};
use harn_effect::{Op, Raised};
use harn_eventlog::Durability;
use harn_eventlog::store::again;
use harn_vm::Vm;
use harn_vm::snapshot::Unreadable;

/// The largest state that a waiting run writes without being asked to.
const UNASKED_BYTES: usize = 16 << 20;

/// How a run may be suspended.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How to run the program again.
    pub launch: Launch,
    /// The directory of the entry module, with a slash at the end; empty when it has none.
    pub root: String,
    /// Whether the process ends as soon as the run waits for somebody; else its state is written all the same, and it
    /// waits here.
    pub leave: bool,
    /// Who resumes, as others read it: host and process.
    pub process: String,
    /// The record by which a process went on that has died, where this one is to take its place.
    pub again: Option<u64>,
}

/// Where a run stands with the log.
#[derive(Default)]
pub(super) struct Suspending {
    plan: Option<Plan>,
    /// The suspension from which the run has not gone on: the record's id, and what it waits for.
    written: Option<(u64, Vec<String>)>,
    /// Whether the run has a record on the log at all.
    known: bool,
    /// Whether anything ran since the last look.
    stirred: bool,
    /// Why the run was not suspended the last time.
    refusal: Option<String>,
}

impl Suspending {
    /// Something of the run is about to run.
    pub fn stirred(&mut self) {
        self.stirred = true;
    }
}

impl Run {
    /// Lets the run be suspended; to be said before it is driven.
    pub fn allow_suspension(&mut self, plan: Plan) {
        self.suspending.plan = Some(plan);
        self.suspending.stirred = true;
    }

    /// A run that goes on from a suspension. `vm` has the program loaded and has run nothing. Nothing happens outside,
    /// and nothing is claimed, before the run does something.
    pub fn resume(
        vm: Vm,
        surroundings: Surroundings,
        suspension: &Suspension,
        state: &[u8],
        plan: Plan,
    ) -> Result<Run, Unreadable> {
        let mut run = Run::without_tasks(vm, surroundings);
        let elapsed = run.host.borrow().now_ms().saturating_sub(suspension.saved_at_ms);
        run.suspending = Suspending {
            plan: Some(plan),
            written: Some((suspension.id, suspension.waits_for.clone())),
            known: true,
            stirred: false,
            refusal: None,
        };
        run.load(state, suspension.monotonic_ms, elapsed)?;
        Ok(run)
    }

    /// Nothing is ready: writes the state when the run waits for somebody, and ends the process's part when it is to.
    pub(super) fn consider_suspending(&mut self) {
        let Some(leave) = self.suspending.plan.as_ref().map(|plan| plan.leave) else { return };
        if self.signal.is_some() || self.flights.is_empty() {
            return;
        }
        if !self.suspending.stirred {
            if leave && let Some((_, waits_for)) = &self.suspending.written {
                self.ending = Some(Ending::Suspended { waits_for: waits_for.clone() });
            }
            return;
        }
        // Who sleeps will run in a moment: not worth writing unless the process wants to leave.
        let sleeps = |state: &State| matches!(state, State::Waiting(Wait::Sleep));
        if !leave && self.tasks.any_order().any(|task| sleeps(&task.state)) {
            return;
        }
        self.suspending.stirred = false;
        match self.write_suspension(leave) {
            Ok(waits_for) if leave => self.ending = Some(Ending::Suspended { waits_for }),
            Ok(_) => {}
            Err(reason) => {
                if leave && self.suspending.refusal.as_deref() != Some(&reason) {
                    let text = format!("[harn] not suspended, waiting here: {reason}\n");
                    self.say(&text);
                    self.suspending.refusal = Some(reason);
                }
            }
        }
    }

    fn write_suspension(&mut self, leave: bool) -> Result<Vec<String>, String> {
        if !self.info.durable_log {
            return Err("the event log is in memory".to_owned());
        }
        let waits_for: Vec<String> = self.standings()?.into_iter().map(|s| s.waits_for).collect();
        let state = self.image()?;
        if !leave && state.len() > UNASKED_BYTES {
            return Err(format!("its state has {} bytes", state.len()));
        }
        // What this run went on from must be its own before a newer state takes its place.
        self.claim().map_err(|raised| format!("{raised:?}"))?;
        let (now_ms, monotonic_ms) = {
            let host = self.host.borrow();
            (host.now_ms(), host.monotonic_ms())
        };
        let store = self.log.get().map_err(|raised| format!("{raised:?}"))?;
        let store = &mut *store.borrow_mut();
        let Some(plan) = &self.suspending.plan else { return Err("no plan".to_owned()) };
        let writing = Writing {
            run_id: &self.info.run_id,
            launch: &plan.launch,
            waits_for: &waits_for,
            now_ms,
            monotonic_ms,
            state: &state,
        };
        let write = |store: &mut dyn harn_eventlog::Store| {
            let mut tx = store.begin(Durability::Synced)?;
            let id = suspensions::write(&mut *tx, &writing)?;
            tx.commit()?;
            Ok(id)
        };
        let id = again(|| write(store)).map_err(|error| error.to_string())?;
        self.suspending.written = Some((id, waits_for.clone()));
        self.suspending.known = true;
        Ok(waits_for)
    }

    /// Says that this process goes on from the suspension that was written last, before it does. An error: it must not,
    /// because another one does (the run is then ending) or because the log cannot be written.
    pub(super) fn claim(&mut self) -> Result<(), Raised> {
        let Some((id, _)) = self.suspending.written else { return Ok(()) };
        let Some(plan) = &self.suspending.plan else { return Ok(()) };
        let now_ms = self.host.borrow().now_ms();
        // A process that cannot be named can still go on: then nobody can tell later whether it lives.
        let holder = self.log.process().ok();
        let by = Claimant { process: &plan.process, holder: holder.as_deref() };
        let store = self.log.get()?;
        let claimed = {
            let store = &mut *store.borrow_mut();
            let mut claim = || {
                let mut tx = store.begin(Durability::Synced)?;
                let run_id = &self.info.run_id;
                let claimed = suspensions::claim(&mut *tx, run_id, id, by, plan.again, now_ms)?;
                if claimed == Claim::Taken {
                    return Ok(Some(Ending::Elsewhere));
                }
                for service in &mut self.services {
                    if let Err(reason) = service.go_on(&mut *tx, &self.log, now_ms)? {
                        return Ok(Some(Ending::Held { reason }));
                    }
                }
                tx.commit().map(|()| None)
            };
            again(&mut claim)
        };
        match claimed {
            Ok(None) => {
                self.suspending.written = None;
                Ok(())
            }
            Ok(ending) => {
                self.ending = ending;
                Err(Raised::Cancelled)
            }
            Err(error) => Err(crate::services::governance::log_error(&error)),
        }
    }

    /// Whether an effect shows nothing to the outside and changes nothing there.
    pub(super) fn is_harmless(op: Op) -> bool {
        matches!(
            op,
            Op::StdoutWrite
                | Op::ClockNow
                | Op::ClockMonotonic
                | Op::RandomBytes
                | Op::Progress
                | Op::RunInfo
        )
    }

    /// The run is over: what lies on the log for it is of no use any more.
    pub(super) fn forget_suspension(&mut self) {
        let outcome = match &self.ending {
            Some(Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. }) => return,
            _ if !self.suspending.known => return,
            Some(Ending::Value(_) | Ending::Exit(_)) => "done",
            Some(Ending::Failed(_)) => "failed",
            _ => "stopped",
        };
        // Also the end of a run is something that only one process may tell of.
        if let Err(raised) = self.claim() {
            if !matches!(self.ending, Some(Ending::Elsewhere | Ending::Held { .. })) {
                self.say(&format!("[harn] the end of the run is not on the log: {raised:?}\n"));
            }
            return;
        }
        let now_ms = self.host.borrow().now_ms();
        if let Ok(store) = self.log.get() {
            let ended = suspensions::end(&mut *store.borrow_mut(), &self.info.run_id, outcome, now_ms);
            if let Err(error) = ended {
                let text = format!("the end of the run is not on the log: {error}");
                self.progress.event(ProgressEvent::Note { text });
            }
        }
    }

    /// The operating system asks a run to stop that waits with its state written: it can simply go.
    pub(super) fn leave_on_signal(&mut self) -> bool {
        let Some((_, waits_for)) = &self.suspending.written else { return false };
        if self.suspending.stirred || !self.ready.is_empty() {
            return false;
        }
        self.ending = Some(Ending::Suspended { waits_for: waits_for.clone() });
        true
    }
}
