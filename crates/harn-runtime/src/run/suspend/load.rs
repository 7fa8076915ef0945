//! A run from what [`super::save`] wrote.

use super::super::Run;
use crate::schedule::channel::{Channel, SelectForm, Waiter};
use crate::schedule::group::{BodyResult, Group, GroupId, GroupKind, GroupStream};
use crate::schedule::lock::{Dropped, Lock, LockId, LockKind, LockWaiter, Permit, Release};
use crate::schedule::mailbox::Mailbox;
use crate::schedule::task::{Child, ChildNames, Identity, Role, State, TaskHandle, TaskName, Wait};
use crate::schedule::{Task, TaskId, Tasks};
use harn_agent::stack::AgentStack;
use harn_effect::{Data, Op, Request, Ticket};
use harn_vm::snapshot::{Restored, Unreadable};
use harn_vm::{EffectCall, Fiber, Handle, Value, View};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

type Loaded<T> = Result<T, Unreadable>;

fn damaged<T>(what: &str) -> Loaded<T> {
    Err(Unreadable::Damaged(what.to_owned()))
}

/// What a snapshot holds, while a run is made of it.
struct Loader {
    values: Vec<Value>,
    fibers: Vec<Option<Fiber>>,
    /// Whether the consumers of streamed groups still have their streams.
    wanted: HashMap<u64, Rc<Cell<bool>>>,
    /// What to add to a time of the monotonic clock of the process that wrote.
    shift: i64,
}

fn id(data: &Data) -> Loaded<u64> {
    data.as_int().and_then(|n| u64::try_from(n).ok()).map_or_else(|| damaged("a number is missing"), Ok)
}

fn index(data: &Data) -> Loaded<usize> {
    match usize::try_from(id(data)?) {
        Ok(n) => Ok(n),
        Err(_) => damaged("a number is too large"),
    }
}

fn int(data: &Data) -> i64 {
    data.as_int().unwrap_or(0)
}

fn list(data: &Data) -> &[Data] {
    data.as_list().unwrap_or_default()
}

fn at(items: &[Data], i: usize) -> &Data {
    const NIL: &Data = &Data::Nil;
    items.get(i).unwrap_or(NIL)
}

fn text(data: &Data) -> String {
    data.as_str().unwrap_or_default().to_owned()
}

fn flag(data: &Data) -> bool {
    data.as_bool().unwrap_or(false)
}

fn waiter(data: &Data) -> Loaded<Waiter> {
    let parts = list(data);
    Ok(Waiter { task: TaskId(id(at(parts, 0))?), epoch: id(at(parts, 1))? })
}

fn task_ids(data: &Data) -> Loaded<Vec<TaskId>> {
    list(data).iter().map(|n| id(n).map(TaskId)).collect()
}

fn lock_id(data: &Data) -> Loaded<LockId> {
    let parts = list(data);
    let kind = match at(parts, 0).as_str() {
        Some("gate") => LockKind::Gate,
        Some("mutex") => LockKind::Mutex,
        Some("rwlock") => LockKind::RwLock,
        Some("semaphore") => LockKind::Semaphore,
        _ => return damaged("a lock of no known kind"),
    };
    Ok(LockId { kind, key: text(at(parts, 1)).into() })
}

fn release(data: &Data, shift: i64) -> Loaded<Release> {
    Ok(Release {
        lock: lock_id(data.field("lock"))?,
        permits: int(data.field("permits")),
        since: int(data.field("since")).saturating_add(shift),
    })
}

/// Names that live as long as the program does.
fn made_by(name: &str) -> &'static str {
    const NAMES: &[&str] = &[
        "root",
        "spawn",
        "parallel",
        "parallel each",
        "parallel settle",
        "parallel each as stream",
        "parallel race",
    ];
    NAMES.iter().find(|known| **known == name).copied().unwrap_or("task")
}

