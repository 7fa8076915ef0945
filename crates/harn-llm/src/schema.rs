//! Validation of a reply against a schema (spec 05 section 5.13), on plain data.

use std::collections::BTreeMap;

use harn_effect::Data;
use regex::Regex;

/// The JSON Schema name of a type, from either spelling.
pub fn json_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" | "str" => "string",
        "int" | "integer" => "integer",
        "float" | "number" => "number",
        "bool" | "boolean" => "boolean",
        "list" | "array" | "set" => "array",
        "dict" | "object" => "object",
        "nil" | "null" => "null",
        _ => return None,
    })
}

/// The language's name of a type, from either spelling.
fn harn_type(name: &str) -> &str {
    match name {
        "integer" => "int",
        "number" => "float",
        "boolean" => "bool",
        "array" => "list",
        "object" => "dict",
        "null" => "nil",
        other => other,
    }
}

/// A key of a schema in JSON Schema's spelling.
fn json_key(key: &str) -> &str {
    match key {
        "additional_properties" => "additionalProperties",
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "min" => "minimum",
        "max" => "maximum",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        "union" => "anyOf",
        "all_of" => "allOf",
        other => other,
    }
}

/// A schema as JSON Schema: names of types and keys translated, the rest as it is.
pub fn to_json_schema(schema: &Data) -> Data {
    let Data::Dict(fields) = schema else { return schema.clone() };
    let mut out = BTreeMap::new();
    let nullable = fields.get("nullable").and_then(Data::as_bool) == Some(true);
    for (key, value) in fields {
        let key = json_key(key);
        let value = match (key, value) {
            ("nullable", _) => continue,
            ("type", Data::Str(name)) if name == "any" => continue,
            ("type", value) => translated_type(value),
            ("properties" | "definitions" | "$defs" | "patternProperties", Data::Dict(members)) => {
                Data::Dict(members.iter().map(|(name, one)| (name.clone(), to_json_schema(one))).collect())
            }
            ("items" | "additionalProperties" | "not", value) => to_json_schema(value),
            ("anyOf" | "oneOf" | "allOf", Data::List(branches)) => {
                Data::List(branches.iter().map(to_json_schema).collect())
            }
            (_, value) => value.clone(),
        };
        out.insert(key.to_owned(), value);
    }
    if nullable {
        match out.remove("type") {
            Some(Data::Str(name)) => {
                out.insert("type".to_owned(), Data::List(vec![name.into(), "null".into()]));
            }
            Some(other) => {
                out.insert("type".to_owned(), other);
            }
            None => {}
        }
    }
    Data::Dict(out)
}

fn translated_type(value: &Data) -> Data {
    match value {
        Data::Str(name) => json_type(name).map_or_else(|| value.clone(), Data::from),
        Data::List(names) => Data::List(names.iter().map(translated_type).collect()),
        other => other.clone(),
    }
}

/// Whether OpenAI's strict mode accepts the schema: every object closed and all its properties required.
pub fn fits_strict_mode(schema: &Data) -> bool {
    match schema {
        Data::Dict(fields) => {
            let closed = match fields.get("properties") {
                Some(Data::Dict(properties)) => {
                    let required = schema.field("required").as_list().unwrap_or_default();
                    let all = properties
                        .keys()
                        .all(|name| required.iter().any(|one| one.as_str() == Some(name.as_str())));
                    all && schema.field("additionalProperties").as_bool() == Some(false)
                }
                _ => schema.field("type").as_str() != Some("object"),
            };
            closed && fields.values().all(fits_strict_mode)
        }
        Data::List(items) => items.iter().all(fits_strict_mode),
        _ => true,
    }
}

/// The same JSON schema with every object closed that does not say otherwise.
pub fn closed(schema: &Data) -> Data {
    match schema {
        Data::Dict(fields) => {
            let mut out: BTreeMap<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), closed(value))).collect();
            let is_object = out.get("type").and_then(Data::as_str) == Some("object");
            if is_object && out.get("properties").is_some_and(|one| one.as_dict().is_some()) {
                out.entry("additionalProperties".to_owned()).or_insert(Data::Bool(false));
            }
            Data::Dict(out)
        }
        Data::List(items) => Data::List(items.iter().map(closed).collect()),
        other => other.clone(),
    }
}

/// Deepest nesting of a schema's references and values that is followed.
const MAX_DEPTH: usize = 64;

/// Every way in which `value` does not satisfy `schema`, in the order of the specification; empty when it does.
pub fn validate(value: &Data, schema: &Data) -> Vec<String> {
    let mut validator = Validator { root: schema, errors: Vec::new() };
    validator.check(value, schema, &mut String::new(), 0);
    validator.errors
}

struct Validator<'a> {
    root: &'a Data,
    errors: Vec<String>,
}

