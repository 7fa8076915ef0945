//! `parallel` in its forms: a closure run once per item, each run a task (spec 04 section 4.3).

use crate::schedule::TaskId;
use harn_effect::Data;
use harn_vm::{Handle, SavedHandle, Value, View, VmError};
use std::any::Any;
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// Identifies a `parallel` expression in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupId(pub u64);

/// What becomes of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    /// `parallel N` and `parallel each`: a list, or the error of the lowest index.
    All,
    /// `parallel settle`.
    Settle,
    /// `parallel each ... as stream`.
    Stream,
    /// `parallel_race`.
    Race,
}

/// How a body ended.
pub(crate) type BodyResult = Result<Value, Box<VmError>>;

/// A `parallel` expression in progress.
pub(crate) struct Group {
    pub owner: TaskId,
    pub kind: GroupKind,
    /// The task group's id as programs see it, and the name of its tasks.
    pub name: Rc<str>,
    pub parent_id: Rc<str>,
    pub task_name: &'static str,
    pub body: Value,
    /// Items whose bodies have not started.
    pub items: VecDeque<Value>,
    /// Index of the next body.
    pub next: usize,
    pub max: usize,
    pub running: BTreeSet<TaskId>,
    /// By index, for the kinds that keep results until the end.
    pub results: Vec<Option<BodyResult>>,
    /// Text printed by successful bodies, by index.
    pub outputs: Vec<String>,
    /// Stream: finished values nobody has pulled. Race: failures, in the order they came.
    pub finished: VecDeque<BodyResult>,
    /// Stream: the task that waits for the next value.
    pub reader: Option<TaskId>,
    /// Stream: whether the consumer still has the stream.
    pub wanted: Rc<Cell<bool>>,
}

impl Group {
    /// Whether the next body may start.
    pub fn may_start(&self) -> bool {
        // Of a stream's finished values one is buffered; bodies whose value waits beyond that still count.
        let waiting = if self.kind == GroupKind::Stream { self.finished.len().saturating_sub(1) } else { 0 };
        !self.items.is_empty() && self.running.len() + waiting < self.max
    }

    /// Whether no body runs or will.
    pub fn is_over(&self) -> bool {
        self.items.is_empty() && self.running.is_empty()
    }

    /// The value of a finished [`GroupKind::All`] or [`GroupKind::Settle`] group.
    pub fn combine(&mut self) -> BodyResult {
        let results = std::mem::take(&mut self.results).into_iter().map(|r| r.unwrap_or(Ok(Value::NIL)));
        if self.kind != GroupKind::Settle {
            return results.collect::<Result<Vec<_>, _>>().map(Value::list);
        }
        let mut failed = 0_i64;
        let mut list = Vec::new();
        for result in results {
            list.push(match result {
                Ok(value) => Value::ok(value),
                Err(error) => {
                    failed += 1;
                    Value::err(Value::string(error.report_message()))
                }
            });
        }
        let succeeded = i64::try_from(list.len()).unwrap_or(i64::MAX) - failed;
        Ok(Value::dict([
            ("results", Value::list(list)),
            ("succeeded", Value::int(succeeded)),
            ("failed", Value::int(failed)),
        ]))
    }
}

/// What a body's result means in a race: the winner's value, or the words for a failure.
pub(crate) fn race_verdict(result: &BodyResult) -> Result<Value, String> {
    match result {
        Err(error) => Err(error.report_message()),
        Ok(value) => match value.view() {
            View::Enum(e) if e.enum_name() == "Result" => {
                let payload = e.fields().first().cloned().unwrap_or_default();
                if e.variant() == "Ok" { Ok(payload) } else { Err(harn_vm::display(&payload)) }
            }
            _ => Ok(value.clone()),
        },
    }
}

/// The value of `parallel each ... as stream`.
pub(crate) struct GroupStream {
    pub group: GroupId,
    pub wanted: Rc<Cell<bool>>,
}

impl Drop for GroupStream {
    fn drop(&mut self) {
        self.wanted.set(false);
    }
}

impl Handle for GroupStream {
    fn type_name(&self) -> &'static str {
        "stream"
    }

    fn display(&self) -> String {
        "<stream>".to_owned()
    }

    fn save(&self) -> Option<SavedHandle> {
        let group = Data::Int(self.group.0.cast_signed());
        Some(SavedHandle { kind: "stream", data: Data::dict([("group", group)]), values: Vec::new() })
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
