//! The projection of `autonomy.decisions` and `autonomy.spending`: what each key has taken in its present windows, and
//! which decisions are under way.
//!
//! Every so many events a checkpoint of the counts is appended to a topic of its own, so that a fresh process reads
//! the last checkpoint and what followed it instead of the whole history.

mod checkpoint;
mod rolling;
mod spending;

use std::collections::{BTreeMap, BTreeSet};

use harn_eventlog::{LogError, Read, Stored};

use super::Window;
use super::amount::Amount;
use super::limits::ancestors;
use rolling::Recent;
use spending::{OpenSpend, Running};

pub use checkpoint::CHECKPOINTS;
pub use spending::{FINISHED, FREED, SETTLED, SPENDING, SPENT, TAKEN_OVER, amount_json, amount_of};

/// The topic of decisions.
pub const DECISIONS: &str = "autonomy.decisions";
/// Kind of an admitted decision.
pub const RESERVED: &str = "autonomy.decision_reserved";
/// Kind of a decision given back.
pub const RELEASED: &str = "autonomy.decision_released";

const PAGE: usize = 1000;

/// What a key has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The greatest windows seen of the key.
    pub window: Window,
    /// Decisions of that hour.
    pub hour: i64,
    /// Decisions of that day.
    pub day: i64,
    /// Spent and set aside in that hour.
    pub spent_hour: Amount,
    /// Spent and set aside on that day.
    pub spent_day: Amount,
}

impl Taken {
    /// The counts as they stand at `now`: a window that lies behind counts nothing, one ahead of the clock stays.
    #[must_use]
    pub fn at(mut self, now: Window) -> Taken {
        let window = now.not_before(self.window);
        if window.hour != self.window.hour {
            (self.hour, self.spent_hour) = (0, Amount::default());
        }
        if window.day != self.window.day {
            (self.day, self.spent_day) = (0, Amount::default());
        }
        self.window = window;
        self
    }

    /// Counts one decision in its windows.
    pub fn decide(&mut self) {
        self.hour += 1;
        self.day += 1;
    }

    /// Counts an amount in its windows.
    pub fn spend(&mut self, amount: Amount) {
        self.spent_hour = self.spent_hour.plus(amount);
        self.spent_day = self.spent_day.plus(amount);
    }
}

/// A decision as it is counted.
pub(super) struct Decided<'d> {
    /// The decision.
    pub id: &'d str,
    /// Whose it is.
    pub key: &'d str,
    /// The windows it was taken in.
    pub window: Window,
    /// When it counts as taken.
    pub at: i64,
    /// Whether it counts: one that was approved does not.
    pub counted: bool,
    /// The process that takes it, where decisions under way are limited.
    pub holder: Option<&'d str>,
}

/// A decision that may still be released.
#[derive(Clone, Debug)]
struct Open {
    key: String,
    window: Window,
    counted: bool,
}

/// Counts of every key, as of the events [`Ledger::head`].
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    head: u64,
    spending_head: u64,
    /// The sum of both heads at the last checkpoint.
    checkpointed: u64,
    keys: BTreeMap<String, Taken>,
    open: BTreeMap<String, Open>,
    /// Amounts set aside and not settled.
    spends: BTreeMap<String, OpenSpend>,
    /// Decisions under way.
    running: BTreeMap<String, Running>,
    /// The latest time of a decision: no later one counts as earlier, whatever the clock says.
    last_at: i64,
    recent: BTreeMap<String, Recent>,
    /// The latest day of an event.
    day: i64,
}

impl Ledger {
    /// Folds what was appended since the last call.
    pub fn refresh(&mut self, log: &mut (impl Read + ?Sized)) -> Result<(), LogError> {
        if self.head == 0 && self.spending_head == 0 {
            self.restore(log)?;
        }
        // Spending follows the decision it belongs to: the decisions read after this look hold all of those.
        let spending = log.latest(SPENDING)?.unwrap_or(0);
        loop {
            let events = log.read_range(DECISIONS, Some(self.head), PAGE)?;
            for stored in &events {
                self.fold(stored)?;
            }
            if events.len() < PAGE {
                break;
            }
        }
        while self.spending_head < spending {
            let room = usize::try_from(spending - self.spending_head).unwrap_or(PAGE).min(PAGE);
            let events = log.read_range(SPENDING, Some(self.spending_head), room)?;
            for stored in &events {
                self.fold_spending(stored)?;
            }
            if events.is_empty() {
                self.spending_head = spending;
            }
        }
        Ok(())
    }

    /// The last decision folded.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// What `key` has taken in the windows of `now`.
    pub fn taken(&self, key: &str, now: Window) -> Taken {
        self.keys.get(key).copied().unwrap_or_default().at(now)
    }

