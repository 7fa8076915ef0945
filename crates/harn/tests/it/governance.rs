//! Governance across threads, processes and crashes (spec 08 section 11.2), on one SQLite log.

use harn_eventlog::{Durability, Json, LogError, Read, Store, Tx};
use harn_govern::Moment;
use harn_govern::autonomy::{self, Admission, Ledger, Limits, Reservation};
use harn_govern::people::{self, Book};
use harn_govern::trust::{self, Draft, HeadMark, Outcome, Tier};
use harn_host::store::SqliteStore;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const HOUR: i64 = 3_600_000;
const T0: i64 = 1_767_225_600_000;

fn log(directory: &Path) -> SqliteStore {
    SqliteStore::new(directory.join("events.sqlite"))
}

fn transact<T>(
    store: &mut dyn Store,
    now_ms: i64,
    work: impl FnOnce(&mut dyn Tx, &mut Moment<'_>) -> Result<T, LogError>,
) -> T {
    let mut entropy = || {
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&uuid::Uuid::new_v4().into_bytes()[6..]);
        bytes
    };
    let mut moment = Moment::new(now_ms, &mut entropy);
    let mut tx = store.begin(Durability::Synced).unwrap();
    let result = work(&mut *tx, &mut moment).unwrap();
    tx.commit().unwrap();
    result
}

fn asked(per_hour: i64) -> Reservation {
    Reservation {
        source: "agent_loop".into(),
        key: "shared".into(),
        session_id: Some("s".into()),
        limits: Limits { per_hour: Some(per_hour), ..Limits::default() },
        reviewer: "operator".into(),
        ..Reservation::default()
    }
}

/// Tries `tries` starts and gives how many were admitted.
fn start_loops(directory: &Path, now: i64, tries: usize) -> usize {
    let (mut store, mut ledger, mut book) = (log(directory), Ledger::default(), Book::default());
    let mut start = || {
        transact(&mut store, now, |tx, moment| {
            autonomy::reserve(tx, &mut ledger, &mut book, &asked(10), moment)
        })
    };
    (0..tries).filter(|_| matches!(start(), Admission::Admitted { .. })).count()
}

fn record(directory: &Path, count: usize) {
    let mut store = log(directory);
    for _ in 0..count {
        let draft = Draft {
            agent: "writer".into(),
            action: "write".into(),
            approver: None,
            outcome: Outcome::Success,
            trace_id: "t".into(),
            tier: Tier::ActAuto,
            cost_usd: None,
            metadata: Json::object::<&str>([]),
        };
        transact(&mut store, T0, |tx, moment| trust::append(tx, &draft, moment));
    }
}

fn admitted(directory: &Path) -> usize {
    let events = log(directory).read_range("autonomy.decisions", None, usize::MAX).unwrap();
    events.iter().filter(|s| s.event.kind == "autonomy.decision_reserved").count()
}

fn spawn(job: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "governance::child", "--nocapture"])
        .env("HARN_TEST_JOB", job)
        .env("HARN_TEST_DIR", directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the processes of the other tests do.
#[test]
fn child() {
    let Ok(job) = std::env::var("HARN_TEST_JOB") else { return };
    let directory = std::path::PathBuf::from(std::env::var("HARN_TEST_DIR").unwrap());
    let threads = if job == "budget" { 8 } else { 4 };
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (job, directory) = (job.clone(), directory.clone());
            std::thread::spawn(move || match job.as_str() {
                "budget" => {
                    start_loops(&directory, T0, 3);
                }
                _ => record(&directory, 100),
            })
        })
        .collect();
    workers.into_iter().for_each(|w| w.join().unwrap());
}

#[test]
fn thirty_two_threads_of_four_processes_get_exactly_the_quota() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| spawn("budget", directory.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(admitted(directory.path()), 10);
    assert_eq!(start_loops(directory.path(), T0, 2), 0, "a restart grants nothing");
    assert_eq!(start_loops(directory.path(), T0 - HOUR, 2), 0, "a clock stepped back grants nothing");
    assert!(trust::verify(&mut log(directory.path()), trust::GLOBAL, None).unwrap().verified);
    assert_eq!(
        log(directory.path()).latest("hitl.approvals").unwrap(),
        Some(1),
        "all refusals share one request"
    );
}

#[test]
fn killed_processes_never_exceed_the_quota() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..8u64 {
        let mut child = spawn("budget", directory.path());
        std::thread::sleep(std::time::Duration::from_millis(4 + round * 5));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(admitted(directory.path()) <= 10);
    }
    start_loops(directory.path(), T0, 12);
    assert_eq!(admitted(directory.path()), 10);
}

#[test]
fn sixteen_writers_make_one_chain() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| spawn("trust", directory.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut store = log(directory.path());
    let report = trust::verify(&mut store, trust::GLOBAL, None).unwrap();
    assert_eq!((report.verified, report.total), (true, 1600));
    assert_eq!(store.latest("trust_graph.writer").unwrap(), Some(1600));
    let mark = HeadMark::of(&trust::head(&mut store).unwrap().unwrap());
    assert!(trust::verify(&mut store, trust::GLOBAL, Some(&mark)).unwrap().verified);
}

