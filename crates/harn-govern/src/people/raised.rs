//! What the waiting call gets when its request is settled (spec 08 section 4.1).

use harn_effect::{Data, Outcome, Raised};
use harn_eventlog::Json;

use super::book::{Request, Settled};

/// The outcome of the call that waits for this request; `None` while it is open.
pub fn outcome(request: &Request) -> Option<Outcome> {
    let kind = request.kind.name();
    Some(match request.settled.as_ref()? {
        Settled::Answered { answer, .. } => Ok(answer.to_data()),
        Settled::Approved { record, .. } => Ok(record.to_data()),
        Settled::Accepted { value } => Ok(Json::object([
            ("request_id", Json::from(request.id.as_str())),
            ("role", request.payload.field("role").clone()),
            ("reason", request.payload.field("reason").clone()),
            ("trace_id", request.trace_id.as_str().into()),
            ("status", "accepted".into()),
            ("accepted_at", value.field("responded_at").clone()),
            ("reviewer", value.field("reviewer").clone()),
        ])
        .to_data()),
        Settled::TimedOut => Err(Raised::Thrown(Data::dict([
            ("name", Data::from("HumanTimeoutError")),
            ("category", "timeout".into()),
            ("message", format!("{kind} timed out").into()),
            ("request_id", request.id.as_str().into()),
            ("kind", kind.into()),
        ]))),
        Settled::Denied { reviewer, reason } => Err(Raised::Thrown(Data::dict([
            ("name", Data::from("ApprovalDeniedError")),
            ("category", "generic".into()),
            ("message", reason.as_deref().unwrap_or("approval was denied").into()),
            ("request_id", request.id.as_str().into()),
            ("reviewers", Data::from(reviewer.iter().map(String::as_str).collect::<Vec<_>>())),
            ("reason", Data::from(reason.clone())),
        ]))),
    })
}

/// What a call gets whose waitpoint was cancelled.
pub fn cancelled(request: &Request, reason: Option<&str>) -> Raised {
    let kind = request.kind.name();
    Raised::Thrown(Data::dict([
        ("name", Data::from("HumanCancelledError")),
        ("category", "cancelled".into()),
        ("message", reason.map_or_else(|| format!("{kind} cancelled"), str::to_owned).into()),
        ("request_id", request.id.as_str().into()),
        ("kind", kind.into()),
        ("wait_id", request.id.as_str().into()),
        ("waitpoint_ids", Data::from(vec![request.id.as_str()])),
        ("reason", Data::from(reason.map(str::to_owned))),
    ]))
}
