//! Clocks and waiting (spec 04 section 4.11). The runtime keeps the program's clock: it answers the clock effects with
//! the real time or with what `mock_time` pinned, and it performs the control requests `sleep`, `mock_time`,
//! `advance_time` and `unmock_time`.

use harn_effect::{Data, Op, Outcome};
use harn_vm::{ControlOp, Flow, NativeResult, ThenFn, Value, View, VmError};

use crate::arguments::{Body, effect, effect_then, get, int, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("now_ms", |_, _| now(|_, outcome| millis(outcome).map(|ms| Flow::Value(Value::int(ms))))),
    ("timestamp", |_, _| {
        now(|_, outcome| millis(outcome).map(|ms| Flow::Value(Value::float(ms as f64 / 1000.0))))
    }),
    ("monotonic_ms", |_, _| monotonic()),
    ("elapsed", |_, _| monotonic()),
    ("sleep", |_, a| sleep(get(a, 0))),
    ("sleep_ms", |_, a| sleep(get(a, 0))),
    ("mock_time", |_, a| match int(a, 0) {
        Some(ms) => control("mock_time", vec![Value::int(ms)]),
        None => thrown("mock_time(ms): expected an integer millisecond timestamp"),
    }),
    ("advance_time", |_, a| control("advance_time", vec![Value::int(int(a, 0).unwrap_or(0))])),
    ("unmock_time", |_, _| control("unmock_time", Vec::new())),
];

/// Reads the wall clock; `then` gets Unix milliseconds.
pub fn now(then: ThenFn) -> NativeResult {
    effect_then(Op::ClockNow, Data::dict::<&str>([]), then)
}

/// The milliseconds of a clock's outcome.
pub fn millis(outcome: Outcome) -> Result<i64, Box<VmError>> {
    outcome.map(|data| data.as_int().unwrap_or(0)).map_err(VmError::raised)
}

fn monotonic() -> NativeResult {
    effect(Op::ClockMonotonic, Data::dict::<&str>([]))
}

fn control(name: &'static str, args: Vec<Value>) -> NativeResult {
    Ok(Flow::control(ControlOp::Named(name), args))
}

/// An int is milliseconds; negative times and other types do not wait.
fn sleep(time: &Value) -> NativeResult {
    let ms = match time.view() {
        View::Int(n) | View::Duration(n) => n.max(0),
        _ => 0,
    };
    control("sleep", vec![Value::int(ms)])
}
