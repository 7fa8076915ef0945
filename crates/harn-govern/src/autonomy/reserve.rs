//! Admitting a decision: one transaction, so that no thread, process or crash comes between count and record
//! (spec 08 sections 1.4 and 11.1 G1 to G3).

use harn_eventlog::{Event, Json, LogError, Read, Tx};

use std::collections::BTreeSet;

use super::ledger::{DECISIONS, Decided, FREED, Ledger, RELEASED, RESERVED, SPENDING, Taken};
use super::limits::{Bound, Limits};
use super::reason::{Reason, exceeded};
use super::{Window, refusal};
use crate::people::{self, Book, consume};
use crate::{Moment, trust};

/// A decision someone wants to take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reservation {
    /// `agent_loop` or `trigger`.
    pub source: String,
    /// Whose budget.
    pub key: String,
    /// The session of an agent loop.
    pub session_id: Option<String>,
    /// The event of a dispatch.
    pub event_id: Option<String>,
    /// The binding of a dispatch.
    pub binding_key: Option<String>,
    /// The trace of the dispatch; a fresh one is made when absent.
    pub trace_id: Option<String>,
    /// The run, for the headers of a request.
    pub run_id: Option<String>,
    /// What the call itself asks to be held to.
    pub limits: Limits,
    /// Limits that bind besides: declared ones, and those of the keys above.
    pub bounds: Vec<Bound>,
    /// Whom a refusal asks.
    pub reviewer: String,
    /// An approval named for the case that the budget is used up.
    pub approval: Option<String>,
    /// Whether answers of host mocks count: in tests and with the mock model only.
    pub accept_mocked: bool,
    /// The process that will take the decision, where decisions under way are limited.
    pub holder: Option<String>,
    /// Processes that are known to have died: the decisions they were taking are over.
    pub dead: BTreeSet<String>,
}

impl Reservation {
    /// Every limit that binds the decision with its key, its own first.
    fn limits_by_key(&self) -> impl Iterator<Item = (&str, &Limits)> {
        let others = self.bounds.iter().map(|bound| (bound.key.as_str(), &bound.limits));
        std::iter::once((self.key.as_str(), &self.limits)).chain(others)
    }

    /// Every limit that binds the decision, its own first.
    pub fn all_bounds(&self) -> Vec<Bound> {
        self.limits_by_key().map(|(key, limits)| Bound { key: key.to_owned(), limits: *limits }).collect()
    }

    /// Whether a limit on decisions under way binds it.
    pub fn is_concurrency_limited(&self) -> bool {
        self.limits.max_concurrent.is_some() || self.bounds.iter().any(|b| b.limits.max_concurrent.is_some())
    }
}

/// The ruling.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// Go on, once the transaction is committed.
    Admitted {
        /// The decision, for a release.
        decision_id: String,
        /// The approval that was used up for it, or the grant that admitted it.
        approval_id: Option<String>,
    },
    /// Do not start; the request to a reviewer is filed.
    Refused(Box<Refusal>),
    /// The named approval cannot be used; the text of a runtime error. Nothing was appended.
    Invalid(String),
}

/// A refusal and what it left on the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The result dict of the call (spec 08 section 1.5), without the fields `llm` and `tools`.
    pub result: Json,
    /// The request that was filed by this refusal; none when a pending one was reused.
    pub filed: Option<people::Filed>,
}

/// The ruling itself: the first limit that one more decision at `now_ms` would exceed, and the key it belongs to, the call's
/// own limits first. Nothing is appended; the ledger must be up to date.
pub fn ruling(
    log: &mut (impl Read + ?Sized),
    ledger: &mut Ledger,
    asked: &Reservation,
    now_ms: i64,
) -> Result<Option<(Reason, String)>, LogError> {
    let (now, at) = (Window::at(now_ms), ledger.at(now_ms));
    for (key, limits) in asked.limits_by_key() {
        if let Some(reason) = exceeded(ledger.taken(key, now), limits) {
            return Ok(Some((reason, key.to_owned())));
        }
        if let Some(rolling) = limits.rolling
            && ledger.rolling(log, key, rolling.window_ms, at)?.saturating_add(1) > rolling.decisions
        {
            return Ok(Some((Reason::Rolling, key.to_owned())));
        }
        if let Some(most) = limits.max_concurrent {
            let living = ledger.running(key).filter(|(_, holder)| !asked.dead.contains(*holder)).count();
            if living as i64 >= most {
                return Ok(Some((Reason::Concurrent, key.to_owned())));
            }
        }
    }
    Ok(None)
}

/// Says of the decisions of dead processes that they are over.
fn free(tx: &mut dyn Tx, ledger: &Ledger, asked: &Reservation, moment: &Moment<'_>) -> Result<(), LogError> {
    let mut seen = BTreeSet::new();
    for (key, _) in asked.limits_by_key() {
        for (decision, holder) in ledger.running(key) {
            if asked.dead.contains(holder) && seen.insert(decision) {
                let payload =
                    Json::object([("decision_id", Json::from(decision)), ("holder", holder.into())]);
                tx.append(SPENDING, Event::new(FREED, payload, moment.now_ms))?;
            }
        }
    }
    Ok(())
}

