//! Triggers (spec 08 section 6).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Read;

/// The rows.
pub const ROWS: &[Builtin] = &[
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
];
