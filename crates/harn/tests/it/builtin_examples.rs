//! The example of every row of the table of builtins runs and gives what it says (the form: `harn-builtins`).

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Request, Ticket};
use harn_host::RealHost;
use harn_runtime::log_slot::LogSlot;
use harn_runtime::program::{self, Options, Refusal};
use harn_runtime::progress::Silent;
use harn_runtime::run::{Ending, Run, Surroundings};
use harn_runtime::service::RunInfo;
use harn_types::graph::InMemory;
use std::cell::RefCell;
use std::rc::Rc;

/// The machine, with standard output kept.
struct Listening {
    host: RealHost,
    out: Rc<RefCell<String>>,
}

impl Host for Listening {
    fn now_ms(&self) -> i64 {
        self.host.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.host.monotonic_ms()
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        match request.op {
            Op::StdoutWrite => {
                self.out.borrow_mut().push_str(request.args.field("text").as_str().unwrap_or_default());
                Some(Ok(Data::Nil))
            }
            Op::StderrWrite => Some(Ok(Data::Nil)),
            _ => self.host.start(ticket, request),
        }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.host.cancel(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        self.host.wait(until)
    }
}

/// What a program prints and the error it ends with.
fn outcome(text: String) -> (String, Option<String>) {
    let program = match program::load(
        "example.harn",
        text,
        &mut InMemory::new(harn_stdlib::std_module),
        Options::default(),
    ) {
        Ok(program) => program,
        Err(Refusal::Static(_, found) | Refusal::Compile(_, found)) => {
            let texts: Vec<_> = found.into_iter().map(|(_, d)| d.message).collect();
            return (String::new(), Some(format!("does not check: {}", texts.join("; "))));
        }
        Err(Refusal::Start(_, error)) => return (String::new(), Some(error.raw_message())),
        Err(Refusal::Unreadable(text)) => return (String::new(), Some(text)),
    };
    let out = Rc::new(RefCell::new(String::new()));
    let surroundings = Surroundings {
        host: Box::new(Listening { host: RealHost::new(), out: out.clone() }),
        services: harn_runtime::services::all(Default::default()),
        progress: Box::new(Silent),
        log: LogSlot::memory(),
        info: RunInfo {
            run_id: "run_example".into(),
            test: true,
            base_dir: "/".into(),
            ..RunInfo::default()
        },
        env: Box::new(|name| (name == "HARN_LLM_PROVIDER").then(|| "mock".to_owned())),
        stdout_is_terminal: false,
    };
    let mut run = Run::new(program.vm, program.root, surroundings);
    run.limit_time(10_000);
    let error = match run.drive() {
        Ending::Failed(error) => Some(harn_vm::display(&error.catch_value())),
        Ending::Signal(number) => Some(format!("signal {number}")),
        Ending::Value(_) | Ending::Exit(_) => None,
        Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => Some("suspended".to_owned()),
    };
    let text = out.borrow().clone();
    (text, error)
}

/// What is wrong with an example; nothing when it holds.
fn fault(example: &str) -> Option<String> {
    let (before, last) = example.rsplit_once('\n').unwrap_or(("", example));
    let Some((expression, expected)) = last.rsplit_once(" // ") else {
        return outcome(example.to_owned()).1.map(|error| format!("fails: {error}"));
    };
    if let Some(expected) = expected.strip_prefix("error: ") {
        let (_, error) = outcome(format!("{before}\n{expression}\n"));
        return (error.as_deref() != Some(expected)).then(|| format!("error is {error:?}"));
    }
    if let Some(expected) = expected.strip_prefix("prints: ") {
        let (out, error) = outcome(format!("{before}\n{expression}\n"));
        let holds = out.trim_end_matches('\n').replace('\n', "\\n") == expected.trim_end_matches("\\n");
        return (!holds || error.is_some()).then(|| format!("prints {out:?}, error {error:?}"));
    }
    const MARK: &str = "the value is ";
    let (out, error) = outcome(format!("{before}\nprintln(\"{MARK}\" + to_string({expression}))\n"));
    let shown = out.rsplit_once(MARK).map(|(_, shown)| shown.strip_suffix('\n').unwrap_or(shown).to_owned());
    let holds = error.is_none()
        && shown.as_deref().map(|s| s.replace('\n', "\\n")) == Some(expected.replace('\n', "\\n"));
    (!holds).then(|| format!("gives {shown:?}, error {error:?}"))
}

#[test]
fn every_example_gives_what_it_says() {
    let builtins = harn_builtins::builtins().iter().map(|row| (row.name.to_owned(), row.example));
    let methods =
        harn_builtins::methods().iter().map(|row| (format!("{}.{}", row.on, row.name), row.example));
    let examples: Vec<(String, &str)> =
        builtins.chain(methods).filter(|(_, example)| !example.is_empty()).collect();
    let half = examples.len() / 2;
    let faults = |examples: &[(String, &str)]| -> Vec<String> {
        let found = examples.iter().filter_map(|(name, example)| {
            fault(example).map(|fault| format!("{name}: {fault}\n    {}", example.replace('\n', "\n    ")))
        });
        found.collect()
    };
    let (first, second) = examples.split_at(half);
    let wrong = std::thread::scope(|scope| {
        let other = scope.spawn(|| faults(first));
        let mut wrong = faults(second);
        wrong.splice(0..0, other.join().unwrap());
        wrong
    });
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}
