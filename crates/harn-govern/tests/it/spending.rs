//! What decisions spend: set aside, settled, left by crashes; and how many may be under way at once.

use std::collections::{BTreeMap, BTreeSet};

use harn_eventlog::{Json, MemoryStore, Read};
use harn_govern::autonomy::amount::Resource;
use harn_govern::autonomy::spend::{self, OverLimit};
use harn_govern::autonomy::{
    self, Admission, Amount, Bound, Declared, Ledger, Limits, PerWindow, Reservation, Spend, Spender, Window,
    simulate,
};
use harn_govern::people::{self, Book};
use proptest::prelude::*;

use crate::transact;

const T0: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const HOUR: i64 = 3_600_000;
const NANO: i64 = 1_000_000_000;

fn tokens(n: i64) -> Amount {
    Amount { tokens: n, ..Amount::default() }
}

fn per_hour(n: i64) -> PerWindow {
    PerWindow { per_hour: Some(n), per_day: None }
}

fn token_limit(n: i64) -> Limits {
    Limits { tokens: per_hour(n), ..Limits::default() }
}

/// A process: its own projection of the one log.
#[derive(Default)]
struct Process {
    ledger: Ledger,
    book: Book,
}

impl Process {
    fn reserve(&mut self, store: &mut MemoryStore, asked: &Reservation, now: i64) -> Admission {
        let Process { ledger, book } = self;
        transact(store, now, |tx, moment| autonomy::reserve(tx, ledger, book, asked, moment))
    }

    fn set_aside(
        &mut self,
        store: &mut MemoryStore,
        by: &[Spender],
        worst: Amount,
        now: i64,
    ) -> Result<String, OverLimit> {
        self.ask(store, &asking(by, worst), now)
    }

    fn ask(&mut self, store: &mut MemoryStore, asked: &Spend<'_>, now: i64) -> Result<String, OverLimit> {
        transact(store, now, |tx, moment| spend::set_aside(tx, &mut self.ledger, asked, moment))
    }

    fn settle(&mut self, store: &mut MemoryStore, id: &str, actual: Amount, now: i64) {
        transact(store, now, |tx, moment| spend::settle(tx, &mut self.ledger, id, actual, moment));
    }

    fn finish(&mut self, store: &mut MemoryStore, id: &str, now: i64) {
        transact(store, now, |tx, moment| spend::finish(tx, &mut self.ledger, id, moment));
    }

    fn spent_hour(&mut self, store: &mut MemoryStore, key: &str, now: i64) -> Amount {
        self.ledger.refresh(store).unwrap();
        self.ledger.taken(key, Window::at(now)).spent_hour
    }
}

fn asking(by: &[Spender], worst: Amount) -> Spend<'_> {
    Spend { spenders: by, op: "llm.call", worst, priced: true, exact: false, trace_id: None }
}

fn spender(key: &str, limits: Limits) -> Spender {
    let bounds = vec![Bound { key: key.into(), limits }];
    Spender { decision_id: format!("decision of {key}"), key: key.into(), counted: true, bounds }
}

fn asked(key: &str, limits: Limits) -> Reservation {
    Reservation {
        source: "agent_loop".into(),
        key: key.into(),
        limits,
        reviewer: "operator".into(),
        ..Reservation::default()
    }
}

#[test]
fn the_worst_case_counts_until_it_is_settled() {
    let (mut store, mut one, mut two) = (MemoryStore::new(), Process::default(), Process::default());
    let by = [spender("k", token_limit(1000))];
    let id = one.set_aside(&mut store, &by, tokens(700), T0).unwrap();
    let refused = two.set_aside(&mut store, &by, tokens(301), T0).unwrap_err();
    assert_eq!((refused.reason, refused.key.as_str()), ("hourly_tokens_budget_exceeded", "k"));
    assert_eq!(
        refused.text,
        "autonomy budget of 'k': tokens 700 of 1000 an hour are spent or set aside, and this may take 301"
    );
    one.settle(&mut store, &id, tokens(20), T0);
    assert_eq!(two.spent_hour(&mut store, "k", T0), tokens(20));
    assert!(two.set_aside(&mut store, &by, tokens(980), T0).is_ok());
    // A second settlement of the same amount changes nothing.
    one.settle(&mut store, &id, tokens(0), T0);
    assert_eq!(two.spent_hour(&mut store, "k", T0), tokens(1000));
}

