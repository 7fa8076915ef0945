//! Taking an answer in, and giving up on one.

use harn_eventlog::{Event, Json, LogError, Tx};

use super::book::{Request, Settled};
use super::{Book, Kind};
use crate::moment::timestamp;
use crate::{Moment, waitpoint};

/// What became of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// It is on the log; the request may still be open.
    Taken {
        /// Whether the request is settled now.
        settled: bool,
    },
    /// It does not count; the text says why. The caller commits all the same: the rejection may be on the log.
    Rejected(String),
}

/// Takes in a response `{request_id, answer?, approved?, accepted?, reviewer?, reason?, metadata?, responded_at?,
/// signature?}` that came through `channel` (spec 08 section 4.3).
pub fn deliver(
    tx: &mut dyn Tx,
    book: &mut Book,
    response: &Json,
    channel: &str,
    moment: &Moment<'_>,
) -> Result<Delivery, LogError> {
    book.refresh(tx)?;
    let id = response.text("request_id");
    let Some(request) = Kind::of_id(id).and_then(|_| book.get(id)) else {
        return Ok(Delivery::Rejected(format!("unknown HITL request id '{id}'")));
    };
    if request.settled.is_none() && request.is_late(moment.now_ms) {
        time_out(tx, request, moment)?;
        return Ok(Delivery::Rejected(request.expired_text()));
    }
    if request.settled == Some(Settled::TimedOut) {
        return Ok(Delivery::Rejected(request.expired_text()));
    }
    let mut stored = Json::object([("request_id", Json::from(id))]);
    for field in ["answer", "approved", "accepted", "reviewer", "reason", "signature"] {
        if let Some(value) = response.get(field).filter(|v| !v.is_null()) {
            stored.set(field, value.clone());
        }
    }
    let metadata = match response.field("metadata") {
        Json::Object(fields) => Json::Object(fields.clone()),
        _ => Json::object::<&str>([]),
    };
    stored.set("metadata", metadata.with("channel", channel));
    let responded_at =
        response.field("responded_at").as_str().map_or_else(|| moment.timestamp(), str::to_owned);
    stored.set("responded_at", responded_at.into());
    let reviewer = stored.text("reviewer").to_owned();
    if request.is_requester(&reviewer) {
        let payload = stored.with("reason", "self_approval");
        tx.append(request.kind.topic(), event_of(request, "hitl.response_rejected", payload, moment))?;
        return Ok(Delivery::Rejected(format!(
            "HITL request '{id}' cannot be answered by its requester '{reviewer}'"
        )));
    }
    if !request.is_authentic(&stored, book.keyring()) {
        let reason = if stored.text("signature").is_empty() { "unsigned" } else { "bad_signature" };
        let payload = stored.with("reason", reason);
        tx.append(request.kind.topic(), event_of(request, "hitl.response_rejected", payload, moment))?;
        let whose = if reviewer.is_empty() { "its reviewer".to_owned() } else { format!("'{reviewer}'") };
        return Ok(Delivery::Rejected(format!(
            "HITL request '{id}' must be answered with the signature of {whose}: {reason}"
        )));
    }
    let accepted = request.kind == Kind::Escalation && stored.field("accepted").as_bool() == Some(true);
    let kind = if accepted { "hitl.escalation_accepted" } else { "hitl.response_received" };
    let event = Event::new(kind, stored.clone(), moment.now_ms).header("request_id", id);
    tx.append(request.kind.topic(), event)?;
    if request.settled.is_some() {
        return Ok(Delivery::Taken { settled: true });
    }
    let mut after = request.clone();
    after.respond(&stored, moment.now_ms, book.keyring());
    settle(tx, &after, &reviewer, moment)?;
    Ok(Delivery::Taken { settled: after.settled.is_some() })
}

/// Writes what follows from the answer that settled a request.
fn settle(tx: &mut dyn Tx, request: &Request, reviewer: &str, moment: &Moment<'_>) -> Result<(), LogError> {
    let id = request.id.as_str();
    let actor = Some(reviewer).filter(|r| !r.is_empty());
    match &request.settled {
        Some(Settled::Answered { answer, .. }) => {
            waitpoint::valued::settle(tx, id, Some(answer.clone()), actor, None, moment)
        }
        Some(Settled::Accepted { value }) => {
            let reason = value.field("reason").as_str();
            waitpoint::valued::settle(tx, id, Some(value.clone()), actor, reason, moment)
        }
        Some(Settled::Approved { record, .. }) => {
            if let Some((approved, _)) = request.kind.decision_events() {
                let payload = Json::object([("request_id", Json::from(id)), ("record", record.clone())]);
                tx.append(request.kind.topic(), event_of(request, approved, payload, moment))?;
            }
            let reason = record.field("reason").as_str();
            waitpoint::valued::settle(tx, id, Some(record.clone()), actor, reason, moment)
        }
        Some(Settled::Denied { reviewer, reason }) => {
            if let Some((_, denied)) = request.kind.decision_events() {
                let payload = Json::object([
                    ("request_id", Json::from(id)),
                    ("reviewer", reviewer.clone().into()),
                    ("reason", reason.clone().into()),
                ]);
                tx.append(request.kind.topic(), event_of(request, denied, payload, moment))?;
            }
            waitpoint::valued::settle(tx, id, None, actor, reason.as_deref(), moment)
        }
        Some(Settled::TimedOut) | None => Ok(()),
    }
}

/// Ends every request among `ids` whose deadline has come; gives those ended now.
pub fn expire(
    tx: &mut dyn Tx,
    book: &mut Book,
    ids: &[String],
    moment: &Moment<'_>,
) -> Result<Vec<String>, LogError> {
    book.refresh(tx)?;
    let mut ended = Vec::new();
    for request in ids.iter().filter_map(|id| book.get(id)) {
        if request.settled.is_none()
            && request.deadline_at().is_some_and(|deadline| moment.now_ms >= deadline)
        {
            time_out(tx, request, moment)?;
            ended.push(request.id.clone());
        }
    }
    Ok(ended)
}

fn time_out(tx: &mut dyn Tx, request: &Request, moment: &Moment<'_>) -> Result<(), LogError> {
    let payload = Json::object([
        ("request_id", Json::from(request.id.as_str())),
        ("kind", request.kind.name().into()),
        ("trace_id", request.trace_id.as_str().into()),
        ("timed_out_at", timestamp(moment.now_ms).into()),
    ]);
    tx.append(request.kind.topic(), event_of(request, "hitl.timeout", payload, moment))?;
    Ok(())
}

fn event_of(request: &Request, kind: &str, payload: Json, moment: &Moment<'_>) -> Event {
    Event::new(kind, payload, moment.now_ms)
        .header("request_id", request.id.as_str())
        .header("trace_id", request.trace_id.as_str())
}
