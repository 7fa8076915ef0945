//! Lifting a collection to a lazy iter (spec 02 section 13.1).

use super::cell::IterCell;
use super::{Value, View, tag};

impl Value {
    /// Whether [`Value::lift`] makes an iter of this value.
    pub fn is_iterable(&self) -> bool {
        match self.view() {
            View::List(_) | View::Set(_) | View::Dict(_) | View::Str(_) | View::Range { .. } => true,
            View::Generator(_) | View::Stream(_) | View::Iter(_) => true,
            View::Handle(handle) => handle.is_iterable(),
            _ => false,
        }
    }

    /// A lazy, single-pass iter over this collection; an iter is returned as it is. `None` when it is not iterable.
    pub fn lift(self) -> Option<Value> {
        if !self.is_iterable() {
            return None;
        }
        let is_iter = matches!(self.view(), View::Iter(_)) || self.tag() == tag::ITER;
        Some(if is_iter { self } else { IterCell::alloc(self) })
    }
}
