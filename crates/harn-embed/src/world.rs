//! The world of an embedded program: the real one, but for its output, its environment and what the embedding program does.

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};
use harn_host::{Completions, RealHost};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the embedding program does for an operation or a tool; an error is thrown in the program.
pub type Function = Arc<dyn Fn(&Data) -> Result<Data, String> + Send + Sync>;

/// Takes what the program writes.
pub type Sink = Box<dyn FnMut(&str) + Send>;

/// See the module.
pub struct EmbeddedHost {
    real: RealHost,
    completions: Completions,
    output: Sink,
    errors: Sink,
    variables: BTreeMap<String, String>,
    operations: BTreeMap<String, Function>,
    tools: BTreeMap<String, Function>,
}

/// What an [`EmbeddedHost`] is made of besides the machine.
pub struct Parts {
    /// Standard output.
    pub output: Sink,
    /// Standard error.
    pub errors: Sink,
    /// Environment variables that stand before those of the process.
    pub variables: BTreeMap<String, String>,
    /// By `capability.operation`.
    pub operations: BTreeMap<String, Function>,
    /// By name.
    pub tools: BTreeMap<String, Function>,
}

impl EmbeddedHost {
    /// Puts the parts before the machine.
    pub fn new(real: RealHost, parts: Parts) -> Self {
        let completions = real.completions();
        let Parts { output, errors, variables, operations, tools } = parts;
        EmbeddedHost { real, completions, output, errors, variables, operations, tools }
    }

    /// Calls a function on a thread of its own: it may take its time, and other tasks of the program go on.
    fn call(&self, ticket: Ticket, function: Option<&Function>, args: Data) -> Option<Outcome> {
        let Some(function) = function.cloned() else {
            return Some(Err(Raised::runtime("the host offers nothing of this name")));
        };
        let completions = self.completions.clone();
        let work = move || completions.done(ticket, guarded(&function, &args));
        let spawned = std::thread::Builder::new().name("host call".into()).spawn(work);
        spawned.err().map(|error| Err(Raised::runtime(format!("no thread for a call of the host: {error}"))))
    }
}

/// The outcome of a function; one that panics has failed, and the program hears of it like of any failure.
fn guarded(function: &Function, args: &Data) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| function(args))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(text)) => Err(Raised::Runtime(text)),
        Err(_) => Err(Raised::runtime("the host panicked during this call".to_owned())),
    }
}

/// What is to be written: text, bytes, or a dict with them.
fn written(args: &Data) -> String {
    match args {
        Data::Str(text) => text.clone(),
        Data::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        args => args.field("text").as_str().unwrap_or_default().to_owned(),
    }
}

impl Host for EmbeddedHost {
    fn now_ms(&self) -> i64 {
        self.real.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.real.monotonic_ms()
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        let text = |key: &str| request.args.field(key).as_str().unwrap_or_default().to_owned();
        match request.op {
            Op::StdoutWrite => (self.output)(&written(&request.args)),
            Op::StderrWrite => (self.errors)(&written(&request.args)),
            Op::EnvGet if self.variables.contains_key(&text("name")) => {
                let value = self.variables.get(&text("name")).map(|value| Data::from(value.as_str()));
                return Some(Ok(value.unwrap_or_default()));
            }
            Op::HostCall => {
                let name = format!("{}.{}", text("capability"), text("operation"));
                return self.call(ticket, self.operations.get(&name), request.args.field("params").clone());
            }
            Op::HostTool => {
                return self.call(ticket, self.tools.get(&text("name")), request.args.field("args").clone());
            }
            _ => return self.real.start(ticket, request),
        }
        Some(Ok(Data::Nil))
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.real.cancel(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        self.real.wait(until)
    }
}
