//! The family of `waitpoint_*`: completing creates, a wait reports how it ended and its report is kept under its id.

use std::collections::BTreeMap;

use harn_eventlog::{Event, Json, LogError, Read, Tx};

use super::{WAITS, last_state, state_topic};
use crate::Moment;

const KINDS: [&str; 3] = ["waitpoint_created", "waitpoint_completed", "waitpoint_cancelled"];

/// The handle of a waitpoint; none when nobody created it.
pub fn load(log: &mut (impl Read + ?Sized), id: &str) -> Result<Option<Json>, LogError> {
    last_state(log, id, &KINDS)
}

/// Creates a waitpoint; one that exists is given back unchanged.
pub fn create(
    tx: &mut dyn Tx,
    id: &str,
    by: &str,
    metadata: Json,
    moment: &Moment<'_>,
) -> Result<Json, LogError> {
    if let Some(handle) = load(tx, id)? {
        return Ok(handle);
    }
    let handle = Json::object([
        ("id", Json::from(id)),
        ("status", "open".into()),
        ("created_at", moment.timestamp().into()),
        ("created_by", by.into()),
        ("completed_at", Json::Null),
        ("completed_by", Json::Null),
        ("cancelled_at", Json::Null),
        ("cancelled_by", Json::Null),
        ("reason", Json::Null),
        ("metadata", metadata),
    ]);
    store(tx, "waitpoint_created", id, handle, moment)
}

/// Completes or cancels a waitpoint, creating it when unknown; one that is ended stays as it is.
pub fn resolve(
    tx: &mut dyn Tx,
    id: &str,
    completed: bool,
    by: &str,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Result<Json, LogError> {
    let mut handle = create(tx, id, by, Json::object::<&str>([]), moment)?;
    if handle.text("status") != "open" {
        return Ok(handle);
    }
    let status = if completed { "completed" } else { "cancelled" };
    handle.set("status", status.into());
    handle.set(&format!("{status}_at"), moment.timestamp().into());
    handle.set(&format!("{status}_by"), by.into());
    handle.set("reason", reason.map(str::to_owned).into());
    store(tx, &format!("waitpoint_{status}"), id, handle, moment)
}

fn store(tx: &mut dyn Tx, kind: &str, id: &str, handle: Json, moment: &Moment<'_>) -> Result<Json, LogError> {
    let event = Event::new(kind, handle.clone(), moment.now_ms).header("waitpoint_id", id);
    tx.append(&state_topic(id), event)?;
    Ok(handle)
}

/// A wait as it began.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Its id.
    pub wait_id: String,
    /// What it waits for.
    pub ids: Vec<String>,
    /// When it began.
    pub started_at: String,
    /// The dispatch's trace.
    pub trace_id: Option<String>,
    /// The event a replay repeats.
    pub replay_of_event_id: Option<String>,
}

/// How a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All are completed.
    Completed,
    /// One is cancelled.
    Cancelled,
    /// The deadline passed.
    TimedOut,
    /// The run was cancelled.
    Interrupted,
}

impl End {
    fn status(self) -> &'static str {
        match self {
            End::Completed => "completed",
            End::Cancelled => "cancelled",
            End::TimedOut => "timed_out",
            End::Interrupted => "interrupted",
        }
    }
}

/// Records that a wait began.
pub fn start(tx: &mut dyn Tx, wait: &Wait, moment: &Moment<'_>) -> Result<(), LogError> {
    let payload = report(tx, wait, "waiting", None, Json::Null)?;
    tx.append(WAITS, event_of("waitpoint_wait_started", wait, payload, moment))?;
    Ok(())
}

/// How the wait stands by the waitpoints alone.
pub fn look(log: &mut (impl Read + ?Sized), wait: &Wait) -> Result<Option<End>, LogError> {
    let mut all = true;
    for id in &wait.ids {
        match load(log, id)?.as_ref().map(|handle| handle.text("status")) {
            Some("cancelled") => return Ok(Some(End::Cancelled)),
            Some("completed") => {}
            _ => all = false,
        }
    }
    Ok(all.then_some(End::Completed))
}

/// Records how a wait ended; gives its report.
pub fn finish(tx: &mut dyn Tx, wait: &Wait, end: End, moment: &Moment<'_>) -> Result<Json, LogError> {
    let payload = report(tx, wait, end.status(), Some(end), moment.timestamp().into())?;
    tx.append(WAITS, event_of(&format!("waitpoint_wait_{}", end.status()), wait, payload.clone(), moment))?;
    Ok(payload)
}

fn event_of(kind: &str, wait: &Wait, payload: Json, moment: &Moment<'_>) -> Event {
    let event = Event::new(kind, payload, moment.now_ms).header("wait_id", wait.wait_id.as_str());
    match &wait.trace_id {
        Some(trace) => event.header("trace_id", trace.as_str()),
        None => event,
    }
}

fn report(
    log: &mut (impl Read + ?Sized),
    wait: &Wait,
    status: &str,
    end: Option<End>,
    resolved_at: Json,
) -> Result<Json, LogError> {
    let mut waitpoints = Vec::new();
    for id in &wait.ids {
        waitpoints.extend(load(log, id)?);
    }
    let cancelled =
        waitpoints.iter().find(|w| w.text("status") == "cancelled").filter(|_| end == Some(End::Cancelled));
    let reason = match end {
        Some(End::TimedOut) => Json::from("deadline elapsed"),
        _ => cancelled.map(|w| w.field("reason").clone()).unwrap_or_default(),
    };
    Ok(Json::object([
        ("wait_id", Json::from(wait.wait_id.as_str())),
        ("waitpoint_ids", wait.ids.clone().into()),
        ("status", status.into()),
        ("started_at", wait.started_at.as_str().into()),
        ("resolved_at", resolved_at),
        ("cancelled_waitpoint_id", cancelled.map(|w| w.field("id").clone()).unwrap_or_default()),
        ("waitpoints", Json::Array(waitpoints)),
        ("trace_id", wait.trace_id.clone().into()),
        ("replay_of_event_id", wait.replay_of_event_id.clone().into()),
        ("reason", reason),
    ]))
}

/// Reports of ended waits by their id.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    cursor: u64,
    ended: BTreeMap<String, Json>,
}

impl Reports {
    /// The report of a wait that ended before.
    pub fn find(&mut self, log: &mut (impl Read + ?Sized), wait_id: &str) -> Result<Option<Json>, LogError> {
        const PAGE: usize = 500;
        loop {
            let events = log.read_range(WAITS, Some(self.cursor), PAGE)?;
            for stored in &events {
                self.cursor = stored.id;
                let kind = stored.event.kind.as_str();
                if kind.starts_with("waitpoint_wait_") && kind != "waitpoint_wait_started" {
                    let payload = stored.event.payload.clone();
                    self.ended.entry(payload.text("wait_id").to_owned()).or_insert(payload);
                }
            }
            if events.len() < PAGE {
                return Ok(self.ended.get(wait_id).cloned());
            }
        }
    }
}
