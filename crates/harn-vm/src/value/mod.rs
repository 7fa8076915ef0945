//! Values: 16 bytes, an 8-byte tag word and an 8-byte payload (spec 02 section 1).
//!
//! The low byte of the word is the tag; tags with bit 7 set are counted pointers to heap cells. Everything outside
//! this module and the interpreter sees the safe API: constructors here, [`View`] to look inside, the builders
//! `into_list`, `list_push`, `dict_set` and so on, which change in place when the value is unique.
#![allow(unsafe_code)]

pub(crate) mod cell;
pub(crate) mod code;
mod convert;
mod dict;
mod display;
mod equality;
mod hash;
mod lift;
mod order;
pub mod parcel;
mod set;
pub(crate) mod shape;
pub(crate) mod slots;
pub(crate) mod strand;
pub(crate) mod table;
mod view;

use std::marker::PhantomData;
use std::rc::Rc;

pub use convert::{from_data, to_data};
pub use dict::DictIter;
pub(crate) use display::write_int;
pub use display::{display, display_float, display_into};
pub use equality::{equals, identity_text, is_same};
pub use hash::{HashKey, hash_key};
pub use order::{compare, sort_order};
pub use view::{ClosureRef, DictRef, EnumRef, GeneratorRef, ListRef, SetRef, StructRef, View};

use crate::builtin::BuiltinId;
use crate::handle::Handle;
use cell::{BytesCell, DictCell, HandleCell, Header, ListCell, RangeCell, SetCell, StrCell};
use slots::SlotsCell;

/// Tags of values.
pub(crate) mod tag {
    pub const NIL: u8 = 0;
    pub const BOOL: u8 = 1;
    pub const INT: u8 = 2;
    pub const FLOAT: u8 = 3;
    pub const DURATION: u8 = 4;
    /// A string of at most 14 bytes: byte 1 is its length, bytes 2.. its text, the rest zero.
    pub const STR: u8 = 5;
    pub const BUILTIN: u8 = 6;
    /// A parameter that was not passed, a global not yet initialised.
    pub const ABSENT: u8 = 7;
    /// A closure that the caller's register owns; only in register 0 of a frame.
    pub const BORROWED: u8 = 8;
    /// A number that the VM keeps between instructions (iteration state).
    pub const RAW: u8 = 9;

    // Bit 7 says that the payload is a counted pointer.
    pub const HEAP_STR: u8 = 0x80;
    pub const LIST: u8 = 0x81;
    /// A dict with a shape; together with STRUCT one masked compare.
    pub const RECORD: u8 = 0x82;
    pub const STRUCT: u8 = 0x83;
    pub const DICT: u8 = 0x84;
    pub const SET: u8 = 0x85;
    pub const ENUM: u8 = 0x86;
    pub const PAIR: u8 = 0x87;
    pub const RANGE: u8 = 0x88;
    pub const BYTES: u8 = 0x89;
    pub const CLOSURE: u8 = 0x8a;
    pub const ITER: u8 = 0x8b;
    pub const GENERATOR: u8 = 0x8c;
    pub const CELL: u8 = 0x8d;
    pub const HANDLE: u8 = 0x8e;
    /// A raw error on its way through a handler.
    pub const ERROR: u8 = 0x8f;
}

/// A Harn value.
#[repr(C)]
pub struct Value {
    pub(crate) word: u64,
    pub(crate) payload: u64,
    not_send: PhantomData<*const ()>,
}

/// Longest string that lives inside a value.
pub(crate) const INLINE: usize = 14;

impl Value {
    /// `nil`.
    pub const NIL: Value = Value::raw(tag::NIL as u64, 0);
    /// `true`.
    pub const TRUE: Value = Value::raw(tag::BOOL as u64, 1);
    /// `false`.
    pub const FALSE: Value = Value::raw(tag::BOOL as u64, 0);
    /// A missing argument.
    pub(crate) const ABSENT: Value = Value::raw(tag::ABSENT as u64, 0);

    #[inline(always)]
    pub(crate) const fn raw(word: u64, payload: u64) -> Value {
        Value { word, payload, not_send: PhantomData }
    }

