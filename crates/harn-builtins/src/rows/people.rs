//! Requests to people and waitpoints (spec 08 sections 4 and 5).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Control, Read};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "hitl",
        "ask_user",
        "fn(prompt: string, options?: dict) -> any",
        "Asks a person a question and waits for the answer.",
        "ask_user(\"Anyone?\", {timeout: 1ms, default: \"none\"}) // none",
    )
    .effect(Control),
    B::prelude(
        "hitl",
        "request_approval",
        "fn(action: string, options?: dict) -> dict",
        "Waits until a quorum of reviewers approves an action.",
        "request_approval(\"a\", {quorum: 0}) // error: Runtime error: request_approval: quorum must be positive",
    )
    .effect(Control),
    B::prelude(
        "hitl",
        "dual_control",
        "fn(n: int, m: int, action: any, approvers?: list<string>) -> any",
        "Runs a closure once n of m people have approved it.",
        "dual_control(0, 2, { -> 1 }) // error: Runtime error: dual_control: expected a positive int at 0",
    )
    .effect(Control),
    B::prelude(
        "hitl",
        "escalate_to",
        "fn(role: string, reason: string) -> dict",
        "Waits until somebody with a role takes over.",
        "escalate_to(\"role\", \"\") // error: Runtime error: escalate_to: expected string argument at 1",
    )
    .effect(Control),
    B::native(
        "hitl_pending",
        "fn(filters?: dict | nil) -> list<dict>",
        "The requests that nobody has answered yet, newest first.",
        "hitl_pending({agent: \"nobody\"}) // []",
    )
    .effect(Read),
    B::prelude(
        "waitpoints",
        "waitpoint_create",
        "fn(id_or_options?: any) -> dict",
        "Creates a point that programs can wait for.",
        "waitpoint_create().status // open",
    )
    .effect(Control),
    B::prelude(
        "waitpoints",
        "waitpoint_complete",
        "fn(target: any, options?: dict) -> dict",
        "Completes a waitpoint, creating it when unknown.",
        "waitpoint_complete(\"doc-\" + uuid()).status // completed",
    )
    .effect(Control),
    B::prelude(
        "waitpoints",
        "waitpoint_cancel",
        "fn(target: any, options?: dict) -> dict",
        "Cancels a waitpoint, creating it when unknown.",
        "waitpoint_cancel(\"doc-\" + uuid()).status // cancelled",
    )
    .effect(Control),
    B::prelude(
        "waitpoints",
        "waitpoint_wait",
        "fn(targets: any, options?: dict) -> dict",
        "Waits until all waitpoints are completed or one is cancelled.",
        "waitpoint_wait(\"doc-\" + uuid(), {timeout: 1ms}).status // timed_out",
    )
    .effect(Control),
    B::prelude(
        "monitors",
        "monitor_wait_for_native",
        "fn(options: dict) -> dict",
        "Waits until a condition holds of what a source polls.",
        "monitor_wait_for_native({source: { c -> c.poll_count }, condition: { n -> n == 2 }, timeout: 1s, poll_interval: 1ms}).status // matched",
    )
    .effect(Control),
    B::primitive("__hitl_ask", "fn(request: dict) -> dict", "Files a request and waits until it is settled.")
        .effect(Control),
    B::primitive("__hitl_consume", "fn(use: dict) -> dict", "Uses an approval once.").effect(Control),
    B::primitive(
        "__hitl_executed",
        "fn(request_id: string, result: any) -> nil",
        "Records what a closure under dual control returned.",
    )
    .effect(Control),
    B::primitive("__hitl_convert", "fn(answer: any, default: any) -> any", "An answer in the type of its default."),
    B::primitive("__callable_name", "fn(f: any) -> string", "The name of a function, empty for a closure."),
    B::primitive("__millis", "fn(time: any, message: string) -> int", "A time in milliseconds, or a runtime error."),
    B::primitive("__waitpoint_create", "fn(spec: dict) -> dict", "Creates a waitpoint of a family.").effect(Control),
    B::primitive("__waitpoint_resolve", "fn(spec: dict) -> dict", "Ends a waitpoint of a family.").effect(Control),
    B::primitive("__waitpoint_wait", "fn(spec: dict) -> any", "Waits for waitpoints of a family.").effect(Control),
];
