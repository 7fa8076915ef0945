//! The rules over a log in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod budget;
mod interleaving;
mod limits;
mod people;
mod spending;
mod trust;

use harn_eventlog::{Durability, LogError, MemoryStore, Store, Tx};
use harn_govern::Moment;

/// Runs `work` in one committed transaction at the time `now_ms`.
pub fn transact<T>(
    store: &mut MemoryStore,
    now_ms: i64,
    work: impl FnOnce(&mut dyn Tx, &mut Moment<'_>) -> Result<T, LogError>,
) -> T {
    thread_local!(static COUNT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let mut entropy = || {
        let count = COUNT.get();
        COUNT.set(count + 1);
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&count.to_be_bytes());
        bytes
    };
    let mut moment = Moment::new(now_ms, &mut entropy);
    let mut tx = store.begin(Durability::Synced).unwrap();
    let result = work(&mut *tx, &mut moment).unwrap();
    tx.commit().unwrap();
    result
}
