//! Operators on registers that the step loop leaves to the slow way: the operands are consumed as their bits say, whatever
//! comes of the operation.

use harn_bytecode::Op;

use super::registers::{put, take};
use super::{Vm, operate};
use crate::error::VmError;
use crate::value::{Value, equals};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// A binary operator on operands that are not both ints or both floats.
///
/// # Safety
/// `x` and `y` are registers.
#[cold]
#[inline(never)]
pub(super) unsafe fn binary(
    vm: &mut Vm,
    op: Op,
    dst: *mut Value,
    x: *mut Value,
    y: *mut Value,
    dead: u32,
) -> Result<()> {
    // SAFETY (of the caller): registers. `x` may be `dst` when it is dead, and `y` may be `x` when neither is.
    unsafe {
        let left = if dead & 1 != 0 { take(x) } else { (*x).clone() };
        let answer = if dead & 2 != 0 {
            let right = take(y);
            operate::binary(op, left, &right, &vm.limits)
        } else {
            operate::binary(op, left, &*y, &vm.limits)
        };
        put(dst, answer?);
        Ok(())
    }
}

/// # Safety
/// `x` is a register.
#[cold]
#[inline(never)]
pub(super) unsafe fn immediate(
    vm: &mut Vm,
    op: Op,
    dst: *mut Value,
    x: *mut Value,
    y: i64,
    dead: bool,
) -> Result<()> {
    // SAFETY (of the caller): registers.
    unsafe {
        let left = if dead { take(x) } else { (*x).clone() };
        let answer = operate::binary(op, left, &Value::int(y), &vm.limits)?;
        put(dst, answer);
        Ok(())
    }
}

/// # Safety
/// `x` and `y` are registers.
#[cold]
#[inline(never)]
pub(super) unsafe fn compare(vm: &mut Vm, op: Op, x: *mut Value, y: *mut Value, dead: u32) -> Result<bool> {
    // SAFETY (of the caller): registers.
    unsafe {
        let answer = match op {
            Op::Eq => Ok(equals(&*x, &*y)),
            Op::Lt => operate::less(&*x, &*y, &vm.limits),
            _ => operate::less_equal(&*x, &*y, &vm.limits),
        };
        if dead & 1 != 0 {
            drop(take(x));
        }
        if dead & 2 != 0 {
            drop(take(y));
        }
        answer
    }
}

/// # Safety
/// `x` is a register.
#[cold]
#[inline(never)]
pub(super) unsafe fn compare_immediate(
    vm: &mut Vm,
    op: Op,
    x: *mut Value,
    imm: i16,
    swap: bool,
) -> Result<bool> {
    let y = Value::int(i64::from(imm));
    // SAFETY (of the caller): a register.
    let x = unsafe { &*x };
    let (x, y) = if swap { (&y, x) } else { (x, &y) };
    match op {
        Op::Eq => Ok(equals(x, y)),
        Op::Lt => operate::less(x, y, &vm.limits),
        _ => operate::less_equal(x, y, &vm.limits),
    }
}