    /// A bool.
    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        Value::raw(tag::BOOL as u64, b as u64)
    }

    /// An int.
    #[inline(always)]
    pub const fn int(n: i64) -> Value {
        Value::raw(tag::INT as u64, n as u64)
    }

    /// A float.
    #[inline(always)]
    pub const fn float(x: f64) -> Value {
        Value::raw(tag::FLOAT as u64, x.to_bits())
    }

    /// A duration in milliseconds.
    #[inline(always)]
    pub const fn duration(ms: i64) -> Value {
        Value::raw(tag::DURATION as u64, ms as u64)
    }

    #[inline(always)]
    pub(crate) const fn raw_number(n: u64) -> Value {
        Value::raw(tag::RAW as u64, n)
    }

    /// A string.
    pub fn str(text: &str) -> Value {
        Value::inline_str(text).unwrap_or_else(|| StrCell::alloc(text.to_owned()))
    }

    /// A string, without copying a long text.
    pub fn string(text: String) -> Value {
        Value::inline_str(&text).unwrap_or_else(|| StrCell::alloc(text))
    }

    /// A string of at most 14 bytes.
    pub(crate) fn inline_str(text: &str) -> Option<Value> {
        let len = text.len();
        if len > INLINE {
            return None;
        }
        let mut bytes = [0u8; 16];
        bytes[0] = tag::STR;
        bytes[1] = len as u8;
        bytes[2..2 + len].copy_from_slice(text.as_bytes());
        let both = u128::from_le_bytes(bytes);
        Some(Value::raw(both as u64, (both >> 64) as u64))
    }

    /// Bytes.
    pub fn bytes(bytes: Vec<u8>) -> Value {
        BytesCell::alloc(bytes)
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        ListCell::alloc(items)
    }

    /// A dict; later duplicates win.
    pub fn dict<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        let mut dict = dict::empty();
        for (key, value) in entries {
            dict.dict_set(key.as_ref(), value);
        }
        dict
    }

    /// A set of the given items, deduplicated by `==` (NaN counts as equal to itself).
    pub fn set(items: impl IntoIterator<Item = Value>) -> Value {
        let mut set = SetCell::alloc(table::Table::default());
        for item in items {
            set.set_insert(item);
        }
        set
    }

    /// A pair.
    pub fn pair(first: Value, second: Value) -> Value {
        SlotsCell::alloc_from(tag::PAIR, std::ptr::null(), vec![first, second])
    }

    /// A range.
    pub fn range(start: i64, end: i64, exclusive: bool) -> Value {
        RangeCell::alloc(start, end, exclusive)
    }

    /// An enum value.
    pub fn enum_value(enum_name: &str, variant: &str, fields: Vec<Value>) -> Value {
        let descriptor: *const shape::Variant = shape::variant(enum_name, variant);
        SlotsCell::alloc_from(tag::ENUM, descriptor.cast(), fields)
    }

    /// `Result.Ok(v)`.
    pub fn ok(value: Value) -> Value {
        Value::enum_value("Result", "Ok", vec![value])
    }

    /// `Result.Err(v)`.
    pub fn err(value: Value) -> Value {
        Value::enum_value("Result", "Err", vec![value])
    }

    /// A builtin as a value.
    pub fn builtin(id: BuiltinId) -> Value {
        Value::raw(tag::BUILTIN as u64, u64::from(id.number()))
    }

    /// A handle.
    pub fn handle(handle: Rc<dyn Handle>) -> Value {
        HandleCell::alloc(handle)
    }

    /// The tag byte.
    #[inline(always)]
    pub(crate) fn tag(&self) -> u8 {
        self.word as u8
    }

    /// Whether the payload is a counted pointer.
    #[inline(always)]
    pub(crate) fn is_counted(&self) -> bool {
        (self.word as i8) < 0
    }

    /// Whether this is `nil`.
    #[inline(always)]
    pub fn is_nil(&self) -> bool {
        self.word == tag::NIL as u64
    }

    #[inline(always)]
    pub(crate) fn is_int(&self) -> bool {
        self.word == tag::INT as u64
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.word == tag::ABSENT as u64
    }

    /// Whether this is a dict.
    pub fn is_dict(&self) -> bool {
        matches!(self.tag(), tag::RECORD | tag::DICT)
    }

    /// Whether this is a struct.
    pub fn is_struct(&self) -> bool {
        self.tag() == tag::STRUCT
    }

    /// Whether this is a closure or a named function.
    pub fn is_closure(&self) -> bool {
        self.tag() == tag::CLOSURE
    }

    /// Whether this is a closure, a named function or a builtin.
    pub fn is_callable(&self) -> bool {
        matches!(self.tag(), tag::CLOSURE | tag::BUILTIN)
    }

    /// The header of the heap cell.
    ///
    /// Invariant: `is_counted()`; a counted value owns one count of a live cell, so the pointer is valid.
    #[inline(always)]
    pub(crate) fn header(&self) -> &Header {
        debug_assert!(self.is_counted());
        // SAFETY: see above; every cell starts with a Header.
        unsafe { &*(self.payload as *const Header) }
    }

    /// Whether this value holds the only reference of its cell (immediates: true).
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        !self.is_counted() || self.header().count.get() == 1
    }

    /// The int, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        self.is_int().then_some(self.payload as i64)
    }

    /// The number as a float, if it is an int or a float.
    pub fn as_number(&self) -> Option<f64> {
        match self.tag() {
            tag::INT => Some(self.payload as i64 as f64),
            tag::FLOAT => Some(f64::from_bits(self.payload)),
            _ => None,
        }
    }

    /// The bool, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        (self.tag() == tag::BOOL).then_some(self.payload != 0)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self.tag() {
            tag::STR => {
                // SAFETY: a STR value holds `len <= 14` bytes of valid UTF-8 from byte 2 on (inline_str).
                unsafe {
                    let bytes = (self as *const Value).cast::<u8>();
                    let len = *bytes.add(1) as usize;
                    Some(std::str::from_utf8_unchecked(std::slice::from_raw_parts(bytes.add(2), len)))
                }
            }
            // SAFETY: the tag says which cell it is.
            tag::HEAP_STR => unsafe { Some(&(*(self.payload as *const StrCell)).text) },
            _ => None,
        }
    }

    /// The name that `type_of` gives.
    pub fn type_name(&self) -> &'static str {
        match self.tag() {
            tag::NIL | tag::ABSENT => "nil",
            tag::BOOL => "bool",
            tag::INT | tag::RAW => "int",
            tag::FLOAT => "float",
            tag::DURATION => "duration",
            tag::STR | tag::HEAP_STR => "string",
            tag::BUILTIN => "builtin",
            tag::LIST => "list",
            tag::RECORD | tag::DICT => "dict",
            tag::STRUCT => "struct",
            tag::SET => "set",
            tag::ENUM => "enum",
            tag::PAIR => "pair",
            tag::RANGE => "range",
            tag::BYTES => "bytes",
            tag::CLOSURE | tag::BORROWED => "closure",
            tag::ITER => "iter",
            tag::GENERATOR => self.generator_cell().flavour_name(),
            // SAFETY: the tag says which cell it is.
            tag::HANDLE => unsafe { (*(self.payload as *const HandleCell)).handle.type_name() },
            tag::CELL => "cell",
            _ => "error",
        }
    }

    /// Truthiness (spec 02 section 2).
    #[inline(always)]
    pub fn truthy(&self) -> bool {
        match self.word {
            0 => false,
            1 | 2 => self.payload != 0,
            _ => self.truthy_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn truthy_slow(&self) -> bool {
        match self.view() {
            View::Nil => false,
            View::Bool(b) => b,
            View::Int(n) | View::Duration(n) => n != 0,
            View::Float(x) => x != 0.0,
            View::Str(text) => !text.is_empty(),
            View::Bytes(bytes) => !bytes.is_empty(),
            View::List(list) => !list.is_empty(),
            View::Dict(dict) => !dict.is_empty(),
            View::Set(set) => !set.is_empty(),
            _ => true,
        }
    }

    // Cells by tag. Each checks the tag, so that a wrong call is an error in debug builds and never a wrong cast.

    pub(crate) fn list_cell(&self) -> &ListCell {
        debug_assert_eq!(self.tag(), tag::LIST);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const ListCell) }
    }

    pub(crate) fn slots_cell(&self) -> &SlotsCell {
        debug_assert!(matches!(
            self.tag(),
            tag::RECORD | tag::STRUCT | tag::ENUM | tag::PAIR | tag::CLOSURE | tag::BORROWED
        ));
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const SlotsCell) }
    }

    pub(crate) fn dict_cell(&self) -> &DictCell {
        debug_assert_eq!(self.tag(), tag::DICT);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const DictCell) }
    }

    pub(crate) fn set_cell(&self) -> &SetCell {
        debug_assert_eq!(self.tag(), tag::SET);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const SetCell) }
    }

    pub(crate) fn range_cell(&self) -> &RangeCell {
        debug_assert_eq!(self.tag(), tag::RANGE);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const RangeCell) }
    }

    pub(crate) fn generator_cell(&self) -> &cell::GeneratorCell {
        debug_assert_eq!(self.tag(), tag::GENERATOR);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const cell::GeneratorCell) }
    }

    pub(crate) fn iter_cell(&self) -> &cell::IterCell {
        debug_assert_eq!(self.tag(), tag::ITER);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const cell::IterCell) }
    }

    pub(crate) fn cell_cell(&self) -> &cell::VarCell {
        debug_assert_eq!(self.tag(), tag::CELL);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const cell::VarCell) }
    }

    pub(crate) fn error_cell(&self) -> &cell::ErrorCell {
        debug_assert_eq!(self.tag(), tag::ERROR);
        // SAFETY: the caller has tested the tag.
        unsafe { &*(self.payload as *const cell::ErrorCell) }
    }

    // Lists.

    /// The items of a list, moved when the list is unique; any other value alone in a vector of none.
    pub fn into_list(self) -> Vec<Value> {
        if self.tag() != tag::LIST {
            return Vec::new();
        }
        if self.is_unique() {
            // SAFETY: unique, and the value is dropped with an empty list in it.
            unsafe { std::mem::take(&mut (*(self.payload as *mut ListCell)).items) }
        } else {
            self.list_cell().items.clone()
        }
    }

    /// The items of a list for changing in place; copies one level when shared. `None` for other values.
    pub fn list_mut(&mut self) -> Option<&mut Vec<Value>> {
        if self.tag() != tag::LIST {
            return None;
        }
        if !self.is_unique() {
            *self = Value::list(self.list_cell().items.clone());
        }
        // SAFETY: unique, and borrowed mutably through `self`.
        unsafe { Some(&mut (*(self.payload as *mut ListCell)).items) }
    }

    /// Appends to a list in place (copying one level when shared); nothing on other values.
    pub fn list_push(&mut self, item: Value) {
        if let Some(items) = self.list_mut() {
            items.push(item);
        }
    }

    /// The text of a string, moved when it is unique and on the heap; other values: their display.
    pub fn into_text(self) -> String {
        if self.tag() == tag::HEAP_STR && self.is_unique() {
            // SAFETY: unique; the value is dropped with an empty text in it.
            return unsafe { std::mem::take(&mut (*(self.payload as *mut StrCell)).text) };
        }
        match self.as_str() {
            Some(text) => text.to_owned(),
            None => display(&self),
        }
    }

    /// Appends text to a string in place when unique; `self` must be a string.
    pub(crate) fn str_append(&mut self, more: &str) {
        if self.tag() == tag::HEAP_STR && self.is_unique() {
            // SAFETY: unique, and borrowed mutably through `self`.
            unsafe {
                let cell = &mut *(self.payload as *mut StrCell);
                cell.text.push_str(more);
                cell.hash.set(0);
            }
            return;
        }
        let old = self.as_str().unwrap_or("");
        let mut text = String::with_capacity((old.len() + more.len()).max(old.len() * 2));
        text.push_str(old);
        text.push_str(more);
        *self = Value::string(text);
    }

    /// The bytes, moved when unique; `None` for other values.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        if self.tag() != tag::BYTES {
            return None;
        }
        // SAFETY: the tag says which cell it is; taken only when unique.
        unsafe {
            let cell = self.payload as *mut BytesCell;
            Some(if self.is_unique() { std::mem::take(&mut (*cell).bytes) } else { (*cell).bytes.clone() })
        }
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if self.is_counted() {
            let count = &self.header().count;
            count.set(count.get().wrapping_add(1));
            if count.get() == 0 {
                // 2^32 references: memory would have run out long before.
                std::process::abort();
            }
        }
        Value::raw(self.word, self.payload)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_counted() {
            let count = &self.header().count;
            let left = count.get() - 1;
            if left == 0 {
                cell::release(self.word, self.payload);
            } else {
                count.set(left);
            }
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::NIL
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.type_name(), display(self))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        equals(self, other)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::int(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Value {
        Value::float(x)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::NIL, Into::into)
    }
}