/// The first field of a schema under either spelling.
fn either<'a>(schema: &'a Data, names: &[&str]) -> &'a Data {
    names.iter().map(|name| schema.field(name)).find(|data| !data.is_nil()).unwrap_or(&Data::Nil)
}

impl<'a> Validator<'a> {
    fn fail(&mut self, path: &str, text: impl AsRef<str>) {
        let place = if path.is_empty() { "root" } else { path };
        self.errors.push(format!("at {place}: {}", text.as_ref()));
    }

    fn passes(&self, value: &Data, schema: &'a Data, depth: usize) -> bool {
        let mut inner = Validator { root: self.root, errors: Vec::new() };
        inner.check(value, schema, &mut String::new(), depth);
        inner.errors.is_empty()
    }

    fn check(&mut self, value: &Data, schema: &'a Data, path: &mut String, depth: usize) {
        if schema.as_dict().is_none() {
            if !matches!(schema, Data::Nil | Data::Bool(true)) {
                self.fail(path, "schema must be a dict");
            }
            return;
        }
        if let Some(pointer) = schema.field("$ref").as_str() {
            match self.resolve(pointer).filter(|_| depth < MAX_DEPTH) {
                Some(target) => self.check(value, target, path, depth + 1),
                None => self.fail(path, format!("unresolved schema reference '{pointer}'")),
            }
            return;
        }
        if value.is_nil() && schema.field("nullable").as_bool() == Some(true) {
            return;
        }
        if let Some(constant) = schema.as_dict().and_then(|fields| fields.get("const"))
            && constant != value
        {
            self.fail(path, format!("expected constant {}, got {}", shown(constant), shown(value)));
            return;
        }
        for branch in either(schema, &["all_of", "allOf"]).as_list().unwrap_or_default() {
            self.check(value, branch, path, depth + 1);
        }
        if let Some(branches) = either(schema, &["union", "oneOf", "anyOf"]).as_list()
            && !branches.iter().any(|branch| self.passes(value, branch, depth + 1))
        {
            self.fail(path, "value did not match any union branch");
        }
        if !self.check_type(value, schema.field("type"), path) {
            return;
        }
        self.check_scalar(value, schema, path);
        match value {
            Data::Dict(fields) => self.check_dict(fields, schema, path, depth),
            Data::List(items) => self.check_list(items, schema, path, depth),
            _ => {}
        }
    }

    fn check_type(&mut self, value: &Data, wanted: &Data, path: &str) -> bool {
        let names: Vec<&str> = match wanted {
            Data::Str(name) => vec![harn_type(name)],
            Data::List(names) => names.iter().filter_map(Data::as_str).map(harn_type).collect(),
            _ => return true,
        };
        let got = value.type_name();
        let fits = |name: &&str| {
            // JSON writes whole floats without a fraction, so an int is a number.
            *name == "any"
                || *name == got
                || (*name == "float" && got == "int")
                || (*name == "set" && got == "list")
        };
        if names.iter().any(fits) {
            return true;
        }
        self.fail(path, format!("expected type '{}', got '{got}'", names.join(" | ")));
        false
    }

    fn check_scalar(&mut self, value: &Data, schema: &Data, path: &str) {
        let is_scalar = !matches!(value, Data::List(_) | Data::Dict(_));
        if let Some(allowed) = schema.field("enum").as_list()
            && is_scalar
            && !allowed.contains(value)
        {
            let list = allowed.iter().map(shown).collect::<Vec<_>>().join(", ");
            self.fail(path, format!("value must be one of [{list}]"));
        }
        let number = match value {
            Data::Int(n) => Some(*n as f64),
            Data::Float(x) => Some(*x),
            _ => None,
        };
        if let Some(x) = number {
            let bound = |data: &Data| match data {
                Data::Int(n) => Some(*n as f64),
                Data::Float(x) => Some(*x),
                _ => None,
            };
            if let Some(least) = bound(either(schema, &["min", "minimum"])).filter(|least| x < *least) {
                self.fail(path, format!("expected value >= {least}, got {x}"));
            }
            if let Some(most) = bound(either(schema, &["max", "maximum"])).filter(|most| x > *most) {
                self.fail(path, format!("expected value <= {most}, got {x}"));
            }
        }
        if let Data::Str(text) = value {
            self.check_text(text, schema, path);
        }
    }

    fn check_text(&mut self, text: &str, schema: &Data, path: &str) {
        let length = text.chars().count() as i64;
        if let Some(least) = either(schema, &["min_length", "minLength"]).as_int().filter(|n| length < *n) {
            self.fail(path, format!("expected length >= {least}, got {length}"));
        }
        if let Some(most) = either(schema, &["max_length", "maxLength"]).as_int().filter(|n| length > *n) {
            self.fail(path, format!("expected length <= {most}, got {length}"));
        }
        if let Some(pattern) = schema.field("pattern").as_str() {
            match Regex::new(pattern) {
                Ok(regex) if regex.is_match(text) => {}
                Ok(_) => self.fail(path, format!("value does not match pattern '{pattern}'")),
                Err(error) => self.fail(path, format!("invalid regex pattern '{pattern}': {error}")),
            }
        }
    }

