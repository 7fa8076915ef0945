//! Budgets: against a reference model, under clocks that step back, and what lifts a refusal.

use std::collections::BTreeMap;

use harn_eventlog::{Json, MemoryStore, Read};
use harn_govern::autonomy::{self, Admission, Ledger, Limits, Reservation};
use harn_govern::people::{self, Book, Delivery};
use harn_govern::trust;
use proptest::prelude::*;

use crate::transact;

const HOUR: i64 = 3_600_000;
const T0: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z

fn asked(key: &str, per_hour: Option<i64>, per_day: Option<i64>) -> Reservation {
    Reservation {
        source: "agent_loop".into(),
        key: key.into(),
        session_id: Some("s".into()),
        limits: Limits { per_hour, per_day, ..Limits::default() },
        reviewer: "operator".into(),
        ..Reservation::default()
    }
}

struct World {
    store: MemoryStore,
    ledger: Ledger,
    book: Book,
}

impl World {
    fn new() -> World {
        World { store: MemoryStore::new(), ledger: Ledger::default(), book: Book::default() }
    }

    fn reserve(&mut self, asked: &Reservation, now: i64) -> Admission {
        let World { store, ledger, book } = self;
        transact(store, now, |tx, moment| autonomy::reserve(tx, ledger, book, asked, moment))
    }

    fn admitted(&mut self, asked: &Reservation, now: i64) -> bool {
        matches!(self.reserve(asked, now), Admission::Admitted { .. })
    }

    fn answer(&mut self, id: &str, approved: bool, reviewer: &str, channel: &str, now: i64) -> Delivery {
        let response = Json::object([
            ("request_id", Json::from(id)),
            ("approved", approved.into()),
            ("reviewer", reviewer.into()),
        ]);
        let World { store, book, .. } = self;
        transact(store, now, |tx, moment| people::deliver(tx, book, &response, channel, moment))
    }

    fn refused(&mut self, asked: &Reservation, now: i64) -> Json {
        match self.reserve(asked, now) {
            Admission::Refused(refusal) => refusal.result,
            other => panic!("{other:?}"),
        }
    }

    fn count(&mut self, topic: &str) -> u64 {
        self.store.latest(topic).unwrap().unwrap_or(0)
    }
}

#[test]
fn the_hour_is_checked_first_and_each_cap_names_its_reason() {
    let mut world = World::new();
    let both = asked("k", Some(1), Some(1));
    assert!(world.admitted(&both, T0));
    assert_eq!(world.refused(&both, T0).text("reason"), "hourly_autonomy_budget_exceeded");
    assert_eq!(world.refused(&both, T0 + HOUR).text("reason"), "daily_autonomy_budget_exceeded");
    assert!(world.admitted(&both, T0 + 24 * HOUR));
}

#[test]
fn a_clock_that_steps_back_grants_no_second_quota() {
    let mut world = World::new();
    let asked = asked("k", Some(2), None);
    assert!(world.admitted(&asked, T0 + HOUR));
    assert!(world.admitted(&asked, T0));
    assert!(!world.admitted(&asked, T0));
    assert!(!world.admitted(&asked, T0 + HOUR));
    assert!(world.admitted(&asked, T0 + 2 * HOUR));
}

#[test]
fn a_refusal_leaves_request_lifecycle_event_and_trust_record() {
    let mut world = World::new();
    let asked = asked("k", Some(1), None);
    world.admitted(&asked, T0);
    let result = world.refused(&asked, T0);
    assert_eq!(result.text("status"), "approval_required");
    assert_eq!(result.field("autonomous_decisions_hour").as_int(), Some(1));
    assert_eq!(world.count("hitl.approvals"), 1);
    let request = &world.store.read_range("hitl.approvals", None, 1).unwrap()[0].event.payload;
    assert_eq!(
        request.field("payload").text("action"),
        "approve autonomous agent_loop dispatch for 'k' after hourly_autonomy_budget_exceeded"
    );
    let lifecycle = &world.store.read_range("triggers.lifecycle", None, 1).unwrap()[0].event;
    assert_eq!(lifecycle.kind, "autonomy.budget_exceeded");
    assert_eq!(lifecycle.payload.text("request_id"), result.text("request_id"));
    let records = trust::records(&mut world.store, Some("k")).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].text("action"), records[0].text("outcome")),
        ("autonomy.tier_transition", "denied")
    );
    assert_eq!(world.count("autonomy.decisions"), 1);
}

