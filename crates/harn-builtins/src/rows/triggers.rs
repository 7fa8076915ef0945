//! Triggers (spec 08 section 6).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Control, Read};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "triggers",
        "trigger_register",
        "fn(config: dict) -> dict",
        "Binds the events of a provider to a handler, under a tier, a budget and a retry policy.",
        r#"trigger_register({id: "doc-" + uuid(), kind: "push", provider: "github", handler: { event -> event.kind }}).state // active"#,
    )
    .effect(Control),
    B::prelude(
        "triggers",
        "trigger_fire",
        "fn(handle: any, event: dict) -> dict",
        "Dispatches an event to one binding and gives how that ended.",
        r#"let t = trigger_register({id: "doc-" + uuid(), kind: "k", provider: "webhook", handler: { event -> event.kind }})
trigger_fire(t, {provider: "webhook", kind: "ping"}).result // ping"#,
    )
    .effect(Control),
    B::prelude(
        "triggers",
        "trigger_replay",
        "fn(event_id: string) -> dict",
        "Dispatches a recorded event again.",
        r#"trigger_replay("no-such-event") // error: Runtime error: trigger_replay: unknown event id 'no-such-event'"#,
    )
    .effect(Control),
    B::prelude(
        "triggers",
        "trigger_list",
        "fn() -> list<dict>",
        "The bindings of this run, by id and version.",
        "trigger_list() // []",
    )
    .effect(Read),
    B::prelude(
        "triggers",
        "trigger_inspect_dlq",
        "fn() -> list<dict>",
        "The events that no attempt could handle and that wait for a replay.",
        r#"trigger_inspect_dlq().filter({ e -> e.binding_id == "nobody" }) // []"#,
    )
    .effect(Read),
    B::prelude(
        "trigger_harness",
        "trigger_test_harness",
        "fn(fixture: any) -> dict",
        "Runs a canned scenario of the dispatcher.",
        r#"trigger_test_harness("rate_limit_throttles").ok // true"#,
    ),
    B::prelude(
        "lifecycle",
        "trigger_inspect_lifecycle",
        "fn(kind?: string) -> list<dict>",
        "What happened to triggers and budgets.",
        "trigger_inspect_lifecycle(\"no such kind\") // []",
    )
    .effect(Read),
    B::prelude(
        "lifecycle",
        "trigger_inspect_action_graph",
        "fn(trace_id?: string) -> list<dict>",
        "The recorded graph of actions.",
        "trigger_inspect_action_graph(\"no such trace\") // []",
    )
    .effect(Read),
    B::prelude(
        "triggers",
        "handler_context",
        "fn() -> dict | nil",
        "The dispatch being handled.",
        "handler_context() // nil",
    ),
    B::internal(
        "trigger_dispatch",
        "__trigger_dispatch",
        "fn(binding: dict, event: dict, how: dict) -> dict",
        "Carries an event through predicate, flow control, budget and attempts.",
    ),
    B::internal("trigger_dispatch", "__topic_part", "fn(id: string) -> string", "An id as part of a topic's name."),
    B::internal("trigger_dispatch", "__trigger_class", "fn(error: string) -> string", "The class of a parked error."),
    B::internal(
        "trigger_dispatch",
        "__trigger_delay_ms",
        "fn(backoff: string, attempt: int) -> int",
        "The pause before an attempt.",
    ),
    B::internal(
        "trigger_dispatch",
        "__trigger_metric",
        "fn(key: string, name: string, by: int) -> nil",
        "Counts something of a binding.",
    ),
    B::internal("trigger_config", "__trigger_config", "fn(config: dict) -> dict", "A binding from a configuration."),
    B::internal("trigger_config", "__trigger_event", "fn(given: any) -> dict", "A whole event from a partial one."),
    B::internal(
        "trigger_flow",
        "__trigger_flow",
        "fn(binding: dict, event: dict) -> dict",
        "Passes the gates of flow control: {event, release} or {skip}.",
    ),
    B::internal(
        "trigger_predicate",
        "__trigger_predicate",
        "fn(binding: dict, event: dict, replay_of: any) -> dict",
        "Evaluates the predicate of a trigger under its spend budget.",
    ),
    B::primitive("__dispatch_current", "fn() -> dict | nil", "The dispatch that this task is in."),
    B::primitive("__dispatch_enter", "fn(frame: dict) -> nil", "Enters a dispatch in this task."),
    B::primitive(
        "__dispatch_grant",
        "fn(request_id: string, capabilities: list<string>) -> nil",
        "Raises the ceiling of the dispatch to what an approval named.",
    ),
    B::primitive("__dispatch_ungrant", "fn() -> nil", "Takes back what was granted last."),
    B::internal(
        "hitl",
        "__dispatch_suspend",
        "fn(waits_for: dict) -> never",
        "Ends the running dispatch as waiting; nothing in the handler sees it.",
    ),
];
