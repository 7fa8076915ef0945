//! Composed programs for a long time: the product and the oracle say the same, and memory stays flat.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::compose;
use crate::differ::{self, Verdict};

/// What to do.
pub struct Plan {
    /// How long.
    pub seconds: u64,
    /// The seed of the first program.
    pub seed: u64,
}

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// What resident memory may grow by between the first quarter and the end.
const GROWTH_KIB: u64 = 24 * 1024;

/// Where programs are kept.
const FOLDER: &str = "target/fuzz";

/// What one comparison should not take.
const SLOW: Duration = Duration::from_secs(5);

/// Findings after which it stops.
const ENOUGH: usize = 20;

/// Compares until the time is up.
pub fn run(plan: &Plan) -> ExitCode {
    let begin = Instant::now();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let mut memory: Vec<(Duration, u64)> = Vec::new();
    let mut findings = 0;
    let mut seed = plan.seed;
    let _ = std::fs::create_dir_all(FOLDER);
    while begin.elapsed() < Duration::from_secs(plan.seconds) && findings < ENOUGH {
        let text = compose::program(seed);
        // Should it never end, this is what it was.
        let _ = std::fs::write(Path::new(FOLDER).join("soak.harn"), &text);
        let began = Instant::now();
        let verdict = differ::compare(&text);
        let kind = match &verdict {
            Verdict::Same => "same",
            Verdict::Refused(why) => {
                let shown: String = why.chars().take(60).collect();
                *reasons.entry(shown).or_default() += 1;
                "refused"
            }
            Verdict::Unsure => "unsure",
            Verdict::Different { .. } => "different",
            Verdict::Broken(_) => "broken",
        };
        *counts.entry(kind).or_default() += 1;
        if verdict.is_finding() {
            findings += 1;
            keep(seed, &text);
            println!("seed {seed}: {}", differ::told(&verdict));
        }
        if memory.last().is_none_or(|(at, _)| begin.elapsed() - *at > LOOK) {
            memory.push((begin.elapsed(), resident_kib()));
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
    let settled = memory.get(memory.len() / 4).map_or(0, |(_, kib)| *kib);
    let last = resident_kib();
    println!(
        "{} programs from seed {} in {} s: {counts:?}; resident {settled} KiB after a quarter, {last} KiB at the end",
        counts.values().sum::<u64>(),
        plan.seed,
        begin.elapsed().as_secs()
    );
    if last > settled + GROWTH_KIB {
        println!("memory grows");
        return ExitCode::FAILURE;
    }
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn keep(seed: u64, text: &str) {
    let _ = std::fs::write(Path::new(FOLDER).join(format!("differs-{seed}.harn")), text);
}

/// Resident memory of this process; 0 where there is no `/proc`.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
