//! The model server of `tests/model_server`, and a call driven against it.

#![allow(clippy::disallowed_methods, reason = "tests set up the real world")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};
use harn_host::RealHost;
use harn_llm::call::{Call, CallCx, Step};
use harn_llm::catalog::Catalog;
use harn_llm::environment::Environment;
use harn_llm::mock::Mock;
use harn_llm::session::Session;
use harn_llm::wire;
use serde_json::{Value as Json, json};

/// A variable that is set in every test run, so that the host finds a key without the tests touching the environment.
const KEY_VARIABLE: &str = "CARGO_MANIFEST_DIR";

/// The key of the server.
pub fn key() -> String {
    std::env::var(KEY_VARIABLE).unwrap()
}

struct Server {
    port: u16,
    // The server ends when its standard input is closed with this process.
    _child: Child,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let python = target.join("model_server_venv/bin/python");
    assert!(
        target.join("model_server_venv/requirements.txt").exists(),
        "{} is missing: run tests/model_server/setup.sh first",
        python.display()
    );
    let mut child = Command::new(python)
        .arg(root.join("tests/model_server/server.py"))
        .env("MODEL_SERVER_KEY", key())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    eprintln!("model server: {}", line.trim());
    let port = line.split(' ').nth(1).unwrap().parse().unwrap();
    Server { port, _child: child }
});

/// The base URL of a scenario for a provider.
pub fn base_url(scenario: &str, provider: &str) -> String {
    let version = if provider == "ollama" { "" } else { "/v1" };
    format!("http://127.0.0.1:{}/{scenario}/{provider}{version}", SERVER.port)
}

/// The requests that a scenario has received.
pub fn seen(scenario: &str) -> Json {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", SERVER.port)).unwrap();
    write!(stream, "GET /{scenario} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// What a call came to.
pub struct Ran {
    pub outcome: Outcome,
    pub chunks: String,
    pub notes: Vec<String>,
    pub elapsed_ms: i64,
}

impl Ran {
    /// The value of a call that succeeded.
    #[track_caller]
    pub fn ok(&self) -> &Data {
        self.outcome.as_ref().unwrap_or_else(|raised| panic!("the call failed: {raised:?}"))
    }

    /// The error dict of a call that failed: category, kind, reason, message.
    #[track_caller]
    pub fn failure(&self) -> (&str, &str, &str, &str) {
        let Err(Raised::Thrown(data)) = &self.outcome else { panic!("no error dict: {:?}", self.outcome) };
        let text = |key: &str| data.field(key).as_str().unwrap_or_default();
        (text("category"), text("kind"), text("reason"), text("message"))
    }

    /// A field of the error dict.
    #[track_caller]
    pub fn failure_field(&self, key: &str) -> &Data {
        let Err(Raised::Thrown(data)) = &self.outcome else { panic!("no error dict: {:?}", self.outcome) };
        data.field(key)
    }
}

/// Runs `llm_call` against a scenario.
pub fn call(scenario: &str, provider: &str, options: Json) -> Ran {
    call_as("call", scenario, provider, json!({"prompt": "What is the weather?"}), options)
}

/// Runs a builtin of the family with these arguments against a scenario.
pub fn call_as(mode: &str, scenario: &str, provider: &str, args: Json, options: Json) -> Ran {
    let mut all = json!({
        "provider": provider,
        "base_url": base_url(scenario, provider),
        "model": match provider {
            "anthropic" => "claude-sonnet-4-20250514",
            "openai" => "gpt-4o",
            _ => "qwen3",
        },
    });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let mut args = args;
    args["mode"] = json!(mode);
    args["options"] = all;
    run(&Data::from_json(&args))
}

fn run(args: &Data) -> Ran {
    let mut catalog = Catalog::builtin();
    for provider in catalog.providers.values_mut().filter(|provider| !provider.auth_env.is_empty()) {
        provider.auth_env = vec![KEY_VARIABLE.to_owned()];
    }
    let env = Environment::read(&catalog, |name| (name == KEY_VARIABLE).then(key));
    let (mut session, mut mock, mut notes) = (Session::default(), Mock::default(), Vec::new());
    let mut host = RealHost::new();
    let mut chunks = String::new();
    let started = host.monotonic_ms();

    macro_rules! cx {
        () => {
            &mut CallCx {
                catalog: &catalog,
                env: &env,
                session: &mut session,
                mock: &mut mock,
                monotonic_ms: host.monotonic_ms(),
                entropy: 7,
                notes: &mut notes,
            }
        };
    }

    let outcome = match Call::begin(args, "t1".to_owned(), cx!()) {
        Err(outcome) => outcome,
        Ok(mut call) => {
            let mut step = call.attempt(cx!());
            let mut tickets = 0;
            loop {
                step = match step {
                    Step::Done(outcome) => break outcome,
                    Step::Wait(ms) => {
                        let until = host.monotonic_ms() + ms;
                        while host.wait(Some(until)) != HostEvent::TimedOut {}
                        call.waited(cx!())
                    }
                    Step::Send(plan) => {
                        tickets += 1;
                        let request = Request { op: Op::LlmSend, args: plan.to_data() };
                        assert_eq!(host.start(Ticket(tickets), request), None);
                        let outcome = loop {
                            match host.wait(None) {
                                HostEvent::Chunk(_, text) => chunks.push_str(&text),
                                HostEvent::Done(ticket, outcome) if ticket == Ticket(tickets) => {
                                    break outcome;
                                }
                                _ => {}
                            }
                        };
                        call.answered(wire::received(outcome), cx!())
                    }
                };
            }
        }
    };
    Ran { outcome, chunks, notes, elapsed_ms: host.monotonic_ms() - started }
}
