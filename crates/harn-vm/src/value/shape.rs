//! Shapes: the sorted keys of a record, shared by all records that have them, with transitions to larger shapes.
//! Struct types and enum variants are described here too. All are made once per thread and never freed; their number
//! is bounded (dicts whose keys are data turn into hash dicts), so comparing addresses is comparing meaning.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

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

thread_local! {
    // Leaked on purpose: cells may outlive thread-local destruction.
    static TABLES: &'static Tables = Box::leak(Box::default());
}

fn tables() -> &'static Tables {
    TABLES.with(|tables| *tables)
}

fn intern(struct_type: Option<&'static StructType>, keys: Vec<Box<str>>) -> Option<&'static Shape> {
    let tables = tables();
    let id = struct_type.map_or(0, |s| std::ptr::from_ref(s) as usize);
    let key = (id, keys);
    if let Some(shape) = tables.shapes.borrow().get(&key) {
        return Some(shape);
    }
    if struct_type.is_none() {
        if tables.dict_shapes.get() >= MAX_SHAPES {
            return None;
        }
        tables.dict_shapes.set(tables.dict_shapes.get() + 1);
    }
    let shape: &'static Shape =
        Box::leak(Box::new(Shape { keys: key.1.clone(), struct_type, transitions: RefCell::default() }));
    tables.shapes.borrow_mut().insert(key, shape);
    Some(shape)
}

/// The shape of the empty dict.
pub(crate) fn empty() -> &'static Shape {
    let tables = tables();
    if let Some(shape) = tables.empty.get() {
        return shape;
    }
    let shape = match intern(None, Vec::new()) {
        Some(shape) => shape,
        // Only when the table is full before the first dict, which cannot be: this is the first shape.
        None => Box::leak(Box::new(Shape {
            keys: Vec::new(),
            struct_type: None,
            transitions: RefCell::default(),
        })),
    };
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
    match intern(Some(struct_type), Vec::new()) {
        Some(shape) => shape,
        // Struct shapes are not bounded.
        None => empty(),
    }
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