#[test]
fn a_crash_leaves_the_worst_case_until_its_window_ends() {
    let mut store = MemoryStore::new();
    let by = [spender("k", token_limit(1000))];
    Process::default().set_aside(&mut store, &by, tokens(900), T0).unwrap();
    let mut next = Process::default();
    assert!(next.set_aside(&mut store, &by, tokens(101), T0 + HOUR - 1).is_err());
    assert!(next.set_aside(&mut store, &by, tokens(101), T0 - HOUR).is_err(), "nor after a step back");
    assert!(next.set_aside(&mut store, &by, tokens(1000), T0 + HOUR).is_ok());
}

#[test]
fn a_refused_call_leaves_an_event_that_says_why() {
    let mut store = MemoryStore::new();
    let by = [spender("k", token_limit(10))];
    Process::default().set_aside(&mut store, &by, tokens(11), T0).unwrap_err();
    let event = &store.read_range("triggers.lifecycle", None, 9).unwrap()[0].event;
    assert_eq!(event.kind, "autonomy.budget_exceeded");
    assert_eq!(event.payload.text("reason"), "hourly_tokens_budget_exceeded");
    assert_eq!(event.payload.field("asked").field("tokens").as_int(), Some(11));
    assert_eq!(store.latest("autonomy.spending").unwrap(), None);
}

#[test]
fn each_resource_has_its_own_windows() {
    let day = |n| PerWindow { per_hour: None, per_day: Some(n) };
    let money = Amount { nano_usd: 2 * NANO, ..Amount::default() };
    let calls = Amount { tool_calls: 1, ..Amount::default() };
    for (limits, amount, reason) in [
        (Limits { tokens: day(10), ..Limits::default() }, tokens(6), "daily_tokens_budget_exceeded"),
        (Limits { cost: day(3 * NANO), ..Limits::default() }, money, "daily_cost_budget_exceeded"),
        (Limits { cost: per_hour(3 * NANO), ..Limits::default() }, money, "hourly_cost_budget_exceeded"),
        (Limits { tool_calls: per_hour(1), ..Limits::default() }, calls, "hourly_tool_calls_budget_exceeded"),
        (Limits { tool_calls: day(1), ..Limits::default() }, calls, "daily_tool_calls_budget_exceeded"),
    ] {
        let (mut store, mut process) = (MemoryStore::new(), Process::default());
        let by = [spender("k", limits)];
        process.set_aside(&mut store, &by, amount, T0).unwrap();
        assert_eq!(process.set_aside(&mut store, &by, amount, T0).unwrap_err().reason, reason);
        let daily = reason.starts_with("daily");
        assert_eq!(process.set_aside(&mut store, &by, amount, T0 + HOUR).is_err(), daily, "{reason}");
        assert!(process.set_aside(&mut store, &by, amount, T0 + 24 * HOUR).is_ok(), "{reason}");
    }
}

#[test]
fn an_unknown_price_refuses_unless_tokens_are_capped() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let cost = Limits { cost: per_hour(NANO), ..Limits::default() };
    let by = [spender("k", cost)];
    let unpriced = |by| Spend { priced: false, ..asking(by, tokens(10)) };
    let refused = process.ask(&mut store, &unpriced(&by), T0).unwrap_err();
    assert_eq!(refused.reason, "unknown_price");
    let by = [spender("k", Limits { tokens: per_hour(15), ..cost })];
    assert!(process.ask(&mut store, &unpriced(&by), T0).is_ok());
    assert!(process.ask(&mut store, &unpriced(&by), T0).is_err(), "the cap on tokens holds");
}

#[test]
fn what_is_spent_below_a_key_is_spent_of_it_and_once() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let team = Bound { key: "team".into(), limits: token_limit(100) };
    let under = |key: &str| Spender { bounds: vec![team.clone()], ..spender(key, Limits::default()) };
    // A nested loop: the outer decision pays and so does the inner one; the team pays once.
    let nested = [under("team/a"), under("team/a/x")];
    process.set_aside(&mut store, &nested, tokens(60), T0).unwrap();
    assert_eq!(process.spent_hour(&mut store, "team", T0), tokens(60));
    assert!(process.set_aside(&mut store, &[under("team/b")], tokens(41), T0).is_err());
    assert!(process.set_aside(&mut store, &[under("team/b")], tokens(40), T0).is_ok());
}

