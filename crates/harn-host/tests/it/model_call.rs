//! A call of a model, driven against the model server.

#![allow(clippy::disallowed_methods, reason = "tests set up the real world")]

use crate::server::{KEY_VARIABLE, base_url, key};
use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};
use harn_host::RealHost;
use harn_llm::call::{Call, CallCx, Step};
use harn_llm::catalog::Catalog;
use harn_llm::environment::Environment;
use harn_llm::mock::Mock;
use harn_llm::session::Session;
use harn_llm::wire;
use serde_json::{Value as Json, json};

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
                meter: &mut harn_llm::meter::Unmetered,
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
