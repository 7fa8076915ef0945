//! How fast governance is, each figure beside its limit measured in the same run (`bench/governance.py` runs it).
//!
//!     cargo run --release -p harn --example governance_speed -- DIRECTORY [RECORDS]

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement touches the real world and fails by panicking"
)]

use harn_eventlog::{Durability, Event, Json, Read, Store, provenance};
use harn_govern::Moment;
use harn_govern::autonomy::reserve::ruling;
use harn_govern::autonomy::{self, Admission, Bound, Ledger, Limits, PerWindow, Reservation, Rolling};
use harn_govern::identity::Identity;
use harn_govern::people::Book;
use harn_govern::trust::{self, anchor};
use harn_host::store::SqliteStore;
use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

const T0: i64 = 1_767_225_600_000;

/// Ten bytes, others each time.
fn entropy(counter: &mut u64) -> [u8; 10] {
    *counter += 1;
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&counter.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

fn asked(n: usize) -> Reservation {
    Reservation {
        source: "agent_loop".into(),
        key: format!("team/agent-{}", n % 8),
        session_id: Some("session".into()),
        limits: Limits { per_hour: Some(i64::MAX), per_day: Some(i64::MAX), ..Limits::default() },
        bounds: vec![Bound {
            key: "team".into(),
            limits: Limits { per_hour: Some(i64::MAX), ..Limits::default() },
        }],
        reviewer: "operator".into(),
        ..Reservation::default()
    }
}

/// Decisions in one durable transaction.
fn decide(store: &mut SqliteStore, ledger: &mut Ledger, book: &mut Book, count: usize, drawn: &mut u64) {
    let mut draw = || entropy(drawn);
    let mut moment = Moment::new(T0, &mut draw);
    let mut tx = store.begin(Durability::Synced).unwrap();
    for n in 0..count {
        let ruled = autonomy::reserve(&mut *tx, ledger, book, &asked(n), &mut moment).unwrap();
        assert!(matches!(ruled, Admission::Admitted { .. }));
    }
    tx.commit().unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// One write of `bytes` and one fdatasync. The file is written over: its size does not change, as that of a log that is
/// used again does not.
fn sync(file: &mut File, bytes: &[u8], at: u64) -> Duration {
    let begun = Instant::now();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_data().unwrap();
    begun.elapsed()
}

fn report(name: &str, figure: f64, limit: f64, unit: &str, at_most: bool) {
    let ratio = figure / limit;
    println!("{name}\t{figure:.3}\t{limit:.3}\t{unit}\t{ratio:.3}\t{}", if at_most { "max" } else { "min" });
}

fn durable(directory: &Path) {
    let mut store = SqliteStore::new(directory.join("decisions.sqlite"));
    let (mut ledger, mut book, mut drawn) = (Ledger::default(), Book::default(), 0);
    let mut raw = File::create(directory.join("raw")).unwrap();
    raw.write_all(&vec![0; 64 << 20]).unwrap();
    raw.sync_all().unwrap();
    // A thousand decisions first: the log is warm, its file has its size.
    (0..1000).for_each(|_| decide(&mut store, &mut ledger, &mut book, 1, &mut drawn));
    let (mut lone, mut base) = (Vec::new(), Vec::new());
    for n in 0..400u64 {
        base.push(sync(&mut raw, &[7; 4096], n * 4096));
        let begun = Instant::now();
        decide(&mut store, &mut ledger, &mut book, 1, &mut drawn);
        lone.push(begun.elapsed());
    }
    let us = |d: Duration| d.as_secs_f64() * 1e6;
    report("lone durable decision / one fdatasync", us(median(lone)), us(median(base)), "us", true);

    // The same bytes: what the log keeps of 256 decisions.
    let last = store.latest("autonomy.decisions").unwrap().unwrap();
    let event = store.read_range("autonomy.decisions", Some(last - 1), 1).unwrap().pop().unwrap().event;
    let headers = Json::object(event.headers.iter().map(|(k, v)| (k.clone(), Json::from(v.as_str()))));
    let bytes = event.payload.canonical().len() + headers.canonical().len() + event.kind.len() + 32;
    let batch = vec![7; bytes * 256];
    let (mut grouped, mut base) = (Vec::new(), Vec::new());
    for n in 0..60u64 {
        base.push(sync(&mut raw, &batch, (n % 60) * batch.len() as u64 % (32 << 20)));
        let begun = Instant::now();
        decide(&mut store, &mut ledger, &mut book, 256, &mut drawn);
        grouped.push(begun.elapsed());
    }
    let rate = |d: Duration| 256.0 / d.as_secs_f64();
    let name = "decisions a second, 256 writers in one commit / raw group commit";
    report(name, rate(median(grouped)), rate(median(base)), "1/s", false);
}

fn ruled() {
    let mut store = harn_eventlog::MemoryStore::new();
    let (mut ledger, mut book, mut drawn) = (Ledger::default(), Book::default(), 0);
    let spent = PerWindow { per_hour: Some(1 << 40), per_day: Some(1 << 50) };
    let limits = Limits {
        per_hour: Some(1 << 40),
        per_day: Some(1 << 50),
        rolling: Some(Rolling { decisions: 1 << 40, window_ms: 60_000 }),
        tokens: spent,
        cost: spent,
        tool_calls: spent,
        max_concurrent: Some(1 << 40),
    };
    let asked = Reservation { limits, bounds: vec![Bound { key: "team".into(), limits }], ..asked(0) };
    let mut draw = || entropy(&mut drawn);
    for n in 0..1000 {
        let mut moment = Moment::new(T0 + n * 1000, &mut draw);
        let mut tx = store.begin(Durability::Synced).unwrap();
        autonomy::reserve(&mut *tx, &mut ledger, &mut book, &asked, &mut moment).unwrap();
        tx.commit().unwrap();
    }
    ledger.refresh(&mut store).unwrap();
    let mut tx = store.begin(Durability::Synced).unwrap();
    let count = 1_000_000;
    let begun = Instant::now();
    for n in 0..count {
        let found = ruling(&mut *tx, &mut ledger, black_box(&asked), T0 + 1_000_000 + n % 7).unwrap();
        assert!(black_box(found).is_none());
    }
    let each = begun.elapsed().as_secs_f64() * 1e9 / count as f64;
    report("ruling in memory, every limit on a key and one above / 1 us", each, 1000.0, "ns", true);
}

/// A chain of `count` records as [`trust::append`] writes it, without its mirrors, anchored every 64 records.
fn chain(store: &mut SqliteStore, count: i64) {
    let identity = Identity::new("bench", [7; 32], "2026-01-01T00:00:00Z");
    let (mut previous, mut drawn, mut index) = (None::<String>, 0, 0);
    while index < count {
        let mut draw = || entropy(&mut drawn);
        let mut moment = Moment::new(T0 + index, &mut draw);
        let mut tx = store.begin(Durability::Grouped).unwrap();
        for _ in 0..6400 {
            index += 1;
            let mut json = Json::object([
                ("schema", Json::from(trust::SCHEMA)),
                ("record_id", moment.uuid7().into()),
                ("agent", format!("agent-{}", index % 50).into()),
                ("action", "github.issues.opened".into()),
                ("approver", Json::Null),
                ("outcome", "success".into()),
                ("trace_id", format!("trace_{}", moment.uuid7()).into()),
                ("autonomy_tier", "act_auto".into()),
                ("timestamp", moment.timestamp().into()),
                ("cost_usd", Json::Float(0.034)),
                ("chain_index", index.into()),
                ("previous_hash", previous.clone().into()),
                (
                    "metadata",
                    Json::parse(r#"{"reason":"new issue","session_id":"s-1","source":"agent_loop"}"#)
                        .unwrap(),
                ),
            ]);
            let hash = provenance::sha256(&json.canonical());
            json.set("entry_hash", hash.as_str().into());
            previous = Some(hash.clone());
            let event = Event::new("trust_recorded", json, T0 + index)
                .header("trace_id", "t")
                .header("agent", "a")
                .header("autonomy_tier", "act_auto")
                .header("outcome", "success")
                .header("entry_hash", hash);
            tx.append(trust::GLOBAL, event).unwrap();
            if index % anchor::EVERY == 0 {
                anchor::anchor(&mut *tx, &identity, &moment).unwrap();
            }
        }
        tx.commit().unwrap();
    }
}

fn verified(directory: &Path, count: i64) {
    let path = directory.join("chain.sqlite");
    let mut store = SqliteStore::new(&path);
    if store.latest(trust::GLOBAL).unwrap().unwrap_or(0) < count.cast_unsigned() {
        chain(&mut store, count);
    }
    let mut times = Vec::new();
    for _ in 0..3 {
        let mut store = SqliteStore::new(&path);
        let begun = Instant::now();
        let found = trust::verify(&mut store, trust::GLOBAL, None).unwrap();
        times.push(begun.elapsed());
        assert!(found.verified && found.total >= count, "{:?}", found.errors.first());
        println!("# {} records, {} anchors", found.total, found.anchors);
    }
    let seconds = median(times).as_secs_f64();
    report(&format!("verifying {count} records / 5 s"), seconds, 5.0, "s", true);
}

fn main() {
    let mut args = std::env::args().skip(1);
    let directory = args.next().map_or_else(std::env::temp_dir, Into::into);
    let records = args.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    std::fs::create_dir_all(&directory).unwrap();
    durable(&directory);
    ruled();
    verified(&directory, records);
}
