//! Rolling windows, keys above keys, grants, and what the same log would have done under other budgets.

use harn_eventlog::{Json, MemoryStore};
use harn_govern::autonomy::{
    self, Admission, Bound, Declared, Ledger, Limits, Reservation, Rolling, simulate,
};
use harn_govern::identity::{Identity, Keyring};
use harn_govern::moment::timestamp;
use harn_govern::people::{Book, grants};
use proptest::prelude::*;

use crate::transact;

const T0: i64 = 1_767_225_600_000;
const MINUTE: i64 = 60_000;

fn asked(key: &str, rolling: Option<(i64, i64)>) -> Reservation {
    Reservation {
        source: "agent_loop".into(),
        key: key.into(),
        limits: Limits {
            rolling: rolling.map(|(decisions, window_ms)| Rolling { decisions, window_ms }),
            ..Limits::default()
        },
        reviewer: "operator".into(),
        ..Reservation::default()
    }
}

fn reserve(
    store: &mut MemoryStore,
    ledger: &mut Ledger,
    book: &mut Book,
    asked: &Reservation,
    now: i64,
) -> Admission {
    transact(store, now, |tx, moment| autonomy::reserve(tx, ledger, book, asked, moment))
}

fn admits(store: &mut MemoryStore, asked: &Reservation, now: i64) -> bool {
    let mut ledger = Ledger::default();
    matches!(reserve(store, &mut ledger, &mut Book::default(), asked, now), Admission::Admitted { .. })
}

#[test]
fn a_rolling_window_knows_no_calendar() {
    let mut store = MemoryStore::new();
    let asked = asked("k", Some((2, 60 * MINUTE)));
    // Two decisions just before the hour turns: a calendar window would admit two more just after.
    assert!(admits(&mut store, &asked, T0 + 58 * MINUTE));
    assert!(admits(&mut store, &asked, T0 + 59 * MINUTE));
    assert!(!admits(&mut store, &asked, T0 + 61 * MINUTE));
    assert!(admits(&mut store, &asked, T0 + 118 * MINUTE), "the first one is an hour old");
    assert!(!admits(&mut store, &asked, T0 + 118 * MINUTE));
}

#[test]
fn a_clock_that_steps_back_empties_no_rolling_window() {
    let mut store = MemoryStore::new();
    let asked = asked("k", Some((1, 10 * MINUTE)));
    assert!(admits(&mut store, &asked, T0));
    assert!(!admits(&mut store, &asked, T0 - 60 * MINUTE));
    assert!(!admits(&mut store, &asked, T0 + 9 * MINUTE));
    assert!(admits(&mut store, &asked, T0 + 10 * MINUTE));
}

#[test]
fn what_a_key_spends_is_spent_of_the_keys_above() {
    let mut store = MemoryStore::new();
    let limits = Limits { per_hour: Some(2), ..Limits::default() };
    let under =
        |key: &str| Reservation { bounds: vec![Bound { key: "team".into(), limits }], ..asked(key, None) };
    assert!(admits(&mut store, &under("team/a"), T0));
    assert!(admits(&mut store, &under("team/b"), T0));
    assert!(!admits(&mut store, &under("team/c"), T0));
    assert!(admits(&mut store, &under("team/c"), T0 + 60 * MINUTE));
}

fn grant(key: &str, decisions: Option<i64>, lasts: Option<i64>, signer: Option<&Identity>) -> Json {
    let mut grant = Json::object([
        ("grant_id", Json::from("grant_1")),
        ("key", key.into()),
        ("decisions", decisions.into()),
        ("expires_at", lasts.map(|ms| timestamp(T0 + ms)).into()),
        ("granted_at", timestamp(T0).into()),
        ("reviewer", "operator".into()),
        ("reason", "busy week".into()),
    ]);
    if let Some(identity) = signer {
        let signature = identity.sign(&grants::signed_text(&grant));
        grant.set("signature", signature.into());
    }
    grant
}

#[test]
fn a_grant_admits_as_many_as_it_says_and_no_later_than_it_says() {
    let (mut store, mut ledger, mut book) = (MemoryStore::new(), Ledger::default(), Book::default());
    let asked = asked("k", Some((1, 24 * 60 * MINUTE)));
    let mut admitted = |store: &mut MemoryStore, now| {
        matches!(reserve(store, &mut ledger, &mut book, &asked, now), Admission::Admitted { .. })
    };
    assert!(admitted(&mut store, T0));
    assert!(!admitted(&mut store, T0));
    let given = grant("k", Some(2), Some(30 * MINUTE), None);
    transact(&mut store, T0, |tx, moment| grants::give(tx, &Book::default(), &given, moment)).unwrap();
    assert!(admitted(&mut store, T0 + MINUTE));
    assert!(!admitted(&mut store, T0 + 30 * MINUTE), "it is over");
    // Also for a clock that steps back: the log remembers the later decision.
    assert!(admitted(&mut store, T0 + 2 * MINUTE));
    assert!(!admitted(&mut store, T0 + 3 * MINUTE), "it is used up");
}

