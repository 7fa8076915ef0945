//! What an exhausted budget leaves behind, and which approvals lift it (spec 08 sections 1.5 and 11.1 G3).

use harn_eventlog::{Event, Json, LogError, Tx};

use super::amount::Resource;
use super::ledger::{Taken, amount_json};
use super::reason::{Reason, Span};
use super::reserve::{FROM, NEEDS, Refusal, Reservation, action_of};
use super::window::Window;
use crate::Moment;
use crate::people::{self, Book, Kind, Request, Settled};
use crate::trust::{self, Draft, Outcome, Tier};

/// The topic of refusals.
pub(super) const LIFECYCLE: &str = "triggers.lifecycle";
/// Their kind.
pub(super) const EXCEEDED: &str = "autonomy.budget_exceeded";
/// A reviewer has a day.
pub(super) const DEADLINE_MS: i64 = 24 * 3_600_000;

/// Whether a request asks for one more decision of this key.
fn is_for_key(request: &Request, key: &str) -> bool {
    request.kind == Kind::Approval
        && request.principal() == key
        && request.payload.field("args").text("agent_key") == key
        && Reason::all().any(|reason| request.payload.text("action") == action_of(key, reason))
}

fn is_usable(request: &Request, accept_mocked: bool) -> bool {
    request.consumed_by.is_none()
        && matches!(&request.settled, Some(Settled::Approved { mocked, .. }) if accept_mocked || !mocked)
}

/// The oldest approved and unused request of the key.
pub(super) fn unused_approval(book: &Book, asked: &Reservation) -> Option<String> {
    let mut usable = book
        .of_principal(&asked.key)
        .filter(|r| is_for_key(r, &asked.key) && is_usable(r, asked.accept_mocked));
    usable.next().map(|r| r.id.clone())
}

/// The approval that the call names: usable, or an open request (then the refusal stands), or an error.
pub(super) fn named_approval(
    book: &Book,
    asked: &Reservation,
    id: &str,
    now_ms: i64,
) -> Result<Option<String>, String> {
    let request = book.get(id).ok_or_else(|| format!("unknown HITL request id '{id}'"))?;
    if !is_for_key(request, &asked.key) {
        return Err(format!("approval '{id}' was given for something else"));
    }
    if request.consumed_by.is_some() {
        return Err(format!("approval '{id}' was already used"));
    }
    match &request.settled {
        Some(Settled::Approved { .. }) if is_usable(request, asked.accept_mocked) => Ok(Some(id.to_owned())),
        Some(Settled::Denied { .. }) => Err(format!("approval '{id}' was denied")),
        Some(Settled::TimedOut) => Err(request.expired_text()),
        None if request.is_late(now_ms) => Err(request.expired_text()),
        _ => Ok(None),
    }
}

