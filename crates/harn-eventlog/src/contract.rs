//! What every store must do, as one suite: `contract::run(&mut || open a fresh handle on one fresh log)`.
//!
//! Each call of the opener returns another handle on the same log, so that visibility across handles is tested too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crate::{Durability, Event, Json, LogError, Read, Store, Tx, provenance};

/// Opens one more handle on the log under test.
pub type Open<'a> = &'a mut dyn FnMut() -> Box<dyn Store>;

/// Runs every test of the suite; `fresh` makes a new empty log and returns its opener.
pub fn run(fresh: &mut dyn FnMut() -> Box<dyn FnMut() -> Box<dyn Store>>) {
    for (name, test) in TESTS {
        eprintln!("contract: {name}");
        let mut open = fresh();
        test(&mut *open);
    }
}

const TESTS: &[(&str, fn(Open))] = &[
    ("ids are per topic and start at one", ids_are_per_topic),
    ("reading is exclusive of the cursor and limited", reading_is_exclusive),
    ("bad names are refused and leave nothing", bad_names),
    ("events are linked and forged headers overwritten", events_are_linked),
    ("values survive exactly", values_survive),
    ("append_if fails with the present head", append_if_conflicts),
    ("a transaction is all or nothing", transactions_are_atomic),
    ("a transaction sees its own appends", transactions_see_themselves),
    ("handles see each other and the mark moves", handles_see_each_other),
    ("cursors move both ways", cursors_move),
    ("compaction keeps ids and the chain", compaction_keeps_ids),
    ("deep payloads are refused", deep_payloads),
    ("notes are kept beside the log", notes_are_kept),
    ("topics lists what holds events", topics_are_listed),
];

fn event(n: i64) -> Event {
    Event::new("k", Json::object([("n", Json::Int(n))]), 1_700_000_000_000 + n)
}

fn numbers(store: &mut dyn Read, topic: &str) -> Vec<i64> {
    store
        .read_range(topic, None, usize::MAX)
        .unwrap()
        .iter()
        .map(|s| s.event.payload.field("n").as_int().unwrap())
        .collect()
}

fn ids_are_per_topic(open: Open) {
    let mut store = open();
    assert_eq!(store.latest("a").unwrap(), None);
    assert_eq!(store.read_range("a", None, 10).unwrap(), vec![]);
    assert_eq!(store.append("a", event(1)).unwrap(), 1);
    assert_eq!(store.append("a", event(2)).unwrap(), 2);
    assert_eq!(store.append("b", event(3)).unwrap(), 1);
    assert_eq!(store.latest("a").unwrap(), Some(2));
    assert_eq!(store.latest("b").unwrap(), Some(1));
}

fn reading_is_exclusive(open: Open) {
    let mut store = open();
    for n in 1..=5 {
        store.append("t", event(n)).unwrap();
    }
    let ids = |store: &mut dyn Store, from, limit| -> Vec<u64> {
        store.read_range("t", from, limit).unwrap().iter().map(|s| s.id).collect()
    };
    assert_eq!(ids(&mut *store, None, 2), [1, 2]);
    assert_eq!(ids(&mut *store, Some(0), 9), [1, 2, 3, 4, 5]);
    assert_eq!(ids(&mut *store, Some(3), 9), [4, 5]);
    assert!(ids(&mut *store, Some(5), 9).is_empty());
    assert!(ids(&mut *store, Some(99), 9).is_empty());
    assert!(ids(&mut *store, Some(1), 0).is_empty());
}

fn bad_names(open: Open) {
    let mut store = open();
    let error = store.append("a/b", event(1)).unwrap_err();
    assert_eq!(error.to_string(), "topic 'a/b' contains unsupported characters");
    assert_eq!(store.latest("").unwrap_err().to_string(), "topic cannot be empty");
    assert_eq!(store.ack("t", " ", 1, 0).unwrap_err().to_string(), "consumer id cannot be empty");
    assert_eq!(store.topics().unwrap(), Vec::<String>::new());
}

