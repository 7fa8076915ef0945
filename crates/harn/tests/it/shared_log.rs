//! Several machines on one PostgreSQL database: each command has a state directory of its own, as on a machine of its own.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests set up the real world")]

use crate::place::{Done, Place};
use crate::postgres_server::Server;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ASKS: &str = r#"
pipeline main(task) {
  println("before")
  let r = request_approval("deploy", {reviewers: ["ann"]})
  println("after ${r.reviewers}")
}
"#;

/// A command on a machine that shares nothing but programs and the database.
fn on(machine: &str, place: &Place, url: &str, args: &[&str]) -> Command {
    let mut command = place.command(args);
    let state = place.dir.path().join(machine);
    command.env("HARN_STORE", url).env("HARN_CONFIG_DIR", state.join("config")).env("HARN_STATE_DIR", state);
    command
}

fn done(mut command: Command) -> Done {
    Done(command.output().unwrap())
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `look` finds something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The id of the request that waits, once there is one.
fn waiting(place: &Place, url: &str) -> String {
    until(|| {
        let list = done(on("b", place, url, &["hitl", "list"])).out();
        list.split(' ').next().filter(|id| id.starts_with("hitl_")).map(str::to_owned)
    })
}

#[test]
fn an_answer_on_one_machine_lets_the_other_go_on_within_a_second() {
    let (server, place) = (Server::shared(), Place::new());
    let url = server.database();
    place.file("main.harn", ASKS);
    let run = spawn(on("a", &place, &url, &["run", "main.harn"]));
    let id = waiting(&place, &url);
    let approved = done(on("b", &place, &url, &["hitl", "approve", &id, "--reviewer", "ann"]));
    assert_eq!(approved.code(), Some(0), "{}", approved.err());
    let answered = Instant::now();
    let run = Done(run.wait_with_output().unwrap());
    let took = answered.elapsed();
    assert_eq!((run.out().as_str(), run.code()), ("before\nafter [ann]\n", Some(0)), "{}", run.err());
    assert!(took < Duration::from_secs(1), "{took:?}");
    let verified = done(on("b", &place, &url, &["trust", "verify-chain"]));
    assert_eq!(verified.code(), Some(0), "{}", verified.out());
}

#[test]
fn a_run_that_was_killed_on_one_machine_goes_on_on_the_other() {
    let (server, place) = (Server::shared(), Place::new());
    let url = server.database();
    place.file("main.harn", ASKS);
    let mut run = spawn(on("a", &place, &url, &["run", "main.harn"]));
    let id = waiting(&place, &url);
    // A run that waits is written down; then its process may die.
    let written = "SELECT count(*) FROM harn_events WHERE topic LIKE 'run.%' AND kind LIKE '%suspended%'";
    until(|| (server.sql(&url, written) != "0").then_some(()));
    run.kill().unwrap();
    run.wait().unwrap();
    let approved = done(on("b", &place, &url, &["hitl", "approve", &id, "--reviewer", "ann"]));
    assert_eq!(approved.code(), Some(0), "{}", approved.err());
    let resumed = done(on("b", &place, &url, &["resume", "--ready"]));
    assert_eq!((resumed.out().as_str(), resumed.code()), ("after [ann]\n", Some(0)), "{}", resumed.err());
    let again = done(on("a", &place, &url, &["resume", "--ready"]));
    assert_eq!(again.out(), "", "it goes on once");
}

#[test]
fn a_wait_outlives_a_crash_of_the_server() {
    let (mut server, place) = (Server::start(), Place::new());
    let url = server.database();
    place.file("main.harn", ASKS);
    let run = spawn(on("a", &place, &url, &["run", "main.harn"]));
    let id = waiting(&place, &url);
    server.crash();
    server.up();
    let approved = done(on("b", &place, &url, &["hitl", "approve", &id, "--reviewer", "ann"]));
    assert_eq!(approved.code(), Some(0), "{}", approved.err());
    let run = Done(run.wait_with_output().unwrap());
    assert_eq!((run.out().as_str(), run.code()), ("before\nafter [ann]\n", Some(0)), "{}", run.err());
}

/// G1, G7 across machines: whatever is killed, cut or restarted meanwhile, no more than the quota is admitted, and there is
/// one chain.
#[test]
fn g01_a_budget_holds_across_machines_while_the_server_crashes() {
    let (mut server, place) = (Server::start(), Place::new());
    let url = server.database();
    place.file(
        "main.harn",
        r#"
pipeline main(task) {
  for i in range(12) {
    llm_mock({text: "<done>##DONE##</done>"})
    let r = agent_loop("t", nil, {provider: "mock", autonomy_budget: {per_hour: 10, key: "k"}})
    trust_record("writer", "write", nil, "success", "act_auto")
    println(r.status)
  }
}
"#,
    );
    let mut runs: Vec<Child> =
        ["a", "b", "c"].iter().map(|m| spawn(on(m, &place, &url, &["run", "main.harn"]))).collect();
    let decisions = "SELECT count(*) FROM harn_events WHERE topic = 'autonomy.decisions'
         AND kind = 'autonomy.decision_reserved'";
    let has_tables = "SELECT to_regclass('harn_events') IS NOT NULL";
    until(|| (server.sql(&url, has_tables) == "t").then_some(()));
    until(|| (server.sql(&url, decisions) != "0").then_some(()));
    runs.push(spawn(on("d", &place, &url, &["run", "main.harn"])));
    server.cut(&url);
    server.crash();
    runs[0].kill().unwrap();
    server.up();
    let outputs: Vec<Done> = runs.into_iter().map(|run| Done(run.wait_with_output().unwrap())).collect();
    for run in &outputs[1..] {
        assert_eq!(run.code(), Some(0), "{}", run.err());
        assert_eq!(run.out().lines().count(), 12);
    }
    let hours = "SELECT count(DISTINCT (payload::jsonb)->'hour_index') FROM harn_events WHERE topic = 'autonomy.decisions'";
    let quota: usize = 10 * server.sql(&url, hours).parse::<usize>().unwrap();
    let admitted: usize = server.sql(&url, decisions).parse().unwrap();
    // The hour may turn while the test runs; then a second quota is right.
    assert!((10..=quota).contains(&admitted), "{admitted} of {quota}");
    let started: usize = outputs[1..].iter().map(|run| run.out().matches("done").count()).sum();
    assert!(started <= admitted, "{started} started, {admitted} on the log");
    let verified = done(on("a", &place, &url, &["trust", "verify-chain"]));
    assert_eq!(verified.code(), Some(0), "{}{}", verified.out(), verified.err());
    assert!(verified.out().contains("records="), "{}", verified.out());
}

#[test]
fn no_command_shows_the_password() {
    let (server, place) = (Server::shared(), Place::new());
    let good = server.database();
    place.file("main.harn", ASKS);
    for url in ["postgres://ann:secret@127.0.0.1:1/x", "postgres://ann:secret@127.0.0.1:one/x", &good] {
        for args in
            [&["doctor", "--no-network"][..], &["hitl", "list"], &["trust", "query"], &["autonomy", "status"]]
        {
            let shown = done(on("a", &place, url, args));
            assert!(!format!("{}{}", shown.out(), shown.err()).contains("secret"), "{}", shown.err());
        }
    }
    let doctor = done(on("a", &place, &good, &["doctor", "--no-network"])).out();
    assert!(doctor.contains("PostgreSQL postgres://") && doctor.contains("0 topics, writable"), "{doctor}");
    let doctor = done(on("a", &place, "postgres://ann@127.0.0.1:1/x", &["doctor", "--no-network"])).out();
    assert!(doctor.contains("postgres://127.0.0.1:1/x") && doctor.contains("start the server"), "{doctor}");
}
