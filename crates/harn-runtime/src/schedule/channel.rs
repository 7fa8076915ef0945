//! Channels: bounded queues that tasks share (spec 04 sections 4.5, 4.6). Who waits is listed in the channel; waking is
//! the scheduler's.

use crate::schedule::TaskId;
use harn_vm::{Handle, Value, display};
use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;

/// A place in a queue of waiting tasks; stale once the task's epoch has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub task: TaskId,
    pub epoch: u64,
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

    fn as_any(&self) -> &dyn Any {
        self
    }
}
