//! Dicts: records with a shape while they are small, hash dicts beyond; iteration in ascending key order.

use std::cell::OnceCell;

use super::cell::DictCell;
use super::hash::{hash_key_value, hash_str};
use super::shape::{self, Shape};
use super::slots::SlotsCell;
use super::table::Table;
use super::{Value, tag};

/// The empty dict.
pub(crate) fn empty() -> Value {
    let shape: *const Shape = shape::empty();
    SlotsCell::into_value(tag::RECORD, SlotsCell::alloc(0, shape.cast()))
}

impl Value {
    /// The shape of a record or struct.
    pub(crate) fn shape(&self) -> &'static Shape {
        debug_assert!(matches!(self.tag(), tag::RECORD | tag::STRUCT));
        // SAFETY: the descriptor of records and structs is a shape, which stays while there are cells.
        unsafe { &*self.slots_cell().descriptor.cast::<Shape>() }
    }

    /// The value under `key` of a dict (or field of a struct).
    pub(crate) fn entry(&self, key: &str) -> Option<&Value> {
        match self.tag() {
            tag::RECORD | tag::STRUCT => self.slots_cell().values().get(self.shape().slot(key)?),
            tag::DICT => {
                let table = &self.dict_cell().table;
                let at = table.find(hash_str(key), |k| k.as_str() == Some(key))?;
                table.entry(at).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// As `entry`, with the key as a string value (whose hash may be known).
    pub(crate) fn entry_of(&self, key: &Value) -> Option<&Value> {
        if self.tag() == tag::DICT {
            let table = &self.dict_cell().table;
            let hash = hash_key_value(key);
            let at = match key.tag() {
                tag::STR => table.find(hash, |k| k.word == key.word && k.payload == key.payload)?,
                _ => table.find(hash, |k| k.as_str() == key.as_str())?,
            };
            return table.entry(at).map(|(_, value)| value);
        }
        self.entry(key.as_str()?)
    }

    /// Number of entries of a dict or set fields of a struct.
    pub(crate) fn entry_count(&self) -> usize {
        match self.tag() {
            tag::RECORD | tag::STRUCT => self.slots_cell().len as usize,
            tag::DICT => self.dict_cell().table.len(),
            _ => 0,
        }
    }

    /// The entry at a position of the key order.
    pub(crate) fn entry_at(&self, position: usize) -> Option<(&str, &Value)> {
        match self.tag() {
            tag::RECORD | tag::STRUCT => {
                Some((self.shape().keys.get(position)?, self.slots_cell().values().get(position)?))
            }
            tag::DICT => {
                let cell = self.dict_cell();
                let (key, value) = cell.table.entry(*cell.key_order().get(position)? as usize)?;
                Some((key.as_str()?, value))
            }
            _ => None,
        }
    }

    /// Makes this record, struct, hash dict the only owner of its cell, copying one level when it is shared.
    #[inline(always)]
    pub(crate) fn make_unique_entries(&mut self) {
        if !self.is_unique() {
            self.copy_level();
        }
    }

    #[inline(never)]
    fn copy_level(&mut self) {
        *self = match self.tag() {
            tag::RECORD | tag::STRUCT => {
                let cell = self.slots_cell();
                SlotsCell::alloc_cloned(self.tag(), cell.descriptor, cell.values())
            }
            tag::DICT => DictCell::alloc(self.dict_cell().table.clone()),
            _ => return,
        };
    }

    /// Sets an entry of a dict or a field of a struct, in place when unique; nothing on other values.
    pub fn dict_set(&mut self, key: &str, value: Value) {
        match self.tag() {
            tag::RECORD | tag::STRUCT => {
                self.make_unique_entries();
                if let Some(slot) = self.shape().slot(key) {
                    // SAFETY: unique; the slot is one of the shape's, which are all in use.
                    unsafe {
                        SlotsCell::values_mut(self.payload as *mut SlotsCell)[slot] = value;
                    }
                    return;
                }
                match self.shape().with(key) {
                    Some((next, at)) => self.record_insert(next, at, value),
                    None => {
                        self.turn_into_hash_dict();
                        self.dict_set(key, value);
                    }
                }
            }
            tag::DICT => self.hash_dict_set(hash_str(key), key, |k| k.as_str() == Some(key), value),
            _ => {}
        }
    }

    /// As `dict_set`, with the key as a string value, on a hash dict without copying the text.
    pub(crate) fn dict_set_value(&mut self, key: &Value, value: Value) {
        if self.tag() == tag::DICT {
            self.make_unique_entries();
            let hash = hash_key_value(key);
            // SAFETY: unique, and borrowed mutably through `self`.
            let cell = unsafe { &mut *(self.payload as *mut DictCell) };
            match cell.table.find(hash, |k| k.as_str() == key.as_str()) {
                Some(at) => {
                    if let Some(slot) = cell.table.value_mut(at) {
                        *slot = value;
                    }
                }
                None => {
                    cell.table.add(hash, key.clone(), value);
                    cell.order = OnceCell::new();
                }
            }
        } else if let Some(text) = key.as_str() {
            self.dict_set(text, value);
        }
    }

    fn hash_dict_set(&mut self, hash: u64, key: &str, same: impl Fn(&Value) -> bool, value: Value) {
        self.make_unique_entries();
        // SAFETY: unique, and borrowed mutably through `self`.
        let cell = unsafe { &mut *(self.payload as *mut DictCell) };
        match cell.table.find(hash, same) {
            Some(at) => {
                if let Some(slot) = cell.table.value_mut(at) {
                    *slot = value;
                }
            }
            None => {
                cell.table.add(hash, Value::str(key), value);
                cell.order = OnceCell::new();
            }
        }
    }

    /// Puts a new slot into a unique record.
    pub(crate) fn record_insert(&mut self, next: &'static Shape, at: usize, value: Value) {
        let descriptor: *const Shape = next;
        let cell = self.payload as *mut SlotsCell;
        // SAFETY: the record is unique; slots are moved bit by bit, each to one new place.
        unsafe {
            let len = (*cell).len as usize;
            let cell = if len < (*cell).header.capacity as usize {
                cell
            } else {
                let wider = SlotsCell::alloc(len + 1, descriptor.cast());
                std::ptr::copy_nonoverlapping(SlotsCell::slot(cell, 0), SlotsCell::slot(wider, 0), len);
                SlotsCell::free(cell);
                self.payload = wider as u64;
                wider
            };
            let slot = SlotsCell::slot(cell, at);
            std::ptr::copy(slot, slot.add(1), len - at);
            slot.write(value);
            (*cell).len = len as u32 + 1;
            (*cell).descriptor = descriptor.cast();
        }
    }

    /// Turns a record into a hash dict.
    #[cold]
    pub(crate) fn turn_into_hash_dict(&mut self) {
        if self.tag() != tag::RECORD {
            return;
        }
        let mut table = Table::default();
        let shape = self.shape();
        for (key, value) in shape.keys.iter().zip(self.slots_cell().values()) {
            table.add(hash_str(key), Value::str(key), value.clone());
        }
        *self = DictCell::alloc(table);
    }

    /// Removes an entry of a dict, in place when unique.
    pub fn dict_remove(&mut self, key: &str) -> Option<Value> {
        match self.tag() {
            tag::RECORD => {
                let slot = self.shape().slot(key)?;
                let Some(next) = self.shape().without(slot) else {
                    self.turn_into_hash_dict();
                    return self.dict_remove(key);
                };
                self.make_unique_entries();
                let descriptor: *const Shape = next;
                let cell = self.payload as *mut SlotsCell;
                // SAFETY: the record is unique; the slot is moved out and the ones behind it move down.
                unsafe {
                    let at = SlotsCell::slot(cell, slot);
                    let removed = at.read();
                    let len = (*cell).len as usize;
                    std::ptr::copy(at.add(1), at, len - slot - 1);
                    (*cell).len = len as u32 - 1;
                    (*cell).descriptor = descriptor.cast();
                    Some(removed)
                }
            }
            tag::DICT => {
                let at = self.dict_cell().table.find(hash_str(key), |k| k.as_str() == Some(key))?;
                self.make_unique_entries();
                // SAFETY: unique, and borrowed mutably through `self`. Entry numbers survive the copy.
                let cell = unsafe { &mut *(self.payload as *mut DictCell) };
                cell.order = OnceCell::new();
                cell.table.remove(at).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value under `key` for changing in place, after making this dict or struct unique.
    pub(crate) fn entry_mut(&mut self, key: &str) -> Option<&mut Value> {
        match self.tag() {
            tag::RECORD | tag::STRUCT => {
                let slot = self.shape().slot(key)?;
                self.make_unique_entries();
                // SAFETY: unique, and borrowed mutably through `self`.
                unsafe { SlotsCell::values_mut(self.payload as *mut SlotsCell).get_mut(slot) }
            }
            tag::DICT => {
                let at = self.dict_cell().table.find(hash_str(key), |k| k.as_str() == Some(key))?;
                self.make_unique_entries();
                // SAFETY: unique, and borrowed mutably through `self`. Entry numbers survive the copy.
                unsafe { (*(self.payload as *mut DictCell)).table.value_mut(at) }
            }
            _ => None,
        }
    }
}

impl DictCell {
    /// Numbers of the entries in ascending key order; made at the first need after a key was added or removed.
    pub(crate) fn key_order(&self) -> &[u32] {
        self.order.get_or_init(|| {
            let mut order: Vec<u32> = self.table.positions().collect();
            let key = |at: &u32| self.table.entry(*at as usize).and_then(|(key, _)| key.as_str());
            order.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
            order
        })
    }
}

/// Entries of a dict, or set fields of a struct, in ascending key order.
pub struct DictIter<'a> {
    pub(super) value: &'a Value,
    pub(super) next: usize,
}

impl<'a> Iterator for DictIter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.value.entry_at(self.next)?;
        self.next += 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.value.entry_count() - self.next.min(self.value.entry_count());
        (left, Some(left))
    }
}
