//! The display form (spec 02 section 3): one conversion for `to_string`, interpolation, output, keys, messages.

use std::fmt::Write;

use super::{DictIter, Value, View};

/// The display form of a value.
pub fn display(value: &Value) -> String {
    let mut out = String::new();
    display_into(value, &mut out);
    out
}

/// What is still to be written around the value being written.
enum Rest<'a> {
    Items(std::slice::Iter<'a, Value>, &'static str),
    Set(Box<dyn Iterator<Item = &'a Value> + 'a>),
    Entries(DictIter<'a>),
}

/// Appends the display form of a value. Nesting is bounded by memory only, not by the Rust stack.
pub fn display_into(value: &Value, out: &mut String) {
    let mut rest: Vec<(Rest<'_>, bool)> = Vec::new();
    let mut current = Some(value);
    loop {
        if let Some(value) = current.take() {
            if let Some(opened) = write_start(value, out) {
                rest.push((opened, true));
            }
        } else {
            let Some((top, first)) = rest.last_mut() else { return };
            let separator = if std::mem::take(first) { "" } else { ", " };
            let next = match top {
                Rest::Items(items, _) => items.next().map(|item| (None, item)),
                Rest::Set(items) => items.next().map(|item| (None, item)),
                Rest::Entries(entries) => entries.next().map(|(key, item)| (Some(key), item)),
            };
            match next {
                Some((key, item)) => {
                    out.push_str(separator);
                    if let Some(key) = key {
                        out.push_str(key);
                        out.push_str(": ");
                    }
                    current = Some(item);
                }
                None => {
                    out.push_str(match top {
                        Rest::Items(_, close) => close,
                        Rest::Set(_) => ")",
                        Rest::Entries(_) => "}",
                    });
                    rest.pop();
                }
            }
        }
    }
}

/// Writes a whole simple value, or the opening of one with parts.
fn write_start<'a>(value: &'a Value, out: &mut String) -> Option<Rest<'a>> {
    match value.view() {
        View::Nil => out.push_str("nil"),
        View::Bool(b) => out.push_str(if b { "true" } else { "false" }),
        View::Int(n) => write_int(n, out),
        View::Float(x) => display_float(x, out),
        View::Duration(ms) => display_duration(ms, out),
        View::Str(text) => out.push_str(text),
        View::Bytes(bytes) => {
            out.push_str("b\"");
            for byte in bytes.iter().take(32) {
                let _ = write!(out, "{byte:02x}");
            }
            if bytes.len() > 32 {
                let _ = write!(out, "...+{}", bytes.len() - 32);
            }
            out.push('"');
        }
        View::List(_) => {
            out.push('[');
            return Some(Rest::Items(value.list_cell().items.iter(), "]"));
        }
        View::Dict(dict) => {
            out.push('{');
            return Some(Rest::Entries(dict.iter()));
        }
        View::Set(set) => {
            out.push_str("set(");
            return Some(Rest::Set(Box::new(set.iter())));
        }
        View::Pair(..) => {
            out.push('(');
            return Some(Rest::Items(value.slots_cell().values().iter(), ")"));
        }
        View::Range { start, end, exclusive } => {
            let _ = write!(out, "{start} to {end}{}", if exclusive { " exclusive" } else { "" });
        }
        View::Closure(closure) => {
            out.push_str("<fn(");
            for (i, param) in closure.params().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(param);
            }
            out.push_str(")>");
        }
        View::Builtin(id) => {
            let _ = write!(out, "<builtin {}>", id.name());
        }
        View::Enum(e) => {
            let _ = write!(out, "{}.{}", e.enum_name(), e.variant());
            if !e.fields().is_empty() {
                out.push('(');
                return Some(Rest::Items(value.slots_cell().values().iter(), ")"));
            }
        }
        View::Struct(s) => {
            let _ = write!(out, "{} {{", s.name());
            return Some(Rest::Entries(s.fields()));
        }
        View::Generator(g) | View::Stream(g) => {
            let done = if g.is_done() { " (done)" } else { "" };
            let _ = write!(out, "<{}{done}>", value.type_name());
        }
        View::Iter(i) => out.push_str(if i.is_done() { "<iter (exhausted)>" } else { "<iter>" }),
        View::Handle(handle) => out.push_str(&handle.display()),
    }
    None
}

/// Appends a decimal int.
pub(crate) fn write_int(n: i64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut left = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if n < 0 {
        out.push('-');
    }
    for digit in &digits[at..] {
        out.push(char::from(*digit));
    }
}

/// Appends the display form of a float (spec 02 section 3.1): never in exponent notation.
pub fn display_float(x: f64, out: &mut String) {
    if x.is_nan() {
        out.push_str("NaN");
    } else if x.is_infinite() {
        out.push_str(if x > 0.0 { "inf" } else { "-inf" });
    } else if x.fract() == 0.0 && x.abs() < 1e15 {
        let _ = write!(out, "{x:.1}");
    } else {
        // `Display` of f64 writes the shortest digits that round-trip, without an exponent.
        let _ = write!(out, "{x}");
    }
}

/// Appends the display form of a duration.
fn display_duration(ms: i64, out: &mut String) {
    let size = ms.unsigned_abs();
    if ms < 0 {
        out.push('-');
    }
    let (count, unit) = match size {
        0 => (0, "ms"),
        n if n % 3_600_000 == 0 => (n / 3_600_000, "h"),
        n if n % 60_000 == 0 => (n / 60_000, "m"),
        n if n % 1000 == 0 => (n / 1000, "s"),
        n => (n, "ms"),
    };
    let _ = write!(out, "{count}{unit}");
}