fn events_are_linked(open: Open) {
    let mut store = open();
    store.append("t", event(1).header(provenance::PREV_HASH, "forged")).unwrap();
    store.append("t", event(2).header(provenance::RECORD_HASH, "forged").header("own", "kept")).unwrap();
    let events = store.read_range("t", None, 9).unwrap();
    assert_eq!(provenance::verify("t", None, &events), Vec::<String>::new());
    assert_eq!(events[0].event.headers.get(provenance::PREV_HASH), None);
    assert_eq!(
        events[1].event.headers.get(provenance::PREV_HASH),
        events[0].event.headers.get(provenance::RECORD_HASH)
    );
    assert_eq!(events[1].event.headers.get("own").map(String::as_str), Some("kept"));
}

fn values_survive(open: Open) {
    let mut store = open();
    let payload = Json::parse(
        r#"{"big":123456789012345678901,"f":1.0,"i":1,"s":"é\u0000\n😀","x":[null,true,1e-300,-0.0]}"#,
    )
    .unwrap();
    store.append("t", Event::new("ключ", payload.clone(), -5).header("h", "ü\n\"")).unwrap();
    let back = &open().read_range("t", None, 1).unwrap()[0].event;
    assert_eq!(back.payload.canonical(), payload.canonical());
    assert_eq!((back.kind.as_str(), back.occurred_at_ms), ("ключ", -5));
    assert_eq!(back.headers.get("h").map(String::as_str), Some("ü\n\""));
}

fn append_if_conflicts(open: Open) {
    let mut store = open();
    assert_eq!(store.append_if("t", Some(1), event(1)).unwrap_err(), LogError::Conflict { head: None });
    assert_eq!(store.append_if("t", None, event(1)).unwrap(), 1);
    assert_eq!(store.append_if("t", None, event(2)).unwrap_err(), LogError::Conflict { head: Some(1) });
    assert_eq!(store.append_if("t", Some(1), event(2)).unwrap(), 2);
}

fn transactions_are_atomic(open: Open) {
    let mut store = open();
    store.append("a", event(1)).unwrap();
    let mut tx = store.begin(Durability::Synced).unwrap();
    tx.append("a", event(2)).unwrap();
    tx.append("b", event(3)).unwrap();
    drop(tx);
    assert_eq!(numbers(&mut *store, "a"), [1]);
    assert_eq!(store.latest("b").unwrap(), None);
    let mut tx = store.begin(Durability::Grouped).unwrap();
    tx.append("a", event(2)).unwrap();
    assert!(tx.append("b/", event(3)).is_err());
    tx.append("b", event(3)).unwrap();
    tx.commit().unwrap();
    assert_eq!(numbers(&mut *store, "a"), [1, 2]);
    assert_eq!(numbers(&mut *store, "b"), [3]);
}

fn transactions_see_themselves(open: Open) {
    let mut store = open();
    store.append("a", event(1)).unwrap();
    let mut tx: Box<dyn Tx> = store.begin(Durability::Synced).unwrap();
    assert_eq!(tx.append("a", event(2)).unwrap(), 2);
    assert_eq!(tx.append("a", event(3)).unwrap(), 3);
    assert_eq!(tx.latest("a").unwrap(), Some(3));
    assert_eq!(numbers(&mut *tx, "a"), [1, 2, 3]);
    assert_eq!(tx.read_range("a", Some(1), 1).unwrap()[0].id, 2);
    tx.commit().unwrap();
    let events = store.read_range("a", None, 9).unwrap();
    assert_eq!(provenance::verify("a", None, &events), Vec::<String>::new());
}

