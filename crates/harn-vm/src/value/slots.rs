//! Cells whose values stand right behind the header: records, structs, enum values, pairs, closures. Small ones come
//! from free lists by capacity.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::null_mut;

use super::Value;
use super::cell::{Header, count_born, count_died};

/// Header, number of values, what they are; the values follow.
#[repr(C)]
pub(crate) struct SlotsCell {
    pub header: Header,
    /// Values in use, from the first slot on.
    pub len: u32,
    pub spare: u32,
    /// Records and structs: `*const Shape`; enum values: `*const Variant`; closures: `*const Code`.
    pub descriptor: *const (),
}

const SLOTS_AT: usize = size_of::<SlotsCell>();

/// Capacities with a free list.
const LISTED: usize = 33;
/// Cells a free list keeps at most.
const KEPT: u32 = 1024;

struct FreeList {
    first: Cell<*mut SlotsCell>,
    length: Cell<u32>,
}

thread_local! {
    static FREE: [FreeList; LISTED] =
        const { [const { FreeList { first: Cell::new(null_mut()), length: Cell::new(0) } }; LISTED] };
}

fn layout(capacity: usize) -> Layout {
    // Capacity is below 2^32: the size cannot overflow.
    match Layout::from_size_align(SLOTS_AT + capacity * size_of::<Value>(), align_of::<SlotsCell>()) {
        Ok(layout) => layout,
        Err(_) => Layout::new::<SlotsCell>(),
    }
}

fn rounded(len: usize) -> usize {
    match len {
        0..=8 => len,
        9..=16 => len.next_multiple_of(4),
        17..=32 => len.next_multiple_of(8),
        _ => len.next_multiple_of(16),
    }
}

impl SlotsCell {
    /// A cell with room for `len` values, none in use yet.
    #[inline(always)]
    pub(crate) fn alloc(len: usize, descriptor: *const ()) -> *mut SlotsCell {
        let capacity = rounded(len);
        count_born(SLOTS_AT + capacity * size_of::<Value>());
        let cell = if capacity < LISTED {
            FREE.with(|lists| {
                let list = &lists[capacity];
                let first = list.first.get();
                if first.is_null() {
                    return allocate(capacity);
                }
                // SAFETY: a listed cell is memory of this capacity; its descriptor is the next in the list.
                list.first.set(unsafe { (*first).descriptor.cast_mut().cast() });
                list.length.set(list.length.get() - 1);
                first
            })
        } else {
            allocate(capacity)
        };
        // SAFETY: the memory is large enough and aligned for a SlotsCell.
        unsafe {
            let header = Header { count: Cell::new(1), capacity: capacity as u32 };
            cell.write(SlotsCell { header, len: 0, spare: 0, descriptor });
        }
        cell
    }

    /// A value of kind `tag` with the given slots.
    pub(crate) fn alloc_from(tag: u8, descriptor: *const (), values: Vec<Value>) -> Value {
        let cell = SlotsCell::alloc(values.len(), descriptor);
        let len = values.len() as u32;
        // SAFETY: the cell has room for all values.
        unsafe {
            for (i, value) in values.into_iter().enumerate() {
                SlotsCell::slot(cell, i).write(value);
            }
            (*cell).len = len;
        }
        SlotsCell::into_value(tag, cell)
    }

    /// A value of kind `tag` with copies of the given slots.
    pub(crate) fn alloc_cloned(tag: u8, descriptor: *const (), values: &[Value]) -> Value {
        let cell = SlotsCell::alloc(values.len(), descriptor);
        // SAFETY: the cell has room for all values.
        unsafe {
            for (i, value) in values.iter().enumerate() {
                SlotsCell::slot(cell, i).write(value.clone());
            }
            (*cell).len = values.len() as u32;
        }
        SlotsCell::into_value(tag, cell)
    }

    /// A value of kind `tag` whose slots are moved from registers.
    ///
    /// # Safety
    /// `from..from+count` are valid values; they are left to be overwritten, not dropped.
    #[inline(always)]
    pub(crate) unsafe fn alloc_moved(
        tag: u8,
        descriptor: *const (),
        from: *const Value,
        count: usize,
    ) -> Value {
        let cell = SlotsCell::alloc(count, descriptor);
        // SAFETY: the cell has room for `count` values.
        unsafe {
            std::ptr::copy_nonoverlapping(from, SlotsCell::slot(cell, 0), count);
            (*cell).len = count as u32;
        }
        SlotsCell::into_value(tag, cell)
    }

    #[inline(always)]
    pub(crate) fn into_value(tag: u8, cell: *mut SlotsCell) -> Value {
        Value { word: u64::from(tag), payload: cell as u64, not_send: PhantomData }
    }

    /// Address of a slot; below the capacity it is inside the cell.
    #[inline(always)]
    pub(crate) fn slot(cell: *mut SlotsCell, index: usize) -> *mut Value {
        cell.cast::<u8>().wrapping_add(SLOTS_AT).cast::<Value>().wrapping_add(index)
    }

    /// The values.
    #[inline(always)]
    pub(crate) fn values(&self) -> &[Value] {
        let first = std::ptr::from_ref(self).cast::<u8>().wrapping_add(SLOTS_AT).cast::<Value>();
        // SAFETY: `len` slots behind the header hold values.
        unsafe { std::slice::from_raw_parts(first, self.len as usize) }
    }

    /// The values, to be changed.
    ///
    /// # Safety
    /// The only reference of the cell is the caller's.
    pub(crate) unsafe fn values_mut<'a>(cell: *mut SlotsCell) -> &'a mut [Value] {
        // SAFETY: `len` slots behind the header hold values; nobody else looks at them.
        unsafe { std::slice::from_raw_parts_mut(SlotsCell::slot(cell, 0), (*cell).len as usize) }
    }

    /// Gives the memory back; the values have been moved out.
    ///
    /// # Safety
    /// `cell` came from [`SlotsCell::alloc`] and is not used again.
    pub(crate) unsafe fn free(cell: *mut SlotsCell) {
        // SAFETY: see above.
        unsafe {
            let capacity = (*cell).header.capacity as usize;
            count_died(SLOTS_AT + capacity * size_of::<Value>());
            if capacity < LISTED {
                let listed = FREE.with(|lists| {
                    let list = &lists[capacity];
                    if list.length.get() >= KEPT {
                        return false;
                    }
                    (*cell).descriptor = list.first.get().cast();
                    list.first.set(cell);
                    list.length.set(list.length.get() + 1);
                    true
                });
                if listed {
                    return;
                }
            }
            dealloc(cell.cast(), layout(capacity));
        }
    }
}

#[cold]
#[inline(never)]
fn allocate(capacity: usize) -> *mut SlotsCell {
    let layout = layout(capacity);
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory.cast()
}

/// Gives the memory of this thread's free lists back to the allocator.
pub(crate) fn trim() {
    FREE.with(|lists| {
        for (capacity, list) in lists.iter().enumerate() {
            while !list.first.get().is_null() {
                let cell = list.first.get();
                // SAFETY: listed cells are memory of this capacity that nobody refers to.
                unsafe {
                    list.first.set((*cell).descriptor.cast_mut().cast());
                    dealloc(cell.cast(), layout(capacity));
                }
            }
            list.length.set(0);
        }
    });
}
