//! Dict views, list helpers, sets (spec 05 section 5.11, 02 sections 13.5 and 14.4).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native("keys", "fn(d: any) -> list", "The keys of a dict in order.", "keys({b: 1, a: 2}) // [a, b]"),
    B::native(
        "values",
        "fn(d: any) -> list",
        "The values of a dict in key order.",
        "values({b: 1, a: 2}) // [2, 1]",
    ),
    B::native(
        "entries",
        "fn(d: any) -> list",
        "The entries of a dict as `{key, value}` dicts.",
        "entries({a: 1}) // [{key: a, value: 1}]",
    ),
    B::native(
        "chunk",
        "fn(items: list, size?: int) -> list",
        "Consecutive lists of at most `size` elements.",
        "chunk([1, 2, 3], 2) // [[1, 2], [3]]",
    ),
    B::native(
        "window",
        "fn(items: list, size?: int, step?: int) -> list",
        "Full windows of `size` elements, `step` apart.",
        "window([1, 2, 3]) // [[1, 2], [2, 3]]",
    ),
    B::prelude(
        "collections",
        "group_by",
        "fn(items: list, key: closure) -> dict",
        "A dict from the display of a key to the elements that have it.",
        "group_by([1, 2, 3], { n -> n % 2 }) // {0: [2], 1: [1, 3]}",
    ),
    B::prelude(
        "collections",
        "partition",
        "fn(items: list, predicate: closure) -> dict",
        "The elements that match and those that do not.",
        "partition([1, 2, 3], { n -> n > 1 }) // {match: [2, 3], no_match: [1]}",
    ),
    B::prelude(
        "collections",
        "dedup_by",
        "fn(items: list, key: closure) -> list",
        "The first element for each key.",
        "dedup_by([1, 2, 3], { n -> n % 2 }) // [1, 2]",
    ),
    B::prelude(
        "collections",
        "flat_map",
        "fn(items: list, f: closure) -> list",
        "The results of a callback, lists spliced one level.",
        "flat_map([1, 2], { n -> [n, n] }) // [1, 1, 2, 2]",
    ),
    B::native(
        "set",
        "fn(...items: any) -> any",
        "A set of the arguments, lists and sets spliced one level.",
        "set([1, 2], 2, 3) // set(1, 2, 3)",
    ),
    B::native(
        "set_add",
        "fn(s: set, x: any) -> any",
        "The set with an element added.",
        "set_add(set(1), 2) // set(1, 2)",
    ),
    B::native(
        "set_remove",
        "fn(s: set, x: any) -> any",
        "The set without an element.",
        "set_remove(set(1, 2), 1) // set(2)",
    ),
    B::native(
        "set_contains",
        "fn(s: set, x: any) -> bool",
        "Whether the set has an element.",
        "set_contains(set(1), 1) // true",
    ),
    B::native(
        "set_union",
        "fn(a: set, b: set) -> any",
        "The elements of either set.",
        "set_union(set(1), set(2)) // set(1, 2)",
    ),
    B::native(
        "set_intersect",
        "fn(a: set, b: set) -> any",
        "The elements of both sets.",
        "set_intersect(set(1, 2), set(2)) // set(2)",
    ),
    B::native(
        "set_difference",
        "fn(a: set, b: set) -> any",
        "The elements of the first set that the second has not.",
        "set_difference(set(1, 2), set(2)) // set(1)",
    ),
    B::native(
        "set_symmetric_difference",
        "fn(a: set, b: set) -> any",
        "The elements that only one of the sets has.",
        "set_symmetric_difference(set(1, 2), set(2, 3)) // set(1, 3)",
    ),
    B::native(
        "set_is_subset",
        "fn(a: set, b: set) -> bool",
        "Whether the second set has every element of the first.",
        "set_is_subset(set(1), set(1, 2)) // true",
    ),
    B::native(
        "set_is_superset",
        "fn(a: set, b: set) -> bool",
        "Whether the first set has every element of the second.",
        "set_is_superset(set(1), set(1, 2)) // false",
    ),
    B::native(
        "set_is_disjoint",
        "fn(a: set, b: set) -> bool",
        "Whether the sets have no element in common.",
        "set_is_disjoint(set(1), set(2)) // true",
    ),
];
