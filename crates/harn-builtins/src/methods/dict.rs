//! Methods of dicts (spec 02 section 14.3).

use crate::Method;
use Method as M;

/// The rows.
pub const ROWS: &[Method] = &[
    M::native("dict", "keys", "fn() -> list<string>", "The keys in order.", "{b: 1, a: 2}.keys() // [a, b]"),
    M::native(
        "dict",
        "values",
        "fn() -> list",
        "The values in key order.",
        "{b: 1, a: 2}.values() // [2, 1]",
    ),
    M::native(
        "dict",
        "entries",
        "fn() -> list",
        "The entries as `{key, value}` dicts.",
        "{a: 1}.entries() // [{key: a, value: 1}]",
    ),
    M::native("dict", "count", "fn() -> int", "The number of entries.", "{a: 1}.count() // 1"),
    M::native(
        "dict",
        "has",
        "fn(key: any) -> bool",
        "Whether a key is present.",
        r#"{a: nil}.has("a") // true"#,
    ),
    M::native(
        "dict",
        "get",
        "fn(key: any, default?: any) -> any",
        "The value under a key, the default when the key is absent.",
        r#"{a: 1}.get("b", 2) // 2"#,
    ),
    M::native(
        "dict",
        "merge",
        "fn(other: dict) -> dict",
        "The entries of both dicts; the other's win.",
        "{a: 1}.merge({a: 2, b: 3}) // {a: 2, b: 3}",
    ),
    M::native(
        "dict",
        "remove",
        "fn(key: any) -> dict",
        "The dict without a key.",
        r#"{a: 1, b: 2}.remove("a") // {b: 2}"#,
    ),
    M::prelude(
        "dict",
        "map_values",
        "fn(f: closure) -> dict",
        "The dict with the results of a callback on the values.",
        "{a: 1}.map_values({ n -> n + 1 }) // {a: 2}",
    ),
    M::prelude(
        "dict",
        "filter",
        "fn(predicate: closure) -> dict",
        "The entries whose value matches.",
        "{a: 1, b: 2}.filter({ n -> n > 1 }) // {b: 2}",
    ),
    M::prelude(
        "dict",
        "rekey",
        "fn(f: closure) -> dict",
        "The dict with the results of a callback as keys.",
        "{a: 1}.rekey({ k -> uppercase(k) }) // {A: 1}",
    ),
    M::prelude(
        "dict",
        "map_keys",
        "fn(f: closure) -> dict",
        "The dict with the results of a callback as keys.",
        "{a: 1}.map_keys({ k -> uppercase(k) }) // {A: 1}",
    ),
    M::native(
        "dict",
        "iter",
        "fn() -> iter",
        "An iter of pairs of key and value.",
        "{a: 1}.iter().to_list() // [(a, 1)]",
    ),
];
