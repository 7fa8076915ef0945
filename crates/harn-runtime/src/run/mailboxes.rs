//! Mailboxes (spec 04 section 4.10): named channels with scopes and counts.

use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::mailbox::{self, Mailbox};
use crate::schedule::scope::{Address, Asker, handle, text};
use harn_vm::{Fiber, Value, VmError, display};

const KIND: &str = "mailbox";

/// The address in the target of an operation: a handle, or a name in the default scope of the caller.
fn target(asker: &Asker, name: &str, argument: Option<&Value>) -> Result<Address, Box<VmError>> {
    match argument.filter(|v| !v.is_nil()) {
        None => Err(VmError::runtime(format!("{name}: target is required"))),
        Some(value) if value.is_dict() => Ok(Address {
            scope: text(value, "scope").unwrap_or_default(),
            key: text(value, "key").or_else(|| text(value, "name")).unwrap_or_default(),
        }),
        Some(value) => Ok(Address { scope: asker.resolve(name, None, None)?, key: display(value) }),
    }
}

impl Run {
    /// Performs a `mailbox_*` builtin.
    pub(super) fn mailbox(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        name: &str,
        args: &[Value],
    ) -> Progressed {
        let asker = self.asker(id, fiber);
        match self.mailbox_call(id, fiber, &asker, name, args) {
            Ok(progressed) => progressed,
            Err(error) => {
                fiber.resume_error(error);
                Progressed::Answered
            }
        }
    }

    fn mailbox_call(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        asker: &Asker,
        name: &str,
        args: &[Value],
    ) -> Result<Progressed, Box<VmError>> {
        if name == "mailbox_open" {
            let address = asker.address(name, args.first())?;
            let option = args.first().and_then(|options| match options.view() {
                harn_vm::View::Dict(options) => options.get("capacity"),
                _ => None,
            });
            let capacity = option.or_else(|| args.get(1).cloned()).and_then(|v| v.as_int()).unwrap_or(256);
            self.mailboxes
                .entry((address.scope.clone(), address.key.clone()))
                .or_insert_with(|| Mailbox::new(&address.key, capacity));
            fiber.resume_value(handle(KIND, &address));
            return Ok(Progressed::Answered);
        }
        if name == "mailbox_send" && args.len() < 2 {
            return Err(VmError::runtime("mailbox_send: requires target and value"));
        }
        if name == "mailbox_lookup" && args.first().is_none_or(Value::is_nil) {
            return Err(VmError::runtime("mailbox_lookup: name or handle is required"));
        }
        let address = target(asker, name, args.first())?;
        let found = self.mailboxes.get_mut(&(address.scope.clone(), address.key.clone()));
        let answer = match (name, found) {
            ("mailbox_metrics", found) => mailbox::metrics(found.as_deref()),
            ("mailbox_lookup", Some(_)) => handle(KIND, &address),
            ("mailbox_send" | "mailbox_close", None) => Value::bool(false),
            (_, None) => Value::NIL,
            ("mailbox_close", Some(found)) => {
                let channel = found.channel.clone();
                let first = !channel.state.borrow().closed;
                self.close(&channel);
                Value::bool(first)
            }
            ("mailbox_send", Some(found)) => {
                let channel = found.channel.clone();
                if channel.state.borrow().closed {
                    found.failed += 1;
                } else {
                    found.sent += 1;
                }
                let message = args.get(1).cloned().unwrap_or_default();
                return Ok(self.send(id, fiber, channel, message));
            }
            ("mailbox_try_receive", Some(found)) => {
                let channel = found.channel.clone();
                found.received += i64::from(!channel.state.borrow().queue.is_empty());
                self.pop(&channel).unwrap_or_default()
            }
            (_, Some(found)) => {
                let channel = found.channel.clone();
                found.received += i64::from(!channel.is_drained());
                return Ok(self.receive(id, fiber, channel, false));
            }
        };
        fiber.resume_value(answer);
        Ok(Progressed::Answered)
    }
}
