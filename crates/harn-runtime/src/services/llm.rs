//! Model calls: drives the state machines of `harn-llm` with the clock and the host's network, and keeps the mock and
//! the account of the program (spec 07 sections 1 and 2).

mod streams;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_govern::autonomy::Spender;
use harn_llm::call::{Call, CallCx, Step};
use harn_llm::catalog::Catalog;
use harn_llm::environment::{Environment, rate_limit_variable};
use harn_llm::info::{self, InfoCx};
use harn_llm::meter::{Meter, Unmetered};
use harn_llm::mock::{Entry, Mock};
use harn_llm::session::Session;
use harn_llm::tape::SharedTape;
use harn_llm::{fixture, wire};

use super::governance::Shared;
use super::spending::Account;
use crate::progress::ProgressEvent;
use crate::service::{Service, ServiceCx, Started};
use streams::Streams;

/// The lines of recorded replies (`--llm-mock-record`), in order, for whoever writes the file.
pub type Recording = Rc<RefCell<Vec<String>>>;

/// How a run wants its model calls answered.
#[derive(Clone, Debug, Default)]
pub struct LlmSetup {
    /// Fixtures of `--llm-mock`: no call leaves the process.
    pub fixtures: Option<Vec<Entry>>,
    /// Takes each reply as a fixture line.
    pub recording: Option<Recording>,
    /// Takes replies down by what was asked, or gives them (`harn test --record`, `--replay`).
    pub tape: Option<SharedTape>,
}

/// Performs the `llm.*` effects.
pub struct LlmService {
    shared: Shared,
    catalog: Catalog,
    session: Session,
    mock: Mock,
    calls: BTreeMap<Ticket, Active>,
    permits: BTreeMap<Ticket, (String, i64)>,
    streams: Streams,
    recording: Option<Recording>,
    /// Calls so far: names transcripts and spreads retries.
    counter: u64,
}

/// A call in the works.
struct Active {
    call: Call,
    /// When it goes on by itself, on the monotonic clock.
    due_ms: Option<i64>,
    started_ms: i64,
    /// The stream that gets its text.
    stream: Option<i64>,
    /// The decisions that pay for it.
    spenders: Rc<[Spender]>,
}

impl LlmService {
    /// A service of one run.
    pub fn new(setup: LlmSetup, shared: Shared) -> Self {
        let mut mock = Mock::default();
        if let Some(fixtures) = setup.fixtures {
            mock.replay(fixtures);
        }
        if let Some(tape) = setup.tape {
            mock.use_tape(tape);
        }
        LlmService {
            shared,
            catalog: Catalog::builtin(),
            session: Session::default(),
            mock,
            calls: BTreeMap::new(),
            permits: BTreeMap::new(),
            streams: Streams::default(),
            recording: setup.recording,
            counter: 0,
        }
    }

    fn environment(&self, cx: &ServiceCx<'_>) -> Environment {
        Environment::read(&self.catalog, cx.env)
    }

