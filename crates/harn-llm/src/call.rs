//! One model call as a state machine: attempts, backoff, fallbacks, schema retries, repair.
//!
//! [`Call::begin`] reads the options; [`Call::attempt`], [`Call::answered`] and [`Call::waited`] each lead to the next
//! [`Step`]. The mock answers inside; everything else is asked of the driver, which owns clock and network.

use std::collections::BTreeMap;

use harn_effect::{Data, Outcome, Raised};

use crate::budget;
use crate::catalog::Catalog;
use crate::content::message;
use crate::environment::{Environment, rate_limit_variable};
use crate::error::{Category, ModelError, Reason};
use crate::extract;
use crate::meter::{self, Actual, Meter};
use crate::mock::Mock;
use crate::options::{self, OptionCx, Plan, Validation};
use crate::pricing::{self, Rates};
use crate::reply::{Reply, Usage};
use crate::request::{ModelRequest, OutputFormat};
use crate::result;
use crate::route;
use crate::session::Session;
use crate::structured::{self, Envelope};
use crate::text_protocol;
use crate::wire::{self, HttpPlan, anthropic};

/// How many attempts the mock answers before the driver is asked to look around.
const MOCKED_AT_ONCE: usize = 16;

/// Which builtin asked, and so what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `llm_call`.
    Call,
    /// `llm_call_safe`.
    Safe,
    /// `llm_call_structured`.
    Structured,
    /// `llm_call_structured_safe`.
    StructuredSafe,
    /// `llm_call_structured_result`.
    StructuredResult,
    /// `llm_completion`.
    Completion,
}

impl Mode {
    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "call" => Mode::Call,
            "safe" => Mode::Safe,
            "structured" => Mode::Structured,
            "structured_safe" => Mode::StructuredSafe,
            "structured_result" => Mode::StructuredResult,
            "completion" => Mode::Completion,
            _ => return None,
        })
    }

    fn is_structured(self) -> bool {
        matches!(self, Mode::Structured | Mode::StructuredSafe | Mode::StructuredResult)
    }
}

/// What the driver has to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send this and call [`Call::answered`].
    Send(Box<HttpPlan>),
    /// Let so many milliseconds pass and call [`Call::waited`].
    Wait(i64),
    /// The call is over.
    Done(Outcome),
}

/// What a call works with.
pub struct CallCx<'a> {
    /// Providers and models.
    pub catalog: &'a Catalog,
    /// Variables.
    pub env: &'a Environment,
    /// The running account.
    pub session: &'a mut Session,
    /// The mock.
    pub mock: &'a mut Mock,
    /// Whose account the calls are charged to.
    pub meter: &'a mut dyn Meter,
    /// A clock that never steps back.
    pub monotonic_ms: i64,
    /// Any number, another one each time: spreads retries.
    pub entropy: u64,
    /// Takes warnings.
    pub notes: &'a mut Vec<String>,
}

impl CallCx<'_> {
    fn options(&self) -> OptionCx<'_> {
        OptionCx { catalog: self.catalog, env: self.env, mock_active: self.mock.is_closed() }
    }
}

/// Where a call stands.
#[derive(Clone, Debug)]
pub struct Call {
    mode: Mode,
    prompt: String,
    system: Option<String>,
    options: Data,
    transcript_id: String,
    plan: Plan,
    /// The message added after an invalid answer.
    nudge: Option<Data>,
    /// Transient retries done since the last reply.
    retries: i64,
    schema_retries_left: i64,
    /// Selectors not yet tried, and the error of the first provider.
    fallbacks: Vec<String>,
    primary_error: Option<ModelError>,
    /// Replies so far and their tokens.
    replies: i64,
    usage: Usage,
    sent_ms: i64,
    /// What is set aside on the meter for the attempt under way.
    aside: Option<String>,
    /// The replies of this call, when they are to be recorded.
    received: Vec<Reply>,
    /// The failure that a running repair tries to mend.
    repairing: Option<structured::Failure>,
}

enum Next {
    Again,
    Step(Step),
}