fn handles_see_each_other(open: Open) {
    let mut one = open();
    let mut two = open();
    assert_eq!(two.latest("t").unwrap(), None);
    let start = two.mark().unwrap();
    assert_eq!(two.mark().unwrap(), start);
    one.append("t", event(1)).unwrap();
    let moved = two.mark().unwrap();
    assert_ne!(moved, start);
    assert_eq!(two.mark().unwrap(), moved);
    assert_eq!(two.append("t", event(2)).unwrap(), 2);
    assert_ne!(two.mark().unwrap(), moved);
    assert_eq!(one.append("t", event(3)).unwrap(), 3);
    assert_eq!(numbers(&mut *two, "t"), [1, 2, 3]);
    let events = two.read_range("t", None, 9).unwrap();
    assert_eq!(provenance::verify("t", None, &events), Vec::<String>::new());
}

fn cursors_move(open: Open) {
    let mut store = open();
    assert_eq!(store.consumer_cursor("t", "c/1").unwrap(), None);
    store.ack("t", "c/1", 5, 1).unwrap();
    store.ack("t", "c_1", 7, 1).unwrap();
    assert_eq!(open().consumer_cursor("t", "c/1").unwrap(), Some(5));
    store.ack("t", "c/1", 2, 1).unwrap();
    assert_eq!(store.consumer_cursor("t", "c/1").unwrap(), Some(2));
    assert_eq!(store.consumer_cursor("t", "c_1").unwrap(), Some(7));
}

fn compaction_keeps_ids(open: Open) {
    let mut store = open();
    for n in 1..=4 {
        store.append("t", event(n)).unwrap();
    }
    let report = store.compact("t", 2).unwrap();
    assert_eq!((report.removed, report.remaining, report.latest, report.checkpointed), (2, 2, Some(4), true));
    let checkpoint = store.checkpoint("t").unwrap();
    let events = store.read_range("t", None, 9).unwrap();
    assert_eq!(events.iter().map(|s| s.id).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(provenance::verify("t", checkpoint.as_ref(), &events), Vec::<String>::new());
    store.compact("t", 99).unwrap();
    assert_eq!(store.topics().unwrap(), Vec::<String>::new());
    assert_eq!(store.latest("t").unwrap(), Some(4));
    let mut other = open();
    assert_eq!(other.append("t", event(5)).unwrap(), 5);
    assert_eq!(store.append("t", event(6)).unwrap(), 6);
    let events = store.read_range("t", None, 9).unwrap();
    let checkpoint = store.checkpoint("t").unwrap();
    assert_eq!(checkpoint.as_ref().map(|c| c.id), Some(4));
    assert_eq!(provenance::verify("t", checkpoint.as_ref(), &events), Vec::<String>::new());
    assert_eq!(store.compact("never", 5).unwrap().removed, 0);
}

fn deep_payloads(open: Open) {
    let mut store = open();
    let mut payload = Json::Null;
    for _ in 0..300 {
        payload = Json::Array(vec![payload]);
    }
    assert!(store.append("t", Event::new("k", payload.clone(), 0)).is_err());
    for _ in 0..44 {
        let Json::Array(mut items) = payload else { unreachable!() };
        payload = items.pop().unwrap();
    }
    store.append("t", Event::new("k", payload, 0)).unwrap();
    assert_eq!(store.read_range("t", None, 9).unwrap().len(), 1);
}

fn notes_are_kept(open: Open) {
    let mut store = open();
    assert_eq!(store.read_note("head").unwrap(), None);
    store.append("t", event(1)).unwrap();
    store.write_note("head", "one").unwrap();
    store.write_note("head", "two").unwrap();
    assert_eq!(open().read_note("head").unwrap().as_deref(), Some("two"));
    assert_eq!(store.topics().unwrap(), ["t"]);
}

fn topics_are_listed(open: Open) {
    let mut store = open();
    assert_eq!(store.topics().unwrap(), Vec::<String>::new());
    store.append("b", event(1)).unwrap();
    store.append("a.c", event(1)).unwrap();
    store.flush().unwrap();
    assert_eq!(open().topics().unwrap(), ["a.c", "b"]);
}

#[cfg(test)]
mod tests {
    use crate::MemoryStore;

    #[test]
    fn the_memory_store_keeps_the_contract() {
        super::run(&mut || {
            let store = MemoryStore::new();
            Box::new(move || Box::new(store.clone()))
        });
    }
}
