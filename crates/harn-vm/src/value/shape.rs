//! Shapes: the sorted keys of a record, shared by all records that have them, with transitions to larger shapes.
//! Struct types and enum variants are described here too. All are made once per thread, so comparing addresses is
//! comparing meaning; the number of shapes of dicts is bounded (dicts whose keys are data turn into hash dicts).
//!
//! `&'static` means here: as long as anything can refer to it. Shapes are referred to by the code that VMs have loaded
//! and by counted cells, so [`vm_ends`] frees all of them when the last VM of the thread goes and no cell is left. A
//! thread that runs one program after the other, as test runners and servers do, starts each with empty tables.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null;

use super::cell::heap_bytes;

/// Records have at most this many keys; larger dicts are hash dicts.
pub(crate) const MAX_KEYS: usize = 32;
/// Shapes of dicts a thread makes at most.
const MAX_SHAPES: usize = 8192;

/// The keys of a record in ascending order.
pub(crate) struct Shape {
    pub keys: Vec<Box<str>>,
    /// The struct type, for structs.
    pub struct_type: Option<&'static StructType>,
    /// Key added -> next shape and the slot of the new key.
    transitions: RefCell<HashMap<Box<str>, (&'static Shape, usize)>>,
}

/// A struct declaration as values know it.
pub(crate) struct StructType {
    pub name: Box<str>,
    pub module: Box<str>,
    pub fields: Vec<Box<str>>,
}

/// An enum variant as values know it.
pub(crate) struct Variant {
    pub enum_name: Box<str>,
    pub name: Box<str>,
}

impl Shape {
    /// The slot of `key`.
    pub(crate) fn slot(&self, key: &str) -> Option<usize> {
        if self.keys.len() <= 8 {
            return self.keys.iter().position(|k| **k == *key);
        }
        self.keys.binary_search_by(|k| (**k).cmp(key)).ok()
    }

    /// The shape with `key` added, and its slot; `None` when it must be a hash dict. The key must not be there yet.
    pub(crate) fn with(&'static self, key: &str) -> Option<(&'static Shape, usize)> {
        if let Some(found) = self.transitions.borrow().get(key) {
            return Some(*found);
        }
        if self.struct_type.is_none() && self.keys.len() >= MAX_KEYS {
            return None;
        }
        let at = self.keys.binary_search_by(|k| (**k).cmp(key)).unwrap_or_else(|at| at);
        let mut keys = self.keys.clone();
        keys.insert(at, key.into());
        let next = intern(self.struct_type, keys)?;
        self.transitions.borrow_mut().insert(key.into(), (next, at));
        Some((next, at))
    }

    /// The shape without the key in `slot`.
    pub(crate) fn without(&'static self, slot: usize) -> Option<&'static Shape> {
        let mut keys = self.keys.clone();
        keys.remove(slot);
        intern(self.struct_type, keys)
    }
}

type ShapeKey = (usize, Vec<Box<str>>);

#[derive(Default)]
struct Tables {
    shapes: RefCell<HashMap<ShapeKey, &'static Shape>>,
    dict_shapes: Cell<usize>,
    structs: RefCell<HashMap<(Box<str>, Box<str>, Vec<Box<str>>), &'static StructType>>,
    variants: RefCell<HashMap<(Box<str>, Box<str>), &'static Variant>>,
    empty: Cell<Option<&'static Shape>>,
    ok: Cell<Option<&'static Variant>>,
    err: Cell<Option<&'static Variant>>,
}

impl Drop for Tables {
    fn drop(&mut self) {
        /// # Safety
        /// `leaked` came from `Box::leak`, and nobody refers to it any more.
        unsafe fn free<T>(leaked: &'static T) {
            // SAFETY: see above.
            drop(unsafe { Box::from_raw(std::ptr::from_ref(leaked).cast_mut()) });
        }
        // SAFETY: each was leaked into its table below and stands there once; `release` has seen that nobody refers to
        // them. Shapes go before the struct types that they name.
        unsafe {
            self.shapes.get_mut().drain().for_each(|(_, shape)| free(shape));
            self.structs.get_mut().drain().for_each(|(_, declared)| free(declared));
            self.variants.get_mut().drain().for_each(|(_, variant)| free(variant));
        }
    }
}

thread_local! {
    /// Null while nothing is described. Without a destructor: cells may be dropped while a thread ends.
    static TABLES: Cell<*const Tables> = const { Cell::new(null()) };
    /// VMs of this thread.
    static VMS: Cell<usize> = const { Cell::new(0) };
    static THREAD: ThreadEnd = const { ThreadEnd };
}

/// Frees what is described without a VM, when the thread ends.
struct ThreadEnd;

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        release();
    }
}

