//! Requests and answers.

use harn_effect::{Data, Raised};
use harn_eventlog::{Json, MemoryStore, Read};
use harn_govern::people::{self, Approval, Ask, Book, Delivery, Filed, Filters, Origin, consume};
use harn_govern::waitpoint;

use crate::transact;

const T0: i64 = 1_767_225_600_000;

fn approval(quorum: i64, reviewers: &[&str]) -> Approval {
    Approval {
        action: "ship".into(),
        quorum,
        reviewers: reviewers.iter().map(|r| (*r).to_owned()).collect(),
        deadline_ms: 60_000,
        ..Approval::default()
    }
}

fn file(store: &mut MemoryStore, ask: &Ask) -> Filed {
    transact(store, T0, |tx, moment| people::file(tx, ask, &Origin::default(), moment))
}

fn answer(store: &mut MemoryStore, book: &mut Book, now: i64, id: &str, fields: &[(&str, Json)]) -> Delivery {
    let mut response = Json::object([("request_id", Json::from(id))]);
    for (name, value) in fields {
        response.set(name, value.clone());
    }
    transact(store, now, |tx, moment| people::deliver(tx, book, &response, "test", moment))
}

fn kinds(store: &mut MemoryStore, topic: &str) -> Vec<String> {
    store.read_range(topic, None, 99).unwrap().into_iter().map(|s| s.event.kind).collect()
}

fn outcome(store: &mut MemoryStore, book: &mut Book, id: &str) -> Option<Result<Data, Raised>> {
    book.refresh(store).unwrap();
    people::outcome(book.get(id).unwrap())
}

#[test]
fn a_quorum_is_distinct_reviewers_and_the_record_has_them_sorted() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let filed = file(&mut store, &Ask::Approval(approval(2, &[])));
    let id = filed.request_id.as_str();
    for reviewer in ["zoe", "zoe", "abe"] {
        assert_eq!(outcome(&mut store, &mut book, id), None);
        answer(&mut store, &mut book, T0, id, &[("approved", true.into()), ("reviewer", reviewer.into())]);
    }
    let record = outcome(&mut store, &mut book, id).unwrap().unwrap();
    assert_eq!(record.field("reviewers"), &Data::from(vec!["abe", "zoe"]));
    assert_eq!(
        kinds(&mut store, "hitl.approvals"),
        [
            "hitl.approval_requested",
            "hitl.response_received",
            "hitl.response_received",
            "hitl.response_received",
            "hitl.approval_approved"
        ]
    );
    let state = waitpoint::valued::load(&mut store, id).unwrap().unwrap();
    assert_eq!(state.text("status"), "completed");
}

#[test]
fn a_denial_needs_an_allowed_reviewer_and_a_decision() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let filed = file(&mut store, &Ask::Approval(approval(1, &["ann"])));
    let id = filed.request_id.as_str();
    for fields in [
        &[("approved", Json::Bool(false))][..],
        &[("reviewer", "ann".into())],
        &[("approved", false.into()), ("reviewer", "eve".into())],
    ] {
        assert_eq!(answer(&mut store, &mut book, T0, id, fields), Delivery::Taken { settled: false });
    }
    answer(
        &mut store,
        &mut book,
        T0,
        id,
        &[("approved", false.into()), ("reviewer", "ann".into()), ("reason", "no".into())],
    );
    let Some(Err(Raised::Thrown(error))) = outcome(&mut store, &mut book, id) else { panic!() };
    assert_eq!(error.field("message").as_str(), Some("no"));
    assert_eq!(error.field("reviewers"), &Data::from(vec!["ann"]));
}

#[test]
fn the_first_terminal_event_wins() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let filed = file(&mut store, &Ask::Approval(approval(1, &[])));
    let id = filed.request_id.as_str();
    answer(&mut store, &mut book, T0, id, &[("approved", true.into()), ("reviewer", "a".into())]);
    answer(&mut store, &mut book, T0, id, &[("approved", false.into()), ("reviewer", "b".into())]);
    assert!(outcome(&mut store, &mut Book::default(), id).unwrap().is_ok());
    assert!(!kinds(&mut store, "hitl.approvals").contains(&"hitl.approval_denied".to_owned()));
}

#[test]
fn an_unknown_request_leaves_no_event() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    for id in ["hitl_approval_nobody", "nonsense"] {
        let delivery = answer(&mut store, &mut book, T0, id, &[("approved", true.into())]);
        assert_eq!(delivery, Delivery::Rejected(format!("unknown HITL request id '{id}'")));
    }
    assert_eq!(store.latest("hitl.approvals").unwrap(), None);
}

