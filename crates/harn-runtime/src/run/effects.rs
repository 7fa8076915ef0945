//! Effects: the gate, the services, the host, standard output.

use super::{Progressed, Run};
use crate::ceiling;
use crate::confinement;
use crate::gate::{self, Ruling};
use crate::recorder::{self, Recorder};
use crate::schedule::task::{State, Wait};
use crate::schedule::{Task, TaskId};
use crate::service::{ServiceCx, Started, TaskInfo};
use crate::services;
use harn_agent::stack::AgentStack;
use harn_effect::{Data, EffectClass, Op, Outcome, Raised, Request, Ticket};
use harn_govern::effects::Verdict;
use harn_vm::{EffectCall, Fiber, VmError, to_data};

impl Run {
    /// Performs an effect of a task, or starts it.
    pub(super) fn effect(&mut self, id: TaskId, fiber: &mut Fiber, call: EffectCall) -> Progressed {
        if call.request.op.class() != EffectClass::Ambient
            && let Some(task) = self.tasks.get_mut(&id)
        {
            task.dispatch = crate::gate::dispatch(fiber).map(Box::new);
        }
        // Who goes on from a suspension says so before anything else is written or done.
        if !Run::is_harmless(call.request.op)
            && let Err(raised) = self.claim()
        {
            fiber.resume(Err(raised));
            return Progressed::Answered;
        }
        let decision = match self.rule(id, fiber, &call.request) {
            Ok(decision) => decision,
            Err(raised) => {
                fiber.resume(Err(raised));
                return Progressed::Answered;
            }
        };
        match call.request.op {
            Op::StdoutWrite => {
                self.print(id, call.request.args.field("text").as_str().unwrap_or_default());
                fiber.resume(Ok(Data::Nil));
                return Progressed::Answered;
            }
            Op::ClockNow => {
                fiber.resume(Ok(Data::Int(self.clock.now_ms(self.host.borrow().as_ref()))));
                return Progressed::Answered;
            }
            Op::ClockMonotonic => {
                fiber.resume(Ok(Data::Int(self.clock.monotonic_ms(self.host.borrow().as_ref()))));
                return Progressed::Answered;
            }
            op if recorder::is_own(op) => {
                let outcome = self.with_recorder(id, |recorder, cx| match op {
                    Op::ToolCall => recorder.tool_call(cx, &call.request),
                    _ => recorder.tool_done(cx, &call.request),
                });
                fiber.resume(outcome);
                return Progressed::Answered;
            }
            Op::StderrWrite | Op::StdinRead => self.flush(),
            _ => {}
        }
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        if matches!(call.request.op, Op::LlmCall | Op::LlmStreamRun | Op::AutonomySpend) {
            let stack = fiber.task_state().peek::<AgentStack>();
            self.charged = stack.map(|stack| stack.decisions()).unwrap_or_default();
        }
        let started = self.start(id, ticket, call.request.clone());
        self.charged.clear();
        match started {
            Some(outcome) => {
                if let Some(decision) = decision {
                    self.with_recorder(id, |recorder, cx| recorder.outcome(cx, &decision, &outcome));
                }
                fiber.resume(outcome);
                Progressed::Answered
            }
            None => {
                if let Some(decision) = decision {
                    self.recorder.started(ticket, decision);
                }
                self.flights.insert(ticket, id);
                Progressed::Suspended(Wait::Effect { ticket, call })
            }
        }
    }

    /// Rules on a request and makes the ruling durable (laws 3 and 4). The id of the decision when it was recorded; the
    /// error when the effect must not happen.
    fn rule(&mut self, id: TaskId, fiber: &mut Fiber, request: &Request) -> Result<Option<String>, Raised> {
        let ruling = match self.confined(fiber, request) {
            Some(raised) => Ruling::Deny(gate::acting(fiber), raised),
            None => self.gate.decide(fiber, request),
        };
        match ruling {
            Ruling::Allow => Ok(None),
            Ruling::Record(acting) => {
                let reason = acting.cites.as_ref().map(|request| format!("approved by {request}"));
                let ruled = self.with_recorder(id, |recorder, cx| {
                    recorder.decide(cx, request, &acting, Verdict::Allow, reason)
                });
                ruled.map(Some)
            }
            Ruling::Deny(acting, raised) => {
                let reason = recorder::text_of(&raised);
                // A refusal stands whether or not it can be written.
                let _ = self.with_recorder(id, |recorder, cx| {
                    recorder.decide(cx, request, &acting, Verdict::Deny, Some(reason))
                });
                Err(raised)
            }
            Ruling::Propose(acting, raised, proposal) => {
                let reason = recorder::text_of(&raised);
                let proposed = self.with_recorder(id, |recorder, cx| {
                    let _ = recorder.decide(cx, request, &acting, Verdict::Deny, Some(reason));
                    recorder.propose(cx, &proposal)
                });
                Err(match proposed {
                    Ok(()) => raised,
                    Err(cause) => recorder::with_cause(raised, &cause),
                })
            }
        }
    }

