//! What-if: the recorded decisions against other budgets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use harn_eventlog::{Json, LogError, Read, Stored};

use super::Window;
use super::amount::Amount;
use super::ledger::{
    DECISIONS, FINISHED, FREED, RELEASED, RESERVED, SETTLED, SPENDING, SPENT, Taken, amount_of, time_of,
    with_ancestors,
};
use super::limits::{Bound, Declared, ancestors, declared_for};
use super::reason::{Reason, exceeded};
use super::spend::{Spend, Spender};

const PAGE: usize = 1000;

/// A decision, or a call of one, that other budgets would have refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// `decision`, `llm.call` or `tool.call`.
    pub what: String,
    /// When it was taken, Unix milliseconds.
    pub at_ms: i64,
    /// Whose decision.
    pub key: String,
    /// The key whose limit it exceeds: its own or one above.
    pub limiting: String,
    /// The reason code.
    pub reason: &'static str,
    /// The decision.
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
                ("what", r.what.as_str().into()),
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
struct Key {
    taken: Taken,
    times: VecDeque<i64>,
}

/// Something on the log that other budgets might have refused.
enum Act {
    Decide { key: String },
    Spend { decisions: Vec<String>, op: String, amount: Amount, priced: bool },
    End,
}

/// An act with its time; `id` is that of the decision or of the spending.
struct Recorded {
    at_ms: i64,
    id: String,
    act: Act,
}

/// Everything on the log that counts, in the order of time. A decision that an approval admitted or that was given back is
/// not among it.
fn recorded(log: &mut (impl Read + ?Sized)) -> Result<Vec<Recorded>, LogError> {
    let mut acts = Vec::new();
    let mut released = BTreeSet::new();
    for_each(log, DECISIONS, |stored| {
        let payload = &stored.event.payload;
        let id = payload.text("decision_id").to_owned();
        match stored.event.kind.as_str() {
            RELEASED => {
                released.insert(id);
            }
            RESERVED if payload.field("approval_id").is_null() => {
                let act = Act::Decide { key: payload.text("key").to_owned() };
                acts.push(Recorded { at_ms: time_of(stored), id, act });
            }
            _ => {}
        }
    })?;
    let mut actual = BTreeMap::new();
    for_each(log, SPENDING, |stored| {
        let payload = &stored.event.payload;
        match stored.event.kind.as_str() {
            SETTLED if payload.field("reserved").as_bool() == Some(true) => {
                actual.insert(payload.text("spend_id").to_owned(), amount_of(payload));
            }
            SPENT | SETTLED => {
                let act = Act::Spend {
                    decisions: payload.field("decisions").strings(),
                    op: payload.text("op").to_owned(),
                    amount: amount_of(payload),
                    priced: payload.field("priced").as_bool() == Some(true),
                };
                acts.push(Recorded { at_ms: time_of(stored), id: payload.text("spend_id").to_owned(), act });
            }
            FINISHED | FREED => {
                let (at_ms, id) = (stored.event.occurred_at_ms, payload.text("decision_id").to_owned());
                acts.push(Recorded { at_ms, id, act: Act::End });
            }
            _ => {}
        }
    })?;
    acts.retain(|recorded| !released.contains(&recorded.id));
    for recorded in &mut acts {
        if let Act::Spend { amount, .. } = &mut recorded.act
            && let Some(actual) = actual.get(&recorded.id)
        {
            *amount = *actual;
        }
    }
    // Stable: of the same millisecond the decision comes before what it spends.
    acts.sort_by_key(|recorded| recorded.at_ms);
    Ok(acts)
}

fn for_each(
    log: &mut (impl Read + ?Sized),
    topic: &str,
    mut take: impl FnMut(&Stored),
) -> Result<(), LogError> {
    let mut cursor = None;
    loop {
        let events = log.read_range(topic, cursor, PAGE)?;
        events.iter().for_each(&mut take);
        cursor = events.last().map(|stored| stored.id).or(cursor);
        if events.len() < PAGE {
            return Ok(());
        }
    }
}

