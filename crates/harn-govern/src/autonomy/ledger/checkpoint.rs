//! Checkpoints of the ledger: the counts up to a place in both topics, as one event.

use harn_eventlog::{Event, Json, LogError, Read, Tx};

use super::spending::{OpenSpend, Running};
use super::{Ledger, Open, Taken};
use crate::Moment;
use crate::autonomy::Window;
use crate::autonomy::amount::Amount;

/// The topic of checkpoints of the counts.
pub const CHECKPOINTS: &str = "autonomy.checkpoints";

const CHECKPOINT: &str = "autonomy.ledger_checkpoint";
/// Events between two checkpoints, at least. One that holds many entries waits for half as many events, so that all of them
/// together cost no more than a fixed part of what is decided.
const CHECKPOINT_EVERY: u64 = 1000;

fn ints(numbers: impl IntoIterator<Item = i64>) -> Json {
    Json::Array(numbers.into_iter().map(Json::Int).collect())
}

fn parts(amount: Amount) -> [i64; 3] {
    [amount.tokens, amount.nano_usd, amount.tool_calls]
}

/// A list of a checkpoint; what an older version did not write is 0.
struct Row<'j>(&'j [Json]);

impl Row<'_> {
    fn of(json: &Json) -> Row<'_> {
        Row(json.as_array().unwrap_or_default())
    }

    fn int(&self, at: usize) -> i64 {
        self.0.get(at).and_then(Json::as_int).unwrap_or(0)
    }

    fn text(&self, at: usize) -> Option<String> {
        Some(self.0.get(at)?.as_str()?.to_owned())
    }

    fn window(&self, at: usize) -> Option<Window> {
        let int = |at: usize| self.0.get(at)?.as_int();
        Some(Window { hour: int(at)?, day: int(at + 1)? })
    }

    fn amount(&self, at: usize) -> Amount {
        Amount { tokens: self.int(at), nano_usd: self.int(at + 1), tool_calls: self.int(at + 2) }
    }
}

impl Ledger {
    /// Writes a checkpoint of the counts up to [`Ledger::head`] when enough was decided since the last.
    pub fn checkpoint(&mut self, tx: &mut (impl Tx + ?Sized), moment: &Moment<'_>) -> Result<(), LogError> {
        let reached = self.head + self.spending_head;
        let entries = self.keys.len() + self.open.len() + self.spends.len() + self.running.len();
        if reached < self.checkpointed + CHECKPOINT_EVERY.max(entries as u64 / 2) {
            return Ok(());
        }
        let keys = self.keys.iter().map(|(key, taken)| {
            let counts = [taken.window.hour, taken.window.day, taken.hour, taken.day];
            let spent = parts(taken.spent_hour).into_iter().chain(parts(taken.spent_day));
            (key.clone(), ints(counts.into_iter().chain(spent)))
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
        let spends = self.spends.iter().map(|(id, open)| {
            let numbers = [open.window.hour, open.window.day].into_iter().chain(parts(open.amount));
            (id.clone(), Json::Array(vec![ints(numbers), open.keys.clone().into()]))
        });
        let running = self
            .running
            .iter()
            .map(|(id, running)| (id.clone(), Json::from(vec![running.key.clone(), running.holder.clone()])));
        let payload = Json::object([
            ("up_to", Json::Int(self.head as i64)),
            ("spending_up_to", Json::Int(self.spending_head as i64)),
            ("last_at_ms", self.last_at.into()),
            ("keys", Json::object(keys)),
            ("open", Json::object(open)),
            ("spends", Json::object(spends)),
            ("running", Json::object(running)),
        ]);
        tx.append(CHECKPOINTS, Event::new(CHECKPOINT, payload, moment.now_ms))?;
        self.checkpointed = reached;
        Ok(())
    }

    /// Takes over the last checkpoint.
    pub(super) fn restore(&mut self, log: &mut (impl Read + ?Sized)) -> Result<(), LogError> {
        let Some(last) = log.latest(CHECKPOINTS)? else { return Ok(()) };
        let Some(stored) = log.read_range(CHECKPOINTS, Some(last - 1), 1)?.pop() else { return Ok(()) };
        self.read_checkpoint(&stored.event.payload)
            .ok_or_else(|| LogError::Corrupt(format!("{CHECKPOINTS} event {last} is not a checkpoint")))
    }

    fn read_checkpoint(&mut self, payload: &Json) -> Option<()> {
        let (Json::Object(keys), Json::Object(open)) = (payload.field("keys"), payload.field("open")) else {
            return None;
        };
        for (key, row) in keys {
            let row = Row::of(row);
            let window = row.window(0)?;
            let (spent_hour, spent_day) = (row.amount(4), row.amount(7));
            let taken = Taken { window, hour: row.int(2), day: row.int(3), spent_hour, spent_day };
            self.keys.insert(key.clone(), taken);
        }
        for (id, row) in open {
            let row = Row::of(row);
            let counted = row.0.get(3)?.as_bool()?;
            self.open.insert(id.clone(), Open { key: row.text(0)?, window: row.window(1)?, counted });
        }
        if let Json::Object(spends) = payload.field("spends") {
            for (id, spend) in spends {
                let [numbers, keys] = spend.as_array()? else { return None };
                let row = Row::of(numbers);
                let open = OpenSpend { keys: keys.strings(), window: row.window(0)?, amount: row.amount(2) };
                self.spends.insert(id.clone(), open);
            }
        }
        if let Json::Object(running) = payload.field("running") {
            for (id, row) in running {
                let row = Row::of(row);
                self.running.insert(id.clone(), Running { key: row.text(0)?, holder: row.text(1)? });
            }
        }
        let place = |name: &str| u64::try_from(payload.field(name).as_int().unwrap_or(0)).ok();
        self.last_at = payload.field("last_at_ms").as_int().unwrap_or(0);
        self.head = u64::try_from(payload.field("up_to").as_int()?).ok()?;
        self.spending_head = place("spending_up_to")?;
        self.checkpointed = self.head + self.spending_head;
        Some(())
    }
}
