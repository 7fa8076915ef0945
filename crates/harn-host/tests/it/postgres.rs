//! The PostgreSQL store on a server of its own: the common contract, lost connections, crashes of the server.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests set up the real world")]

use std::sync::{Arc, mpsc};
use std::time::Duration;

use harn_eventlog::store::again;
use harn_eventlog::{Durability, Event, Json, LogError, Read, Store, contract, provenance};
use harn_host::store::{PostgresStore, Target};

use crate::postgres_server::Server;

fn open(url: &str) -> PostgresStore {
    PostgresStore::new(Target::parse(url, None).unwrap(), None)
}

fn event(n: i64) -> Event {
    Event::new("k", Json::object([("n", Json::Int(n))]), n)
}

/// The numbers on a topic, whose chain verifies.
fn numbers(url: &str, topic: &str) -> Vec<i64> {
    let events = open(url).read_range(topic, None, usize::MAX).unwrap();
    assert_eq!(provenance::verify(topic, None, &events), Vec::<String>::new());
    events.iter().map(|stored| stored.event.payload.field("n").as_int().unwrap()).collect()
}

/// Appends to two topics in one transaction, again when its connection is lost.
fn append_to_both(store: &mut PostgresStore, n: i64) -> Result<(), LogError> {
    again(|| {
        let mut tx = store.begin(Durability::Grouped)?;
        tx.append("a", event(n))?;
        tx.append("b", event(n))?;
        tx.commit()
    })
}

#[test]
fn the_postgres_store_keeps_the_contract() {
    let server = Server::shared();
    contract::run(&mut || {
        let url = server.database();
        Box::new(move || Box::new(open(&url)))
    });
}

#[test]
fn reading_creates_nothing() {
    let server = Server::shared();
    let url = server.database();
    let mut store = open(&url);
    assert_eq!(store.latest("t").unwrap(), None);
    assert_eq!(store.topics().unwrap(), Vec::<String>::new());
    store.mark().unwrap();
    assert_eq!(server.sql(&url, "SELECT count(*) FROM pg_class WHERE relname LIKE 'harn%'"), "0");
}

#[test]
fn appends_go_on_over_broken_connections_and_a_crash() {
    let mut server = Server::start();
    let url = server.database();
    let mut store = open(&url);
    for n in 0..30 {
        match n {
            10 => {
                server.crash();
                server.up();
            }
            n if n % 3 == 0 => server.cut(&url),
            _ => {}
        }
        store.append("t", event(n)).unwrap();
    }
    assert_eq!(numbers(&url, "t"), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_transaction_that_loses_its_connection_leaves_nothing_and_says_so() {
    let server = Server::shared();
    let url = server.database();
    let mut store = open(&url);
    store.append("t", event(0)).unwrap();
    let mut tx = store.begin(Durability::Synced).unwrap();
    tx.append("t", event(1)).unwrap();
    server.cut(&url);
    let error = tx.commit().unwrap_err();
    assert!(matches!(error, LogError::Lost(_)), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(numbers(&url, "t"), [0]);
}

/// Whatever is cut when, each transaction is there once and whole.
#[test]
fn writers_on_many_machines_make_one_chain_while_connections_are_cut_and_the_server_crashes() {
    let mut server = Server::start();
    let url = server.database();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let url = url.clone();
            std::thread::spawn(move || {
                let mut store = open(&url);
                for n in 0..40 {
                    append_to_both(&mut store, thread * 100 + n).unwrap();
                }
            })
        })
        .collect();
    // Trouble of a random moment, as long as somebody writes; after so much of it they may finish in peace.
    for round in 1..=16 {
        if threads.iter().all(std::thread::JoinHandle::is_finished) {
            break;
        }
        if round % 8 == 0 {
            server.crash();
            server.up();
        } else {
            server.cut(&url);
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut expected: Vec<i64> = (0..8).flat_map(|thread| (0..40).map(move |n| thread * 100 + n)).collect();
    expected.sort_unstable();
    let mut found = numbers(&url, "a");
    assert_eq!(found, numbers(&url, "b"));
    found.sort_unstable();
    assert_eq!(found, expected);
    // A commit leaves one token for each handle, not one for each transaction.
    let tokens: u32 = server.sql(&url, "SELECT count(*) FROM harn_commits").parse().unwrap();
    assert!(tokens <= 40, "{tokens}");
}

#[test]
fn whoever_waits_is_woken_by_a_commit_of_another() {
    let server = Server::shared();
    let url = server.database();
    let (sender, woken) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let wake = Arc::new(move || sender.lock().unwrap().send(()).unwrap_or_default());
    let mut waiter = PostgresStore::new(Target::parse(&url, None).unwrap(), Some(wake));
    let start = waiter.mark().unwrap();
    // The first call says that it listens now.
    woken.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(waiter.rest_ms() > 100);
    open(&url).append("t", event(1)).unwrap();
    woken.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_ne!(waiter.mark().unwrap(), start);
    // A broken connection wakes too: something may have been missed.
    server.cut(&url);
    woken.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[test]
fn a_server_that_is_not_there_is_told_without_the_password() {
    let mut store = open("postgres://ann:secret@127.0.0.1:1/agents");
    store.set_patience(Duration::ZERO);
    let error = store.latest("t").unwrap_err();
    assert!(matches!(&error, LogError::Unreachable(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("postgres://127.0.0.1:1/agents") && text.contains("refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn text_that_the_database_cannot_hold_is_refused_and_the_store_goes_on() {
    let server = Server::shared();
    let mut store = open(&server.database());
    let error = store.append("t", Event::new("a\0b", Json::Null, 0)).unwrap_err();
    assert!(matches!(error, LogError::Refused(_)), "{error}");
    assert_eq!(store.append("t", event(1)).unwrap(), 1);
}
