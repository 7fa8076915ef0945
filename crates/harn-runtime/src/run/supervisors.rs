//! Supervisors (spec 04 section 4.16): long-lived children that are started again by rule.

use super::tasks::Birth;
use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::supervisor::{ChildStatus, Mode, Status, Strategy, Supervisor, Ward, id_of};
use crate::schedule::task::{Identity, Role, State, TaskName, Wait};
use crate::schedule::timer::Purpose;
use harn_effect::Data;
use harn_eventlog::{Event, Json};
use harn_vm::{Fiber, Value, VmError};

const TOPIC: &str = "supervisor.lifecycle";

impl Run {
    /// Performs a `supervisor_*` builtin.
    pub(super) fn supervisor(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        name: &str,
        args: &[Value],
    ) -> Progressed {
        let result = if name == "supervisor_start" {
            self.start_supervisor(id, fiber, args)
        } else {
            let key = id_of(args.first());
            match self.supervisors.iter().position(|supervisor| supervisor.id == key) {
                None => Err(VmError::runtime(format!("{name}: unknown supervisor '{key}'"))),
                Some(at) if name == "supervisor_stop" => match self.stop_supervisor(id, at, args) {
                    Some(result) => result,
                    None => return Progressed::Suspended(Wait::Supervisor(at)),
                },
                Some(at) => Ok(self.supervisors.get(at).map_or(Value::NIL, |supervisor| match name {
                    "supervisor_state" => supervisor.describe(),
                    "supervisor_metrics" => supervisor.metrics(),
                    _ => Value::list(supervisor.events.clone()),
                })),
            }
        };
        match result {
            Ok(value) => fiber.resume_value(value),
            Err(error) => fiber.resume_error(error),
        }
        Progressed::Answered
    }

    fn start_supervisor(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        args: &[Value],
    ) -> Result<Value, Box<VmError>> {
        let spec = args.first().cloned().unwrap_or_default();
        let mut supervisor = Supervisor::parse(&spec, self.supervisors.len() + 1)?;
        let place = self.supervisors.iter().position(|other| other.id == supervisor.id);
        if place.and_then(|at| self.supervisors.get(at)).is_some_and(|other| !other.status.is_over()) {
            let text = format!("supervisor_start: supervisor '{}' already exists", supervisor.id);
            return Err(VmError::runtime(text));
        }
        supervisor.state = fiber.task_state().clone();
        if let Some(task) = self.tasks.get(&id) {
            supervisor.context = task.context.clone();
            supervisor.parent_id = task.identity.task_id();
        }
        let (handle, count) = (supervisor.handle(), supervisor.wards.len());
        // A terminated supervisor's id may be used again; its place is taken over.
        let at = match place.and_then(|at| self.supervisors.get_mut(at).map(|slot| (at, slot))) {
            Some((at, slot)) => {
                *slot = supervisor;
                at
            }
            None => {
                self.supervisors.push(supervisor);
                self.supervisors.len() - 1
            }
        };
        self.tell(at, None, "supervisor_started", String::new());
        for index in 0..count {
            self.start_ward(at, index);
        }
        Ok(handle)
    }

    fn ward(&mut self, at: usize, index: usize) -> Option<&mut Ward> {
        self.supervisors.get_mut(at)?.wards.get_mut(index)
    }

    /// Writes an event of a supervisor down: in its list and on the event log.
    fn tell(&mut self, at: usize, index: Option<usize>, kind: &'static str, message: String) {
        let at_ms = self.clock.now_ms(self.host.borrow().as_ref());
        let Some(supervisor) = self.supervisors.get_mut(at) else { return };
        let child = index.and_then(|index| supervisor.wards.get(index)).map(|ward| ward.name.clone());
        let seq = supervisor.events.len() as i64 + 1;
        let event = Value::dict([
            ("seq", Value::int(seq)),
            ("at_ms", Value::int(at_ms)),
            ("supervisor_id", Value::str(&supervisor.id)),
            ("child", child.as_deref().map(Value::str).unwrap_or_default()),
            ("kind", Value::str(kind)),
            ("message", Value::str(&message)),
        ]);
        supervisor.events.push(event.clone());
        // The list above is what programs read. A log that cannot be opened is reported by whoever needs it.
        if let Ok(log) = self.log.get() {
            let payload = Json::from(&harn_vm::to_data(&event).unwrap_or(Data::Nil));
            let _ = log.borrow_mut().append(TOPIC, Event::new(kind, payload, at_ms));
        }
    }