/// Makes handles again: those of the scheduler here, the others in the standard library.
fn load_handle(
    kind: &str,
    data: &Data,
    wanted: &mut HashMap<u64, Rc<Cell<bool>>>,
    dropped: &Dropped,
    shift: i64,
) -> Option<Rc<dyn Handle>> {
    Some(match kind {
        "channel" => Rc::new(Channel::restored(data)?),
        "task" => Rc::new(TaskHandle { id: TaskId(id(data).ok()?) }),
        "stream" => {
            let group = id(data.field("group")).ok()?;
            let flag = wanted.entry(group).or_insert_with(|| Rc::new(Cell::new(true))).clone();
            Rc::new(GroupStream { group: GroupId(group), wanted: flag })
        }
        "permit" => Rc::new(Permit {
            release: release(data.field("release"), shift).ok()?,
            released: Cell::new(flag(data.field("released"))),
            dropped: dropped.clone(),
        }),
        _ => return harn_stdlib::suspension::load_handle(kind, data),
    })
}

impl Loader {
    fn value(&self, data: &Data) -> Loaded<Value> {
        let at = index(data)?;
        self.values.get(at).cloned().map_or_else(|| damaged("a value is missing"), Ok)
    }

    fn channel(&self, data: &Data) -> Loaded<Rc<Channel>> {
        match super::super::channels::channel_of(&self.value(data)?) {
            Some(channel) => Ok(channel),
            None => damaged("a channel is missing"),
        }
    }

    fn result(&self, data: &Data) -> Loaded<BodyResult> {
        let parts = list(data);
        let value = self.value(at(parts, 1))?;
        if flag(at(parts, 0)) {
            return Ok(Ok(value));
        }
        value.into_raw_error().map_or_else(|| damaged("an error is missing"), |error| Ok(Err(error)))
    }

    fn task(&mut self, data: &Data) -> Loaded<(TaskId, Task)> {
        let role = list(data.field("role"));
        let role = match at(role, 0).as_str() {
            Some("root") => Role::Root,
            Some("spawned") => Role::Spawned { owner: TaskId(id(at(role, 1))?) },
            Some("body") => Role::Body { group: GroupId(id(at(role, 1))?), index: index(at(role, 2))? },
            _ => return damaged("a task of no known kind"),
        };
        let mut fiber = match data.field("fiber") {
            Data::Nil => None,
            place => {
                let place = index(place)?;
                let taken = self.fibers.get_mut(place).and_then(Option::take);
                Some(Box::new(taken.map_or_else(|| damaged("a fiber is missing"), Ok)?))
            }
        };
        if let Some(fiber) = &mut fiber {
            fiber.shift_deadlines(self.shift);
            let stack = list(data.field("stack"));
            *fiber.task_state().get::<AgentStack>() = AgentStack::from_value(&self.value(at(stack, 0))?);
            harn_stdlib::suspension::load_task(fiber.task_state(), at(stack, 1));
        }
        let state = self.state(data.field("state"))?;
        if fiber.is_none() && !matches!(state, State::Done(_)) {
            return damaged("a task without a fiber");
        }
        let children = list(data.field("children"))
            .iter()
            .map(|child| {
                let parts = list(child);
                let child = TaskId(id(at(parts, 0))?);
                Ok((child, Child { id: child, deadlines: index(at(parts, 1))? }))
            })
            .collect::<Loaded<_>>()?;
        let names = list(data.field("names"));
        let identity = Identity {
            id: TaskName::Whole(text(data.field("task_id")).into()),
            parent_id: data.field("parent_id").as_str().map(Rc::from),
            name: text(data.field("made_by")).into(),
            group_id: data.field("group_id").as_str().map(Rc::from),
        };
        let context = match self.value(data.field("context"))?.view() {
            View::Dict(dict) => dict.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
            _ => BTreeMap::new(),
        };
        let task = Task {
            role,
            fiber,
            state,
            epoch: id(data.field("epoch"))?,
            children,
            groups: list(data.field("groups")).iter().map(|g| id(g).map(GroupId)).collect::<Loaded<_>>()?,
            flagged: flag(data.field("flagged")),
            output: text(data.field("output")),
            readers: task_ids(data.field("readers"))?,
            names: ChildNames { spawned: id(at(names, 0))?, groups: id(at(names, 1))?, given: None },
            identity,
            context,
            dispatch: None,
        };
        Ok((TaskId(id(data.field("id"))?), task))
    }

