//! Runs tests in worker processes, as many at a time as there are cores, each bounded in time.

use super::models::{self, Source};
use super::results::Printer;
use super::{Wish, twice};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A test to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The file as it was named.
    pub file: String,
    /// The pipeline.
    pub name: String,
}

/// A test that was run.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// The file as it was named.
    pub file: String,
    /// The pipeline, or `<file error>`.
    pub name: String,
    /// How long it took.
    pub ms: u128,
    /// Why it failed.
    pub failure: Option<String>,
    /// What it wrote to standard output and standard error.
    pub output: String,
    /// For each file, how often each line with code was reached.
    pub lines: Vec<(String, Vec<(u32, u64)>)>,
    /// The replies of models, one line each.
    pub models: Vec<String>,
    /// The calls of tools and the questions to people, one line each.
    pub acts: Vec<String>,
    /// How many calls of real models were kept.
    pub kept: u64,
}

impl Finished {
    /// A file that cannot be run.
    pub fn broken(file: &str, problem: String) -> Finished {
        Finished {
            file: file.to_owned(),
            name: "<file error>".to_owned(),
            failure: Some(problem),
            ..Finished::default()
        }
    }
}

/// What the runner waits for beyond a test's own limit before it kills: the worker ends a test by itself and then says
/// where it was.
const GRACE_MS: u64 = 2_000;

/// Something that happened to the test of this number.
pub enum News {
    /// It runs.
    Started(usize),
    /// It is over.
    Done(usize, Box<Finished>),
}

