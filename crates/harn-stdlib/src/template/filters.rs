//! The filters of templates (spec 05 section 5.14).

use harn_vm::{Value, View};

use super::render::truthy;
use crate::arguments::{count, text_of};
use crate::text::{case, chars, join};

/// Applies a filter; the error is its message.
pub fn apply(name: &str, input: Value, args: &[Value]) -> Result<Value, String> {
    let (least, most) = match name {
        "upper" | "lower" | "trim" | "capitalize" | "title" | "length" | "first" | "last" | "reverse"
        | "lines" | "escape_md" => (0, 0),
        "json" => (0, 1),
        "join" | "default" => (1, 1),
        "indent" => (1, 2),
        "replace" => (2, 2),
        _ => return Err(format!("unknown filter `{name}`")),
    };
    if !(least..=most).contains(&args.len()) {
        return Err(format!("filter `{name}` got wrong number of arguments"));
    }
    let arg = |i: usize| args.get(i).cloned().unwrap_or_default();
    Ok(match name {
        "upper" => Value::string(text_of(&input).to_uppercase()),
        "lower" => Value::string(text_of(&input).to_lowercase()),
        "trim" => Value::str(text_of(&input).trim()),
        "capitalize" => Value::string(case::capitalise(&text_of(&input))),
        "title" => Value::string(case::title_case(&text_of(&input))),
        "length" => length(&input)?,
        "first" | "last" => end(&input, name == "first"),
        "reverse" => reverse(input),
        "lines" => Value::list(text_of(&input).split('\n').map(Value::str).collect()),
        "escape_md" => Value::string(escape_md(&text_of(&input))),
        "json" if truthy(&arg(0)) => {
            let mut out = String::new();
            crate::json::write_pretty(&mut out, &input, 0);
            Value::string(out)
        }
        "json" => Value::string(crate::json::stringify(&input)),
        "join" => joined(input, &text_of(&arg(0)))?,
        "default" => {
            if truthy(&input) {
                input
            } else {
                arg(0)
            }
        }
        "indent" => {
            let width = arg(0).as_int().ok_or("`indent` requires an integer width")?;
            Value::string(indent(&text_of(&input), usize::try_from(width).unwrap_or(0), truthy(&arg(1))))
        }
        _ => Value::string(text_of(&input).replace(&*text_of(&arg(0)), &text_of(&arg(1)))),
    })
}

fn length(value: &Value) -> Result<Value, String> {
    Ok(match value.view() {
        View::Nil => Value::int(0),
        View::Str(text) => count(chars::count(text)),
        View::List(list) => count(list.len()),
        View::Dict(dict) => count(dict.len()),
        View::Set(set) => count(set.len()),
        View::Range { start, end, exclusive } => Value::int(crate::ranges::length(start, end, exclusive)),
        _ => return Err(format!("`length` not defined for {}", value.type_name())),
    })
}

fn end(value: &Value, first: bool) -> Value {
    match value.view() {
        View::List(list) => {
            let items = list.as_slice();
            if first { items.first() } else { items.last() }.cloned().unwrap_or_default()
        }
        View::Set(set) => {
            if first { set.iter().next() } else { set.iter().last() }.cloned().unwrap_or_default()
        }
        View::Str(text) => {
            let c = if first { text.chars().next() } else { text.chars().last() };
            c.map(String::from).into()
        }
        _ => Value::NIL,
    }
}

fn reverse(value: Value) -> Value {
    match value.view() {
        View::List(list) => Value::list(list.iter().rev().collect()),
        View::Str(text) => Value::string(text.chars().rev().collect()),
        _ => value,
    }
}

fn joined(value: Value, separator: &str) -> Result<Value, String> {
    match value.view() {
        View::List(list) => Ok(Value::string(join(list.iter(), separator)?)),
        View::Set(set) => Ok(Value::string(join(set.iter().cloned(), separator)?)),
        View::Str(_) => Ok(value),
        _ => Err(format!("`join` requires a list (got {})", value.type_name())),
    }
}

fn indent(text: &str, width: usize, first: bool) -> String {
    let pad = " ".repeat(width.min(1 << 16));
    let line = |(i, line): (usize, &str)| match line.is_empty() || (i == 0 && !first) {
        true => line.to_owned(),
        false => format!("{pad}{line}"),
    };
    text.split('\n').enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn escape_md(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]()#+-.!|<>".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
