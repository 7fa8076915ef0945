//! Operators on any values, with their exact errors (spec 02 section 5): the slow side of arithmetic.

use std::cmp::Ordering;

use harn_bytecode::Op;

use crate::error::{ErrorKind, VmError};
use crate::native::Limits;
use crate::value::{Value, View, compare, display, equals};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// A binary operator. `a` is owned, so that text, lists and dicts grow in place when nobody else has them.
pub(crate) fn binary(op: Op, a: Value, b: &Value, limits: &Limits) -> Result<Value> {
    match op {
        Op::Add | Op::AddImm => add(a, b, limits),
        Op::Sub | Op::SubImm => subtract(&a, b),
        Op::Mul | Op::MulImm => multiply(&a, b, limits),
        Op::Div | Op::DivImm => divide(&a, b),
        Op::Rem | Op::RemImm => remainder(&a, b),
        Op::Pow => power(&a, b),
        Op::Eq => Ok(Value::bool(equals(&a, b))),
        Op::Ne => Ok(Value::bool(!equals(&a, b))),
        Op::Lt => Ok(Value::bool(less(&a, b, limits)?)),
        Op::Le => Ok(Value::bool(less_equal(&a, b, limits)?)),
        Op::In => Ok(Value::bool(contains(b, &a))),
        Op::NotIn => Ok(Value::bool(!contains(b, &a))),
        _ => Ok(Value::NIL),
    }
}

/// Two numbers as floats, unless both are ints.
fn floats(a: &Value, b: &Value) -> Option<(f64, f64)> {
    Some((a.as_number()?, b.as_number()?))
}

fn add(mut a: Value, b: &Value, limits: &Limits) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(x.wrapping_add(y)));
    }
    if let Some((x, y)) = floats(&a, b) {
        return Ok(Value::float(x + y));
    }
    match (a.view(), b.view()) {
        (View::Str(x), View::Str(y)) => {
            let (bytes, more) = ((x.len() + y.len()) as u64, y.len() as u64);
            limits.check_longer_text(bytes, if a.is_unique() { more } else { bytes })?;
            a.str_append(b.as_str().unwrap_or(""));
        }
        (View::List(x), View::List(y)) => {
            let (bytes, more) = ((x.len() + y.len()) as u64 * 16, y.len() as u64 * 16);
            limits.check_larger(bytes, if a.is_unique() { more } else { bytes })?;
            if let Some(items) = a.list_mut() {
                items.extend_from_slice(&b.list_cell().items);
            }
        }
        (View::Dict(_), View::Dict(y)) => {
            for (key, value) in y.iter() {
                a.dict_set(key, value.clone());
            }
        }
        (View::Duration(x), View::Duration(y)) => return Ok(Value::duration(x.wrapping_add(y))),
        _ => {
            return Err(VmError::ty(format!("Cannot add {} and {}", a.type_name(), b.type_name())));
        }
    }
    Ok(a)
}

fn subtract(a: &Value, b: &Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(x.wrapping_sub(y)));
    }
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::float(x - y));
    }
    if let (View::Duration(x), View::Duration(y)) = (a.view(), b.view()) {
        return Ok(Value::duration(x.wrapping_sub(y)));
    }
    Err(VmError::ty(format!("Cannot subtract {} from {}", b.type_name(), a.type_name())))
}

fn multiply(a: &Value, b: &Value, limits: &Limits) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(x.wrapping_mul(y)));
    }
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::float(x * y));
    }
    match (a.view(), b.view()) {
        (View::Str(text), View::Int(n)) | (View::Int(n), View::Str(text)) => repeat(text, n, limits),
        (View::Duration(ms), View::Int(n)) | (View::Int(n), View::Duration(ms)) => {
            Ok(Value::duration(ms.wrapping_mul(n)))
        }
        (View::Duration(ms), View::Float(x)) | (View::Float(x), View::Duration(ms)) => {
            Ok(Value::duration((ms as f64 * x) as i64))
        }
        _ => Err(VmError::ty(format!("Cannot multiply {} and {}", a.type_name(), b.type_name()))),
    }
}

