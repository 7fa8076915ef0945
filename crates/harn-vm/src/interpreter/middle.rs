//! The middle way between an arm of the step loop and `slow::execute`: operations that are too long for an arm but can
//! neither fail nor look at the stack, so the position need not be saved. Each takes registers and is never inlined.

use super::Vm;
use super::access;
use super::registers::take;
use crate::value::cell::ListCell;
use crate::value::code::{self, Code, Linked, LinkedStep};
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

/// Appends to a unique list that is full; false: the slow way, which gives the error of the limit.
///
/// # Safety
/// `list` is a register that holds a unique list, `item` a register.
#[inline(never)]
pub(super) unsafe fn grow(vm: &Vm, list: *mut Value, item: *mut Value) -> bool {
    // SAFETY: see above.
    unsafe {
        let items = &mut (*((*list).payload as *mut ListCell)).items;
        if vm.limits.check_size(items.len() as u64 * 32).is_err() {
            return false;
        }
        items.reserve(items.len().max(4));
        items.push(take(item));
        true
    }
}

/// Text and text, or list and list, joined; in place when the left one is consumed and unique. `None`: anything else,
/// or beyond the limit; nothing was consumed.
///
/// # Safety
/// Both are registers; `dead` are the consume bits.
#[inline(never)]
pub(super) unsafe fn append(vm: &Vm, x: *mut Value, y: *mut Value, dead: u32) -> Option<Value> {
    // SAFETY: see above.
    unsafe {
        if !may_append(vm, &*x, &*y, dead & 1 != 0 && (*x).is_unique()) {
            return None;
        }
        let mut left = if dead & 1 != 0 { take(x) } else { (*x).clone() };
        if let Some(items) = left.list_mut() {
            items.extend_from_slice(&(*y).list_cell().items);
        } else {
            left.str_append((*y).as_str().unwrap_or(""));
        }
        if dead & 2 != 0 {
            drop(take(y));
        }
        Some(left)
    }
}

/// Whether `x + y` joins two texts or two lists and cannot fail; `in_place` when `x` is what grows.
fn may_append(vm: &Vm, x: &Value, y: &Value, in_place: bool) -> bool {
    match (x.tag(), y.tag()) {
        (tag::LIST, tag::LIST) => {
            let more = y.list_cell().items.len() as u64 * 16;
            let bytes = x.list_cell().items.len() as u64 * 16 + more;
            vm.limits.check_larger(bytes, if in_place { more } else { bytes }).is_ok()
        }
        (tag::STR | tag::HEAP_STR, tag::STR | tag::HEAP_STR) => {
            let more = y.as_str().map_or(0, str::len) as u64;
            let bytes = x.as_str().map_or(0, str::len) as u64 + more;
            vm.limits.check_longer_text(bytes, if in_place { more } else { bytes }).is_ok()
        }
        _ => false,
    }
}

/// Leaves `place` nil when it and `current` are the only owners of one text or list, and what follows (`current`
/// plus or push the operand) cannot fail nor be interrupted before its result is stored into the place again.
///
/// # Safety
/// A global or a slot of a container, and two registers.
#[inline(never)]
pub(super) unsafe fn loosen(
    vm: &Vm,
    place: *mut Value,
    current: *mut Value,
    operand: *mut Value,
    push: bool,
) {
    // SAFETY: see above.
    unsafe {
        let same = (*place).word == (*current).word && (*place).payload == (*current).payload;
        if !same || (*current).header().count.get() != 2 {
            return;
        }
        let sure = if push {
            (*current).tag() == tag::LIST
                && vm.limits.check_larger((*current).list_cell().items.len() as u64 * 32, 32).is_ok()
        } else {
            may_append(vm, &*current, &*operand, true)
        };
        if sure {
            drop(take(place));
        }
    }
}

/// As [`loosen`], for the place along a path; the operand stands in the register after `current`.
///
/// # Safety
/// Registers; as many keys as the path has index steps.
#[inline(never)]
pub(super) unsafe fn loosen_path(
    vm: &Vm,
    steps: &[LinkedStep],
    root: *mut Value,
    keys: *const Value,
    current: *mut Value,
    push: bool,
) {
    // SAFETY: see above.
    unsafe {
        if let Some(place) = place(steps, &mut *root, keys) {
            loosen(vm, place, current, current.add(1), push);
        }
    }
}

/// The value along a path that is there, every level above it made unique. `None`: it is not there, or no container.
///
/// # Safety
/// `keys..` are as many registers as the path has index steps.
unsafe fn place<'a>(steps: &[LinkedStep], root: &'a mut Value, keys: *const Value) -> Option<&'a mut Value> {
    let mut keys = keys;
    let mut at = root;
    for step in steps {
        at = match &step.field {
            Some(name) if at.tag() | 1 == tag::STRUCT => {
                let shape = at.shape();
                let slot = if std::ptr::eq(step.shape.get(), shape) {
                    step.slot.get() as usize
                } else {
                    let slot = shape.slot(name)?;
                    step.shape.set(shape);
                    step.slot.set(slot as u32);
                    slot
                };
                at.make_unique_entries();
                // SAFETY: unique now, and borrowed mutably through `at`.
                unsafe { SlotsCell::values_mut(at.payload as *mut SlotsCell).get_mut(slot)? }
            }
            Some(name) => at.entry_mut(name)?,
            None => {
                // SAFETY (of the caller): one register for each step without a name.
                let key = unsafe { &*keys };
                keys = keys.wrapping_add(1);
                match key.as_int() {
                    Some(n) if at.tag() == tag::LIST => {
                        let index = access::position(n, at.list_cell().items.len())?;
                        at.list_mut()?.get_mut(index)?
                    }
                    _ if at.is_dict() => at.entry_mut(key.as_str()?)?,
                    _ => return None,
                }
            }
        };
    }
    Some(at)
}

/// Stores along a path whose end is there already. False: the slow way; nothing was consumed.
///
/// # Safety
/// Registers; as many keys as the path has index steps.
#[inline(never)]
pub(super) unsafe fn set_path(
    steps: &[LinkedStep],
    root: *mut Value,
    keys: *const Value,
    value: *mut Value,
) -> bool {
    // SAFETY: see above.
    unsafe {
        match place(steps, &mut *root, keys) {
            Some(slot) => {
                replace(slot, value);
                true
            }
            None => false,
        }
    }
}

/// Moves a register into a place and releases what was there.
///
/// # Safety
/// A place that holds a value, and a register.
#[inline(never)]
pub(super) unsafe fn replace(place: *mut Value, value: *mut Value) {
    // SAFETY: see above. The old value is released last, when the place is whole again.
    unsafe {
        let old = place.read();
        place.write(take(value));
        drop(old);
    }
}

/// Moves a register into a slot of a record or struct that is shared, or whose slot holds a counted value.
///
/// # Safety
/// `to` is a register that holds a record or struct with that slot.
#[inline(never)]
pub(super) unsafe fn set_slot(to: *mut Value, slot: usize, value: *mut Value) {
    // SAFETY: see above.
    unsafe {
        (*to).make_unique_entries();
        replace(SlotsCell::slot((*to).payload as *mut SlotsCell, slot), value);
    }
}

/// Moves a register into an item of a shared list.
///
/// # Safety
/// `to` is a register that holds a list longer than `index`.
#[inline(never)]
pub(super) unsafe fn set_item(to: *mut Value, index: usize, value: *mut Value) {
    // SAFETY: see above.
    unsafe {
        if let Some(slot) = (*to).list_mut().and_then(|items| items.get_mut(index)) {
            replace(slot, value);
        }
    }
}
