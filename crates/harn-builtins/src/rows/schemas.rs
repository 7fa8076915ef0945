//! Schemas (spec 05 section 5.13).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "schema_recovery",
        "schema_recover",
        "fn(text: any, schema: any, options?: dict | nil) -> dict",
        "Data of a shape out of a text that should have been JSON: parsed, extracted, scraped, or repaired by a model.",
        r#"schema_recover("n: 3", {type: "dict", properties: {n: {type: "int"}}}, {llm_repair: false}).data // {n: 3}"#,
    )
    .effect(harn_effect::EffectClass::Model),
    B::native(
        "schema_check",
        "fn(value: any, schema: any) -> any",
        "`Ok(value)` when it matches, otherwise `Err({message, errors, value})`.",
        r#"is_ok(schema_check(1, {type: "int"})) // true"#,
    ),
    B::native(
        "schema_parse",
        "fn(value: any, schema: any) -> any",
        "Like `schema_check`, with defaults of absent properties filled in.",
        r#"unwrap(schema_parse({}, {type: "dict", properties: {n: {type: "int", default: 3}}})) // {n: 3}"#,
    ),
    B::native(
        "schema_is",
        "fn(value: any, schema: any) -> bool",
        "Whether a value matches a schema.",
        r#"schema_is("a", {type: "int"}) // false"#,
    ),
    B::native(
        "is_type",
        "fn(value: any, schema: any) -> bool",
        "Whether a value matches a schema.",
        r#"is_type(1, {type: "int"}) // true"#,
    ),
    B::native(
        "schema_expect",
        "fn(value: any, schema: any, apply_defaults?: bool) -> any",
        "The value when it matches; throws all messages otherwise.",
        r#"schema_expect("a", {type: "int"}) // error: at root: expected type 'int', got 'string'"#,
    ),
    B::native(
        "schema_of",
        "fn(schema: any) -> dict",
        "The schema of a type alias; a dict as it is.",
        r#"schema_of({type: "int"}) // {type: int}"#,
    ),
    B::native(
        "schema_to_json_schema",
        "fn(schema: any) -> dict",
        "The schema in JSON Schema spelling.",
        r#"schema_to_json_schema({type: "int"}) // {type: integer}"#,
    ),
    B::native(
        "schema_to_openapi_schema",
        "fn(schema: any) -> dict",
        "The schema in OpenAPI spelling.",
        r#"schema_to_openapi_schema({type: "int", nullable: true}) // {nullable: true, type: integer}"#,
    ),
    B::native(
        "schema_from_json_schema",
        "fn(schema: any) -> dict",
        "A JSON Schema in Harn's own form.",
        r#"schema_from_json_schema({type: "integer"}) // {type: int}"#,
    ),
    B::native(
        "schema_from_openapi_schema",
        "fn(schema: any) -> dict",
        "An OpenAPI schema in Harn's own form.",
        r#"schema_from_openapi_schema({type: "integer"}) // {type: int}"#,
    ),
    B::native(
        "schema_extend",
        "fn(base: any, over: any) -> dict",
        "One schema with the members of another over it.",
        r#"schema_extend({type: "int"}, {min: 1}) // {min: 1, type: int}"#,
    ),
    B::native(
        "schema_partial",
        "fn(schema: any) -> dict",
        "The schema with nothing required, at every depth.",
        r#"schema_partial({type: "dict", required: ["a"]}) // {type: dict}"#,
    ),
    B::native(
        "schema_pick",
        "fn(schema: any, keys: any) -> dict",
        "The schema with only the named properties.",
        r#"schema_pick({properties: {a: {type: "int"}, b: {type: "int"}}}, ["a"]) // {properties: {a: {type: int}}}"#,
    ),
    B::native(
        "schema_omit",
        "fn(schema: any, keys: any) -> dict",
        "The schema without the named properties.",
        r#"schema_omit({properties: {a: {type: "int"}, b: {type: "int"}}}, ["a"]) // {properties: {b: {type: int}}}"#,
    ),
];
