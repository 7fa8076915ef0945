//! A worker: runs one test in this process and leaves the result in its place.

use super::models::{self, Source};
use super::runner::{ORDER, RESULT};
use crate::modules::DiskModules;
use crate::session::{self, Session};
use crate::{output, report, source};
use harn_effect::{Data, Host, HostEvent, Op, Outcome, Request, Ticket};
use harn_host::RealHost;
use harn_runtime::program::{self, Program};
use harn_runtime::progress::{Progress, ProgressEvent};
use harn_runtime::run::{Ending, Run};
use harn_vm::View;
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

/// Runs the test that is described in `place`.
pub fn run(place: &str) -> ExitCode {
    let place = Path::new(place);
    let order = session::text_of(&place.join(ORDER)).and_then(|t| serde_json::from_str::<Json>(&t).ok());
    let Some(order) = order else {
        output::error("a worker of `harn test` was started without an order");
        return ExitCode::from(crate::commands::USAGE);
    };
    let text = |key: &str| order.get(key).and_then(Json::as_str).unwrap_or_default();
    let (file, path, name) = (text("file"), text("path"), text("name"));
    let mut report = Report::default();
    let failure = match load(path, name, order.get("coverage") == Some(&Json::Bool(true))) {
        Ok(program) => {
            let seed = text("seed").parse().unwrap_or(0) ^ spread(file) ^ spread(name).rotate_left(32);
            let limit = order.get("timeout_ms").and_then(Json::as_i64).unwrap_or(30_000);
            let replies = (Source::of(text("models")), Path::new(text("kept")));
            execute(path, program, seed, limit, replies, &mut report).unwrap_or_else(Some)
        }
        Err(problem) => Some(problem),
    };
    let failed = failure.is_some();
    // Paths as the user named them: the worker itself works with whole ones.
    let failure = failure.map(|text| text.replace(path, file));
    let result = json!({
        "failure": failure, "lines": report.lines, "models": report.models, "acts": report.acts, "kept": report.kept,
    });
    if DiskModules::new().write(&place.join(RESULT).to_string_lossy(), &result.to_string()).is_err() {
        return ExitCode::FAILURE;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What is told of a test besides whether it failed.
#[derive(Default)]
struct Report {
    lines: Map<String, Json>,
    models: Vec<String>,
    acts: Vec<String>,
    kept: usize,
}

fn load(path: &str, name: &str, probes: bool) -> Result<Program, String> {
    let text = source::read(path)?;
    let limits = session::limits(path)?;
    let options = program::Options { entry: Some(name.to_owned()), probes, limits, ..Default::default() };
    program::load(path, text, &mut DiskModules::new(), options).map_err(|refusal| report::refusal(&refusal))
}

fn execute(
    path: &str,
    program: Program,
    seed: u64,
    limit_ms: i64,
    (source, kept): (Source, &Path),
    report: &mut Report,
) -> Result<Option<String>, String> {
    let graph = program.graph.clone();
    let host = Box::new(Seeded { host: RealHost::new(), state: seed });
    let (models, tape) = models::setup(path, source, kept)?;
    let (recording, acts) = (models.recording.clone(), Rc::new(RefCell::new(Vec::new())));
    let session = Session {
        progress: Box::new(Notes(acts.clone())),
        models,
        test: true,
        line_buffered: true,
        ..Session::new(path, host)
    };
    let mut run = Run::new(program.vm, program.root, session.surroundings()?);
    run.limit_time(limit_ms);
    let ending = run.drive();
    for (file, hits) in run.line_hits() {
        report.lines.insert(file, hits.into_iter().map(|(line, count)| json!([line, count])).collect());
    }
    report.models = recording.map(|lines| lines.take()).unwrap_or_default();
    report.acts = acts.take();
    if let Some(tape) = tape {
        report.kept = models::keep(&tape, kept)?;
    }
    Ok(match ending {
        Ending::Value(value) => match value.view() {
            View::Enum(result) if result.enum_name() == "Result" && result.variant() == "Err" => {
                let text = result.fields().first().map(harn_vm::display).unwrap_or_default();
                Some(format!("returned Err: {text}"))
            }
            _ => None,
        },
        Ending::Failed(error) => {
            let text = report::uncaught(&error, &graph);
            // The time-out is the runner's word, not the program's.
            let timed_out = format!("error: Thrown: timed out after {limit_ms}ms");
            Some(match text.strip_prefix(&timed_out) {
                Some(rest) => format!("timed out after {limit_ms}ms{rest}"),
                None => text,
            })
        }
        Ending::Exit(0) => None,
        Ending::Exit(code) => Some(format!("exit({code})")),
        Ending::Signal(number) => Some(format!("ended by signal {number}")),
        // Only a run that may be suspended ends so.
        Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => Some("suspended".to_owned()),
    })
}

/// Remarks of the runtime (replies that were never asked for) belong to the test's output; what agents did is told to
/// the runner.
struct Notes(Rc<RefCell<Vec<String>>>);

impl Progress for Notes {
    fn event(&mut self, event: ProgressEvent) {
        let act = match event {
            ProgressEvent::Note { text } => return output::err(&format!("[harn] {text}\n")),
            ProgressEvent::ToolCall { summary, .. } => format!("tool {summary}"),
            ProgressEvent::ToolDone { name, ok, .. } => {
                format!("tool {name} {}", if ok { "ok" } else { "failed" })
            }
            ProgressEvent::Decision { what, ruling, reason } => format!("{what}: {ruling}, {reason}"),
            ProgressEvent::Wait { what, .. } => format!("waits for {what}"),
            _ => return,
        };
        self.0.borrow_mut().push(act);
    }
}

/// The machine, with randomness that is drawn from a seed.
struct Seeded {
    host: RealHost,
    state: u64,
}

impl Seeded {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// FNV-1a: gives every test its own stream of the seed.
fn spread(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Host for Seeded {
    fn now_ms(&self) -> i64 {
        self.host.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.host.monotonic_ms()
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        if request.op != Op::RandomBytes {
            return self.host.start(ticket, request);
        }
        let count = request.args.field("count").as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(count);
        Some(Ok(Data::Bytes(bytes)))
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.host.cancel(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        self.host.wait(until)
    }
}