#[test]
fn a_start_is_refused_once_everything_is_spent_and_an_approval_lifts_it() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let limits = token_limit(100);
    assert!(matches!(process.reserve(&mut store, &asked("k", limits), T0), Admission::Admitted { .. }));
    process.set_aside(&mut store, &[spender("k", limits)], tokens(100), T0).unwrap();
    let Admission::Refused(refusal) = process.reserve(&mut store, &asked("k", limits), T0) else { panic!() };
    assert_eq!(refusal.result.text("reason"), "hourly_tokens_budget_exceeded");
    assert_eq!(refusal.result.field("tokens").field("per_hour").as_int(), Some(100));
    assert_eq!(refusal.result.field("spent_hour").field("tokens").as_int(), Some(100));
    let answer = Json::object([
        ("request_id", Json::from(refusal.result.text("request_id"))),
        ("approved", true.into()),
        ("reviewer", "operator".into()),
    ]);
    let Process { book, .. } = &mut process;
    transact(&mut store, T0, |tx, moment| people::deliver(tx, book, &answer, "cli", moment));
    let admitted = process.reserve(&mut store, &asked("k", limits), T0);
    assert!(matches!(admitted, Admission::Admitted { approval_id: Some(_), .. }));
    // What a person let through beyond the budget is not held to it.
    let approved = [Spender { counted: false, ..spender("k", limits) }];
    assert!(!asking(&approved, tokens(50)).is_limited());
    let note = asking(&approved, tokens(50));
    transact(&mut store, T0, |tx, moment| spend::note(tx, &mut process.ledger, &note, tokens(50), moment));
    assert_eq!(process.spent_hour(&mut store, "k", T0), tokens(100));
}

#[test]
fn a_fresh_ledger_agrees_about_spending_and_what_is_under_way() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let by = [spender("a/b", token_limit(i64::MAX))];
    let concurrent = Limits { max_concurrent: Some(2000), ..Limits::default() };
    let held = Reservation { holder: Some("p".into()), ..asked("a/b", concurrent) };
    let mut open = String::new();
    for n in 0..1200 {
        open = process.set_aside(&mut store, &by, tokens(7), T0).unwrap();
        if n % 3 == 0 {
            process.settle(&mut store, &open, tokens(1), T0);
        }
        process.reserve(&mut store, &held, T0);
    }
    assert!(store.latest("autonomy.checkpoints").unwrap().unwrap_or(0) >= 2);
    let mut fresh = Process::default();
    for key in ["a", "a/b"] {
        let expected = process.spent_hour(&mut store, key, T0);
        assert_eq!(expected.tokens, 400 + 800 * 7);
        assert_eq!(fresh.spent_hour(&mut store, key, T0), expected);
        assert_eq!(fresh.ledger.running(key).count(), 1200);
    }
    // What was set aside before the checkpoint can be settled after it.
    fresh.settle(&mut store, &open, tokens(1), T0);
    assert_eq!(process.spent_hour(&mut store, "a", T0).tokens, 400 + 799 * 7 + 1);
}

#[test]
fn a_simulation_tries_limits_on_spending() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let mut now = T0;
    for n in 0..3 {
        now += 1000;
        let Admission::Admitted { decision_id, .. } =
            process.reserve(&mut store, &asked("bot/a", Limits::default()), now)
        else {
            panic!()
        };
        let by = [Spender { decision_id: decision_id.clone(), ..spender("bot/a", token_limit(1000)) }];
        let id = process.set_aside(&mut store, &by, tokens(90), now).unwrap();
        process.settle(&mut store, &id, tokens(40), now);
        // The second is still under way when the third begins.
        if n != 1 {
            process.finish(&mut store, &decision_id, now);
        }
    }
    let mut tried = |limits: Limits| {
        let budget = Declared { pattern: "bot".into(), limits, reviewer: None };
        let found = simulate::replay(&mut store, &[budget], i64::MIN).unwrap();
        found.refused.iter().map(|r| (r.what.clone(), r.reason)).collect::<Vec<_>>()
    };
    assert_eq!(tried(token_limit(120)), []);
    assert_eq!(tried(token_limit(119)), [("llm.call".into(), "hourly_tokens_budget_exceeded")]);
    assert_eq!(tried(token_limit(80)), [("decision".into(), "hourly_tokens_budget_exceeded")]);
    let concurrent = Limits { max_concurrent: Some(1), ..Limits::default() };
    assert_eq!(tried(concurrent), [("decision".into(), "concurrent_autonomy_budget_exceeded")]);
}

