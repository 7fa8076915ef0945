//! The budget of a trigger: one decision is one dispatch at `act_auto` (spec 08 section 6.5).
//!
//! A trigger's key is its id, whatever the version of its binding. A decision belongs to its event: a replay of the
//! event reuses it. A refusal asks one operator once for each trigger, window and reason.

use harn_eventlog::{Event, Json, LogError, Read, Tx};

use super::ledger::{DECISIONS, Ledger, RELEASED, RESERVED};
use super::limits::{Bound, Limits};
use super::reason::Reason;
use super::refusal::{DEADLINE_MS, EXCEEDED, LIFECYCLE};
use super::reserve::{FROM, NEEDS, Reservation, append_reserved, ruling};
use super::window::Window;
use crate::Moment;
use crate::people::{self, Book, Request, Settled, consume};
use crate::trust::{self, Draft, Outcome, Tier};

const PAGE: usize = 1000;

/// A dispatch that wants to act on its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatch {
    /// The trigger: whose budget, and the agent in records.
    pub trigger_id: String,
    /// `<id>@v<version>`.
    pub binding_key: String,
    /// The event.
    pub event_id: String,
    /// Its trace.
    pub trace_id: String,
    /// `local`, `worker`, `a2a` or `persona`.
    pub handler_kind: String,
    /// The address of a handler elsewhere; empty for a local one.
    pub target_uri: String,
    /// Cap per UTC hour.
    pub per_hour: Option<i64>,
    /// Cap per UTC day.
    pub per_day: Option<i64>,
    /// What the operator declares for the trigger.
    pub bounds: Vec<Bound>,
    /// The event that is replayed.
    pub replay_of: Option<String>,
    /// The run, for the headers of a request.
    pub run_id: Option<String>,
    /// Headers of lifecycle events.
    pub headers: Vec<(String, String)>,
    /// Whether answers of host mocks count: in tests and with the mock model only.
    pub accept_mocked: bool,
}

/// The ruling on a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// It may start once the transaction is committed.
    Admitted {
        /// The decision.
        decision_id: String,
        /// The approval that admits it; then it acts with approval.
        approval_id: Option<String>,
    },
    /// It waits for the operator.
    Waiting {
        /// The request.
        request_id: String,
        /// Why it is asked.
        reason: &'static str,
        /// The request as it was filed now; none when one was pending.
        filed: Option<people::Filed>,
    },
    /// The operator said no.
    Denied {
        /// The request.
        request_id: String,
        /// Why it had been asked.
        reason: &'static str,
    },
}

/// Whom a refusal asks.
pub const OPERATOR: &str = "operator";

fn action_of(trigger: &str, reason: Reason) -> String {
    format!("approve autonomous dispatch for trigger '{trigger}' after {}", reason.code())
}

/// Rules on a dispatch and appends what follows from it. The caller commits and tells the host of a filed request.
pub fn reserve_dispatch(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    book: &mut Book,
    asked: &Dispatch,
    moment: &mut Moment<'_>,
) -> Result<Ruling, LogError> {
    ledger.refresh(tx)?;
    let reservation = Reservation {
        source: "trigger".into(),
        key: asked.trigger_id.clone(),
        event_id: Some(asked.event_id.clone()),
        binding_key: Some(asked.binding_key.clone()),
        limits: Limits { per_hour: asked.per_hour, per_day: asked.per_day, ..Limits::default() },
        bounds: asked.bounds.clone(),
        ..Reservation::default()
    };
    let trace_id = asked.trace_id.as_str();
    if asked.replay_of.is_some()
        && let Some((decision_id, approval_id)) = earlier(tx, asked)?
    {
        return Ok(Ruling::Admitted { decision_id, approval_id });
    }
    let now = Window::at(moment.now_ms);
    let (taken, at) = (ledger.taken(&asked.trigger_id, now), ledger.at(moment.now_ms));
    book.refresh(tx)?;
    let own = requests_of(book, asked);
    if let Some(request) = own.iter().find(|r| lists(r, &asked.event_id)) {
        match &request.settled {
            Some(Settled::Approved { mocked, .. })
                if request.consumed_by.is_none() && (asked.accept_mocked || !mocked) =>
            {
                let decision_id = append_reserved(
                    tx,
                    ledger,
                    &reservation,
                    (taken, at),
                    trace_id,
                    Some(&request.id),
                    moment,
                )?;
                consume::append(tx, request, &decision_id, moment)?;
                return Ok(Ruling::Admitted { decision_id, approval_id: Some(request.id.clone()) });
            }
            Some(Settled::Denied { .. }) => {
                return Ok(Ruling::Denied { request_id: request.id.clone(), reason: reason_of(request) });
            }
            _ => {}
        }
    }
    let Some((reason, limiting)) = ruling(tx, ledger, &reservation, moment.now_ms)? else {
        ledger.checkpoint(tx, moment)?;
        let decision_id = append_reserved(tx, ledger, &reservation, (taken, at), trace_id, None, moment)?;
        return Ok(Ruling::Admitted { decision_id, approval_id: None });
    };
    let mut detail = Json::object([
        ("trigger_id", Json::from(asked.trigger_id.as_str())),
        ("binding_key", asked.binding_key.as_str().into()),
        ("event_id", asked.event_id.as_str().into()),
        ("reason", reason.code().into()),
        ("from_tier", FROM.into()),
        ("requested_tier", NEEDS.into()),
        ("handler_kind", asked.handler_kind.as_str().into()),
        ("target_uri", Some(asked.target_uri.clone()).filter(|uri| !uri.is_empty()).into()),
        ("max_autonomous_decisions_per_hour", asked.per_hour.into()),
        ("max_autonomous_decisions_per_day", asked.per_day.into()),
        ("autonomous_decisions_hour", taken.hour.into()),
        ("autonomous_decisions_today", taken.day.into()),
    ]);
    detail.set("replay_of_event_id", asked.replay_of.clone().into());
    // The limit may be one that the operator declared for a key above.
    if limiting != asked.trigger_id {
        detail.set("limited_by", limiting.into());
    }
    let action = action_of(&asked.trigger_id, reason);
    let pending = own.iter().find(|request| {
        let asked_at = Window::at(request.requested_ms);
        let same = match reason {
            Reason::Hourly => asked_at.hour == taken.window.hour,
            _ => asked_at.day == taken.window.day,
        };
        request.settled.is_none()
            && !request.is_late(moment.now_ms)
            && same
            && request.payload.text("action") == action
    });
    let (request_id, filed) = match pending {
        Some(request) => (request.id.clone(), None),
        None => {
            let approval = people::Approval {
                action,
                detail: detail.clone(),
                args: Some(detail.clone()),
                quorum: 1,
                reviewers: vec![OPERATOR.to_owned()],
                deadline_ms: DEADLINE_MS,
                principal: asked.trigger_id.clone(),
                ..people::Approval::default()
            };
            let origin = people::Origin {
                agent: asked.trigger_id.clone(),
                trace_id: asked.trace_id.clone(),
                run_id: asked.run_id.clone(),
                base: None,
            };
            let filed = people::file(tx, &people::Ask::Approval(approval), &origin, moment)?;
            (filed.request_id.clone(), Some(filed))
        }
    };
    refused(tx, asked, reason, &request_id, moment)?;
    Ok(Ruling::Waiting { request_id, reason: reason.code(), filed })
}

