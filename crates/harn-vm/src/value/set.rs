//! Sets: unique values by `==` in insertion order; NaN counts as equal to itself (spec 02 section 14.4).

use super::cell::SetCell;
use super::equality::same_item;
use super::hash::hash_value;
use super::{Value, tag};

impl Value {
    /// Whether a set contains an item.
    pub(crate) fn set_has(&self, item: &Value) -> bool {
        self.tag() == tag::SET
            && self.set_cell().table.find(hash_value(item, 0), |key| same_item(key, item)).is_some()
    }

    fn set_mut(&mut self) -> Option<&mut SetCell> {
        if self.tag() != tag::SET {
            return None;
        }
        if !self.is_unique() {
            *self = SetCell::alloc(self.set_cell().table.clone());
        }
        // SAFETY: unique, and borrowed mutably through `self`.
        unsafe { Some(&mut *(self.payload as *mut SetCell)) }
    }

    /// Adds an item to a set in place when unique; whether it was new. Nothing on other values.
    pub fn set_insert(&mut self, item: Value) -> bool {
        let hash = hash_value(&item, 0);
        if self.tag() != tag::SET || self.set_cell().table.find(hash, |key| same_item(key, &item)).is_some() {
            return false;
        }
        self.set_mut().map(|cell| cell.table.add(hash, item, Value::NIL)).is_some()
    }

    /// Removes an item from a set in place when unique; whether it was there.
    pub fn set_remove(&mut self, item: &Value) -> bool {
        if self.tag() != tag::SET {
            return false;
        }
        let Some(at) = self.set_cell().table.find(hash_value(item, 0), |key| same_item(key, item)) else {
            return false;
        };
        // Entry numbers survive a copy.
        self.set_mut().and_then(|cell| cell.table.remove(at)).is_some()
    }
}
