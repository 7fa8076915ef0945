//! Rolling windows: the times of recent decisions of the keys that were asked for.

use std::collections::{BTreeSet, VecDeque};

use harn_eventlog::{LogError, Read};

use super::{DECISIONS, Ledger, PAGE, RELEASED, RESERVED, time_of};
use crate::autonomy::limits::ancestors;

/// The counted decisions of one key in the longest rolling window that was asked for, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    window_ms: i64,
    decisions: VecDeque<(i64, String)>,
}

impl Ledger {
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

    /// Notes a counted decision for its key and the keys above that were asked for.
    pub(super) fn note_recent(&mut self, key: &str, at: i64, decision: &str) {
        for key in std::iter::once(key).chain(ancestors(key)) {
            if let Some(recent) = self.recent.get_mut(key) {
                recent.decisions.push_back((at, decision.to_owned()));
            }
        }
    }

    /// Forgets a decision that was given back.
    pub(super) fn forget_recent(&mut self, key: &str, decision: &str) {
        for key in std::iter::once(key).chain(ancestors(key)) {
            if let Some(recent) = self.recent.get_mut(key) {
                recent.decisions.retain(|(_, taken)| taken != decision);
            }
        }
    }

    /// The counted decisions of `key` later than `since`, up to [`Ledger::head`].
    fn read_back(
        &self,
        log: &mut (impl Read + ?Sized),
        key: &str,
        since: i64,
    ) -> Result<VecDeque<(i64, String)>, LogError> {
        let mut found = VecDeque::new();
        let mut released = BTreeSet::new();
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
}
