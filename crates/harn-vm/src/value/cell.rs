//! Heap cells: a common header, one struct per kind, and the release of cells whose count fell to zero.
//!
//! Releasing never recurses in Rust: children whose count falls to zero go on a work list, so a list nested a million
//! deep is dropped like any other.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use super::code::Unit;
use super::slots::SlotsCell;
use super::strand::Strand;
use super::table::Table;
use super::{Value, tag};
use crate::handle::Handle;
use harn_bytecode::FunctionKind;

/// What every heap cell starts with.
#[repr(C)]
pub(crate) struct Header {
    /// Number of values that refer to the cell.
    pub count: Cell<u32>,
    /// Slots allocated behind a [`SlotsCell`].
    pub capacity: u32,
}

impl Header {
    pub(crate) fn new() -> Header {
        Header { count: Cell::new(1), capacity: 0 }
    }
}

macro_rules! cells {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            pub(crate) struct $name { pub header: Header, $(pub $field: $ty,)* }
        )*
    };
}

cells! {
    /// A string of more than 14 bytes; `hash` 0 is "not computed".
    StrCell { hash: Cell<u64>, text: String }
    BytesCell { bytes: Vec<u8> }
    ListCell { items: Vec<Value> }
    /// A dict without a shape: many keys, or keys that are data. `order` is the key order, made at need.
    DictCell { table: Table, order: OnceCell<Vec<u32>> }
    SetCell { table: Table }
    RangeCell { start: i64, end: i64, exclusive: bool }
    HandleCell { handle: Rc<dyn Handle> }
    /// A variable shared between a scope and the closures made in it.
    VarCell { value: RefCell<Value> }
    /// An error on its way through a handler; taken out when it is raised again.
    ErrorCell { error: RefCell<Option<Box<dyn Any>>> }
    /// A generator, stream or lazy iter written in Harn.
    GeneratorCell { flavour: FunctionKind, state: RefCell<GeneratorState> }
    /// A lazy iter over a snapshot; `source` nil when exhausted.
    IterCell { source: RefCell<Value>, position: Cell<u64> }
}

/// Where a generator stands.
pub(crate) enum GeneratorState {
    /// Waiting to be pulled.
    Suspended(Box<Strand>),
    /// Its strand is on a fiber.
    Running,
    /// It returned or failed.
    Done,
}

impl GeneratorCell {
    pub(crate) fn flavour_name(&self) -> &'static str {
        match self.flavour {
            FunctionKind::Stream => "stream",
            FunctionKind::Iter => "iter",
            FunctionKind::Plain | FunctionKind::Generator => "generator",
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(*self.state.borrow(), GeneratorState::Done)
    }
}

/// Bytes and cells of this thread.
struct Heap {
    #[cfg(debug_assertions)]
    live: Cell<isize>,
    bytes: Cell<usize>,
}

thread_local! {
    static HEAP: Heap = const {
        Heap {
            #[cfg(debug_assertions)]
            live: Cell::new(0),
            bytes: Cell::new(0),
        }
    };
}

/// How many heap cells this thread holds; counted in debug builds only. Tests assert that a program ends with none.
pub fn live_cells() -> Option<isize> {
    #[cfg(debug_assertions)]
    return Some(HEAP.with(|heap| heap.live.get()));
    #[cfg(not(debug_assertions))]
    None
}

/// Bytes of the large parts of values (cells, texts, item vectors) that this thread holds, as far as counted.
pub(crate) fn heap_bytes() -> usize {
    HEAP.with(|heap| heap.bytes.get())
}

#[inline(always)]
pub(crate) fn count_born(bytes: usize) {
    HEAP.with(|heap| {
        #[cfg(debug_assertions)]
        heap.live.set(heap.live.get() + 1);
        heap.bytes.set(heap.bytes.get().wrapping_add(bytes));
    });
}

#[inline(always)]
pub(crate) fn count_died(bytes: usize) {
    HEAP.with(|heap| {
        #[cfg(debug_assertions)]
        heap.live.set(heap.live.get() - 1);
        heap.bytes.set(heap.bytes.get().saturating_sub(bytes));
    });
}

fn place<T>(tag: u8, cell: T) -> Value {
    count_born(size_of::<T>());
    Value { word: u64::from(tag), payload: Box::into_raw(Box::new(cell)) as u64, not_send: PhantomData }
}

impl StrCell {
    pub(crate) fn alloc(text: String) -> Value {
        debug_assert!(text.len() > super::INLINE);
        place(tag::HEAP_STR, StrCell { header: Header::new(), hash: Cell::new(0), text })
    }
}

impl BytesCell {
    pub(crate) fn alloc(bytes: Vec<u8>) -> Value {
        place(tag::BYTES, BytesCell { header: Header::new(), bytes })
    }
}

impl ListCell {
    pub(crate) fn alloc(items: Vec<Value>) -> Value {
        place(tag::LIST, ListCell { header: Header::new(), items })
    }
}

impl DictCell {
    pub(crate) fn alloc(table: Table) -> Value {
        place(tag::DICT, DictCell { header: Header::new(), table, order: OnceCell::new() })
    }
}

impl SetCell {
    pub(crate) fn alloc(table: Table) -> Value {
        place(tag::SET, SetCell { header: Header::new(), table })
    }
}

impl RangeCell {
    pub(crate) fn alloc(start: i64, end: i64, exclusive: bool) -> Value {
        place(tag::RANGE, RangeCell { header: Header::new(), start, end, exclusive })
    }

