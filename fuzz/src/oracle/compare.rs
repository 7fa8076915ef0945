//! Equality, order and the structural key (spec 02 section 4).

use std::cmp::Ordering;
use std::sync::Arc;

use super::value::Value;

/// `==`.
pub fn equal(a: &Value, b: &Value) -> bool {
    use Value::*;
    match (a, b) {
        (Int(x), Float(y)) | (Float(y), Int(x)) => *x as f64 == *y,
        (Int(x), Int(y)) | (Duration(x), Duration(y)) => x == y,
        (Float(x), Float(y)) => x == y,
        (Nil, Nil) => true,
        (Bool(x), Bool(y)) => x == y,
        (Str(x), Str(y)) => x == y,
        (Builtin(x), Builtin(y)) => x == y,
        (List(x), List(y)) => all_equal(x, y),
        (Dict(x), Dict(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| equal(v, w)))
        }
        (Set(x), Set(y)) => x.len() == y.len() && x.iter().all(|v| in_set(y, v)),
        (Pair(x), Pair(y)) => equal(&x.0, &y.0) && equal(&x.1, &y.1),
        (Range { start, end, exclusive }, Range { start: s, end: e, exclusive: x }) => {
            (start, end, exclusive) == (s, e, x)
        }
        (Enum { name, variant, fields }, Enum { name: n, variant: v, fields: f }) => {
            name == n && variant == v && all_equal(fields, f)
        }
        (Struct { name, fields }, Struct { name: n, fields: f }) => {
            name == n
                && fields.len() == f.len()
                && fields.iter().all(|(k, v)| f.get(k).is_some_and(|w| equal(v, w)))
        }
        // Identity is the sensible equality of the rest.
        (Closure(x), Closure(y)) => Arc::ptr_eq(x, y),
        (Iter(x), Iter(y)) => Arc::ptr_eq(x, y),
        (Generator(x), Generator(y)) => Arc::ptr_eq(x, y),
        _ => false,
    }
}

fn all_equal(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(x, y))
}

/// Membership of a set: `==`, but NaN is equal to itself (spec 02 section 14.4).
pub fn in_set(items: &[Value], x: &Value) -> bool {
    items.iter().any(|item| equal(item, x) || (is_nan(item) && is_nan(x)))
}

/// First occurrences by `==`.
pub fn set_of(items: impl IntoIterator<Item = Value>) -> Value {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !in_set(&kept, &item) {
            kept.push(item);
        }
    }
    Value::Set(Arc::new(kept))
}

fn is_nan(x: &Value) -> bool {
    matches!(x, Value::Float(f) if f.is_nan())
}

/// `<` and its kin: `None` where a NaN is; what has no order is equal (spec 02 section 4.3).
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    use Value::*;
    Some(match (a, b) {
        (Int(x), Int(y)) | (Duration(x), Duration(y)) => x.cmp(y),
        (Int(x), Float(y)) => return (*x as f64).partial_cmp(y),
        (Float(x), Int(y)) => return x.partial_cmp(&(*y as f64)),
        (Float(x), Float(y)) => return x.partial_cmp(y),
        (Str(x), Str(y)) => x.cmp(y),
        (Bool(x), Bool(y)) => x.cmp(y),
        (Pair(x), Pair(y)) => match compare(&x.0, &y.0)? {
            Ordering::Equal => return compare(&x.1, &y.1),
            unequal => unequal,
        },
        (List(x), List(y)) => {
            for (p, q) in x.iter().zip(y.iter()) {
                match compare(p, q)? {
                    Ordering::Equal => {}
                    unequal => return Some(unequal),
                }
            }
            x.len().cmp(&y.len())
        }
        _ => Ordering::Equal,
    })
}

/// The total order of `sort`: numbers (NaN last), then the rest grouped by type name.
pub fn total(a: &Value, b: &Value) -> Ordering {
    use Value::*;
    let rank = |v: &Value| match v {
        Int(_) | Float(_) => "",
        other => other.type_of(),
    };
    match (a, b) {
        (Int(_) | Float(_), Int(_) | Float(_)) => match (is_nan(a), is_nan(b)) {
            (false, false) => compare(a, b).unwrap_or(Ordering::Equal),
            (x, y) => x.cmp(&y),
        },
        (Pair(x), Pair(y)) => total(&x.0, &y.0).then_with(|| total(&x.1, &y.1)),
        (List(x), List(y)) => {
            let first = x.iter().zip(y.iter()).map(|(p, q)| total(p, q)).find(|o| o.is_ne());
            first.unwrap_or_else(|| x.len().cmp(&y.len()))
        }
        _ if rank(a) == rank(b) => compare(a, b).unwrap_or(Ordering::Equal),
        _ => rank(a).cmp(rank(b)),
    }
}

/// The structural key of `unique` and `dedup_by` as equality: same type and same content (spec 02 section 4.2).
pub fn same_key(a: &Value, b: &Value) -> bool {
    use Value::*;
    let all = |x: &[Value], y: &[Value]| x.len() == y.len() && x.iter().zip(y).all(|(p, q)| same_key(p, q));
    match (a, b) {
        (Int(_), Float(_)) | (Float(_), Int(_)) => false,
        (Float(x), Float(y)) => x.to_bits() == y.to_bits(),
        (List(x), List(y)) => all(x, y),
        (Set(x), Set(y)) => x.len() == y.len() && x.iter().all(|p| y.iter().any(|q| same_key(p, q))),
        (Pair(x), Pair(y)) => same_key(&x.0, &y.0) && same_key(&x.1, &y.1),
        (Dict(x), Dict(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| same_key(v, w)))
        }
        (Enum { name, variant, fields }, Enum { name: n, variant: v, fields: f }) => {
            name == n && variant == v && all(fields, f)
        }
        (Struct { name, fields }, Struct { name: n, fields: f }) => {
            name == n
                && fields.len() == f.len()
                && fields.iter().all(|(k, v)| f.get(k).is_some_and(|w| same_key(v, w)))
        }
        _ => equal(a, b),
    }
}
