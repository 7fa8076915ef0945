//! [`Engine`]: what a program may do, what it can ask for, and running it.

use crate::modules::DiskModules;
use crate::report;
use crate::session::{self, Session};
use crate::world::{EmbeddedHost, Function, Parts, Sink};
use harn_effect::{Data, EffectClass, HostEvent, Op};
use harn_host::{Completions, RealHost, memory};
use harn_llm::fixture;
use harn_runtime::program::{self, Program};
use harn_runtime::run::{Ending, Run};
use harn_runtime::services::host_call::{Bridge, HostTool, Operation};
use harn_runtime::services::llm::LlmSetup;
use harn_vm::{Limits, MemoryLimit, Value, View};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Passes over deep trees (parser, checker, compiler) recurse; this much stack is reserved, not used.
const STACK_BYTES: usize = 512 << 20;

/// The number of the signal that [`Stopper::stop`] stands for (SIGTERM).
const STOP: i32 = 15;

/// What programs are run with. Cheap to clone; a run takes its own copy.
#[derive(Clone, Default)]
pub struct Engine {
    bridge: Bridge,
    operations: BTreeMap<String, Function>,
    tools: BTreeMap<String, Function>,
    variables: BTreeMap<String, String>,
    args: Vec<String>,
    denied: BTreeSet<String>,
    forbidden: Vec<EffectClass>,
    limits: Limits,
    time: Option<Duration>,
    threads: Option<usize>,
    models: Option<String>,
    output: Option<Arc<dyn Fn(&str) + Send + Sync>>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With this value of its pipeline or last statement. What is no data (a function, a handle) is given as its text.
    Finished(Data),
    /// It did not begin: errors of syntax, names or types. [`Report::errors`] shows them.
    Refused,
    /// With an error that nothing caught, or with an `Err` as its value.
    Failed(String),
    /// By `exit(code)`.
    Exited(i64),
    /// By [`Stopper::stop`].
    Stopped,
}

/// What is known of a program that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The id under which the event log knows the run; empty when it did not begin.
    pub run_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it printed, unless [`Engine::on_output`] took it.
    pub output: String,
    /// What it wrote to standard error, warnings and the report of an error included.
    pub errors: String,
    /// What it handed over by `host_call("runtime.set_result", value)`, the last time.
    pub result: Option<Data>,
}

/// A program that runs. Letting go of it neither stops nor waits.
pub struct Running {
    stopper: Stopper,
    thread: JoinHandle<Report>,
}

/// Stops a program from any thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    completions: Arc<Mutex<Completions>>,
}

impl Stopper {
    /// Asks the program to stop, as a signal would: it may tidy up for a moment.
    pub fn stop(&self) {
        let completions = self.completions.lock().unwrap_or_else(PoisonError::into_inner);
        completions.event(HostEvent::Signal(STOP));
    }
}

impl Running {
    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The thread of the program died of a panic, which is a defect of this library.
    pub fn wait(self) -> io::Result<Report> {
        self.thread.join().map_err(|_| io::Error::other("the thread of the program panicked"))
    }
}

impl Engine {
    /// Everything is allowed, nothing is offered; the event log is where `harn run` would have it.
    pub fn new() -> Self {
        Engine::default()
    }

    /// Offers `host_call(name, params)`; `name` is `capability.operation`. The function runs on a thread of its own while the
    /// task waits; its error is thrown. Calls are effects of the class `Process`: policies of the program rule on them, and
    /// they are recorded when an agent makes them.
    #[must_use]
    pub fn operation(
        mut self,
        name: &str,
        description: &str,
        function: impl Fn(&Data) -> Result<Data, String> + Send + Sync + 'static,
    ) -> Self {
        let (capability, operation) = name.rsplit_once('.').unwrap_or(("host", name));
        let (capability, operation) = (capability.to_owned(), operation.to_owned());
        self.operations.insert(format!("{capability}.{operation}"), Arc::new(function));
        self.bridge.operations.retain(|known| known.capability != capability || known.name != operation);
        let description = description.to_owned();
        self.bridge.operations.push(Operation { capability, name: operation, description });
        self
    }