impl Call {
    /// Reads the arguments `{mode, prompt, system, schema, options}`; an error in them is already the outcome.
    /// `transcript_id` names the transcript of the result.
    pub fn begin(args: &Data, transcript_id: String, cx: &mut CallCx<'_>) -> Result<Self, Outcome> {
        let mode = args.field("mode").as_str().and_then(Mode::parse).unwrap_or(Mode::Call);
        let prompt = args.field("prompt").as_str().unwrap_or_default().to_owned();
        let mut system = args.field("system").as_str().map(str::to_owned);
        let mut options = args.field("options").clone();
        let fail = |error: ModelError| option_failure(mode, &error);
        if mode.is_structured() {
            options = structured::options(args.field("schema"), &options)
                .map_err(|message| fail(ModelError::option(message)))?;
            system = options.field("system").as_str().map(str::to_owned).or(system);
        }
        let plan = options::read(&prompt, system.as_deref(), &options, cx.options())
            .map_err(|error| fail(*error))?;
        cx.notes.extend(plan.warnings.iter().cloned());
        let mut call = Call {
            mode,
            prompt,
            system,
            options,
            transcript_id,
            nudge: None,
            retries: 0,
            schema_retries_left: plan.schema_retries,
            fallbacks: plan.fallbacks.clone(),
            primary_error: None,
            replies: 0,
            usage: Usage::default(),
            sent_ms: cx.monotonic_ms,
            aside: None,
            received: Vec::new(),
            repairing: None,
            plan,
        };
        if mode == Mode::Completion {
            call.prepare_completion(args, cx);
        }
        let configured =
            cx.catalog.providers.get(&call.plan.request.provider).and_then(|one| one.fallback.clone());
        call.fallbacks.extend(configured);
        Ok(call)
    }

    /// What is asked now.
    pub fn request(&self) -> &ModelRequest {
        &self.plan.request
    }

    /// The decision of a route policy.
    pub fn route(&self) -> Option<&Data> {
        self.plan.route.as_ref()
    }

