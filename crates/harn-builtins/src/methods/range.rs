//! Methods of ranges (spec 02 section 14.5); any other name is called on an iter of the range.

use crate::Method;
use Method as M;

/// The rows.
pub const ROWS: &[Method] = &[
    M::native("range", "len", "fn() -> int", "The number of elements.", "(1 to 5).len() // 5"),
    M::native("range", "count", "fn() -> int", "The number of elements.", "(1 to 5).count() // 5"),
    M::native("range", "empty", "fn() -> bool", "Whether there are no elements.", "(2 to 1).empty() // true"),
    M::native("range", "first", "fn() -> int | nil", "The first element or nil.", "(2 to 4).first() // 2"),
    M::native(
        "range",
        "last",
        "fn() -> int | nil",
        "The last element or nil.",
        "(2 to 4 exclusive).last() // 3",
    ),
    M::native(
        "range",
        "contains",
        "fn(x: any) -> bool",
        "Whether an int lies in it.",
        "(2 to 4).contains(3) // true",
    ),
    M::native("range", "to_string", "fn() -> string", "The display text.", "(1 to 5).to_string() // 1 to 5"),
    M::native(
        "range",
        "iter",
        "fn() -> iter<int>",
        "An iter over the elements.",
        "(1 to 3).iter().to_list() // [1, 2, 3]",
    ),
];
