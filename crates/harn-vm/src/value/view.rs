//! Looking into a value without unsafe code: match on [`Value::view`].

use std::rc::Rc;

use super::code::Code;
use super::dict::DictIter;
use super::shape::Variant;
use super::{Value, cell, tag};
use crate::builtin::BuiltinId;
use crate::handle::Handle;

/// What a value is, borrowed.
pub enum View<'a> {
    /// `nil`.
    Nil,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    /// A string.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list.
    List(ListRef<'a>),
    /// A dict.
    Dict(DictRef<'a>),
    /// A set.
    Set(SetRef<'a>),
    /// A pair.
    Pair(&'a Value, &'a Value),
    /// A range.
    Range {
        /// First element.
        start: i64,
        /// Last element, or one past it.
        end: i64,
        /// Whether `end` is left out.
        exclusive: bool,
    },
    /// A closure or named function.
    Closure(ClosureRef<'a>),
    /// A builtin as a value.
    Builtin(BuiltinId),
    /// An enum value.
    Enum(EnumRef<'a>),
    /// A struct.
    Struct(StructRef<'a>),
    /// A generator.
    Generator(GeneratorRef<'a>),
    /// A stream written in Harn.
    Stream(GeneratorRef<'a>),
    /// A lazy iter.
    Iter(GeneratorRef<'a>),
    /// A handle.
    Handle(&'a Rc<dyn Handle>),
}

/// A list.
#[derive(Clone, Copy)]
pub struct ListRef<'a>(&'a [Value]);

impl<'a> ListRef<'a> {
    /// Number of items.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is no item.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// An item.
    pub fn get(self, index: usize) -> Option<Value> {
        self.0.get(index).cloned()
    }

    /// The items.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator + 'a {
        self.0.iter().cloned()
    }

    /// The items, borrowed.
    pub fn as_slice(self) -> &'a [Value] {
        self.0
    }

    /// The items, copied out.
    pub fn to_vec(self) -> Vec<Value> {
        self.0.to_vec()
    }
}

/// A dict.
#[derive(Clone, Copy)]
pub struct DictRef<'a>(&'a Value);

impl<'a> DictRef<'a> {
    /// Number of entries.
    pub fn len(self) -> usize {
        self.0.entry_count()
    }

    /// Whether there is no entry.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value under a key.
    pub fn get(self, key: &str) -> Option<Value> {
        self.0.entry(key).cloned()
    }

    /// The value under a key, borrowed.
    pub fn get_ref(self, key: &str) -> Option<&'a Value> {
        self.0.entry(key)
    }

    /// Whether there is such a key.
    pub fn has(self, key: &str) -> bool {
        self.0.entry(key).is_some()
    }

    /// Entries in key order.
    pub fn iter(self) -> DictIter<'a> {
        DictIter { value: self.0, next: 0 }
    }
}

/// A set.
#[derive(Clone, Copy)]
pub struct SetRef<'a>(&'a Value);

impl<'a> SetRef<'a> {
    /// Number of items.
    pub fn len(self) -> usize {
        self.0.set_cell().table.len()
    }

    /// Whether there is no item.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether an item is equal to `item`.
    pub fn has(self, item: &Value) -> bool {
        self.0.set_has(item)
    }

    /// The items in insertion order.
    pub fn iter(self) -> impl Iterator<Item = &'a Value> {
        self.0.set_cell().table.iter().map(|(key, _)| key)
    }
}

/// An enum value.
#[derive(Clone, Copy)]
pub struct EnumRef<'a>(&'a Value);

impl<'a> EnumRef<'a> {
    fn descriptor(self) -> &'static Variant {
        // SAFETY: the descriptor of enum values is a variant, which stays while there are cells.
        unsafe { &*self.0.slots_cell().descriptor.cast::<Variant>() }
    }

    /// Name of the enum.
    pub fn enum_name(self) -> &'static str {
        &self.descriptor().enum_name
    }

    /// Name of the variant.
    pub fn variant(self) -> &'static str {
        &self.descriptor().name
    }

    /// The fields.
    pub fn fields(self) -> &'a [Value] {
        self.0.slots_cell().values()
    }
}