#[test]
fn a_slot_is_free_when_its_decision_ends_or_its_process_is_dead_and_not_before() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let limits = Limits { max_concurrent: Some(2), ..Limits::default() };
    let by = |holder: &str, dead: &[&str]| Reservation {
        holder: Some(holder.into()),
        dead: dead.iter().map(|name| (*name).to_owned()).collect(),
        ..asked("k", limits)
    };
    let mut admit = |store: &mut MemoryStore, asked: &Reservation| match process.reserve(store, asked, T0) {
        Admission::Admitted { decision_id, .. } => Some(decision_id),
        Admission::Refused(refusal) => {
            assert_eq!(refusal.result.text("reason"), "concurrent_autonomy_budget_exceeded");
            None
        }
        Admission::Invalid(text) => panic!("{text}"),
    };
    let first = admit(&mut store, &by("p1", &[])).unwrap();
    assert!(admit(&mut store, &by("p2", &[])).is_some());
    assert!(admit(&mut store, &by("p3", &[])).is_none());
    // Days do not free what is under way; neither does the death of somebody else.
    assert!(admit(&mut store, &by("p3", &["p9"])).is_none());
    Process::default().finish(&mut store, &first, T0);
    assert!(admit(&mut store, &by("p3", &[])).is_some());
    assert!(admit(&mut store, &by("p4", &[])).is_none());
    assert!(admit(&mut store, &by("p4", &["p2"])).is_some());
    assert!(admit(&mut store, &by("p5", &["p2"])).is_none(), "a dead process frees its slots once");
}

#[test]
fn a_decision_that_goes_on_elsewhere_takes_a_slot_again_when_there_is_one() {
    let (mut store, mut process) = (MemoryStore::new(), Process::default());
    let limits = Limits { max_concurrent: Some(1), ..Limits::default() };
    let by = |holder: &str, dead: &[&str]| Reservation {
        holder: Some(holder.into()),
        dead: dead.iter().map(|name| (*name).to_owned()).collect(),
        ..asked("k", limits)
    };
    let Admission::Admitted { decision_id: first, .. } = process.reserve(&mut store, &by("p1", &[]), T0)
    else {
        panic!()
    };
    let Admission::Admitted { decision_id: other, .. } = process.reserve(&mut store, &by("p2", &["p1"]), T0)
    else {
        panic!()
    };
    let spenders = [Spender { decision_id: first.clone(), ..spender("k", limits) }];
    let go_on = |store: &mut MemoryStore, ledger: &mut Ledger, dead: &[&str]| {
        let dead = dead.iter().map(|name| (*name).to_owned()).collect();
        transact(store, T0, |tx, _| autonomy::take_over(tx, ledger, &spenders, "p3", &dead, T0))
    };
    let full = "1 of 1 decisions of 'k' are under way (max_concurrent)";
    assert_eq!(go_on(&mut store, &mut process.ledger, &["p1"]), Err(full.to_owned()));
    process.finish(&mut store, &other, T0);
    assert_eq!(go_on(&mut store, &mut process.ledger, &["p1"]), Ok(()));
    assert_eq!(go_on(&mut store, &mut process.ledger, &[]), Ok(()), "it has its slot already");
    assert!(!matches!(process.reserve(&mut store, &by("p4", &["p1"]), T0), Admission::Admitted { .. }));
    process.finish(&mut store, &first, T0);
    assert!(matches!(process.reserve(&mut store, &by("p4", &[]), T0), Admission::Admitted { .. }));
}

