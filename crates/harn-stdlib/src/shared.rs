//! Shared state behind handles: atomics (spec 04 section 4.8), the buffer of `stream.broadcast`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use harn_effect::Data;
use harn_vm::{Handle, SavedHandle, Value, View};

use crate::arguments::{Body, count, done, get, int, take};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("atomic", |_, a| {
        let initial = match get(a, 0).view() {
            View::Int(n) => n,
            View::Float(x) => x as i64,
            View::Bool(b) => i64::from(b),
            _ => 0,
        };
        done(Value::handle(Rc::new(Atomic(Cell::new(initial)))))
    }),
    ("atomic_get", |_, a| done(atomic(get(a, 0)).map(|cell| cell.get()))),
    ("atomic_set", |_, a| done(atomic(get(a, 0)).zip(int(a, 1)).map(|(cell, n)| cell.replace(n)))),
    ("atomic_add", |_, a| {
        let added = |(cell, n): (&Cell<i64>, i64)| cell.replace(cell.get().wrapping_add(n));
        done(atomic(get(a, 0)).zip(int(a, 1)).map(added))
    }),
    ("atomic_cas", |_, a| {
        let (Some(cell), Some(expected), Some(new)) = (atomic(get(a, 0)), int(a, 1), int(a, 2)) else {
            return done(false);
        };
        let matches = cell.get() == expected;
        if matches {
            cell.set(new);
        }
        done(matches)
    }),
    ("__buffer", |_, _| done(Value::handle(Rc::new(Buffer(RefCell::default()))))),
    ("__buffer_len", |_, a| done(buffer(get(a, 0)).map_or(Value::int(0), |b| count(b.borrow().len())))),
    ("__buffer_get", |_, a| {
        let index = int(a, 1).and_then(|i| usize::try_from(i).ok());
        done(buffer(get(a, 0)).zip(index).and_then(|(b, i)| b.borrow().get(i).cloned()))
    }),
    ("__buffer_push", |_, a| {
        let item = take(a, 1);
        if let Some(items) = buffer(get(a, 0)) {
            items.borrow_mut().push(item);
        }
        done(Value::NIL)
    }),
];

/// A 64-bit integer that tasks share.
pub struct Atomic(pub Cell<i64>);

impl Handle for Atomic {
    fn type_name(&self) -> &'static str {
        "atomic"
    }

    fn display(&self) -> String {
        format!("<atomic:{}>", self.0.get())
    }

    fn equals(&self, other: &dyn Handle) -> bool {
        other.as_any().downcast_ref::<Atomic>().is_some_and(|other| other.0 == self.0)
    }

    fn save(&self) -> Option<SavedHandle> {
        Some(SavedHandle { kind: "atomic", data: Data::Int(self.0.get()), values: Vec::new() })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A growing list that generators share.
#[derive(Default)]
pub(crate) struct Buffer(RefCell<Vec<Value>>);

impl Handle for Buffer {
    fn type_name(&self) -> &'static str {
        "buffer"
    }

    fn display(&self) -> String {
        "<buffer>".to_owned()
    }

    fn save(&self) -> Option<SavedHandle> {
        Some(SavedHandle { kind: "buffer", data: Data::Nil, values: self.0.borrow().clone() })
    }

    fn fill(&self, values: Vec<Value>) {
        *self.0.borrow_mut() = values;
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn downcast<T: Any>(value: &Value) -> Option<&T> {
    match value.view() {
        View::Handle(handle) => handle.as_any().downcast_ref(),
        _ => None,
    }
}

fn atomic(value: &Value) -> Option<&Cell<i64>> {
    downcast::<Atomic>(value).map(|a| &a.0)
}

fn buffer(value: &Value) -> Option<&RefCell<Vec<Value>>> {
    downcast::<Buffer>(value).map(|b| &b.0)
}
