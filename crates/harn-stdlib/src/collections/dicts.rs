//! Methods of dicts and dict builtins (spec 02 section 14.3, 05 section 5.11).

use harn_vm::value::DictRef;
use harn_vm::{Value, View};

use crate::arguments::{Body, count, done, get, take, text, text_of};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("dict.keys", |_, a| done(keys(a))),
    ("dict.values", |_, a| done(values(a))),
    ("dict.entries", |_, a| done(entries(a))),
    ("keys", |_, a| done(keys(a))),
    ("values", |_, a| done(values(a))),
    ("entries", |_, a| done(entries(a))),
    ("dict.count", |_, a| done(with(a, |dict| count(dict.len())).unwrap_or(Value::int(0)))),
    ("dict.has", |_, a| done(with(a, |dict| dict.get(&text(a, 1)).is_some()).unwrap_or(false))),
    ("dict.get", |_, a| {
        let found = with(a, |dict| dict.get(&text(a, 1))).flatten();
        done(found.unwrap_or_else(|| take(a, 2)))
    }),
    ("dict.merge", |_, a| {
        let (mut into, other) = (take(a, 0), take(a, 1));
        if let View::Dict(other) = other.view() {
            for (key, value) in other.iter() {
                into.dict_set(key, value.clone());
            }
        }
        done(into)
    }),
    ("dict.remove", |_, a| {
        let mut dict = take(a, 0);
        dict.dict_remove(&text_of(get(a, 1)));
        done(dict)
    }),
];

fn with<T>(args: &[Value], look: impl FnOnce(DictRef<'_>) -> T) -> Option<T> {
    match get(args, 0).view() {
        View::Dict(dict) => Some(look(dict)),
        _ => None,
    }
}

fn keys(args: &[Value]) -> Value {
    Value::list(with(args, |dict| dict.iter().map(|(key, _)| Value::str(key)).collect()).unwrap_or_default())
}

fn values(args: &[Value]) -> Value {
    Value::list(with(args, |dict| dict.iter().map(|(_, value)| value.clone()).collect()).unwrap_or_default())
}

fn entries(args: &[Value]) -> Value {
    let entry =
        |(key, value): (&str, &Value)| Value::dict([("key", Value::str(key)), ("value", value.clone())]);
    Value::list(with(args, |dict| dict.iter().map(entry).collect()).unwrap_or_default())
}
