//! Loaded code: what closures and frames point to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use harn_bytecode::{Function, FunctionKind, Instruction, Module};

use super::slots::SlotsCell;
use super::{Value, shape, tag};
use crate::builtin::BuiltinId;
use crate::native::NativeFn;

/// A loaded module: the plain data, and what linking made of it. Shared by the VM and by every closure of it.
pub(crate) struct Unit {
    /// Plain data; guests on other threads share it.
    pub module: Arc<Module>,
    /// One per function of the module, in order; addresses are stable.
    pub functions: Box<[Code]>,
    /// Plain constants as values (nil for the other kinds).
    pub values: Box<[Value]>,
    /// What the other constants were linked to.
    pub linked: Box<[Linked]>,
    /// Struct literals by constant, filled when the declaring module is loaded: the shape and the order of the slots.
    pub struct_literals: RefCell<HashMap<usize, (&'static shape::Shape, Box<[u8]>)>>,
    /// What the code refers to outside of itself, filled while the program runs.
    pub link: Link,
}

/// Globals, and other modules' code as far as it was needed. The VM empties it when it goes away: globals may hold
/// closures, which hold the unit.
pub(crate) struct Link {
    pub globals: Globals,
    /// Null until first needed.
    pub imports: Box<[Cell<*const Code>]>,
    pub builtins: Box<[Cell<Resolved>]>,
    /// Functions as values; nil until first needed.
    pub function_values: RefCell<Vec<Value>>,
}

/// The module variables of a unit. The units of a module that grows ([`crate::Vm::grow`]) share theirs.
pub(crate) struct Globals {
    /// Where the first one stands; follows the store when that grows.
    start: Cell<*mut Value>,
    store: Rc<RefCell<Vec<Cell<Value>>>>,
}

impl Globals {
    /// So many variables without a value.
    pub(crate) fn new(count: usize) -> Globals {
        let values = (0..count).map(|_| Cell::new(Value::ABSENT)).collect();
        let globals =
            Globals { start: Cell::new(std::ptr::null_mut()), store: Rc::new(RefCell::new(values)) };
        globals.follow();
        globals
    }

    /// The place of a variable.
    ///
    /// # Safety
    /// `index` is in range, which the verifier proves of code.
    #[inline(always)]
    pub(crate) unsafe fn at(&self, index: usize) -> *mut Value {
        // SAFETY: `start` is the beginning of the store.
        unsafe { self.start.get().add(index) }
    }

    /// A copy of the value of a variable.
    pub(crate) fn get(&self, index: usize) -> Option<Value> {
        let store = self.store.borrow();
        let place = store.get(index)?;
        let value = place.replace(Value::NIL);
        let copy = value.clone();
        place.set(value);
        Some(copy)
    }

    /// Sets a variable; gives what it was.
    pub(crate) fn set(&self, index: usize, value: Value) -> Option<Value> {
        Some(self.store.borrow().get(index)?.replace(value))
    }

    /// Takes all variables away. No code of the unit runs any more.
    pub(crate) fn empty(&self) -> Vec<Cell<Value>> {
        let values = self.store.take();
        self.follow();
        values
    }

    /// The same variables and, up to `count`, more without a value. Every unit that shares the store is told by
    /// [`Globals::follow`] before code runs.
    pub(crate) fn grown(&self, count: usize) -> Globals {
        let more = count.saturating_sub(self.store.borrow().len());
        self.store.borrow_mut().extend((0..more).map(|_| Cell::new(Value::ABSENT)));
        self.follow();
        Globals { start: self.start.clone(), store: self.store.clone() }
    }