    /// The replies received since the last time this was asked.
    pub fn take_received(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.received)
    }

    /// From now on a failure is final: something of the reply has already been shown.
    pub fn commit(&mut self) {
        self.plan.llm_retries = 0;
        self.fallbacks.clear();
    }

    /// Makes an attempt. Those that the mock answers follow at once, but not without end: `retries` may be any number, and
    /// the driver has signals and deadlines to look at.
    pub fn attempt(&mut self, cx: &mut CallCx<'_>) -> Step {
        for _ in 0..MOCKED_AT_ONCE {
            let request = self.current_request();
            let rates = self.rates(cx);
            let allowed =
                self.plan.budget.check(&request, rates, cx.session.cost_usd(), cx.session.budget_usd());
            if let Err(error) = allowed {
                return self.failed(*error, cx);
            }
            let mocked = cx.mock.answers(&request.provider);
            if let Err(wait_ms) =
                cx.session.permit(&request.provider, preset_rate(&request.provider, cx), cx.monotonic_ms)
            {
                return Step::Wait(wait_ms);
            }
            match cx.meter.set_aside(&budget::project(&request, rates), rates.is_some()) {
                Ok(aside) => self.aside = aside,
                Err(refusal) => return self.failed(*refusal, cx),
            }
            self.sent_ms = cx.monotonic_ms;
            if !mocked {
                return self.send(&request, cx);
            }
            let next = match cx.mock.ask(&request) {
                Ok(reply) => self.replied(reply, cx),
                Err(error) => self.erred(error, true, cx),
            };
            if let Next::Step(step) = next {
                return step;
            }
        }
        Step::Wait(0)
    }

    /// The wait is over.
    pub fn waited(&mut self, cx: &mut CallCx<'_>) -> Step {
        self.attempt(cx)
    }

    /// The provider answered, or did not.
    pub fn answered(&mut self, result: Result<Reply, ModelError>, cx: &mut CallCx<'_>) -> Step {
        let next = match result {
            Ok(reply) => {
                cx.mock.take_down(|| self.current_request(), &reply);
                self.replied(reply, cx)
            }
            Err(error) => self.erred(error, false, cx),
        };
        match next {
            Next::Again => self.attempt(cx),
            Next::Step(step) => step,
        }
    }

    fn send(&mut self, request: &ModelRequest, cx: &mut CallCx<'_>) -> Step {
        // A script of the mock may have run dry since the options were read.
        if let Err(error) = options::reachable(&self.plan, cx.options()) {
            return self.failed(*error, cx);
        }
        let Some(provider) = cx.catalog.providers.get(&request.provider) else {
            return self.failed(ModelError::option(format!("unknown provider `{}`", request.provider)), cx);
        };
        let base = self.plan.base_url.clone().unwrap_or_else(|| provider.base(cx.env));
        let mut http = wire::encode(request, provider, &base, self.plan.timeouts);
        if !options::sends_key(&self.plan, provider, cx.env) {
            http.auth_env.clear();
        }
        if self.mode == Mode::Completion && wire::ollama::can_generate(provider) {
            wire::ollama::generate(&mut http, provider, &base, &self.prompt, self.options.field("__suffix"));
        }
        Step::Send(Box::new(http))
    }

    fn rates(&self, cx: &CallCx<'_>) -> Option<Rates> {
        pricing::rates(cx.catalog, &self.plan.request.provider, &self.plan.request.model)
    }

    fn current_request(&self) -> ModelRequest {
        let mut request = self.plan.request.clone();
        request.messages.extend(self.nudge.clone());
        request
    }

    fn replied(&mut self, mut reply: Reply, cx: &mut CallCx<'_>) -> Next {
        anthropic::lift_answer(&self.plan.request.output, &mut reply);
        let rates = pricing::rates(cx.catalog, &reply.provider, &reply.model).or(self.rates(cx));
        let cost = pricing::reply_cost(rates, &reply.usage);
        cx.session.add(reply.usage, cost, (cx.monotonic_ms - self.sent_ms).max(0));
        cx.session.add_span(&reply, self.sent_ms, cx.monotonic_ms);
        let tokens = pricing::billed_tokens(&reply.usage);
        let actual = Actual { tokens, cost_usd: cost, priced: rates.is_some() };
        cx.meter.settle(self.aside.take(), actual);
        self.replies += 1;
        self.usage = self.usage.plus(reply.usage);
        self.retries = 0;
        self.received.push(reply.clone());
        if !self.plan.expects_data() {
            return Next::Step(self.succeeded(&reply, None, rates));
        }
        let found = extract::from_reply(&reply);
        let errors = structured_errors(&reply, found.as_ref(), &self.plan.output_schema);
        if errors.is_empty() {
            return Next::Step(self.succeeded(&reply, found, rates));
        }
        if self.schema_retries_left > 0 {
            self.schema_retries_left -= 1;
            self.nudge =
                self.plan.nudge.text(&errors, &self.plan.output_schema).map(|text| message("user", text));
            return Next::Again;
        }
        self.invalid(reply, found, errors, rates, cx)
    }

    /// No attempt is left and the answer does not fit.
    fn invalid(
        &mut self,
        reply: Reply,
        found: Option<extract::Found>,
        errors: Vec<String>,
        rates: Option<Rates>,
        cx: &mut CallCx<'_>,
    ) -> Next {
        let joined = errors.join("; ");
        let message = format!(
            "LLM output failed schema validation: {joined} (after {} model call(s); schema_retries allows more)",
            self.replies
        );
        if self.mode == Mode::StructuredResult {
            let failure = structured::Failure {
                category: if found.is_some() { "schema_validation" } else { "missing_json" },
                message,
                reply,
                errors: joined,
            };
            return self.mend(failure, cx);
        }
        match self.plan.validation {
            Validation::Error => {
                let error = ModelError::of(Category::SchemaValidation, message)
                    .at(&self.plan.request.provider, &self.plan.request.model);
                Next::Step(self.over(Err(error)))
            }
            validation => {
                if validation == Validation::Warn {
                    cx.notes.push(message);
                }
                Next::Step(self.succeeded(&reply, found, rates))
            }
        }
    }

    /// Starts the one repair, or reports the failure (of the repair, when it was one).
    fn mend(&mut self, failure: structured::Failure, cx: &mut CallCx<'_>) -> Next {
        if self.repairing.is_some() {
            return Next::Step(Step::Done(Ok(self.envelope().failed(
                "repair_failed",
                &failure.message,
                &failure.reply,
            ))));
        }
        let report = |call: &Self| {
            Next::Step(Step::Done(Ok(call.envelope().failed(
                failure.category,
                &failure.message,
                &failure.reply,
            ))))
        };
        let Some(overrides) = structured::repair_overrides(self.options.field("repair")) else {
            return report(self);
        };
        let options = structured::repair_options(&self.options, overrides);
        let prompt = structured::repair_prompt(&failure);
        match options::read(&prompt, None, &options, cx.options()) {
            Ok(plan) => {
                self.nudge = None;
                self.schema_retries_left = 0;
                self.retries = 0;
                self.fallbacks.clear();
                self.plan = plan;
                self.repairing = Some(failure);
                Next::Again
            }
            Err(_) => report(self),
        }
    }

    fn erred(&mut self, error: ModelError, mocked: bool, cx: &mut CallCx<'_>) -> Next {
        let error = error.at(&self.plan.request.provider, &self.plan.request.model);
        if let Some(aside) = self.aside.take()
            && (mocked || meter::costs_nothing(&error))
        {
            cx.meter.settle(Some(aside), Actual { priced: true, ..Actual::default() });
        }
        let is_primary = self.primary_error.is_none();
        if error.transient && self.retries < self.plan.llm_retries && is_primary {
            self.retries += 1;
            cx.notes.push(format!(
                "retry {} of {} after: {}",
                self.retries, self.plan.llm_retries, error.message
            ));
            if mocked {
                return Next::Again;
            }
            return Next::Step(Step::Wait(self.backoff(&error, cx.entropy)));
        }
        if !mocked && !is_about_the_request(error.reason) {
            if is_primary {
                self.primary_error = Some(error.clone());
            }
            while !self.fallbacks.is_empty() {
                let selector = self.fallbacks.remove(0);
                if self.fall_back(&selector, cx) {
                    return Next::Again;
                }
            }
        }
        let error = self.primary_error.take().unwrap_or(error);
        Next::Step(self.failed(error, cx))
    }

    /// Full jitter over an exponential backoff, unless the provider named a time.
    fn backoff(&self, error: &ModelError, entropy: u64) -> i64 {
        if let Some(hint) = error.retry_after_ms {
            return hint;
        }
        let ceiling = self.plan.backoff_ms.saturating_mul(1 << self.retries.clamp(0, 4)).min(60_000);
        match u64::try_from(ceiling) {
            Ok(ceiling) if ceiling > 0 => (entropy % (ceiling + 1)) as i64,
            _ => 0,
        }
    }

    /// Switches to another provider: a name, an alias, or `provider:model`. False when it cannot be asked.
    fn fall_back(&mut self, selector: &str, cx: &mut CallCx<'_>) -> bool {
        let mut options = self.options.as_dict().cloned().unwrap_or_default();
        for key in ["model", "route_policy", "fallback_chain", "base_url"] {
            options.remove(key);
        }
        if cx.catalog.providers.contains_key(selector) {
            if selector == self.plan.request.provider {
                return false;
            }
            options.insert("provider".to_owned(), selector.into());
        } else {
            let target = route::target_of(selector, cx.catalog, cx.env);
            options.insert("provider".to_owned(), target.provider.into());
            options.insert("model".to_owned(), target.id.into());
        }
        match options::read(&self.prompt, self.system.as_deref(), &Data::Dict(options), cx.options()) {
            Ok(plan) => {
                self.plan = plan;
                self.retries = 0;
                true
            }
            Err(_) => false,
        }
    }

    fn succeeded(&mut self, reply: &Reply, found: Option<extract::Found>, rates: Option<Rates>) -> Step {
        let outcome = match self.mode {
            Mode::StructuredResult => {
                let found = found.unwrap_or(extract::Found { data: Data::Nil, lifted: false });
                return Step::Done(Ok(self.envelope().succeeded(&found, reply)));
            }
            Mode::Structured => found.map_or(Data::Nil, |found| found.data),
            Mode::StructuredSafe => safe("data", found.map_or(Data::Nil, |found| found.data)),
            mode => {
                let mut messages = self.plan.request.messages.clone();
                messages.extend(self.nudge.clone());
                let result = result::build(
                    reply,
                    result::Parts {
                        messages: &messages,
                        transcript_id: (mode != Mode::Completion).then(|| self.transcript_id.clone()),
                        rates,
                        tools: self.plan.tool_names.as_deref(),
                        cost_usd: pricing::reply_cost(rates, &reply.usage),
                        data: found.map(|found| found.data),
                    },
                );
                if mode == Mode::Safe { safe("response", result) } else { result }
            }
        };
        Step::Done(Ok(outcome))
    }

    fn failed(&mut self, error: ModelError, _cx: &mut CallCx<'_>) -> Step {
        let error = error.at(&self.plan.request.provider, &self.plan.request.model);
        self.over(Err(error))
    }

    fn over(&self, result: Result<Data, ModelError>) -> Step {
        let error = match result {
            Ok(data) => return Step::Done(Ok(data)),
            Err(error) => error,
        };
        Step::Done(match self.mode {
            Mode::Call | Mode::Structured => Err(error.raise()),
            Mode::Completion => Err(Raised::thrown(error.message)),
            Mode::Safe => Ok(safe_error("response", &error)),
            Mode::StructuredSafe => Ok(safe_error("data", &error)),
            Mode::StructuredResult => Ok(match &self.repairing {
                Some(failure) => self.envelope().failed("repair_failed", &error.message, &failure.reply),
                None => self.envelope().transport(&error),
            }),
        })
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            attempts: self.replies,
            repaired: self.repairing.is_some(),
            usage: result::usage(&self.usage, None),
        }
    }

    fn prepare_completion(&mut self, args: &Data, cx: &mut CallCx<'_>) {
        let suffix = args.field("suffix").as_str().unwrap_or_default().to_owned();
        if let Data::Dict(options) = &mut self.options {
            options.insert("__suffix".to_owned(), suffix.clone().into());
        } else {
            self.options = Data::dict([("__suffix", Data::from(suffix.clone()))]);
        }
        let request = &mut self.plan.request;
        request.output = OutputFormat::Text;
        if cx.mock.answers(&request.provider) {
            return;
        }
        let ask = if suffix.is_empty() {
            format!("Continue this text. Answer with the continuation only.\n\n{}", self.prompt)
        } else {
            format!(
                "Write what belongs between PREFIX and SUFFIX. Answer with that text only.\n\nPREFIX:\n{}\n\nSUFFIX:\n{suffix}",
                self.prompt
            )
        };
        request.messages = vec![message("user", ask)];
    }

    /// The mock's answer to a completion; none when a real provider is to be asked.
    pub fn mock_completion(&mut self, cx: &mut CallCx<'_>) -> Option<Step> {
        if self.mode != Mode::Completion || !cx.mock.answers(&self.plan.request.provider) {
            return None;
        }
        let rates = self.rates(cx);
        match cx.meter.set_aside(&budget::project(&self.plan.request, rates), rates.is_some()) {
            Ok(aside) => self.aside = aside,
            Err(refusal) => return Some(self.failed(*refusal, cx)),
        }
        let suffix = self.options.field("__suffix").as_str().unwrap_or_default().to_owned();
        let mut text = format!("Mock completion after {} chars", self.prompt.chars().count());
        if !suffix.is_empty() {
            text.push_str(&format!(" before {} chars", suffix.chars().count()));
        }
        let reply = Reply {
            text,
            stop_reason: Some("stop".to_owned()),
            usage: Usage {
                input_tokens: (self.prompt.len() + suffix.len()) as i64,
                output_tokens: 16,
                ..Usage::default()
            },
            model: self.plan.request.model.clone(),
            provider: "mock".to_owned(),
            ..Reply::default()
        };
        match self.replied(reply, cx) {
            Next::Step(step) => Some(step),
            Next::Again => None,
        }
    }
}