fn harn(directory: &Path, args: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_harn"))
        .args(args)
        .current_dir(directory)
        .env_remove("HARN_STATE_DIR")
        .env_remove("HARN_EVENT_LOG_BACKEND")
        .output()
        .unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

const LOOP: &str = r#"
pipeline main(task) {
  llm_mock({text: "<done>##DONE##</done>"})
  let r = agent_loop("t", nil, {provider: "mock", autonomy_budget: {per_hour: 1, key: "k"}})
  println(r.status)
}
"#;

#[test]
fn an_answer_after_the_process_ended_admits_one_start_of_the_next_runs() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("loop.harn"), LOOP).unwrap();
    let run = || harn(directory.path(), &["run", "loop.harn"]).1;
    assert_eq!(run(), "done\n");
    assert_eq!(run(), "approval_required\n");
    let (_, listed) = harn(directory.path(), &["hitl", "list"]);
    let id = listed.split(' ').next().unwrap().to_owned();
    assert!(harn(directory.path(), &["hitl", "approve", &id, "--reviewer", "operator"]).0);
    assert_eq!(run(), "done\n");
    assert_eq!(run(), "approval_required\n");
    assert!(harn(directory.path(), &["trust", "verify-chain"]).0);
    assert!(harn(directory.path(), &["trust", "explain", &id]).1.contains("hitl.approval_consumed"));
}

#[test]
fn a_waiting_run_goes_on_within_a_second_of_the_answer() {
    let directory = tempfile::tempdir().unwrap();
    let program = "pipeline main(task) { println(request_approval(\"ship\").reviewers) }\n";
    std::fs::write(directory.path().join("ask.harn"), program).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_harn"))
        .args(["run", "ask.harn"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let id = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let (_, listed) = harn(directory.path(), &["hitl", "list"]);
        listed.split(' ').next().filter(|id| id.starts_with("hitl_")).map(str::to_owned)
    });
    assert!(harn(directory.path(), &["hitl", "approve", &id.unwrap(), "--reviewer", "ann"]).0);
    let answered = std::time::Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(answered.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "[ann]\n");
}

#[test]
fn a_chain_cut_short_does_not_verify() {
    let directory = tempfile::tempdir().unwrap();
    let program = "pipeline main(task) { for i in range(5) { trust_record(\"a\", \"b\", nil, \"success\", \"suggest\") } }\n";
    std::fs::write(directory.path().join("record.harn"), program).unwrap();
    assert!(harn(directory.path(), &["run", "record.harn"]).0);
    assert!(harn(directory.path(), &["trust", "verify-chain"]).0);
    let db = rusqlite::Connection::open(directory.path().join(".harn/events.sqlite")).unwrap();
    db.execute("DELETE FROM events WHERE topic = 'trust_graph' AND event_id > 3", []).unwrap();
    drop(db);
    let (holds, text) = harn(directory.path(), &["trust", "verify-chain"]);
    assert!(!holds);
    assert!(text.contains("anchor at index 5: record missing"), "{text}");
}

#[test]
fn killed_runs_leave_a_log_that_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let program = r#"
pipeline main(task) {
  for i in range(1000) {
    llm_mock({text: "<done>##DONE##</done>"})
    agent_loop("t", nil, {provider: "mock", autonomy_budget: {per_hour: 20, key: "k"}})
    trust_record("k", "step", nil, "success", "act_auto")
  }
}
"#;
    std::fs::write(directory.path().join("loop.harn"), program).unwrap();
    // The first may be killed before it has written anything: there is a log all the same.
    assert!(harn(directory.path(), &["run", "-e", "event_log.emit(\"begun\", \"now\", {}); nil"]).0);
    for round in 0..10u64 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_harn"))
            .args(["run", "--quiet", "loop.harn"])
            .current_dir(directory.path())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20 + 11 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(harn(directory.path(), &["trust", "verify-chain"]).0);
        let mut store = SqliteStore::new(directory.path().join(".harn/events.sqlite"));
        let events = store.read_range("autonomy.decisions", None, usize::MAX).unwrap();
        let mut hours = std::collections::BTreeMap::new();
        for stored in events {
            *hours.entry(stored.event.payload.field("hour_index").as_int()).or_insert(0) += 1;
        }
        assert!(hours.values().all(|admitted| *admitted <= 20));
        let filed = store.latest("hitl.approvals").unwrap();
        let mut book = Book::default();
        book.refresh(&mut store).unwrap();
        assert_eq!(book.requests().count() as u64, filed.unwrap_or(0));
        let pending = people::Filters::parse(&harn_effect::Data::Nil).unwrap();
        assert!(people::pending(&book, &pending, 0).len() <= hours.len());
    }
}
