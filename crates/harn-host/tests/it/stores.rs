//! The stores on disk: the common contract, what is special to each, and several processes at once.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests set up the real world")]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use harn_eventlog::{Durability, Event, Json, LogError, Read, Store, contract, provenance};
use harn_host::store::{FileStore, SqliteStore};

fn event(n: i64) -> Event {
    Event::new("k", Json::object([("n", Json::Int(n))]), n)
}

fn open(backend: &str, directory: &Path) -> Box<dyn Store> {
    match backend {
        "file" => Box::new(FileStore::new(directory.join("events"))),
        _ => Box::new(SqliteStore::new(directory.join("deep/events.sqlite"))),
    }
}

fn run_contract(backend: &'static str) {
    contract::run(&mut || {
        let directory = tempfile::tempdir().unwrap();
        Box::new(move || open(backend, directory.path()))
    });
}

#[test]
fn the_sqlite_store_keeps_the_contract() {
    run_contract("sqlite");
}

#[test]
fn the_file_store_keeps_the_contract() {
    run_contract("file");
}

#[test]
fn reading_creates_nothing() {
    for backend in ["sqlite", "file"] {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open(backend, directory.path());
        store.latest("t").unwrap();
        store.read_range("t", None, 9).unwrap();
        store.mark().unwrap();
        store.topics().unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{backend}");
    }
}

#[test]
fn a_torn_line_is_ignored_and_cut_off_before_the_next_append() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open("file", directory.path());
    store.append("t", event(1)).unwrap();
    let path = directory.path().join("events/topics/t.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    for cut in 1..whole.len() - 1 {
        std::fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
        let mut store = open("file", directory.path());
        assert_eq!(store.read_range("t", None, 9).unwrap().len(), 1);
        assert_eq!(store.append("t", event(2)).unwrap(), 2);
        let events = store.read_range("t", None, 9).unwrap();
        assert_eq!(provenance::verify("t", None, &events), Vec::<String>::new());
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(&whole));
    }
}

#[test]
fn a_whole_last_line_without_newline_is_an_event() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open("file", directory.path());
    store.append("t", event(1)).unwrap();
    let path = directory.path().join("events/topics/t.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.trim_end()).unwrap();
    let mut store = open("file", directory.path());
    assert_eq!(store.append("t", event(2)).unwrap(), 2);
    assert_eq!(store.append("t", event(3)).unwrap(), 3);
    let events = open("file", directory.path()).read_range("t", None, 9).unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(provenance::verify("t", None, &events), Vec::<String>::new());
}

#[test]
fn a_bad_line_is_a_parse_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open("file", directory.path());
    store.append("t", event(1)).unwrap();
    store.append("t", event(2)).unwrap();
    let path = directory.path().join("events/topics/t.jsonl");
    let text = std::fs::read_to_string(&path).unwrap().replacen("{\"event\"", "{\"ev", 1);
    std::fs::write(&path, text).unwrap();
    let error = open("file", directory.path()).read_range("t", None, 9).unwrap_err();
    assert!(error.to_string().starts_with("event log parse error: "), "{error}");
}

#[test]
fn a_corrupt_sqlite_file_is_refused_for_reading_and_writing() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("deep")).unwrap();
    std::fs::write(
        directory.path().join("deep/events.sqlite"),
        "not a database, certainly not one\n".repeat(99),
    )
    .unwrap();
    let mut store = open("sqlite", directory.path());
    assert!(matches!(store.latest("t"), Err(LogError::Corrupt(_))));
    assert!(matches!(store.append("t", event(1)), Err(LogError::Corrupt(_))));
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("deep"), "").unwrap();
    std::fs::write(directory.path().join("events"), "").unwrap();
    assert!(open("sqlite", directory.path()).append("t", event(1)).is_err());
    assert!(open("file", directory.path()).append("t", event(1)).is_err());
}

#[test]
fn a_full_disk_is_named_and_leaves_the_log_as_it_was() {
    // A page limit stands for the end of the disk.
    let directory = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::new(directory.path().join("events.sqlite"));
    store.append("t", event(1)).unwrap();
    store.limit_pages(12).unwrap();
    let big = Event::new("k", Json::from("x".repeat(100_000)), 0);
    assert_eq!(store.append("t", big).unwrap_err(), LogError::Full);
    assert_eq!(store.read_range("t", None, 9).unwrap().len(), 1);
    assert_eq!(store.append("t", event(2)).unwrap(), 2);
}

