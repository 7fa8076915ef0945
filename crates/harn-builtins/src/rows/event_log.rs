//! The event log (spec 08 section 2).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Network, Read, Write};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "event_log.emit",
        "fn(topic: string, kind: string, payload?: any, headers?: dict) -> int",
        "Appends an event to a topic of the program's own.",
        "event_log.emit(\"demo.\" + uuid(), \"made\", {n: 1}) // 1",
    )
    .effect(Write),
    B::native(
        "event_log.latest",
        "fn(topic: string) -> int | nil",
        "The id of the last event of a topic.",
        "event_log.latest(\"demo.\" + uuid()) // nil",
    )
    .effect(Read),
    B::prelude(
        "event_log",
        "event_log.subscribe",
        "fn(options_or_topic: any, from_cursor?: int | nil) -> Stream<dict>",
        "The events of a topic after a cursor, stored ones first, then live ones as they come.",
        "let t = \"demo.\" + uuid()\nevent_log.emit(t, \"made\")\nevent_log.subscribe(t).next().value.kind // made",
    )
    .effect(Read),
    B::native(
        "event_log_emit",
        "fn(topic: string, kind: string, payload?: any, headers?: dict) -> int",
        "Appends an event from a connector module.",
        "event_log_emit(\"t\", \"k\") // error: event_log_emit: no active Harn connector context",
    )
    .effect(Write),
    B::native(
        "connector_call",
        "fn(provider: string, method: string, params?: any) -> any",
        "Calls a method of an active outbound connector.",
        "connector_call(\"p\", \"m\") // error: connector_call: connector `p` is not active",
    )
    .effect(Network),
    B::native(
        "metrics_inc",
        "fn(name: string, amount?: any) -> nil",
        "Counts a metric of a connector module.",
        "metrics_inc(\"m\") // error: metrics_inc: no active Harn connector context",
    )
    .effect(Write),
    B::native(
        "secret_get",
        "fn(id: string) -> string",
        "A secret, for a connector module.",
        "secret_get(\"ns/name\") // error: secret_get: no active Harn connector context",
    )
    .effect(Read),
    B::primitive("__event_next", "fn(topic: string, from: int) -> dict", "Waits for the first event after an id.")
        .effect(Read),
    B::primitive(
        "__event_read",
        "fn(topic: string, from: any, limit: any) -> list<dict>",
        "Stored events after an id, at most so many.",
    )
    .effect(Read),
];