    /// Why the policy of the agent that the task belongs to closes an effect, when it does.
    fn confined(&self, fiber: &mut Fiber, request: &Request) -> Option<Raised> {
        if self.gate.passes(request.op.class()) {
            return None;
        }
        let policy = confinement::policy(fiber)?;
        let in_tool = fiber.task_state().peek::<AgentStack>().is_some_and(|stack| stack.tool().is_some());
        // The loop itself may call its model; what runs in a tool needs the capability.
        if request.op.class() == EffectClass::Model && !in_tool {
            return None;
        }
        let builtin = ceiling::builtin(fiber, request);
        let own = services::run_info::state_root(&self.info.base_dir, (self.env)("HARN_STATE_DIR"));
        confinement::refusal(&policy, &builtin, request, &own, self.host.borrow_mut().as_mut())
    }

    /// Calls the recorder with the context of a task.
    fn with_recorder<T>(&mut self, id: TaskId, f: impl FnOnce(&mut Recorder, &ServiceCx<'_>) -> T) -> T {
        let mut recorder = std::mem::take(&mut self.recorder);
        let result = self.with_cx(id, |cx| f(&mut recorder, cx));
        self.recorder = recorder;
        result
    }

    /// Starts a ruled request; `Some` when it is already done.
    fn start(&mut self, id: TaskId, ticket: Ticket, request: Request) -> Option<Outcome> {
        let Some(index) = self.service_of.get(&request.op).copied() else {
            return self.host.borrow_mut().start(ticket, request);
        };
        let started = self.with_service(index, id, |service, cx| service.start(cx, ticket, request))?;
        self.settle(ticket, started)
    }

    /// What a service's step comes to.
    fn settle(&mut self, ticket: Ticket, started: Started) -> Option<Outcome> {
        match started {
            Started::Done(outcome) => Some(outcome),
            Started::Pending => None,
            Started::Forward(request) => {
                let outcome = self.host.borrow_mut().start(ticket, request)?;
                self.back_to_service(ticket, outcome)
            }
        }
    }

    /// A forwarded request is done: its service has the last word.
    fn back_to_service(&mut self, ticket: Ticket, outcome: Outcome) -> Option<Outcome> {
        let owner = self.flights.get(&ticket).copied();
        let Some((index, id)) = self.service_behind(ticket) else { return Some(outcome) };
        let started = self
            .with_service(index, owner.unwrap_or(id), |service, cx| service.host_done(cx, ticket, outcome))?;
        self.settle(ticket, started)
    }

    /// The service that performs the effect a ticket stands for.
    fn service_behind(&self, ticket: Ticket) -> Option<(usize, TaskId)> {
        let id = self.flights.get(&ticket).copied()?;
        match &self.tasks.get(&id)?.state {
            State::Waiting(Wait::Effect { call, .. }) => {
                self.service_of.get(&call.request.op).map(|index| (*index, id))
            }
            _ => None,
        }
    }

    /// The host finished an effect in flight.
    pub(super) fn host_done(&mut self, ticket: Ticket, outcome: Outcome) {
        let outcome = match self.service_behind(ticket) {
            Some(_) => self.back_to_service(ticket, outcome),
            None => Some(outcome),
        };
        if let Some(outcome) = outcome {
            self.deliver(ticket, outcome);
        }
    }

    /// A piece of a streamed answer arrived.
    pub(super) fn host_chunk(&mut self, ticket: Ticket, text: &str) {
        if let Some((index, id)) = self.service_behind(ticket) {
            self.with_service(index, id, |service, cx| service.host_chunk(cx, ticket, text));
        }
    }

    /// Hands an outcome to the task that waits for it.
    fn deliver(&mut self, ticket: Ticket, outcome: Outcome) {
        let Some(id) = self.flights.remove(&ticket) else { return };
        if self.recorder.holds(ticket) {
            self.with_recorder(id, |recorder, cx| recorder.finished(cx, ticket, &outcome));
        }
        let waits = matches!(
            self.tasks.get(&id).map(|task| &task.state),
            Some(State::Waiting(Wait::Effect { ticket: of, .. })) if *of == ticket
        );
        if waits {
            self.wake(id, |fiber| fiber.resume(outcome));
        }
    }

    /// Lets every service look at what waits.
    pub(super) fn poll_services(&mut self) {
        for index in 0..self.services.len() {
            let found =
                self.with_service(index, TaskId::ROOT, |service, cx| service.poll(cx)).unwrap_or_default();
            for (ticket, started) in found {
                if let Some(outcome) = self.settle(ticket, started) {
                    self.deliver(ticket, outcome);
                }
            }
        }
    }

    /// Gives up what a task waits for: an effect in flight is cancelled, bodies are stopped, queues are left.
    pub(super) fn give_up(&mut self, id: TaskId) {
        let waiter = self.waiter(id);
        let Some(State::Waiting(wait)) = self.tasks.get(&id).map(|task| &task.state) else { return };
        match wait {
            Wait::Effect { ticket, call } => {
                let (ticket, op) = (*ticket, call.request.op);
                self.flights.remove(&ticket);
                if self.recorder.holds(ticket) {
                    let given_up = Err(Raised::runtime("given up"));
                    self.with_recorder(id, |recorder, cx| recorder.finished(cx, ticket, &given_up));
                }
                if let Some(index) = self.service_of.get(&op).copied() {
                    self.with_service(index, id, |service, cx| service.cancel(cx, ticket));
                }
                self.host.borrow_mut().cancel(ticket);
            }
            Wait::Group(group) => {
                let group = *group;
                self.drop_group(group);
            }
            Wait::Receive { channel, .. } | Wait::Send { channel } => {
                channel.state.borrow_mut().forget(waiter);
            }
            Wait::Lock(lock) => {
                let lock = lock.clone();
                if let Some(lock) = self.locks.by_id.get_mut(&lock) {
                    lock.cancelled += 1;
                }
                self.leave_lock_queue(&lock, waiter);
            }
            _ => {}
        }
    }

    /// Calls a service with its context.
    pub(super) fn with_service<T>(
        &mut self,
        index: usize,
        id: TaskId,
        f: impl FnOnce(&mut dyn crate::service::Service, &mut ServiceCx<'_>) -> T,
    ) -> Option<T> {
        let mut services = std::mem::take(&mut self.services);
        let result = services.get_mut(index).map(|service| self.with_cx(id, |cx| f(service.as_mut(), cx)));
        self.services = services;
        result
    }

    /// Builds the context of services for one call.
    pub(super) fn with_cx<T>(&mut self, id: TaskId, f: impl FnOnce(&mut ServiceCx<'_>) -> T) -> T {
        let mut task = self.tasks.get(&id).map(task_info).unwrap_or_default();
        task.decisions.clone_from(&self.charged);
        let (now_ms, monotonic_ms, program_now_ms) = {
            let host = self.host.borrow();
            (host.now_ms(), host.monotonic_ms(), self.clock.now_ms(host.as_ref()))
        };
        let mut cx = ServiceCx {
            run: &self.info,
            task: &task,
            now_ms,
            monotonic_ms,
            program_now_ms,
            progress: self.progress.as_mut(),
            log: &self.log,
            mocks: &mut self.mocks,
            env: self.env.as_ref(),
        };
        f(&mut cx)
    }

    /// What a task prints: the root's goes out, a child's waits for its parent (spec 04 section 4.1.2).
    pub(super) fn print(&mut self, id: TaskId, text: &str) {
        if id == TaskId::ROOT {
            if self.stdout.push(text) {
                self.flush();
            }
        } else if let Some(task) = self.tasks.get_mut(&id) {
            task.output.push_str(text);
        }
    }

    /// Writes what the root has printed so far.
    pub(super) fn flush(&mut self) {
        if self.stdout.is_empty() {
            return;
        }
        if let Err(raised) = self.claim() {
            // What must not be shown yet stays; a log that cannot be written ends the run.
            self.ending.get_or_insert(super::Ending::Failed(VmError::raised(raised)));
            return;
        }
        if let Some(text) = self.stdout.take() {
            let request = Request { op: Op::StdoutWrite, args: Data::dict([("text", Data::Str(text))]) };
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            // Nobody reads any more (a closed pipe): the program ends quietly, as others do.
            if let Some(Err(_)) = self.host.borrow_mut().start(ticket, request) {
                self.ending.get_or_insert(super::Ending::Exit(0));
            }
        }
    }
}

/// A task as services see it.
fn task_info(task: &Task) -> TaskInfo {
    let context = task.context.iter().filter_map(|(key, value)| Some((key.clone(), to_data(value).ok()?)));
    TaskInfo {
        task_id: task.identity.task_id(),
        context: Data::dict(context),
        dispatch: task.dispatch.as_deref().cloned(),
        decisions: Vec::new(),
    }
}