    /// What every key has taken in the windows of `now`.
    pub fn keys(&self, now: Window) -> impl Iterator<Item = (&str, Taken)> {
        self.keys.iter().map(move |(key, taken)| (key.as_str(), taken.at(now)))
    }

    /// The time that a decision taken at `now_ms` counts for: a clock that steps back does not move it back.
    pub fn at(&self, now_ms: i64) -> i64 {
        now_ms.max(self.last_at)
    }

    /// Whether the decision is reserved and not released.
    pub fn holds(&self, decision: &str) -> bool {
        self.open.contains_key(decision)
    }

    fn fold(&mut self, stored: &Stored) -> Result<(), LogError> {
        let Stored { id, event } = stored;
        let payload = &event.payload;
        match event.kind.as_str() {
            RESERVED => {
                let corrupt = || LogError::Corrupt(format!("{DECISIONS} event {id} is not a decision"));
                let key = payload.field("key").as_str().ok_or_else(corrupt)?;
                let hour = payload.field("hour_index").as_int().ok_or_else(corrupt)?;
                let day = payload.field("day_index").as_int().ok_or_else(corrupt)?;
                let decision = payload.text("decision_id");
                let counted = payload.field("approval_id").is_null();
                self.decide(&Decided {
                    id: decision,
                    key,
                    window: Window { hour, day },
                    at: time_of(stored),
                    counted,
                    holder: payload.field("holder").as_str(),
                });
            }
            RELEASED => {
                let id = payload.text("decision_id");
                self.running.remove(id);
                if let Some(open) = self.open.remove(id)
                    && open.counted
                {
                    self.forget_recent(&open.key, id);
                    for key in std::iter::once(open.key.as_str()).chain(ancestors(&open.key)) {
                        let Some(taken) = self.keys.get_mut(key) else { continue };
                        if taken.window.hour == open.window.hour {
                            taken.hour = (taken.hour - 1).max(0);
                        }
                        if taken.window.day == open.window.day {
                            taken.day = (taken.day - 1).max(0);
                        }
                    }
                }
            }
            _ => {}
        }
        self.head = *id;
        Ok(())
    }

    /// Counts a decision that was appended as event `id` in the present transaction, without reading it back. One that does
    /// not follow what is known is left to the next [`Ledger::refresh`]. A transaction that is not committed takes the
    /// ledger with it.
    pub(super) fn appended(&mut self, id: u64, decided: &Decided<'_>) {
        if id == self.head + 1 {
            self.decide(decided);
            self.head = id;
        }
    }

    fn decide(&mut self, decided: &Decided<'_>) {
        let Decided { id, key, window, at, counted, holder } = *decided;
        self.last_at = self.last_at.max(at);
        let taken = self.count(key, window, counted);
        // What is spent of a key is spent of the keys above it.
        for above in ancestors(key) {
            self.count(above, window, counted);
        }
        if counted {
            self.note_recent(key, at, id);
        }
        if let Some(holder) = holder.filter(|_| counted) {
            let running = Running { key: key.to_owned(), holder: holder.to_owned() };
            self.running.insert(id.to_owned(), running);
        }
        self.reach(window.day);
        self.open.insert(id.to_owned(), Open { key: key.to_owned(), window: taken.window, counted });
    }

    /// The first event of a day: decisions of days past can be released, and amounts settled, without any effect. They need
    /// not be kept.
    fn reach(&mut self, day: i64) {
        if day > self.day {
            self.day = day;
            self.open.retain(|_, open| open.window.day + 1 >= day);
            self.spends.retain(|_, open| open.window.day + 1 >= day);
        }
    }

    /// Counts one decision for a key.
    fn count(&mut self, key: &str, window: Window, counted: bool) -> Taken {
        let mut taken = self.taken(key, window);
        if counted {
            taken.decide();
        }
        self.set(key, taken);
        taken
    }

    fn set(&mut self, key: &str, taken: Taken) {
        match self.keys.get_mut(key) {
            Some(present) => *present = taken,
            None => {
                self.keys.insert(key.to_owned(), taken);
            }
        }
    }
}

/// These keys and all above them, each once.
pub(super) fn with_ancestors<'k>(keys: impl IntoIterator<Item = &'k str>) -> BTreeSet<&'k str> {
    keys.into_iter().flat_map(|key| std::iter::once(key).chain(ancestors(key))).collect()
}

/// When a decision counts as taken.
pub(super) fn time_of(stored: &Stored) -> i64 {
    stored.event.payload.field("at_ms").as_int().unwrap_or(stored.event.occurred_at_ms)
}
