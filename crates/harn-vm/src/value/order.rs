//! Ordering (spec 02 section 4.3).

use std::cmp::Ordering;

use super::{Value, View, tag};

/// `a <=> b` as `<`, `<=`, `>`, `>=` see it: `None` when NaN takes part (all four are false then). Values of different
/// types (int with float excepted) and types without an order compare equal.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    compare_with(a, b, |x, y| x.partial_cmp(&y))
}

fn compare_with(a: &Value, b: &Value, numbers: impl Fn(f64, f64) -> Option<Ordering>) -> Option<Ordering> {
    // A stack of lists being compared, so that nesting does not use the Rust stack.
    let mut work: Vec<(&[Value], &[Value])> = Vec::new();
    let mut current = Some((a, b));
    loop {
        if let Some((a, b)) = current.take() {
            let found = match (a.view(), b.view()) {
                (View::Int(x), View::Int(y)) => x.cmp(&y),
                (View::Int(x), View::Float(y)) => numbers(x as f64, y)?,
                (View::Float(x), View::Int(y)) => numbers(x, y as f64)?,
                (View::Float(x), View::Float(y)) => numbers(x, y)?,
                (View::Str(x), View::Str(y)) => x.cmp(y),
                (View::Bool(x), View::Bool(y)) => x.cmp(&y),
                (View::Duration(x), View::Duration(y)) => x.cmp(&y),
                (View::List(_), View::List(_)) => {
                    work.push((&a.list_cell().items, &b.list_cell().items));
                    Ordering::Equal
                }
                (View::Pair(..), View::Pair(..)) => {
                    work.push((a.slots_cell().values(), b.slots_cell().values()));
                    Ordering::Equal
                }
                _ => Ordering::Equal,
            };
            if found != Ordering::Equal {
                return Some(found);
            }
        } else {
            let Some((x, y)) = work.last_mut() else { return Some(Ordering::Equal) };
            match (x.split_first(), y.split_first()) {
                (Some((a, left)), Some((b, right))) => {
                    (*x, *y) = (left, right);
                    current = Some((a, b));
                }
                (None, None) => {
                    work.pop();
                }
                (None, Some(_)) => return Some(Ordering::Less),
                (Some(_), None) => return Some(Ordering::Greater),
            }
        }
    }
}

/// The total order of `sort`, `min`, `max`: numbers first (NaN last among them), then the rest grouped by type name,
/// each group in the order of [`compare`].
pub fn sort_order(a: &Value, b: &Value) -> Ordering {
    let number = |v: &Value| matches!(v.tag(), tag::INT | tag::FLOAT);
    let nan_last = |x: f64, y: f64| Some(x.partial_cmp(&y).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan())));
    match (number(a), number(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) if a.type_name() != b.type_name() => a.type_name().cmp(b.type_name()),
        _ => compare_with(a, b, nan_last).unwrap_or(Ordering::Equal),
    }
}
