//! Values: types, identity, conversion, `Result` and error helpers (spec 02).

use harn_vm::value::{identity_text, is_same};
use harn_vm::{NativeResult, Value, View, VmError, display, equals};

use crate::arguments::{Body, done, get, given_text, runtime_error, take, text, thrown, type_error};
use crate::error_category::{CATEGORIES, classify};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("type_of", |_, a| done(get(a, 0).type_name())),
    ("pair", |_, a| match a.len() {
        2 => done(Value::pair(take(a, 0), take(a, 1))),
        n => type_error(format!("pair: expected 2 arguments, got {n}")),
    }),
    ("is_same", |_, a| done(is_same(get(a, 0), get(a, 1)))),
    ("addr_of", |_, a| done(identity_text(get(a, 0)))),
    ("to_int", |_, a| {
        done(match get(a, 0).view() {
            View::Int(n) => Value::int(n),
            View::Float(x) => Value::int(x as i64),
            View::Str(text) => decimal(text).into(),
            _ => Value::NIL,
        })
    }),
    ("to_float", |_, a| {
        done(match get(a, 0).view() {
            View::Int(n) => Value::float(n as f64),
            View::Float(x) => Value::float(x),
            View::Str(text) => text.parse::<f64>().ok().into(),
            _ => Value::NIL,
        })
    }),
    ("Ok", |_, a| done(Value::ok(take(a, 0)))),
    ("Err", |_, a| done(Value::err(take(a, 0)))),
    ("is_ok", |_, a| done(matches!(outcome(get(a, 0)), Some(Ok(_))))),
    ("is_err", |_, a| done(matches!(outcome(get(a, 0)), Some(Err(_))))),
    ("unwrap", |_, a| match outcome(get(a, 0)) {
        Some(Ok(value)) => done(value),
        Some(Err(error)) => runtime_error(format!("unwrap called on Err: {}", display(&error))),
        None => done(take(a, 0)),
    }),
    ("unwrap_or", |_, a| match outcome(get(a, 0)) {
        Some(Ok(value)) => done(value),
        Some(Err(_)) => done(take(a, 1)),
        None => done(take(a, 0)),
    }),
    ("unwrap_err", |_, a| match outcome(get(a, 0)) {
        Some(Err(error)) => done(error),
        _ => runtime_error("unwrap_err called on non-Err"),
    }),
    ("unreachable", |_, a| match a.len() {
        0 => runtime_error("unreachable code was reached"),
        _ => runtime_error(format!("unreachable code was reached: {}", text(a, 0))),
    }),
    ("throw_error", |_, a| {
        let given = given_text(a, 1).unwrap_or_default();
        let category = CATEGORIES.iter().find(|c| **c == given).copied().unwrap_or("generic");
        let message = Value::str(&given_text(a, 0).unwrap_or_default());
        let error = Value::dict([("message", message), ("category", Value::str(category))]);
        Err(VmError::thrown(error))
    }),
    ("error_category", |_, a| done(category(get(a, 0)))),
    ("is_timeout", |_, a| done(category(get(a, 0)) == "timeout")),
    ("is_rate_limited", |_, a| done(category(get(a, 0)) == "rate_limit")),
    ("assert", |_, a| match get(a, 0).truthy() {
        true => done(Value::NIL),
        false => failed(a, 1, || "Assertion failed".to_owned()),
    }),
    ("assert_eq", |_, a| match equals(get(a, 0), get(a, 1)) {
        true => done(Value::NIL),
        false => failed(a, 2, || format!("Assertion failed: expected {}, got {}", text(a, 1), text(a, 0))),
    }),
    ("assert_ne", |_, a| match equals(get(a, 0), get(a, 1)) {
        false => done(Value::NIL),
        true => failed(a, 2, || format!("Assertion failed: values should not be equal: {}", text(a, 0))),
    }),
    ("__snapshot_number", |cx, _| {
        let taken = cx.state::<Snapshots>();
        taken.0 += 1;
        done(taken.0)
    }),
    ("__is_callable", |_, a| done(get(a, 0).is_callable())),
    ("__type_error", |_, a| type_error(text(a, 0))),
    ("__runtime_error", |_, a| runtime_error(text(a, 0))),
];

/// Nameless snapshots that the program has taken.
#[derive(Default)]
struct Snapshots(i64);

/// An optional sign and digits, nothing else.
fn decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The parts of a `Result` value.
pub fn outcome(value: &Value) -> Option<Result<Value, Value>> {
    let View::Enum(found) = value.view() else { return None };
    let field = || found.fields().first().cloned().unwrap_or_default();
    match (found.enum_name(), found.variant()) {
        ("Result", "Ok") => Some(Ok(field())),
        ("Result", "Err") => Some(Err(field())),
        _ => None,
    }
}

/// The category of a caught value.
fn category(error: &Value) -> String {
    match error.view() {
        View::Dict(dict) => dict.get("category").map_or_else(|| "generic".to_owned(), |c| display(&c)),
        View::Str(text) => classify(text),
        _ => "generic".to_owned(),
    }
}

fn failed(args: &[Value], message: usize, default: impl FnOnce() -> String) -> NativeResult {
    thrown(given_text(args, message).map_or_else(default, |text| text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_are_ints() {
        assert_eq!(decimal("-12"), Some(-12));
        assert_eq!(decimal("+7"), Some(7));
        for text in ["", "-", " 1", "1.0", "1_000", "99999999999999999999"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
