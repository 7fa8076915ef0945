//! Properties, subscripts, slices, and storing into values (spec 02 sections 6, 7.4, 7.5).

use harn_bytecode::PathStep;

use crate::error::VmError;
use crate::value::{Value, View, display};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// `x.name`.
pub(crate) fn property(x: &Value, name: &str) -> Result<Value> {
    Ok(match x.view() {
        View::Dict(_) | View::Struct(_) => x.entry(name).cloned().unwrap_or_default(),
        View::List(list) => match name {
            "count" => Value::int(list.len() as i64),
            "empty" => Value::bool(list.is_empty()),
            "first" => list.get(0).unwrap_or_default(),
            "last" => list.len().checked_sub(1).and_then(|i| list.get(i)).unwrap_or_default(),
            _ => Value::NIL,
        },
        View::Str(text) => match name {
            "count" => Value::int(text.chars().count() as i64),
            "empty" => Value::bool(text.is_empty()),
            _ => Value::NIL,
        },
        View::Set(set) if name == "count" => Value::int(set.len() as i64),
        View::Set(set) if name == "empty" => Value::bool(set.is_empty()),
        View::Range { .. } if name == "count" => Value::int(range_count(x)),
        View::Range { .. } if name == "empty" => Value::bool(range_count(x) == 0),
        View::Enum(e) => match name {
            "variant" => Value::str(e.variant()),
            "fields" => Value::list(e.fields().to_vec()),
            _ => Value::NIL,
        },
        View::Pair(first, second) => match name {
            "first" => first.clone(),
            "second" => second.clone(),
            _ => {
                return Err(VmError::ty(format!(
                    "cannot access property `{name}` on pair (expected `first` or `second`)"
                )));
            }
        },
        _ => {
            return Err(VmError::ty(format!("cannot access property `{name}` on {}", x.type_name())));
        }
    })
}

fn range_count(x: &Value) -> i64 {
    x.range_cell().len().min(i64::MAX as u64) as i64
}

/// `x?.name`: nil where `x.name` is an error.
pub(crate) fn property_opt(x: &Value, name: &str) -> Value {
    property(x, name).unwrap_or_default()
}

/// The position that an index means in a sequence of `len`, counting from the end when negative.
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { index.checked_add_unsigned(len as u64)? } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// `x[i]`.
pub(crate) fn subscript(x: &Value, i: &Value) -> Result<Value> {
    match (x.view(), i.view()) {
        (View::List(list), View::Int(n)) => {
            Ok(position(n, list.len()).and_then(|at| list.get(at)).unwrap_or_default())
        }
        (View::Str(text), View::Int(n)) => Ok(char_at(text, n)),
        (View::Dict(_), View::Str(_)) => Ok(x.entry_of(i).cloned().unwrap_or_default()),
        (View::Dict(_), _) => Ok(x.entry(&display(i)).cloned().unwrap_or_default()),
        (View::Range { start, .. }, View::Int(n)) => {
            let len = x.range_cell().len();
            let at = if n < 0 { i128::from(n) + i128::from(len) } else { i128::from(n) };
            if at < 0 || at >= i128::from(len) {
                return Err(VmError::runtime(format!(
                    "range index out of range: index {n} for range of length {len}"
                )));
            }
            Ok(Value::int(start.wrapping_add(at as i64)))
        }
        _ => Err(VmError::ty(format!("cannot index into {} with {}", x.type_name(), i.type_name()))),
    }
}

fn char_at(text: &str, n: i64) -> Value {
    let found = if text.is_ascii() {
        position(n, text.len()).and_then(|at| text.get(at..at + 1))
    } else {
        let len = text.chars().count();
        position(n, len).and_then(|at| {
            let (start, c) = text.char_indices().nth(at)?;
            text.get(start..start + c.len_utf8())
        })
    };
    found.map_or(Value::NIL, Value::str)
}

/// `x[start : end]`.
pub(crate) fn slice(x: &Value, start: &Value, end: &Value) -> Result<Value> {
    let len = match x.view() {
        View::List(list) => list.len(),
        View::Str(text) => text.chars().count(),
        View::Bytes(bytes) => bytes.len(),
        View::Range { .. } => usize::try_from(x.range_cell().len()).unwrap_or(usize::MAX),
        _ => return Err(VmError::ty(format!("cannot slice {}", x.type_name()))),
    };
    let bound = |value: &Value, open: usize, which: &str| match value.view() {
        View::Nil => Ok(open),
        View::Int(n) if n < 0 => Ok(usize::try_from(n.saturating_add_unsigned(len as u64)).unwrap_or(0)),
        View::Int(n) => Ok(usize::try_from(n).unwrap_or(usize::MAX).min(len)),
        _ => Err(VmError::ty(format!("slice {which} must be an integer, got {}", value.type_name()))),
    };
    let from = bound(start, 0, "start")?;
    let to = bound(end, len, "end")?.max(from);
    Ok(match x.view() {
        View::List(_) => Value::list(x.list_cell().items.get(from..to).unwrap_or(&[]).to_vec()),
        View::Str(text) if text.is_ascii() => Value::str(text.get(from..to).unwrap_or("")),
        View::Str(text) => Value::string(text.chars().skip(from).take(to - from).collect()),
        View::Bytes(bytes) => Value::bytes(bytes.get(from..to).unwrap_or(&[]).to_vec()),
        View::Range { start, .. } => {
            let at = |offset: usize| start.wrapping_add(offset as i64);
            Value::range(at(from), at(to), true)
        }
        _ => Value::NIL,
    })
}

