//! Channels: bounded queues that tasks share (spec 04 sections 4.5, 4.6). Who waits is listed in the channel; waking is
//! the scheduler's.

use crate::schedule::TaskId;
use harn_effect::Data;
use harn_vm::{Handle, SavedHandle, Value, display, from_data};
use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;

/// A place in a queue of waiting tasks; stale once the task's epoch has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub task: TaskId,
    pub epoch: u64,
}

impl Waiter {
    fn restored(data: &Data) -> Option<Waiter> {
        match data.as_list()? {
            [Data::Int(task), Data::Int(epoch)] => {
                Some(Waiter { task: TaskId(task.cast_unsigned()), epoch: epoch.cast_unsigned() })
            }
            _ => None,
        }
    }
}

/// A channel.
pub(crate) struct Channel {
    pub name: Value,
    pub state: RefCell<ChannelState>,
}

/// The changing part of a channel.
#[derive(Default)]
pub(crate) struct ChannelState {
    pub capacity: usize,
    pub queue: VecDeque<Value>,
    pub closed: bool,
    pub receivers: VecDeque<Waiter>,
    pub senders: VecDeque<(Waiter, Value)>,
}

/// How the result of a `select` is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelectForm {
    /// The statement: `[index, value]`, the number of channels as index when nothing came.
    Statement,
    /// `channel_select`: a dict or nil.
    Builtin,
}

impl Channel {
    /// An open, empty channel.
    pub fn new(name: Value, capacity: i64) -> Channel {
        let capacity = usize::try_from(capacity.max(1)).unwrap_or(usize::MAX);
        Channel { name, state: RefCell::new(ChannelState { capacity, ..ChannelState::default() }) }
    }

    /// A channel of a snapshot, with places for the messages that [`Handle::fill`] brings; `None` when the data is not
    /// one's.
    pub fn restored(data: &Data) -> Option<Channel> {
        const MOST: usize = 1 << 24;
        let count = |name: &str| data.field(name).as_int().and_then(|n| usize::try_from(n).ok());
        let waiters = |name: &str| {
            let rows = data.field(name).as_list().unwrap_or_default().iter();
            rows.map(Waiter::restored).collect::<Option<Vec<_>>>()
        };
        let queued = count("queued").filter(|queued| *queued < MOST)?;
        let state = ChannelState {
            // The largest number that data can hold stands for no limit.
            capacity: count("capacity").filter(|n| *n < i64::MAX as usize).unwrap_or(usize::MAX),
            queue: (0..queued).map(|_| Value::NIL).collect(),
            closed: data.field("closed").as_bool()?,
            receivers: waiters("receivers")?.into(),
            senders: waiters("senders")?.into_iter().map(|waiter| (waiter, Value::NIL)).collect(),
        };
        Some(Channel { name: from_data(data.field("name").clone()), state: RefCell::new(state) })
    }

    /// Closed, and nothing left to receive.
    pub fn is_drained(&self) -> bool {
        let state = self.state.borrow();
        state.closed && state.queue.is_empty()
    }
}

impl ChannelState {
    /// A task no longer waits here.
    pub fn forget(&mut self, waiter: Waiter) {
        self.receivers.retain(|w| *w != waiter);
        self.senders.retain(|(w, _)| *w != waiter);
    }

    /// Whether a message fits.
    pub fn has_room(&self) -> bool {
        self.queue.len() < self.capacity
    }
}

impl Handle for Channel {
    fn type_name(&self) -> &'static str {
        "channel"
    }

    fn display(&self) -> String {
        format!("<channel:{}>", display(&self.name))
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn save(&self) -> Option<SavedHandle> {
        let (data, values) = crate::run::channel_parts(self);
        Some(SavedHandle { kind: "channel", data, values })
    }

    fn fill(&self, values: Vec<Value>) {
        let state = &mut *self.state.borrow_mut();
        let mut values = values.into_iter();
        // While it is filled the queue has a place for each message, and so has the list of senders.
        for slot in state.queue.iter_mut().chain(state.senders.iter_mut().map(|(_, message)| message)) {
            *slot = values.next().unwrap_or_default();
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