/// Spending by hand: what each open amount and each settled one counts in its hour.
#[derive(Default)]
struct Model {
    reached: i64,
    open: BTreeMap<String, (i64, i64)>,
    settled: Vec<(i64, i64)>,
}

impl Model {
    fn spent(&self, hour: i64) -> i64 {
        let all = self.open.values().chain(&self.settled);
        all.filter(|(at, _)| *at == hour).map(|(_, n)| n).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    /// Three processes with projections of their own set aside, settle, crash and restart under clocks that step back: what
    /// is admitted is what the model admits, so no window ever holds more than the cap.
    #[test]
    fn spending_equals_that_of_the_model(
        steps in prop::collection::vec((0..3usize, -50..70i64, 1..60i64, 0..10u8), 1..80),
        cap in 60..200i64,
    ) {
        let mut store = MemoryStore::new();
        let mut processes = [Process::default(), Process::default(), Process::default()];
        let mut owed: [BTreeSet<String>; 3] = Default::default();
        let mut model = Model::default();
        let by = [spender("team/k", Limits::default())];
        let by = [Spender { bounds: vec![Bound { key: "team".into(), limits: token_limit(cap) }], ..by[0].clone() }];
        let mut now = T0;
        for (who, minutes, amount, chance) in steps {
            now += minutes * 60_000;
            match chance {
                0 => {
                    // A crash: what it had set aside stays.
                    processes[who] = Process::default();
                    owed[who].clear();
                }
                1..=3 => {
                    if let Some(id) = owed[who].pop_first() {
                        let (hour, worst) = model.open.remove(&id).unwrap();
                        let actual = worst * amount / 60;
                        processes[who].settle(&mut store, &id, tokens(actual), now);
                        model.settled.push((hour, actual));
                    }
                }
                _ => {
                    let hour = (now.div_euclid(HOUR)).max(model.reached);
                    let fits = model.spent(hour) + amount <= cap;
                    let ruled = processes[who].set_aside(&mut store, &by, tokens(amount), now);
                    prop_assert_eq!(ruled.is_ok(), fits);
                    if let Ok(id) = ruled {
                        model.reached = hour;
                        model.open.insert(id.clone(), (hour, amount));
                        owed[who].insert(id);
                    }
                }
            }
            let hour = model.reached;
            let spent = processes[who].spent_hour(&mut store, "team", hour * HOUR).of(Resource::Tokens);
            prop_assert_eq!(spent, if hour == 0 { 0 } else { model.spent(hour) });
            prop_assert!(spent <= cap);
        }
    }

    /// Never more decisions under way than allowed, whatever ends, dies or is given back.
    #[test]
    fn no_more_are_under_way_than_allowed(
        steps in prop::collection::vec((0..4usize, 0..8u8), 1..80),
        most in 1..4i64,
    ) {
        let mut store = MemoryStore::new();
        let mut process = Process::default();
        let limits = Limits { max_concurrent: Some(most), ..Limits::default() };
        let mut alive: Vec<(String, BTreeSet<String>)> = (0..4).map(|n| (format!("p{n}"), BTreeSet::new())).collect();
        let mut dead = BTreeSet::new();
        let mut born = 4;
        for (who, chance) in steps {
            let (name, decisions) = alive[who].clone();
            match chance {
                0 => {
                    dead.insert(name);
                    alive[who] = (format!("p{born}"), BTreeSet::new());
                    born += 1;
                }
                1 | 2 => if let Some(id) = decisions.first() {
                    if chance == 1 {
                        process.finish(&mut store, id, T0);
                    } else {
                        transact(&mut store, T0, |tx, moment| autonomy::release(tx, &mut process.ledger, id, "x", moment));
                    }
                    alive[who].1.remove(id);
                },
                _ => {
                    let asked = Reservation { holder: Some(name), dead: dead.clone(), ..asked("k", limits) };
                    let under_way: usize = alive.iter().map(|(_, decisions)| decisions.len()).sum();
                    match process.reserve(&mut store, &asked, T0) {
                        Admission::Admitted { decision_id, .. } => {
                            prop_assert!((under_way as i64) < most);
                            alive[who].1.insert(decision_id);
                        }
                        _ => prop_assert!(under_way as i64 >= most),
                    }
                }
            }
        }
    }
}
