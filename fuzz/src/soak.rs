//! Composed programs for a long time: the product and the oracle say the same, and memory stays flat.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::compose;
use crate::differ::{self, Verdict};
use crate::memory::{live_bytes, resident_kib, watchable};

/// What to do.
pub struct Plan {
    /// How long.
    pub seconds: u64,
    /// The seed of the first program.
    pub seed: u64,
}

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// What may be alive at the end more than after a quarter: far less than a byte for each program of an hour.
const GROWTH_BYTES: u64 = 16 * 1024;

/// What may be resident at the end more than after a quarter: where free memory lies is not the same each time.
const GROWTH_KIB: u64 = 4 * 1024;

/// How often a program has to leave something behind to be a leak: what it leaves once are tables made at first use.
const TIMES: usize = 3;

/// Reasons of refusals that are counted apart.
const REASONS: usize = 200;

/// Where programs are kept.
const FOLDER: &str = "target/fuzz";

/// Of so many programs, one runs with its tasks on several threads too.
const EVERY: u64 = 8;

/// What one comparison should not take.
const SLOW: Duration = Duration::from_secs(5);

/// Findings after which it stops.
const ENOUGH: usize = 20;

/// Compares until the time is up.
pub fn run(plan: &Plan) -> ExitCode {
    if let Err(error) = watchable() {
        eprintln!("resident memory cannot be watched: {error}");
        return ExitCode::FAILURE;
    }
    let begin = Instant::now();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    // Made now, so that the soak itself does not grow.
    let mut memory: Vec<Look> = Vec::with_capacity((plan.seconds / LOOK.as_secs()) as usize + 2);
    let mut findings = 0;
    let mut moved = 0_u64;
    let mut seed = plan.seed;
    let _ = std::fs::create_dir_all(FOLDER);
    while begin.elapsed() < Duration::from_secs(plan.seconds) && findings < ENOUGH {
        let text = compose::program(seed);
        // Should it never end, this is what it was.
        let _ = std::fs::write(Path::new(FOLDER).join("soak.harn"), &text);
        let began = Instant::now();
        let before = live_bytes();
        let mut verdict = differ::compare(&text);
        if matches!(verdict, Verdict::Same) && seed.is_multiple_of(EVERY) && text.contains("spin()\n") {
            moved += 1;
            match differ::compare_placements(&text) {
                Verdict::Refused(_) | Verdict::Unsure => {}
                other => verdict = other,
            }
        }
        let kind = match &verdict {
            Verdict::Same => "same",
            Verdict::Refused(why) => {
                let shown: String = why.chars().take(60).collect();
                if reasons.len() < REASONS || reasons.contains_key(&shown) {
                    *reasons.entry(shown).or_default() += 1;
                }
                "refused"
            }
            Verdict::Unsure => "unsure",
            Verdict::Different { .. } => "different",
            Verdict::Moved { .. } => "moved",
            Verdict::Broken(_) => "broken",
        };
        *counts.entry(kind).or_default() += 1;
        if verdict.is_finding() {
            findings += 1;
            keep(seed, &text);
            println!("seed {seed}: {}", differ::told(&verdict));
        }
        drop(verdict);
        if live_bytes() > before && leaks(&text) {
            findings += 1;
            keep(seed, &text);
            println!("seed {seed}: leaves memory behind each time it runs");
        }
        if memory.last().is_none_or(|last| begin.elapsed() - last.at > LOOK) {
            memory.push(Look::now(begin.elapsed()));
        }
        if began.elapsed() > SLOW {
            println!("seed {seed} took {} s", began.elapsed().as_secs());
        }
        seed += 1;
    }
    let mut common: Vec<_> = reasons.into_iter().collect();
    common.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (why, count) in common.iter().take(6) {
        println!("refused {count} times: {why}");
    }
    println!("{moved} programs ran with their tasks on {} threads too", differ::THREADS);
    let end = Look::now(begin.elapsed());
    println!(
        "{} programs from seed {} in {} s: {counts:?}",
        counts.values().sum::<u64>(),
        plan.seed,
        end.at.as_secs()
    );
    let part = |of: usize| memory.get(memory.len() / of).copied().unwrap_or(end);
    let (quarter, half) = (part(4), part(2));
    for look in [quarter, half, end] {
        println!("after {} s {look}", look.at.as_secs());
    }
    if end.live > quarter.live + GROWTH_BYTES {
        println!("what is alive grows");
        return ExitCode::FAILURE;
    }
    if end.resident_kib > quarter.resident_kib + GROWTH_KIB {
        println!("what is resident grows");
        return ExitCode::FAILURE;
    }
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn keep(seed: u64, text: &str) {
    let _ = std::fs::write(Path::new(FOLDER).join(format!("differs-{seed}.harn")), text);
}

/// Memory at one time.
#[derive(Clone, Copy)]
struct Look {
    at: Duration,
    live: u64,
    resident_kib: u64,
}

impl Look {
    fn now(at: Duration) -> Look {
        Look { at, live: live_bytes(), resident_kib: resident_kib() }
    }
}

impl std::fmt::Display for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes alive and {} KiB resident", self.live, self.resident_kib)
    }
}

/// Whether every run of a program by the product leaves more memory in use than there was before. Threads of the
/// oracle's generators may still be ending meanwhile, so more than once is asked.
pub fn leaks(text: &str) -> bool {
    (0..TIMES).all(|_| {
        let before = live_bytes();
        drop(differ::product(text));
        live_bytes() > before
    })
}
