//! The projection of `autonomy.decisions`: what each key has taken in its present windows.
//!
//! Every so many decisions a checkpoint of the counts is appended to a topic of its own, so that a fresh process reads
//! the last checkpoint and what followed it instead of the whole history.

use std::collections::{BTreeMap, VecDeque};

use harn_eventlog::{Event, Json, LogError, Read, Stored, Tx};

use super::Window;
use super::limits::ancestors;
use crate::Moment;

/// The topic of decisions.
pub const DECISIONS: &str = "autonomy.decisions";
/// The topic of checkpoints of the counts.
pub const CHECKPOINTS: &str = "autonomy.checkpoints";
/// Kind of an admitted decision.
pub const RESERVED: &str = "autonomy.decision_reserved";
/// Kind of a decision given back.
pub const RELEASED: &str = "autonomy.decision_released";

const CHECKPOINT: &str = "autonomy.ledger_checkpoint";
/// Decisions between two checkpoints.
const CHECKPOINT_EVERY: u64 = 1000;
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
}

impl Taken {
    /// The counts as they stand at `now`: a window that lies behind counts nothing, one ahead of the clock stays.
    pub fn at(self, now: Window) -> Taken {
        let window = now.not_before(self.window);
        Taken {
            window,
            hour: if window.hour == self.window.hour { self.hour } else { 0 },
            day: if window.day == self.window.day { self.day } else { 0 },
        }
    }
}

/// A decision that may still be released.
#[derive(Clone, Debug)]
struct Open {
    key: String,
    window: Window,
    counted: bool,
}

/// The counted decisions of one key in the longest rolling window that was asked for, oldest first.
#[derive(Clone, Debug, Default)]
struct Recent {
    window_ms: i64,
    decisions: VecDeque<(i64, String)>,
}

/// Counts of every key, as of the event [`Ledger::head`].
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    head: u64,
    checkpointed: u64,
    keys: BTreeMap<String, Taken>,
    open: BTreeMap<String, Open>,
    /// The latest time of a decision: no later one counts as earlier, whatever the clock says.
    last_at: i64,
    recent: BTreeMap<String, Recent>,
}

