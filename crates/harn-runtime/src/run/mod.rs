//! The drive loop: steps tasks, performs what they ask for, delivers what comes back (law 2, 3 and 4).
//!
//! One thread runs all tasks of a program, each until it suspends. Nothing is ready: output is flushed, services are
//! polled, and the host waits for the next completion or timer.

mod channels;
mod effects;
mod groups;
mod named;
mod tasks;

use crate::clock::ProgramClock;
use crate::gate::Gate;
use crate::host_mock::HostMocks;
use crate::log_slot::LogSlot;
use crate::output::StdoutBuffer;
use crate::progress::Progress;
use crate::schedule::channel::Waiter;
use crate::schedule::group::{Group, GroupId};
use crate::schedule::task::{State, Wait};
use crate::schedule::timer::{Purpose, Timers};
use crate::schedule::{Task, TaskId};
use crate::service::{RunInfo, Service};
use harn_effect::{Host, HostEvent, Op, Ticket};
use harn_vm::{ErrorKind, Exit, Fiber, Value, Vm, VmError};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Jumps and calls that a task may take before the loop looks at signals, timers and deadlines.
const SLICE: u64 = 100_000;

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

/// A program being run.
pub struct Run {
    vm: Vm,
    host: Box<dyn Host>,
    services: Vec<Box<dyn Service>>,
    service_of: HashMap<Op, usize>,
    progress: Box<dyn Progress>,
    log: LogSlot,
    info: RunInfo,
    env: Box<dyn Fn(&str) -> Option<String>>,
    gate: Gate,
    clock: ProgramClock,
    mocks: HostMocks,
    stdout: StdoutBuffer,
    tasks: BTreeMap<TaskId, Task>,
    ready: VecDeque<TaskId>,
    timers: Timers,
    groups: BTreeMap<GroupId, Group>,
    flights: HashMap<Ticket, TaskId>,
    next_task: u64,
    next_group: u64,
    next_ticket: u64,
    /// The task that holds the default mutex, and who waits for it.
    mutex: (Option<TaskId>, VecDeque<Waiter>),
    ending: Option<Ending>,
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
        let mut service_of = HashMap::new();
        for (index, service) in surroundings.services.iter().enumerate() {
            service_of.extend(service.ops().iter().map(|op| (*op, index)));
        }
        let mut run = Run {
            vm,
            host: surroundings.host,
            services: surroundings.services,
            service_of,
            progress: surroundings.progress,
            log: surroundings.log,
            info: surroundings.info,
            env: surroundings.env,
            gate: Gate::default(),
            clock: ProgramClock::default(),
            mocks: HostMocks::default(),
            stdout: StdoutBuffer::new(surroundings.stdout_is_terminal),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            timers: Timers::default(),
            groups: BTreeMap::new(),
            flights: HashMap::new(),
            next_task: 0,
            next_group: 0,
            next_ticket: 0,
            mutex: (None, VecDeque::new()),
            ending: None,
        };
        run.add_root(root);
        run
    }

    /// The rules of the run, to be set before it is driven.
    pub fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// Runs the program to its end. Output is written on every way out.
    pub fn drive(&mut self) -> Ending {
        while self.ending.is_none() {
            self.fire_timers();
            match self.ready.pop_front() {
                Some(id) => self.run_task(id),
                None => self.wait(),
            }
        }
        self.flush();
        let mut services = std::mem::take(&mut self.services);
        for service in &mut services {
            self.with_cx(TaskId::ROOT, |cx| service.finish(cx));
        }
        self.services = services;
        self.ending.take().unwrap_or(Ending::Exit(0))
    }

    /// Runs one task until it suspends or ends.
    fn run_task(&mut self, id: TaskId) {
        let Some(mut fiber) = self.tasks.get_mut(&id).and_then(|task| task.fiber.take()) else { return };
        loop {
            let exit = self.vm.step(&mut fiber, SLICE);
            let progressed = match exit {
                Exit::Done(value) => return self.finish(id, Ok(value)),
                Exit::Failed(error) => return self.finish(id, Err(error)),
                Exit::OutOfFuel => {
                    self.look_around(id, &mut fiber);
                    Progressed::Answered
                }
                Exit::Effect(call) => self.effect(id, &mut fiber, call),
                Exit::Control(control) => self.control(id, &mut fiber, control),
            };
            if self.ending.is_some() {
                return;
            }
            if let Progressed::Suspended(wait) = progressed {
                return self.suspend(id, fiber, wait);
            }
        }
    }

    /// Between two slices of a computing task: signals, requests to stop, deadlines of others.
    fn look_around(&mut self, id: TaskId, fiber: &mut Fiber) {
        let event = self.host.wait(Some(self.host.monotonic_ms()));
        self.take_event(event);
        self.fire_timers();
        if let Some(task) = self.tasks.get(&id)
            && task.flagged
        {
            fiber.interrupt(cancelled());
        }
    }

    /// Parks a task. Its deadline becomes a timer.
    fn suspend(&mut self, id: TaskId, fiber: Fiber, wait: Wait) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let deadline = fiber.deadline();
        task.fiber = Some(fiber);
        let flagged = task.flagged && wait.polls_flag();
        task.state = State::Waiting(wait);
        let waiter = Waiter { task: id, epoch: task.epoch };
        if let Some(due) = deadline {
            self.timers.set(due, Purpose::Deadline, waiter);
        }
        if flagged {
            self.wake(id, |fiber| fiber.resume_error(cancelled()));
        }
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
        task.state = State::Ready;
        task.epoch += 1;
        self.ready.push_back(id);
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
        let now = self.host.monotonic_ms();
        while let Some((purpose, waiter)) = self.timers.pop_due(now) {
            if self.is_alive(waiter) {
                self.fire(purpose, waiter.task, now);
            }
        }
    }

    fn fire(&mut self, purpose: Purpose, id: TaskId, now: i64) {
        match purpose {
            Purpose::Timeout => self.time_out(id),
            Purpose::Deadline => {
                let error =
                    self.tasks.get_mut(&id).and_then(|t| t.fiber.as_mut()).and_then(|f| f.expire(now));
                if let Some(error) = error {
                    self.give_up(id);
                    self.wake(id, |fiber| fiber.resume_error(error));
                }
            }
            Purpose::Grace => {
                self.give_up(id);
                self.wake(id, |fiber| fiber.resume_error(cancelled()));
            }
        }
    }

    /// The ordinary end of a wait whose time is up.
    fn time_out(&mut self, id: TaskId) {
        let Some(State::Waiting(wait)) = self.tasks.get(&id).map(|task| &task.state) else { return };
        match wait {
            Wait::Graceful(target) => {
                let target = *target;
                self.stop(target);
                self.tasks.remove(&target);
                let text = "cancel_graceful: timeout, task forcefully aborted";
                self.wake(id, |fiber| fiber.resume_value(Value::err(Value::str(text))));
            }
            Wait::Select { channels, form } => {
                let (count, form) = (channels.len(), *form);
                self.wake(id, |fiber| fiber.resume_value(channels::nothing_selected(form, count)));
            }
            _ => self.wake(id, |fiber| fiber.resume_value(Value::NIL)),
        }
    }

    /// Nothing is ready: waits for the world.
    fn wait(&mut self) {
        self.flush();
        self.poll_services();
        if !self.ready.is_empty() || self.ending.is_some() {
            return;
        }
        let now = self.host.monotonic_ms();
        let tasks = &self.tasks;
        let alive = |w: Waiter| {
            tasks.get(&w.task).is_some_and(|t| t.epoch == w.epoch && matches!(t.state, State::Waiting(_)))
        };
        let timer = self.timers.next_due(alive);
        let poll = self.services.iter().filter_map(|service| service.next_poll_ms()).min();
        if timer.is_none() && poll.is_none() && self.flights.is_empty() {
            return self.deadlock();
        }
        let until = [timer, poll].into_iter().flatten().min();
        if until.is_some_and(|until| until <= now) {
            return;
        }
        let event = self.host.wait(until);
        self.take_event(event);
    }

    fn take_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Done(ticket, outcome) => self.host_done(ticket, outcome),
            HostEvent::Chunk(ticket, text) => self.host_chunk(ticket, &text),
            HostEvent::Signal(number) => self.ending = Some(Ending::Signal(number)),
            HostEvent::TimedOut => {}
        }
    }

    /// Every task waits for another one: the first that waits for the program itself gets an error that names what.
    fn deadlock(&mut self) {
        let stuck = self.tasks.iter().find_map(|(id, task)| match &task.state {
            State::Waiting(wait) => Some((*id, wait.on_program().unwrap_or_else(|| "a wait".to_owned()))),
            _ => None,
        });
        match stuck {
            Some((id, what)) => {
                let error = VmError::runtime(format!("deadlock: every task is waiting ({what})"));
                self.wake(id, |fiber| fiber.resume_error(error));
            }
            None => self.ending = Some(Ending::Value(Value::NIL)),
        }
    }
}

/// The error of a task that was asked to stop.
pub(crate) fn cancelled() -> Box<VmError> {
    VmError::new(ErrorKind::Cancelled)
}
