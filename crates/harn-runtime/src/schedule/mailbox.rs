//! Mailboxes: channels of a program that are found by scope and name (spec 04 section 4.10).

use crate::schedule::channel::Channel;
use harn_vm::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A mailbox and what happened to it.
pub(crate) struct Mailbox {
    pub channel: Rc<Channel>,
    pub sent: i64,
    pub received: i64,
    pub failed: i64,
}

/// The mailboxes of a program, by resolved scope and name.
pub(crate) type Mailboxes = BTreeMap<(String, String), Mailbox>;

impl Mailbox {
    /// An open, empty mailbox.
    pub fn new(name: &str, capacity: i64) -> Mailbox {
        Mailbox {
            channel: Rc::new(Channel::new(Value::str(name), capacity)),
            sent: 0,
            received: 0,
            failed: 0,
        }
    }
}

/// `mailbox_metrics`; zeros for one that nobody opened.
pub(crate) fn metrics(mailbox: Option<&Mailbox>) -> Value {
    let count = |n: usize| Value::int(i64::try_from(n).unwrap_or(i64::MAX));
    let (capacity, depth, closed) = mailbox.map_or((0, 0, false), |m| {
        let state = m.channel.state.borrow();
        (state.capacity, state.queue.len(), state.closed)
    });
    let (sent, received, failed) = mailbox.map_or((0, 0, 0), |m| (m.sent, m.received, m.failed));
    Value::dict([
        ("capacity", count(capacity)),
        ("depth", count(depth)),
        ("sent_count", Value::int(sent)),
        ("received_count", Value::int(received)),
        ("failed_send_count", Value::int(failed)),
        ("closed", Value::bool(closed)),
    ])
}