    fn start_ward(&mut self, at: usize, index: usize) {
        let Some(supervisor) = self.supervisors.get_mut(at) else { return };
        let (id, parent_id) = (supervisor.id.clone(), supervisor.parent_id.clone());
        let (state, context) = (supervisor.state.clone(), supervisor.context.clone());
        let Some(ward) = supervisor.wards.get_mut(index) else { return };
        let again = ward.attempt > 0;
        ward.attempt += 1;
        ward.status = ChildStatus::Running;
        ward.reason = None;
        ward.due = None;
        let argument = Value::dict([
            ("supervisor_id", Value::str(&id)),
            ("child_name", Value::str(&ward.name)),
            ("child_kind", Value::str(&ward.kind)),
            ("attempt", Value::int(ward.attempt)),
            ("restart_count", Value::int(ward.restarts)),
        ]);
        let identity = Identity {
            id: TaskName::Whole(format!("{parent_id}:supervisor:{id}:{}", ward.name).into()),
            parent_id: Some(parent_id.into()),
            name: format!("supervisor {}", ward.kind).into(),
            group_id: Some(id.into()),
        };
        let role = Role::Supervised { supervisor: at, index };
        let birth = Birth { role, identity, body: ward.body.clone(), args: vec![argument] };
        supervisor.count("started");
        if again {
            supervisor.count("restarted");
        }
        let task = self.foundling(birth, state, context);
        if let Some(ward) = self.ward(at, index) {
            ward.task = Some(task);
        }
        self.tell(at, Some(index), if again { "child_restarted" } else { "child_started" }, String::new());
    }

    /// The task of a child has ended by itself.
    pub(super) fn ward_done(
        &mut self,
        at: usize,
        index: usize,
        output: String,
        result: Result<Value, Box<VmError>>,
    ) {
        if !output.is_empty() {
            self.tell(at, Some(index), "child_output", output);
        }
        let Some(supervisor) = self.supervisors.get_mut(at) else { return };
        let (status, strategy) = (supervisor.status, supervisor.strategy);
        let Some(ward) = supervisor.wards.get_mut(index) else { return };
        ward.task = None;
        let mode = ward.policy.mode;
        let failure = match result {
            // A child that leaves by the error it was asked to stop with has stopped.
            Err(_) if status == Status::Draining => None,
            Err(error) => Some(error.report_message()),
            Ok(_) => None,
        };
        ward.reason = None;
        match failure {
            None => {
                ward.status = ChildStatus::Stopped;
                supervisor.count("stopped");
                self.tell(at, Some(index), "child_stopped", String::new());
                if status == Status::Running && mode == Mode::Always {
                    self.restart_later(at, index, "restart_backoff");
                }
            }
            Some(text) => {
                ward.status = ChildStatus::Failed;
                ward.last_error = Some(text.clone());
                supervisor.count("failed");
                self.tell(at, Some(index), "child_failed", text.clone());
                if status == Status::Running {
                    self.ward_failed(at, index, strategy, mode, text);
                }
            }
        }
        self.look_at_supervisor(at);
    }

