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
    "sync_mutex_acquire",
    "sync_semaphore_acquire",
    "sync_gate_acquire",
    "sync_rwlock_acquire",
    "sync_release",
    "sync_metrics",
    "mailbox_open",
    "mailbox_lookup",
    "mailbox_send",
    "mailbox_receive",
    "mailbox_try_receive",
    "mailbox_close",
    "mailbox_metrics",
    "supervisor_start",
    "supervisor_state",
    "supervisor_metrics",
    "supervisor_events",
    "supervisor_stop",
    "circuit_breaker",
    "circuit_check",
    "circuit_record_failure",
    "circuit_record_success",
    "circuit_reset",
    "shared_scope_id",
    "shared_cell",
    "shared_get",
    "shared_set",
    "shared_snapshot",
    "shared_cas",
    "shared_map",
    "shared_map_get",
    "shared_map_set",
    "shared_map_delete",
    "shared_map_entries",
    "shared_map_snapshot",
    "shared_map_cas",
    "shared_metrics",
    "runtime_context",
    "task_current",
    "runtime_context_values",
    "runtime_context_get",
    "runtime_context_set",
    "runtime_context_clear",
);

/// Whether a builtin asks the scheduler.
pub(crate) fn is_control(name: &str) -> bool {
    CONTROL.iter().any(|(control, _)| *control == name)
}

fn hand_over(name: &'static str, args: &mut [Value]) -> NativeResult {
    let args = args.iter_mut().map(std::mem::take).collect();
    Ok(Flow::control(ControlOp::Named(name), args))
}

/// `channel.iter()`: a channel is iterable as it is, so the value itself is its iter.
pub fn channel_iter(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    Ok(Flow::Value(args.first_mut().map(std::mem::take).unwrap_or_default()))
}
