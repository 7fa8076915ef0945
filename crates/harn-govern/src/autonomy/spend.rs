//! What decisions spend while they are under way: set aside at the worst case before it is spent, settled with the actual
//! afterwards.
//!
//! The worst case counts from the moment it is set aside, so what several processes spend at once never exceeds a limit
//! together. A call whose outcome nobody hears of (its process died, its connection broke) stays at its worst case until
//! the windows end.

use std::collections::BTreeSet;

use harn_eventlog::{Event, Json, LogError, Tx};

use super::Window;
use super::amount::{Amount, Resource};
use super::ledger::{FINISHED, Ledger, SETTLED, SPENDING, SPENT, Taken, amount_json};
use super::limits::Bound;
use super::reason::{Reason, Span};
use super::refusal::{EXCEEDED, LIFECYCLE};
use crate::Moment;

/// A decision under way on whose account something is spent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spender {
    /// The decision.
    pub decision_id: String,
    /// Whose decision.
    pub key: String,
    /// Whether it counts: one that a person admitted beyond the budget does not, and neither does what it spends.
    pub counted: bool,
    /// Every limit that binds it.
    pub bounds: Vec<Bound>,
}

impl Spender {
    /// Whether a limit on decisions under way binds it.
    pub fn needs_slot(&self) -> bool {
        self.counted && self.bounds.iter().any(|bound| bound.limits.max_concurrent.is_some())
    }
}

/// Something that is about to be spent.
#[derive(Clone, Debug, PartialEq)]
pub struct Spend<'a> {
    /// The decisions that the task is in, from the outermost: each of them pays.
    pub spenders: &'a [Spender],
    /// The effect, `llm.call` or `tool.call`.
    pub op: &'a str,
    /// What it will come to at most.
    pub worst: Amount,
    /// Whether the price is known; of a tool call it is.
    pub priced: bool,
    /// Whether the worst case is what it comes to, so that it is never settled.
    pub exact: bool,
    /// The trace of the dispatch.
    pub trace_id: Option<&'a str>,
}

/// A refusal to spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// The stable reason code.
    pub reason: &'static str,
    /// The key whose limit it is.
    pub key: String,
    /// What is wrong, in one sentence.
    pub text: String,
}

/// The price of a model is not known and nothing else bounds what it costs.
const UNKNOWN_PRICE: &str = "unknown_price";

impl Spend<'_> {
    fn paying(&self) -> impl Iterator<Item = &Spender> {
        self.spenders.iter().filter(|spender| spender.counted)
    }

    fn bounds(&self) -> impl Iterator<Item = &Bound> {
        self.paying().flat_map(|spender| &spender.bounds)
    }

    /// The keys that pay, each once; the keys above them pay too.
    fn keys(&self) -> Vec<String> {
        let keys: BTreeSet<&str> = self.paying().map(|spender| spender.key.as_str()).collect();
        keys.into_iter().map(str::to_owned).collect()
    }

    /// Whether anything limits it, so that it must be set aside beforehand.
    pub fn is_limited(&self) -> bool {
        self.bounds().any(|bound| bound.limits.limits_spending())
    }

    /// The first limit that it would exceed; `taken` gives what a key has taken in its present windows.
    pub(super) fn over(&self, taken: &dyn Fn(&str) -> Taken) -> Option<OverLimit> {
        for Bound { key, limits } in self.bounds() {
            // A cap on tokens bounds the cost of a model whose price is not known.
            let tokens_capped =
                self.bounds().any(|bound| bound.key == *key && !bound.limits.tokens.is_empty());
            if !self.priced && !limits.cost.is_empty() && !tokens_capped {
                return Some(OverLimit {
                    reason: UNKNOWN_PRICE,
                    key: key.clone(),
                    text: format!(
                        "autonomy budget of '{key}': the price of the model is not known, so cost_usd cannot be kept; \
                         set a limit on tokens too"
                    ),
                });
            }
            let taken = taken(key);
            for resource in Resource::ALL {
                let (caps, asked) = (limits.on(resource), self.worst.of(resource));
                let windows = [
                    (Span::Hour, "an hour", taken.spent_hour, caps.per_hour),
                    (Span::Day, "a day", taken.spent_day, caps.per_day),
                ];
                for (span, word, spent, cap) in windows {
                    let Some(cap) = cap.filter(|_| asked > 0) else { continue };
                    let used = spent.of(resource);
                    if used.saturating_add(asked) > cap {
                        let [used, asked, cap] = [used, asked, cap].map(|units| resource.shown(units));
                        let name = resource.name();
                        return Some(OverLimit {
                            reason: Reason::Spent(resource, span).code(),
                            key: key.clone(),
                            text: format!(
                                "autonomy budget of '{key}': {name} {used} of {cap} {word} are spent or set aside, and \
                                 this may take {asked}"
                            ),
                        });
                    }
                }
            }
        }
        None
    }

    fn payload(&self, spend_id: &str, window: Window, at: i64, amount: Amount) -> Json {
        let decisions: Vec<String> = self.spenders.iter().map(|s| s.decision_id.clone()).collect();
        let mut payload = Json::object([
            ("spend_id", Json::from(spend_id)),
            ("op", self.op.into()),
            ("decisions", decisions.into()),
            ("keys", self.keys().into()),
            ("hour_index", window.hour.into()),
            ("day_index", window.day.into()),
            ("at_ms", at.into()),
            ("priced", self.priced.into()),
        ]);
        for (name, value) in amount_json(amount) {
            payload.set(name, value);
        }
        payload
    }
}

