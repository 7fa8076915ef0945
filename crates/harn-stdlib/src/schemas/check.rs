//! Checking a value against a canonical schema.

use harn_vm::value::DictRef;
use harn_vm::{NativeCtx, Value, View, display, equals};

use crate::arguments::entry;
use crate::text::{chars, patterns};

/// What a check found: the value, with defaults filled in when that was asked for, and the messages.
pub struct Checked {
    /// The value.
    pub value: Value,
    /// `at LOCATION: TEXT`, in order.
    pub errors: Vec<String>,
}

/// Checks a value.
pub fn check(cx: &mut NativeCtx<'_>, value: Value, schema: &Value, defaults: bool) -> Checked {
    let mut checker = Checker { cx, root: schema, defaults, errors: Vec::new(), depth: 0 };
    let value = checker.value(value, schema, "");
    Checked { value, errors: checker.errors }
}

/// Values and references nested deeper than this are refused.
const MAX_DEPTH: usize = 400;

struct Checker<'a, 'b> {
    cx: &'a mut NativeCtx<'b>,
    root: &'a Value,
    defaults: bool,
    errors: Vec<String>,
    depth: usize,
}

impl Checker<'_, '_> {
    fn fail(&mut self, path: &str, text: impl std::fmt::Display) {
        let place = if path.is_empty() { "root" } else { path };
        self.errors.push(format!("at {place}: {text}"));
    }

    fn value(&mut self, value: Value, schema: &Value, path: &str) -> Value {
        self.depth += 1;
        let out = if self.depth > MAX_DEPTH {
            self.fail(path, "value or schema nests too deeply");
            value
        } else {
            self.checked(value, schema, path)
        };
        self.depth -= 1;
        out
    }

    fn checked(&mut self, value: Value, schema: &Value, path: &str) -> Value {
        let View::Dict(rules) = schema.view() else { return value };
        if let Some(reference) = rules.get("$ref") {
            let pointer = display(&reference);
            return match self.resolve(&pointer) {
                Some(target) => self.value(value, &target, path),
                None => {
                    self.fail(path, format_args!("unresolved schema reference '{pointer}'"));
                    value
                }
            };
        }
        if value.is_nil() && rules.get("nullable").is_some_and(|v| v.truthy()) {
            return value;
        }
        if let Some(constant) = rules.get("const")
            && !equals(&constant, &value)
        {
            let text = format!("expected constant {}, got {}", display(&constant), display(&value));
            self.fail(path, text);
            return value;
        }
        let mut value = value;
        if let Some(View::List(all)) = rules.get_ref("all_of").map(Value::view) {
            for branch in all.as_slice() {
                value = self.value(value, branch, path);
            }
        }
        if let Some(View::List(branches)) = rules.get_ref("union").map(Value::view) {
            value = self.union(value, branches.as_slice(), path);
        }
        if let Some(name) = rules.get("type") {
            let name = display(&name);
            if !has_type(&value, &name) {
                let text = format!("expected type '{name}', got '{}'", value.type_name());
                self.fail(path, text);
                return value;
            }
        }
        self.members(value, rules, path)
    }

    /// The first branch that matches wins.
    fn union(&mut self, value: Value, branches: &[Value], path: &str) -> Value {
        let before = self.errors.len();
        for branch in branches {
            let out = self.value(value.clone(), branch, path);
            if self.errors.len() == before {
                return out;
            }
            self.errors.truncate(before);
        }
        self.fail(path, "value did not match any union branch");
        value
    }

    fn resolve(&self, pointer: &str) -> Option<Value> {
        let inner = pointer.strip_prefix("#/")?;
        let mut at = self.root.clone();
        for segment in inner.split('/') {
            at = entry(&at, &segment.replace("~1", "/").replace("~0", "~"))?;
        }
        at.is_dict().then_some(at)
    }

    fn members(&mut self, value: Value, rules: DictRef<'_>, path: &str) -> Value {
        match value.view() {
            View::Dict(_) | View::Struct(_) => return self.dict(value, rules, path),
            View::List(list) => {
                self.size(list.len(), rules, path);
                if let Some(items) = rules.get("items") {
                    let checked = self.items(list.to_vec(), &items, path);
                    return Value::list(checked);
                }
            }
            View::Set(set) => {
                self.size(set.len(), rules, path);
                if let Some(items) = rules.get("items") {
                    let checked = self.items(set.iter().cloned().collect(), &items, path);
                    return Value::set(checked);
                }
            }
            View::Str(text) => self.text(text, rules, path),
            _ => {}
        }
        if let Some(View::List(allowed)) = rules.get_ref("enum").map(Value::view)
            && !allowed.as_slice().iter().any(|v| equals(v, &value))
        {
            let names: Vec<String> = allowed.as_slice().iter().map(display).collect();
            self.fail(path, format_args!("value must be one of [{}]", names.join(", ")));
        }
        if let Some(n) = value.as_number() {
            let bound = |key: &str| rules.get(key).and_then(|v| v.as_number().map(|b| (b, number(&v))));
            if let Some((_, text)) = bound("min").filter(|(b, _)| n < *b) {
                self.fail(path, format_args!("expected value >= {text}, got {}", number(&value)));
            }
            if let Some((_, text)) = bound("max").filter(|(b, _)| n > *b) {
                self.fail(path, format_args!("expected value <= {text}, got {}", number(&value)));
            }
        }
        value
    }

