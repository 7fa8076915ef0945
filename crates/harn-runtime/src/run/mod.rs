//! The drive loop: steps tasks, performs what they ask for, delivers what comes back (law 2, 3 and 4).
//!
//! One thread runs all tasks of a program, each until it suspends. Nothing is ready: output is flushed, services are
//! polled, and the host waits for the next completion or timer.

mod channels;
mod context;
mod effects;
mod entries;
mod groups;
mod locks;
mod mailboxes;
mod named;
mod placement;
mod sleeping;
mod supervisors;
mod suspend;
mod tasks;

pub use suspend::Plan;
pub(crate) use suspend::{channel_parts, release_data};

use crate::clock::ProgramClock;
use crate::gate::Gate;
use crate::host_mock::HostMocks;
use crate::log_slot::LogSlot;
use crate::output::StdoutBuffer;
use crate::progress::Progress;
use crate::schedule::channel::Waiter;
use crate::schedule::circuit::Circuits;
use crate::schedule::group::{Group, GroupId};
use crate::schedule::lock::{Locks, Release};
use crate::schedule::mailbox::Mailboxes;
use crate::schedule::shared::Shared;
use crate::schedule::supervisor::Supervisor;
use crate::schedule::task::{State, Wait};
use crate::schedule::timer::{Purpose, Timers};
use crate::schedule::{TaskId, Tasks};
use crate::service::{RunInfo, Service};
use harn_effect::{Data, Host, HostEvent, Op, Request, Ticket};
use harn_vm::{ErrorKind, Exit, Fiber, TaskState, TraceFrame, Value, Vm, VmError};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

/// Jumps and calls that a task may take before the loop looks at signals, timers and deadlines.
const SLICE: u64 = 50_000;
/// What a task that was asked to stop may still run (spec 04 section 4.2, rule 3), and what an effect counts for.
const FLAGGED_FUEL: u64 = 1024;
const EXIT_FUEL: u64 = 4;
/// How long a suspended task that was asked to stop may finish what it does (rule 2).
const GRACE_MS: i64 = 250;
/// How long a program may tidy up after a signal.
const SIGNAL_GRACE_MS: i64 = 2_000;
/// So many turns of the loop, and the outside is looked at even though tasks are ready.
const LOOK_EVERY: u32 = 64;

/// How a program ended.
pub enum Ending {
    /// With the value of its entry.
    Value(Value),
    /// With an error that nothing caught.
    Failed(Box<VmError>),
    /// By `exit(code)`.
    Exit(i64),
    /// Because the operating system asked, with the signal's number.
    Signal(i32),
    /// It waits for somebody, and its state is on the event log.
    Suspended {
        /// Ids of the requests and waitpoints.
        waits_for: Vec<String>,
    },
    /// Another process went on with it; this one has done nothing since.
    Elsewhere,
    /// It could go on and must not yet; its state is on the event log, and this process has done nothing.
    Held {
        /// Why, in one sentence.
        reason: String,
    },
}

/// What a run is made of besides its program.
pub struct Surroundings {
    /// The outside world.
    pub host: Box<dyn Host>,
    /// Effects that the runtime performs itself.
    pub services: Vec<Box<dyn Service>>,
    /// Who watches.
    pub progress: Box<dyn Progress>,
    /// The active event log.
    pub log: LogSlot,
    /// What the run is.
    pub info: RunInfo,
    /// Environment variables, for services.
    pub env: Box<dyn Fn(&str) -> Option<String>>,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
}

/// The host, also within reach of the machine's clock.
type World = Rc<RefCell<Box<dyn Host>>>;

