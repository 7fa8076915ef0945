//! What decisions spend, and which of them are under way.
//!
//! An amount is set aside at its worst case before it is spent and settled with the actual afterwards. One that is never
//! settled (its process died) stays as it is until its windows end.

use harn_eventlog::{Json, LogError, Stored};

use super::{Ledger, time_of, with_ancestors};
use crate::autonomy::Window;
use crate::autonomy::amount::{Amount, nano_of, nano_to_usd};
use crate::autonomy::limits::ancestors;

/// The topic of what decisions spend, and of their ends.
pub const SPENDING: &str = "autonomy.spending";
/// Kind of an amount set aside.
pub const SPENT: &str = "autonomy.spend_reserved";
/// Kind of an amount settled.
pub const SETTLED: &str = "autonomy.spend_settled";
/// Kind of a decision that is over.
pub const FINISHED: &str = "autonomy.decision_finished";
/// Kind of a decision whose process has died.
pub const FREED: &str = "autonomy.slot_freed";
/// Kind of a decision that goes on in another process.
pub const TAKEN_OVER: &str = "autonomy.slot_taken_over";

/// An amount set aside.
#[derive(Clone, Debug)]
pub(super) struct OpenSpend {
    pub keys: Vec<String>,
    pub window: Window,
    pub amount: Amount,
}

/// A decision under way.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub key: String,
    /// The process that takes it.
    pub holder: String,
}

/// The fields of an amount in an event.
pub fn amount_json(amount: Amount) -> [(&'static str, Json); 3] {
    [
        ("tokens", Json::Int(amount.tokens)),
        ("cost_usd", Json::Float(nano_to_usd(amount.nano_usd))),
        ("tool_calls", Json::Int(amount.tool_calls)),
    ]
}

/// Reads them back; what is missing is nothing.
pub fn amount_of(payload: &Json) -> Amount {
    Amount {
        tokens: payload.field("tokens").as_int().unwrap_or(0),
        nano_usd: nano_of(payload.field("cost_usd").as_f64().unwrap_or(0.0)),
        tool_calls: payload.field("tool_calls").as_int().unwrap_or(0),
    }
}

impl Ledger {
    /// The windows for which something spent now by these keys counts: the greatest that any of them has reached.
    pub fn window_of(&self, keys: &[String], now: Window) -> Window {
        let all = with_ancestors(keys.iter().map(String::as_str));
        all.into_iter().fold(now, |window, key| window.not_before(self.taken(key, now).window))
    }

    /// Whether an amount is set aside and not settled.
    pub fn owes(&self, spend: &str) -> bool {
        self.spends.contains_key(spend)
    }

    /// The decisions of `key` and of keys below it that are under way: each with the process that takes it.
    pub fn running<'l>(&'l self, key: &'l str) -> impl Iterator<Item = (&'l str, &'l str)> {
        let of_key =
            move |running: &&Running| running.key == key || ancestors(&running.key).any(|a| a == key);
        self.running
            .iter()
            .filter(move |(_, running)| of_key(running))
            .map(|(id, running)| (id.as_str(), running.holder.as_str()))
    }

    /// Every process that takes a decision, each once.
    pub fn holders(&self) -> std::collections::BTreeSet<&str> {
        self.running.values().map(|running| running.holder.as_str()).collect()
    }

    /// The process that takes a decision which is under way and limited in number.
    pub fn holder_of(&self, decision: &str) -> Option<&str> {
        self.running.get(decision).map(|running| running.holder.as_str())
    }

    /// Whether a decision is under way.
    pub fn is_running(&self, decision: &str) -> bool {
        self.running.contains_key(decision)
    }

    pub(super) fn fold_spending(&mut self, stored: &Stored) -> Result<(), LogError> {
        let Stored { id, event } = stored;
        let payload = &event.payload;
        match event.kind.as_str() {
            SPENT => {
                let (keys, window) = self.place(stored)?;
                let amount = amount_of(payload);
                self.charge(&keys, window, amount);
                self.reach(window.day);
                let open = OpenSpend { keys, window, amount };
                self.spends.insert(payload.text("spend_id").to_owned(), open);
            }
            SETTLED if payload.field("reserved").as_bool() == Some(true) => {
                if let Some(open) = self.spends.remove(payload.text("spend_id")) {
                    let (was, is) = (open.amount, amount_of(payload));
                    for key in with_ancestors(open.keys.iter().map(String::as_str)) {
                        let Some(taken) = self.keys.get_mut(key) else { continue };
                        if taken.window.hour == open.window.hour {
                            taken.spent_hour = taken.spent_hour.minus(was).plus(is);
                        }
                        if taken.window.day == open.window.day {
                            taken.spent_day = taken.spent_day.minus(was).plus(is);
                        }
                    }
                }
            }
            SETTLED => {
                let (keys, window) = self.place(stored)?;
                self.charge(&keys, window, amount_of(payload));
            }
            // What is over cannot be given back any more.
            FINISHED => {
                self.running.remove(payload.text("decision_id"));
                self.open.remove(payload.text("decision_id"));
            }
            TAKEN_OVER => {
                let (key, holder) = (payload.text("key").to_owned(), payload.text("holder").to_owned());
                self.running.insert(payload.text("decision_id").to_owned(), Running { key, holder });
            }
            FREED => {
                self.running.remove(payload.text("decision_id"));
            }
            _ => {}
        }
        self.spending_head = *id;
        Ok(())
    }

    /// The keys and windows that an event charges.
    fn place(&mut self, stored: &Stored) -> Result<(Vec<String>, Window), LogError> {
        let payload = &stored.event.payload;
        let number = |name: &str| {
            let found = payload.field(name).as_int();
            found.ok_or_else(|| LogError::Corrupt(format!("{SPENDING} event {} has no {name}", stored.id)))
        };
        self.last_at = self.last_at.max(time_of(stored));
        let window = Window { hour: number("hour_index")?, day: number("day_index")? };
        Ok((payload.field("keys").strings(), window))
    }

    fn charge(&mut self, keys: &[String], window: Window, amount: Amount) {
        for key in with_ancestors(keys.iter().map(String::as_str)) {
            let mut taken = self.taken(key, window);
            // A window that the key has left behind takes nothing more.
            if taken.window.hour == window.hour {
                taken.spent_hour = taken.spent_hour.plus(amount);
            }
            if taken.window.day == window.day {
                taken.spent_day = taken.spent_day.plus(amount);
            }
            self.set(key, taken);
        }
    }
}