/// Rules on a decision and appends what the ruling needs. The caller commits and, when refused, tells the host of the
/// filed request.
pub fn reserve(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    book: &mut Book,
    asked: &Reservation,
    moment: &mut Moment<'_>,
) -> Result<Admission, LogError> {
    ledger.refresh(tx)?;
    let now = Window::at(moment.now_ms);
    let (taken, at) = (ledger.taken(&asked.key, now), ledger.at(moment.now_ms));
    let trace_id = match &asked.trace_id {
        Some(trace) => trace.clone(),
        None => format!("trace_{}", moment.uuid7()),
    };
    free(tx, ledger, asked, moment)?;
    let Some((reason, limiting)) = ruling(tx, ledger, asked, moment.now_ms)? else {
        ledger.checkpoint(tx, moment)?;
        let decision_id = append_reserved(tx, ledger, asked, (taken, at), &trace_id, None, moment)?;
        return Ok(Admission::Admitted { decision_id, approval_id: None });
    };
    book.refresh(tx)?;
    let approval = match &asked.approval {
        Some(id) => match refusal::named_approval(book, asked, id, moment.now_ms) {
            Ok(found) => found,
            Err(text) => return Ok(Admission::Invalid(text)),
        },
        None => refusal::unused_approval(book, asked),
    };
    if let Some(request) = approval {
        let decision_id = append_reserved(tx, ledger, asked, (taken, at), &trace_id, Some(&request), moment)?;
        let Some(request) = book.get(&request) else {
            return Ok(Admission::Invalid(format!("unknown HITL request id '{request}'")));
        };
        consume::append(tx, request, &decision_id, moment)?;
        return Ok(Admission::Admitted { decision_id, approval_id: Some(request.id.clone()) });
    }
    let granted = book
        .grants()
        .find(|grant| grant.key == asked.key && grant.reviewer == asked.reviewer && grant.admits(at));
    if let Some(grant) = granted {
        let decision_id =
            append_reserved(tx, ledger, asked, (taken, at), &trace_id, Some(&grant.id), moment)?;
        people::grants::use_up(tx, &grant.id, &decision_id, moment)?;
        return Ok(Admission::Admitted { decision_id, approval_id: Some(grant.id.clone()) });
    }
    let refused = refusal::refuse(tx, book, asked, (reason, &limiting), taken, &trace_id, moment)?;
    Ok(Admission::Refused(Box::new(refused)))
}

pub(super) fn append_reserved(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    asked: &Reservation,
    (taken, at): (Taken, i64),
    trace_id: &str,
    approval: Option<&str>,
    moment: &mut Moment<'_>,
) -> Result<String, LogError> {
    let decision_id = moment.uuid7();
    let counted = i64::from(approval.is_none());
    let mut payload = Json::object([
        ("decision_id", Json::from(decision_id.as_str())),
        ("key", asked.key.as_str().into()),
        ("source", asked.source.as_str().into()),
        ("hour_index", taken.window.hour.into()),
        ("day_index", taken.window.day.into()),
        ("seq_hour", (taken.hour + counted).into()),
        ("seq_day", (taken.day + counted).into()),
        ("per_hour", asked.limits.per_hour.into()),
        ("per_day", asked.limits.per_day.into()),
        ("at_ms", at.into()),
        ("trace_id", trace_id.into()),
        ("approval_id", approval.into()),
    ]);
    for (name, value) in [
        ("session_id", &asked.session_id),
        ("event_id", &asked.event_id),
        ("binding_key", &asked.binding_key),
        ("holder", &asked.holder),
    ] {
        if let Some(text) = value {
            payload.set(name, text.as_str().into());
        }
    }
    let event = Event::new(RESERVED, payload, moment.now_ms).header("key", asked.key.as_str());
    let id = tx.append(DECISIONS, event)?;
    let decided = Decided {
        id: &decision_id,
        key: &asked.key,
        window: taken.window,
        at,
        counted: approval.is_none(),
        holder: asked.holder.as_deref(),
    };
    ledger.appended(id, &decided);
    Ok(decision_id)
}

/// Gives a decision back; only before any model call or effect of it. Unknown and released ones are left alone.
pub fn release(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    decision_id: &str,
    reason: &str,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    ledger.refresh(tx)?;
    if ledger.holds(decision_id) {
        let payload = Json::object([("decision_id", Json::from(decision_id)), ("reason", reason.into())]);
        tx.append(DECISIONS, Event::new(RELEASED, payload, moment.now_ms))?;
    }
    Ok(())
}

/// The action that an approval of a budget request stands for.
pub(super) fn action_of(key: &str, reason: Reason) -> String {
    format!("approve autonomous agent_loop dispatch for '{key}' after {}", reason.code())
}

/// The tier names of a refusal.
pub(super) const FROM: &str = trust::Tier::ActAuto.name();
/// What the refused decision needs.
pub(super) const NEEDS: &str = trust::Tier::ActWithApproval.name();
