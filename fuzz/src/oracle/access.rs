//! Reading parts of values and storing into copies of them (spec 02 sections 6 and 7.4).

use std::sync::Arc;

use super::value::Value;
use super::{Flow, runtime_error, type_error};

/// `x[i]`.
pub fn index(x: &Value, i: &Value) -> Result<Value, Flow> {
    Ok(match (x, i) {
        (Value::List(items), Value::Int(i)) => at(items, *i).cloned().unwrap_or(Value::Nil),
        (Value::Str(text), Value::Int(i)) => {
            let chars: Vec<char> = text.chars().collect();
            at(&chars, *i).map_or(Value::Nil, |c| Value::str(c.to_string()))
        }
        (Value::Dict(entries), key) => entries.get(&key.display()).cloned().unwrap_or(Value::Nil),
        (Value::Range { start, end, exclusive }, Value::Int(i)) => {
            let length = range_length(*start, *end, *exclusive);
            let place = if *i < 0 { i128::from(*i) + length } else { i128::from(*i) };
            if place < 0 || place >= length {
                return Err(runtime_error(format!(
                    "range index out of range: index {i} for range of length {length}"
                )));
            }
            Value::Int((i128::from(*start) + place) as i64)
        }
        _ => return Err(type_error(format!("cannot index into {} with {}", x.type_of(), i.type_of()))),
    })
}

pub fn range_length(start: i64, end: i64, exclusive: bool) -> i128 {
    (i128::from(end) - i128::from(start) + i128::from(!exclusive)).max(0)
}

/// The element at an index that may count from the end.
fn at<T>(items: &[T], i: i64) -> Option<&T> {
    let place = if i < 0 { i.checked_add(items.len() as i64)? } else { i };
    items.get(usize::try_from(place).ok()?)
}

/// `x[a:b]`.
pub fn slice(x: &Value, a: &Value, b: &Value) -> Result<Value, Flow> {
    let length = match x {
        Value::List(items) => items.len(),
        Value::Str(text) => text.chars().count(),
        Value::Range { .. } => return Err(Flow::Unsure),
        _ => return Err(type_error(format!("cannot slice {}", x.type_of()))),
    };
    let bound = |v: &Value, which: &str, open: usize| match v {
        Value::Nil => Ok(open),
        Value::Int(i) => Ok(clamped(*i, length)),
        _ => Err(type_error(format!("slice {which} must be an integer, got {}", v.type_of()))),
    };
    let start = bound(a, "start", 0)?;
    let end = bound(b, "end", length)?;
    Ok(part(x, start, end))
}

/// A bound that may count from the end, within the length.
pub fn clamped(i: i64, length: usize) -> usize {
    let place = if i < 0 { i.saturating_add(length as i64) } else { i };
    usize::try_from(place.max(0)).unwrap_or(usize::MAX).min(length)
}

/// A stretch of a list or text.
pub fn part(x: &Value, start: usize, end: usize) -> Value {
    let count = end.saturating_sub(start);
    match x {
        Value::List(items) => Value::list(items.iter().skip(start).take(count).cloned().collect()),
        Value::Str(text) => Value::str(text.chars().skip(start).take(count).collect::<String>()),
        _ => Value::Nil,
    }
}

/// `x.name`.
pub fn property(x: &Value, name: &str) -> Result<Value, Flow> {
    let refused = || type_error(format!("cannot access property `{name}` on {}", x.type_of()));
    Ok(match x {
        Value::Dict(entries) | Value::Struct { fields: entries, .. } => {
            entries.get(name).cloned().unwrap_or(Value::Nil)
        }
        Value::List(items) => match name {
            "count" => Value::Int(items.len() as i64),
            "empty" => Value::Bool(items.is_empty()),
            "first" => items.first().cloned().unwrap_or(Value::Nil),
            "last" => items.last().cloned().unwrap_or(Value::Nil),
            _ => Value::Nil,
        },
        Value::Str(text) => match name {
            "count" => Value::Int(text.chars().count() as i64),
            "empty" => Value::Bool(text.is_empty()),
            _ => Value::Nil,
        },
        Value::Enum { variant, fields, .. } => match name {
            "variant" => Value::Str(variant.clone()),
            "fields" => Value::List(fields.clone()),
            _ => Value::Nil,
        },
        Value::Pair(pair) => match name {
            "first" => pair.0.clone(),
            "second" => pair.1.clone(),
            _ => {
                return Err(type_error(format!(
                    "cannot access property `{name}` on pair (expected `first` or `second`)"
                )));
            }
        },
        Value::Set(items) => match name {
            "count" => Value::Int(items.len() as i64),
            "empty" => Value::Bool(items.is_empty()),
            _ => return Err(refused()),
        },
        Value::Range { start, end, exclusive } => match name {
            "count" => Value::Int(range_length(*start, *end, *exclusive).min(i128::from(i64::MAX)) as i64),
            "empty" => Value::Bool(range_length(*start, *end, *exclusive) == 0),
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    })
}

/// A step from a value to a part of it.
pub enum Step {
    Field(String),
    Index(Value),
}

impl Step {
    pub fn read(&self, x: &Value) -> Result<Value, Flow> {
        match self {
            Step::Field(name) => property(x, name),
            Step::Index(i) => index(x, i),
        }
    }
}

/// A copy of `x` in which the part at the end of `path` is `value`.
pub fn stored(x: &Value, path: &[Step], value: Value) -> Result<Value, Flow> {
    let Some((step, rest)) = path.split_first() else { return Ok(value) };
    let inner = match rest.is_empty() {
        true => value,
        false => {
            // What cannot be stored into is told as such, not as what cannot be read.
            match step {
                Step::Field(name) => set_field(x, name, Value::Nil)?,
                Step::Index(i) => set_index(x, i, Value::Nil)?,
            };
            stored(&step.read(x)?, rest, value)?
        }
    };
    match step {
        Step::Field(name) => set_field(x, name, inner),
        Step::Index(i) => set_index(x, i, inner),
    }
}

fn set_field(x: &Value, name: &str, value: Value) -> Result<Value, Flow> {
    match x {
        Value::Dict(entries) => {
            let mut entries = (**entries).clone();
            entries.insert(name.to_owned(), value);
            Ok(Value::Dict(Arc::new(entries)))
        }
        Value::Struct { name: of, fields } => {
            let mut fields = (**fields).clone();
            fields.insert(name.to_owned(), value);
            Ok(Value::Struct { name: of.clone(), fields: Arc::new(fields) })
        }
        _ => Err(type_error(format!("cannot set property `{name}` on {}", x.type_of()))),
    }
}

fn set_index(x: &Value, i: &Value, value: Value) -> Result<Value, Flow> {
    match (x, i) {
        (Value::Dict(_), key) => set_field(x, &key.display(), value),
        (Value::List(items), Value::Int(i)) => {
            let place = if *i < 0 { i.saturating_add(items.len() as i64) } else { *i };
            let mut items = (**items).clone();
            let length = items.len();
            match usize::try_from(place).ok().and_then(|place| items.get_mut(place)) {
                Some(slot) => *slot = value,
                None => {
                    return Err(runtime_error(format!(
                        "Index {i} out of bounds for list of length {length}"
                    )));
                }
            }
            Ok(Value::list(items))
        }
        // The chapter does not word this one.
        (Value::List(_), _) => Err(Flow::Unsure),
        _ => Err(type_error(format!("cannot assign index on {}", x.type_of()))),
    }
}