    fn ward_failed(&mut self, at: usize, index: usize, strategy: Strategy, mode: Mode, text: String) {
        if strategy == Strategy::Escalate {
            self.tell(at, Some(index), "child_escalated", text);
            if let Some(supervisor) = self.supervisors.get_mut(at) {
                supervisor.count("escalated");
            }
            self.end_wards(at, 0, ChildStatus::Stopped);
            self.settle_supervisor(at, Status::Escalated);
            return;
        }
        if mode == Mode::Never || !self.may_restart(at, index) {
            return;
        }
        let first = match strategy {
            Strategy::OneForAll => 0,
            Strategy::RestForOne => index,
            _ => return self.restart_later(at, index, "restart_backoff"),
        };
        self.end_wards(at, first, ChildStatus::Stopped);
        let count = self.supervisors.get(at).map_or(0, |supervisor| supervisor.wards.len());
        for other in first..count {
            let reason = if other == index { "restart_backoff" } else { "propagation_restart" };
            self.restart_later(at, other, reason);
        }
    }

    /// Counts a failure; false when there were too many, and then says what becomes of the child.
    fn may_restart(&mut self, at: usize, index: usize) -> bool {
        let (now, wall) = (self.now(), self.clock.now_ms(self.host.borrow().as_ref()));
        let Some(ward) = self.ward(at, index) else { return false };
        let (Some(max), true) = (ward.policy.max, ward.policy.window_ms > 0) else { return true };
        let since = now.saturating_sub(ward.policy.window_ms);
        ward.failures.push_back(now);
        while ward.failures.front().is_some_and(|time| *time <= since) {
            ward.failures.pop_front();
        }
        if i64::try_from(ward.failures.len()).unwrap_or(i64::MAX) <= max {
            return true;
        }
        let message = match ward.policy.circuit_open_ms {
            Some(ms) => {
                ward.status = ChildStatus::CircuitOpen;
                ward.reason = Some("circuit_open");
                ward.due = Some((now.saturating_add(ms), wall.saturating_add(ms)));
                "circuit_open"
            }
            None => {
                ward.status = ChildStatus::Suppressed;
                ward.reason = Some("restart_cap_exceeded");
                "restart_cap_exceeded"
            }
        };
        if let Some(supervisor) = self.supervisors.get_mut(at) {
            supervisor.count("suppressed");
        }
        self.tell(at, Some(index), "child_suppressed", message.to_owned());
        false
    }

    fn restart_later(&mut self, at: usize, index: usize, reason: &'static str) {
        let (now, wall) = (self.now(), self.clock.now_ms(self.host.borrow().as_ref()));
        let Some(supervisor) = self.supervisors.get_mut(at) else { return };
        let id = supervisor.id.clone();
        let Some(ward) = supervisor.wards.get_mut(index) else { return };
        let delay = ward.policy.delay(ward.restarts, &format!("{id}/{}", ward.name));
        ward.restarts += 1;
        ward.status = ChildStatus::Waiting;
        ward.reason = Some(reason);
        ward.due = Some((now.saturating_add(delay), wall.saturating_add(delay)));
        self.tell(at, Some(index), "child_restart_started", format!("{reason}: in {delay}ms"));
    }

    /// The earliest restart.
    pub(super) fn next_restart(&self) -> Option<i64> {
        let wards = self.supervisors.iter().flat_map(|supervisor| &supervisor.wards);
        wards.filter_map(|ward| ward.due.map(|(due, _)| due)).min()
    }

    /// Starts the children whose time has come.
    pub(super) fn restart_due(&mut self, now: i64) {
        for at in 0..self.supervisors.len() {
            let count = self.supervisors.get(at).map_or(0, |supervisor| supervisor.wards.len());
            for index in 0..count {
                let Some(ward) = self.ward(at, index) else { continue };
                if ward.due.is_none_or(|(due, _)| due > now) {
                    continue;
                }
                if ward.status == ChildStatus::CircuitOpen {
                    ward.restarts = 0;
                    ward.failures.clear();
                }
                self.start_ward(at, index);
            }
        }
    }

