//! Lifting to iters (spec 02 section 13.1); the stages are in `prelude/iter.harn`.

use harn_vm::{NativeCtx, NativeResult, Value};

use crate::arguments::{Body, done, get, take, type_error};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("iter", lift),
    ("string.iter", lift),
    ("list.iter", lift),
    ("dict.iter", lift),
    ("set.iter", lift),
    ("range.iter", lift),
    ("iter.iter", lift),
    ("generator.iter", lift),
    ("stream.iter", lift),
    ("__is_iterable", |_, a| done(get(a, 0).is_iterable())),
];

fn lift(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    if args.is_empty() {
        return type_error("iter: expected 1 argument");
    }
    let value = take(args, 0);
    let kind = value.type_name();
    match value.lift() {
        Some(iter) => done(iter),
        None => type_error(format!("iter: value of type {kind} is not iterable")),
    }
}
