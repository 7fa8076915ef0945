//! The one primitive by which prelude modules ask for an effect by its name in the table of `harn-effect`.

use harn_effect::{Data, Op, Request};
use harn_vm::{Flow, NativeCtx, NativeFn, NativeResult, Value, VmError, to_data};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The bodies.
pub const BODIES: &[(&str, NativeFn)] = &[("__effect", effect), ("__utf8", utf8)];

static BY_NAME: LazyLock<HashMap<&'static str, Op>> =
    LazyLock::new(|| Op::ALL.iter().map(|op| (op.name(), *op)).collect());

/// `__effect(name, args)`: the outcome as a value, or its error.
fn effect(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let name = args.first().and_then(Value::as_str).unwrap_or_default();
    let Some(op) = BY_NAME.get(name).copied() else {
        return Err(VmError::runtime(format!("no effect is called '{name}'")));
    };
    let args = args.get(1).map_or(Ok(Data::Nil), to_data).map_err(VmError::runtime)?;
    Ok(Flow::effect(Request { op, args }))
}

/// `__utf8(bytes)`: the text, or nil when the bytes are not UTF-8.
fn utf8(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let bytes = args.first_mut().map(std::mem::take).and_then(Value::into_bytes).unwrap_or_default();
    Ok(String::from_utf8(bytes).map_or(Value::NIL, Value::string).into())
}
