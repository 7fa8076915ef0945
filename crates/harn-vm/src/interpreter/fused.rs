//! The fast paths of fused operations (`fuse`): each does the work of the instruction at hand and of those behind it, or
//! nothing at all. They are parts of the step loop, inlined there.

use harn_bytecode::Instruction;

use super::registers::{copy, put, take};
use crate::value::cell::ListCell;
use crate::value::code::Code;
use crate::value::slots::SlotsCell;
use crate::value::{Value, tag};

const INT: u64 = tag::INT as u64;
const FLOAT: u64 = tag::FLOAT as u64;
const LIST: u64 = tag::LIST as u64;
const STRUCT: u64 = tag::STRUCT as u64;

/// The place of an item of a list.
///
/// # Safety
/// As [`item_of_item`].
#[inline(always)]
unsafe fn item(list: *const Value, key: *const Value) -> Option<*const Value> {
    // SAFETY (of the caller): values that live as long as the answer is used.
    unsafe {
        if (*list).word != LIST || (*key).word != INT {
            return None;
        }
        let items = &(*((*list).payload as *const ListCell)).items;
        let index = (*key).payload as usize;
        if index < items.len() { Some(items.as_ptr().add(index)) } else { None }
    }
}

/// The place of a field that the cache of a site knows.
///
/// # Safety
/// As [`item_of_item`].
#[inline(always)]
unsafe fn field(from: *const Value, code: *const Code, site: usize) -> Option<*const Value> {
    // SAFETY (of the caller): a value that lives as long as the answer is used, the code of the frame, one of its sites.
    unsafe {
        if (*from).word | 1 != STRUCT {
            return None;
        }
        let cell = (*from).payload as *mut SlotsCell;
        let cache = (*code).caches.add(site);
        if (*cell).descriptor != (*cache).shape.get().cast() {
            return None;
        }
        Some(SlotsCell::slot(cell, (*cache).slot.get() as usize))
    }
}

/// `rows[i][k]`.
///
/// # Safety
/// `base` is the window of the frame, `next` the instruction behind `ins`, both verified and fused by `fuse`.
#[inline(always)]
pub(super) unsafe fn item_of_item(base: *mut Value, ins: Instruction, next: Instruction) -> bool {
    // SAFETY: see above. The row is owned by the outer list, which nothing touches in between.
    unsafe {
        let Some(row) = item(base.add(ins.b() as usize), base.add(ins.c() as usize)) else { return false };
        let Some(value) = item(row, base.add(next.c() as usize)) else { return false };
        copy(base.add(next.a() as usize), value);
        true
    }
}

/// `rows[i].name`.
///
/// # Safety
/// As [`item_of_item`]; `code` is that of the frame.
#[inline(always)]
pub(super) unsafe fn field_of_item(
    base: *mut Value,
    code: *const Code,
    ins: Instruction,
    next: Instruction,
) -> bool {
    // SAFETY: see above. A list that ends here is released when the value has been copied.
    unsafe {
        let from = base.add(ins.b() as usize);
        let Some(row) = item(from, base.add(ins.c() as usize)) else { return false };
        let Some(slot) = field(row, code, next.index()) else { return false };
        if ins.d() & 1 == 0 {
            copy(base.add(next.a() as usize), slot);
        } else {
            let value = (*slot).clone();
            drop(take(from));
            put(base.add(next.a() as usize), value);
        }
        true
    }
}

/// `x.a * y.b`, of two ints or two floats.
///
/// # Safety
/// As [`field_of_item`].
#[inline(always)]
pub(super) unsafe fn mul_fields(
    base: *mut Value,
    code: *const Code,
    ins: Instruction,
    next: Instruction,
) -> bool {
    // SAFETY: see above.
    unsafe {
        let Some(x) = field(base.add(ins.b() as usize), code, ins.index()) else { return false };
        let Some(y) = field(base.add(next.c() as usize), code, next.site()) else { return false };
        let Some(product) = product(x, y) else { return false };
        put(base.add(next.a() as usize), product);
        true
    }
}

