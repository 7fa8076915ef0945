//! JSON builtins (spec 05 section 5.4).

mod decode;
pub mod encode;
mod extract;
mod jq;
mod pointer;
mod query;

use harn_vm::{NativeResult, Value, View, display};

use crate::arguments::{Body, done, done_or_thrown, entry, get, given_text, take, text, thrown};
pub use decode::{Seed, decode};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("json_parse", |_, a| match decode(&text(a, 0)) {
        Ok(value) => done(value),
        Err(error) => thrown(format!("JSON parse error: {error}")),
    }),
    ("json_stringify", |_, a| done(stringify(get(a, 0)))),
    ("__json_pretty", |_, a| {
        let mut out = String::new();
        write_pretty(&mut out, get(a, 0), 0);
        done(out)
    }),
    ("json_extract", |_, a| json_extract(a)),
    ("json_pointer", |_, a| {
        let found = pointer::parse("json_pointer", &text(a, 1)).map(|path| pointer::get(get(a, 0), &path));
        done_or_thrown(found)
    }),
    ("json_pointer_set", |_, a| {
        let path = match pointer::parse("json_pointer_set", &text(a, 1)) {
            Ok(path) => path,
            Err(error) => return thrown(error),
        };
        let new = take(a, 2);
        done(pointer::set(take(a, 0), &path, new))
    }),
    ("json_pointer_delete", |_, a| {
        let path = pointer::parse("json_pointer_delete", &text(a, 1));
        done_or_thrown(path.map(|path| pointer::delete(take(a, 0), &path)))
    }),
    ("jq", |_, a| match query::parse(&text(a, 1)) {
        Ok(query) => done(Value::list(jq::run(&query, get(a, 0)))),
        Err(error) => thrown(format!("jq: {error}")),
    }),
    ("jq_first", |_, a| match query::parse(&text(a, 1)) {
        Ok(query) => done(jq::run(&query, get(a, 0)).into_iter().next().unwrap_or_default()),
        Err(error) => thrown(format!("jq: {error}")),
    }),
];

fn json_extract(args: &mut [Value]) -> NativeResult {
    let prose = text(args, 0);
    let value = match decode(extract::candidate(&prose)) {
        Ok(value) => value,
        Err(error) => return thrown(format!("json_extract: failed to parse JSON: {error}")),
    };
    let Some(key) = given_text(args, 1) else { return done(value) };
    match value.view() {
        View::Dict(_) => match entry(&value, &key) {
            Some(member) => done(member),
            None => thrown(format!("json_extract: key '{key}' not found")),
        },
        _ => thrown("json_extract: parsed value is not a dict, cannot extract key"),
    }
}

/// Compact JSON.
pub fn stringify(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

/// Appends compact JSON. Depth is bounded by what the VM lets a program build; deeper values are cut to `null`.
pub fn write(out: &mut String, value: &Value) {
    write_at(out, value, 0);
}

/// Nesting beyond this is written as `null` instead of overflowing the stack.
const MAX_DEPTH: usize = 2_000;

fn write_at(out: &mut String, value: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        out.push_str("null");
        return;
    }
    let items = |out: &mut String, items: &mut dyn Iterator<Item = Value>| {
        out.push('[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push(',');
            }
            write_at(out, &item, depth + 1);
        }
        out.push(']');
    };
    match value.view() {
        View::Bool(b) => out.push_str(if b { "true" } else { "false" }),
        View::Int(n) => encode::int(out, n),
        View::Float(x) => encode::float(out, x),
        View::Str(text) => encode::string(out, text),
        View::List(list) => items(out, &mut list.iter()),
        View::Set(set) => items(out, &mut set.iter().cloned()),
        View::Dict(dict) => {
            write_object(out, dict.iter(), depth);
        }
        View::Struct(fields) => {
            write_object(out, fields.fields(), depth);
        }
        View::Bytes(bytes) => {
            out.push_str("{\"$bytes_b64\":\"");
            out.push_str(&data_encoding::BASE64.encode(bytes));
            out.push_str("\"}");
        }
        View::Range { .. } => encode::string(out, &display(value)),
        View::Enum(found) => match found.fields() {
            [] => encode::string(out, found.variant()),
            fields => {
                out.push('{');
                encode::string(out, found.variant());
                out.push(':');
                items(out, &mut fields.iter().cloned());
                out.push('}');
            }
        },
        _ => out.push_str("null"),
    }
}

fn write_object<'a>(out: &mut String, entries: impl Iterator<Item = (&'a str, &'a Value)>, depth: usize) {
    out.push('{');
    for (i, (key, value)) in entries.enumerate() {
        if i > 0 {
            out.push(',');
        }
        encode::string(out, key);
        out.push(':');
        write_at(out, value, depth + 1);
    }
    out.push('}');
}

/// Appends JSON with two spaces of indentation a level.
pub fn write_pretty(out: &mut String, value: &Value, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    if depth > MAX_DEPTH {
        out.push_str("null");
        return;
    }
    let entries: Option<Vec<(&str, &Value)>> = match value.view() {
        View::Dict(dict) if !dict.is_empty() => Some(dict.iter().collect()),
        View::Struct(fields) => Some(fields.fields().collect()),
        _ => None,
    };
    let items: Option<Vec<Value>> = match value.view() {
        View::List(list) if !list.is_empty() => Some(list.iter().collect()),
        View::Set(set) if !set.is_empty() => Some(set.iter().cloned().collect()),
        _ => None,
    };
    match (entries, items) {
        (Some(entries), _) => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                line(out, depth + 1);
                encode::string(out, key);
                out.push_str(": ");
                write_pretty(out, value, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        (_, Some(items)) => {
            out.push('[');
            for (i, value) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                line(out, depth + 1);
                write_pretty(out, value, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        _ => write_at(out, value, depth),
    }
}
