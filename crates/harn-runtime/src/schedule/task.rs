//! What the scheduler keeps for each task.

use crate::schedule::channel::{Channel, SelectForm};
use crate::schedule::group::GroupId;
use crate::schedule::lock::LockId;
use crate::schedule::pool::Order;
use crate::service::Dispatch;
use harn_effect::{Data, Ticket};
use harn_vm::{EffectCall, Fiber, Handle, SavedHandle, Value, VmError};
use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Identifies a task; unique within a run, in creation order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskId(pub u64);

impl TaskId {
    /// The root task.
    pub const ROOT: TaskId = TaskId(0);
}

/// A task.
pub(crate) struct Task {
    /// How it came to be and where its result goes.
    pub role: Role,
    /// Its program state. Taken out while it runs.
    pub fiber: Option<Box<Fiber>>,
    pub state: State,
    /// Counts suspensions.
    pub epoch: u64,
    /// Tasks it spawned that nobody has collected, oldest first.
    pub children: BTreeMap<TaskId, Child>,
    /// Its `parallel` expressions that are not over.
    pub groups: Vec<GroupId>,
    /// Whether it was asked to stop.
    pub flagged: bool,
    /// Text it printed that its parent does not have yet.
    pub output: String,
    /// Tasks that wait for its end, first come first.
    pub readers: Vec<TaskId>,
    /// The next numbers for ids of its children, by construct.
    pub names: ChildNames,
    /// Who it is, for `runtime_context`.
    pub identity: Identity,
    /// Its task-local values (spec 04 section 4.12).
    pub context: BTreeMap<String, Value>,
    /// The dispatch it was in when it last asked for an effect.
    pub dispatch: Option<Box<Dispatch>>,
}

/// A task as programs see it. There may be very many, and few are asked: ids are put together when they are.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub id: TaskName,
    pub parent_id: Option<Rc<str>>,
    /// What made it: `root`, `spawn`, `parallel each`, ...
    pub name: Cow<'static, str>,
    pub group_id: Option<Rc<str>>,
}

/// The id of a task as programs see it.
#[derive(Clone, Debug)]
pub(crate) enum TaskName {
    /// The whole id.
    Whole(Rc<str>),
    /// One of many: `STEM:NUMBER`.
    Numbered(Rc<str>, u64),
}

impl Identity {
    /// The task's id as programs see it.
    pub fn task_id(&self) -> String {
        match &self.id {
            TaskName::Whole(id) => id.to_string(),
            TaskName::Numbered(stem, number) => format!("{stem}:{number}"),
        }
    }
}

/// How a task came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The program.
    Root,
    /// By `spawn`, owned by this task.
    Spawned { owner: TaskId },
    /// Body `index` of a `parallel` expression.
    Body { group: GroupId, index: usize },
    /// Child `index` of a supervisor, by its place in the run's list.
    Supervised { supervisor: usize, index: usize },
}

/// A spawned task in its owner's list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub id: TaskId,
    /// How many deadlines of the owner enclosed the `spawn`.
    pub deadlines: usize,
}

/// Numbers for ids of children.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChildNames {
    pub spawned: u64,
    pub groups: u64,
    /// The task's own id, and what the ids of the tasks it spawns begin with; made for the first of them.
    pub given: Option<(Rc<str>, Rc<str>)>,
}

/// Where a task is.
pub(crate) enum State {
    /// In the queue, or running.
    Ready,
    /// On another thread, or queued for it.
    Away(Arc<Order>),
    /// Suspended.
    Waiting(Wait),
    /// Over, and not collected.
    Done(Result<Value, Box<VmError>>),
}

/// What a task waits for.
pub(crate) enum Wait {
    /// The end of a sleep.
    Sleep,
    /// A task to await.
    Await(TaskId),
    /// A task that was asked to stop.
    Graceful(TaskId),
    /// All bodies of a `parallel` expression (or the first of a race).
    Group(GroupId),
    /// The next value of a streamed `parallel`.
    Stream(GroupId),
    /// A message.
    Receive { channel: Rc<Channel>, next: bool },
    /// Room in a channel.
    Send { channel: Rc<Channel> },
    /// The first message of several channels.
    Select { channels: Vec<Rc<Channel>>, form: SelectForm },
    /// The end of a supervisor that is being stopped.
    Supervisor(usize),
    /// A permit.
    Lock(LockId),
    /// An effect in flight.
    Effect { ticket: Ticket, call: EffectCall },
}

impl Wait {
    /// The words for a wait on something that only other tasks of the program can bring about; waits for tasks as such
    /// do not count.
    pub fn on_primitive(&self) -> Option<String> {
        match self {
            Wait::Receive { channel, .. } => Some(format!("receive on {}", channel.display())),
            Wait::Send { channel } => Some(format!("send on {}", channel.display())),
            Wait::Select { .. } => Some("select".to_owned()),
            Wait::Lock(lock) => Some(format!("{} '{}'", lock.kind.name(), lock.key)),
            _ => None,
        }
    }

    /// Whether a request to stop ends the wait at once (spec 04 section 4.2, rule 1).
    pub fn polls_flag(&self) -> bool {
        matches!(self, Wait::Sleep | Wait::Lock(_))
    }
}

/// The value of `spawn`.
#[derive(Debug)]
pub(crate) struct TaskHandle {
    pub id: TaskId,
}

impl Handle for TaskHandle {
    fn type_name(&self) -> &'static str {
        "task_handle"
    }

    fn display(&self) -> String {
        format!("<task:vm_task_{}>", self.id.0)
    }

    fn save(&self) -> Option<SavedHandle> {
        Some(SavedHandle { kind: "task", data: Data::Int(self.id.0.cast_signed()), values: Vec::new() })
    }

    fn same(&self, other: &dyn Handle) -> bool {
        other.as_any().downcast_ref::<TaskHandle>().is_some_and(|other| other.id == self.id)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
