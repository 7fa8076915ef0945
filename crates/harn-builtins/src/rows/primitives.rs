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
    B::primitive(
        "__snapshot_number",
        "fn() -> int",
        "How many nameless snapshots the test has taken, this one included.",
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
    B::primitive("__buffer", "fn() -> any", "A growing list that generators share."),
    B::primitive("__buffer_len", "fn(b: any) -> int", "The number of items of a buffer."),
    B::primitive("__buffer_get", "fn(b: any, i: int) -> any", "An item of a buffer."),
    B::primitive("__buffer_push", "fn(b: any, x: any) -> nil", "Appends to a buffer."),
    B::primitive(
        "__log_line",
        "fn(ts: string, level: string, message: any, fields: any) -> nil",
        "Writes a structured log line unless its level is dropped.",
    ),
    B::primitive("__random_ready", "fn() -> bool", "Whether the program's own generator is seeded."),
    B::primitive("__random_seed", "fn(b: bytes) -> nil", "Seeds the program's own generator."),
    B::primitive("__random_bytes", "fn(n: int) -> bytes", "Random bytes of the host."),
    B::primitive("__random", "fn(rng: any) -> float", "`random` with a seeded generator."),
    B::primitive(
        "__random_int",
        "fn(a: any, b: any, c: any) -> any",
        "`random_int` with a seeded generator.",
    ),
    B::primitive("__random_choice", "fn(a: any, b: any) -> any", "`random_choice` with a seeded generator."),
    B::primitive(
        "__random_shuffle",
        "fn(a: any, b: any) -> any",
        "`random_shuffle` with a seeded generator.",
    ),
    B::primitive(
        "__uuid_v7",
        "fn(ms: int, b: bytes) -> string",
        "The version 7 UUID of a time and random bytes, greater than the last one.",
    ),
    B::primitive(
        "__template_render",
        "fn(text: any, path: any, bindings: any, sources: any) -> dict",
        "A template rendered as far as the given files allow.",
    ),
    B::primitive(
        "__caller_path",
        "fn() -> string",
        "The path of the source file that called into the library.",
    ),
    B::primitive(
        "__multipart_split",
        "fn(body: bytes, content_type: string, options: dict) -> dict",
        "The boundary and fields of a multipart form.",
    ),
];
