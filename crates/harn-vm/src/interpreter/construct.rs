//! Values put together piece by piece: lists, dicts, structs, interpolated text.

use harn_bytecode::Const;

use super::Vm;
use super::access;
use super::middle::record_moved;
use super::registers::take;
use crate::error::VmError;
use crate::value::code::Code;
use crate::value::shape::Shape;
use crate::value::slots::SlotsCell;
use crate::value::{Value, display_into, tag};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// Appends to a list that is shared or full.
///
/// # Safety
/// `list` and `item` are registers.
#[cold]
#[inline(never)]
pub(super) unsafe fn push_slow(vm: &mut Vm, list: *mut Value, item: *mut Value) -> Result<()> {
    // SAFETY (of the caller): registers.
    unsafe {
        let item = take(item);
        if let Some(items) = (*list).list_mut() {
            if items.len() == items.capacity() {
                vm.limits.check_size(items.len() as u64 * 32)?;
                items.reserve(items.len().max(4));
            }
            items.push(item);
        }
        Ok(())
    }
}

pub(super) fn extend(vm: &Vm, list: &mut Value, more: Value) -> Result<()> {
    if more.tag() != tag::LIST {
        return Err(access::cannot_destructure(&more, "[...]", "list"));
    }
    if let Some(items) = list.list_mut() {
        let added = more.list_cell().items.len();
        vm.limits.check_larger((items.len() + added) as u64 * 16, added as u64 * 16)?;
        items.extend(more.into_list());
    }
    Ok(())
}

pub(super) fn merge(dict: &mut Value, more: &Value) -> Result<()> {
    if !more.is_dict() && !more.is_struct() {
        return Err(access::cannot_destructure(more, "{...}", "dict"));
    }
    let mut position = 0;
    while let Some((key, value)) = more.entry_at(position) {
        dict.dict_set(key, value.clone());
        position += 1;
    }
    Ok(())
}

/// # Safety
/// `from..` are as many registers as constant `index` has keys.
pub(super) unsafe fn dict_literal(code: &Code, index: usize, from: *mut Value) -> Value {
    // SAFETY (of the caller): as many registers as the constant has keys.
    unsafe {
        let mut dict = Value::dict::<&str>([]);
        if let Some(Const::Keys(keys)) = code.unit().module.consts.get(index) {
            for (i, key) in keys.iter().enumerate() {
                dict.dict_set(key, take(from.add(i)));
            }
        }
        dict
    }
}

/// A struct literal. The linked form is made at the first use, when the declaring module is loaded.
///
/// # Safety
/// `from..` are as many registers as the literal has fields.
pub(super) unsafe fn struct_literal(
    vm: &mut Vm,
    code: &Code,
    index: usize,
    from: *mut Value,
) -> Result<Value> {
    let unit = code.unit();
    let (module, name, fields) = match unit.module.consts.get(index) {
        Some(Const::Struct { module, name, fields }) => (module, name, fields),
        _ => return Ok(Value::NIL),
    };
    if let Some((shape, order)) = unit.struct_literals.borrow().get(&index) {
        // SAFETY (of the caller): as many registers as fields are given.
        return Ok(unsafe { record_moved(tag::STRUCT, *shape, from, order) });
    }
    // SAFETY (of the caller): as above.
    let values: Vec<Value> = (0..fields.len()).map(|i| unsafe { take(from.add(i)) }).collect();
    let root = vm.struct_root(module, name)?;
    let declared = |field: &str| root.struct_type.is_some_and(|s| s.fields.iter().any(|f| **f == *field));
    let mut distinct: Vec<&String> = fields.iter().filter(|field| declared(field)).collect();
    let all = distinct.len() == fields.len();
    distinct.sort();
    distinct.dedup();
    if all && distinct.len() == fields.len() && fields.len() < 256 {
        let mut shape = root;
        for field in fields {
            match shape.with(field) {
                Some((next, _)) => shape = next,
                None => break,
            }
        }
        let order = shape
            .keys
            .iter()
            .map(|slot| fields.iter().position(|field| **field == **slot).unwrap_or(0) as u8)
            .collect();
        unit.struct_literals.borrow_mut().insert(index, (shape, order));
    }
    let mut made = empty_struct(root);
    for (field, value) in fields.iter().zip(values) {
        if declared(field) {
            made.dict_set(field, value);
        }
    }
    Ok(made)
}

pub(super) fn empty_struct(root: &'static Shape) -> Value {
    let descriptor: *const Shape = root;
    SlotsCell::into_value(tag::STRUCT, SlotsCell::alloc(0, descriptor.cast()))
}

pub(super) fn struct_from_dict(vm: &mut Vm, code: &Code, index: usize, from: &Value) -> Result<Value> {
    let Some(Const::Struct { module, name, .. }) = code.unit().module.consts.get(index) else {
        return Ok(Value::NIL);
    };
    let root = vm.struct_root(module, name)?;
    let mut made = empty_struct(root);
    if let (Some(declared), true) = (root.struct_type, from.is_dict() || from.is_struct()) {
        for field in &declared.fields {
            if let Some(value) = from.entry(field) {
                made.dict_set(field, value.clone());
            }
        }
    }
    Ok(made)
}

/// Interpolation: the displays of consumed registers, joined.
///
/// # Safety
/// `from..from+count` are registers.
pub(super) unsafe fn concat(vm: &mut Vm, from: *mut Value, count: usize) -> Result<Value> {
    let mut scratch = std::mem::take(&mut vm.scratch);
    scratch.clear();
    for i in 0..count {
        // SAFETY (of the caller): registers.
        let value = unsafe { take(from.add(i)) };
        match value.as_str() {
            Some(text) => scratch.push_str(text),
            None if value.is_int() => crate::value::write_int(value.payload as i64, &mut scratch),
            None => display_into(&value, &mut scratch),
        }
        vm.limits.check_text(scratch.len() as u64)?;
    }
    let text = Value::str(&scratch);
    if scratch.capacity() < 1 << 16 {
        vm.scratch = scratch;
    }
    Ok(text)
}