    fn items(&mut self, items: Vec<Value>, schema: &Value, path: &str) -> Vec<Value> {
        let check = |(i, item)| self.value(item, schema, &format!("{path}[{i}]"));
        items.into_iter().enumerate().map(check).collect()
    }

    fn size(&mut self, len: usize, rules: DictRef<'_>, path: &str) {
        let len = len as i64;
        let bound = |key: &str| rules.get(key).and_then(|v| v.as_int());
        if let Some(least) = bound("min_items").filter(|n| len < *n) {
            self.fail(path, format_args!("expected at least {least} items, got {len}"));
        }
        if let Some(most) = bound("max_items").filter(|n| len > *n) {
            self.fail(path, format_args!("expected at most {most} items, got {len}"));
        }
    }

    fn text(&mut self, text: &str, rules: DictRef<'_>, path: &str) {
        let len = chars::count(text) as i64;
        let bound = |key: &str| rules.get(key).and_then(|v| v.as_int());
        if let Some(least) = bound("min_length").filter(|n| len < *n) {
            self.fail(path, format_args!("expected length >= {least}, got {len}"));
        }
        if let Some(most) = bound("max_length").filter(|n| len > *n) {
            self.fail(path, format_args!("expected length <= {most}, got {len}"));
        }
        if let Some(pattern) = rules.get("pattern").map(|p| display(&p)) {
            match patterns::compiled(self.cx, &pattern, "") {
                Ok(regex) if regex.is_match(text) => {}
                Ok(_) => self.fail(path, format_args!("value does not match pattern '{pattern}'")),
                Err(e) => self.fail(path, format_args!("invalid regex pattern '{pattern}': {e}")),
            }
        }
    }

    fn dict(&mut self, value: Value, rules: DictRef<'_>, path: &str) -> Value {
        let properties = rules.get("properties");
        let property = |key: &str| properties.as_ref().and_then(|p| entry(p, key));
        if let Some(View::List(required)) = rules.get_ref("required").map(Value::view) {
            for key in required.as_slice() {
                let key = display(key);
                let defaulted =
                    self.defaults && property(&key).is_some_and(|s| entry(&s, "default").is_some());
                if field(&value, &key).is_none() && !defaulted {
                    self.fail(path, format_args!("missing required key '{key}'"));
                }
            }
        }
        let mut out = value.clone();
        if let Some(View::Dict(properties)) = properties.as_ref().map(Value::view) {
            for (key, schema) in properties.iter() {
                match field(&value, key) {
                    Some(found) => {
                        let checked = self.value(found, schema, &child(path, key));
                        if self.defaults && out.is_dict() {
                            out.dict_set(key, checked);
                        }
                    }
                    None if self.defaults && out.is_dict() => {
                        if let Some(default) = entry(schema, "default") {
                            out.dict_set(key, default);
                        }
                    }
                    None => {}
                }
            }
        }
        if let Some(additional) = rules.get("additional_properties") {
            for key in keys(&value).into_iter().filter(|key| property(key).is_none()) {
                match (additional.is_dict(), field(&value, &key)) {
                    (true, Some(found)) => {
                        let checked = self.value(found, &additional, &child(path, &key));
                        if self.defaults && out.is_dict() {
                            out.dict_set(&key, checked);
                        }
                    }
                    _ if !additional.truthy() => self.fail(path, format_args!("unexpected key '{key}'")),
                    _ => {}
                }
            }
        }
        out
    }
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn field(value: &Value, key: &str) -> Option<Value> {
    match value.view() {
        View::Dict(dict) => dict.get(key),
        View::Struct(fields) => fields.get(key),
        _ => None,
    }
}

fn keys(value: &Value) -> Vec<String> {
    match value.view() {
        View::Dict(dict) => dict.iter().map(|(key, _)| key.to_owned()).collect(),
        View::Struct(fields) => fields.fields().map(|(key, _)| key.to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "any" => true,
        "dict" => value.is_dict() || value.is_struct(),
        // JSON does not keep whole floats apart from ints.
        "float" => value.as_number().is_some(),
        _ => value.type_name() == name,
    }
}

/// A number as its shortest decimal.
fn number(value: &Value) -> String {
    match value.view() {
        View::Float(x) => x.to_string(),
        _ => display(value),
    }
}