#[test]
fn repeated_refusals_reuse_the_pending_request() {
    let mut world = World::new();
    let asked = asked("k", Some(1), None);
    world.admitted(&asked, T0);
    let first = world.refused(&asked, T0);
    for _ in 0..3 {
        assert_eq!(world.refused(&asked, T0 + 1000).text("request_id"), first.text("request_id"));
    }
    assert_eq!(world.count("hitl.approvals"), 1);
    let events = world.store.read_range("triggers.lifecycle", None, 9).unwrap();
    let repeats: Vec<_> = events.iter().map(|s| s.event.payload.field("repeat").as_int()).collect();
    assert_eq!(repeats, [None, Some(1), Some(2), Some(3)]);
}

#[test]
fn an_approved_request_admits_exactly_one_further_start() {
    let mut world = World::new();
    let asked = asked("k", Some(1), None);
    world.admitted(&asked, T0);
    let id = world.refused(&asked, T0).text("request_id").to_owned();
    assert_eq!(world.answer(&id, true, "operator", "cli", T0 + 1), Delivery::Taken { settled: true });
    assert!(world.admitted(&asked, T0 + 2));
    assert_eq!(world.count("hitl.consumptions"), 1);
    let refused = world.refused(&asked, T0 + 3);
    assert_ne!(refused.text("request_id"), id);
    assert_eq!(
        refused.field("autonomous_decisions_hour").as_int(),
        Some(1),
        "approved decisions do not count"
    );
    let named = Reservation { approval: Some(id.clone()), ..asked };
    assert_eq!(
        world.reserve(&named, T0 + 4),
        Admission::Invalid(format!("approval '{id}' was already used"))
    );
}

#[test]
fn an_approval_of_another_key_admits_nothing() {
    let mut world = World::new();
    let one = asked("one", Some(1), None);
    let two = asked("two", Some(1), None);
    world.admitted(&one, T0);
    world.admitted(&two, T0);
    let id = world.refused(&one, T0).text("request_id").to_owned();
    world.answer(&id, true, "operator", "cli", T0);
    assert!(!world.admitted(&two, T0));
    let named = Reservation { approval: Some(id.clone()), ..two };
    assert_eq!(
        world.reserve(&named, T0),
        Admission::Invalid(format!("approval '{id}' was given for something else"))
    );
    assert!(world.admitted(&one, T0));
}

#[test]
fn an_answer_of_a_host_mock_admits_only_where_mocks_count() {
    let mut world = World::new();
    let asked = asked("k", Some(1), None);
    world.admitted(&asked, T0);
    let id = world.refused(&asked, T0).text("request_id").to_owned();
    world.answer(&id, true, "operator", "mock", T0);
    assert!(!world.admitted(&asked, T0));
    assert!(world.admitted(&Reservation { accept_mocked: true, ..asked }, T0));
}

#[test]
fn only_the_named_reviewer_answers_and_not_the_key_itself() {
    let mut world = World::new();
    let mut asked = asked("bot", Some(1), None);
    asked.reviewer = "ann".into();
    world.admitted(&asked, T0);
    let id = world.refused(&asked, T0).text("request_id").to_owned();
    assert_eq!(world.answer(&id, true, "mallory", "cli", T0), Delivery::Taken { settled: false });
    assert!(matches!(world.answer(&id, true, "bot", "cli", T0), Delivery::Rejected(_)));
    assert!(!world.admitted(&asked, T0));
    let late = T0 + 24 * HOUR + 1;
    let Delivery::Rejected(text) = world.answer(&id, true, "ann", "cli", late) else { panic!() };
    assert_eq!(text, format!("HITL request '{id}' expired at 2026-01-02T00:00:00Z"));
}

