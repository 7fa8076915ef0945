//! Registers as the step loop handles them: raw places that hold valid values, where a dead one holds nothing counted.

use crate::value::code::Code;
use crate::value::{Value, tag};

/// Copies a register, counting.
///
/// # Safety
/// Both are registers (or values that live as long); `to` holds nothing that is counted.
#[inline(always)]
pub(super) unsafe fn copy(to: *mut Value, from: *const Value) {
    // SAFETY: see above.
    unsafe {
        debug_assert!(!(*to).is_counted() || to.cast_const() == from, "overwrite of a counted value");
        let (word, payload) = ((*from).word, (*from).payload);
        if (word as i8) < 0 {
            let count = &(*from).header().count;
            count.set(count.get().wrapping_add(1));
            if count.get() == 0 {
                overflow();
            }
        }
        (*to).word = word;
        (*to).payload = payload;
    }
}

/// 2^32 references: memory would have run out long before.
#[cold]
#[inline(never)]
fn overflow() -> ! {
    std::process::abort()
}

/// Writes a register that holds nothing that is counted.
///
/// # Safety
/// `to` is a register.
#[inline(always)]
pub(super) unsafe fn put(to: *mut Value, value: Value) {
    // SAFETY: see above.
    unsafe {
        debug_assert!(!(*to).is_counted(), "overwrite of a counted value");
        to.write(value);
    }
}

/// Moves a value out of a register, which is free then.
///
/// # Safety
/// `from` is a register.
#[inline(always)]
pub(super) unsafe fn take(from: *mut Value) -> Value {
    // SAFETY: see above.
    unsafe {
        let value = from.read();
        (*from).word = 0;
        value
    }
}

/// Whether a register holds a dict.
///
/// # Safety
/// A register.
#[inline(always)]
pub(super) unsafe fn is_dict(value: *const Value) -> bool {
    // SAFETY (of the caller): a register.
    matches!(unsafe { (*value).tag() }, tag::RECORD | tag::DICT)
}

/// Whether a register holds a string.
///
/// # Safety
/// A register.
#[inline(always)]
pub(super) unsafe fn is_text(value: *const Value) -> bool {
    // SAFETY (of the caller): a register.
    matches!(unsafe { (*value).tag() }, tag::STR | tag::HEAP_STR)
}

/// Debug builds: a frame that ends owns nothing but its result.
#[inline(always)]
pub(super) fn debug_check_free(base: *mut Value, code: *const Code) {
    if cfg!(debug_assertions) {
        // SAFETY: the code of the running frame.
        let code = unsafe { &*code };
        for i in 1..code.registers as usize {
            // SAFETY: the window of a frame lies in the register stack.
            let value = unsafe { &*base.add(i) };
            debug_assert!(
                !value.is_counted(),
                "register {i} of {} still holds {value:?} at its return",
                code.function().name
            );
        }
    }
}