/// A program being run.
pub struct Run {
    vm: Vm,
    host: World,
    services: Vec<Box<dyn Service>>,
    service_of: HashMap<Op, usize>,
    progress: Box<dyn Progress>,
    log: LogSlot,
    info: RunInfo,
    env: Box<dyn Fn(&str) -> Option<String>>,
    gate: Gate,
    recorder: crate::recorder::Recorder,
    clock: ProgramClock,
    mocks: HostMocks,
    stdout: StdoutBuffer,
    tasks: Tasks,
    ready: VecDeque<TaskId>,
    timers: Timers,
    /// Who sleeps by the mocked clock; times are of its monotonic half.
    sleepers: Timers,
    groups: BTreeMap<GroupId, Group>,
    flights: HashMap<Ticket, TaskId>,
    next_task: u64,
    next_group: u64,
    next_ticket: u64,
    /// The budgeted decisions that pay for the effect being started.
    charged: Vec<String>,
    locks: Locks,
    /// The permits of `mutex` blocks, by the task that is inside.
    blocks: HashMap<TaskId, Vec<Release>>,
    mailboxes: Mailboxes,
    shared: Shared,
    circuits: Circuits,
    supervisors: Vec<Supervisor>,
    placement: placement::Placement,
    /// The signal that asked the program to stop, and when its time is up.
    signal: Option<(i32, i64)>,
    turns: u32,
    ending: Option<Ending>,
    suspending: suspend::Suspending,
    /// When the run is over whatever it does, on the monotonic clock, and how long it was given.
    limit: Option<(i64, i64)>,
    sampler: Option<Box<dyn Sampler>>,
    /// Set while the program is entered piece by piece: the natives' state of the root task between two pieces.
    entries: Option<TaskState>,
}

/// Sees where the time of a run goes (`harn profile`).
pub trait Sampler {
    /// Jumps and calls between two looks.
    fn fuel(&self) -> u64;
    /// The time since the last call was spent in the innermost of these frames.
    fn sample(&mut self, trace: Vec<TraceFrame>);
}

/// What a step of the scheduler did for a suspended task.
pub(crate) enum Progressed {
    /// The fiber has its answer and goes on.
    Answered,
    /// The task waits.
    Suspended(Wait),
}

impl Run {
    /// A run of `root` on `vm`.
    pub fn new(vm: Vm, root: Fiber, surroundings: Surroundings) -> Run {
        let mut run = Run::without_tasks(vm, surroundings);
        run.add_root(root);
        run
    }

    /// A run of nothing yet.
    fn without_tasks(mut vm: Vm, surroundings: Surroundings) -> Run {
        let host: World = Rc::new(RefCell::new(surroundings.host));
        let clock = host.clone();
        vm.set_clock(Box::new(move || clock.borrow().monotonic_ms()));
        let mut service_of = HashMap::new();
        for (index, service) in surroundings.services.iter().enumerate() {
            service_of.extend(service.ops().iter().map(|op| (*op, index)));
        }
        Run {
            vm,
            host,
            services: surroundings.services,
            service_of,
            progress: surroundings.progress,
            log: surroundings.log,
            info: surroundings.info,
            env: surroundings.env,
            gate: Gate::default(),
            recorder: crate::recorder::Recorder::default(),
            clock: ProgramClock::default(),
            mocks: HostMocks::default(),
            stdout: StdoutBuffer::new(surroundings.stdout_is_terminal),
            tasks: Tasks::default(),
            ready: VecDeque::new(),
            timers: Timers::default(),
            sleepers: Timers::default(),
            groups: BTreeMap::new(),
            flights: HashMap::new(),
            next_task: 0,
            next_group: 0,
            next_ticket: 0,
            charged: Vec::new(),
            locks: Locks::default(),
            blocks: HashMap::new(),
            mailboxes: Mailboxes::default(),
            shared: Shared::default(),
            circuits: Circuits::default(),
            supervisors: Vec::new(),
            placement: placement::Placement::home(),
            signal: None,
            turns: 0,
            ending: None,
            limit: None,
            sampler: None,
            suspending: suspend::Suspending::default(),
            entries: None,
        }
    }

    /// The rules of the run, to be set before it is driven.
    pub fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// Ends the run with an error after so many milliseconds, also in the middle of a loop that computes.
    pub fn limit_time(&mut self, ms: i64) {
        self.limit = Some((self.now().saturating_add(ms), ms));
    }

    /// Has `sampler` look at the running task again and again.
    pub fn sample_with(&mut self, sampler: Box<dyn Sampler>) {
        self.sampler = Some(sampler);
    }

    /// How often the lines of the program were reached, when it was loaded with probes: see `Vm::line_hits`.
    pub fn line_hits(&self) -> Vec<(String, Vec<(u32, u64)>)> {
        self.vm.line_hits()
    }

    fn sample(&mut self, fiber: &Fiber) {
        if let Some(sampler) = &mut self.sampler {
            sampler.sample(fiber.trace());
        }
    }

