//! The family of `std/waitpoint`, which also carries HITL requests: a waitpoint has a value and must exist.

use harn_effect::{Data, Raised};
use harn_eventlog::{Event, Json, LogError, Read, Tx};

use super::{Ruled, last_state, state_topic};
use crate::Moment;

const STATE: &str = "waitpoint.state";

/// The record of a waitpoint; none when nobody created it.
pub fn load(log: &mut (impl Read + ?Sized), id: &str) -> Result<Option<Json>, LogError> {
    last_state(log, id, &[STATE])
}

/// Creates a waitpoint; one that exists is given back unchanged.
pub fn create(tx: &mut dyn Tx, id: &str, metadata: Json, moment: &Moment<'_>) -> Result<Json, LogError> {
    if let Some(record) = load(tx, id)? {
        return Ok(record);
    }
    let record = Json::object([
        ("id", Json::from(id)),
        ("status", "open".into()),
        ("created_at", moment.timestamp().into()),
        ("completed_at", Json::Null),
        ("cancelled_at", Json::Null),
        ("completed_by", Json::Null),
        ("cancelled_by", Json::Null),
        ("value", Json::Null),
        ("reason", Json::Null),
        ("metadata", metadata),
    ]);
    store(tx, id, record, moment)
}

/// Completes a waitpoint with a value.
pub fn complete(
    tx: &mut dyn Tx,
    id: &str,
    value: Json,
    by: Option<&str>,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Ruled<Json> {
    transition(tx, "complete", id, Some(value), by, reason, moment)
}

/// Cancels a waitpoint.
pub fn cancel(
    tx: &mut dyn Tx,
    id: &str,
    by: Option<&str>,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Ruled<Json> {
    transition(tx, "cancel", id, None, by, reason, moment)
}

/// Ends the waitpoint of a request: with a value completed, without cancelled. One that is ended stays as it is.
pub(crate) fn settle(
    tx: &mut dyn Tx,
    id: &str,
    value: Option<Json>,
    by: Option<&str>,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    let verb = if value.is_some() { "complete" } else { "cancel" };
    transition(tx, verb, id, value, by, reason, moment).map(|_| ())
}

fn transition(
    tx: &mut dyn Tx,
    verb: &str,
    id: &str,
    value: Option<Json>,
    by: Option<&str>,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Ruled<Json> {
    let Some(mut record) = load(tx, id)? else {
        return Ok(Err(format!("waitpoint.{verb}: unknown waitpoint '{id}'")));
    };
    let status = if value.is_some() { "completed" } else { "cancelled" };
    match record.text("status") {
        "open" => {}
        same if same == status => return Ok(Ok(record)),
        other => return Ok(Err(format!("waitpoint.{verb}: waitpoint '{id}' is already {other}"))),
    }
    record.set("status", status.into());
    record.set(&format!("{status}_at"), moment.timestamp().into());
    record.set(&format!("{status}_by"), by.map(str::to_owned).into());
    record.set("value", value.unwrap_or_default());
    record.set("reason", reason.map(str::to_owned).into());
    store(tx, id, record, moment).map(Ok)
}

fn store(tx: &mut dyn Tx, id: &str, record: Json, moment: &Moment<'_>) -> Result<Json, LogError> {
    let event = Event::new(STATE, record.clone(), moment.now_ms).header("waitpoint_id", id);
    tx.append(&state_topic(id), event)?;
    Ok(record)
}

/// How a wait for these ids stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// Every one is completed: their records, in the order of `ids`.
    Completed(Vec<Json>),
    /// One is cancelled.
    Cancelled(Json),
    /// Not yet.
    Open,
    /// Nobody created this one.
    Unknown(String),
}

/// Looks at a wait.
pub fn wait(log: &mut (impl Read + ?Sized), ids: &[String]) -> Result<Wait, LogError> {
    let mut records = Vec::new();
    for id in ids {
        match load(log, id)? {
            Some(record) => records.push(record),
            None => return Ok(Wait::Unknown(id.clone())),
        }
    }
    if let Some(record) = records.iter().find(|r| r.text("status") == "cancelled") {
        return Ok(Wait::Cancelled(record.clone()));
    }
    let done = records.iter().all(|r| r.text("status") == "completed");
    Ok(if done { Wait::Completed(records) } else { Wait::Open })
}

/// What a wait throws at its deadline.
pub fn timed_out(wait_id: &str) -> Raised {
    Raised::Thrown(Data::dict([
        ("name", Data::from("WaitpointTimeoutError")),
        ("category", "timeout".into()),
        ("message", "waitpoint timed out".into()),
        ("wait_id", wait_id.into()),
    ]))
}

/// What a wait throws when a waitpoint was cancelled.
pub fn cancelled(wait_id: &str, ids: &[String], record: &Json) -> Raised {
    let reason = record.field("reason").as_str();
    Raised::Thrown(Data::dict([
        ("name", Data::from("WaitpointCancelledError")),
        ("category", "cancelled".into()),
        ("message", reason.unwrap_or("waitpoint was cancelled").into()),
        ("wait_id", wait_id.into()),
        ("waitpoint_ids", Data::from(ids.to_vec())),
        ("reason", Data::from(reason.map(str::to_owned))),
    ]))
}