    /// Number of elements.
    pub(crate) fn len(&self) -> u64 {
        range_len(self.start, self.end, self.exclusive)
    }
}

/// Number of elements of a range; that of the whole of `i64` saturates.
pub(crate) fn range_len(start: i64, end: i64, exclusive: bool) -> u64 {
    if end < start || (exclusive && end == start) {
        return 0;
    }
    let span = end.wrapping_sub(start) as u64;
    if exclusive { span } else { span.saturating_add(1) }
}

impl HandleCell {
    pub(crate) fn alloc(handle: Rc<dyn Handle>) -> Value {
        place(tag::HANDLE, HandleCell { header: Header::new(), handle })
    }
}

impl VarCell {
    pub(crate) fn alloc(value: Value) -> Value {
        place(tag::CELL, VarCell { header: Header::new(), value: RefCell::new(value) })
    }
}

impl ErrorCell {
    pub(crate) fn alloc(error: Box<dyn Any>) -> Value {
        place(tag::ERROR, ErrorCell { header: Header::new(), error: RefCell::new(Some(error)) })
    }
}

impl GeneratorCell {
    pub(crate) fn alloc(flavour: FunctionKind, strand: Box<Strand>) -> Value {
        let state = RefCell::new(GeneratorState::Suspended(strand));
        place(tag::GENERATOR, GeneratorCell { header: Header::new(), flavour, state })
    }
}

impl IterCell {
    pub(crate) fn alloc(source: Value) -> Value {
        let source = RefCell::new(source);
        place(tag::ITER, IterCell { header: Header::new(), source, position: Cell::new(0) })
    }
}

/// Cells whose count is zero and whose parts are still to be released.
#[derive(Default)]
struct Work(Vec<(u64, u64)>);

impl Work {
    /// Gives up one reference.
    fn give_up(&mut self, value: Value) {
        if value.is_counted() {
            let count = &value.header().count;
            let left = count.get() - 1;
            if left == 0 {
                self.0.push((value.word, value.payload));
            } else {
                count.set(left);
            }
        }
        // The reference has been given up above.
        std::mem::forget(value);
    }

    fn give_up_all(&mut self, values: Vec<Value>) {
        for value in values {
            self.give_up(value);
        }
    }
}

/// Frees the cell of a value whose last reference is being dropped, and everything that only it held.
#[cold]
#[inline(never)]
pub(crate) fn release(word: u64, payload: u64) {
    let mut work = Work::default();
    // SAFETY: the count of this cell has just been found to be one, and its owner is being dropped.
    unsafe { free(word as u8, payload, &mut work) };
    while let Some((word, payload)) = work.0.pop() {
        // SAFETY: the last reference was given up by `give_up`; nobody else can reach the cell.
        unsafe { free(word as u8, payload, &mut work) };
    }
}

/// Frees one cell.
///
/// # Safety
/// `payload` points to a live cell of kind `kind` that no value refers to any more.
unsafe fn free(kind: u8, payload: u64, work: &mut Work) {
    /// Takes the cell back from the heap.
    ///
    /// # Safety
    /// `payload` came from `place::<T>` and is not used again.
    unsafe fn take<T>(payload: u64) -> Box<T> {
        count_died(size_of::<T>());
        // SAFETY: see above.
        unsafe { Box::from_raw(payload as *mut T) }
    }
    // SAFETY (all arms): the kind says which cell it is.
    unsafe {
        match kind {
            tag::HEAP_STR => drop(take::<StrCell>(payload)),
            tag::BYTES => drop(take::<BytesCell>(payload)),
            tag::LIST => work.give_up_all(take::<ListCell>(payload).items),
            tag::DICT => {
                let cell = take::<DictCell>(payload);
                for (key, value) in cell.table.into_entries() {
                    work.give_up(key);
                    work.give_up(value);
                }
            }
            tag::SET => {
                for (key, value) in take::<SetCell>(payload).table.into_entries() {
                    work.give_up(key);
                    work.give_up(value);
                }
            }
            tag::RANGE => drop(take::<RangeCell>(payload)),
            tag::HANDLE => drop(take::<HandleCell>(payload)),
            tag::CELL => work.give_up(take::<VarCell>(payload).value.into_inner()),
            tag::ERROR => drop(take::<ErrorCell>(payload)),
            tag::ITER => work.give_up(take::<IterCell>(payload).source.into_inner()),
            tag::GENERATOR => {
                if let GeneratorState::Suspended(strand) = take::<GeneratorCell>(payload).state.into_inner() {
                    work.give_up_all(strand.into_registers());
                }
            }
            tag::RECORD | tag::STRUCT | tag::ENUM | tag::PAIR | tag::CLOSURE => {
                let cell = payload as *mut SlotsCell;
                if kind == tag::CLOSURE {
                    // The closure owned one count of its unit (`code::closure`).
                    let code = (*cell).descriptor.cast::<super::code::Code>();
                    let unit: *const Unit = (*code).unit;
                    for slot in 0..(*cell).len as usize {
                        work.give_up(std::ptr::read(SlotsCell::slot(cell, slot)));
                    }
                    SlotsCell::free(cell);
                    Rc::decrement_strong_count(unit);
                } else {
                    for slot in 0..(*cell).len as usize {
                        work.give_up(std::ptr::read(SlotsCell::slot(cell, slot)));
                    }
                    SlotsCell::free(cell);
                }
            }
            _ => debug_assert!(false, "no such cell"),
        }
    }
}