    fn state(&self, data: &Data) -> Loaded<State> {
        let parts = list(data);
        let first = at(parts, 1);
        let wait = match at(parts, 0).as_str().unwrap_or_default() {
            "done" => return self.result(first).map(State::Done),
            "sleep" => Wait::Sleep,
            "await" => Wait::Await(TaskId(id(first)?)),
            "graceful" => Wait::Graceful(TaskId(id(first)?)),
            "group" => Wait::Group(GroupId(id(first)?)),
            "stream" => Wait::Stream(GroupId(id(first)?)),
            "receive" => Wait::Receive { channel: self.channel(first)?, next: flag(at(parts, 2)) },
            "send" => Wait::Send { channel: self.channel(first)? },
            "select" => Wait::Select {
                channels: list(first).iter().map(|c| self.channel(c)).collect::<Loaded<_>>()?,
                form: if flag(at(parts, 2)) { SelectForm::Builtin } else { SelectForm::Statement },
            },
            "lock" => Wait::Lock(lock_id(first)?),
            "effect" => {
                let name = at(parts, 2).as_str().unwrap_or_default();
                let Some(op) = Op::ALL.iter().find(|op| op.name() == name).copied() else {
                    return damaged("an effect of no known kind");
                };
                let request = Request { op, args: at(parts, 3).clone() };
                Wait::Effect { ticket: Ticket(id(first)?), call: EffectCall { request, then: None } }
            }
            _ => return damaged("a wait of no known kind"),
        };
        Ok(State::Waiting(wait))
    }

    fn group(&mut self, data: &Data) -> Loaded<(GroupId, Group)> {
        let number = id(data.field("id"))?;
        let kind = match data.field("kind").as_str() {
            Some("all") => GroupKind::All,
            Some("settle") => GroupKind::Settle,
            Some("stream") => GroupKind::Stream,
            Some("race") => GroupKind::Race,
            _ => return damaged("a group of no known kind"),
        };
        let wanted = self.wanted.entry(number).or_insert_with(|| Rc::new(Cell::new(true))).clone();
        wanted.set(flag(data.field("wanted")));
        let results = list(data.field("results")).iter().map(|result| match result {
            Data::Nil => Ok(None),
            result => self.result(result).map(Some),
        });
        let results = results.collect::<Loaded<Vec<_>>>()?;
        let finished = list(data.field("finished")).iter().map(|r| self.result(r)).collect::<Loaded<_>>()?;
        let group = Group {
            owner: TaskId(id(data.field("owner"))?),
            kind,
            name: text(data.field("name")).into(),
            parent_id: text(data.field("parent_id")).into(),
            task_name: made_by(data.field("task_name").as_str().unwrap_or_default()),
            body: self.value(data.field("body"))?,
            items: list(data.field("items")).iter().map(|item| self.value(item)).collect::<Loaded<_>>()?,
            next: index(data.field("next"))?,
            max: match int(data.field("max")) {
                i64::MAX => usize::MAX,
                n => usize::try_from(n).unwrap_or(1),
            },
            running: task_ids(data.field("running"))?.into_iter().collect(),
            results,
            outputs: list(data.field("outputs")).iter().map(text).collect(),
            finished,
            reader: match data.field("reader") {
                Data::Nil => None,
                reader => Some(TaskId(id(reader)?)),
            },
            wanted,
        };
        Ok((GroupId(number), group))
    }
}