    /// Ends the run when its time is up; the error says where `fiber`, or else the root task, was.
    fn end_in_time(&mut self, fiber: Option<&Fiber>) {
        let Some((_, ms)) = self.limit.filter(|(until, _)| *until <= self.now()) else { return };
        let mut error = VmError::new(ErrorKind::Thrown(Value::string(format!("timed out after {ms}ms"))));
        let root = self.tasks.get(&TaskId::ROOT).and_then(|task| task.fiber.as_deref());
        error.trace = fiber.or(root).map(Fiber::trace).unwrap_or_default();
        self.ending.get_or_insert(Ending::Failed(error));
    }

    /// Runs the program to its end. Output is written on every way out.
    pub fn drive(&mut self) -> Ending {
        self.turn_until_ending();
        self.forget_suspension();
        self.finish_services();
        match (self.ending.take(), self.signal) {
            (Some(ending @ (Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. })), _) => {
                ending
            }
            (Some(Ending::Exit(code)), _) => Ending::Exit(code),
            (_, Some((number, _))) => Ending::Signal(number),
            (Some(ending), None) => ending,
            (None, None) => Ending::Exit(0),
        }
    }

    fn turn_until_ending(&mut self) {
        while self.ending.is_none() {
            self.fire_timers();
            self.turns = self.turns.wrapping_add(1);
            if self.turns.is_multiple_of(LOOK_EVERY) {
                self.look_outside();
                self.place_short();
            }
            match self.ready.pop_front() {
                Some(id) => self.run_task(id),
                None => self.wait(),
            }
        }
        self.flush();
    }

    fn finish_services(&mut self) {
        let mut services = std::mem::take(&mut self.services);
        for service in &mut services {
            self.with_cx(TaskId::ROOT, |cx| service.finish(cx));
        }
        self.services = services;
    }

    /// Runs one task until it suspends or ends.
    fn run_task(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let Some(mut fiber) = task.fiber.take() else { return };
        // A wait that is over belongs to the place that waited.
        if let Some(sampler) = &mut self.sampler {
            sampler.sample(fiber.trace());
        }
        self.suspending.stirred();
        // A task that was asked to stop has so much left to run until that is thrown at it.
        let mut flagged = task.flagged;
        let mut fuel_left = FLAGGED_FUEL;
        let mut answered: u32 = 0;
        loop {
            let slice = self.sampler.as_ref().map_or(SLICE, |sampler| sampler.fuel());
            let exit = self.vm.step(&mut fiber, if flagged { fuel_left } else { slice });
            self.sample(&fiber);
            let progressed = match exit {
                Exit::Done(value) => {
                    self.keep_state(id, &mut fiber);
                    return self.finish(id, Ok(value));
                }
                Exit::Failed(error) => return self.finish(id, Err(error)),
                Exit::OutOfFuel => {
                    if flagged {
                        fiber.interrupt(cancelled());
                        fuel_left = FLAGGED_FUEL;
                    }
                    self.take_reports();
                    self.place();
                    self.look_outside();
                    self.end_in_time(Some(&fiber));
                    self.fire_timers();
                    Progressed::Answered
                }
                Exit::Effect(call) => {
                    let progressed = self.effect(id, &mut fiber, call);
                    self.sample(&fiber);
                    progressed
                }
                Exit::Control(control) => self.control(id, &mut fiber, control),
            };
            if self.ending.is_some() {
                return;
            }
            // An effect that is answered at once gives the fiber fresh fuel: whoever only prints is interrupted here.
            answered = answered.wrapping_add(1);
            if answered.is_multiple_of(LOOK_EVERY) {
                self.look_outside();
                self.end_in_time(Some(&fiber));
                self.fire_timers();
            }
            match progressed {
                Progressed::Answered => {}
                Progressed::Suspended(wait) => return self.suspend(id, fiber, wait),
            }
            if !self.locks.dropped.borrow().is_empty() {
                self.collect_permits();
            }
            // The request to stop may have come in this very step.
            flagged = self.tasks.get(&id).is_some_and(|task| task.flagged);
            fuel_left = fuel_left.saturating_sub(EXIT_FUEL);
        }
    }

    /// Looks for signals and completions without waiting.
    fn look_outside(&mut self) {
        loop {
            let event = self.host.borrow_mut().wait(Some(i64::MIN));
            if event == HostEvent::TimedOut {
                break;
            }
            self.take_event(event);
        }
        // What services owe does not wait for a task that computes on and on.
        let now = self.now();
        if self.services.iter().any(|service| service.next_poll_ms().is_some_and(|due| due <= now)) {
            self.poll_services();
        }
    }

    /// Parks a task. Its deadline becomes a timer.
    fn suspend(&mut self, id: TaskId, fiber: Box<Fiber>, wait: Wait) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let deadline = fiber.deadline();
        task.fiber = Some(fiber);
        let at_once = task.flagged && wait.polls_flag();
        let in_time = task.flagged && !at_once;
        task.state = State::Waiting(wait);
        let waiter = Waiter { task: id, epoch: task.epoch };
        if let Some(due) = deadline {
            self.timers.set(due, Purpose::Deadline, waiter);
        }
        if in_time {
            self.timers.set(self.now().saturating_add(GRACE_MS), Purpose::Grace, waiter);
        }
        if at_once {
            self.interrupt_wait(id, cancelled());
        }
    }

    /// The monotonic clock.
    pub(crate) fn now(&self) -> i64 {
        self.host.borrow().monotonic_ms()
    }

    /// Ends the wait of a task with what `answer` gives its fiber.
    pub(crate) fn wake(&mut self, id: TaskId, answer: impl FnOnce(&mut Fiber)) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if !matches!(task.state, State::Waiting(_)) {
            return;
        }
        if let Some(fiber) = &mut task.fiber {
            answer(fiber);
        }
        let waited = std::mem::replace(&mut task.state, State::Ready);
        let waiter = Waiter { task: id, epoch: task.epoch };
        task.epoch += 1;
        self.ready.push_back(id);
        if let State::Waiting(wait) = waited {
            self.leave_queues(waiter, &wait);
        }
    }

    /// Takes a task whose wait is over out of the places that it was not taken out of by being served.
    fn leave_queues(&mut self, waiter: Waiter, wait: &Wait) {
        match wait {
            Wait::Select { channels, .. } => {
                for channel in channels {
                    channel.state.borrow_mut().forget(waiter);
                }
            }
            Wait::Await(target) | Wait::Graceful(target) => {
                if let Some(target) = self.tasks.get_mut(target) {
                    target.readers.retain(|reader| *reader != waiter.task);
                }
            }
            Wait::Stream(group) => {
                if let Some(group) = self.groups.get_mut(group) {
                    group.reader = None;
                }
            }
            _ => {}
        }
    }

    /// Ends a wait by an error: what was under way for it is given up first.
    fn interrupt_wait(&mut self, id: TaskId, error: Box<VmError>) {
        self.give_up(id);
        self.wake(id, |fiber| fiber.resume_error(error));
    }

    /// Where the present suspension of a task stands in queues and timers. Called while the task still runs.
    pub(crate) fn waiter(&self, id: TaskId) -> Waiter {
        Waiter { task: id, epoch: self.tasks.get(&id).map_or(0, |task| task.epoch) }
    }

    /// Whether a place in a queue still means something.
    pub(crate) fn is_alive(&self, waiter: Waiter) -> bool {
        self.tasks
            .get(&waiter.task)
            .is_some_and(|task| task.epoch == waiter.epoch && matches!(task.state, State::Waiting(_)))
    }

    fn fire_timers(&mut self) {
        let now = self.now();
        while let Some((purpose, waiter)) = self.timers.pop_due(now) {
            if self.is_alive(waiter) {
                self.fire(purpose, waiter.task, now);
            }
        }
        self.restart_due(now);
        if let Some((number, until)) = self.signal
            && until <= now
        {
            self.ending.get_or_insert(Ending::Signal(number));
        }
        self.end_in_time(None);
    }

    fn fire(&mut self, purpose: Purpose, id: TaskId, now: i64) {
        match purpose {
            Purpose::Timeout => self.time_out(id),
            Purpose::Deadline => {
                let error =
                    self.tasks.get_mut(&id).and_then(|t| t.fiber.as_mut()).and_then(|f| f.expire(now));
                if let Some(error) = error {
                    if let ErrorKind::Deadline { level } = error.kind {
                        self.stop_children_inside(id, level);
                    }
                    self.interrupt_wait(id, error);
                }
            }
            Purpose::Grace => self.interrupt_wait(id, cancelled()),
        }
    }

    /// The ordinary end of a wait whose time is up.
    fn time_out(&mut self, id: TaskId) {
        let Some(State::Waiting(wait)) = self.tasks.get(&id).map(|task| &task.state) else { return };
        match wait {
            Wait::Graceful(target) => {
                let target = *target;
                let text = "cancel_graceful: timeout, task forcefully aborted";
                self.wake(id, |fiber| fiber.resume_value(Value::err(Value::str(text))));
                self.stop(target);
            }
            Wait::Select { channels, form } => {
                let (count, form) = (channels.len(), *form);
                self.wake(id, |fiber| fiber.resume_value(channels::nothing_selected(form, count)));
            }
            Wait::Lock(lock) => {
                let lock = lock.clone();
                if let Some(lock) = self.locks.by_id.get_mut(&lock) {
                    lock.timed_out += 1;
                }
                self.leave_lock_queue(&lock, self.waiter(id));
                self.wake(id, |fiber| fiber.resume_value(Value::NIL));
            }
            Wait::Supervisor(at) => {
                let at = *at;
                self.force_supervisor(at);
            }
            _ => self.wake(id, |fiber| fiber.resume_value(Value::NIL)),
        }
    }

    /// Nothing is ready: waits for the world.
    fn wait(&mut self) {
        self.flush();
        self.collect_permits();
        self.poll_services();
        if !self.ready.is_empty() || self.ending.is_some() || self.wait_for_others() {
            return;
        }
        if self.skip_to_next_sleeper() {
            return;
        }
        self.consider_suspending();
        if self.ending.is_some() {
            return;
        }
        let tasks = &self.tasks;
        let alive = |w: Waiter| {
            tasks.get(&w.task).is_some_and(|t| t.epoch == w.epoch && matches!(t.state, State::Waiting(_)))
        };
        let timer = [self.timers.next_due(alive), self.next_restart()].into_iter().flatten().min();
        let poll = self.services.iter().filter_map(|service| service.next_poll_ms()).min();
        if timer.is_none() && poll.is_none() && self.flights.is_empty() {
            return self.deadlock();
        }
        let stop = self.signal.map(|(_, until)| until);
        let limit = self.limit.map(|(until, _)| until);
        let until = [timer, poll, stop, limit].into_iter().flatten().min();
        let event = self.host.borrow_mut().wait(until);
        self.take_event(event);
    }

    fn take_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Done(ticket, outcome) => self.host_done(ticket, outcome),
            HostEvent::Chunk(ticket, text) => self.host_chunk(ticket, &text),
            HostEvent::Signal(number) => self.stop_on_signal(number),
            HostEvent::Woken | HostEvent::TimedOut => {}
        }
    }

    /// The operating system asks the program to stop: it may tidy up for a moment (spec 09 section 2.1).
    fn stop_on_signal(&mut self, number: i32) {
        if self.signal.is_some() {
            self.ending.get_or_insert(Ending::Signal(number));
            return;
        }
        if self.leave_on_signal() {
            return;
        }
        self.signal = Some((number, self.now().saturating_add(SIGNAL_GRACE_MS)));
        self.flush();
        if self.entries.is_none() {
            self.say("[harn] signal received, flushing state...\n");
        }
        self.flag(TaskId::ROOT);
    }

    /// Writes to standard error, past everything.
    fn say(&mut self, text: &str) {
        let request = Request { op: Op::StderrWrite, args: Data::dict([("text", Data::from(text))]) };
        // Standard error may be gone; there is nobody to tell.
        let _ = self.host.borrow_mut().start(Ticket(u64::MAX), request);
    }

    /// Every task waits for another one: the first that waits for something else than a task gets an error that names
    /// what (spec 04 section 4.1).
    fn deadlock(&mut self) {
        let waits = || {
            self.tasks.in_order().filter_map(|(id, task)| match &task.state {
                State::Waiting(wait) => Some((id, wait)),
                _ => None,
            })
        };
        let leaf = waits().find_map(|(id, wait)| wait.on_primitive().map(|what| (id, what)));
        let stuck = leaf.or_else(|| waits().next().map(|(id, _)| (id, "await".to_owned())));
        match stuck {
            Some((id, what)) => {
                let text = format!("{what} can never finish: every task of the program is waiting");
                self.interrupt_wait(id, VmError::runtime(text));
            }
            None => self.ending = Some(Ending::Value(Value::NIL)),
        }
    }
}

/// The error of a task that was asked to stop.
pub(crate) fn cancelled() -> Box<VmError> {
    VmError::new(ErrorKind::Cancelled)
}
