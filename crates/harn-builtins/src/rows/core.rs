//! Values: types, identity, ranges, iters, `Result` (spec 02).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native("type_of", "fn(x?: any) -> string", "The name of a value's type.", "type_of([1]) // list"),
    B::native(
        "len",
        "fn(x: any) -> any",
        "Characters of a string, bytes, or entries of a list, dict, set or range; 0 for anything else.",
        r#"len("größe") // 5"#,
    ),
    B::native(
        "range",
        "fn(start: int, end?: int) -> list",
        "The half-open range from 0 to `start`, or from `start` to `end`.",
        "range(1, 4) // 1 to 4 exclusive",
    ),
    B::native(
        "iter",
        "fn(x: any) -> iter",
        "A lazy, single-pass iterator over any collection.",
        "iter([1, 2]).to_list() // [1, 2]",
    ),
    B::native(
        "pair",
        "fn(first: any, second: any) -> pair",
        "A pair of two values.",
        r#"pair("k", 1) // (k, 1)"#,
    ),
    B::native(
        "to_string",
        "fn(x: any) -> string",
        "The display text of a value.",
        "to_string([1, nil]) // [1, nil]",
    ),
    B::native(
        "to_int",
        "fn(x: any) -> int",
        "An int from an int, a float (truncated) or a string of digits with an optional sign; otherwise nil.",
        r#"to_int("-12") // -12"#,
    ),
    B::native(
        "to_float",
        "fn(x: any) -> float",
        "A float from a number or a string in float syntax; otherwise nil.",
        r#"to_float("1e3") // 1000.0"#,
    ),
    B::native(
        "to_list",
        "fn(x: any) -> list",
        "A list as it is, the elements of a set or range, or anything else in a list of one.",
        "to_list(set(1, 2)) // [1, 2]",
    ),
    B::native(
        "is_same",
        "fn(a: any, b: any) -> bool",
        "Whether two values are the same stored object; `==` for values without identity.",
        "let xs = [1]\nis_same(xs, xs) // true",
    ),
    B::native(
        "addr_of",
        "fn(x: any) -> string",
        "An opaque key of a value's identity, for use within one process.",
        "let xs = [1]\naddr_of(xs) == addr_of(xs) // true",
    ),
    B::native("Ok", "fn(value?: any) -> any", "`Result.Ok(value)`.", "Ok(1) // Result.Ok(1)"),
    B::native("Err", "fn(error?: any) -> any", "`Result.Err(error)`.", r#"Err("no") // Result.Err(no)"#),
    B::native("is_ok", "fn(r: any) -> bool", "Whether a value is a `Result.Ok`.", "is_ok(Ok(1)) // true"),
    B::native("is_err", "fn(r: any) -> bool", "Whether a value is a `Result.Err`.", "is_err(Ok(1)) // false"),
    B::native(
        "unwrap",
        "fn(r: any) -> any",
        "The value of an `Ok`; raises on an `Err`; any other value as it is.",
        r#"unwrap(Err("no")) // error: Runtime error: unwrap called on Err: no"#,
    ),
    B::native(
        "unwrap_or",
        "fn(r: any, default: any) -> any",
        "The value of an `Ok`, the default for an `Err`, any other value as it is.",
        r#"unwrap_or(Err("no"), 7) // 7"#,
    ),
    B::native(
        "unwrap_err",
        "fn(r: any) -> any",
        "The error of an `Err`; raises on anything else.",
        r#"unwrap_err(Err("no")) // no"#,
    ),
    B::native(
        "unreachable",
        "fn(message?: any) -> never",
        "Raises the error that this point was not meant to be reached.",
        r#"unreachable("x") // error: Runtime error: unreachable code was reached: x"#,
    ),
    B::native(
        "throw_error",
        "fn(message?: any, category?: any) -> any",
        "Throws `{category, message}`; an unknown category becomes `generic`.",
        r#"throw_error("slow", "timeout") // error: {category: timeout, message: slow}"#,
    ),
    B::native(
        "error_category",
        "fn(error: any) -> string",
        "The category of a caught error, read from its dict or guessed from its text.",
        r#"error_category("HTTP 429") // rate_limit"#,
    ),
    B::native(
        "is_timeout",
        "fn(error: any) -> bool",
        "Whether a caught error is a timeout.",
        r#"is_timeout("Deadline exceeded") // true"#,
    ),
    B::native(
        "is_rate_limited",
        "fn(error: any) -> bool",
        "Whether a caught error is a rate limit.",
        r#"is_rate_limited("HTTP 500") // false"#,
    ),
];
