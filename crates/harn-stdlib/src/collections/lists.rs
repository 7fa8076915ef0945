//! Methods of lists and list builtins (spec 02 section 14.2, 05 section 5.11). A list that only the call holds is
//! changed in place.

use std::collections::HashSet;

use harn_vm::value::sort_order;
use harn_vm::{NativeResult, Value, View, equals, hash_key};

use crate::arguments::{Body, count, done, get, given_text, int, take, text_of, type_error};
use crate::text::joined;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("list.count", |_, a| done(with(a, |items| count(items.len())))),
    ("list.empty", |_, a| done(with(a, |items| items.is_empty()))),
    ("list.first", |_, a| match int(a, 1) {
        None => done(with(a, |items| items.first().cloned().unwrap_or_default())),
        Some(n) => keep(a, 0, position(n)),
    }),
    ("list.last", |_, a| match int(a, 1) {
        None => done(with(a, |items| items.last().cloned().unwrap_or_default())),
        Some(n) => {
            let len = with(a, <[Value]>::len);
            keep(a, len.saturating_sub(position(n)), usize::MAX)
        }
    }),
    ("list.flatten", |_, a| {
        let items = take(a, 0).into_list();
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match item.view() {
                View::List(_) => out.extend(item.into_list()),
                _ => out.push(item),
            }
        }
        done(Value::list(out))
    }),
    ("list.sort", |_, a| change(a, |items| items.sort_by(sort_order))),
    ("list.min", |_, a| {
        let least = |best: Value, x: &Value| if sort_order(x, &best).is_lt() { x.clone() } else { best };
        done(with(a, |items| fold_first(items, least)))
    }),
    ("list.max", |_, a| {
        let greatest = |best: Value, x: &Value| if sort_order(x, &best).is_gt() { x.clone() } else { best };
        done(with(a, |items| fold_first(items, greatest)))
    }),
    ("list.sum", |_, a| done(with(a, sum))),
    ("list.reverse", |_, a| change(a, |items| items.reverse())),
    ("list.join", |_, a| {
        let separator = given_text(a, 1).unwrap_or_default();
        with(a, |items| joined(items.iter().cloned(), &separator))
    }),
    ("list.contains", |_, a| done(with(a, |items| items.iter().any(|x| equals(x, get(a, 1)))))),
    ("list.index_of", |_, a| {
        let found = with(a, |items| items.iter().position(|x| equals(x, get(a, 1))));
        done(found.map_or(Value::int(-1), count))
    }),
    ("list.enumerate", |_, a| {
        let numbered = take(a, 0).into_list().into_iter().enumerate();
        done(Value::list(numbered.map(|(i, v)| Value::dict([("index", count(i)), ("value", v)])).collect()))
    }),
    ("list.zip", |_, a| {
        let (left, right) = (take(a, 0).into_list(), take(a, 1).into_list());
        done(Value::list(left.into_iter().zip(right).map(|(x, y)| Value::list(vec![x, y])).collect()))
    }),
    ("list.slice", |_, a| {
        let len = with(a, <[Value]>::len);
        let at = |i: Option<i64>, default| i.map_or(default, |n| from_end(n, len));
        let (start, end) = (at(int(a, 1), 0), at(int(a, 2), len));
        keep(a, start, end)
    }),
    ("list.take", |_, a| {
        let n = position(int(a, 1).unwrap_or(0));
        keep(a, 0, n)
    }),
    ("list.skip", |_, a| {
        let n = position(int(a, 1).unwrap_or(0));
        keep(a, n, usize::MAX)
    }),
    ("list.push", |_, a| {
        let mut list = take(a, 0);
        if a.len() > 1 {
            list.list_push(take(a, 1));
        }
        done(list)
    }),
    ("list.pop", |_, a| {
        change(a, |items| {
            items.pop();
        })
    }),
    ("list.unique", |_, a| {
        change(a, |items| {
            let mut seen = HashSet::new();
            items.retain(|x| seen.insert(hash_key(x)));
        })
    }),
    ("list.compact", |_, a| change(a, |items| items.retain(|x| !x.is_nil()))),
    ("list.tally", |_, a| {
        let mut out = Value::dict::<&str>([]);
        for item in take(a, 0).into_list() {
            let key = text_of(&item);
            let seen = crate::arguments::entry(&out, &key).and_then(|n| n.as_int()).unwrap_or(0);
            out.dict_set(&key, Value::int(seen + 1));
        }
        done(out)
    }),
    ("list.chunk", |_, a| done(chunks(a))),
    ("list.each_slice", |_, a| done(chunks(a))),
    ("list.window", |_, a| done(windows(a))),
    ("list.each_cons", |_, a| done(windows(a))),
    ("list.sliding_window", |_, a| done(windows(a))),
    ("chunk", |_, a| match get(a, 0).view() {
        View::List(_) => done(chunks(a)),
        _ => not_a_list("chunk", get(a, 0)),
    }),
    ("window", |_, a| match get(a, 0).view() {
        View::List(_) => done(windows(a)),
        _ => not_a_list("window", get(a, 0)),
    }),
    ("to_list", |_, a| {
        let value = take(a, 0);
        let items = match value.view() {
            View::List(_) => None,
            View::Set(set) => Some(set.iter().cloned().collect()),
            View::Range { start, end, exclusive } => {
                let len = crate::ranges::length(start, end, exclusive);
                if len > MAX_ITEMS {
                    return crate::arguments::runtime_error("to_list: the range is too long");
                }
                Some((0..len).map(|i| Value::int(start.wrapping_add(i))).collect())
            }
            _ => Some(vec![value.clone()]),
        };
        done(items.map_or(value, Value::list))
    }),
];