/// # Safety
/// The operands are registers.
#[inline(always)]
unsafe fn product(x: *const Value, y: *const Value) -> Option<Value> {
    // SAFETY (of the caller): values.
    unsafe {
        if (*x).word == FLOAT && (*y).word == FLOAT {
            Some(Value::float(f64::from_bits((*x).payload) * f64::from_bits((*y).payload)))
        } else if (*x).word == INT && (*y).word == INT {
            Some(Value::int(((*x).payload as i64).wrapping_mul((*y).payload as i64)))
        } else {
            None
        }
    }
}

/// # Safety
/// The operands are registers.
#[inline(always)]
unsafe fn sum(x: *const Value, y: *const Value) -> Option<Value> {
    // SAFETY (of the caller): values.
    unsafe {
        if (*x).word == INT && (*y).word == INT {
            Some(Value::int(((*x).payload as i64).wrapping_add((*y).payload as i64)))
        } else if (*x).word == FLOAT && (*y).word == FLOAT {
            Some(Value::float(f64::from_bits((*x).payload) + f64::from_bits((*y).payload)))
        } else {
            None
        }
    }
}

/// `z + x * y` or `x * y + z`. The product is kept too: it may be a variable.
///
/// # Safety
/// As [`item_of_item`].
#[inline(always)]
pub(super) unsafe fn mul_then_add(base: *mut Value, ins: Instruction, next: Instruction) -> bool {
    // SAFETY: see above. The product's register was free.
    unsafe {
        let Some(product) = product(base.add(ins.b() as usize), base.add(ins.c() as usize)) else {
            return false;
        };
        add_product(base, ins, next, product)
    }
}

/// As [`mul_then_add`], with an int constant `y`.
///
/// # Safety
/// As [`item_of_item`].
#[inline(always)]
pub(super) unsafe fn mul_imm_then_add(base: *mut Value, ins: Instruction, next: Instruction) -> bool {
    // SAFETY: see above.
    unsafe {
        let x = base.add(ins.b() as usize);
        if (*x).word != INT {
            return false;
        }
        let product = Value::int(((*x).payload as i64).wrapping_mul(i64::from(ins.d())));
        add_product(base, ins, next, product)
    }
}

/// # Safety
/// As [`item_of_item`].
#[inline(always)]
unsafe fn add_product(base: *mut Value, ins: Instruction, next: Instruction, product: Value) -> bool {
    // SAFETY (of the caller): see `mul_then_add`. Exactly one operand of the sum is the product.
    unsafe {
        let other = base.add((next.b() ^ next.c() ^ ins.a()) as usize);
        let Some(sum) = sum(other, &product) else { return false };
        put(base.add(ins.a() as usize), product);
        put(base.add(next.a() as usize), sum);
        true
    }
}

/// `(x + y) % constant`, of ints. The sum is kept too: it may be a variable.
///
/// # Safety
/// As [`item_of_item`]; the constant is above zero.
#[inline(always)]
pub(super) unsafe fn add_then_rem(base: *mut Value, ins: Instruction, next: Instruction) -> bool {
    // SAFETY: see above.
    unsafe {
        let (x, y) = (base.add(ins.b() as usize), base.add(ins.c() as usize));
        if (*x).word != INT || (*y).word != INT {
            return false;
        }
        let sum = ((*x).payload as i64).wrapping_add((*y).payload as i64);
        put(base.add(ins.a() as usize), Value::int(sum));
        put(base.add(next.a() as usize), Value::int(remainder(sum, next.d())));
        true
    }
}

/// `x % y` for a `y` above zero.
#[inline(always)]
pub(super) fn remainder(x: i64, y: i32) -> i64 {
    debug_assert!(y > 0);
    x % i64::from(y)
}

/// `place += y`, of two ints or two floats: nothing is shared, so nothing has to be loosened.
///
/// # Safety
/// As [`item_of_item`].
#[inline(always)]
pub(super) unsafe fn loosen_then_add(base: *mut Value, next: Instruction) -> bool {
    // SAFETY: see above.
    unsafe {
        let Some(sum) = sum(base.add(next.b() as usize), base.add(next.c() as usize)) else { return false };
        put(base.add(next.a() as usize), sum);
        true
    }
}
