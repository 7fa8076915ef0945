//! Tasks: their beginning, their end, waiting for them, stopping them (spec 04 section 4.2).

use super::{Ending, GRACE_MS, Progressed, Run, cancelled};
use crate::schedule::task::{Child, ChildNames, Identity, Role, State, TaskHandle, TaskName, Wait};
use crate::schedule::timer::Purpose;
use crate::schedule::{Task, TaskId};
use harn_vm::{Fiber, TaskState, Value, View, VmError};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A new task before it has a place in the scheduler.
pub(super) struct Birth {
    pub role: Role,
    pub identity: Identity,
    pub body: Value,
    pub args: Vec<Value>,
}

impl Run {
    pub(super) fn add_root(&mut self, fiber: Fiber) {
        let id = TaskName::Whole("task_root".into());
        let identity = Identity { id, parent_id: None, name: "root".into(), group_id: None };
        self.next_task = self.next_task.max(1);
        self.add_as(TaskId::ROOT, Role::Root, fiber, identity, BTreeMap::new(), false);
    }

    /// Adds a ready task.
    fn add(
        &mut self,
        role: Role,
        fiber: Fiber,
        identity: Identity,
        context: BTreeMap<String, Value>,
        flagged: bool,
    ) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        self.add_as(id, role, fiber, identity, context, flagged);
        id
    }

    fn add_as(
        &mut self,
        id: TaskId,
        role: Role,
        fiber: Fiber,
        identity: Identity,
        context: BTreeMap<String, Value>,
        flagged: bool,
    ) {
        let task = Task {
            role,
            fiber: Some(Box::new(fiber)),
            state: State::Ready,
            epoch: 0,
            children: BTreeMap::new(),
            groups: Vec::new(),
            flagged,
            output: String::new(),
            readers: Vec::new(),
            names: ChildNames::default(),
            identity,
            context,
            dispatch: None,
        };
        self.tasks.insert(id, task);
        self.ready.push_back(id);
    }

    /// A task that is the heir of what its creator has: task state, deadlines, context, the request to stop.
    pub(super) fn child(&mut self, owner: TaskId, parent: &Fiber, birth: Birth) -> TaskId {
        let mut fiber = self.vm.call(birth.body, birth.args);
        fiber.inherit(parent);
        let (context, flagged) = match self.tasks.get(&owner) {
            Some(task) => (task.context.clone(), task.flagged),
            None => (BTreeMap::new(), false),
        };
        self.add(birth.role, fiber, birth.identity, context, flagged)
    }

    /// A task that no task owns (a supervisor's child): it has no deadlines and starts with copies of this state.
    pub(super) fn foundling(
        &mut self,
        birth: Birth,
        state: TaskState,
        context: BTreeMap<String, Value>,
    ) -> TaskId {
        let mut fiber = self.vm.call(birth.body, birth.args);
        *fiber.task_state() = state;
        self.add(birth.role, fiber, birth.identity, context, false)
    }

    pub(super) fn spawn(&mut self, owner: TaskId, fiber: &mut Fiber, body: Value) -> Progressed {
        let Some(task) = self.tasks.get_mut(&owner) else { return Progressed::Answered };
        task.names.spawned += 1;
        let (own, stem) = task.names.given.get_or_insert_with(|| {
            let own = task.identity.task_id();
            let stem = format!("{own}:spawn");
            (own.into(), stem.into())
        });
        let identity = Identity {
            id: TaskName::Numbered(stem.clone(), task.names.spawned),
            parent_id: Some(own.clone()),
            name: "spawn".into(),
            group_id: task.identity.group_id.clone(),
        };
        let birth = Birth { role: Role::Spawned { owner }, identity, body, args: Vec::new() };
        let id = self.child(owner, fiber, birth);
        if let Some(task) = self.tasks.get_mut(&owner) {
            task.children.insert(id, Child { id, deadlines: fiber.deadline_depth() });
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
        match self.tasks.get_mut(&target) {
            None => fiber.resume_value(Value::NIL),
            Some(task) if matches!(task.state, State::Done(_)) => match self.collect(target, id) {
                Ok(value) => fiber.resume_value(value),
                Err(error) => fiber.resume_error(error),
            },
            Some(task) => {
                task.readers.push(id);
                return Progressed::Suspended(Wait::Await(target));
            }
        }
        Progressed::Answered
    }

    /// Takes a finished task's result and gives its output to `reader`.
    fn collect(&mut self, target: TaskId, reader: TaskId) -> Result<Value, Box<VmError>> {
        let Some(task) = self.tasks.remove(&target) else { return Ok(Value::NIL) };
        self.print(reader, &task.output);
        if let Role::Spawned { owner } = task.role
            && let Some(owner) = self.tasks.get_mut(&owner)
        {
            owner.children.remove(&target);
        }
        match task.state {
            State::Done(result) => result,
            _ => Ok(Value::NIL),
        }
    }

    /// `cancel`: stops a task where it is, without running its handlers.
    pub(super) fn cancel(&mut self, value: Option<&Value>) {
        if let Some(target) = Self::task_of(value) {
            self.stop(target);
        }
    }

    /// Ends a task and all it owns at once, and forgets it. Who waits for it gets nil; what it printed is not lost.
    pub(super) fn stop(&mut self, id: TaskId) {
        self.give_up(id);
        self.leave_blocks(id);
        self.stop_owned(id, 0);
        let Some(mut task) = self.tasks.remove(&id) else { return };
        let heir = match task.role {
            Role::Root => TaskId::ROOT,
            Role::Spawned { owner } => owner,
            Role::Body { group, .. } => self.groups.get(&group).map_or(TaskId::ROOT, |group| group.owner),
            // Its text is on the supervisor's events.
            Role::Supervised { .. } => TaskId::ROOT,
        };
        self.print(heir, &task.output);
        if let Some(owner) = self.tasks.get_mut(&heir) {
            owner.children.remove(&id);
        }
        if let State::Away(order) = &task.state {
            order.stop();
        }
        for reader in std::mem::take(&mut task.readers) {
            self.wake(reader, |fiber| fiber.resume_value(Value::NIL));
        }
    }

    /// Stops what a task owns and was spawned inside at least `depth` deadlines; with depth 0 also its groups.
    fn stop_owned(&mut self, id: TaskId, depth: usize) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let children: Vec<TaskId> =
            task.children.values().filter(|child| child.deadlines >= depth).map(|child| child.id).collect();
        for child in children {
            self.stop(child);
        }
        if depth == 0 {
            self.stop_groups(id);
        }
    }

    /// Stops the `parallel` expressions of a task.
    fn stop_groups(&mut self, id: TaskId) {
        let groups = self.tasks.get_mut(&id).map(|task| std::mem::take(&mut task.groups)).unwrap_or_default();
        for group in groups {
            self.drop_group(group);
        }
    }

    /// A deadline has passed: the tasks that were spawned inside its block are stopped.
    pub(super) fn stop_children_inside(&mut self, id: TaskId, level: usize) {
        self.stop_owned(id, level + 1);
    }

    pub(super) fn cancel_graceful(&mut self, id: TaskId, fiber: &mut Fiber, args: &[Value]) -> Progressed {
        let Some(target) = Self::task_of(args.first()) else {
            fiber.resume_value(Value::NIL);
            return Progressed::Answered;
        };
        match self.tasks.get_mut(&target) {
            None => fiber.resume_value(Value::ok(Value::NIL)),
            Some(task) if matches!(task.state, State::Done(_)) => {
                fiber.resume_value(graceful(self.collect(target, id)));
            }
            Some(task) => {
                task.readers.push(id);
                let timeout = super::named::millis(args.get(1)).unwrap_or(5_000);
                self.timers.set(self.now().saturating_add(timeout), Purpose::Timeout, self.waiter(id));
                self.flag(target);
                return Progressed::Suspended(Wait::Graceful(target));
            }
        }
        Progressed::Answered
    }

    /// Asks a task, and what it started, to stop.
    pub(super) fn flag(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if std::mem::replace(&mut task.flagged, true) {
            return;
        }
        let mut started: Vec<TaskId> = task.children.values().map(|child| child.id).collect();
        let waiting = match &task.state {
            State::Waiting(wait) => Some(wait.polls_flag()),
            State::Away(order) => {
                order.flag();
                None
            }
            _ => None,
        };
        for group in &task.groups {
            started
                .extend(self.groups.get(group).into_iter().flat_map(|group| group.running.iter().copied()));
        }
        match waiting {
            Some(true) => self.interrupt_wait(id, cancelled()),
            Some(false) => {
                let due = self.now().saturating_add(GRACE_MS);
                self.timers.set(due, Purpose::Grace, self.waiter(id));
            }
            None => {}
        }
        for id in started {
            self.flag(id);
        }
    }

    /// A task has ended by itself.
    pub(super) fn finish(&mut self, id: TaskId, result: Result<Value, Box<VmError>>) {
        self.leave_blocks(id);
        if self.lives_on(id) {
            self.stop_groups(id);
        } else {
            self.stop_owned(id, 0);
        }
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.epoch += 1;
        match task.role {
            Role::Root => {
                self.ending.get_or_insert(match result {
                    Ok(value) => Ending::Value(value),
                    Err(error) => Ending::Failed(error),
                });
            }
            Role::Spawned { owner } => {
                // Of a task that failed the text comes before its error does.
                let failed = result.is_err();
                let output = if failed { std::mem::take(&mut task.output) } else { String::new() };
                task.state = State::Done(result);
                self.print(owner, &output);
                self.wake_readers(id);
            }
            Role::Body { group, index } => {
                let output = std::mem::take(&mut task.output);
                self.tasks.remove(&id);
                self.body_done(group, index, id, output, result);
            }
            Role::Supervised { supervisor, index } => {
                let output = std::mem::take(&mut task.output);
                self.tasks.remove(&id);
                self.ward_done(supervisor, index, output, result);
            }
        }
    }

    /// Gives the result of a finished task to the first that waits for it; later ones get nil.
    fn wake_readers(&mut self, target: TaskId) {
        let Some(task) = self.tasks.get_mut(&target) else { return };
        for reader in std::mem::take(&mut task.readers) {
            let is_graceful = matches!(
                self.tasks.get(&reader).map(|task| &task.state),
                Some(State::Waiting(Wait::Graceful(_)))
            );
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
