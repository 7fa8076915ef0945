//! Writes that were cut off by a crash: whatever of the last record reached the disk, what was acknowledged before is there and
//! the log goes on.

#![allow(clippy::disallowed_methods, reason = "tests set up the real world")]

use harn_eventlog::{Durability, Event, Json, Store, provenance};
use harn_host::store::{FileStore, SqliteStore};
use std::path::Path;

const TOPIC: &str = "autonomy.decisions";

fn append(store: &mut dyn Store, n: i64) {
    let payload = Json::object([("n", Json::Int(n)), ("text", "ä \"quoted\" \n".into())]);
    let mut tx = store.begin(Durability::Synced).unwrap();
    tx.append(TOPIC, Event::new("made", payload, n)).unwrap();
    tx.commit().unwrap();
}

/// The log holds whole events 1 to `n` and takes another.
fn holds(store: &mut dyn Store, least: usize, most: usize, what: &str) {
    let found = store.read_range(TOPIC, None, usize::MAX).unwrap();
    assert!((least..=most).contains(&found.len()), "{what}: {} events", found.len());
    assert_eq!(provenance::verify(TOPIC, None, &found), [""; 0], "{what}");
    append(store, 99);
    let after = store.read_range(TOPIC, None, usize::MAX).unwrap();
    assert_eq!(after.len(), found.len() + 1, "{what}");
    assert_eq!(provenance::verify(TOPIC, None, &after), [""; 0], "{what}");
}

#[test]
fn a_file_log_torn_at_every_byte_of_its_last_record_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    let mut store = FileStore::new(whole.path());
    append(&mut store, 1);
    append(&mut store, 2);
    let path = |root: &Path| root.join("topics").join(format!("{TOPIC}.jsonl"));
    let before = std::fs::read(path(whole.path())).unwrap().len();
    append(&mut store, 3);
    let bytes = std::fs::read(path(whole.path())).unwrap();
    for kept in before..bytes.len() {
        // Cut off, or as long as it was to be with nothing in the rest: file systems do either.
        let cut = bytes[..kept].to_vec();
        let mut hollow = bytes.clone();
        hollow[kept..].fill(0);
        for (name, content) in [("cut", cut), ("hollow", hollow)] {
            let torn = tempfile::tempdir().unwrap();
            for directory in ["topics", "consumers", "checkpoints"] {
                std::fs::create_dir_all(torn.path().join(directory)).unwrap();
            }
            std::fs::write(path(torn.path()), content).unwrap();
            // Only the newline is missing: then the record is whole.
            let most = if kept + 1 == bytes.len() { 3 } else { 2 };
            holds(&mut FileStore::new(torn.path()), 2, most, &format!("{name} after {kept} bytes"));
        }
    }
}

#[test]
fn a_sqlite_log_torn_anywhere_in_its_last_commit_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    let db = whole.path().join("events.sqlite");
    let wal = whole.path().join("events.sqlite-wal");
    let mut store = SqliteStore::new(&db);
    append(&mut store, 1);
    append(&mut store, 2);
    let before = std::fs::metadata(&wal).unwrap().len() as usize;
    append(&mut store, 3);
    let (database, log) = (std::fs::read(&db).unwrap(), std::fs::read(&wal).unwrap());
    assert!(log.len() > before);
    for kept in (before..log.len()).step_by(61).chain([log.len() - 1]) {
        let mut hollow = log.clone();
        hollow[kept..].fill(0);
        for (name, content) in [("cut", log[..kept].to_vec()), ("hollow", hollow)] {
            let torn = tempfile::tempdir().unwrap();
            std::fs::write(torn.path().join("events.sqlite"), &database).unwrap();
            std::fs::write(torn.path().join("events.sqlite-wal"), content).unwrap();
            let mut store = SqliteStore::new(torn.path().join("events.sqlite"));
            // The pages of the last commit may end in bytes that were zero anyway.
            holds(&mut store, 2, 3, &format!("{name} after {kept} bytes"));
        }
    }
}
