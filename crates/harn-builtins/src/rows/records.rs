//! Records that agents and tools leave for others: invariant verdicts, plans, handoffs, friction (spec 07 section 21, 09
//! section 11).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Read, Write};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "flow",
        "flow_invariant_allow",
        "fn() -> dict",
        "The verdict of an invariant that holds.",
        "flow_invariant_allow().verdict // {kind: allow}",
    ),
    B::prelude(
        "flow",
        "flow_invariant_warn",
        "fn(reason: string) -> dict",
        "The verdict of an invariant that holds with a remark.",
        r#"flow_invariant_warn("slow").verdict // {kind: warn, reason: slow}"#,
    ),
    B::prelude(
        "flow",
        "flow_invariant_block",
        "fn(code: string, message: string) -> dict",
        "The verdict that stops a change.",
        r#"flow_invariant_block("E1", "no").verdict.error // {code: E1, message: no}"#,
    ),
    B::prelude(
        "flow",
        "flow_invariant_require_approval",
        "fn(kind: string, id: string) -> dict",
        "The verdict that a principal or a role must approve.",
        r#"flow_invariant_require_approval("role", "sec").verdict.approver // {kind: role, name: sec}"#,
    ),
    B::prelude(
        "flow",
        "flow_with_evidence",
        "fn(result: dict, evidence: list) -> dict",
        "The result with its evidence.",
        r#"len(flow_with_evidence(flow_invariant_allow(), [flow_evidence_atom("ab", 0, 2)]).evidence) // 1"#,
    ),
    B::prelude(
        "flow",
        "flow_with_remediation",
        "fn(result: dict, remediation: dict) -> dict",
        "The result with a way to mend it.",
        r#"flow_with_remediation(flow_invariant_allow(), flow_remediation("add it")).remediation.description // add it"#,
    ),
    B::prelude(
        "flow",
        "flow_with_confidence",
        "fn(result: dict, confidence: float) -> dict",
        "The result with another confidence, between 0 and 1.",
        "flow_with_confidence(flow_invariant_allow(), 2).confidence // 1.0",
    ),
    B::prelude(
        "flow",
        "flow_invariant_kind",
        "fn(result: dict) -> string",
        "The kind of a verdict.",
        "flow_invariant_kind(flow_invariant_allow()) // allow",
    ),
    B::prelude(
        "flow",
        "flow_invariant_is_blocking",
        "fn(result: dict) -> bool",
        "Whether a change may not go on as it is.",
        r#"flow_invariant_is_blocking(flow_invariant_block("E", "no")) // true"#,
    ),
    B::prelude(
        "flow",
        "flow_invariant_confidence",
        "fn(result: dict) -> float",
        "How sure a verdict is.",
        "flow_invariant_confidence(flow_invariant_allow()) // 1.0",
    ),
    B::prelude(
        "flow",
        "flow_evidence_atom",
        "fn(atom: string, start: int, end: int) -> dict",
        "Evidence in a change.",
        r#"flow_evidence_atom("ab", 0, 2).kind // atom_pointer"#,
    ),
    B::prelude(
        "flow",
        "flow_evidence_metadata",
        "fn(directory: string, namespace: string, key: string) -> dict",
        "Evidence in the metadata of a directory.",
        r#"flow_evidence_metadata("src", "class", "k").kind // metadata_path"#,
    ),
    B::prelude(
        "flow",
        "flow_evidence_transcript",
        "fn(transcript_id: string, start: int, end: int) -> dict",
        "Evidence in a transcript.",
        r#"flow_evidence_transcript("t", 1, 4).span // {end: 4, start: 1}"#,
    ),
    B::prelude(
        "flow",
        "flow_evidence_citation",
        "fn(url: string, quote: string, fetched_at: string) -> dict",
        "Evidence quoted from elsewhere.",
        r#"flow_evidence_citation("https://a", "q", "2026-01-01").quote // q"#,
    ),
    B::prelude(
        "flow",
        "flow_remediation",
        "fn(description: string) -> dict",
        "A way to mend what a verdict blames.",
        r#"flow_remediation("add it") // {description: add it}"#,
    ),
    B::prelude(
        "plans",
        "plan_artifact",
        "fn(plan: any) -> dict",
        "A plan in its normal form.",
        r#"plan_artifact({title: "T", steps: ["a"]}).steps[0].status // pending"#,
    ),
    B::prelude(
        "plans",
        "plan_entries",
        "fn(plan: any) -> list<dict>",
        "The steps of a plan as an editor shows them.",
        r#"plan_entries(["a"]) // [{content: a, priority: medium, status: pending}]"#,
    ),
    B::prelude(
        "handoffs",
        "handoff",
        "fn(def: dict) -> dict",
        "Work handed to another persona or a person, in its normal form.",
        r#"handoff({task: "t", target: "ops"}).target_persona_or_human.id // ops"#,
    ),
    B::prelude(
        "handoffs",
        "handoff_context",
        "fn(handoff: dict) -> string",
        "A handoff as text for a model.",
        r#"handoff_context({task: "t", target: "ops"}).lines()[2] // Task: t"#,
    ),
    B::prelude(
        "handoffs",
        "agent",
        "fn(name: string, config?: dict | nil) -> dict",
        "An agent as a plain dict.",
        r#"agent("ada", {model: "m"})._type // agent"#,
    ),
    B::prelude(
        "handoffs",
        "agent_name",
        "fn(agent: dict) -> string",
        "The name of an agent.",
        r#"agent_name(agent("ada")) // ada"#,
    ),
    B::prelude(
        "handoffs",
        "agent_config",
        "fn(agent: dict, prompt?: any) -> dict",
        "What an agent loop takes: prompt, system text and options of an agent.",
        r#"agent_config(agent("ada", {system: "s", model: "m"}), "hi") // {options: {model: m}, prompt: hi, system: s}"#,
    ),
    B::prelude(
        "friction",
        "friction_event",
        "fn(event: dict) -> dict",
        "Something that went less well than it should, in its normal form.",
        r#"friction_event({kind: "tool_gap", redacted_summary: "no grep"}).schema_version // 1"#,
    ),
    B::prelude(
        "friction",
        "friction_record",
        "fn(event: dict, options?: dict | nil) -> dict",
        "Keeps a friction event, and writes it to a file if one is named.",
        r#"friction_record({kind: "tool_gap", redacted_summary: "no grep"}).sink // memory"#,
    )
    .effect(Write),
    B::prelude(
        "friction",
        "friction_events",
        "fn() -> list<dict>",
        "The friction events of this run.",
        "friction_events() // []",
    ),
    B::prelude(
        "friction",
        "friction_clear",
        "fn() -> nil",
        "Forgets the friction events of this run.",
        "friction_clear() // nil",
    ),
    B::prelude(
        "friction",
        "context_pack_suggestions",
        "fn(events?: list | nil, options?: dict | nil) -> list<dict>",
        "What could be prepared so that repeated friction does not return.",
        r#"let e = {kind: "repeated_query", redacted_summary: "where is it"}
len(context_pack_suggestions([e, e])) // 1"#,
    ),
    B::prelude(
        "friction",
        "friction_eval_fixture",
        "fn(fixture: dict) -> dict",
        "Whether events lead to the suggestions that are expected of them.",
        r#"friction_eval_fixture({events: []}).pass // true"#,
    ),
    B::prelude(
        "friction",
        "context_pack_manifest",
        "fn(manifest: dict) -> dict",
        "The manifest of a context pack in its normal form.",
        r#"context_pack_manifest({id: "p", name: "P"}).version // 1"#,
    ),
    B::prelude(
        "friction",
        "context_pack_manifest_parse",
        "fn(text: string) -> dict",
        "Reads the manifest of a context pack from TOML or JSON.",
        r#"context_pack_manifest_parse("id = \"p\"\nname = \"P\"").name // P"#,
    ),
    B::prelude(
        "project",
        "project_fingerprint",
        "fn(path?: string | nil) -> dict",
        "Languages, package managers, test runner and CI of a directory.",
        r#"let d = temp_subdir()
write_file("${d}/Cargo.toml", "")
project_fingerprint(d).primary_language // rust"#,
    )
    .effect(Read),
];
