//! Schemas in Harn's own spelling.

use harn_vm::{Value, View};

use crate::arguments::entry;

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 200;

/// The schema in canonical form; unknown keys are dropped.
pub fn canonical(schema: &Value) -> Result<Value, String> {
    at_depth(schema, 0)
}

fn at_depth(schema: &Value, depth: usize) -> Result<Value, String> {
    let View::Dict(dict) = schema.view() else { return Err("schema must be a dict".to_owned()) };
    if depth > MAX_DEPTH {
        return Err("schema nests too deeply".to_owned());
    }
    let nested = |value: &Value| at_depth(value, depth + 1);
    let mut out = Value::dict::<&str>([]);
    for (key, value) in dict.iter() {
        let (key, value) = match key {
            "type" => match value.view() {
                View::List(names) => {
                    let branch = |name: Value| Value::dict([("type", type_name(&name))]);
                    ("union", Value::list(names.iter().map(branch).collect()))
                }
                _ => ("type", type_name(value)),
            },
            "properties" | "definitions" | "$defs" => (key, schemas_by_name(value, &nested)?),
            "components" => match entry(value, "schemas") {
                Some(schemas) => (key, Value::dict([("schemas", schemas_by_name(&schemas, &nested)?)])),
                None => continue,
            },
            "items" => ("items", nested(value)?),
            "additional_properties" | "additionalProperties" => {
                let inner = if value.is_dict() { nested(value)? } else { value.clone() };
                ("additional_properties", inner)
            }
            "union" | "oneOf" | "anyOf" => ("union", branches(value, &nested)?),
            "all_of" | "allOf" => ("all_of", branches(value, &nested)?),
            "min" | "minimum" => ("min", value.clone()),
            "max" | "maximum" => ("max", value.clone()),
            "min_items" | "minItems" => ("min_items", value.clone()),
            "max_items" | "maxItems" => ("max_items", value.clone()),
            "min_length" | "minLength" => ("min_length", value.clone()),
            "max_length" | "maxLength" => ("max_length", value.clone()),
            "required" | "pattern" | "enum" | "const" | "nullable" | "default" | "$ref" | "title"
            | "description" | "format" | "deprecated" | "readOnly" | "writeOnly" | "example" | "examples"
            | "x-harn-type" => (key, value.clone()),
            _ => continue,
        };
        out.dict_set(key, value);
    }
    let unique = entry(schema, "uniqueItems").is_some_and(|v| v.truthy());
    let harn_type = entry(&out, "x-harn-type").and_then(|v| v.as_str().map(str::to_owned));
    let is_list = entry(&out, "type").is_some_and(|t| t.as_str() == Some("list"));
    if (unique && is_list) || harn_type.as_deref() == Some("set") {
        out.dict_set("type", Value::str("set"));
        out.dict_remove("x-harn-type");
    }
    Ok(out)
}

fn type_name(name: &Value) -> Value {
    Value::str(match name.as_str() {
        Some("object") => "dict",
        Some("array") => "list",
        Some("integer") => "int",
        Some("number") => "float",
        Some("boolean") => "bool",
        Some("null") => "nil",
        _ => return name.clone(),
    })
}

fn schemas_by_name(value: &Value, nested: &dyn Fn(&Value) -> Result<Value, String>) -> Result<Value, String> {
    let View::Dict(dict) = value.view() else { return Ok(Value::dict::<&str>([])) };
    let mut out = Value::dict::<&str>([]);
    for (name, schema) in dict.iter() {
        out.dict_set(name, nested(schema)?);
    }
    Ok(out)
}

fn branches(value: &Value, nested: &dyn Fn(&Value) -> Result<Value, String>) -> Result<Value, String> {
    let View::List(list) = value.view() else { return Err("schema union/all_of must be a list".to_owned()) };
    list.as_slice().iter().map(nested).collect::<Result<Vec<_>, _>>().map(Value::list)
}

/// The canonical schema with its immediate sub-schemas changed.
pub fn map_children(schema: &Value, change: fn(Value) -> Value) -> Value {
    let View::Dict(dict) = schema.view() else { return schema.clone() };
    let each = |value: &Value| match value.view() {
        View::Dict(dict) => Value::dict(dict.iter().map(|(k, v)| (k, change(v.clone())))),
        View::List(list) => Value::list(list.iter().map(change).collect()),
        _ => value.clone(),
    };
    Value::dict(dict.iter().map(|(key, value)| {
        let value = match key {
            "properties" | "definitions" | "$defs" | "union" | "all_of" => each(value),
            "items" | "additional_properties" if value.is_dict() => change(value.clone()),
            _ => value.clone(),
        };
        (key, value)
    }))
}
