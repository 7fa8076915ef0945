//! `==` (spec 02 section 4.1) and identity.

use super::{Value, View, tag};

/// `a == b`: structural, never an error. Nesting is bounded by memory only, except sets within sets.
pub fn equals(a: &Value, b: &Value) -> bool {
    equals_with(a, b, false, 0)
}

/// Equality of set items: as `==`, but NaN is equal to itself.
pub(crate) fn same_item(a: &Value, b: &Value) -> bool {
    equals_with(a, b, true, 0)
}

/// Sets within sets are compared by recursion; beyond this depth by identity.
const SET_DEPTH: u32 = 200;

fn equals_with(a: &Value, b: &Value, nan_is_same: bool, depth: u32) -> bool {
    // Most comparisons are of simple values: no work list for them.
    if !a.is_counted() && !b.is_counted() {
        return simple(a, b, nan_is_same);
    }
    let mut work: Vec<(&Value, &Value)> = vec![(a, b)];
    while let Some((a, b)) = work.pop() {
        if !a.is_counted() || !b.is_counted() {
            if !simple(a, b, nan_is_same) {
                return false;
            }
            continue;
        }
        match (a.view(), b.view()) {
            (View::Str(x), View::Str(y)) => {
                if x != y {
                    return false;
                }
            }
            (View::Bytes(x), View::Bytes(y)) => {
                if x != y {
                    return false;
                }
            }
            (View::List(x), View::List(y)) => {
                if x.len() != y.len() {
                    return false;
                }
                work.extend(a.list_cell().items.iter().zip(&b.list_cell().items));
            }
            (View::Pair(a0, a1), View::Pair(b0, b1)) => work.extend([(a1, b1), (a0, b0)]),
            (View::Dict(x), View::Dict(y)) => {
                if x.len() != y.len() {
                    return false;
                }
                for ((xk, xv), (yk, yv)) in x.iter().zip(y.iter()) {
                    if xk != yk {
                        return false;
                    }
                    work.push((xv, yv));
                }
            }
            (View::Struct(x), View::Struct(y)) => {
                if x.name() != y.name() || a.entry_count() != b.entry_count() {
                    return false;
                }
                for ((xk, xv), (yk, yv)) in x.fields().zip(y.fields()) {
                    if xk != yk {
                        return false;
                    }
                    work.push((xv, yv));
                }
            }
            (View::Enum(x), View::Enum(y)) => {
                if a.slots_cell().descriptor != b.slots_cell().descriptor
                    || x.fields().len() != y.fields().len()
                {
                    return false;
                }
                work.extend(x.fields().iter().zip(y.fields()));
            }
            (View::Set(x), View::Set(y)) => {
                if x.len() != y.len() {
                    return false;
                }
                if depth >= SET_DEPTH {
                    if a.payload != b.payload {
                        return false;
                    }
                    continue;
                }
                let other = &b.set_cell().table;
                for item in x.iter() {
                    let hash = super::hash::hash_value(item, 0);
                    if other.find(hash, |key| equals_with(key, item, true, depth + 1)).is_none() {
                        return false;
                    }
                }
            }
            (
                View::Range { start: s, end: e, exclusive: x },
                View::Range { start: t, end: f, exclusive: y },
            ) => {
                if (s, e, x) != (t, f, y) {
                    return false;
                }
            }
            (View::Handle(x), View::Handle(y)) => {
                if !x.equals(&**y) {
                    return false;
                }
            }
            // Closures, generators, streams, iters: the same object.
            _ => {
                if a.tag() != b.tag() || a.payload != b.payload {
                    return false;
                }
            }
        }
    }
    true
}

/// Equality when at least one side is no heap value.
fn simple(a: &Value, b: &Value, nan_is_same: bool) -> bool {
    match (a.tag(), b.tag()) {
        (tag::FLOAT, tag::FLOAT) => {
            let (x, y) = (f64::from_bits(a.payload), f64::from_bits(b.payload));
            x == y || (nan_is_same && x.is_nan() && y.is_nan())
        }
        (tag::INT, tag::FLOAT) => a.payload as i64 as f64 == f64::from_bits(b.payload),
        (tag::FLOAT, tag::INT) => f64::from_bits(a.payload) == b.payload as i64 as f64,
        _ => a.word == b.word && a.payload == b.payload,
    }
}

/// `is_same`: identity for lists, dicts, sets, pairs and closures; `==` for every other type.
pub fn is_same(a: &Value, b: &Value) -> bool {
    let by_object =
        |t: u8| matches!(t, tag::LIST | tag::RECORD | tag::DICT | tag::SET | tag::PAIR | tag::CLOSURE);
    if by_object(a.tag()) || by_object(b.tag()) {
        return a.tag() == b.tag() && a.payload == b.payload;
    }
    equals(a, b)
}

/// `addr_of`: an opaque identity key within this process.
pub fn identity_text(value: &Value) -> String {
    if value.is_counted() && !matches!(value.tag(), tag::HEAP_STR) {
        format!("{}:{:x}", value.type_name(), value.payload)
    } else {
        format!("{}:{}", value.type_name(), super::display(value))
    }
}
