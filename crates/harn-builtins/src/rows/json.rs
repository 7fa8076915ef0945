//! JSON (spec 05 section 5.4).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "json_parse",
        "fn(text: any) -> any",
        "The value of a JSON text.",
        r#"json_parse("[1, 2.5, null]") // [1, 2.5, nil]"#,
    ),
    B::native(
        "json_stringify",
        "fn(x: any) -> string",
        "The value as compact JSON.",
        r#"json_stringify({b: [1.0, nil], a: "x"}) // {"a":"x","b":[1,null]}"#,
    ),
    B::native(
        "json_extract",
        "fn(text: any, key?: any) -> any",
        "The JSON value found in prose, or its member `key`.",
        r#"json_extract("Sure: {\"n\": 1}.", "n") // 1"#,
    ),
    B::native(
        "json_validate",
        "fn(data: any, schema: any) -> bool",
        "True when the data match a schema; throws all messages otherwise.",
        r#"json_validate(1, {type: "int"}) // true"#,
    ),
    B::native(
        "json_pointer",
        "fn(value: any, pointer: any) -> any",
        "The value at an RFC 6901 pointer, nil when there is none.",
        r#"json_pointer({a: [1, 2]}, "/a/1") // 2"#,
    ),
    B::native(
        "json_pointer_set",
        "fn(value: any, pointer: any, new: any) -> any",
        "A copy with the value at a pointer set.",
        r#"json_pointer_set({a: [1]}, "/a/-", 2) // {a: [1, 2]}"#,
    ),
    B::native(
        "json_pointer_delete",
        "fn(value: any, pointer: any) -> any",
        "A copy without the value at a pointer.",
        r#"json_pointer_delete({a: 1, b: 2}, "/a") // {b: 2}"#,
    ),
    B::native(
        "jq",
        "fn(value: any, expression: any) -> list",
        "All results of a jq expression.",
        r#"jq({a: [1, 2]}, ".a[]") // [1, 2]"#,
    ),
    B::native(
        "jq_first",
        "fn(value: any, expression: any) -> any",
        "The first result of a jq expression, nil when there is none.",
        r#"jq_first([3, 4], ".[-1]") // 4"#,
    ),
];
