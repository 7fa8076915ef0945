//! The middle way between an arm of the step loop and `slow::execute`: operations that are too long for an arm but can
//! neither fail nor look at the stack, so the position need not be saved. Each takes registers and is never inlined.

use super::Vm;
use super::step::take;
use crate::value::cell::ListCell;
use crate::value::code::{self, Code, Linked};
use crate::value::shape::{Shape, Variant};
use crate::value::slots::SlotsCell;
use crate::value::{Value, display_into, equals, tag, write_int};

/// A dict literal whose keys make a shape; `None`: the slow way.
///
/// # Safety
/// The code is alive and `from..` are as many registers as constant `index` has keys.
#[inline(never)]
pub(super) unsafe fn dict_literal(code: *const Code, index: usize, from: *mut Value) -> Option<Value> {
    // SAFETY: see above.
    unsafe {
        let Linked::Keys { shape: Some((shape, order)) } = (*code).unit().linked.get(index)? else {
            return None;
        };
        let descriptor: *const Shape = *shape;
        Some(record_moved(tag::RECORD, descriptor, from, order))
    }
}

/// A record whose slot `i` is moved from register `from + order[i]`.
///
/// # Safety
/// The registers exist.
#[inline(always)]
pub(super) unsafe fn record_moved(kind: u8, shape: *const Shape, from: *mut Value, order: &[u8]) -> Value {
    let cell = SlotsCell::alloc(order.len(), shape.cast());
    // SAFETY: the registers exist; the cell has room for all slots.
    unsafe {
        for (slot, register) in order.iter().enumerate() {
            SlotsCell::slot(cell, slot).write(take(from.add(usize::from(*register))));
        }
        (*cell).len = order.len() as u32;
    }
    SlotsCell::into_value(kind, cell)
}

/// A list of values moved from registers.
///
/// # Safety
/// `from..from+count` are registers.
#[inline(never)]
pub(super) unsafe fn list_literal(from: *mut Value, count: usize) -> Value {
    let mut items: Vec<Value> = Vec::with_capacity(count);
    // SAFETY: the registers exist; the vector has room.
    unsafe {
        std::ptr::copy_nonoverlapping(from, items.as_mut_ptr(), count);
        items.set_len(count);
        forget(from, count);
    }
    Value::list(items)
}

/// A closure whose captures are moved from registers.
///
/// # Safety
/// The code is alive; `from..from+count` are registers.
#[inline(never)]
pub(super) unsafe fn closure(code: *const Code, from: *mut Value, count: usize) -> Value {
    // SAFETY: see above.
    unsafe {
        let value = code::closure(code, from, count);
        forget(from, count);
        value
    }
}

/// An enum value whose fields are moved from registers.
///
/// # Safety
/// `from..from+count` are registers.
#[inline(never)]
pub(super) unsafe fn enum_value(variant: &'static Variant, from: *mut Value, count: usize) -> Value {
    let descriptor: *const Variant = variant;
    // SAFETY: see above.
    unsafe {
        let value = SlotsCell::alloc_moved(tag::ENUM, descriptor.cast(), from, count);
        forget(from, count);
        value
    }
}

/// Marks registers as free whose values were moved bit by bit.
///
/// # Safety
/// `from..from+count` are registers.
#[inline(always)]
pub(super) unsafe fn forget(from: *mut Value, count: usize) {
    for i in 0..count {
        // SAFETY: see above.
        unsafe { (*from.add(i)).word = 0 };
    }
}

/// Texts longer than this are built the slow way, which looks at the limits.
const LONG: usize = 1 << 20;

/// Interpolation: the displays of registers, which are consumed, joined. `None`: it gets long; nothing was consumed.
///
/// # Safety
/// `from..from+count` are registers.
#[inline(never)]
pub(super) unsafe fn concat(vm: &mut Vm, from: *mut Value, count: usize) -> Option<Value> {
    let scratch = &mut vm.scratch;
    scratch.clear();
    for i in 0..count {
        // SAFETY: see above.
        let value = unsafe { &*from.add(i) };
        match value.tag() {
            tag::INT => write_int(value.payload as i64, scratch),
            tag::STR => scratch.push_str(value.as_str().unwrap_or("")),
            tag::HEAP_STR => {
                let text = value.as_str().unwrap_or("");
                if text.len() > LONG {
                    return None;
                }
                scratch.push_str(text);
            }
            tag::LIST | tag::DICT | tag::SET => return None,
            _ => display_into(value, scratch),
        }
    }
    let text = Value::str(scratch);
    for i in 0..count {
        // SAFETY: see above.
        drop(unsafe { take(from.add(i)) });
    }
    Some(text)
}

/// The value under a string key of a dict; nil when there is none.
///
/// # Safety
/// `from` is a register that holds a dict, `key` one that holds a string; `dead` are the consume bits.
#[inline(never)]
pub(super) unsafe fn dict_get(from: *mut Value, key: *mut Value, dead: u32) -> Value {
    // SAFETY: see above.
    unsafe {
        let value = (*from).entry_of(&*key).cloned().unwrap_or_default();
        if dead & 1 != 0 {
            drop(take(from));
        }
        if dead & 2 != 0 {
            drop(take(key));
        }
        value
    }
}

/// Sets the value under a string key of a dict.
///
/// # Safety
/// `to` is a register that holds a dict, `key` one that holds a string, consumed when `dead`.
#[inline(never)]
pub(super) unsafe fn dict_set(to: *mut Value, key: *mut Value, value: *mut Value, dead: bool) {
    // SAFETY: see above.
    unsafe {
        let value = take(value);
        (*to).dict_set_value(&*key, value);
        if dead {
            drop(take(key));
        }
    }
}

/// `x == y`, which consumes the operands whose bits are set.
///
/// # Safety
/// Both are registers.
#[inline(never)]
pub(super) unsafe fn equal(x: *mut Value, y: *mut Value, dead: u32) -> bool {
    // SAFETY: see above.
    unsafe {
        let answer = equals(&*x, &*y);
        if dead & 1 != 0 {
            drop(take(x));
        }
        if dead & 2 != 0 {
            drop(take(y));
        }
        answer
    }
}

/// Truthiness; `x` is consumed when `dead`.
///
/// # Safety
/// A register.
#[inline(never)]
pub(super) unsafe fn truthy(x: *mut Value, dead: bool) -> bool {
    // SAFETY: see above.
    unsafe {
        let answer = (*x).truthy();
        if dead {
            drop(take(x));
        }
        answer
    }
}

/// Appends to a unique list that is full; false: the slow way, which looks at the limits.
///
/// # Safety
/// `list` is a register that holds a unique list, `item` a register.
#[inline(never)]
pub(super) unsafe fn grow(list: *mut Value, item: *mut Value) -> bool {
    // SAFETY: see above.
    unsafe {
        let items = &mut (*((*list).payload as *mut ListCell)).items;
        if items.len() > LONG {
            return false;
        }
        items.reserve(items.len().max(4));
        items.push(take(item));
        true
    }
}
