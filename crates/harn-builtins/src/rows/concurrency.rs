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
    B::native(
        "channel_select",
        "fn(channels: list, timeout?: any) -> any",
        "The first message of several channels; nil when the time is up or all are drained.",
        "let ch = channel(\"c\")\nsend(ch, 1)\nchannel_select([ch]).value // 1",
    ),
    B::native(
        "parallel_race",
        "fn(items: list, callable: any, options?: any) -> any",
        "The first result of a function over the items; the others are stopped.",
        "parallel_race([3], { n -> n + 1 }) // 4",
    ),
    B::native(
        "sync_mutex_acquire",
        "fn(key?: any, timeout?: any) -> any",
        "Takes a named exclusive lock; nil when the time is up.",
        r#"sync_release(sync_mutex_acquire("door")) // true"#,
    ),
    B::native(
        "sync_semaphore_acquire",
        "fn(key?: any, capacity?: int, permits?: int, timeout?: any) -> any",
        "Takes permits of a named semaphore; nil when the time is up.",
        r#"sync_release(sync_semaphore_acquire("pool", 3, 2)) // true"#,
    ),
    B::native(
        "sync_gate_acquire",
        "fn(key?: any, limit?: int, timeout?: any) -> any",
        "Takes one of the places of a named gate; nil when the time is up.",
        r#"sync_release(sync_gate_acquire("gate", 1)) // true"#,
    ),
    B::native(
        "sync_rwlock_acquire",
        "fn(key?: any, mode?: string, timeout?: any) -> any",
        "Takes a named lock that readers share and a writer has alone; nil when the time is up.",
        r#"sync_release(sync_rwlock_acquire("doc", "read")) // true"#,
    ),
    B::native(
        "sync_release",
        "fn(permit: any) -> bool",
        "Gives a permit back; false when that was done before.",
        "let p = sync_mutex_acquire(\"m\")\nsync_release(p)\nsync_release(p) // false",
    ),
    B::native(
        "sync_metrics",
        "fn(kind?: any, key?: any) -> any",
        "Counts of one named lock, or of all that match.",
        r#"sync_metrics("mutex", "nobody") // nil"#,
    ),
    B::native(
        "mailbox_open",
        "fn(target: any, capacity?: int) -> dict",
        "Opens a mailbox by name; opening it again gives the same one.",
        r#"mailbox_open("desk").key // desk"#,
    ),
    B::native(
        "mailbox_lookup",
        "fn(target: any) -> any",
        "The handle of an open mailbox, nil when nobody opened it.",
        r#"mailbox_lookup("nobody") // nil"#,
    ),
    B::native(
        "mailbox_send",
        "fn(target: any, value?: any) -> any",
        "Puts a value in a mailbox, waiting while it is full; false when it is closed or unknown.",
        r#"mailbox_send("nobody", 1) // false"#,
    ),
    B::native(
        "mailbox_receive",
        "fn(target: any) -> any",
        "Takes the oldest value of a mailbox, waiting for one; nil once closed and drained.",
        "let m = mailbox_open(\"inbox\")\nmailbox_send(m, 1)\nmailbox_receive(m) // 1",
    ),
    B::native(
        "mailbox_try_receive",
        "fn(target: any) -> any",
        "The oldest value of a mailbox, nil when there is none.",
        r#"mailbox_try_receive(mailbox_open("quiet")) // nil"#,
    ),
    B::native(
        "mailbox_close",
        "fn(target: any) -> any",
        "Closes a mailbox; true the first time.",
        r#"mailbox_close(mailbox_open("done")) // true"#,
    ),
    B::native(
        "mailbox_metrics",
        "fn(target: any) -> dict",
        "Counts of a mailbox.",
        r#"mailbox_metrics("nobody").depth // 0"#,
    ),
    B::native(
        "supervisor_start",
        "fn(spec: dict) -> dict",
        "Starts named children that are started again by rule; a handle.",
        r#"supervisor_start({id: "s", children: [{task: { _c -> 1 }}]}).id // s"#,
    ),
    B::native(
        "supervisor_state",
        "fn(supervisor: any) -> dict",
        "Where a supervisor and its children are.",
        r#"supervisor_state(supervisor_start({children: [{task: { _c -> 1 }}]})).status // running"#,
    ),
    B::native(
        "supervisor_metrics",
        "fn(supervisor: any) -> dict",
        "Counts of a supervisor.",
        r#"supervisor_metrics(supervisor_start({children: [{task: { _c -> 1 }}]})).started // 1"#,
    ),
    B::native(
        "supervisor_events",
        "fn(supervisor: any) -> list",
        "What happened to a supervisor and its children.",
        r#"supervisor_events(supervisor_start({children: [{task: { _c -> 1 }}]}))[0].kind // supervisor_started"#,
    ),
    B::native(
        "supervisor_stop",
        "fn(supervisor: any, timeout?: any) -> dict",
        "Asks the children to stop, waits, stops the rest; the final state.",
        r#"supervisor_stop(supervisor_start({children: [{task: { _c -> 1 }}]})).status // stopped"#,
    ),
    B::native(
        "circuit_breaker",
        "fn(name?: any, threshold?: int, reset_ms?: int) -> string",
        "Creates or resets a circuit breaker.",
        r#"circuit_breaker("api", 2) // api"#,
    ),
    B::native(
        "circuit_check",
        "fn(name?: any) -> string",
        "Whether a circuit is `closed`, `open` or `half_open`.",
        r#"circuit_check("unknown") // closed"#,
    ),
    B::native(
        "circuit_record_failure",
        "fn(name?: any) -> bool",
        "Counts a failure; true when it opened the circuit.",
        "circuit_breaker(\"a\", 1)\ncircuit_record_failure(\"a\") // true",
    ),
    B::native(
        "circuit_record_success",
        "fn(name?: any) -> nil",
        "Counts a success, which closes the circuit.",
        r#"circuit_record_success("a") // nil"#,
    ),
    B::native("circuit_reset", "fn(name?: any) -> nil", "Closes a circuit.", r#"circuit_reset("a") // nil"#),
    B::native(
        "shared_scope_id",
        "fn(scope?: any, options?: dict) -> string",
        "The resolved name of a scope.",
        r#"shared_scope_id("process") // process:process"#,
    ),
    B::native(
        "shared_cell",
        "fn(target: any, initial?: any) -> dict",
        "A cell that tasks share, found by scope and key.",
        r#"shared_get(shared_cell("count", 1)) // 1"#,
    ),
    B::native(
        "shared_get",
        "fn(cell: any) -> any",
        "The value of a shared cell.",
        r#"shared_get(shared_cell("n", 2)) // 2"#,
    ),
    B::native(
        "shared_set",
        "fn(cell: any, value?: any) -> any",
        "Stores a value in a shared cell and gives the previous one.",
        r#"shared_set(shared_cell("s", 1), 2) // 1"#,
    ),
    B::native(
        "shared_snapshot",
        "fn(cell: any) -> dict",
        "The value of a shared cell with its version.",
        r#"shared_snapshot(shared_cell("v", 1)).version // 0"#,
    ),
    B::native(
        "shared_cas",
        "fn(cell: any, expected: any, new?: any) -> bool",
        "Stores a value if the present one, or version, is as expected.",
        r#"shared_cas(shared_cell("c", 1), 1, 2) // true"#,
    ),
    B::native(
        "shared_map",
        "fn(target: any, initial?: dict) -> dict",
        "A map that tasks share, found by scope and key.",
        r#"shared_map_get(shared_map("m", {a: 1}), "a") // 1"#,
    ),
    B::native(
        "shared_map_get",
        "fn(map: any, key: any, fallback?: any) -> any",
        "The value under a key of a shared map.",
        r#"shared_map_get(shared_map("e"), "a", 0) // 0"#,
    ),
    B::native(
        "shared_map_set",
        "fn(map: any, key: any, value?: any) -> any",
        "Stores a value under a key and gives the previous one.",
        r#"shared_map_set(shared_map("w"), "a", 1) // nil"#,
    ),
    B::native(
        "shared_map_delete",
        "fn(map: any, key: any) -> any",
        "Removes a key and gives its value.",
        r#"shared_map_delete(shared_map("d", {a: 1}), "a") // 1"#,
    ),
    B::native(
        "shared_map_entries",
        "fn(map: any) -> dict",
        "All entries of a shared map.",
        r#"shared_map_entries(shared_map("l", {a: 1})) // {a: 1}"#,
    ),
    B::native(
        "shared_map_snapshot",
        "fn(map: any, key: any) -> dict",
        "The value under a key with the map's version.",
        r#"shared_map_snapshot(shared_map("p", {a: 1}), "a").value // 1"#,
    ),
    B::native(
        "shared_map_cas",
        "fn(map: any, key: any, expected: any, new?: any) -> bool",
        "Stores a value under a key if the present one is as expected; nil deletes.",
        r#"shared_map_cas(shared_map("q"), "a", nil, 1) // true"#,
    ),
    B::native(
        "shared_metrics",
        "fn(handle?: any) -> any",
        "Counts of a shared cell or map, or of all.",
        r#"shared_metrics(shared_cell("z")).version // 0"#,
    ),
    B::native(
        "runtime_context",
        "fn() -> dict",
        "Who the running task is.",
        "runtime_context().task_id // task_root",
    ),
    B::native("task_current", "fn() -> dict", "Who the running task is.", "task_current().task_name // root"),
    B::native(
        "runtime_context_values",
        "fn() -> dict",
        "The task-local values.",
        "runtime_context_values() // {}",
    ),
    B::native(
        "runtime_context_get",
        "fn(key: any, fallback?: any) -> any",
        "A task-local value.",
        r#"runtime_context_get("none", 1) // 1"#,
    ),
    B::native(
        "runtime_context_set",
        "fn(key: any, value?: any) -> any",
        "Sets a task-local value and gives the previous one.",
        r#"runtime_context_set("k", 1) // nil"#,
    ),
    B::native(
        "runtime_context_clear",
        "fn(key: any) -> any",
        "Removes a task-local value and gives it.",
        r#"runtime_context_clear("k") // nil"#,
    ),
];