    /// Offers `host_tool_call(name, args)` and a row of `host_tool_list()`; `schema` is the JSON Schema of the arguments.
    #[must_use]
    pub fn tool(
        mut self,
        name: &str,
        description: &str,
        schema: Data,
        function: impl Fn(&Data) -> Result<Data, String> + Send + Sync + 'static,
    ) -> Self {
        self.tools.insert(name.to_owned(), Arc::new(function));
        self.bridge.tools.retain(|known| known.name != name);
        let (name, description) = (name.to_owned(), description.to_owned());
        self.bridge.tools.push(HostTool { name, description, schema });
        self
    }

    /// The program's `argv`.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Sets an environment variable as the program and the runtime read it; child processes do not get it.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Keeps budgets, approvals, trust records and durable state in this directory.
    #[must_use]
    pub fn state_in(self, directory: &Path) -> Self {
        self.variable("HARN_STATE_DIR", &directory.to_string_lossy())
    }

    /// Keeps the event log in memory: it ends with the run, and so do budgets and approvals.
    #[must_use]
    pub fn in_memory(self) -> Self {
        self.variable("HARN_EVENT_LOG_BACKEND", "memory")
    }

    /// Forbids a class of effects, whatever the program says. What the host itself offers stays allowed.
    #[must_use]
    pub fn forbid(mut self, class: EffectClass) -> Self {
        self.forbidden.push(class);
        self
    }

    /// Forbids a builtin by its name: a program that reaches it fails at that place.
    #[must_use]
    pub fn deny_builtin(mut self, name: &str) -> Self {
        self.denied.insert(name.to_owned());
        self
    }