/// Files the request (or reuses the pending one), the lifecycle event and the trust record, in this order.
pub(super) fn refuse(
    tx: &mut dyn Tx,
    book: &Book,
    asked: &Reservation,
    (reason, limiting): (Reason, &str),
    taken: Taken,
    trace_id: &str,
    moment: &mut Moment<'_>,
) -> Result<Refusal, LogError> {
    let mut detail = Json::object([
        ("agent_key", Json::from(asked.key.as_str())),
        ("session_id", asked.session_id.clone().into()),
        ("reason", reason.code().into()),
        ("from_tier", FROM.into()),
        ("requested_tier", NEEDS.into()),
        ("per_hour", asked.limits.per_hour.into()),
        ("per_day", asked.limits.per_day.into()),
        ("autonomous_decisions_hour", taken.hour.into()),
        ("autonomous_decisions_today", taken.day.into()),
    ]);
    if let Some(rolling) = asked.limits.rolling {
        let rolling = [("decisions", rolling.decisions), ("window_ms", rolling.window_ms)];
        detail.set("rolling", Json::object(rolling.map(|(name, n)| (name, Json::Int(n)))));
    }
    for resource in Resource::ALL {
        let caps = asked.limits.on(resource);
        if !caps.is_empty() {
            let windows = [("per_hour", caps.per_hour), ("per_day", caps.per_day)];
            let shown = windows.map(|(name, cap)| (name, cap.map(|cap| resource.json(cap)).into()));
            detail.set(resource.name(), Json::object(shown));
        }
    }
    if let Some(most) = asked.limits.max_concurrent {
        detail.set("max_concurrent", most.into());
    }
    if asked.all_bounds().iter().any(|bound| bound.limits.limits_spending()) {
        detail.set("spent_hour", Json::object(amount_json(taken.spent_hour)));
        detail.set("spent_today", Json::object(amount_json(taken.spent_day)));
    }
    // The limit may be that of a key above.
    if limiting != asked.key {
        detail.set("limited_by", limiting.into());
    }
    let pending = pending_request(book, asked, reason, taken.window, moment.now_ms).map(|r| r.id.clone());
    let (request_id, filed) = match pending {
        Some(id) => (id, None),
        None => {
            let approval = people::Approval {
                action: action_of(&asked.key, reason),
                detail: detail.clone(),
                args: Some(detail.clone()),
                quorum: 1,
                reviewers: vec![asked.reviewer.clone()],
                deadline_ms: DEADLINE_MS,
                principal: asked.key.clone(),
                ..people::Approval::default()
            };
            let origin = people::Origin {
                agent: asked.key.clone(),
                trace_id: trace_id.to_owned(),
                run_id: asked.run_id.clone(),
                base: None,
            };
            let filed = people::file(tx, &people::Ask::Approval(approval), &origin, moment)?;
            (filed.request_id.clone(), Some(filed))
        }
    };
    let mut lifecycle = detail
        .clone()
        .with("trace_id", trace_id)
        .with("request_id", request_id.as_str())
        .with("reviewers", vec![asked.reviewer.clone()])
        .with("source", asked.source.as_str());
    if filed.is_none() {
        lifecycle.set("repeat", repeats(tx, &request_id)?.into());
    }
    tx.append(LIFECYCLE, Event::new(EXCEEDED, lifecycle, moment.now_ms))?;
    let metadata = Json::object([
        ("session_id", Json::from(asked.session_id.clone())),
        ("from_tier", FROM.into()),
        ("to_tier", NEEDS.into()),
        ("reason", reason.code().into()),
        ("request_id", request_id.as_str().into()),
        ("source", asked.source.as_str().into()),
        ("reviewers", vec![asked.reviewer.clone()].into()),
    ]);
    let record = Draft {
        agent: asked.key.clone(),
        action: "autonomy.tier_transition".into(),
        approver: Some(asked.reviewer.clone()),
        outcome: Outcome::Denied,
        trace_id: trace_id.to_owned(),
        tier: Tier::ActWithApproval,
        cost_usd: None,
        metadata,
    };
    trust::append(tx, &record, moment)?;
    let mut result = detail
        .with("status", "approval_required")
        .with("approval_required", true)
        .with("request_id", request_id)
        .with("reviewers", vec![asked.reviewer.clone()]);
    result.set("session_id", asked.session_id.clone().into());
    Ok(Refusal { result, filed })
}

/// The open request of the same key, window and reason; the window is the one that counts, which a clock that steps back
/// does not leave.
fn pending_request<'b>(
    book: &'b Book,
    asked: &Reservation,
    reason: Reason,
    window: Window,
    now_ms: i64,
) -> Option<&'b Request> {
    book.of_principal(&asked.key).find(|request| {
        let asked_at = Window::at(request.requested_ms);
        let same_window = match reason {
            Reason::Hourly | Reason::Spent(_, Span::Hour) => asked_at.hour == window.hour,
            Reason::Daily | Reason::Spent(_, Span::Day) => asked_at.day == window.day,
            // Where there is no window with an index one open request is enough.
            Reason::Rolling | Reason::Concurrent => true,
        };
        request.settled.is_none()
            && !request.is_late(now_ms)
            && same_window
            && is_for_key(request, &asked.key)
            && request.payload.text("action") == action_of(&asked.key, reason)
            && request.payload.field("reviewers").strings() == [asked.reviewer.as_str()]
    })
}

/// How often the same request was returned before: counted from the last lifecycle event that names it.
fn repeats(tx: &mut dyn Tx, request_id: &str) -> Result<i64, LogError> {
    const BACK: u64 = 256;
    let mut upper = tx.latest(LIFECYCLE)?.unwrap_or(0);
    while upper > 0 {
        let lower = upper.saturating_sub(BACK);
        let events = tx.read_range(LIFECYCLE, Some(lower), (upper - lower) as usize)?;
        for stored in events.iter().rev() {
            let payload = &stored.event.payload;
            if stored.event.kind == EXCEEDED && payload.text("request_id") == request_id {
                return Ok(payload.field("repeat").as_int().unwrap_or(0) + 1);
            }
        }
        upper = lower;
    }
    Ok(1)
}