/// The lifecycle event and the trust record of a refusal.
fn refused(
    tx: &mut dyn Tx,
    asked: &Dispatch,
    reason: Reason,
    request_id: &str,
    moment: &mut Moment<'_>,
) -> Result<(), LogError> {
    let mut lifecycle = Json::object([
        ("trigger_id", Json::from(asked.trigger_id.as_str())),
        ("event_id", asked.event_id.as_str().into()),
        ("reason", reason.code().into()),
        ("request_id", request_id.into()),
        ("reviewers", vec![OPERATOR.to_owned()].into()),
        ("from_tier", FROM.into()),
        ("requested_tier", NEEDS.into()),
    ]);
    lifecycle.set("replay_of_event_id", asked.replay_of.clone().into());
    let mut event = Event::new(EXCEEDED, lifecycle, moment.now_ms);
    for (name, value) in &asked.headers {
        event = event.header(name.as_str(), value.as_str());
    }
    tx.append(LIFECYCLE, event)?;
    let metadata = Json::object([
        ("binding_key", Json::from(asked.binding_key.as_str())),
        ("event_id", asked.event_id.as_str().into()),
        ("from_tier", FROM.into()),
        ("to_tier", NEEDS.into()),
        ("reason", reason.code().into()),
        ("request_id", request_id.into()),
        ("reviewers", vec![OPERATOR.to_owned()].into()),
    ]);
    let record = Draft {
        agent: asked.trigger_id.clone(),
        action: "autonomy.tier_transition".into(),
        approver: Some(OPERATOR.to_owned()),
        outcome: Outcome::Denied,
        trace_id: asked.trace_id.clone(),
        tier: Tier::ActWithApproval,
        cost_usd: None,
        metadata,
    };
    trust::append(tx, &record, moment)?;
    Ok(())
}

/// The requests about this trigger's budget, oldest first.
fn requests_of<'b>(book: &'b Book, asked: &Dispatch) -> Vec<&'b Request> {
    let of_budget = |request: &&Request| {
        request.payload.field("args").text("trigger_id") == asked.trigger_id
            && Reason::all()
                .any(|reason| request.payload.text("action") == action_of(&asked.trigger_id, reason))
    };
    book.of_principal(&asked.trigger_id).filter(of_budget).collect()
}

/// Whether the request was filed for this event.
fn lists(request: &Request, event_id: &str) -> bool {
    request.payload.field("args").text("event_id") == event_id
}

fn reason_of(request: &Request) -> &'static str {
    let code = request.payload.field("args").text("reason");
    Reason::all().map(Reason::code).find(|known| *known == code).unwrap_or_default()
}

/// The decision that was reserved for the event before, and not given back.
fn earlier(
    log: &mut (impl Read + ?Sized),
    asked: &Dispatch,
) -> Result<Option<(String, Option<String>)>, LogError> {
    let mut found = None;
    let mut from = 0;
    loop {
        let events = log.read_range(DECISIONS, Some(from), PAGE)?;
        for stored in &events {
            let payload = &stored.event.payload;
            if stored.event.kind == RESERVED
                && payload.text("key") == asked.trigger_id
                && payload.text("event_id") == asked.event_id
            {
                let approval = payload.field("approval_id").as_str().map(str::to_owned);
                found = Some((payload.text("decision_id").to_owned(), approval));
            }
            if stored.event.kind == RELEASED
                && found.as_ref().is_some_and(|(id, _)| id == payload.text("decision_id"))
            {
                found = None;
            }
            from = stored.id;
        }
        if events.len() < PAGE {
            return Ok(found);
        }
    }
}
