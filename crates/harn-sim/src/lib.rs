//! The scripted world that tests and the fuzzer run programs in: time passes only when the run waits, and files are a
//! table.
//!
//! [`run`] is the short way for a test; [`start`] takes a world apart from the product's own way of loading and driving
//! a program. Only development uses this crate.

#![allow(clippy::panic, reason = "a test that is given no program has failed")]

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};
use harn_runtime::log_slot::LogSlot;
use harn_runtime::program::{self, Options, Refusal};
use harn_runtime::progress::Silent;
use harn_runtime::run::{Ending, Run, Surroundings};
use harn_runtime::service::RunInfo;
use harn_types::graph::InMemory;
use harn_vm::{Fiber, Vm};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// What a test sets and sees of the world.
#[derive(Default)]
pub struct World {
    /// Milliseconds since the run began.
    pub now: i64,
    /// What was written to standard output.
    pub stdout: String,
    /// What was written to standard error.
    pub stderr: String,
    /// Each write to standard output.
    pub writes: Vec<String>,
    /// Files by path.
    pub files: BTreeMap<String, String>,
    /// Effects that were called off.
    pub cancelled: Vec<Ticket>,
    /// Processes: how long they take.
    pub processes: Vec<(i64, Ticket)>,
    /// A signal to be delivered at this time.
    pub signal_at: Option<i64>,
    /// Events that a wait hands out first.
    pub queued: VecDeque<HostEvent>,
    /// When set, each look outside takes [`LOOK_MS`], so that a program that only computes grows old too; and one that
    /// is older than this, or waits for what never comes, is told to end.
    pub patience_ms: Option<i64>,
    /// Whether a program of such a world has been told.
    pub told: bool,
}

/// What a look outside costs a program in a world with patience.
pub const LOOK_MS: i64 = 1_000;

/// The host of a world.
pub struct Scripted(pub Rc<RefCell<World>>);

impl Host for Scripted {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.0.borrow().now
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.borrow().now
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        let world = &mut *self.0.borrow_mut();
        let text = |field: &str| request.args.field(field).as_str().unwrap_or("").to_owned();
        Some(match request.op {
            Op::StdoutWrite => {
                world.stdout.push_str(&text("text"));
                world.writes.push(text("text"));
                Ok(Data::Nil)
            }
            Op::StderrWrite => {
                world.stderr.push_str(&text("text"));
                Ok(Data::Nil)
            }
            Op::FileRead => match world.files.get(&text("path")) {
                Some(content) => Ok(Data::Bytes(content.clone().into_bytes())),
                None => Err(Raised::runtime("No such file or directory (os error 2)")),
            },
            Op::ProcessExec => {
                // `["wait", "50"]` takes 50 ms.
                let argv = request.args.field("argv").as_list().unwrap_or_default().to_vec();
                let ms = argv.get(1).and_then(Data::as_str).and_then(|ms| ms.parse().ok()).unwrap_or(0);
                world.processes.push((world.now + ms, ticket));
                return None;
            }
            Op::StdinRead => Ok(Data::Nil),
            Op::RandomBytes => {
                let count = request.args.field("count").as_int().unwrap_or(0).clamp(0, 4096);
                Ok(Data::Bytes(vec![7; count as usize]))
            }
            Op::HostInfo => Ok(Data::dict([("cwd", Data::from("/")), ("temp_dir", Data::from("/tmp"))])),
            other => Err(Raised::runtime(format!("the scripted host cannot do {}", other.name()))),
        })
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.0.borrow_mut().cancelled.push(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        let world = &mut *self.0.borrow_mut();
        if let Some(event) = world.queued.pop_front() {
            return event;
        }
        let process = world.processes.iter().copied().min_by_key(|(due, _)| *due);
        let signal = world.signal_at;
        let limit = until.unwrap_or(i64::MAX);
        if let Some(at) =
            signal.filter(|at| *at <= limit.max(world.now) && process.is_none_or(|(due, _)| *at <= due))
        {
            world.signal_at = None;
            world.now = world.now.max(at);
            return HostEvent::Signal(2);
        }
        if let Some((due, ticket)) = process.filter(|(due, _)| *due <= limit.max(world.now)) {
            world.processes.retain(|(_, t)| *t != ticket);
            world.now = world.now.max(due);
            let done = Data::dict([
                ("status", Data::Int(0)),
                ("stdout", Data::Bytes(Vec::new())),
                ("stderr", Data::Bytes(Vec::new())),
                ("timed_out", Data::Bool(false)),
            ]);
            return HostEvent::Done(ticket, Ok(done));
        }
        if let Some(patience) = world.patience_ms {
            let next = (world.now + LOOK_MS).max(until.unwrap_or(i64::MIN).min(world.now + patience));
            world.now = next;
            if !world.told && (next > patience || until.is_none()) {
                world.told = true;
                return HostEvent::Signal(15);
            }
            return HostEvent::TimedOut;
        }
        assert!(until.is_some(), "the run waits for ever");
        world.now = world.now.max(limit);
        HostEvent::TimedOut
    }
}

/// A loader of programs without imports but the library's.
pub fn library() -> InMemory {
    InMemory::new(harn_stdlib::std_module)
}

/// A finished run.
pub struct Ran {
    /// What became of the world.
    pub world: Rc<RefCell<World>>,
    /// `value V`, `failed MESSAGE`, `exit N` or `signal N`.
    pub ending: String,
}

impl Ran {
    /// What it wrote to standard output.
    pub fn out(&self) -> String {
        self.world.borrow().stdout.clone()
    }
}

/// Runs a program in a fresh world.
pub fn run(text: &str) -> Ran {
    run_in(World::default(), text)
}

/// Runs a program in a fresh world on several threads.
pub fn run_on(threads: usize, text: &str) -> Ran {
    run_with(World::default(), threads, text)
}

/// Runs a program in this world.
pub fn run_in(world: World, text: &str) -> Ran {
    run_with(world, 1, text)
}

fn run_with(world: World, threads: usize, text: &str) -> Ran {
    let world = Rc::new(RefCell::new(world));
    let program = match program::load("main.harn", text.to_owned(), &mut library(), Options::default()) {
        Ok(program) => program,
        Err(Refusal::Static(_, found) | Refusal::Compile(_, found)) => {
            let texts: Vec<_> = found.into_iter().map(|(_, d)| d.message).collect();
            panic!("not a program: {}", texts.join("; "));
        }
        Err(Refusal::Start(_, error)) => panic!("cannot start: {error}"),
        Err(Refusal::Unreadable(text)) => panic!("unreadable: {text}"),
    };
    let mut run = start(program.vm, program.root, &world);
    run.use_threads(threads);
    let ending = match run.drive() {
        Ending::Value(value) => format!("value {}", harn_vm::display(&value)),
        Ending::Failed(error) => format!("failed {}", error.raw_message()),
        Ending::Exit(code) => format!("exit {code}"),
        Ending::Signal(number) => format!("signal {number}"),
        Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => "suspended".to_owned(),
    };
    Ran { world, ending }
}

/// A run of a program in a world: nothing remembered from before, nothing remembered after.
pub fn start(vm: Vm, root: Fiber, world: &Rc<RefCell<World>>) -> Run {
    let surroundings = Surroundings {
        host: Box::new(Scripted(world.clone())),
        services: harn_runtime::services::all(Default::default()),
        progress: Box::new(Silent),
        log: LogSlot::memory(),
        info: RunInfo::default(),
        env: Box::new(|_| None),
        stdout_is_terminal: false,
    };
    Run::new(vm, root, surroundings)
}