    /// Runs `work` with what a call works with, charges `spenders`, and passes its warnings on.
    fn with_call<T>(
        &mut self,
        cx: &mut ServiceCx<'_>,
        spenders: &[Spender],
        work: impl FnOnce(&mut CallCx<'_>) -> T,
    ) -> T {
        let env = self.environment(cx);
        let mut notes = Vec::new();
        self.counter += 1;
        let shared = self.shared.clone();
        let mut account = Account::new(cx, &shared, spenders);
        let meter: &mut dyn Meter = if spenders.is_empty() { &mut Unmetered } else { &mut account };
        let result = work(&mut CallCx {
            catalog: &self.catalog,
            env: &env,
            session: &mut self.session,
            mock: &mut self.mock,
            meter,
            monotonic_ms: cx.monotonic_ms,
            entropy: spread(self.counter, cx.now_ms),
            notes: &mut notes,
        });
        for text in notes {
            cx.progress.event(ProgressEvent::Note { text });
        }
        result
    }

    fn begin(&mut self, cx: &mut ServiceCx<'_>, args: &Data) -> Result<Call, Outcome> {
        let id = format!("{}-llm-{}", cx.run.run_id, self.counter + 1);
        self.with_call(cx, &[], |call_cx| Call::begin(args, id, call_cx))
    }

    fn start_call(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, args: &Data) -> Started {
        let spenders = match self.shared.spenders(&cx.task.decisions) {
            Ok(spenders) => spenders,
            Err(raised) => return Started::Done(Err(raised)),
        };
        let mut call = match self.begin(cx, args) {
            Ok(call) => call,
            Err(outcome) => return Started::Done(outcome),
        };
        let step = self.with_call(cx, &spenders, |call_cx| match call.mock_completion(call_cx) {
            Some(step) => step,
            None => call.attempt(call_cx),
        });
        let active = Active { call, due_ms: None, started_ms: cx.monotonic_ms, stream: None, spenders };
        self.take_step(cx, ticket, active, step)
    }

    /// Puts a call where its step says.
    fn take_step(
        &mut self,
        cx: &mut ServiceCx<'_>,
        ticket: Ticket,
        mut active: Active,
        step: Step,
    ) -> Started {
        for reply in active.call.take_received() {
            cx.progress.event(ProgressEvent::ModelDone {
                input_tokens: reply.usage.input_tokens,
                output_tokens: reply.usage.output_tokens,
                duration_ms: cx.monotonic_ms - active.started_ms,
            });
            if let Some(recording) = &self.recording {
                recording.borrow_mut().push(fixture::line(&reply));
            }
        }
        match step {
            Step::Done(outcome) => {
                if let Some(stream) = active.stream {
                    self.streams.end(stream, &outcome);
                }
                Started::Done(outcome)
            }
            Step::Wait(ms) => {
                active.due_ms = Some(cx.monotonic_ms + ms);
                self.calls.insert(ticket, active);
                Started::Pending
            }
            Step::Send(plan) => {
                cx.progress.event(ProgressEvent::ModelCall {
                    provider: plan.provider.clone(),
                    model: plan.model.clone(),
                });
                active.due_ms = None;
                active.started_ms = cx.monotonic_ms;
                self.calls.insert(ticket, active);
                Started::Forward(Request { op: Op::LlmSend, args: plan.to_data() })
            }
        }
    }

    fn script(&mut self, cx: &ServiceCx<'_>, op: Op, args: &Data) -> Outcome {
        match op {
            Op::LlmMockPush => {
                let entry = Entry::read(args.field("response")).map_err(Raised::thrown)?;
                self.mock.push(entry);
            }
            Op::LlmMockCalls => return Ok(self.mock.calls()),
            Op::LlmMockScope => match args.field("action").as_str() {
                Some("push") => self.mock.push_scope(),
                Some("pop") => self.mock.pop_scope().map_err(Raised::thrown)?,
                _ => self.mock.clear(),
            },
            Op::LlmInfo => {
                let env = self.environment(cx);
                let what = args.field("what").as_str().unwrap_or_default();
                let list = args.field("args").as_list().unwrap_or_default();
                let answer = info::answer(what, list, InfoCx { catalog: &self.catalog, env: &env });
                return match answer {
                    Some(answer) => answer.map_err(Raised::thrown),
                    None => Err(Raised::runtime(format!("no question is called '{what}'"))),
                };
            }
            _ => return self.account(cx, args),
        }
        Ok(Data::Nil)
    }

    fn account(&mut self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let provider = args.field("provider").as_str().unwrap_or_default();
        Ok(match args.field("action").as_str().unwrap_or_default() {
            "cost" => self.session.cost_record(),
            "usage" => self.session.usage_record(),
            "remaining" => self.session.remaining(),
            "spans" => self.session.spans(),
            "trace" => {
                self.session.trace(args.field("on") == &Data::Bool(true));
                Data::Nil
            }
            "budget" => {
                if let Data::Float(usd) = args.field("usd") {
                    self.session.set_budget(*usd);
                }
                Data::Nil
            }
            "rate_limit" => self.session.rate_limit(provider, self.preset_rate(cx, provider)).into(),
            "set_rate_limit" => {
                self.session.set_rate_limit(provider, args.field("rpm").as_int().unwrap_or(0));
                true.into()
            }
            other => return Err(Raised::runtime(format!("no action is called '{other}'"))),
        })
    }

    fn preset_rate(&self, cx: &ServiceCx<'_>, provider: &str) -> Option<i64> {
        let from_env = (cx.env)(&rate_limit_variable(provider)).and_then(|text| text.trim().parse().ok());
        from_env.or_else(|| self.catalog.providers.get(provider).and_then(|known| known.rpm))
    }

    /// Takes a permit of a provider's rate limit, or waits for one.
    fn permit(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, provider: &str) -> Started {
        let preset = self.preset_rate(cx, provider);
        match self.session.permit(provider, preset, cx.monotonic_ms) {
            Ok(()) => Started::Done(Ok(Data::Nil)),
            Err(ms) => {
                self.permits.insert(ticket, (provider.to_owned(), cx.monotonic_ms + ms));
                Started::Pending
            }
        }
    }

    fn open_stream(&mut self, cx: &mut ServiceCx<'_>, args: &Data) -> Outcome {
        let scripted = self.mock.is_active();
        let call = match self.begin(cx, args) {
            Ok(call) => call,
            Err(outcome) => return outcome,
        };
        // With nothing scripted the mock streams the words of the prompt (spec 07 section 1.10).
        let words = !scripted && call.request().provider == "mock";
        let echo = words.then(|| harn_llm::mock::prompt_text(&call.request().messages));
        Ok(Data::dict([("stream", Data::Int(self.streams.open(call, echo)))]))
    }

    fn run_stream(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, args: &Data) -> Started {
        let id = args.field("stream").as_int().unwrap_or(0);
        let Some(mut call) = self.streams.take_call(id) else {
            return Started::Done(Err(Raised::runtime("llm.stream.run: no such stream")));
        };
        let spenders = match self.shared.spenders(&cx.task.decisions) {
            Ok(spenders) => spenders,
            Err(raised) => return Started::Done(Err(raised)),
        };
        let step = self.with_call(cx, &spenders, |call_cx| call.attempt(call_cx));
        let active = Active { call, due_ms: None, started_ms: cx.monotonic_ms, stream: Some(id), spenders };
        self.take_step(cx, ticket, active, step)
    }
}

/// A number that differs from call to call (SplitMix64's mixing): spreads retries, decides nothing else.
fn spread(counter: u64, now_ms: i64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ now_ms.cast_unsigned();
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Service for LlmService {
    fn ops(&self) -> &'static [Op] {
        &[
            Op::LlmCall,
            Op::LlmMockPush,
            Op::LlmMockCalls,
            Op::LlmMockScope,
            Op::LlmInfo,
            Op::LlmSession,
            Op::LlmPermit,
            Op::LlmStreamOpen,
            Op::LlmStreamRun,
            Op::LlmStreamNext,
        ]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        match request.op {
            Op::LlmCall => self.start_call(cx, ticket, args),
            Op::LlmPermit => self.permit(cx, ticket, args.field("provider").as_str().unwrap_or_default()),
            Op::LlmStreamOpen => Started::Done(self.open_stream(cx, args)),
            Op::LlmStreamRun => self.run_stream(cx, ticket, args),
            Op::LlmStreamNext => self.streams.next(ticket, args.field("stream").as_int().unwrap_or(0)),
            op => Started::Done(self.script(cx, op, args)),
        }
    }

    fn poll(&mut self, cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        let mut ready = self.streams.ready();
        let now = cx.monotonic_ms;
        let due: Vec<Ticket> = self
            .calls
            .iter()
            .filter(|(_, active)| active.due_ms.is_some_and(|due| due <= now))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in due {
            if let Some(mut active) = self.calls.remove(&ticket) {
                let spenders = active.spenders.clone();
                let step = self.with_call(cx, &spenders, |call_cx| active.call.waited(call_cx));
                match self.take_step(cx, ticket, active, step) {
                    Started::Pending => {}
                    started => ready.push((ticket, started)),
                }
            }
        }
        let due: Vec<(Ticket, String)> = self
            .permits
            .iter()
            .filter(|(_, (_, due))| *due <= now)
            .map(|(ticket, (provider, _))| (*ticket, provider.clone()))
            .collect();
        for (ticket, provider) in due {
            self.permits.remove(&ticket);
            match self.permit(cx, ticket, &provider) {
                Started::Pending => {}
                started => ready.push((ticket, started)),
            }
        }
        ready
    }

    fn next_poll_ms(&self) -> Option<i64> {
        let calls = self.calls.values().filter_map(|active| active.due_ms);
        calls.chain(self.permits.values().map(|(_, due)| *due)).min()
    }

    fn host_done(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, outcome: Outcome) -> Started {
        let Some(mut active) = self.calls.remove(&ticket) else { return Started::Done(outcome) };
        let spenders = active.spenders.clone();
        let received = wire::received(outcome);
        let step = self.with_call(cx, &spenders, |call_cx| active.call.answered(received, call_cx));
        self.take_step(cx, ticket, active, step)
    }

    fn host_chunk(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, text: &str) {
        cx.progress.event(ProgressEvent::ModelChunk { text: text.to_owned() });
        if let Some(active) = self.calls.get_mut(&ticket)
            && let Some(stream) = active.stream
        {
            active.call.commit();
            self.streams.push(stream, text);
        }
    }

    fn cancel(&mut self, _cx: &mut ServiceCx<'_>, ticket: Ticket) {
        if let Some(Active { stream: Some(stream), .. }) = self.calls.remove(&ticket) {
            self.streams.close(stream);
        }
        self.permits.remove(&ticket);
        self.streams.forget(ticket);
    }

    fn save(&self) -> Result<Data, String> {
        if !self.streams.is_empty() {
            return Err("a model stream is open".to_owned());
        }
        Ok(Data::dict([
            ("mock", self.mock.save()),
            ("session", self.session.save()),
            ("counter", Data::Int(self.counter.cast_signed())),
            ("last_stream", Data::Int(self.streams.last())),
        ]))
    }

    fn load(&mut self, saved: &Data, _shift_ms: i64) -> Result<(), String> {
        self.session.load(saved.field("session"));
        self.counter = saved.field("counter").as_int().unwrap_or(0).cast_unsigned();
        self.streams.count_from(saved.field("last_stream").as_int().unwrap_or(0));
        self.mock.load(saved.field("mock"))
    }

    fn finish(&mut self, cx: &mut ServiceCx<'_>) {
        let leftover = self.mock.leftover();
        if cx.run.test && leftover > 0 {
            let text = format!(
                "{leftover} llm_mock repl{} never asked for",
                if leftover == 1 { "y was" } else { "ies were" }
            );
            cx.progress.event(ProgressEvent::Note { text });
        }
    }
}