    fn check_dict(
        &mut self,
        fields: &BTreeMap<String, Data>,
        schema: &'a Data,
        path: &mut String,
        depth: usize,
    ) {
        for name in schema.field("required").as_list().unwrap_or_default().iter().filter_map(Data::as_str) {
            if !fields.contains_key(name) {
                self.fail(path, format!("missing required key '{name}'"));
            }
        }
        let properties = schema.field("properties").as_dict();
        for (name, property) in properties.into_iter().flatten() {
            if let Some(value) = fields.get(name) {
                self.at(path, name, |this, path| this.check(value, property, path, depth + 1));
            }
        }
        let rest = either(schema, &["additional_properties", "additionalProperties"]);
        if rest.is_nil() {
            return;
        }
        for (name, value) in fields {
            if properties.is_some_and(|known| known.contains_key(name)) {
                continue;
            }
            match rest {
                Data::Bool(false) => self.fail(path, format!("unexpected key '{name}'")),
                Data::Dict(_) => self.at(path, name, |this, path| this.check(value, rest, path, depth + 1)),
                _ => {}
            }
        }
    }

    fn check_list(&mut self, items: &[Data], schema: &'a Data, path: &mut String, depth: usize) {
        let count = items.len() as i64;
        if let Some(least) = either(schema, &["min_items", "minItems"]).as_int().filter(|n| count < *n) {
            self.fail(path, format!("expected at least {least} items, got {count}"));
        }
        if let Some(most) = either(schema, &["max_items", "maxItems"]).as_int().filter(|n| count > *n) {
            self.fail(path, format!("expected at most {most} items, got {count}"));
        }
        let item_schema = schema.field("items");
        if item_schema.as_dict().is_none() {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            let end = path.len();
            path.push_str(&format!("[{index}]"));
            self.check(item, item_schema, path, depth + 1);
            path.truncate(end);
        }
    }

    fn at(&mut self, path: &mut String, name: &str, check: impl FnOnce(&mut Self, &mut String)) {
        let end = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        check(self, path);
        path.truncate(end);
    }

    fn resolve(&self, pointer: &str) -> Option<&'a Data> {
        let mut here = self.root;
        for part in pointer.strip_prefix("#")?.split('/').skip(1) {
            here = here.as_dict()?.get(&part.replace("~1", "/").replace("~0", "~"))?;
        }
        Some(here)
    }
}

/// A scalar as the language displays it; lists and dicts as JSON.
fn shown(value: &Data) -> String {
    match value {
        Data::Nil => "nil".to_owned(),
        Data::Str(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(value: serde_json::Value, schema: serde_json::Value) -> String {
        validate(&Data::from_json(&value), &Data::from_json(&schema)).join("\n")
    }

    #[test]
    fn messages_come_in_the_order_of_the_specification() {
        insta::assert_snapshot!(errors(
            json!({"a": {"b": [1, "x"]}, "extra": 1, "n": 9}),
            json!({"type": "object", "required": ["z"], "additionalProperties": false,
                "properties": {"a": {"type": "dict", "properties": {"b": {"items": {"type": "int"}}}},
                               "n": {"type": "integer", "maximum": 5}}})
        ), @"
        at root: missing required key 'z'
        at a.b[1]: expected type 'int', got 'string'
        at n: expected value <= 5, got 9
        at root: unexpected key 'extra'
        ");
    }

    #[test]
    fn references_unions_and_nullable_are_followed() {
        let schema = json!({"definitions": {"n": {"type": "int"}}, "anyOf": [{"$ref": "#/definitions/n"}, {"type": "null"}]});
        assert_eq!(errors(json!(1), schema.clone()), "");
        assert_eq!(errors(json!("a"), schema), "at root: value did not match any union branch");
        assert_eq!(errors(json!(null), json!({"type": "string", "nullable": true})), "");
    }

    #[test]
    fn a_circular_reference_ends() {
        assert_eq!(errors(json!(1), json!({"$ref": "#"})), "at root: unresolved schema reference '#'");
    }

    #[test]
    fn strict_mode_needs_closed_objects_with_all_properties_required() {
        let fits = |schema: serde_json::Value| fits_strict_mode(&closed(&Data::from_json(&schema)));
        assert!(fits(json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})));
        assert!(!fits(json!({"type": "object", "properties": {"a": {"type": "string"}}})));
        assert!(!fits(json!({"type": "object"})));
    }
}
