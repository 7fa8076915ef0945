//! Text (spec 05 section 5.1).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "trim",
        "fn(s: any) -> string",
        "The text without white space at both ends.",
        r#"trim("  a ") // a"#,
    ),
    B::native("lowercase", "fn(s: any) -> string", "The text in lower case.", r#"lowercase("ÄB") // äb"#),
    B::native(
        "uppercase",
        "fn(s: any) -> string",
        "The text in upper case.",
        r#"uppercase("straße") // STRASSE"#,
    ),
    B::native(
        "split",
        "fn(s: any, sep?: any) -> any",
        "The pieces between occurrences of a separator, a space by default.",
        r#"split("a b") // [a, b]"#,
    ),
    B::native(
        "join",
        "fn(items: any, sep?: any) -> string",
        "The display texts of a list's elements with a separator between them.",
        r#"join([1, 2], "-") // 1-2"#,
    ),
    B::native(
        "replace",
        "fn(s: any, old: any, new: any) -> string",
        "The text with every occurrence of one text replaced by another.",
        r#"replace("aXbX", "X", "-") // a-b-"#,
    ),
    B::native(
        "starts_with",
        "fn(s: any, prefix: any) -> any",
        "Whether the text starts with another.",
        r#"starts_with("abc", "ab") // true"#,
    ),
    B::native(
        "ends_with",
        "fn(s: any, suffix: any) -> any",
        "Whether the text ends with another.",
        r#"ends_with("abc", "bc") // true"#,
    ),
    B::native(
        "contains",
        "fn(x: any, y: any) -> any",
        "Whether a string contains a text, or a list an equal element.",
        "contains([1, 2], 2) // true",
    ),
    B::native(
        "substring",
        "fn(s: any, start: int, length?: int) -> string",
        "The text of `length` characters from `start`; to the end without a length.",
        r#"substring("abcdef", 1, 3) // bcd"#,
    ),
    B::native(
        "format",
        "fn(template: any, ...args: any) -> string",
        "The template with each `{}` replaced by the next argument, or each `{key}` by an entry of a dict.",
        r#"format("{} of {}", 1, 2) // 1 of 2"#,
    ),
    B::native(
        "unicode_normalize",
        "fn(s: any, form?: string) -> string",
        "The text in Unicode normal form NFC, NFD, NFKC or NFKD.",
        r#"unicode_normalize("ﬁ", "NFKC") // fi"#,
    ),
    B::native(
        "unicode_graphemes",
        "fn(s: any) -> list",
        "The extended grapheme clusters of the text.",
        r#"unicode_graphemes("ab") // [a, b]"#,
    ),
    B::native(
        "str_pad",
        "fn(s: any, width: int, fill?: string, side?: string) -> string",
        "The text padded to a width at its `left`, `right` or `both` sides.",
        r#"str_pad("a", 3, ".", "both") // .a."#,
    ),
    B::native(
        "title_case",
        "fn(s: any) -> string",
        "The text with every word capitalised.",
        r#"title_case("the qUICK fox") // The Quick Fox"#,
    ),
    B::native(
        "uppercase_first",
        "fn(s: any) -> string",
        "The text with its first character in upper case.",
        r#"uppercase_first("aBC") // ABC"#,
    ),
    B::native(
        "lowercase_first",
        "fn(s: any) -> string",
        "The text with its first character in lower case.",
        r#"lowercase_first("ABC") // aBC"#,
    ),
    B::native(
        "snake_to_camel",
        "fn(s: any) -> string",
        "`a_b` as `aB`.",
        r#"snake_to_camel("user_id") // userId"#,
    ),
    B::native(
        "snake_to_pascal",
        "fn(s: any) -> string",
        "`a_b` as `AB`.",
        r#"snake_to_pascal("user_id") // UserId"#,
    ),
    B::native(
        "snake_to_kebab",
        "fn(s: any) -> string",
        "`a_b` as `a-b`.",
        r#"snake_to_kebab("user_id") // user-id"#,
    ),
    B::native(
        "kebab_to_camel",
        "fn(s: any) -> string",
        "`a-b` as `aB`.",
        r#"kebab_to_camel("user-id") // userId"#,
    ),
    B::native(
        "kebab_to_snake",
        "fn(s: any) -> string",
        "`a-b` as `a_b`.",
        r#"kebab_to_snake("user-id") // user_id"#,
    ),
    B::native(
        "camel_to_snake",
        "fn(s: any) -> string",
        "`aB` as `a_b`.",
        r#"camel_to_snake("parseHTTPResponse") // parse_http_response"#,
    ),
    B::native(
        "pascal_to_snake",
        "fn(s: any) -> string",
        "`AB` as `a_b`.",
        r#"pascal_to_snake("UserId") // user_id"#,
    ),
    B::native(
        "camel_to_kebab",
        "fn(s: any) -> string",
        "`aB` as `a-b`.",
        r#"camel_to_kebab("userId") // user-id"#,
    ),
    B::native(
        "pascal_to_camel",
        "fn(s: any) -> string",
        "The text with its first character in lower case.",
        r#"pascal_to_camel("UserId") // userId"#,
    ),
    B::native(
        "camel_to_pascal",
        "fn(s: any) -> string",
        "The text with its first character in upper case.",
        r#"camel_to_pascal("userId") // UserId"#,
    ),
];
