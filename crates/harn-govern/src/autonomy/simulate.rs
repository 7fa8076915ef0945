//! What-if: the recorded decisions against other budgets.

use std::collections::{BTreeMap, VecDeque};

use harn_eventlog::{Json, LogError, Read};

use super::ledger::{DECISIONS, RELEASED, RESERVED};
use super::limits::{Declared, Limits, ancestors, declared_for};
use super::reserve::Reason;
use super::{Window, reserve};

const PAGE: usize = 1000;

/// A decision that other budgets would have refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// When it was taken, Unix milliseconds.
    pub at_ms: i64,
    /// Whose decision.
    pub key: String,
    /// The key whose limit it exceeds: its own or one above.
    pub limiting: String,
    /// The reason code.
    pub reason: &'static str,
    /// Its id.
    pub decision_id: String,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Decisions looked at.
    pub replayed: u64,
    /// Those refused, in the order of the log.
    pub refused: Vec<Refused>,
}

impl Replay {
    /// The report as JSON.
    pub fn to_json(&self) -> Json {
        let refused = self.refused.iter().map(|r| {
            Json::object([
                ("at", Json::from(crate::moment::timestamp(r.at_ms))),
                ("key", r.key.as_str().into()),
                ("limited_by", r.limiting.as_str().into()),
                ("reason", r.reason.into()),
                ("decision_id", r.decision_id.as_str().into()),
            ])
        });
        Json::object([
            ("replayed", Json::Int(self.replayed as i64)),
            ("refused", Json::Array(refused.collect())),
        ])
    }
}

/// What a key has taken in the replay.
#[derive(Default)]
struct Taken {
    window: Window,
    hour: i64,
    day: i64,
    times: VecDeque<i64>,
}

impl Taken {
    fn roll(&mut self, now: Window) {
        if now.hour > self.window.hour {
            self.hour = 0;
        }
        if now.day > self.window.day {
            self.day = 0;
        }
        self.window = now.not_before(self.window);
    }

    fn exceeded(&self, limits: &Limits, at: i64) -> Option<Reason> {
        let taken = super::ledger::Taken { window: self.window, hour: self.hour, day: self.day };
        reserve::exceeded(taken, limits.per_hour, limits.per_day).or_else(|| {
            let rolling = limits.rolling?;
            let since = at.saturating_sub(rolling.window_ms);
            let used = self.times.iter().rev().take_while(|t| **t > since).count() as i64;
            (used + 1 > rolling.decisions).then_some(Reason::Rolling)
        })
    }
}

/// Replays the decisions since `since_ms` against `budgets`. A decision that would have been refused takes nothing; one that
/// an approval admitted or that was given back is not looked at.
pub fn replay(
    log: &mut (impl Read + ?Sized),
    budgets: &[Declared],
    since_ms: i64,
) -> Result<Replay, LogError> {
    let mut decisions = Vec::new();
    let mut released = std::collections::BTreeSet::new();
    let mut cursor = None;
    loop {
        let events = log.read_range(DECISIONS, cursor, PAGE)?;
        for stored in &events {
            let payload = &stored.event.payload;
            let id = payload.text("decision_id").to_owned();
            match stored.event.kind.as_str() {
                RELEASED => {
                    released.insert(id);
                }
                RESERVED if payload.field("approval_id").is_null() => {
                    let at = payload.field("at_ms").as_int().unwrap_or(stored.event.occurred_at_ms);
                    if at >= since_ms {
                        decisions.push((at, payload.text("key").to_owned(), id));
                    }
                }
                _ => {}
            }
        }
        cursor = events.last().map(|stored| stored.id);
        if events.len() < PAGE {
            break;
        }
    }
    let mut found = Replay::default();
    let mut keys: BTreeMap<String, Taken> = BTreeMap::new();
    for (at_ms, key, decision_id) in decisions.into_iter().filter(|(.., id)| !released.contains(id)) {
        found.replayed += 1;
        let now = Window::at(at_ms);
        let over = declared_for(&key, budgets).into_iter().find_map(|bound| {
            let taken = keys.entry(bound.key.clone()).or_default();
            taken.roll(now);
            Some((taken.exceeded(&bound.limits, at_ms)?, bound.key))
        });
        if let Some((reason, limiting)) = over {
            found.refused.push(Refused { at_ms, key, limiting, reason: reason.code(), decision_id });
            continue;
        }
        for key in std::iter::once(key.as_str()).chain(ancestors(&key)) {
            let taken = keys.entry(key.to_owned()).or_default();
            taken.roll(now);
            taken.hour += 1;
            taken.day += 1;
            taken.times.push_back(at_ms);
        }
    }
    Ok(found)
}
