//! Operators (spec 02 section 5).

use std::cmp::Ordering;
use std::sync::Arc;

use harn_syntax::ast::{BinaryOp, UnaryOp};

use super::compare::{compare, equal, in_set};
use super::value::Value;
use super::{Flow, runtime_error, thrown, type_error};

/// Operators whose two operands are always evaluated.
pub fn binary(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, Flow> {
    let holds = |wanted: &[Ordering]| Ok(Value::Bool(compare(a, b).is_some_and(|o| wanted.contains(&o))));
    match op {
        BinaryOp::Eq => Ok(Value::Bool(equal(a, b))),
        BinaryOp::Ne => Ok(Value::Bool(!equal(a, b))),
        BinaryOp::Lt => holds(&[Ordering::Less]),
        BinaryOp::Gt => holds(&[Ordering::Greater]),
        BinaryOp::Le => holds(&[Ordering::Less, Ordering::Equal]),
        BinaryOp::Ge => holds(&[Ordering::Greater, Ordering::Equal]),
        BinaryOp::In => Ok(Value::Bool(member(a, b))),
        BinaryOp::NotIn => Ok(Value::Bool(!member(a, b))),
        BinaryOp::Add => add(a, b),
        BinaryOp::Sub => subtract(a, b),
        BinaryOp::Mul => multiply(a, b),
        BinaryOp::Div => divide(a, b),
        BinaryOp::Rem => remainder(a, b),
        BinaryOp::Pow => power(a, b),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => unreachable!("these are short-circuiting"),
    }
}

pub fn unary(op: UnaryOp, a: &Value) -> Result<Value, Flow> {
    match (op, a) {
        (UnaryOp::Not, _) => Ok(Value::Bool(!a.truthy())),
        (UnaryOp::Neg, Value::Int(i)) => Ok(Value::Int(i.wrapping_neg())),
        (UnaryOp::Neg, Value::Float(f)) => Ok(Value::Float(-f)),
        (UnaryOp::Neg, Value::Duration(d)) => Ok(Value::Duration(d.wrapping_neg())),
        (UnaryOp::Neg, _) => Err(runtime_error(format!("Cannot negate value of type {}", a.type_of()))),
    }
}

/// Both operands as floats, when one of them is.
fn floats(a: &Value, b: &Value) -> Option<(f64, f64)> {
    match (a, b) {
        (Value::Float(x), Value::Float(y)) => Some((*x, *y)),
        (Value::Float(x), Value::Int(y)) => Some((*x, *y as f64)),
        (Value::Int(x), Value::Float(y)) => Some((*x as f64, *y)),
        _ => None,
    }
}

fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

fn add(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::Float(x + y));
    }
    if size(a).saturating_add(size(b)) > LARGE {
        return Err(Flow::Unsure);
    }
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.wrapping_add(*y)),
        (Value::Duration(x), Value::Duration(y)) => Value::Duration(x.wrapping_add(*y)),
        (Value::Str(x), Value::Str(y)) => Value::str(format!("{x}{y}")),
        (Value::List(x), Value::List(y)) => Value::list(x.iter().chain(y.iter()).cloned().collect()),
        (Value::Dict(x), Value::Dict(y)) => {
            Value::dict(x.iter().chain(y.iter()).map(|(k, v)| (k.clone(), v.clone())))
        }
        _ => return Err(type_error(format!("Cannot add {} and {}", a.type_of(), b.type_of()))),
    })
}

fn subtract(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::Float(x - y));
    }
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.wrapping_sub(*y)),
        (Value::Duration(x), Value::Duration(y)) => Value::Duration(x.wrapping_sub(*y)),
        _ => return Err(type_error(format!("Cannot subtract {} from {}", b.type_of(), a.type_of()))),
    })
}

fn multiply(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::Float(x * y));
    }
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.wrapping_mul(*y)),
        (Value::Str(text), Value::Int(n)) | (Value::Int(n), Value::Str(text)) => repeat(text, *n)?,
        (Value::Duration(x), Value::Int(n)) | (Value::Int(n), Value::Duration(x)) => {
            Value::Duration(x.wrapping_mul(*n))
        }
        (Value::Duration(x), Value::Float(n)) | (Value::Float(n), Value::Duration(x)) => {
            Value::Duration((*x as f64 * n) as i64)
        }
        _ => return Err(type_error(format!("Cannot multiply {} and {}", a.type_of(), b.type_of()))),
    })
}

/// Longest text or list that the oracle puts together: programs are not meant to come near.
pub const LARGE: usize = 1 << 20;

/// Bytes of a text, items of a list.
pub fn size(x: &Value) -> usize {
    match x {
        Value::Str(text) => text.len(),
        Value::List(items) => items.len(),
        _ => 0,
    }
}

pub fn repeat(text: &Arc<str>, n: i64) -> Result<Value, Flow> {
    let count = usize::try_from(n).unwrap_or(if n < 0 { 0 } else { usize::MAX });
    match text.len().checked_mul(count) {
        Some(length) if length <= LARGE => Ok(Value::str(text.repeat(count))),
        _ => Err(Flow::Unsure),
    }
}

fn divide(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::Float(x / y));
    }
    match (a, b) {
        (Value::Int(_), Value::Int(0)) => Err(thrown("Division by zero")),
        (Value::Int(x), Value::Int(y)) => Ok(Value::Int(x.wrapping_div(*y))),
        (Value::Duration(x), Value::Duration(y)) => Ok(Value::Float(*x as f64 / *y as f64)),
        (Value::Duration(x), n) if number(n).is_some() => duration_by(*x, n),
        _ => Err(runtime_error(format!("Cannot divide {} by {}", a.type_of(), b.type_of()))),
    }
}

/// The chapter does not say how a duration is rounded: programs keep to divisors that divide.
fn duration_by(x: i64, n: &Value) -> Result<Value, Flow> {
    match n {
        Value::Int(n) if *n != 0 && x % n == 0 => Ok(Value::Duration(x / n)),
        _ => Err(Flow::Unsure),
    }
}

fn remainder(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        if y == 0.0 {
            return Err(thrown("Division by zero"));
        }
        return Ok(Value::Float(x % y));
    }
    match (a, b) {
        (Value::Int(_), Value::Int(0)) => Err(thrown("Division by zero")),
        (Value::Int(x), Value::Int(y)) => Ok(Value::Int(x.wrapping_rem(*y))),
        _ => Err(runtime_error(format!("Cannot modulo {} by {}", a.type_of(), b.type_of()))),
    }
}

fn power(a: &Value, b: &Value) -> Result<Value, Flow> {
    if let Some((x, y)) = floats(a, b) {
        return Ok(Value::Float(x.powf(y)));
    }
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => Ok(match u32::try_from(*y) {
            Ok(exponent) => Value::Int(x.wrapping_pow(exponent)),
            Err(_) => Value::Float((*x as f64).powf(*y as f64)),
        }),
        _ => Err(type_error(format!("Cannot exponentiate {} by {}", a.type_of(), b.type_of()))),
    }
}

/// `x in c`.
fn member(x: &Value, c: &Value) -> bool {
    match c {
        Value::List(items) => items.iter().any(|item| equal(item, x)),
        Value::Set(items) => in_set(items, x),
        Value::Dict(entries) => entries.contains_key(&x.display()),
        Value::Str(text) => text.contains(x.display().as_str()),
        Value::Range { start, end, exclusive } => match x {
            Value::Int(i) => start <= i && (i < end || (i == end && !exclusive)),
            _ => false,
        },
        _ => false,
    }
}