/// Runs all tests; results come in the order of the tests.
pub fn run_all(wish: &Wish, tests: &[Test], printer: &mut Printer) -> Result<Vec<Finished>, String> {
    let room = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let binary = std::env::current_exe().map_err(|error| error.to_string())?;
    let next = AtomicUsize::new(0);
    let (sender, news) = channel();
    Ok(std::thread::scope(|scope| {
        for _ in 0..wish.jobs.min(tests.len()) {
            let sender = sender.clone();
            let (next, binary, room) = (&next, &binary, room.path());
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(test) = tests.get(number) else { return };
                    let place = room.join(number.to_string());
                    let _ = sender.send(News::Started(number));
                    let finished = run_one(wish, test, binary, &place);
                    if sender.send(News::Done(number, Box::new(finished))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        in_order(tests, &news, printer)
    }))
}

/// Prints results in the order of the tests, each as soon as those before it are there.
fn in_order(tests: &[Test], news: &Receiver<News>, printer: &mut Printer) -> Vec<Finished> {
    let mut early: BTreeMap<usize, Finished> = BTreeMap::new();
    let mut done = Vec::new();
    for news in news {
        match news {
            News::Started(number) => {
                printer.started(tests.get(number).map_or("", |test| &test.name));
            }
            News::Done(number, finished) => {
                early.insert(number, *finished);
                printer.counted();
                while let Some(finished) = early.remove(&done.len()) {
                    printer.result(&finished);
                    done.push(finished);
                }
            }
        }
    }
    printer.quiet();
    done
}

/// The name of the files in a worker's place.
pub const RESULT: &str = "result.json";
pub const ORDER: &str = "order.json";

fn run_one(wish: &Wish, test: &Test, binary: &Path, place: &Path) -> Finished {
    if !wish.determinism {
        let kept = models::directory(&std::path::absolute(&test.file).unwrap_or_default());
        return run_once(wish, test, binary, place, (wish.models, &kept));
    }
    let kept = place.join("replies");
    let mut first = run_once(wish, test, binary, &place.join("first"), (Source::Record, &kept));
    let second = run_once(wish, test, binary, &place.join("second"), (Source::Replay, &kept));
    first.ms += second.ms;
    first.failure = twice::difference(&first, &second).or(first.failure);
    first
}

/// Runs a test; `replies` says how models answer and where that is kept.
fn run_once(wish: &Wish, test: &Test, binary: &Path, place: &Path, replies: (Source, &Path)) -> Finished {
    let mut finished = Finished { file: test.file.clone(), name: test.name.clone(), ..Finished::default() };
    let started = crate::session::instant();
    match start(wish, test, binary, place, replies) {
        Ok(child) => {
            let killed = !ends_in_time(child, wish.timeout_ms.saturating_add(GRACE_MS));
            let output = crate::session::text_of(&place.join("output")).unwrap_or_default();
            // Where a test kept its state says nothing about it.
            finished.output = output.replace(&*place.to_string_lossy(), "<test>");
            read_result(&mut finished, place, killed.then_some(wish.timeout_ms));
        }
        Err(problem) => finished.failure = Some(format!("cannot start: {problem}")),
    }
    finished.ms = started.elapsed().as_millis();
    finished
}

#[allow(clippy::disallowed_methods, reason = "the command is the host of its workers")]
fn start(
    wish: &Wish,
    test: &Test,
    binary: &Path,
    place: &Path,
    (source, kept): (Source, &Path),
) -> std::io::Result<Child> {
    let state = place.join("state");
    std::fs::create_dir_all(&state)?;
    let file = std::path::absolute(&test.file)?;
    let order = json!({
        "file": test.file,
        "path": file.to_string_lossy(),
        "name": test.name,
        "seed": wish.seed.to_string(),
        "timeout_ms": wish.timeout_ms,
        "coverage": wish.coverage.is_some(),
        "models": source.word(),
        "kept": kept.to_string_lossy(),
    });
    std::fs::write(place.join(ORDER), order.to_string())?;
    let output = std::fs::File::create(place.join("output"))?;
    let mut command = Command::new(binary);
    command.args(["test", "--worker"]).arg(place);
    command.current_dir(file.parent().map_or_else(PathBuf::new, Path::to_path_buf));
    command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
    command.env("HARN_STATE_DIR", &state);
    if source != Source::Record {
        command.env("HARN_LLM_CALLS_DISABLED", "1");
    }
    if std::env::var_os("HARN_LLM_PROVIDER").is_none() {
        command.env("HARN_LLM_PROVIDER", "mock");
    }
    command.env("HARN_TEST_FILE", &file).env("HARN_TEST_NAME", &test.name);
    command.env("HARN_TEST_UPDATE", if wish.update { "1" } else { "0" });
    // Where events go is the test's state directory, whatever the outside says.
    for name in ["HARN_EVENT_LOG_SQLITE_PATH", "HARN_EVENT_LOG_DIR"] {
        command.env_remove(name);
    }
    if std::env::var_os("HARN_STORE").is_some() {
        command.env_remove("HARN_STORE").env_remove("HARN_EVENT_LOG_BACKEND");
    }
    command.spawn()
}

/// Waits for a worker; false when it had to be killed.
fn ends_in_time(mut child: Child, ms: u64) -> bool {
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, ended): (Sender<()>, Receiver<()>) = channel();
    let waiter = std::thread::spawn(move || {
        let _ = child.wait();
        let _ = sender.send(());
    });
    let in_time = ended.recv_timeout(Duration::from_millis(ms)) != Err(RecvTimeoutError::Timeout);
    if !in_time {
        // The process is not reaped before `wait` returns, so the number still means the worker.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let _ = waiter.join();
    in_time
}

fn read_result(finished: &mut Finished, place: &Path, killed_after: Option<u64>) {
    let text = crate::session::text_of(&place.join(RESULT));
    let result: Option<Json> = text.and_then(|text| serde_json::from_str(&text).ok());
    let Some(result) = result else {
        finished.failure = Some(match killed_after {
            Some(ms) => format!("timed out after {ms}ms"),
            None => "the process of the test ended without a result".to_owned(),
        });
        return;
    };
    finished.failure = result.get("failure").and_then(Json::as_str).map(str::to_owned);
    let texts = |key: &str| -> Vec<String> {
        let list = result.get(key).and_then(Json::as_array).into_iter().flatten();
        list.filter_map(|line| line.as_str().map(str::to_owned)).collect()
    };
    (finished.models, finished.acts) = (texts("models"), texts("acts"));
    finished.kept = result.get("kept").and_then(Json::as_u64).unwrap_or(0);
    let files = result.get("lines").and_then(Json::as_object).into_iter().flatten();
    for (file, lines) in files {
        let lines =
            lines.as_array().into_iter().flatten().filter_map(|pair| {
                Some((u32::try_from(pair.get(0)?.as_u64()?).ok()?, pair.get(1)?.as_u64()?))
            });
        finished.lines.push((file.clone(), lines.collect()));
    }
}
