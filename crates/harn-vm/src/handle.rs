//! Handles: values with an identity that live outside the VM's heap (channels, tasks, atomics, generators of random
//! numbers, permits, MCP clients, streams of the scheduler).

use std::any::Any;

use harn_effect::Data;

use crate::value::Value;

/// A handle in a snapshot: enough data to make it again, and the values it holds, which may refer to it.
pub struct SavedHandle {
    /// The name of its kind, by which it is made again.
    pub kind: &'static str,
    /// Plain data.
    pub data: Data,
    /// Values that it holds.
    pub values: Vec<Value>,
}

/// What the VM asks of a handle.
pub trait Handle: Any {
    /// The name that `type_of` gives.
    fn type_name(&self) -> &'static str;

    /// The display form (spec 02 section 3).
    fn display(&self) -> String;

    /// Whether both are the same object.
    fn same(&self, other: &dyn Handle) -> bool {
        std::ptr::addr_eq(std::ptr::from_ref(self.as_any()), std::ptr::from_ref(other.as_any()))
    }

    /// `==`; identity unless the kind says otherwise (atomics compare their values).
    fn equals(&self, other: &dyn Handle) -> bool {
        self.same(other)
    }

    /// Whether `for` and `iter` take values from it: the VM then asks the scheduler with `ControlOp::IterNext`.
    fn is_iterable(&self) -> bool {
        false
    }

    /// What of it goes into a snapshot. `None`: it cannot be written (something open outside of the program).
    fn save(&self) -> Option<SavedHandle> {
        None
    }

    /// Takes the values of its [`SavedHandle`] back, once, right after it was made again from the data.
    fn fill(&self, _values: Vec<Value>) {}

    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
}