/// `x.name = value`.
pub(crate) fn set_property(x: &mut Value, name: &str, value: Value) -> Result<()> {
    if !x.is_dict() && !x.is_struct() {
        return Err(VmError::ty(format!("cannot set property `{name}` on {}", x.type_name())));
    }
    x.dict_set(name, value);
    Ok(())
}

/// `x[i] = value`.
pub(crate) fn set_subscript(x: &mut Value, i: &Value, value: Value) -> Result<()> {
    if x.is_dict() {
        match i.as_str() {
            Some(_) => x.dict_set_value(i, value),
            None => x.dict_set(&display(i), value),
        }
        return Ok(());
    }
    let len = match x.view() {
        View::List(list) => list.len(),
        _ => return Err(VmError::ty(format!("cannot assign index on {}", x.type_name()))),
    };
    let Some(n) = i.as_int() else {
        return Err(VmError::ty(format!("cannot index into list with {}", i.type_name())));
    };
    match (position(n, len), x.list_mut()) {
        (Some(at), Some(items)) => {
            if let Some(slot) = items.get_mut(at) {
                *slot = value;
            }
            Ok(())
        }
        _ => Err(VmError::runtime(format!("Index {n} out of bounds for list of length {len}"))),
    }
}

/// Stores `value` along a path into `root`. Nothing is changed when it fails: making a level unique on the way down
/// changes no content.
pub(crate) fn set_path(root: &mut Value, steps: &[PathStep], keys: &[Value], value: Value) -> Result<()> {
    let mut keys = keys.iter();
    let mut at = root;
    let Some((last, before)) = steps.split_last() else { return Ok(()) };
    for step in before {
        let found = match step {
            PathStep::Field(name) => {
                if !at.is_dict() && !at.is_struct() {
                    return Err(VmError::ty(format!("cannot set property `{name}` on {}", at.type_name())));
                }
                at.entry_mut(name)
            }
            PathStep::Index => {
                let key = keys.next().cloned().unwrap_or_default();
                inner_by_index(at, &key)?
            }
        };
        match found {
            Some(inner) => at = inner,
            None => {
                // The level below does not exist: the next step names the error.
                let mut nothing = Value::NIL;
                return set_last(&mut nothing, before_error(steps, step), &Value::NIL, value);
            }
        }
    }
    let key = match last {
        PathStep::Index => keys.next().cloned().unwrap_or_default(),
        PathStep::Field(_) => Value::NIL,
    };
    set_last(at, last, &key, value)
}

/// The step after `step`.
fn before_error<'a>(steps: &'a [PathStep], step: &PathStep) -> &'a PathStep {
    let at = steps.iter().position(|s| std::ptr::eq(s, step)).unwrap_or(0);
    steps.get(at + 1).unwrap_or(&PathStep::Index)
}

fn set_last(at: &mut Value, step: &PathStep, key: &Value, value: Value) -> Result<()> {
    match step {
        PathStep::Field(name) => set_property(at, name, value),
        PathStep::Index => set_subscript(at, key, value),
    }
}

fn inner_by_index<'a>(at: &'a mut Value, key: &Value) -> Result<Option<&'a mut Value>> {
    if at.is_dict() {
        return Ok(at.entry_mut(&display(key)));
    }
    let len = match at.view() {
        View::List(list) => list.len(),
        _ => return Err(VmError::ty(format!("cannot assign index on {}", at.type_name()))),
    };
    let Some(n) = key.as_int() else {
        return Err(VmError::ty(format!("cannot index into list with {}", key.type_name())));
    };
    match position(n, len) {
        Some(slot) => Ok(at.list_mut().and_then(|items| items.get_mut(slot))),
        None => Err(VmError::runtime(format!("Index {n} out of bounds for list of length {len}"))),
    }
}

/// The parts of an item for a `for (x, y)` pattern.
pub(crate) fn unpair(item: &Value) -> Result<(Value, Value)> {
    match item.view() {
        View::List(list) if list.len() == 2 => {
            Ok((list.get(0).unwrap_or_default(), list.get(1).unwrap_or_default()))
        }
        View::List(list) => Ok((list.get(0).unwrap_or_default(), Value::NIL)),
        View::Dict(dict) if dict.len() == 2 && dict.has("key") && dict.has("value") => {
            Ok((dict.get("key").unwrap_or_default(), dict.get("value").unwrap_or_default()))
        }
        _ => Ok((property(item, "first")?, property(item, "second")?)),
    }
}

/// The error of a destructuring pattern that needs another type.
pub(crate) fn cannot_destructure(value: &Value, pattern: &str, expected: &str) -> Box<VmError> {
    VmError::ty(format!(
        "cannot destructure {} with {pattern} pattern — expected {expected}",
        value.type_name()
    ))
}
