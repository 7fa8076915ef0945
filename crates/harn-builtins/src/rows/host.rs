//! Host calls and their stand-in (spec 06 section 10).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "host",
        "host_call",
        "fn(name: string, params?: dict) -> any",
        "Asks the embedding host for `capability.operation`.",
        "host_mock(\"project\", \"scan\", \"done\")\nhost_call(\"project.scan\") // done",
    )
    .effect(EffectClass::Process),
    B::prelude(
        "host",
        "host_capabilities",
        "fn() -> dict",
        "What the host can be asked.",
        r#"host_capabilities().has("process") // true"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_has",
        "fn(capability: string, op?: string) -> bool",
        "Whether the host can be asked for something.",
        r#"host_has("process", "exec") // true"#,
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_tool_list",
        "fn() -> list",
        "The tools of an attached host.",
        "host_tool_list() // []",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_tool_call",
        "fn(name: string, args?: dict) -> any",
        "Calls a tool of an attached host.",
        r#"is_err(try { host_tool_call("x") }) // true"#,
    )
    .effect(EffectClass::Process),
    B::prelude(
        "host",
        "host_mock",
        "fn(capability: string, op: string, response?: any, params?: dict) -> nil",
        "Scripts the answer of the host to an operation.",
        "host_mock(\"a\", \"b\", 1)\nhost_call(\"a.b\") // 1",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_mock_clear",
        "fn() -> nil",
        "Forgets scripted answers, calls and scopes.",
        "host_mock_clear() // nil",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_mock_calls",
        "fn(options?: dict) -> list<dict>",
        "The calls that scripted answers met.",
        "host_mock(\"a\", \"b\", 1)\nhost_call(\"a.b\")\nlen(host_mock_calls()) // 1",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_mock_push_scope",
        "fn() -> nil",
        "Hides the scripted answers until the scope is popped.",
        "host_mock_push_scope() // nil",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "host",
        "host_mock_pop_scope",
        "fn() -> nil",
        "Restores what the last scope hid.",
        "host_mock_push_scope()
host_mock_pop_scope() // nil",
    )
    .effect(EffectClass::Ambient),
];
