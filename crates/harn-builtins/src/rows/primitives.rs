//! Primitives that only the prelude and the `std/` modules may name.

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::primitive(
        "__effect",
        "fn(name: string, args: dict) -> any",
        "Asks for an effect by its name in the table.",
    ),
    B::primitive("__utf8", "fn(bytes: bytes) -> string | nil", "The text of UTF-8 bytes, or nil."),
    B::primitive("__is_callable", "fn(f: any) -> bool", "Whether a value is a closure or a builtin."),
    B::primitive("__type_error", "fn(text: string) -> never", "Raises `Type error: TEXT`."),
    B::primitive("__runtime_error", "fn(text: string) -> never", "Raises `Runtime error: TEXT`."),
    B::primitive(
        "__sort_by_keys",
        "fn(items: list, keys: list) -> list",
        "The items in the stable order of their keys.",
    ),
    B::primitive(
        "__least_by_keys",
        "fn(items: list, keys: list) -> any",
        "The first item with the least key.",
    ),
    B::primitive(
        "__greatest_by_keys",
        "fn(items: list, keys: list) -> any",
        "The first item with the greatest key.",
    ),
    B::primitive(
        "__group_by_keys",
        "fn(items: list, keys: list) -> dict",
        "The items grouped by the display of their keys.",
    ),
    B::primitive(
        "__dedup_by_keys",
        "fn(items: list, keys: list) -> list",
        "The first item for each structural key.",
    ),
    B::primitive("__dict_from", "fn(keys: list, values: list) -> dict", "A dict; later keys win."),
    B::primitive(
        "__least",
        "fn(a: any, b: any) -> any",
        "The lesser in the ordering of `sort`; `a` when equal.",
    ),
    B::primitive(
        "__greatest",
        "fn(a: any, b: any) -> any",
        "The greater in the ordering of `sort`; `a` when equal.",
    ),
    B::primitive("__set_of", "fn(items: list) -> set", "A set of the items as they are, nothing spliced."),
    B::primitive("__is_iterable", "fn(x: any) -> bool", "Whether `iter(x)` succeeds."),
];