#[test]
fn a_released_decision_does_not_count() {
    let mut world = World::new();
    let asked = asked("k", Some(1), None);
    let Admission::Admitted { decision_id, .. } = world.reserve(&asked, T0) else { panic!() };
    for _ in 0..2 {
        let World { store, ledger, .. } = &mut world;
        transact(store, T0, |tx, moment| autonomy::release(tx, ledger, &decision_id, "setup failed", moment));
    }
    assert_eq!(world.count("autonomy.decisions"), 2, "a decision is released once");
    assert!(world.admitted(&asked, T0));
    assert!(!world.admitted(&asked, T0));
}

#[test]
fn a_fresh_ledger_reads_the_checkpoint_and_agrees() {
    let mut world = World::new();
    let asked = asked("k", Some(100_000), None);
    for n in 0..2500 {
        assert!(world.admitted(&asked, T0 + n));
    }
    assert!(world.count("autonomy.checkpoints") >= 2);
    let mut fresh = Ledger::default();
    fresh.refresh(&mut world.store).unwrap();
    world.ledger.refresh(&mut world.store).unwrap();
    let now = autonomy::Window::at(T0);
    assert_eq!(fresh.taken("k", now), world.ledger.taken("k", now));
    assert_eq!(fresh.taken("k", now).hour, 2500);
}

/// Counting by hand: every admitted, unreleased decision with the windows it fell into.
#[derive(Default)]
struct Model {
    taken: Vec<(String, i64, i64, String)>,
    greatest: BTreeMap<String, (i64, i64)>,
}

impl Model {
    fn admit(
        &mut self,
        key: &str,
        now: i64,
        per_hour: Option<i64>,
        per_day: Option<i64>,
    ) -> Option<(i64, i64)> {
        let seen = self.greatest.get(key).copied().unwrap_or((i64::MIN, i64::MIN));
        let window = ((now.div_euclid(HOUR)).max(seen.0), (now.div_euclid(24 * HOUR)).max(seen.1));
        let of_key = || self.taken.iter().filter(|t| t.0 == key);
        let hour = of_key().filter(|t| t.1 == window.0).count() as i64;
        let day = of_key().filter(|t| t.2 == window.1).count() as i64;
        (per_hour.is_none_or(|cap| hour < cap) && per_day.is_none_or(|cap| day < cap)).then_some(window)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn admissions_equal_those_of_the_model(
        steps in prop::collection::vec((0..3usize, -40..80i64, prop::option::of(1..4i64), prop::option::of(1..8i64), 0..8u8), 1..60)
    ) {
        let mut world = World::new();
        let mut model = Model::default();
        let mut now = T0;
        for (key, minutes, per_hour, per_day, release) in steps {
            now += minutes * 60_000;
            let key = ["a", "b", "c"][key];
            let expected = model.admit(key, now, per_hour, per_day);
            // A fresh projection now and then: what a restarted process sees.
            if release == 7 {
                world.ledger = Ledger::default();
                world.book = Book::default();
            }
            match world.reserve(&asked(key, per_hour, per_day), now) {
                Admission::Admitted { decision_id, .. } => {
                    let window = expected.expect("the model refuses");
                    model.greatest.insert(key.into(), window);
                    if release == 0 {
                        let World { store, ledger, .. } = &mut world;
                        transact(store, now, |tx, moment| autonomy::release(tx, ledger, &decision_id, "x", moment));
                    } else {
                        model.taken.push((key.into(), window.0, window.1, decision_id));
                    }
                }
                other => prop_assert!(expected.is_none(), "the model admits: {:?}", other),
            }
        }
        prop_assert!(trust::verify(&mut world.store, trust::GLOBAL, None).unwrap().verified);
    }
}