    /// Stops the children from `first` on at once.
    fn end_wards(&mut self, at: usize, first: usize, status: ChildStatus) {
        let count = self.supervisors.get(at).map_or(0, |supervisor| supervisor.wards.len());
        for index in first..count {
            let Some(ward) = self.ward(at, index) else { continue };
            ward.due = None;
            ward.reason = None;
            let Some(task) = ward.task.take() else {
                if matches!(
                    ward.status,
                    ChildStatus::Waiting | ChildStatus::CircuitOpen | ChildStatus::Pending
                ) {
                    ward.status = status;
                }
                continue;
            };
            ward.status = status;
            let output = self.tasks.get_mut(&task).map(|task| std::mem::take(&mut task.output));
            self.stop(task);
            if let Some(output) = output.filter(|output| !output.is_empty()) {
                self.tell(at, Some(index), "child_output", output);
            }
            if let Some(supervisor) = self.supervisors.get_mut(at) {
                supervisor.count("stopped");
            }
            self.tell(at, Some(index), "child_stopped", String::new());
        }
    }

    /// Looks whether a supervisor is over.
    fn look_at_supervisor(&mut self, at: usize) {
        let Some(supervisor) = self.supervisors.get(at) else { return };
        if supervisor.wards.iter().any(Ward::is_live) {
            return;
        }
        match supervisor.status {
            Status::Running => {
                self.tell(at, None, "supervisor_completed", String::new());
                self.settle_supervisor(at, Status::Completed);
            }
            Status::Draining => {
                self.tell(at, None, "supervisor_stopped", "drained".to_owned());
                self.settle_supervisor(at, Status::Stopped);
            }
            _ => {}
        }
    }

    /// A supervisor is over: who waits for that goes on.
    fn settle_supervisor(&mut self, at: usize, status: Status) {
        let Some(supervisor) = self.supervisors.get_mut(at) else { return };
        supervisor.status = status;
        let (waiting, state) = (std::mem::take(&mut supervisor.stoppers), supervisor.describe());
        for task in waiting {
            let waits = matches!(
                self.tasks.get(&task).map(|task| &task.state),
                Some(State::Waiting(Wait::Supervisor(of))) if *of == at
            );
            if waits {
                let state = state.clone();
                self.wake(task, |fiber| fiber.resume_value(state));
            }
        }
    }

    /// `supervisor_stop`; nothing when the caller has to wait.
    fn stop_supervisor(
        &mut self,
        id: TaskId,
        at: usize,
        args: &[Value],
    ) -> Option<Result<Value, Box<VmError>>> {
        let supervisor = self.supervisors.get_mut(at)?;
        if supervisor.status.is_over() {
            return Some(Ok(supervisor.describe()));
        }
        let timeout = super::named::millis(args.get(1)).unwrap_or(supervisor.shutdown_ms);
        let begins = supervisor.status == Status::Running;
        supervisor.status = Status::Draining;
        let mut running = Vec::new();
        for ward in supervisor.wards.iter_mut().filter(|_| begins) {
            ward.due = None;
            match ward.task {
                Some(task) => {
                    running.push(task);
                    ward.status = ChildStatus::Draining;
                    ward.reason = Some("shutdown");
                }
                None if ward.status != ChildStatus::Failed && ward.status != ChildStatus::Suppressed => {
                    ward.status = ChildStatus::Stopped;
                    ward.reason = None;
                }
                None => {}
            }
        }
        if begins {
            self.tell(at, None, "supervisor_stopping", String::new());
        }
        for task in running {
            self.flag(task);
        }
        self.look_at_supervisor(at);
        let supervisor = self.supervisors.get_mut(at)?;
        if supervisor.status.is_over() {
            return Some(Ok(supervisor.describe()));
        }
        supervisor.stoppers.push(id);
        self.timers.set(self.now().saturating_add(timeout), Purpose::Timeout, self.waiter(id));
        None
    }

    /// The time of a `supervisor_stop` is up: what still runs is stopped.
    pub(super) fn force_supervisor(&mut self, at: usize) {
        self.end_wards(at, 0, ChildStatus::Stopped);
        self.tell(at, None, "supervisor_stopped", "forced".to_owned());
        self.settle_supervisor(at, Status::Stopped);
    }
}
