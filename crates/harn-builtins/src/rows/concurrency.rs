//! Tasks, channels, locks, shared state, time (spec 04).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Ambient;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "await",
        "fn(task?: any) -> any",
        "Waits for a task and gives its value; any other value as it is.",
        "await(spawn { 1 + 1 }) // 2",
    ),
    B::native("cancel", "fn(task?: any) -> nil", "Stops a task.", "cancel(spawn { 1 }) // nil"),
    B::native(
        "cancel_graceful",
        "fn(task: any, timeout?: any) -> any",
        "Asks a task to stop and waits for it.",
        "is_ok(cancel_graceful(spawn { 1 })) // true",
    ),
    B::native(
        "is_cancelled",
        "fn() -> any",
        "Whether the task was asked to stop.",
        "is_cancelled() // false",
    ),
    B::native(
        "channel",
        "fn(name?: any, capacity?: int) -> any",
        "A new bounded queue.",
        r#"channel("lines") // <channel:lines>"#,
    ),
    B::native(
        "send",
        "fn(channel: any, value?: any) -> any",
        "Puts a value in a channel, waiting while it is full; false when it is closed.",
        "send(channel(), 1) // true",
    ),
    B::native(
        "receive",
        "fn(channel: any) -> any",
        "Takes the oldest value of a channel, waiting for one; nil once closed and drained.",
        "let ch = channel()\nsend(ch, 1)\nreceive(ch) // 1",
    ),
    B::native(
        "try_receive",
        "fn(channel: any) -> any",
        "The oldest value of a channel, nil when there is none.",
        "try_receive(channel()) // nil",
    ),
    B::native(
        "close_channel",
        "fn(channel: any) -> nil",
        "Closes a channel; queued values stay receivable.",
        "let ch = channel()\nclose_channel(ch)\nsend(ch, 1) // false",
    ),
    B::native("atomic", "fn(initial?: any) -> any", "A shared 64-bit integer.", "atomic(5) // <atomic:5>"),
    B::native("atomic_get", "fn(a: any) -> any", "The value of an atomic.", "atomic_get(atomic(5)) // 5"),
    B::native(
        "atomic_set",
        "fn(a: any, value: any) -> any",
        "Stores a value and gives the previous one.",
        "atomic_set(atomic(5), 6) // 5",
    ),
    B::native(
        "atomic_add",
        "fn(a: any, amount: any) -> any",
        "Adds and gives the previous value.",
        "atomic_add(atomic(5), 1) // 5",
    ),
    B::native(
        "atomic_cas",
        "fn(a: any, expected: any, new: any) -> bool",
        "Stores a value if the present one is as expected.",
        "atomic_cas(atomic(5), 4, 6) // false",
    ),
    B::native(
        "sleep",
        "fn(time?: any) -> nil",
        "Suspends the task for a duration or for milliseconds.",
        "sleep(1ms) // nil",
    )
    .effect(Ambient),
    B::native("sleep_ms", "fn(ms?: any) -> nil", "Suspends the task for milliseconds.", "sleep_ms(1) // nil")
        .effect(Ambient),
    B::native("now_ms", "fn() -> int", "The present in Unix milliseconds.", "now_ms() > 0 // true")
        .effect(Ambient),
    B::native("timestamp", "fn() -> float", "The present in Unix seconds.", "timestamp() > 0 // true")
        .effect(Ambient),
    B::native(
        "monotonic_ms",
        "fn() -> int",
        "Milliseconds since the start, never going backwards.",
        "monotonic_ms() >= 0 // true",
    )
    .effect(Ambient),
    B::native("elapsed", "fn() -> int", "Milliseconds since the start.", "elapsed() >= 0 // true")
        .effect(Ambient),
    B::prelude(
        "time",
        "timer_start",
        "fn(name?: any) -> dict",
        "A timer that starts now.",
        "timer_start().name // default",
    )
    .effect(Ambient),
    B::prelude(
        "time",
        "timer_end",
        "fn(timer: any) -> int",
        "The milliseconds since a timer's start, also printed.",
        "timer_end(timer_start()) >= 0 // true",
    )
    .effect(Ambient),
    B::native(
        "mock_time",
        "fn(ms: any) -> nil",
        "Pins the clock for tests.",
        "mock_time(1000)\nnow_ms() // 1000",
    )
    .effect(Ambient),
    B::native(
        "advance_time",
        "fn(ms: any) -> int",
        "Moves the mocked clock and gives the new time.",
        "mock_time(1000)\nadvance_time(5) // 1005",
    )
    .effect(Ambient),
    B::native("unmock_time", "fn() -> nil", "Back to the real clock.", "unmock_time() // nil")
        .effect(Ambient),
];