    /// Looks again where the store is.
    pub(crate) fn follow(&self) {
        self.start.set(self.store.borrow().as_ptr().cast_mut().cast());
    }
}

/// What a builtin's name was found to be.
#[derive(Clone, Copy)]
pub(crate) enum Resolved {
    Unknown,
    Native(BuiltinId, NativeFn),
    Code(*const Code),
}

/// A constant that is no plain value, ready to use.
pub(crate) enum Linked {
    Nothing,
    /// A dict literal: the shape, and for each slot which source value goes there. `None`: duplicates or too many keys.
    Keys {
        shape: Option<(&'static shape::Shape, Box<[u8]>)>,
    },
    Variant(&'static shape::Variant),
    /// An assignment path.
    Path(Box<[LinkedStep]>),
}

/// A step of an assignment path, with the shape last seen there and the slot of the field in it.
pub(crate) struct LinkedStep {
    /// `.name`; `None`: the next key.
    pub field: Option<Box<str>>,
    pub shape: Cell<*const shape::Shape>,
    pub slot: Cell<u32>,
}

/// A loaded function: the facts that calls need, beside the plain data.
pub(crate) struct Code {
    /// First instruction.
    pub start: *const Instruction,
    /// Constants of the unit.
    pub values: *const Value,
    /// Functions of the unit.
    pub functions: *const Code,
    /// Inline caches, one per site.
    pub caches: *const Cache,
    pub registers: u32,
    pub params: u16,
    /// The number of arguments with which a call needs no adjusting; `NEVER_FAST` for rest parameters and generators.
    pub fast: u16,
    pub kind: FunctionKind,
    pub rest: bool,
    /// Its number in the module.
    pub number: u32,
    pub unit: *const Unit,
    /// Keeps `caches` alive.
    pub cache_store: Box<[Cache]>,
}

pub(crate) const NEVER_FAST: u16 = u16::MAX;

/// The inline cache of an access site: shape and slot of the last hit, and for method sites what was found.
pub(crate) struct Cache {
    pub shape: Cell<*const shape::Shape>,
    pub slot: Cell<u32>,
    /// The next shape, for stores that add a field.
    pub next: Cell<*const shape::Shape>,
    pub method: Cell<MethodCache>,
}

/// The last method found at a call site, by the receiver's tag.
#[derive(Clone, Copy)]
pub(crate) struct MethodCache {
    /// Tag of the receiver; 0 when empty (nil has no methods that are worth caching).
    pub tag: u8,
    /// What was found.
    pub found: Resolved,
}

impl Default for MethodCache {
    fn default() -> Self {
        MethodCache { tag: 0, found: Resolved::Unknown }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache {
            shape: Cell::new(std::ptr::null()),
            slot: Cell::new(0),
            next: Cell::new(std::ptr::null()),
            method: Cell::new(MethodCache::default()),
        }
    }
}

impl Code {
    /// The plain data of the function.
    pub(crate) fn function(&self) -> &Function {
        &self.unit().module.functions[self.number as usize]
    }

    /// The unit that owns this code.
    ///
    /// Invariant: a `Code` is only reached through its unit, a closure (which owns a count of the unit) or a frame of a
    /// VM that holds the unit.
    pub(crate) fn unit(&self) -> &Unit {
        // SAFETY: see above.
        unsafe { &*self.unit }
    }

    /// What the code refers to outside of its unit.
    pub(crate) fn link(&self) -> &Link {
        &self.unit().link
    }

    /// Names of the parameters, as a closure's display shows them.
    pub(crate) fn param_names(&self) -> impl Iterator<Item = &str> {
        let function = self.function();
        function.params.iter().map(|p| p.name.as_str()).chain(function.rest.as_deref())
    }
}

/// A function value with captures moved from `captures`.
///
/// # Safety
/// `code` belongs to a unit that is alive; `captures..+count` are valid values, left to be overwritten.
pub(crate) unsafe fn closure(code: *const Code, captures: *const Value, count: usize) -> Value {
    // SAFETY: see above; the closure owns one count of the unit until it is released.
    unsafe {
        Rc::increment_strong_count((*code).unit);
        SlotsCell::alloc_moved(tag::CLOSURE, code.cast(), captures, count)
    }
}

/// The code of a closure value.
pub(crate) fn code_of(closure: &Value) -> *const Code {
    closure.slots_cell().descriptor.cast()
}

/// Marks a closure of register 0 that the caller owns.
pub(crate) fn borrowed(closure: &Value) -> Value {
    Value { word: u64::from(tag::BORROWED), payload: closure.payload, not_send: PhantomData }
}