fn tables() -> &'static Tables {
    let mut tables = TABLES.get();
    if tables.is_null() {
        tables = Box::into_raw(Box::default());
        TABLES.set(tables);
        // Once mentioned, it is dropped when the thread ends; while it is being dropped it cannot be mentioned.
        let _ = THREAD.try_with(|_| ());
    }
    // SAFETY: not null, and freed by `release` only, which sets it to null.
    unsafe { &*tables }
}

/// A VM of this thread begins: what it refers to stays.
pub(crate) fn vm_begins() {
    VMS.set(VMS.get() + 1);
}

/// A VM of this thread and its code are gone.
pub(crate) fn vm_ends() {
    VMS.set(VMS.get().saturating_sub(1));
    release();
}

/// Frees all descriptions when nobody can refer to one: code of VMs does, and cells do.
fn release() {
    if VMS.get() == 0 && heap_bytes() == 0 {
        let tables = TABLES.replace(null());
        if !tables.is_null() {
            // SAFETY: it came from `Box::into_raw` and is in no other hands: there is no code and no cell, and the
            // functions of this module return only what is inside the boxes.
            drop(unsafe { Box::from_raw(tables.cast_mut()) });
        }
    }
}

fn intern(struct_type: Option<&'static StructType>, keys: Vec<Box<str>>) -> Option<&'static Shape> {
    let tables = tables();
    let full = struct_type.is_none() && tables.dict_shapes.get() >= MAX_SHAPES;
    if full {
        return tables.shapes.borrow().get(&(0, keys)).copied();
    }
    Some(made(struct_type, keys))
}

/// The shape of these sorted keys, made when there is none.
fn made(struct_type: Option<&'static StructType>, keys: Vec<Box<str>>) -> &'static Shape {
    let tables = tables();
    let id = struct_type.map_or(0, |s| std::ptr::from_ref(s) as usize);
    let key = (id, keys);
    if let Some(shape) = tables.shapes.borrow().get(&key) {
        return shape;
    }
    if struct_type.is_none() {
        tables.dict_shapes.set(tables.dict_shapes.get() + 1);
    }
    let shape: &'static Shape =
        Box::leak(Box::new(Shape { keys: key.1.clone(), struct_type, transitions: RefCell::default() }));
    tables.shapes.borrow_mut().insert(key, shape);
    shape
}

/// The shape of the empty dict.
pub(crate) fn empty() -> &'static Shape {
    let tables = tables();
    if let Some(shape) = tables.empty.get() {
        return shape;
    }
    let shape = made(None, Vec::new());
    tables.empty.set(Some(shape));
    shape
}

/// The shape of a dict with these keys (any order, no duplicates); `None` when it must be a hash dict.
pub(crate) fn of_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Option<&'static Shape> {
    let mut keys: Vec<Box<str>> = keys.into_iter().map(Box::from).collect();
    if keys.len() > MAX_KEYS {
        return None;
    }
    keys.sort();
    intern(None, keys)
}

/// The shape of a struct in which no field is set.
pub(crate) fn of_struct(struct_type: &'static StructType) -> &'static Shape {
    made(Some(struct_type), Vec::new())
}

/// The struct type with this declaration.
pub(crate) fn struct_type(module: &str, name: &str, fields: &[String]) -> &'static StructType {
    let fields: Vec<Box<str>> = fields.iter().map(|f| f.as_str().into()).collect();
    let key = (module.into(), name.into(), fields);
    let tables = tables();
    if let Some(found) = tables.structs.borrow().get(&key) {
        return found;
    }
    let made: &'static StructType =
        Box::leak(Box::new(StructType { name: key.1.clone(), module: key.0.clone(), fields: key.2.clone() }));
    tables.structs.borrow_mut().insert(key, made);
    made
}

/// The variant with this name.
pub(crate) fn variant(enum_name: &str, name: &str) -> &'static Variant {
    let tables = tables();
    let quick = match (enum_name, name) {
        ("Result", "Ok") => Some(&tables.ok),
        ("Result", "Err") => Some(&tables.err),
        _ => None,
    };
    if let Some(found) = quick.and_then(Cell::get) {
        return found;
    }
    let key = (enum_name.into(), name.into());
    let known = tables.variants.borrow().get(&key).copied();
    let found = known.unwrap_or_else(|| {
        let made: &'static Variant =
            Box::leak(Box::new(Variant { enum_name: enum_name.into(), name: name.into() }));
        tables.variants.borrow_mut().insert(key, made);
        made
    });
    if let Some(quick) = quick {
        quick.set(Some(found));
    }
    found
}
