//! Canonical schemas in the spellings of JSON Schema and OpenAPI.

use harn_vm::{Value, View};

use crate::arguments::entry;

/// Whose spelling.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// JSON Schema: nullable types are `[T, "null"]`.
    JsonSchema,
    /// OpenAPI: `nullable: true`.
    OpenApi,
}

/// The schema in a dialect.
pub fn export(schema: &Value, dialect: Dialect) -> Value {
    let View::Dict(dict) = schema.view() else { return schema.clone() };
    if dialect == Dialect::OpenApi
        && let Some(inner) = nullable_branch(schema)
    {
        let mut out = export(&inner, dialect);
        for (key, value) in dict.iter().filter(|(key, _)| *key != "union") {
            out.dict_set(key, value.clone());
        }
        out.dict_set("nullable", Value::TRUE);
        return out;
    }
    let nullable = entry(schema, "nullable").is_some_and(|v| v.truthy());
    let mut out = Value::dict::<&str>([]);
    for (key, value) in dict.iter() {
        match key {
            "type" => put_type(&mut out, value, nullable && dialect == Dialect::JsonSchema),
            "nullable" => {
                let in_type = dialect == Dialect::JsonSchema && entry(schema, "type").is_some();
                if !in_type {
                    out.dict_set(key, value.clone());
                }
            }
            "properties" | "definitions" | "$defs" => out.dict_set(key, by_name(value, dialect)),
            "components" => {
                if let Some(schemas) = entry(value, "schemas") {
                    out.dict_set(key, Value::dict([("schemas", by_name(&schemas, dialect))]));
                }
            }
            "items" => out.dict_set(key, export(value, dialect)),
            "additional_properties" => out.dict_set("additionalProperties", export(value, dialect)),
            "union" => out.dict_set("oneOf", list(value, dialect)),
            "all_of" => out.dict_set("allOf", list(value, dialect)),
            _ => out.dict_set(spelling(key), value.clone()),
        }
    }
    out
}

fn spelling(key: &str) -> &str {
    match key {
        "min" => "minimum",
        "max" => "maximum",
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        _ => key,
    }
}

fn put_type(out: &mut Value, name: &Value, or_null: bool) {
    let json = match name.as_str().unwrap_or("") {
        "any" => return,
        "dict" | "struct" => "object",
        "list" => "array",
        "int" => "integer",
        "float" => "number",
        "bool" => "boolean",
        "nil" => "null",
        "string" => "string",
        "set" => {
            out.dict_set("uniqueItems", Value::TRUE);
            "array"
        }
        _ => {
            out.dict_set("x-harn-type", name.clone());
            "string"
        }
    };
    let json = Value::str(json);
    out.dict_set("type", if or_null { Value::list(vec![json, Value::str("null")]) } else { json });
}

/// The other branch of a union of two of which one is nil.
fn nullable_branch(schema: &Value) -> Option<Value> {
    let union = entry(schema, "union")?;
    let View::List(branches) = union.view() else { return None };
    let is_nil = |v: &Value| entry(v, "type").is_some_and(|t| t.as_str() == Some("nil"));
    match branches.as_slice() {
        [a, b] if is_nil(b) => Some(a.clone()),
        [a, b] if is_nil(a) => Some(b.clone()),
        _ => None,
    }
}

fn by_name(value: &Value, dialect: Dialect) -> Value {
    match value.view() {
        View::Dict(dict) => Value::dict(dict.iter().map(|(k, v)| (k, export(v, dialect)))),
        _ => value.clone(),
    }
}

fn list(value: &Value, dialect: Dialect) -> Value {
    match value.view() {
        View::List(list) => Value::list(list.iter().map(|v| export(&v, dialect)).collect()),
        _ => value.clone(),
    }
}