#[test]
fn a_late_answer_times_the_request_out() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let filed = file(&mut store, &Ask::Approval(approval(1, &[])));
    let id = filed.request_id.as_str();
    // The time that counts is the append's, never what the response claims.
    let claim = [
        ("approved", true.into()),
        ("reviewer", "a".into()),
        ("responded_at", "2026-01-01T00:00:01Z".into()),
    ];
    for _ in 0..2 {
        let delivery = answer(&mut store, &mut book, T0 + 60_001, id, &claim);
        assert_eq!(
            delivery,
            Delivery::Rejected(format!("HITL request '{id}' expired at 2026-01-01T00:01:00Z"))
        );
    }
    assert_eq!(kinds(&mut store, "hitl.approvals"), ["hitl.approval_requested", "hitl.timeout"]);
    let Some(Err(Raised::Thrown(error))) = outcome(&mut store, &mut book, id) else { panic!() };
    assert_eq!(error.field("name").as_str(), Some("HumanTimeoutError"));
}

#[test]
fn an_escalation_that_is_not_accepted_stays_pending() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let ask = Ask::Escalation { role: "oncall".into(), reason: "disk".into(), capability_policy: Json::Null };
    let filed = file(&mut store, &ask);
    let id = filed.request_id.as_str();
    answer(&mut store, &mut book, T0, id, &[("accepted", false.into()), ("reviewer", "a".into())]);
    book.refresh(&mut store).unwrap();
    assert_eq!(people::pending(&book, &Filters::parse(&Data::Nil).unwrap(), T0).len(), 1);
    answer(&mut store, &mut book, T0, id, &[("accepted", true.into()), ("reviewer", "a".into())]);
    let handle = outcome(&mut store, &mut book, id).unwrap().unwrap();
    assert_eq!(handle.field("status").as_str(), Some("accepted"));
    assert!(people::pending(&book, &Filters::parse(&Data::Nil).unwrap(), T0).is_empty());
}

#[test]
fn an_approval_is_used_once_and_only_for_what_it_was_given() {
    let (mut store, mut book) = (MemoryStore::new(), Book::default());
    let ask = Ask::DualControl { n: 1, m: 1, approval: approval(1, &["a"]) };
    let filed = file(&mut store, &ask);
    let id = filed.request_id.clone();
    answer(&mut store, &mut book, T0, &id, &[("approved", true.into()), ("reviewer", "a".into())]);
    book.refresh(&mut store).unwrap();
    let digest = consume::digest_of(book.get(&id).unwrap());
    let mut use_it = |digest: &str| {
        transact(&mut store, T0, |tx, moment| consume::consume(tx, &mut book, &id, digest, "me", moment))
    };
    assert!(matches!(use_it("sha256:other"), consume::Use::Refused(_)));
    assert_eq!(use_it(&digest), consume::Use::Granted);
    let interrupted = format!("dual_control: execution of '{id}' was interrupted; request a new approval");
    assert_eq!(use_it(&digest), consume::Use::Refused(interrupted));
    transact(&mut store, T0, |tx, moment| consume::executed(tx, &mut book, &id, Json::Int(7), moment));
    let again =
        transact(&mut store, T0, |tx, moment| consume::consume(tx, &mut book, &id, &digest, "me", moment));
    assert_eq!(again, consume::Use::Recorded(Json::Int(7)));
}

#[test]
fn waitpoints_of_colliding_names_are_kept_apart() {
    let mut store = MemoryStore::new();
    transact(&mut store, T0, |tx, moment| {
        for id in ["a/b", "a_b"] {
            waitpoint::valued::create(tx, id, Json::Null, moment)?;
            waitpoint::named::create(tx, id, "x", Json::Null, moment)?;
        }
        waitpoint::valued::complete(tx, "a/b", Json::Int(1), None, None, moment)?
            .map_err(harn_eventlog::LogError::Refused)?;
        Ok(())
    });
    let status = |store: &mut MemoryStore, id: &str| {
        waitpoint::valued::load(store, id).unwrap().unwrap().text("status").to_owned()
    };
    assert_eq!(status(&mut store, "a/b"), "completed");
    assert_eq!(status(&mut store, "a_b"), "open");
    assert_eq!(waitpoint::named::load(&mut store, "a/b").unwrap().unwrap().text("status"), "open");
}