/// Ranges longer than this are refused instead of exhausting memory.
const MAX_ITEMS: i64 = 1 << 27;

fn not_a_list(name: &str, value: &Value) -> NativeResult {
    type_error(format!("{name}: first argument must be a list, got {}", value.type_name()))
}

/// Looks at the items of the receiver.
fn with<T>(args: &[Value], look: impl FnOnce(&[Value]) -> T) -> T {
    match get(args, 0).view() {
        View::List(list) => look(list.as_slice()),
        _ => look(&[]),
    }
}

/// Changes the items of the receiver, in place when nobody else holds it.
fn change(args: &mut [Value], change: impl FnOnce(&mut Vec<Value>)) -> NativeResult {
    let mut list = take(args, 0);
    if let Some(items) = list.list_mut() {
        change(items);
    }
    done(list)
}

/// The items `[start, end)` of the receiver, clamped.
fn keep(args: &mut [Value], start: usize, end: usize) -> NativeResult {
    let list = take(args, 0);
    let View::List(view) = list.view() else { return done(list) };
    let items = view.as_slice();
    let end = end.min(items.len());
    if start == 0 && end == items.len() {
        return done(list);
    }
    done(Value::list(items.get(start.min(end)..end).unwrap_or(&[]).to_vec()))
}

/// A number of elements: negative counts as 0.
fn position(n: i64) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}

/// A position where negative counts from the end.
fn from_end(n: i64, len: usize) -> usize {
    if n < 0 {
        len.saturating_sub(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        position(n)
    }
}

fn fold_first(items: &[Value], pick: impl Fn(Value, &Value) -> Value) -> Value {
    let mut items = items.iter();
    let first = items.next().cloned().unwrap_or_default();
    items.fold(first, pick)
}

/// The sum of the numbers: int when all are ints, wrapping; other items are skipped.
fn sum(items: &[Value]) -> Value {
    let (mut whole, mut real, mut any_float) = (0i64, 0.0, false);
    for item in items {
        match item.view() {
            View::Int(n) => {
                whole = whole.wrapping_add(n);
                real += n as f64;
            }
            View::Float(x) => {
                real += x;
                any_float = true;
            }
            _ => {}
        }
    }
    if any_float { Value::float(real) } else { Value::int(whole) }
}

fn chunks(args: &mut [Value]) -> Value {
    let size = position(int(args, 1).unwrap_or(1)).max(1);
    with(args, |items| Value::list(items.chunks(size).map(|c| Value::list(c.to_vec())).collect()))
}

fn windows(args: &mut [Value]) -> Value {
    let size = position(int(args, 1).unwrap_or(2)).max(1);
    let step = position(int(args, 2).unwrap_or(1)).max(1);
    with(args, |items| {
        Value::list(items.windows(size).step_by(step).map(|w| Value::list(w.to_vec())).collect())
    })
}
