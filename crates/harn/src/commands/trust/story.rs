//! `harn trust explain`: the story of a decision, a request or a trace in plain words (spec 08 section 11.1 G11).

use super::{log_error, text};
use crate::{output, project_log};
use clap::ArgMatches;
use harn_eventlog::{Json, Stored};
use harn_govern::moment::timestamp;
use std::process::ExitCode;

/// Where the events of a decision are.
const TOLD: [&str; 11] = [
    "autonomy.decisions",
    "triggers.lifecycle",
    "hitl.questions",
    "hitl.approvals",
    "hitl.dual_control",
    "hitl.escalations",
    "hitl.grants",
    "hitl.consumptions",
    "trust_graph",
    "run.effects",
    "connectors.egress.audit",
];

/// The names by which an event can be found.
fn names_of(payload: &Json) -> Vec<&str> {
    let metadata = payload.field("metadata");
    let names = [
        payload.text("request_id"),
        payload.text("trace_id"),
        payload.text("approval_id"),
        payload.text("decision_id"),
        payload.text("consumed_by"),
        payload.text("record_id"),
        payload.text("grant_id"),
        metadata.text("request_id"),
    ];
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

pub fn explain(given: &ArgMatches) -> Result<ExitCode, String> {
    let id = text(given, "id").unwrap_or_default();
    let mut store = project_log::require()?;
    let mut events: Vec<(&str, Stored)> = Vec::new();
    for topic in TOLD {
        for stored in store.read_range(topic, None, usize::MAX).map_err(log_error)? {
            events.push((topic, stored));
        }
    }
    // A request names its trace and a trace its requests: both belong to the story.
    let mut names = std::collections::BTreeSet::from([id.clone()]);
    let mut told = vec![false; events.len()];
    loop {
        let mut grown = false;
        for ((_, stored), told) in events.iter().zip(&mut told) {
            let own = names_of(&stored.event.payload);
            if !*told && own.iter().any(|name| names.contains(*name)) {
                *told = true;
                grown = true;
                names.extend(own.into_iter().map(str::to_owned));
            }
        }
        if !grown {
            break;
        }
    }
    let mut story: Vec<_> =
        events.into_iter().zip(told).filter(|(_, told)| *told).map(|(event, _)| event).collect();
    if story.is_empty() {
        return Err(format!(
            "nothing in {} names '{id}': it may be the id of a decision, request, grant, record or trace; \
             `harn trust query` and `harn hitl list` show some",
            project_log::place()
        ));
    }
    story.sort_by_key(|(_, stored)| stored.event.occurred_at_ms);
    if given.get_flag("json") {
        let rows = story.iter().map(|(topic, stored)| {
            Json::object([
                ("topic", Json::from(*topic)),
                ("id", Json::Int(stored.id as i64)),
                ("kind", stored.event.kind.as_str().into()),
                ("occurred_at_ms", stored.event.occurred_at_ms.into()),
                ("payload", stored.event.payload.clone()),
            ])
        });
        output::outln(&Json::Array(rows.collect()).canonical());
        return Ok(ExitCode::SUCCESS);
    }
    for (topic, stored) in story {
        let said = sentence(&stored.event.kind, &stored.event.payload);
        let at = timestamp(stored.event.occurred_at_ms);
        output::outln(&format!("{at} {said} [{topic}#{} {}]", stored.id, stored.event.kind));
    }
    Ok(ExitCode::SUCCESS)
}

/// `: because` when there is a reason.
fn because(payload: &Json) -> String {
    match payload.text("reason") {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}

/// What an event says.
fn sentence(kind: &str, payload: &Json) -> String {
    let field = |name: &str| payload.text(name);
    let inner = payload.field("payload");
    let who = |name: &str| {
        if field(name).is_empty() { "somebody".to_owned() } else { format!("'{}'", field(name)) }
    };
    let signed = if field("signature").is_empty() { "" } else { ", signed" };
    match kind {
        "autonomy.decision_reserved" => {
            let approval = field("approval_id");
            let by = if approval.is_empty() {
                let count = |name: &str| payload.field(name).as_int().unwrap_or(0);
                format!("decision {} of this hour, {} of this day", count("seq_hour"), count("seq_day"))
            } else {
                format!("on the strength of {approval}")
            };
            format!("'{}' was admitted to decide alone: {by} ({})", field("key"), field("decision_id"))
        }
        "autonomy.decision_released" => {
            format!("decision {} was given back{}", field("decision_id"), because(payload))
        }
        "autonomy.budget_exceeded" => format!(
            "'{}' was not admitted: {}; approving {} lifts it once",
            field("agent_key"),
            field("reason"),
            field("request_id")
        ),
        "hitl.response_received" | "hitl.escalation_accepted" => {
            let verdict = match (payload.field("approved").as_bool(), payload.field("accepted").as_bool()) {
                (Some(true), _) => "approved",
                (Some(false), _) => "denied",
                (_, Some(true)) => "took",
                (_, Some(false)) => "declined",
                _ => "answered",
            };
            format!("{} {verdict} {}{signed}{}", who("reviewer"), field("request_id"), because(payload))
        }
        "hitl.response_rejected" => {
            format!(
                "an answer of {} to {} did not count{}",
                who("reviewer"),
                field("request_id"),
                because(payload)
            )
        }
        "hitl.approval_approved" | "hitl.dual_control_approved" => {
            let reviewers = payload.field("record").field("reviewers").strings().join(", ");
            format!("{} stands as approved by {reviewers}", field("request_id"))
        }
        "hitl.approval_denied" | "hitl.dual_control_denied" => {
            format!("{} stands as denied by {}{}", field("request_id"), who("reviewer"), because(payload))
        }
        "hitl.dual_control_executed" => format!("what {} allowed was done", field("request_id")),
        "hitl.timeout" => format!("nobody answered {} in time", field("request_id")),
        "hitl.approval_consumed" => {
            format!("the approval {} was used up for {}", field("request_id"), field("consumed_by"))
        }
        "hitl.grant_given" => format!(
            "{} granted '{}' {} decisions until {}{signed}{} ({})",
            who("reviewer"),
            field("key"),
            payload.field("decisions").as_int().unwrap_or(0),
            field("expires_at"),
            because(payload),
            field("grant_id")
        ),
        "hitl.grant_revoked" => {
            format!("{} revoked the grant {}{}", who("reviewer"), field("grant_id"), because(payload))
        }
        "trust_recorded" => {
            let approver = if field("approver").is_empty() || field("outcome") != "success" {
                String::new()
            } else {
                format!(", approved by '{}'", field("approver"))
            };
            format!(
                "'{}' {}: {} at {}{approver}",
                field("agent"),
                field("action"),
                field("outcome"),
                field("autonomy_tier")
            )
        }
        "effect.decided" => {
            let word = match field("ruling") {
                "allow" => "allowed",
                "ask" => "put to a person",
                _ => "refused",
            };
            format!("{} of '{}' was {word}{}", field("op"), field("subject"), because(payload))
        }
        "effect.done" => match payload.field("ok").as_bool() {
            Some(true) => format!("{} succeeded", field("decision_id")),
            _ => format!("{} failed ({})", field("decision_id"), field("error")),
        },
        _ if !field("requested_at").is_empty() => {
            let prompt = ["prompt", "action", "reason"].map(|name| inner.text(name));
            let prompt = prompt.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            let reviewers = inner.field("reviewers").strings();
            let whom = if reviewers.is_empty() { "anyone".to_owned() } else { reviewers.join(", ") };
            format!("{whom} was asked: {prompt} ({})", field("request_id"))
        }
        _ => names_of(payload).join(" "),
    }
}