#[test]
fn a_revoked_grant_admits_nothing() {
    let mut store = MemoryStore::new();
    let asked = asked("k", Some((1, 24 * 60 * MINUTE)));
    let given = grant("k", Some(5), None, None);
    transact(&mut store, T0, |tx, moment| grants::give(tx, &Book::default(), &given, moment)).unwrap();
    assert!(admits(&mut store, &asked, T0) && admits(&mut store, &asked, T0));
    let mut book = Book::default();
    let revoke = |store: &mut MemoryStore, book: &mut Book| {
        transact(store, T0, |tx, moment| grants::revoke(tx, book, "grant_1", "ann", None, moment))
    };
    assert_eq!(revoke(&mut store, &mut book), Ok(()));
    assert!(revoke(&mut store, &mut book).is_err());
    assert!(!admits(&mut store, &asked, T0));
}

#[test]
fn where_signatures_are_asked_for_an_unsigned_grant_is_none() {
    let (operator, other) =
        (Identity::new("operator", [1; 32], "t"), Identity::new("operator", [2; 32], "t"));
    let keys = std::collections::BTreeMap::from([("operator".to_owned(), operator.public_key())]);
    let book = Book::with_keyring(Keyring::new(keys, false).unwrap());
    let give = |given: Json| {
        transact(&mut MemoryStore::new(), T0, |tx, moment| grants::give(tx, &book, &given, moment))
    };
    assert!(give(grant("k", Some(1), None, None)).is_err());
    assert!(give(grant("k", Some(1), None, Some(&other))).is_err());
    assert!(give(grant("k", Some(1), None, Some(&operator)).with("decisions", 1_000)).is_err());
    assert_eq!(give(grant("k", Some(1), None, Some(&operator))), Ok(()));
    assert!(give(grant("operator", Some(1), None, Some(&operator))).is_err(), "nobody grants to itself");
    assert!(give(grant("k", None, None, Some(&operator))).is_err(), "an unbounded grant is none");
}

#[test]
fn a_simulation_refuses_what_the_tighter_budget_would_have() {
    let mut store = MemoryStore::new();
    for minute in [0, 1, 2, 61] {
        assert!(admits(&mut store, &asked("bot/a", None), T0 + minute * MINUTE));
    }
    let budget = |pattern: &str, per_hour| Declared {
        pattern: pattern.into(),
        limits: Limits { per_hour: Some(per_hour), ..Limits::default() },
        reviewer: None,
    };
    let refused = |store: &mut MemoryStore, budget: Declared| {
        let found = simulate::replay(store, &[budget], i64::MIN).unwrap();
        assert_eq!(found.replayed, 4);
        found.refused.iter().map(|r| (r.at_ms - T0) / MINUTE).collect::<Vec<_>>()
    };
    assert_eq!(refused(&mut store, budget("bot/*", 1)), [1, 2]);
    assert_eq!(refused(&mut store, budget("bot", 2)), [2], "the key above is bound too");
    assert_eq!(refused(&mut store, budget("other", 1)), [0i64; 0]);
    assert_eq!(simulate::replay(&mut store, &[budget("*", 1)], T0 + 60 * MINUTE).unwrap().replayed, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Against counting by hand, with clocks that step back, releases and restarted processes.
    #[test]
    fn a_rolling_window_is_exact(
        steps in prop::collection::vec((-30..60i64, 1..4i64, 0..6u8), 1..50),
        window in 1..50i64,
    ) {
        let (mut store, mut ledger, mut book) = (MemoryStore::new(), Ledger::default(), Book::default());
        let (mut taken, mut now, mut last): (Vec<i64>, i64, i64) = (Vec::new(), T0, i64::MIN);
        for (minutes, cap, chance) in steps {
            now += minutes * MINUTE;
            let at = now.max(last);
            let used = taken.iter().filter(|t| **t > at - window * MINUTE).count() as i64;
            if chance == 5 {
                ledger = Ledger::default();
            }
            match reserve(&mut store, &mut ledger, &mut book, &asked("k", Some((cap, window * MINUTE))), now) {
                Admission::Admitted { decision_id, .. } => {
                    prop_assert!(used < cap);
                    last = at;
                    if chance == 0 {
                        transact(&mut store, now, |tx, moment| {
                            autonomy::release(tx, &mut ledger, &decision_id, "x", moment)
                        });
                    } else {
                        taken.push(at);
                    }
                }
                other => prop_assert!(used >= cap, "{:?}", other),
            }
        }
    }
}