/// The replay so far.
#[derive(Default)]
struct World {
    keys: BTreeMap<String, Key>,
    /// Decisions that the budgets admitted, with their keys: those whose end has not come are under way.
    admitted: BTreeMap<String, String>,
    running: BTreeMap<String, String>,
}

impl World {
    fn key(&mut self, key: &str, now: Window) -> &mut Key {
        let found = self.keys.entry(key.to_owned()).or_default();
        found.taken = found.taken.at(now);
        found
    }

    /// Which limit a decision would exceed.
    fn exceeded(&mut self, bound: &Bound, at: i64, now: Window) -> Option<Reason> {
        let Bound { key, limits } = bound;
        let held = self.key(key, now);
        let calendar = exceeded(held.taken, limits);
        let rolling = limits.rolling.and_then(|rolling| {
            let since = at.saturating_sub(rolling.window_ms);
            let used = held.times.iter().rev().take_while(|t| **t > since).count() as i64;
            (used + 1 > rolling.decisions).then_some(Reason::Rolling)
        });
        let under_way = || {
            let of_key = |own: &&String| *own == key || ancestors(own).any(|above| above == key);
            self.running.values().filter(of_key).count() as i64
        };
        let full = || limits.max_concurrent.is_some_and(|most| under_way() >= most);
        calendar.or(rolling).or_else(|| full().then_some(Reason::Concurrent))
    }
}

/// Replays what was recorded since `since_ms` against `budgets`. A decision that would have been refused takes and spends
/// nothing; model and tool calls that would not have fitted are refused one by one.
pub fn replay(
    log: &mut (impl Read + ?Sized),
    budgets: &[Declared],
    since_ms: i64,
) -> Result<Replay, LogError> {
    let mut found = Replay::default();
    let mut world = World::default();
    for Recorded { at_ms, id, act } in recorded(log)?.into_iter().filter(|r| r.at_ms >= since_ms) {
        let now = Window::at(at_ms);
        match act {
            Act::Decide { key } => {
                found.replayed += 1;
                let over = declared_for(&key, budgets)
                    .into_iter()
                    .find_map(|bound| Some((world.exceeded(&bound, at_ms, now)?.code(), bound.key)));
                if let Some((reason, limiting)) = over {
                    let what = "decision".to_owned();
                    found.refused.push(Refused { at_ms, key, limiting, reason, decision_id: id, what });
                    continue;
                }
                for key in with_ancestors([key.as_str()]) {
                    let held = world.key(key, now);
                    held.taken.decide();
                    held.times.push_back(at_ms);
                }
                world.running.insert(id.clone(), key.clone());
                world.admitted.insert(id, key);
            }
            Act::Spend { decisions, op, amount, priced } => {
                let spender = |id: &String| {
                    let key = world.admitted.get(id)?.clone();
                    let bounds = declared_for(&key, budgets);
                    Some(Spender { decision_id: id.clone(), key, counted: true, bounds })
                };
                let spenders: Vec<Spender> = decisions.iter().filter_map(spender).collect();
                let Some(last) = spenders.last() else { continue };
                let spend = Spend {
                    spenders: &spenders,
                    op: &op,
                    worst: amount,
                    priced,
                    exact: true,
                    trace_id: None,
                };
                let taken =
                    |key: &str| world.keys.get(key).map(|held| held.taken).unwrap_or_default().at(now);
                if let Some(over) = spend.over(&taken) {
                    found.refused.push(Refused {
                        at_ms,
                        key: last.key.clone(),
                        limiting: over.key,
                        reason: over.reason,
                        decision_id: last.decision_id.clone(),
                        what: op,
                    });
                    continue;
                }
                for key in with_ancestors(spenders.iter().map(|spender| spender.key.as_str())) {
                    world.key(key, now).taken.spend(amount);
                }
            }
            Act::End => {
                world.running.remove(&id);
            }
        }
    }
    Ok(found)
}