/// Sets the worst case aside; its id for [`settle`]. A refusal leaves an event that says why. The caller commits, and only
/// then spends.
pub fn set_aside(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    spend: &Spend<'_>,
    moment: &mut Moment<'_>,
) -> Result<Result<String, OverLimit>, LogError> {
    ledger.refresh(tx)?;
    let now = Window::at(moment.now_ms);
    if let Some(over) = spend.over(&|key| ledger.taken(key, now)) {
        let spender = spend.paying().last();
        let mut payload = Json::object([
            ("agent_key", Json::from(spender.map(|s| s.key.clone()))),
            ("decision_id", spender.map(|s| s.decision_id.clone()).into()),
            ("reason", over.reason.into()),
            ("limited_by", over.key.as_str().into()),
            ("op", spend.op.into()),
            ("asked", Json::object(amount_json(spend.worst))),
            ("detail", over.text.as_str().into()),
            ("source", "spending".into()),
        ]);
        if let Some(trace_id) = spend.trace_id {
            payload.set("trace_id", trace_id.into());
        }
        tx.append(LIFECYCLE, Event::new(EXCEEDED, payload, moment.now_ms))?;
        return Ok(Err(over));
    }
    ledger.checkpoint(tx, moment)?;
    let spend_id = moment.uuid7();
    let window = ledger.window_of(&spend.keys(), now);
    let payload = spend.payload(&spend_id, window, ledger.at(moment.now_ms), spend.worst);
    let kind = if spend.exact { SETTLED } else { SPENT };
    tx.append(SPENDING, Event::new(kind, payload, moment.now_ms))?;
    Ok(Ok(spend_id))
}

/// Replaces what was set aside by what was spent. What was settled before is left alone.
pub fn settle(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    spend_id: &str,
    actual: Amount,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    ledger.refresh(tx)?;
    if !ledger.owes(spend_id) {
        return Ok(());
    }
    let mut payload = Json::object([
        ("spend_id", Json::from(spend_id)),
        ("reserved", true.into()),
        ("at_ms", ledger.at(moment.now_ms).into()),
    ]);
    for (name, value) in amount_json(actual) {
        payload.set(name, value);
    }
    tx.append(SPENDING, Event::new(SETTLED, payload, moment.now_ms))?;
    Ok(())
}

/// Notes what was spent where no limit asked to set it aside: other limits may be tried on it later.
pub fn note(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    spend: &Spend<'_>,
    actual: Amount,
    moment: &mut Moment<'_>,
) -> Result<(), LogError> {
    ledger.refresh(tx)?;
    let spend_id = moment.uuid7();
    let window = ledger.window_of(&spend.keys(), Window::at(moment.now_ms));
    let payload = spend.payload(&spend_id, window, ledger.at(moment.now_ms), actual);
    tx.append(SPENDING, Event::new(SETTLED, payload, moment.now_ms))?;
    Ok(())
}

/// Ends a decision: it is no longer under way. One that was given back has no end.
pub fn finish(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    decision_id: &str,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    ledger.refresh(tx)?;
    if ledger.holds(decision_id) || ledger.is_running(decision_id) {
        let payload = Json::object([("decision_id", Json::from(decision_id))]);
        tx.append(SPENDING, Event::new(FINISHED, payload, moment.now_ms))?;
    }
    Ok(())
}