/// A text `n` times; a result beyond the limit of a text is an error.
pub(crate) fn repeat(text: &str, n: i64, limits: &Limits) -> Result<Value> {
    if n <= 0 || text.is_empty() {
        return Ok(Value::str(""));
    }
    limits.check_text((text.len() as u64).saturating_mul(n as u64))?;
    Ok(Value::string(text.repeat(n as usize)))
}

fn divide(a: &Value, b: &Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        if y == 0 {
            return Err(VmError::new(ErrorKind::Division));
        }
        return Ok(Value::int(x.wrapping_div(y)));
    }
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::float(x / y));
    }
    match (a.view(), b.view()) {
        (View::Duration(x), View::Duration(y)) => Ok(Value::float(x as f64 / y as f64)),
        (View::Duration(_), View::Int(0)) => Err(VmError::new(ErrorKind::Division)),
        (View::Duration(x), View::Int(n)) => Ok(Value::duration(x.wrapping_div(n))),
        (View::Duration(x), View::Float(y)) => Ok(Value::duration((x as f64 / y) as i64)),
        _ => Err(VmError::runtime(format!("Cannot divide {} by {}", a.type_name(), b.type_name()))),
    }
}

fn remainder(a: &Value, b: &Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        if y == 0 {
            return Err(VmError::new(ErrorKind::Division));
        }
        return Ok(Value::int(x.wrapping_rem(y)));
    }
    if let Some((x, y)) = floats(a, b) {
        if y == 0.0 {
            return Err(VmError::new(ErrorKind::Division));
        }
        return Ok(Value::float(x % y));
    }
    Err(VmError::runtime(format!("Cannot modulo {} by {}", a.type_name(), b.type_name())))
}

fn power(a: &Value, b: &Value) -> Result<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(match u32::try_from(y) {
            Ok(exponent) => Value::int(x.wrapping_pow(exponent)),
            Err(_) => Value::float((x as f64).powf(y as f64)),
        });
    }
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::float(x.powf(y)));
    }
    Err(VmError::ty(format!("Cannot exponentiate {} by {}", a.type_name(), b.type_name())))
}

/// Unary minus.
pub(crate) fn negate(a: &Value) -> Result<Value> {
    match a.view() {
        View::Int(n) => Ok(Value::int(n.wrapping_neg())),
        View::Float(x) => Ok(Value::float(-x)),
        View::Duration(ms) => Ok(Value::duration(ms.wrapping_neg())),
        _ => Err(VmError::runtime(format!("Cannot negate value of type {}", a.type_name()))),
    }
}

fn comparable(a: &Value, b: &Value, limits: &Limits) -> Result<()> {
    if limits.strict && a.type_name() != b.type_name() && floats(a, b).is_none() {
        return Err(VmError::ty(format!("Cannot compare {} and {}", a.type_name(), b.type_name())));
    }
    Ok(())
}

/// `a < b`.
pub(crate) fn less(a: &Value, b: &Value, limits: &Limits) -> Result<bool> {
    comparable(a, b, limits)?;
    Ok(compare(a, b) == Some(Ordering::Less))
}

/// `a <= b`.
pub(crate) fn less_equal(a: &Value, b: &Value, limits: &Limits) -> Result<bool> {
    comparable(a, b, limits)?;
    Ok(compare(a, b).is_some_and(|order| order != Ordering::Greater))
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> bool {
    match container.view() {
        View::List(_) => container.list_cell().items.iter().any(|x| equals(x, item)),
        View::Set(set) => set.has(item),
        View::Dict(dict) => match item.as_str() {
            Some(key) => dict.has(key),
            None => dict.has(&display(item)),
        },
        View::Str(text) => match item.as_str() {
            Some(piece) => text.contains(piece),
            None => text.contains(&display(item)),
        },
        View::Range { start, end, exclusive } => {
            item.as_int().is_some_and(|n| n >= start && if exclusive { n < end } else { n <= end })
        }
        _ => false,
    }
}
