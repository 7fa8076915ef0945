//! What bodies share: arguments read by the rules of spec 00 section 3 ("Calling builtins"), results and errors made.

use std::borrow::Cow;

use harn_effect::{Data, Op, Request};
use harn_vm::{Flow, NativeFn, NativeResult, ThenFn, Value, VmError, display};

/// A row of a domain: the builtin's name, or `type.method`, and its body.
pub type Body = (&'static str, NativeFn);

const NIL: &Value = &Value::NIL;

/// The argument at `i`, nil when it is missing.
pub fn get(args: &[Value], i: usize) -> &Value {
    args.get(i).unwrap_or(NIL)
}

/// Moves the argument at `i` out, nil when it is missing.
pub fn take(args: &mut [Value], i: usize) -> Value {
    args.get_mut(i).map(std::mem::take).unwrap_or_default()
}

/// The display text of the argument at `i`; `""` when it is missing.
pub fn text(args: &[Value], i: usize) -> Cow<'_, str> {
    args.get(i).map_or(Cow::Borrowed(""), text_of)
}

/// The display text of the argument at `i`; `None` when it is missing or nil.
pub fn given_text(args: &[Value], i: usize) -> Option<Cow<'_, str>> {
    args.get(i).filter(|v| !v.is_nil()).map(text_of)
}

/// The display text of a value, without a copy for strings.
pub fn text_of(value: &Value) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(display(value)),
    }
}

/// The int at `i`; `None` for anything else.
pub fn int(args: &[Value], i: usize) -> Option<i64> {
    args.get(i).and_then(Value::as_int)
}

/// The number at `i` as a float; `None` for anything else.
pub fn number(args: &[Value], i: usize) -> Option<f64> {
    args.get(i).and_then(Value::as_number)
}

/// The entry `key` of a dict; `None` when it is absent or `value` is no dict.
pub fn entry(value: &Value, key: &str) -> Option<Value> {
    match value.view() {
        harn_vm::View::Dict(dict) => dict.get(key),
        _ => None,
    }
}

/// A length as an int.
pub fn count(n: usize) -> Value {
    Value::int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A plain result.
pub fn done(value: impl Into<Value>) -> NativeResult {
    Ok(Flow::Value(value.into()))
}

/// A result that may be an error which the program catches as this string.
pub fn done_or_thrown(result: Result<impl Into<Value>, impl Into<String>>) -> NativeResult {
    match result {
        Ok(value) => done(value),
        Err(text) => thrown(text),
    }
}

/// Throws a string.
pub fn thrown(text: impl Into<String>) -> NativeResult {
    Err(VmError::thrown_str(&text.into()))
}

/// Raises `Runtime error: TEXT`.
pub fn runtime_error(text: impl Into<String>) -> NativeResult {
    Err(VmError::runtime(text))
}

/// Raises `Type error: TEXT`.
pub fn type_error(text: impl Into<String>) -> NativeResult {
    Err(VmError::ty(text))
}

/// Asks for an effect; its outcome is the result, nil for most.
pub fn effect(op: Op, args: Data) -> NativeResult {
    Ok(Flow::effect(Request { op, args }))
}

/// Asks for an effect whose outcome `then` turns into the result.
pub fn effect_then(op: Op, args: Data, then: ThenFn) -> NativeResult {
    Ok(Flow::effect_then(Request { op, args }, then))
}
