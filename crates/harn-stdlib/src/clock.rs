//! Clocks and their mock (spec 04 section 4.11). Waiting is the scheduler's: `sleep` is a control request.

use harn_effect::{Data, Op, Outcome};
use harn_vm::{ControlOp, Flow, NativeCtx, NativeResult, Value, View, VmError};

use crate::arguments::{Body, done, effect_then, get, int, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("now_ms", |cx, _| now(cx, |_, outcome| millis(outcome).map(|ms| Flow::Value(Value::int(ms))))),
    ("timestamp", |cx, _| {
        now(cx, |_, outcome| millis(outcome).map(|ms| Flow::Value(Value::float(ms as f64 / 1000.0))))
    }),
    ("monotonic_ms", |cx, _| monotonic(cx)),
    ("elapsed", |cx, _| monotonic(cx)),
    ("sleep", |cx, a| sleep(cx, get(a, 0))),
    ("sleep_ms", |cx, a| sleep(cx, get(a, 0))),
    ("mock_time", |cx, a| match int(a, 0) {
        Some(wall_ms) => {
            cx.state::<ProgramClock>().mocked = Some(MockedClock { wall_ms, monotonic_ms: 0 });
            done(Value::NIL)
        }
        None => thrown("mock_time(ms): expected an integer millisecond timestamp"),
    }),
    ("advance_time", |cx, a| {
        let by = int(a, 0).unwrap_or(0);
        match &mut cx.state::<ProgramClock>().mocked {
            Some(clock) => {
                clock.advance(by);
                done(clock.wall_ms)
            }
            None => thrown("advance_time: no mock active. Call mock_time(ms) first."),
        }
    }),
    ("unmock_time", |cx, _| {
        cx.state::<ProgramClock>().mocked = None;
        done(Value::NIL)
    }),
];

/// The clock as a program sees it: real, or as `mock_time` set it. Kept in the program's state; services that put
/// time stamps on what programs compare read it there.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgramClock {
    /// The mock, when one is active.
    pub mocked: Option<MockedClock>,
}

/// A clock that stands still unless it is moved.
#[derive(Clone, Copy, Debug)]
pub struct MockedClock {
    /// Unix milliseconds.
    pub wall_ms: i64,
    /// Milliseconds since `mock_time`.
    pub monotonic_ms: i64,
}

impl MockedClock {
    fn advance(&mut self, ms: i64) {
        self.wall_ms = self.wall_ms.saturating_add(ms);
        self.monotonic_ms = self.monotonic_ms.saturating_add(ms);
    }
}

/// Reads the wall clock: the mock at once, else by an effect. `then` gets Unix milliseconds.
pub fn now(
    cx: &mut NativeCtx<'_>,
    then: fn(&mut NativeCtx<'_>, Outcome) -> NativeResult,
) -> NativeResult {
    match cx.state::<ProgramClock>().mocked {
        Some(clock) => then(cx, Ok(Data::Int(clock.wall_ms))),
        None => effect_then(Op::ClockNow, Data::dict::<&str>([]), then),
    }
}

/// The milliseconds of a clock's outcome.
pub fn millis(outcome: Outcome) -> Result<i64, Box<VmError>> {
    outcome.map(|data| data.as_int().unwrap_or(0)).map_err(VmError::raised)
}

fn monotonic(cx: &mut NativeCtx<'_>) -> NativeResult {
    match cx.state::<ProgramClock>().mocked {
        Some(clock) => done(clock.monotonic_ms),
        None => crate::arguments::effect(Op::ClockMonotonic, Data::dict::<&str>([])),
    }
}

/// Under a mock both clocks move by the time and the task only yields.
fn sleep(cx: &mut NativeCtx<'_>, time: &Value) -> NativeResult {
    let ms = match time.view() {
        View::Int(n) | View::Duration(n) => n.max(0),
        _ => 0,
    };
    let wait = match &mut cx.state::<ProgramClock>().mocked {
        Some(clock) => {
            clock.advance(ms);
            0
        }
        None => ms,
    };
    Ok(Flow::control(ControlOp::Named("sleep"), vec![Value::int(wait)]))
}