/// A struct.
#[derive(Clone, Copy)]
pub struct StructRef<'a>(&'a Value);

impl<'a> StructRef<'a> {
    /// Name of the struct.
    pub fn name(self) -> &'static str {
        self.0.shape().struct_type.map_or("", |s| &s.name)
    }

    /// A field that is set.
    pub fn get(self, name: &str) -> Option<Value> {
        self.0.entry(name).cloned()
    }

    /// The fields that are set, in ascending name order.
    pub fn fields(self) -> DictIter<'a> {
        DictIter { value: self.0, next: 0 }
    }

    /// The declared fields, in declaration order.
    pub fn declared(self) -> impl Iterator<Item = &'static str> {
        self.0.shape().struct_type.into_iter().flat_map(|s| s.fields.iter().map(|f| &**f))
    }
}

/// A closure or named function.
#[derive(Clone, Copy)]
pub struct ClosureRef<'a>(&'a Value);

impl<'a> ClosureRef<'a> {
    fn code(self) -> &'a Code {
        // SAFETY: the closure owns a count of the unit that holds its code.
        unsafe { &*super::code::code_of(self.0) }
    }

    /// Name of the function; empty for closures.
    pub fn name(self) -> &'a str {
        &self.code().function().name
    }

    /// Names of the parameters.
    pub fn params(self) -> impl Iterator<Item = &'a str> {
        self.code().param_names()
    }

    /// How many parameters have no default (a rest parameter does not count).
    pub fn required(self) -> usize {
        self.code().function().params.iter().filter(|p| !p.has_default).count()
    }

    /// Its number in its module.
    pub(crate) fn number(self) -> u32 {
        self.code().number
    }

    /// Key of the module it was written in.
    pub fn module(self) -> &'a str {
        &self.code().unit().module.path
    }
}

/// A generator, stream or iter.
#[derive(Clone, Copy)]
pub struct GeneratorRef<'a>(&'a Value);

impl GeneratorRef<'_> {
    /// Whether it is exhausted.
    pub fn is_done(self) -> bool {
        match self.0.tag() {
            tag::GENERATOR => self.0.generator_cell().is_done(),
            _ => self.0.iter_cell().source.try_borrow().is_ok_and(|source| source.is_nil()),
        }
    }
}

impl Value {
    /// What this value is.
    pub fn view(&self) -> View<'_> {
        match self.tag() {
            tag::BOOL => View::Bool(self.payload != 0),
            tag::INT | tag::RAW => View::Int(self.payload as i64),
            tag::FLOAT => View::Float(f64::from_bits(self.payload)),
            tag::DURATION => View::Duration(self.payload as i64),
            tag::STR | tag::HEAP_STR => View::Str(self.as_str().unwrap_or("")),
            tag::BUILTIN => View::Builtin(BuiltinId::from_number(self.payload as u32)),
            tag::LIST => View::List(ListRef(&self.list_cell().items)),
            tag::RECORD | tag::DICT => View::Dict(DictRef(self)),
            tag::STRUCT => View::Struct(StructRef(self)),
            tag::SET => View::Set(SetRef(self)),
            tag::ENUM => View::Enum(EnumRef(self)),
            tag::PAIR => match self.slots_cell().values() {
                [a, b] => View::Pair(a, b),
                _ => View::Nil,
            },
            tag::RANGE => {
                let cell = self.range_cell();
                View::Range { start: cell.start, end: cell.end, exclusive: cell.exclusive }
            }
            // SAFETY: the tag says which cell it is.
            tag::BYTES => unsafe { View::Bytes(&(*(self.payload as *const cell::BytesCell)).bytes) },
            tag::CLOSURE | tag::BORROWED => View::Closure(ClosureRef(self)),
            tag::ITER => View::Iter(GeneratorRef(self)),
            tag::GENERATOR => match self.type_name() {
                "stream" => View::Stream(GeneratorRef(self)),
                "iter" => View::Iter(GeneratorRef(self)),
                _ => View::Generator(GeneratorRef(self)),
            },
            // SAFETY: the tag says which cell it is.
            tag::HANDLE => unsafe { View::Handle(&(*(self.payload as *const cell::HandleCell)).handle) },
            _ => View::Nil,
        }
    }
}
