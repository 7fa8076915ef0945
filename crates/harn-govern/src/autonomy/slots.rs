//! Slots of decisions under way (`max_concurrent`) whose run goes on in another process.

use std::collections::BTreeSet;

use harn_eventlog::{Event, Json, LogError, Tx};

use super::ledger::{Ledger, SPENDING, TAKEN_OVER};
use super::spend::Spender;

/// Takes a slot for each of these decisions that is limited in number, for the process `holder` in which they go on. The slots
/// that they had were free from the death of the process before: a reason says which limit has no room by now, and nothing
/// must go on. `dead` are the processes that are known to have died.
pub fn take_over(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    spenders: &[Spender],
    holder: &str,
    dead: &BTreeSet<String>,
    now_ms: i64,
) -> Result<Result<(), String>, LogError> {
    for spender in spenders.iter().filter(|spender| spender.needs_slot()) {
        ledger.refresh(tx)?;
        let id = spender.decision_id.as_str();
        if ledger.holder_of(id) == Some(holder) {
            continue;
        }
        for bound in &spender.bounds {
            let Some(most) = bound.limits.max_concurrent else { continue };
            let others = ledger.running(&bound.key).filter(|(other, by)| *other != id && !dead.contains(*by));
            let others = others.count() as i64;
            if others >= most {
                let key = &bound.key;
                return Ok(Err(format!(
                    "{others} of {most} decisions of '{key}' are under way (max_concurrent)"
                )));
            }
        }
        let payload = Json::object([
            ("decision_id", Json::from(id)),
            ("key", spender.key.as_str().into()),
            ("holder", holder.into()),
        ]);
        tx.append(SPENDING, Event::new(TAKEN_OVER, payload, now_ms))?;
    }
    Ok(Ok(()))
}
