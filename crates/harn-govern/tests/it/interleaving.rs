//! The reservation protocol under every order of its steps, and under random ones: actors with projections of their own, that
//! crash before or after they commit, restart, give back, and whose clocks jump.

use harn_eventlog::{Durability, MemoryStore, Read, Store};
use harn_govern::Moment;
use harn_govern::autonomy::{self, Admission, Ledger, Limits, Reservation};
use harn_govern::people::Book;
use std::collections::{BTreeMap, BTreeSet};

const T0: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

/// One step of an actor. A transaction is one step: between its begin and its commit nobody else gets in (the contract
/// of every store, tested there), so these are all the orders there are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Reserves and commits.
    Reserve,
    /// Reserves and dies before the commit.
    CrashBefore,
    /// Reserves, commits, and dies before it hears of it: its projection is lost.
    CrashAfter,
    /// Gives its last decision back.
    Release,
}

#[derive(Default)]
struct Actor {
    ledger: Ledger,
    book: Book,
    last: Option<String>,
}

struct World {
    store: MemoryStore,
    actors: Vec<Actor>,
    drawn: u64,
    cap: i64,
    /// Admissions that an actor heard of and did not give back.
    acknowledged: BTreeSet<String>,
}

impl World {
    fn new(actors: usize, cap: i64) -> World {
        let actors = (0..actors).map(|_| Actor::default()).collect();
        World { store: MemoryStore::new(), actors, drawn: 0, cap, acknowledged: BTreeSet::new() }
    }

    fn step(&mut self, who: usize, step: Step, now_ms: i64) {
        let World { store, actors, drawn, cap, acknowledged } = self;
        let Actor { ledger, book, last } = &mut actors[who];
        let mut entropy = || {
            *drawn += 1;
            let mut bytes = [0; 10];
            bytes[2..].copy_from_slice(&drawn.to_be_bytes());
            bytes
        };
        let mut moment = Moment::new(now_ms, &mut entropy);
        let mut tx = store.begin(Durability::Synced).unwrap();
        if step == Step::Release {
            if let Some(id) = last.take() {
                autonomy::release(&mut *tx, ledger, &id, "x", &moment).unwrap();
                tx.commit().unwrap();
                acknowledged.remove(&id);
            }
            return;
        }
        let asked = Reservation {
            source: "agent_loop".into(),
            key: "k".into(),
            limits: Limits { per_hour: Some(*cap), ..Limits::default() },
            reviewer: "operator".into(),
            ..Reservation::default()
        };
        let ruled = autonomy::reserve(&mut *tx, ledger, book, &asked, &mut moment).unwrap();
        if step == Step::CrashBefore {
            drop(tx);
            actors[who] = Actor::default();
            return;
        }
        tx.commit().unwrap();
        if step == Step::CrashAfter {
            actors[who] = Actor::default();
            return;
        }
        if let Admission::Admitted { decision_id, .. } = ruled {
            *last = Some(decision_id.clone());
            acknowledged.insert(decision_id);
        }
    }

    /// No window holds more than the cap; what was acknowledged is there.
    fn check(&mut self, story: &dyn Fn() -> String) {
        let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
        let mut held = BTreeMap::new();
        for stored in self.store.read_range("autonomy.decisions", None, usize::MAX).unwrap() {
            let payload = &stored.event.payload;
            let id = payload.text("decision_id").to_owned();
            if stored.event.kind == "autonomy.decision_reserved" {
                held.insert(id, payload.field("hour_index").as_int().unwrap());
            } else {
                held.remove(&id);
            }
        }
        for hour in held.values() {
            *hours.entry(*hour).or_default() += 1;
        }
        assert!(hours.values().all(|n| *n <= self.cap), "{hours:?} after {}", story());
        let lost = self.acknowledged.iter().find(|id| !held.contains_key(*id));
        assert_eq!(lost, None, "an acknowledged decision is gone after {}", story());
    }
}

/// Runs every order of the actors' scripts.
fn every_order(scripts: &[&[Step]], cap: i64) -> usize {
    fn go(scripts: &[&[Step]], cap: i64, order: &mut Vec<usize>, at: &mut Vec<usize>, count: &mut usize) {
        let mut over = true;
        for who in 0..scripts.len() {
            if at[who] < scripts[who].len() {
                over = false;
                order.push(who);
                at[who] += 1;
                go(scripts, cap, order, at, count);
                at[who] -= 1;
                order.pop();
            }
        }
        if over {
            *count += 1;
            let mut world = World::new(scripts.len(), cap);
            let mut done = vec![0; scripts.len()];
            for who in order.iter().copied() {
                world.step(who, scripts[who][done[who]], T0);
                done[who] += 1;
            }
            world.check(&|| format!("{order:?} of {scripts:?}"));
        }
    }
    let mut count = 0;
    go(scripts, cap, &mut Vec::new(), &mut vec![0; scripts.len()], &mut count);
    count
}

#[test]
fn no_order_of_steps_and_crashes_exceeds_the_cap() {
    use Step::{CrashAfter, CrashBefore, Release, Reserve};
    const SECOND: [Step; 4] = [Reserve, CrashBefore, CrashAfter, Release];
    let mut orders = 0;
    // Three actors and a cap of two; what two of them do second is every combination.
    for a in SECOND {
        for b in SECOND {
            let scripts: [&[Step]; 3] = [&[Reserve, a], &[Reserve, b], &[Reserve, Reserve]];
            orders += every_order(&scripts, 2);
        }
    }
    assert_eq!(orders, 16 * 90, "6! / (2! 2! 2!) orders of each of 16 sets of scripts");
}

/// A small generator: the rounds are the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn a_hundred_seeded_rounds_of_six_actors_with_jumping_clocks_hold_the_cap() {
    for seed in 1..=100u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut world = World::new(6, 1 + random.below(5) as i64);
        let mut now = T0;
        for _ in 0..40 {
            now += match random.below(12) {
                0 => -HOUR,
                1 => HOUR,
                2 => -24 * HOUR,
                n => n as i64 * 1000,
            };
            let who = random.below(6) as usize;
            let step = match random.below(10) {
                0 => Step::CrashBefore,
                1 => Step::CrashAfter,
                2 => Step::Release,
                _ => Step::Reserve,
            };
            world.step(who, step, now);
        }
        world.check(&|| format!("seed {seed}"));
    }
}
