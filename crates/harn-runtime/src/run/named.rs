//! Requests to the scheduler, told apart.

use super::channels::{SelectWait, channel_of};
use super::{Ending, Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::channel::{Channel, SelectForm};
use crate::schedule::group::GroupStream;
use harn_vm::{Control, ControlOp, Fiber, Value, View, VmError};
use std::rc::Rc;

/// A time in milliseconds: an int, a duration, or a dict with `timeout_ms` or `max_wait_ms`; negative is 0.
pub(super) fn millis(value: Option<&Value>) -> Option<i64> {
    match value?.view() {
        View::Int(ms) | View::Duration(ms) => Some(ms.max(0)),
        View::Dict(dict) => {
            let inner = dict.get("timeout_ms").or_else(|| dict.get("max_wait_ms"))?;
            inner.as_int().map(|ms| ms.max(0))
        }
        _ => None,
    }
}

fn done(fiber: &mut Fiber, value: Value) -> Progressed {
    fiber.resume_value(value);
    Progressed::Answered
}

fn failed(fiber: &mut Fiber, error: Box<VmError>) -> Progressed {
    fiber.resume_error(error);
    Progressed::Answered
}

fn answer(fiber: &mut Fiber, result: Result<Value, Box<VmError>>) -> Progressed {
    match result {
        Ok(value) => done(fiber, value),
        Err(error) => failed(fiber, error),
    }
}

impl Run {
    /// Answers a request of a task, or parks it.
    pub(super) fn control(&mut self, id: TaskId, fiber: &mut Fiber, control: Control) -> Progressed {
        let mut args = control.args;
        match control.op {
            ControlOp::Spawn => {
                let body = args.first_mut().map(std::mem::take).unwrap_or_default();
                self.spawn(id, fiber, body)
            }
            ControlOp::Parallel(kind) => self.parallel(id, fiber, kind, args),
            ControlOp::Select { channels, timeout, default } => {
                let wait = match (default, timeout) {
                    (true, _) => SelectWait::Never,
                    (false, true) => SelectWait::Until(millis(args.get(channels)).unwrap_or(5_000)),
                    (false, false) => SelectWait::Forever,
                };
                match args.iter().take(channels).map(channel_of).collect::<Option<Vec<_>>>() {
                    Some(channels) => self.select(id, fiber, channels, SelectForm::Statement, wait),
                    None => failed(fiber, VmError::ty("select: expected a channel")),
                }
            }
            ControlOp::IterNext => self.iter_next(id, fiber, &args),
            ControlOp::MutexEnter => self.enter_mutex(id, fiber),
            ControlOp::MutexExit => {
                self.leave_mutex(id);
                done(fiber, Value::NIL)
            }
            ControlOp::Named(name) => self.named(id, fiber, name, args),
        }
    }

    fn iter_next(&mut self, id: TaskId, fiber: &mut Fiber, args: &[Value]) -> Progressed {
        let Some(value) = args.first() else { return done(fiber, Value::NIL) };
        if let Some(channel) = channel_of(value) {
            return self.receive(id, fiber, channel, true);
        }
        match value.view() {
            View::Handle(handle) => match handle.as_any().downcast_ref::<GroupStream>() {
                Some(stream) => self.stream_next(id, fiber, stream.group),
                None => failed(fiber, VmError::ty(format!("cannot iterate {}", handle.type_name()))),
            },
            _ => failed(fiber, VmError::ty(format!("cannot iterate {}", value.type_name()))),
        }
    }

    fn named(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        name: &'static str,
        mut args: Vec<Value>,
    ) -> Progressed {
        match name {
            "sleep" => self.sleep(id, fiber, millis(args.first()).unwrap_or(0)),
            "mock_time" => {
                self.pin_clock(args.first().and_then(Value::as_int).unwrap_or(0));
                done(fiber, Value::NIL)
            }
            "advance_time" => match self.advance_clock(args.first().and_then(Value::as_int).unwrap_or(0)) {
                Some(now) => done(fiber, Value::int(now)),
                None => {
                    let text = "advance_time: no mock active. Call mock_time(ms) first.";
                    failed(fiber, VmError::thrown_str(text))
                }
            },
            "unmock_time" => {
                self.release_clock();
                done(fiber, Value::NIL)
            }
            "await" => self.await_task(id, fiber, args.first()),
            "cancel" => {
                self.cancel(args.first());
                done(fiber, Value::NIL)
            }
            "cancel_graceful" => self.cancel_graceful(id, fiber, &args),
            "is_cancelled" => {
                let flagged = self.tasks.get(&id).is_some_and(|task| task.flagged);
                done(fiber, Value::bool(flagged))
            }
            "channel" => {
                let name =
                    args.first().filter(|v| !v.is_nil()).cloned().unwrap_or_else(|| Value::str("default"));
                let capacity = args.get(1).and_then(Value::as_int).unwrap_or(256);
                done(fiber, Value::handle(Rc::new(Channel::new(name, capacity))))
            }
            "send" if args.len() < 2 => {
                failed(fiber, VmError::thrown_str("send: requires channel and value"))
            }
            "receive" | "try_receive" | "close_channel" if args.is_empty() => {
                failed(fiber, VmError::thrown_str(&format!("{name}: requires a channel")))
            }
            "send" | "receive" | "try_receive" | "close_channel" => {
                let Some(channel) = args.first().and_then(channel_of) else {
                    return failed(
                        fiber,
                        VmError::thrown_str(&format!("{name}: first argument must be a channel")),
                    );
                };
                match name {
                    "send" => {
                        let message = args.get_mut(1).map(std::mem::take).unwrap_or_default();
                        self.send(id, fiber, channel, message)
                    }
                    "receive" => self.receive(id, fiber, channel, false),
                    "try_receive" => {
                        let message = self.pop(&channel).unwrap_or_default();
                        done(fiber, message)
                    }
                    _ => {
                        self.close(&channel);
                        done(fiber, Value::NIL)
                    }
                }
            }
            "channel_select" => self.channel_select(id, fiber, &args),
            "parallel_race" => self.race(id, fiber, args),
            "exit" => {
                self.ending = Some(Ending::Exit(args.first().and_then(Value::as_int).unwrap_or(0)));
                done(fiber, Value::NIL)
            }
            "sync_release" => self.release(fiber, &args),
            "sync_metrics" => {
                let metrics = self.lock_metrics(&args);
                done(fiber, metrics)
            }
            _ if name.starts_with("sync_") => self.acquire(id, fiber, name, &args),
            _ if name.starts_with("mailbox_") => self.mailbox(id, fiber, name, &args),
            _ if name.starts_with("supervisor_") => self.supervisor(id, fiber, name, &args),
            _ if name.starts_with("circuit_") => {
                let value = self.circuit(name, &args);
                done(fiber, value)
            }
            _ if name.starts_with("shared_") => {
                let asker = self.asker(id, fiber);
                answer(fiber, self.shared.call(&asker, name, &args))
            }
            _ if name.starts_with("runtime_context") || name == "task_current" => {
                let result = self.context(id, fiber, name, &args);
                answer(fiber, result)
            }
            _ => failed(fiber, VmError::runtime(format!("{name} is no request to the scheduler"))),
        }
    }

    fn circuit(&mut self, name: &str, args: &[Value]) -> Value {
        let circuit = match args.first() {
            Some(name) if !name.is_nil() => harn_vm::display(name),
            _ => "default".to_owned(),
        };
        let int = |i: usize, default: i64| args.get(i).and_then(Value::as_int).unwrap_or(default);
        let now = self.clock.monotonic_ms(self.host.borrow().as_ref());
        match name {
            "circuit_breaker" => {
                self.circuits.create(&circuit, int(1, 5), int(2, 30_000));
                Value::string(circuit)
            }
            "circuit_check" => Value::str(self.circuits.check(&circuit, now)),
            "circuit_record_failure" => Value::bool(self.circuits.fail(&circuit, now)),
            _ => {
                self.circuits.close(&circuit);
                Value::NIL
            }
        }
    }

    fn channel_select(&mut self, id: TaskId, fiber: &mut Fiber, args: &[Value]) -> Progressed {
        let Some(View::List(list)) = args.first().map(Value::view) else {
            return failed(
                fiber,
                VmError::thrown_str("channel_select: first argument must be a list of channels"),
            );
        };
        let channels: Option<Vec<_>> = list.iter().map(|value| channel_of(&value)).collect();
        let Some(channels) = channels else {
            return failed(
                fiber,
                VmError::thrown_str("channel_select: channel list must contain only channels"),
            );
        };
        if channels.is_empty() {
            return done(fiber, Value::NIL);
        }
        let wait = millis(args.get(1)).map_or(SelectWait::Forever, SelectWait::Until);
        self.select(id, fiber, channels, SelectForm::Builtin, wait)
    }
}
