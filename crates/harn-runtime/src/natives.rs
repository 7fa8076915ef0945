//! Builtins whose result the scheduler supplies (spec 04): each hands its arguments over by name.

use harn_vm::{ControlOp, Flow, NativeCtx, NativeFn, NativeResult, Value};

/// The bodies that this crate adds to the registry, those of the agent loop included.
pub fn natives() -> impl Iterator<Item = (&'static str, NativeFn)> {
    CONTROL.iter().copied().chain(harn_agent::NATIVES.iter().copied())
}

macro_rules! control {
    ($($name:literal),* $(,)?) => {
        const CONTROL: &[(&str, NativeFn)] = &[$(($name, |_, args| hand_over($name, args)),)*];
    };
}

control!(
    "await",
    "cancel",
    "cancel_graceful",
    "is_cancelled",
    "channel",
    "send",
    "receive",
    "try_receive",
    "close_channel",
    "channel_select",
    "parallel_race",
    "exit",
);

fn hand_over(name: &'static str, args: &mut [Value]) -> NativeResult {
    let args = args.iter_mut().map(std::mem::take).collect();
    Ok(Flow::control(ControlOp::Named(name), args))
}

/// `channel.iter()`: a channel is iterable as it is, so the value itself is its iter.
pub fn channel_iter(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    Ok(Flow::Value(args.first_mut().map(std::mem::take).unwrap_or_default()))
}
