//! The parent of the workers: counts what they tried, keeps what they died of, and kills the ones that hang.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The exit code of a worker that found something by itself.
pub const FINDING: u8 = 3;

/// How long one input may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to do.
pub struct Plan {
    /// How long.
    pub seconds: u64,
    /// The seed of the first worker.
    pub seed: u64,
    /// Workers at a time.
    pub jobs: u64,
    /// Where findings go.
    pub out: PathBuf,
}

#[derive(Default)]
struct Tally {
    tried: BTreeMap<String, u64>,
    findings: Vec<PathBuf>,
}

/// Fuzzes; the exit code says whether anything was found.
pub fn run(plan: &Plan) -> ExitCode {
    if let Err(error) = std::fs::create_dir_all(&plan.out) {
        eprintln!("{}: {error}", plan.out.display());
        return ExitCode::FAILURE;
    }
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let threads: Vec<_> = (0..plan.jobs)
        .map(|job| {
            let (out, seed) = (plan.out.clone(), plan.seed.wrapping_mul(1000) + job);
            std::thread::spawn(move || lane(&out, seed, end))
        })
        .collect();
    let mut all = Tally::default();
    for tally in threads.into_iter().filter_map(|thread| thread.join().ok()) {
        for (stage, count) in tally.tried {
            *all.tried.entry(stage).or_default() += count;
        }
        all.findings.extend(tally.findings);
    }
    let total: u64 = all.tried.values().sum();
    println!("{total} inputs in {} s, seed {}: {:?}", plan.seconds, plan.seed, all.tried);
    for path in &all.findings {
        println!("found: {}", path.display());
    }
    if all.findings.is_empty() && total > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One worker after the other until the time is up.
fn lane(out: &Path, mut seed: u64, end: Instant) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < end {
        let input = out.join(format!("input-{seed}.harn"));
        match watched(seed, &input, end, &mut tally.tried) {
            None => {
                let _ = std::fs::remove_file(&input);
                break;
            }
            Some(why) => {
                let kept = out.join(format!("found-{seed}.harn"));
                let _ = std::fs::rename(&input, &kept);
                let _ = std::fs::write(kept.with_extension("txt"), why);
                tally.findings.push(kept);
            }
        }
        seed += 1_000_000;
    }
    tally
}

/// Watches one worker: what it died of, or `None` at the end of the time.
fn watched(seed: u64, input: &Path, end: Instant, tried: &mut BTreeMap<String, u64>) -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let mut worker = Command::new(program)
        .args(["worker", "--seed", &seed.to_string(), "--input"])
        .arg(input)
        .env("RUST_BACKTRACE", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let lines = lines(&mut worker)?;
    let complaints = complaints(&mut worker)?;
    loop {
        match lines.recv_timeout(PATIENCE.min(end.saturating_duration_since(Instant::now()))) {
            Ok(line) if line.starts_with("FINDING") => return Some(ended(worker, line)),
            Ok(line) => *tried.entry(line).or_default() += 1,
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                ended(worker, String::new());
                return None;
            }
            Err(RecvTimeoutError::Timeout) => {
                return Some(ended(worker, format!("no answer within {} s", PATIENCE.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = worker.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
                let complaint = complaints.join().unwrap_or_default();
                return Some(format!("{status}\n{complaint}"));
            }
        }
    }
}

fn ended(mut worker: Child, why: String) -> String {
    let _ = worker.kill();
    let _ = worker.wait();
    why
}

fn lines(worker: &mut Child) -> Option<Receiver<String>> {
    let output = worker.stdout.take()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    Some(receiver)
}

/// The last lines of what the worker says on standard error.
fn complaints(worker: &mut Child) -> Option<std::thread::JoinHandle<String>> {
    let output = worker.stderr.take()?;
    Some(std::thread::spawn(move || {
        let all: Vec<String> = BufReader::new(output).lines().map_while(Result::ok).collect();
        all.iter().rev().take(60).rev().cloned().collect::<Vec<_>>().join("\n")
    }))
}
