//! Regular expressions (spec 05 section 5.2).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "regex_match",
        "fn(pattern: any, text: any, flags?: any) -> any",
        "All matches of a pattern, nil when there is none; flags are any of `i`, `m`, `s`, `x`.",
        r#"regex_match("[0-9]+", "a1b22") // [1, 22]"#,
    ),
    B::native(
        "regex_replace",
        "fn(pattern: any, replacement: any, text: any) -> string",
        "The text with every match replaced; `$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar (use `${1}_x`: `$1_x` is the group `1_x`).",
        r#"regex_replace("(\\w)@(\\w)", "$2@$1", "a@b") // b@a"#,
    ),
    B::native(
        "regex_replace_all",
        "fn(pattern: any, replacement: any, text: any) -> string",
        "The same as `regex_replace`.",
        r#"regex_replace_all("b+", "-", "abba") // a-a"#,
    ),
    B::native(
        "regex_captures",
        "fn(pattern: any, text: any) -> list",
        "A dict for each match: `match`, `groups`, and every matched named group.",
        r#"regex_captures("(?<y>\\d+)-(\\d)", "7-8") // [{groups: [7, 8], match: 7-8, y: 7}]"#,
    ),
    B::native(
        "regex_split",
        "fn(text: any, pattern: any, flags?: any) -> list",
        "The pieces of a text between matches (the text comes first).",
        r#"regex_split("a1b2c", "\\d") // [a, b, c]"#,
    ),
];
