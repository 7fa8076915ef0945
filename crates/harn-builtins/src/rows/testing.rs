//! Assertions (spec 05 section 5.15).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "assert",
        "fn(condition: any, message?: any) -> nil",
        "Throws a message when the condition is falsy.",
        "assert(1 > 2) // error: Assertion failed",
    ),
    B::native(
        "assert_eq",
        "fn(actual: any, expected: any, message?: any) -> nil",
        "Throws when two values are not equal.",
        "assert_eq(1, 2) // error: Assertion failed: expected 2, got 1",
    ),
    B::prelude(
        "testing",
        "assert_snapshot",
        "fn(value: any, name?: string) -> nil",
        "Throws when a value differs from the one kept beside the test; `harn test --update` keeps the new one.",
        "try { assert_snapshot(1) } catch (e) { e } // assert_snapshot: only tests have snapshots; run `harn test`",
    )
    .effect(EffectClass::Write),
    B::native(
        "assert_ne",
        "fn(a: any, b: any, message?: any) -> nil",
        "Throws when two values are equal.",
        "assert_ne(1, 1) // error: Assertion failed: values should not be equal: 1",
    ),
];