fn preset_rate(provider: &str, cx: &CallCx<'_>) -> Option<i64> {
    let from_env = cx.env.get(&rate_limit_variable(provider)).and_then(|text| text.parse().ok());
    from_env.or_else(|| cx.catalog.providers.get(provider).and_then(|known| known.rpm))
}

/// Errors that another provider would give as well.
fn is_about_the_request(reason: Reason) -> bool {
    matches!(reason, Reason::InvalidRequest | Reason::ContentPolicy | Reason::BudgetExceeded)
}

/// What is wrong with a structured answer; empty when nothing is (spec 07 section 1.7.2).
fn structured_errors(reply: &Reply, found: Option<&extract::Found>, schema: &Data) -> Vec<String> {
    if let Some(found) = found {
        return if schema.is_nil() { Vec::new() } else { crate::schema::validate(&found.data, schema) };
    }
    let mut errors = vec!["response did not contain parseable JSON".to_owned()];
    if text_protocol::mentions_protocol(&reply.text) {
        let violations = text_protocol::parse(&reply.text, &[]).violations;
        if !violations.is_empty() {
            errors.push(format!("protocol violations: {}", violations.join("; ")));
        }
    }
    if matches!(reply.stop_reason.as_deref(), Some("length" | "max_tokens")) {
        errors.push("response hit the token limit before producing complete JSON".to_owned());
    }
    errors
}

/// `{ok: true, <key>: value, error: nil}`.
fn safe(key: &str, value: Data) -> Data {
    Data::Dict(BTreeMap::from([
        ("ok".to_owned(), true.into()),
        (key.to_owned(), value),
        ("error".to_owned(), Data::Nil),
    ]))
}

/// `{ok: false, <key>: nil, error: dict}`.
fn safe_error(key: &str, error: &ModelError) -> Data {
    Data::Dict(BTreeMap::from([
        ("ok".to_owned(), false.into()),
        (key.to_owned(), Data::Nil),
        ("error".to_owned(), error.to_data()),
    ]))
}

/// The outcome of a call whose options are wrong: a thrown string, or an envelope.
fn option_failure(mode: Mode, error: &ModelError) -> Outcome {
    match mode {
        Mode::Safe => Ok(safe_error("response", error)),
        Mode::StructuredSafe => Ok(safe_error("data", error)),
        Mode::StructuredResult => {
            let envelope =
                Envelope { attempts: 0, repaired: false, usage: result::usage(&Usage::default(), None) };
            Ok(envelope.transport(error))
        }
        Mode::Call | Mode::Structured | Mode::Completion => Err(Raised::thrown(error.message.clone())),
    }
}