impl Run {
    /// Makes this run, which has a machine with the program loaded and no task yet, the one that was written.
    /// `elapsed_ms` is how long it lay, by the wall clock; `monotonic_ms` is the writer's monotonic clock then.
    pub(super) fn load(&mut self, bytes: &[u8], monotonic_ms: i64, elapsed_ms: i64) -> Loaded<()> {
        let shift = self.now().saturating_sub(monotonic_ms).saturating_sub(elapsed_ms.max(0));
        let dropped = self.locks.dropped.clone();
        let mut wanted = HashMap::new();
        let root = self.suspending.plan.as_ref().map(|plan| plan.root.clone()).unwrap_or_default();
        let Restored { state, values, fibers } = self
            .vm
            .restore(bytes, &root, &mut |kind, data| load_handle(kind, data, &mut wanted, &dropped, shift))?;
        let fibers = fibers.into_iter().map(Some).collect();
        let mut loader = Loader { values, fibers, wanted, shift };
        let mut tasks = Tasks::default();
        let mut standing = Vec::new();
        for data in list(state.field("tasks")) {
            let (id, task) = loader.task(data)?;
            if let State::Waiting(Wait::Effect { ticket, call }) = &task.state {
                let data = at(list(data.field("state")), 4).clone();
                standing.push((id, *ticket, call.request.op, data));
            }
            tasks.insert(id, task);
        }
        if !tasks.contains(&TaskId::ROOT) {
            return damaged("there is no root task");
        }
        for data in list(state.field("groups")) {
            let (id, group) = loader.group(data)?;
            self.groups.insert(id, group);
        }
        let next = list(state.field("next"));
        (self.next_task, self.next_group, self.next_ticket) =
            (id(at(next, 0))?, id(at(next, 1))?, id(at(next, 2))?);
        self.tasks = tasks;
        self.ready.clear();
        self.timers.load(state.field("timers"), shift);
        self.sleepers.load(state.field("sleepers"), 0);
        self.load_locks(&state, shift)?;
        for data in list(state.field("mailboxes")) {
            let counts = list(data.field("counts"));
            let found = Mailbox {
                channel: loader.channel(data.field("channel"))?,
                sent: int(at(counts, 0)),
                received: int(at(counts, 1)),
                failed: int(at(counts, 2)),
            };
            self.mailboxes.insert((text(data.field("scope")), text(data.field("name"))), found);
        }
        self.shared.load(state.field("shared"), &mut |data| loader.value(data).ok());
        self.clock.load(state.field("clock"));
        let circuits = if self.clock.is_mocked() { 0 } else { shift };
        self.circuits.load(state.field("circuits"), circuits);
        self.mocks.load(state.field("mocks"));
        self.recorder.load(state.field("recorder"));
        let kept = loader.value(state.field("natives"))?;
        harn_stdlib::suspension::load_program(self.vm.program_state(), &kept);
        self.load_services(state.field("services"), shift)?;
        self.stand_again(&standing, shift)
    }

    fn load_locks(&mut self, state: &Data, shift: i64) -> Loaded<()> {
        for data in list(state.field("locks")) {
            let mut lock = Lock::default();
            lock.set_counts(list(data.field("counts")).iter().map(int));
            lock.max_queue = index(data.field("max_queue"))?;
            for queued in list(data.field("queue")) {
                let parts = list(queued);
                lock.queue.push_back(LockWaiter {
                    waiter: waiter(at(parts, 0))?,
                    permits: int(at(parts, 1)),
                    since: int(at(parts, 2)).saturating_add(shift),
                    block: flag(at(parts, 3)),
                });
            }
            self.locks.by_id.insert(lock_id(data.field("id"))?, lock);
        }
        for data in list(state.field("blocks")) {
            let parts = list(data);
            let held = list(at(parts, 1)).iter().map(|r| release(r, shift)).collect::<Loaded<_>>()?;
            self.blocks.insert(TaskId(id(at(parts, 0))?), held);
        }
        Ok(())
    }

    /// The services take their state and their waiting tickets back.
    fn load_services(&mut self, saved: &Data, shift: i64) -> Loaded<()> {
        for data in list(saved) {
            let parts = list(data);
            let name = at(parts, 0).as_str().unwrap_or_default();
            match self.services.iter_mut().find(|service| service.name() == name) {
                Some(service) => service.load(at(parts, 1), shift).or_else(|what| damaged(&what))?,
                None if at(parts, 1).is_nil() => {}
                None => return damaged(&format!("there is no service `{name}`")),
            }
        }
        Ok(())
    }

    /// Hands the services the requests that tasks wait for.
    fn stand_again(&mut self, standing: &[(TaskId, Ticket, Op, Data)], shift: i64) -> Loaded<()> {
        for (task, ticket, op, data) in standing {
            self.flights.insert(*ticket, *task);
            let Some(place) = self.service_of.get(op).copied() else {
                return damaged("an effect that no service performs");
            };
            let taken =
                self.with_service(place, *task, |service, cx| service.stand(cx, *ticket, data, shift));
            if taken != Some(true) {
                return damaged(&format!("`{}` cannot be waited for again", op.name()));
            }
        }
        Ok(())
    }
}