    /// Depth of calls, size of values, strictness.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Limits the memory of the whole process, the embedding program's included: a program that would exceed it gets an error.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.limits.memory = Some(MemoryLimit { bytes, in_use: memory::in_use });
        self
    }

    /// Ends the program with an error after this time, also in the middle of a loop that computes.
    #[must_use]
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Threads that tasks which only compute may use; as many as there are cores unless set.
    #[must_use]
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count);
        self
    }

    /// Answers model calls from this text, one JSON object a line as in `harn run --llm-mock`; none leaves the process.
    #[must_use]
    pub fn scripted_models(mut self, lines: &str) -> Self {
        self.models = Some(lines.to_owned());
        self
    }

    /// Gives each piece of output to `take` as it is written, instead of collecting it. It is called on the thread of the
    /// program.
    #[must_use]
    pub fn on_output(mut self, take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.output = Some(Arc::new(take));
        self
    }

    /// Runs the program in `text` to its end. `path` names it in messages; imports and state are relative to its directory.
    ///
    /// # Errors
    /// As [`Engine::start`] and [`Running::wait`].
    pub fn run(&self, path: &str, text: &str) -> io::Result<Report> {
        self.start(path, text)?.wait()
    }

    /// Runs the program in a file to its end.
    ///
    /// # Errors
    /// The file cannot be read as text; else as [`Engine::run`].
    pub fn run_file(&self, path: &Path) -> io::Result<Report> {
        let text = std::fs::read_to_string(path)?;
        self.run(&path.to_string_lossy(), &text)
    }

    /// Begins to run the program in `text` on a thread of its own.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(&self, path: &str, text: &str) -> io::Result<Running> {
        let (engine, path, text) = (self.clone(), path.to_owned(), text.to_owned());
        let (sender, receiver) = sync_channel(1);
        let body = move || {
            let host = RealHost::new();
            // Whoever started it waits for this.
            let _ = sender.send(host.completions());
            engine.work(&path, text, host)
        };
        let thread = std::thread::Builder::new().name("harn".into()).stack_size(STACK_BYTES).spawn(body)?;
        let completions =
            receiver.recv().map_err(|_| io::Error::other("the thread of the program panicked"))?;
        Ok(Running { stopper: Stopper { completions: Arc::new(Mutex::new(completions)) }, thread })
    }

    fn work(self, path: &str, text: String, host: RealHost) -> Report {
        let (output, errors, result) = (Shared::default(), Shared::default(), Shared::default());
        let models = match self.models(path) {
            Ok(models) => models,
            Err(text) => return refused(text),
        };
        let loading = program::Options {
            args: self.args.clone(),
            limits: self.limits,
            denied: self.denied.clone(),
            ..program::Options::default()
        };
        let program = match program::load(path, text, &mut DiskModules::new(), loading) {
            Ok(program) => program,
            Err(refusal) => return refused(report::refusal(&refusal, false)),
        };
        errors.add(&report::diagnostics(&program.graph, &program.warnings, false));
        let engine = self.with_result(&result);
        let world = EmbeddedHost::new(
            host,
            Parts {
                output: match engine.output.clone() {
                    Some(take) => Box::new(move |text| take(text)),
                    None => output.sink(),
                },
                errors: errors.sink(),
                variables: engine.variables.clone(),
                operations: engine.operations.clone(),
                tools: engine.tools.clone(),
            },
        );
        let (run_id, outcome) = engine.drive(path, program, world, models, &errors);
        Report { run_id, outcome, output: output.take(), errors: errors.take(), result: result.take() }
    }

    fn drive(
        self,
        path: &str,
        program: Program,
        world: EmbeddedHost,
        models: LlmSetup,
        errors: &Shared<String>,
    ) -> (String, Outcome) {
        let session = Session {
            models,
            bridge: Some(self.bridge),
            variables: self.variables,
            line_buffered: self.output.is_some(),
            ..Session::new(path, Box::new(world))
        };
        let run_id = session.run_id.clone();
        let graph = program.graph.clone();
        let surroundings = match session.surroundings() {
            Ok(surroundings) => surroundings,
            Err(problem) => {
                errors.add(&format!("error: {problem}\n"));
                return (run_id, Outcome::Failed(problem));
            }
        };
        let mut run = Run::new(program.vm, program.root, surroundings);
        run.use_threads(self.threads.unwrap_or_else(session::threads));
        let offered = |op: &Op| matches!(op, Op::HostCall | Op::HostTool);
        let forbidden = Op::ALL.iter().filter(|op| self.forbidden.contains(&op.class()) && !offered(op));
        forbidden.for_each(|op| run.gate().deny(*op));
        if let Some(time) = self.time {
            run.limit_time(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        }
        let outcome = match run.drive() {
            Ending::Value(value) => finished(&value),
            Ending::Failed(error) => {
                errors.add(&report::uncaught(&error, &graph));
                Outcome::Failed(error.report_message())
            }
            Ending::Exit(code) => Outcome::Exited(code),
            // Only a run that may be suspended ends in the last two ways.
            Ending::Signal(_) | Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => {
                Outcome::Stopped
            }
        };
        (run_id, outcome)
    }

    /// Offers `runtime.set_result`, unless the embedding program does so itself.
    fn with_result(self, result: &Shared<Option<Data>>) -> Self {
        if self.operations.contains_key("runtime.set_result") {
            return self;
        }
        let result = result.clone();
        self.operation("runtime.set_result", "Hands a value over to the host", move |value| {
            result.set(Some(value.clone()));
            Ok(Data::Nil)
        })
    }

    fn models(&self, path: &str) -> Result<LlmSetup, String> {
        let fixtures = self.models.as_deref().map(|lines| fixture::read(&format!("{path} (models)"), lines));
        Ok(LlmSetup { fixtures: fixtures.transpose()?, ..LlmSetup::default() })
    }
}

fn refused(errors: String) -> Report {
    Report { run_id: String::new(), outcome: Outcome::Refused, output: String::new(), errors, result: None }
}

/// As `harn run` reads the value of a program: an `Err` is a failure.
fn finished(value: &Value) -> Outcome {
    match value.view() {
        View::Enum(result) if result.enum_name() == "Result" && result.variant() == "Err" => {
            Outcome::Failed(result.fields().first().map(harn_vm::display).unwrap_or_default())
        }
        _ => Outcome::Finished(
            harn_vm::to_data(value).unwrap_or_else(|_| Data::from(harn_vm::display(value).as_str())),
        ),
    }
}

/// A place that the program's thread and those of host calls write to.
#[derive(Clone, Default)]
struct Shared<T>(Arc<Mutex<T>>);

impl<T: Default> Shared<T> {
    fn set(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    fn take(&self) -> T {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared<String> {
    fn add(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn sink(&self) -> Sink {
        let place = self.clone();
        Box::new(move |text| place.add(text))
    }
}