impl Ledger {
    /// Folds what was appended since the last call.
    pub fn refresh(&mut self, log: &mut (impl Read + ?Sized)) -> Result<(), LogError> {
        if self.head == 0 {
            self.restore(log)?;
        }
        loop {
            let events = log.read_range(DECISIONS, Some(self.head), PAGE)?;
            for stored in &events {
                self.fold(stored)?;
            }
            if events.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// The last event folded.
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

    /// How many counted decisions of `key` (and of keys below it) lie in the `window_ms` before `at`. Exact: the first time
    /// a key is asked for, the log is read back as far as the window reaches.
    pub fn rolling(
        &mut self,
        log: &mut (impl Read + ?Sized),
        key: &str,
        window_ms: i64,
        at: i64,
    ) -> Result<i64, LogError> {
        if self.recent.get(key).is_none_or(|recent| recent.window_ms < window_ms) {
            let decisions = self.read_back(log, key, self.last_at.saturating_sub(window_ms))?;
            self.recent.insert(key.to_owned(), Recent { window_ms, decisions });
        }
        let Some(recent) = self.recent.get_mut(key) else { return Ok(0) };
        // Not what is too old for `at`: a clock that ran ahead and is put right would miss it.
        let oldest_kept = self.last_at.saturating_sub(recent.window_ms);
        while recent.decisions.front().is_some_and(|(taken, _)| *taken <= oldest_kept) {
            recent.decisions.pop_front();
        }
        let since = at.saturating_sub(window_ms);
        Ok(recent.decisions.iter().rev().take_while(|(taken, _)| *taken > since).count() as i64)
    }

    /// The counted decisions of `key` later than `since`, up to [`Ledger::head`].
    fn read_back(
        &self,
        log: &mut (impl Read + ?Sized),
        key: &str,
        since: i64,
    ) -> Result<VecDeque<(i64, String)>, LogError> {
        let mut found = VecDeque::new();
        let mut released = std::collections::BTreeSet::new();
        let mut upper = self.head;
        while upper > 0 {
            let lower = upper.saturating_sub(PAGE as u64);
            for stored in log.read_range(DECISIONS, Some(lower), (upper - lower) as usize)?.iter().rev() {
                let payload = &stored.event.payload;
                match stored.event.kind.as_str() {
                    RELEASED => {
                        released.insert(payload.text("decision_id").to_owned());
                    }
                    RESERVED => {
                        let at = time_of(stored);
                        // Times on this topic never step back (see `Ledger::at`), so the rest is older.
                        if at <= since {
                            return Ok(found);
                        }
                        let id = payload.text("decision_id");
                        let own = payload.text("key");
                        let belongs = own == key || ancestors(own).any(|above| above == key);
                        if belongs && payload.field("approval_id").is_null() && !released.contains(id) {
                            found.push_front((at, id.to_owned()));
                        }
                    }
                    _ => {}
                }
            }
            upper = lower;
        }
        Ok(found)
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
                let counted = payload.field("approval_id").is_null();
                let window = Window { hour, day };
                let at = time_of(stored);
                self.last_at = self.last_at.max(at);
                let taken = self.count(key, window, counted);
                // What is spent of a key is spent of the keys above it.
                for above in ancestors(key) {
                    self.count(above, window, counted);
                }
                if counted {
                    for key in std::iter::once(key).chain(ancestors(key)) {
                        if let Some(recent) = self.recent.get_mut(key) {
                            recent.decisions.push_back((at, payload.text("decision_id").to_owned()));
                        }
                    }
                }
                // Decisions of days past can be released without any effect: they need not be kept.
                if self.open.len() >= 4096 {
                    self.open.retain(|_, open| open.window.day + 1 >= day);
                }
                let open = Open { key: key.to_owned(), window: taken.window, counted };
                self.open.insert(payload.text("decision_id").to_owned(), open);
            }
            RELEASED => {
                let id = payload.text("decision_id");
                if let Some(open) = self.open.remove(id)
                    && open.counted
                {
                    for key in std::iter::once(open.key.as_str()).chain(ancestors(&open.key)) {
                        if let Some(recent) = self.recent.get_mut(key) {
                            recent.decisions.retain(|(_, decision)| decision != id);
                        }
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

    /// Counts one decision for a key.
    fn count(&mut self, key: &str, window: Window, counted: bool) -> Taken {
        let mut taken = self.taken(key, window);
        if counted {
            taken.hour += 1;
            taken.day += 1;
        }
        self.keys.insert(key.to_owned(), taken);
        taken
    }

    /// Writes a checkpoint of the counts up to [`Ledger::head`] when enough was decided since the last.
    pub fn checkpoint(&mut self, tx: &mut (impl Tx + ?Sized), moment: &Moment<'_>) -> Result<(), LogError> {
        if self.head < self.checkpointed + CHECKPOINT_EVERY.max(self.keys.len() as u64) {
            return Ok(());
        }
        let keys = self.keys.iter().map(|(key, taken)| {
            let counts = [taken.window.hour, taken.window.day, taken.hour, taken.day];
            (key.clone(), Json::Array(counts.into_iter().map(Json::Int).collect()))
        });
        let open = self.open.iter().map(|(id, open)| {
            let row = [
                open.key.as_str().into(),
                open.window.hour.into(),
                open.window.day.into(),
                open.counted.into(),
            ];
            (id.clone(), Json::Array(row.into()))
        });
        let payload = Json::object([
            ("up_to", Json::Int(self.head as i64)),
            ("last_at_ms", self.last_at.into()),
            ("keys", Json::object(keys)),
            ("open", Json::object(open)),
        ]);
        tx.append(CHECKPOINTS, Event::new(CHECKPOINT, payload, moment.now_ms))?;
        self.checkpointed = self.head;
        Ok(())
    }

    fn restore(&mut self, log: &mut (impl Read + ?Sized)) -> Result<(), LogError> {
        let Some(last) = log.latest(CHECKPOINTS)? else { return Ok(()) };
        let Some(stored) = log.read_range(CHECKPOINTS, Some(last - 1), 1)?.pop() else { return Ok(()) };
        let payload = &stored.event.payload;
        let corrupt = || LogError::Corrupt(format!("{CHECKPOINTS} event {last} is not a checkpoint"));
        let ints = |json: &Json, at: usize| json.as_array().and_then(|a| a.get(at)).and_then(Json::as_int);
        let (Json::Object(keys), Json::Object(open)) = (payload.field("keys"), payload.field("open")) else {
            return Err(corrupt());
        };
        for (key, row) in keys {
            let number = |at| ints(row, at).ok_or_else(corrupt);
            let window = Window { hour: number(0)?, day: number(1)? };
            self.keys.insert(key.clone(), Taken { window, hour: number(2)?, day: number(3)? });
        }
        for (id, row) in open {
            let [Json::Str(key), _, _, Json::Bool(counted)] = row.as_array().unwrap_or_default() else {
                return Err(corrupt());
            };
            let window =
                Window { hour: ints(row, 1).ok_or_else(corrupt)?, day: ints(row, 2).ok_or_else(corrupt)? };
            self.open.insert(id.clone(), Open { key: key.clone(), window, counted: *counted });
        }
        self.last_at = payload.field("last_at_ms").as_int().unwrap_or(0);
        self.head =
            payload.field("up_to").as_int().and_then(|n| u64::try_from(n).ok()).ok_or_else(corrupt)?;
        self.checkpointed = self.head;
        Ok(())
    }
}

/// When a decision counts as taken.
fn time_of(stored: &Stored) -> i64 {
    stored.event.payload.field("at_ms").as_int().unwrap_or(stored.event.occurred_at_ms)
}
