//! The trust graph (spec 08 section 3).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Control, Read};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "trust_record",
        "fn(agent: string, action: string, approver: any, outcome: string, tier: string) -> dict",
        "Appends a record to the trust graph and gives it.",
        "trust_record(\"doc-\" + uuid(), \"deploy\", nil, \"success\", \"act_auto\").outcome // success",
    )
    .effect(Control),
    B::native(
        "trust_graph_record",
        "fn(decision: dict) -> string",
        "Appends a record to the trust graph and gives its id.",
        "len(trust_graph_record({agent: \"doc\", action: \"x\", outcome: \"success\", tier: \"suggest\"})) // 36",
    )
    .effect(Control),
    B::native(
        "trust_query",
        "fn(filters?: dict) -> list",
        "The records that match, oldest first, or grouped by trace.",
        "trust_query({agent: \"nobody-\" + uuid()}) // []",
    )
    .effect(Read),
    B::native(
        "trust_graph_query",
        "fn(agent: string, action?: string | nil) -> dict",
        "The score of an agent, overall or for one action.",
        "trust_graph_query(\"nobody-\" + uuid()).total // 0",
    )
    .effect(Read),
    B::native(
        "trust_graph_policy_for",
        "fn(agent: string) -> dict",
        "The capability policy that an agent's record earns it.",
        "trust_graph_policy_for(\"nobody-\" + uuid()).side_effect_level // network",
    )
    .effect(Read),
    B::native(
        "trust_graph_verify_chain",
        "fn() -> dict",
        "Proves the hash chain of the trust graph.",
        "trust_graph_verify_chain().verified // true",
    )
    .effect(Read),
    B::native(
        "trust.query",
        "fn(filters?: dict) -> list<dict>",
        "Projections of the records that match.",
        "trust.query({actor: \"nobody-\" + uuid()}) // []",
    )
    .effect(Read),
    B::native(
        "trust.record",
        "fn(decision: dict) -> string",
        "Appends a record to the trust graph and gives its id.",
        "len(trust.record({agent: \"doc\", action: \"x\", outcome: \"success\", tier: \"suggest\"})) // 36",
    )
    .effect(Control),
    B::native(
        "trust.score",
        "fn(actor_id: string, action?: string | nil) -> dict",
        "The score of an actor, overall or for one action.",
        "trust.score(\"nobody-\" + uuid()).total // 0",
    )
    .effect(Read),
    B::native(
        "trust.policy_for",
        "fn(actor_id: string) -> dict",
        "The capability policy that an actor's record earns it.",
        "trust.policy_for(\"nobody-\" + uuid()).side_effect_level // network",
    )
    .effect(Read),
    B::native(
        "trust.verify_chain",
        "fn() -> dict",
        "Proves the hash chain of the trust graph.",
        "trust.verify_chain().verified // true",
    )
    .effect(Read),
];
