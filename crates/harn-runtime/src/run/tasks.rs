//! Tasks: their beginning, their end, waiting for them, stopping them (spec 04 section 4.2).

use super::{Ending, Progressed, Run, cancelled};
use crate::schedule::task::{Child, ChildNames, Role, State, TaskHandle, Wait};
use crate::schedule::timer::Purpose;
use crate::schedule::{Task, TaskId};
use crate::service::TaskInfo;
use harn_vm::{Fiber, Value, View, VmError};
use std::rc::Rc;

/// How long a suspended task that was asked to stop may finish what it does.
const GRACE_MS: i64 = 250;

impl Run {
    pub(super) fn add_root(&mut self, fiber: Fiber) {
        let info = TaskInfo { task_id: "task_root".to_owned(), ..TaskInfo::default() };
        self.add(Role::Root, fiber, Rc::new(info), false);
    }

    /// Adds a ready task.
    pub(super) fn add(&mut self, role: Role, fiber: Fiber, info: Rc<TaskInfo>, flagged: bool) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        let limit = fiber.deadline();
        let task = Task {
            id,
            role,
            fiber: Some(fiber),
            state: State::Ready,
            epoch: 0,
            children: Vec::new(),
            groups: Vec::new(),
            flagged,
            flagged_fuel: 0,
            output: String::new(),
            limit,
            names: ChildNames::default(),
            info,
        };
        self.tasks.insert(id, task);
        self.ready.push_back(id);
        id
    }

    /// A task that runs `body` with `args`, heir of what its creator has.
    pub(super) fn child(
        &mut self,
        owner: TaskId,
        parent: &Fiber,
        role: Role,
        body: Value,
        args: Vec<Value>,
    ) -> TaskId {
        let mut fiber = self.vm.call(body, args);
        fiber.inherit(parent);
        let (info, flagged) = match self.tasks.get(&owner) {
            Some(task) => (task.info.clone(), task.flagged),
            None => (Rc::default(), false),
        };
        let info = TaskInfo { task_id: format!("vm_task_{}", self.next_task), context: info.context.clone() };
        self.add(role, fiber, Rc::new(info), flagged)
    }

    pub(super) fn spawn(&mut self, owner: TaskId, fiber: &mut Fiber, body: Value) -> Progressed {
        let id = self.child(owner, fiber, Role::Spawned { owner }, body, Vec::new());
        if let Some(task) = self.tasks.get_mut(&owner) {
            task.children.push(Child { id, deadlines: fiber.deadline_depth() });
        }
        fiber.resume_value(Value::handle(Rc::new(TaskHandle { id })));
        Progressed::Answered
    }

    /// The task that a value is the handle of.
    pub(super) fn task_of(value: Option<&Value>) -> Option<TaskId> {
        match value?.view() {
            View::Handle(handle) => handle.as_any().downcast_ref::<TaskHandle>().map(|handle| handle.id),
            _ => None,
        }
    }

    pub(super) fn await_task(&mut self, id: TaskId, fiber: &mut Fiber, value: Option<&Value>) -> Progressed {
        let Some(target) = Self::task_of(value) else {
            fiber.resume_value(value.cloned().unwrap_or_default());
            return Progressed::Answered;
        };
        match self.tasks.get(&target).map(|task| &task.state) {
            None => {
                fiber.resume_value(Value::NIL);
                Progressed::Answered
            }
            Some(State::Done(_)) => {
                match self.collect(target, id) {
                    Ok(value) => fiber.resume_value(value),
                    Err(error) => fiber.resume_error(error),
                }
                Progressed::Answered
            }
            Some(_) => Progressed::Suspended(Wait::Await(target)),
        }
    }

    /// Takes a finished task's result and gives its output to `reader`.
    fn collect(&mut self, target: TaskId, reader: TaskId) -> Result<Value, Box<VmError>> {
        let Some(task) = self.tasks.remove(&target) else { return Ok(Value::NIL) };
        self.print(reader, &task.output);
        match task.state {
            State::Done(result) => result,
            _ => Ok(Value::NIL),
        }
    }

    /// `cancel`: stops a task where it is, without running its handlers.
    pub(super) fn cancel(&mut self, value: Option<&Value>) {
        if let Some(target) = Self::task_of(value) {
            self.stop(target);
            self.tasks.remove(&target);
        }
    }

    /// Ends a task and all it owns at once. Its record stays, without a result.
    pub(super) fn stop(&mut self, id: TaskId) {
        self.give_up(id);
        self.leave_mutex(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.fiber = None;
        task.state = State::Done(Ok(Value::NIL));
        task.epoch += 1;
        self.stop_owned(id);
        self.wake_awaiters(id);
    }

    /// Stops everything that a task owns.
    fn stop_owned(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let children = std::mem::take(&mut task.children);
        let groups = std::mem::take(&mut task.groups);
        for child in children {
            self.stop(child.id);
            self.tasks.remove(&child.id);
        }
        for group in groups {
            self.drop_group(group);
        }
    }

    pub(super) fn cancel_graceful(&mut self, id: TaskId, fiber: &mut Fiber, args: &[Value]) -> Progressed {
        let Some(target) = Self::task_of(args.first()) else {
            fiber.resume_value(Value::NIL);
            return Progressed::Answered;
        };
        match self.tasks.get(&target).map(|task| &task.state) {
            None => {
                fiber.resume_value(Value::ok(Value::NIL));
                Progressed::Answered
            }
            Some(State::Done(_)) => {
                fiber.resume_value(graceful(self.collect(target, id)));
                Progressed::Answered
            }
            Some(_) => {
                let timeout = super::named::millis(args.get(1)).unwrap_or(5_000);
                let due = self.host.monotonic_ms().saturating_add(timeout);
                self.timers.set(due, Purpose::Timeout, self.waiter(id));
                self.flag(target);
                Progressed::Suspended(Wait::Graceful(target))
            }
        }
    }

    /// Asks a task, and what it spawned, to stop.
    fn flag(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.flagged = true;
        let children: Vec<TaskId> = task.children.iter().map(|child| child.id).collect();
        let (waiting, polls) = match &task.state {
            State::Waiting(wait) => (true, wait.polls_flag()),
            _ => (false, false),
        };
        if polls {
            self.wake(id, |fiber| fiber.resume_error(cancelled()));
        } else if waiting {
            let due = self.host.monotonic_ms().saturating_add(GRACE_MS);
            self.timers.set(due, Purpose::Grace, self.waiter(id));
        }
        for child in children {
            self.flag(child);
        }
    }

    /// A task has ended by itself.
    pub(super) fn finish(&mut self, id: TaskId, result: Result<Value, Box<VmError>>) {
        self.leave_mutex(id);
        self.stop_owned(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.epoch += 1;
        match task.role {
            Role::Root => {
                self.ending.get_or_insert(match result {
                    Ok(value) => Ending::Value(value),
                    Err(error) => Ending::Failed(error),
                });
            }
            Role::Spawned { .. } => {
                task.state = State::Done(result);
                self.wake_awaiters(id);
            }
            Role::Body { group, index } => {
                let output = std::mem::take(&mut task.output);
                self.tasks.remove(&id);
                self.body_done(group, index, id, output, result);
            }
        }
    }

    /// Gives the result of a finished task to the first that waits for it; later ones get nil.
    fn wake_awaiters(&mut self, target: TaskId) {
        let readers: Vec<(TaskId, bool)> = self
            .tasks
            .iter()
            .filter_map(|(id, task)| match task.state {
                State::Waiting(Wait::Await(of)) if of == target => Some((*id, false)),
                State::Waiting(Wait::Graceful(of)) if of == target => Some((*id, true)),
                _ => None,
            })
            .collect();
        for (reader, is_graceful) in readers {
            let result = self.collect(target, reader);
            self.wake(reader, |fiber| match result {
                result if is_graceful => fiber.resume_value(graceful(result)),
                Ok(value) => fiber.resume_value(value),
                Err(error) => fiber.resume_error(error),
            });
        }
    }
}

/// The result of `cancel_graceful` for a task that ended so.
fn graceful(result: Result<Value, Box<VmError>>) -> Value {
    match result {
        Ok(value) => Value::ok(value),
        Err(error) => Value::err(Value::string(error.report_message())),
    }
}
