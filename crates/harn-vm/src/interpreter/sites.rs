//! Access to parts of values from registers when the inline cache of the site misses, or there is none.

use harn_bytecode::Const;

use super::access;
use super::registers::{put, take};
use crate::error::VmError;
use crate::value::code::Code;
use crate::value::{Value, View, display, tag};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// A property when the cache misses; fills the cache.
#[cold]
#[inline(never)]
pub(super) fn get_field(code: &Code, site: usize, from: &Value, optional: bool) -> Result<Value> {
    let name = &code.function().sites[site].name;
    if matches!(from.tag(), tag::RECORD | tag::STRUCT) {
        let shape = from.shape();
        if let Some(slot) = shape.slot(name) {
            let cache = &code.cache_store[site];
            cache.shape.set(shape);
            cache.slot.set(slot as u32);
            return Ok(from.slots_cell().values().get(slot).cloned().unwrap_or_default());
        }
        return Ok(Value::NIL);
    }
    if optional { Ok(access::property_opt(from, name)) } else { access::property(from, name) }
}

#[cold]
#[inline(never)]
pub(super) fn set_field(code: &Code, site: usize, to: &mut Value, value: Value) -> Result<()> {
    let name = &code.function().sites[site].name;
    let cache = &code.cache_store[site];
    if matches!(to.tag(), tag::RECORD | tag::STRUCT) {
        if to.is_unique() && std::ptr::eq(cache.next.get(), std::ptr::from_ref(to.shape())) {
            // The field was added to this very shape before.
            if let Some((next, at)) = to.shape().with(name) {
                to.record_insert(next, at, value);
                return Ok(());
            }
        }
        let shape = to.shape();
        match shape.slot(name) {
            Some(slot) => {
                cache.shape.set(shape);
                cache.slot.set(slot as u32);
            }
            None => cache.next.set(shape),
        }
    }
    access::set_property(to, name, value)
}

/// # Safety
/// The operands are registers.
#[cold]
#[inline(never)]
pub(super) unsafe fn get_index(
    dst: *mut Value,
    from: *mut Value,
    key: *mut Value,
    dead: u32,
    optional: bool,
) -> Result<()> {
    // SAFETY (of the caller): registers.
    unsafe {
        let answer =
            if optional && (*from).is_nil() { Ok(Value::NIL) } else { access::subscript(&*from, &*key) };
        if dead & 1 != 0 {
            drop(take(from));
        }
        if dead & 2 != 0 {
            drop(take(key));
        }
        put(dst, answer?);
        Ok(())
    }
}

pub(super) fn take_index(from: &mut Value, key: &Value) -> Result<Value> {
    let inner = if from.is_dict() {
        from.entry_mut(&display(key))
    } else {
        let at = match (from.view(), key.as_int()) {
            (View::List(list), Some(n)) => access::position(n, list.len()),
            _ => None,
        };
        at.and_then(|at| from.list_mut()?.get_mut(at))
    };
    match inner {
        Some(slot) => Ok(std::mem::take(slot)),
        None => access::subscript(from, key),
    }
}

/// # Safety
/// Registers; as many keys as the path has index steps.
pub(super) unsafe fn set_path(
    code: &Code,
    index: usize,
    root: &mut Value,
    keys: *const Value,
    value: Value,
) -> Result<()> {
    let Some(Const::Path(steps)) = code.unit().module.consts.get(index) else { return Ok(()) };
    let count = steps.iter().filter(|step| matches!(step, harn_bytecode::PathStep::Index)).count();
    // SAFETY (of the caller): as many key registers as the path has index steps.
    let keys = unsafe { std::slice::from_raw_parts(keys, count) };
    access::set_path(root, steps, keys, value)
}

pub(super) fn dict_rest(code: &Code, index: usize, from: &Value) -> Value {
    let mut rest = if from.is_dict() { from.clone() } else { Value::dict::<&str>([]) };
    if let Some(Const::Keys(keys)) = code.unit().module.consts.get(index) {
        for key in keys {
            rest.dict_remove(key);
        }
    }
    rest
}
