//! Evaluation of queries (spec 05 section 5.4).

use harn_vm::{Value, View, compare, equals};

use super::query::{Comparison, Literal, Query};
use crate::arguments::{count, entry};
use crate::text::chars;

/// All results of a query.
pub fn run(query: &Query, input: &Value) -> Vec<Value> {
    match query {
        Query::Identity => vec![input.clone()],
        Query::Descend => {
            let mut out = Vec::new();
            descend(input, &mut out);
            out
        }
        Query::Pipe(first, then) => run(first, input).iter().flat_map(|v| run(then, v)).collect(),
        Query::Both(a, b) => run(a, input).into_iter().chain(run(b, input)).collect(),
        Query::And(a, b) => vec![Value::bool(first(a, input).truthy() && first(b, input).truthy())],
        Query::Or(a, b) => vec![Value::bool(first(a, input).truthy() || first(b, input).truthy())],
        Query::Not(a) => vec![Value::bool(!first(a, input).truthy())],
        Query::Compare(op, a, b) => vec![Value::bool(holds(*op, &first(a, input), &first(b, input)))],
        Query::Field(base, name) => each(base, input, |v| entry(v, name).unwrap_or_default()),
        Query::Index(base, at) => each(base, input, |v| item(v, *at)),
        Query::Slice(base, start, end) => each(base, input, |v| slice(v, *start, *end)),
        Query::Each(base) => run(base, input).iter().flat_map(children).collect(),
        Query::Object(fields) => {
            vec![Value::dict(fields.iter().map(|(name, value)| (name.as_str(), first(value, input))))]
        }
        Query::Literal(literal) => vec![constant(literal)],
        Query::Length => vec![length(input)],
        Query::Keys => match input.view() {
            View::Dict(dict) => vec![Value::list(dict.iter().map(|(k, _)| Value::str(k)).collect())],
            View::List(list) => vec![Value::list((0..list.len()).map(count).collect())],
            _ => vec![Value::list(Vec::new())],
        },
        Query::Values => vec![Value::list(children(input))],
        Query::Type => vec![Value::str(type_name(input))],
        Query::Map(inner) => match input.view() {
            View::List(list) => vec![Value::list(list.iter().flat_map(|v| run(inner, &v)).collect())],
            _ => vec![Value::list(Vec::new())],
        },
        Query::Select(inner) => match first(inner, input).truthy() {
            true => vec![input.clone()],
            false => Vec::new(),
        },
    }
}

fn first(query: &Query, input: &Value) -> Value {
    run(query, input).into_iter().next().unwrap_or_default()
}

fn each(base: &Query, input: &Value, step: impl Fn(&Value) -> Value) -> Vec<Value> {
    run(base, input).iter().map(step).collect()
}

fn constant(literal: &Literal) -> Value {
    match literal {
        Literal::Nil => Value::NIL,
        Literal::Bool(b) => Value::bool(*b),
        Literal::Int(n) => Value::int(*n),
        Literal::Float(x) => Value::float(*x),
        Literal::Text(text) => Value::str(text),
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value.view() {
        View::List(list) => list.iter().collect(),
        View::Set(set) => set.iter().cloned().collect(),
        View::Dict(dict) => dict.iter().map(|(_, v)| v.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The value and all its descendants, depth first, without recursion.
fn descend(value: &Value, out: &mut Vec<Value>) {
    let mut pending = vec![value.clone()];
    while let Some(next) = pending.pop() {
        pending.extend(children(&next).into_iter().rev());
        out.push(next);
    }
}

fn from_end(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    usize::try_from(if at < 0 { len.saturating_add(at) } else { at }).ok()
}

fn item(value: &Value, at: i64) -> Value {
    match value.view() {
        View::List(list) => from_end(at, list.len()).and_then(|i| list.get(i)).unwrap_or_default(),
        _ => Value::NIL,
    }
}

fn slice(value: &Value, start: Option<i64>, end: Option<i64>) -> Value {
    let bounds = |len: usize| {
        let at = |i: Option<i64>, default| i.map_or(default, |i| from_end(i, len).unwrap_or(0).min(len));
        (at(start, 0), at(end, len))
    };
    match value.view() {
        View::List(list) => {
            let (start, end) = bounds(list.len());
            Value::list(list.iter().take(end).skip(start).collect())
        }
        View::Str(text) => {
            let (start, end) = bounds(chars::count(text));
            Value::str(chars::slice(text, start, end))
        }
        _ => Value::NIL,
    }
}

fn holds(op: Comparison, a: &Value, b: &Value) -> bool {
    let both = |kind: fn(&Value) -> bool| kind(a) && kind(b);
    let ordered = both(|v| v.as_number().is_some()) || both(|v| v.as_str().is_some());
    match op {
        Comparison::Equal => equals(a, b),
        Comparison::Unequal => !equals(a, b),
        Comparison::Less => ordered && compare(a, b).is_some_and(|o| o.is_lt()),
        Comparison::Greater => ordered && compare(a, b).is_some_and(|o| o.is_gt()),
    }
}

fn length(value: &Value) -> Value {
    match value.view() {
        View::Nil => Value::int(0),
        View::Str(text) => count(chars::count(text)),
        View::List(list) => count(list.len()),
        View::Set(set) => count(set.len()),
        View::Dict(dict) => count(dict.len()),
        _ => Value::int(1),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value.view() {
        View::Nil => "null",
        View::Bool(_) => "boolean",
        View::Int(_) | View::Float(_) => "number",
        View::Str(_) => "string",
        View::List(_) | View::Set(_) => "array",
        _ => "object",
    }
}
