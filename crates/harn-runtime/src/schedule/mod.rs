//! Tasks and what they wait for (spec 04): one thread, cooperative, in creation order.
//!
//! A task runs until it suspends. Whatever wakes it puts the result into its fiber and its id at the end of the
//! queue. Each wait has an epoch: a timer or a place in a queue that names an older epoch is stale and means nothing.

pub(crate) mod channel;
pub(crate) mod circuit;
pub(crate) mod group;
pub(crate) mod lock;
pub(crate) mod mailbox;
pub(crate) mod pool;
pub(crate) mod scope;
pub(crate) mod shared;
pub(crate) mod supervisor;
pub(crate) mod task;
pub(crate) mod tasks;
pub(crate) mod timer;

pub(crate) use task::{Task, TaskId};
pub(crate) use tasks::Tasks;
