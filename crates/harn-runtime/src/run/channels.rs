//! Channels, `select` and the mutex of `mutex` blocks (spec 04 sections 4.5 to 4.7).

use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::channel::{Channel, SelectForm, Waiter};
use crate::schedule::task::{State, Wait};
use crate::schedule::timer::Purpose;
use harn_vm::{Fiber, Value, View};
use std::rc::Rc;

/// The channel that a value is.
pub(super) fn channel_of(value: &Value) -> Option<Rc<Channel>> {
    match value.view() {
        View::Handle(handle) if handle.as_any().is::<Channel>() => {
            let handle: Rc<dyn std::any::Any> = handle.clone();
            handle.downcast::<Channel>().ok()
        }
        _ => None,
    }
}

/// What `select` gives when no channel had anything.
pub(super) fn nothing_selected(form: SelectForm, channels: usize) -> Value {
    match form {
        SelectForm::Statement => {
            Value::list(vec![Value::int(i64::try_from(channels).unwrap_or(i64::MAX)), Value::NIL])
        }
        SelectForm::Builtin => Value::NIL,
    }
}

fn selected(form: SelectForm, index: usize, channel: &Channel, message: Value) -> Value {
    let index = Value::int(i64::try_from(index).unwrap_or(i64::MAX));
    match form {
        SelectForm::Statement => Value::list(vec![index, message]),
        SelectForm::Builtin => Value::dict([
            ("index", index),
            ("value", message),
            ("channel", Value::string(harn_vm::display(&channel.name))),
        ]),
    }
}

impl Run {
    /// Puts a message in a channel.
    pub(super) fn send(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        channel: Rc<Channel>,
        message: Value,
    ) -> Progressed {
        let mut state = channel.state.borrow_mut();
        if state.closed {
            fiber.resume_value(Value::bool(false));
        } else if state.has_room() {
            state.queue.push_back(message);
            drop(state);
            self.offer(&channel);
            fiber.resume_value(Value::bool(true));
        } else {
            state.senders.push_back((self.waiter(id), message));
            drop(state);
            return Progressed::Suspended(Wait::Send { channel });
        }
        Progressed::Answered
    }

    /// Takes the oldest message; `next` is for iteration, which ends where `receive` gives nil.
    pub(super) fn receive(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        channel: Rc<Channel>,
        next: bool,
    ) -> Progressed {
        if let Some(message) = self.pop(&channel) {
            fiber.resume_value(message);
            return Progressed::Answered;
        }
        let mut state = channel.state.borrow_mut();
        if state.closed {
            if next {
                fiber.resume_end()
            } else {
                fiber.resume_value(Value::NIL)
            }
            return Progressed::Answered;
        }
        state.receivers.push_back(self.waiter(id));
        drop(state);
        Progressed::Suspended(Wait::Receive { channel, next })
    }

    /// The oldest message of a channel; a sender that waits for room gets it.
    pub(super) fn pop(&mut self, channel: &Rc<Channel>) -> Option<Value> {
        let message = channel.state.borrow_mut().queue.pop_front()?;
        loop {
            let next = channel.state.borrow_mut().senders.pop_front();
            match next {
                Some((waiter, waiting)) if self.is_alive(waiter) => {
                    channel.state.borrow_mut().queue.push_back(waiting);
                    self.wake(waiter.task, |fiber| fiber.resume_value(Value::bool(true)));
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        Some(message)
    }

    /// A message is there: the first task that waits for one gets it.
    fn offer(&mut self, channel: &Rc<Channel>) {
        loop {
            if channel.state.borrow().queue.is_empty() {
                return;
            }
            let Some(waiter) = channel.state.borrow_mut().receivers.pop_front() else { return };
            if self.is_alive(waiter) {
                self.serve(waiter, channel);
            }
        }
    }

    /// Gives a waiting task the oldest message of a channel.
    fn serve(&mut self, waiter: Waiter, channel: &Rc<Channel>) {
        let Some(State::Waiting(wait)) = self.tasks.get(&waiter.task).map(|task| &task.state) else { return };
        let select = match wait {
            Wait::Select { channels, form } => {
                let index = channels.iter().position(|c| Rc::ptr_eq(c, channel)).unwrap_or(0);
                Some((index, *form))
            }
            _ => None,
        };
        let Some(message) = self.pop(channel) else { return };
        let value = match select {
            Some((index, form)) => selected(form, index, channel, message),
            None => message,
        };
        self.wake(waiter.task, |fiber| fiber.resume_value(value));
    }

    /// Closes a channel and wakes everybody who waits at it.
    pub(super) fn close(&mut self, channel: &Rc<Channel>) {
        let (receivers, senders) = {
            let mut state = channel.state.borrow_mut();
            state.closed = true;
            (std::mem::take(&mut state.receivers), std::mem::take(&mut state.senders))
        };
        for (waiter, _) in senders {
            if self.is_alive(waiter) {
                self.wake(waiter.task, |fiber| fiber.resume_value(Value::bool(false)));
            }
        }
        for waiter in receivers {
            if self.is_alive(waiter) {
                self.channel_closed(waiter.task);
            }
        }
    }

    /// A channel that a task waits at was closed.
    fn channel_closed(&mut self, id: TaskId) {
        let Some(State::Waiting(wait)) = self.tasks.get(&id).map(|task| &task.state) else { return };
        match wait {
            Wait::Receive { next: true, .. } => self.wake(id, Fiber::resume_end),
            Wait::Select { channels, form } if channels.iter().all(|c| c.is_drained()) => {
                let value = nothing_selected(*form, channels.len());
                self.wake(id, |fiber| fiber.resume_value(value));
            }
            Wait::Select { .. } => {}
            _ => self.wake(id, |fiber| fiber.resume_value(Value::NIL)),
        }
    }

    /// `select` and `channel_select`: the first channel in order that has a message.
    pub(super) fn select(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        channels: Vec<Rc<Channel>>,
        form: SelectForm,
        wait: SelectWait,
    ) -> Progressed {
        for (index, channel) in channels.iter().enumerate() {
            if let Some(message) = self.pop(channel) {
                fiber.resume_value(selected(form, index, channel, message));
                return Progressed::Answered;
            }
        }
        let drained = channels.iter().all(|c| c.is_drained());
        if drained || wait == SelectWait::Never {
            fiber.resume_value(nothing_selected(form, channels.len()));
            return Progressed::Answered;
        }
        let waiter = self.waiter(id);
        for channel in &channels {
            channel.state.borrow_mut().receivers.push_back(waiter);
        }
        if let SelectWait::Until(ms) = wait {
            self.timers.set(self.now().saturating_add(ms), Purpose::Timeout, waiter);
        }
        Progressed::Suspended(Wait::Select { channels, form })
    }
}

/// How long a `select` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelectWait {
    /// Not at all: there is a default.
    Never,
    /// So many milliseconds.
    Until(i64),
    /// As long as it takes.
    Forever,
}

#[cfg(test)]
mod tests {
    use super::*;
    use harn_vm::Handle;

    #[test]
    fn a_channel_value_gives_its_channel_back() {
        let channel: Rc<dyn Handle> = Rc::new(Channel::new(Value::str("c"), 1));
        assert!(channel_of(&Value::handle(channel)).is_some());
        assert!(channel_of(&Value::int(1)).is_none());
    }
}