fn spawn(backend: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores::child_appends", "--nocapture"])
        .env("HARN_TEST_APPEND", format!("{backend}:{}", directory.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the processes of the next tests do.
#[test]
fn child_appends() {
    let Ok(job) = std::env::var("HARN_TEST_APPEND") else { return };
    let (backend, directory) = job.split_once(':').unwrap();
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let (backend, directory) = (backend.to_owned(), directory.to_owned());
            std::thread::spawn(move || {
                let mut store = open(&backend, Path::new(&directory));
                for n in 0..25 {
                    let mut tx = store.begin(Durability::Grouped).unwrap();
                    tx.append("a", event(thread * 100 + n)).unwrap();
                    tx.append("b", event(thread * 100 + n)).unwrap();
                    tx.commit().unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn processes_append_side_by_side_without_gaps() {
    for backend in ["sqlite", "file"] {
        let directory = tempfile::tempdir().unwrap();
        let children: Vec<_> = (0..4).map(|_| spawn(backend, directory.path())).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let mut store = open(backend, directory.path());
        for topic in ["a", "b"] {
            let events = store.read_range(topic, None, usize::MAX).unwrap();
            assert_eq!(events.len(), 200, "{backend} {topic}");
            assert_eq!(provenance::verify(topic, None, &events), Vec::<String>::new());
        }
    }
}

/// Not a test of its own: writes when told to, forty times without a rest.
#[test]
fn child_takes_turns() {
    let Ok(directory) = std::env::var("HARN_TEST_TURNS") else { return };
    let directory = Path::new(&directory);
    let own = i64::from(std::process::id());
    let mut store = SqliteStore::new(directory.join("events.sqlite"));
    store.append("ready", event(own)).unwrap();
    while !directory.join("go").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    for _ in 0..40 {
        let mut tx = store.begin(Durability::Synced).unwrap();
        tx.append("turns", event(own)).unwrap();
        tx.commit().unwrap();
    }
}

#[test]
fn sixteen_processes_that_write_without_a_rest_all_get_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..16)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "stores::child_takes_turns"])
                .env("HARN_TEST_TURNS", directory.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut store = SqliteStore::new(directory.path().join("events.sqlite"));
    while store.latest("ready").unwrap() != Some(16) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::fs::write(directory.path().join("go"), "").unwrap();
    for mut child in children {
        assert!(child.wait().unwrap().success(), "nobody is told that the log is locked");
    }
    let turns = store.read_range("turns", None, usize::MAX).unwrap();
    assert_eq!(turns.len(), 640);
    // When the first has had its forty, everybody has had some.
    let mut had = std::collections::BTreeMap::new();
    for turn in &turns {
        let count = had.entry(turn.event.payload.field("n").as_int()).or_insert(0);
        *count += 1;
        if *count == 40 {
            break;
        }
    }
    let fewest = had.values().min().copied().unwrap();
    assert!(had.len() == 16 && fewest >= 3, "{had:?}");
}

#[test]
fn killed_writers_leave_both_topics_equal() {
    for backend in ["sqlite", "file"] {
        let directory = tempfile::tempdir().unwrap();
        let mut before = 0;
        for round in 0..12u64 {
            let mut child = spawn(backend, directory.path());
            std::thread::sleep(std::time::Duration::from_millis(10 + round * 7 % 40));
            child.kill().unwrap();
            child.wait().unwrap();
            let mut store = open(backend, directory.path());
            let a = store.read_range("a", None, usize::MAX).unwrap();
            let b = store.read_range("b", None, usize::MAX).unwrap();
            assert_eq!(a.len(), b.len(), "{backend}");
            assert!(a.len() >= before);
            before = a.len();
            assert_eq!(provenance::verify("a", None, &a), Vec::<String>::new());
            assert_eq!(provenance::verify("b", None, &b), Vec::<String>::new());
        }
    }
}
