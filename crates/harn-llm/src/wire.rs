//! Wire formats of providers as pure functions: a request becomes an [`HttpPlan`], bytes become a [`Reply`].

pub mod anthropic;
pub mod frames;
pub mod ollama;
pub mod openai;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use harn_effect::{Data, Outcome, Raised};
use serde_json::Value as Json;

use crate::catalog::{AuthStyle, Dialect, Provider};
use crate::error::{self, Category, ModelError, ProviderFault, Reason};
use crate::reply::Reply;
use crate::request::ModelRequest;
use frames::{Lines, SseDecoder};

/// Most bytes of a reply body, streamed or not.
pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Most bytes of one line or event of a stream.
pub const MAX_FRAME_BYTES: usize = 8 * 1024 * 1024;

/// How long the host waits for what, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect_ms: i64,
    /// For the first byte of the answer.
    pub first_byte_ms: i64,
    /// Between two pieces of a streamed answer.
    pub idle_ms: i64,
    /// For all of it.
    pub total_ms: i64,
}

/// One HTTP request to a provider, ready but for the key.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpPlan {
    /// The provider's name.
    pub provider: String,
    /// The model's id.
    pub model: String,
    /// The wire format.
    pub dialect: Dialect,
    /// The address.
    pub url: String,
    /// Headers beside the content type and the key.
    pub headers: BTreeMap<String, String>,
    /// How the key is sent.
    pub auth: AuthStyle,
    /// The variables that may hold the key. Empty when no key is to be sent.
    pub auth_env: Vec<String>,
    /// The body.
    pub body: Json,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// Limits of time.
    pub timeouts: Timeouts,
}

impl HttpPlan {
    /// As arguments of the effect that the host performs.
    pub fn to_data(&self) -> Data {
        let auth = match &self.auth {
            AuthStyle::Bearer => Data::from("bearer"),
            AuthStyle::Header(name) => name.clone().into(),
            AuthStyle::None => Data::Nil,
        };
        Data::dict([
            ("provider", Data::from(self.provider.clone())),
            ("model", self.model.clone().into()),
            ("dialect", self.dialect.name().into()),
            ("url", self.url.clone().into()),
            ("headers", Data::dict(self.headers.iter().map(|(k, v)| (k.clone(), Data::from(v.clone()))))),
            ("auth", auth),
            ("auth_env", self.auth_env.clone().into()),
            ("body", Data::from_json(&self.body)),
            ("stream", self.stream.into()),
            ("connect_ms", self.timeouts.connect_ms.into()),
            ("first_byte_ms", self.timeouts.first_byte_ms.into()),
            ("idle_ms", self.timeouts.idle_ms.into()),
            ("total_ms", self.timeouts.total_ms.into()),
        ])
    }

    /// The plan of such arguments.
    pub fn from_data(data: &Data) -> Option<Self> {
        let text = |key: &str| data.field(key).as_str().map(str::to_owned);
        let count = |key: &str| data.field(key).as_int();
        let strings = |list: &[Data]| list.iter().filter_map(Data::as_str).map(str::to_owned).collect();
        Some(HttpPlan {
            provider: text("provider")?,
            model: text("model")?,
            dialect: Dialect::parse(data.field("dialect").as_str()?)?,
            url: text("url")?,
            headers: data
                .field("headers")
                .as_dict()?
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            auth: match data.field("auth").as_str() {
                None => AuthStyle::None,
                Some("bearer") => AuthStyle::Bearer,
                Some(name) => AuthStyle::Header(name.to_owned()),
            },
            auth_env: strings(data.field("auth_env").as_list()?),
            body: data.field("body").to_json(),
            stream: data.field("stream").as_bool()?,
            timeouts: Timeouts {
                connect_ms: count("connect_ms")?,
                first_byte_ms: count("first_byte_ms")?,
                idle_ms: count("idle_ms")?,
                total_ms: count("total_ms")?,
            },
        })
    }
}

/// The HTTP request of a model request at a configured provider whose base address is `base`.
pub fn encode(request: &ModelRequest, provider: &Provider, base: &str, timeouts: Timeouts) -> HttpPlan {
    let dialect = provider.dialect();
    let mut headers = provider.extra_headers.clone();
    let mut body = match dialect {
        Dialect::Anthropic => anthropic::encode(request, &mut headers),
        Dialect::OpenAi => openai::encode(request),
        Dialect::Ollama => ollama::encode(request),
    };
    if let (Json::Object(fields), Json::Object(overrides)) = (&mut body, request.overrides.to_json()) {
        fields.extend(overrides);
    }
    HttpPlan {
        provider: request.provider.clone(),
        model: request.model.clone(),
        dialect,
        url: Provider::address(base, &provider.chat_endpoint),
        headers,
        auth: provider.auth_style.clone(),
        auth_env: provider.auth_env.clone(),
        stream: request.stream || dialect == Dialect::Ollama,
        body,
        timeouts,
    }
}

/// Decodes a whole body.
pub fn decode_body(plan: &HttpPlan, body: &[u8]) -> Result<Reply, ModelError> {
    let json: Json = serde_json::from_slice(body)
        .map_err(|error| malformed(&plan.provider, &format!("the reply is not valid JSON: {error}")))?;
    if json.get("error").is_some_and(|error| !error.is_null()) {
        return Err(error::from_stream_fault(&plan.provider, &ProviderFault::read(&json)));
    }
    let reply = match plan.dialect {
        Dialect::Anthropic => anthropic::decode(&json),
        Dialect::OpenAi => openai::decode(&json),
        Dialect::Ollama => ollama::decode(&json),
    }
    .map_err(|what| malformed(&plan.provider, &what))?;
    complete(plan, reply)
}

/// Fills in who answered, and refuses a reply that reports tokens but holds nothing.
fn complete(plan: &HttpPlan, mut reply: Reply) -> Result<Reply, ModelError> {
    reply.provider = plan.provider.clone();
    if reply.model.is_empty() {
        reply.model = plan.model.clone();
    }
    if reply.is_empty() && reply.usage.output_tokens > 0 {
        return Err(ModelError::new(
            Category::ServerError,
            Reason::ServerError,
            true,
            format!(
                "{} model {} reported completion_tokens={} but delivered no content, reasoning, or tool calls",
                plan.provider, plan.model, reply.usage.output_tokens
            ),
        ));
    }
    Ok(reply)
}

/// A reply that does not follow the wire format. The same request may well succeed.
fn malformed(provider: &str, what: &str) -> ModelError {
    ModelError::new(
        Category::ServerError,
        Reason::ServerError,
        true,
        format!("{provider} sent a malformed reply: {what}"),
    )
}

/// A reply that grew past a limit.
pub fn oversized(provider: &str, limit: usize) -> ModelError {
    ModelError::new(
        Category::ServerError,
        Reason::ServerError,
        false,
        format!("{provider} sent more than the {} MiB that a reply may have", limit / (1024 * 1024)),
    )
}

/// What the host reports of an exchange, as a reply or an error.
pub fn received(outcome: Outcome) -> Result<Reply, ModelError> {
    let lost = |what: &str| ModelError::of(Category::Generic, format!("the host reported {what}"));
    match outcome {
        Ok(data) => Reply::from_data(&data).ok_or_else(|| lost("a reply of an unknown form")),
        Err(Raised::Thrown(data)) => Err(ModelError::from_data(&data).unwrap_or_else(|| match data {
            Data::Str(text) => ModelError::of(Category::Generic, text),
            other => lost(&other.to_json().to_string()),
        })),
        Err(Raised::Runtime(text) | Raised::Type(text)) => Err(ModelError::of(Category::Generic, text)),
        Err(Raised::Categorised { category, text }) => {
            Err(ModelError::of(Category::parse(&category).unwrap_or(Category::Generic), text))
        }
        Err(Raised::Cancelled) => Err(ModelError::of(Category::Cancelled, "the model call was cancelled")),
    }
}

/// Takes in the pieces of a streamed reply.
pub struct StreamDecoder {
    plan: HttpPlan,
    framing: Framing,
    state: State,
    received: usize,
}

enum Framing {
    Sse(SseDecoder),
    Lines(Lines),
}

enum State {
    Anthropic(anthropic::Stream),
    OpenAi(openai::Stream),
    Ollama(ollama::Stream),
}

/// What a frame came to.
pub(crate) type Taken = Result<(), Fault>;

/// Why a frame cannot be taken.
pub(crate) enum Fault {
    /// The provider says that it failed.
    Provider(ProviderFault),
    /// The frame does not follow the format.
    Malformed(String),
}

impl StreamDecoder {
    /// For the answer to `plan`.
    pub fn new(plan: &HttpPlan) -> Self {
        let (framing, state) = match plan.dialect {
            Dialect::Anthropic => {
                (Framing::Sse(SseDecoder::default()), State::Anthropic(anthropic::Stream::default()))
            }
            Dialect::OpenAi => {
                (Framing::Sse(SseDecoder::default()), State::OpenAi(openai::Stream::default()))
            }
            Dialect::Ollama => (Framing::Lines(Lines::default()), State::Ollama(ollama::Stream::default())),
        };
        StreamDecoder { plan: plan.clone(), framing, state, received: 0 }
    }

    /// Takes a piece; `on_text` gets each new run of public text.
    pub fn push(&mut self, bytes: &[u8], on_text: &mut dyn FnMut(&str)) -> Result<(), ModelError> {
        self.received += bytes.len();
        if self.received > MAX_BODY_BYTES {
            return Err(oversized(&self.plan.provider, MAX_BODY_BYTES));
        }
        let frames = match &mut self.framing {
            Framing::Sse(decoder) => decoder
                .push(bytes)
                .map(|events| events.into_iter().map(|event| event.data).collect::<Vec<_>>()),
            Framing::Lines(lines) => lines.push(bytes),
        };
        let frames = frames.map_err(|_| oversized(&self.plan.provider, MAX_FRAME_BYTES))?;
        for frame in frames {
            self.take(&frame, on_text)?;
        }
        Ok(())
    }

    fn take(&mut self, frame: &str, on_text: &mut dyn FnMut(&str)) -> Result<(), ModelError> {
        if frame.trim().is_empty() || self.is_closed() {
            return Ok(());
        }
        if frame.trim() == "[DONE]" {
            if let State::OpenAi(stream) = &mut self.state {
                stream.done();
            }
            return Ok(());
        }
        let provider = &self.plan.provider;
        let json: Json = serde_json::from_str(frame)
            .map_err(|error| malformed(provider, &format!("a stream event is not valid JSON: {error}")))?;
        let taken = match &mut self.state {
            State::Anthropic(stream) => stream.take(&json, on_text),
            State::OpenAi(stream) => stream.take(&json, on_text),
            State::Ollama(stream) => stream.take(&json, on_text),
        };
        taken.map_err(|fault| match fault {
            Fault::Provider(fault) => error::from_stream_fault(provider, &fault),
            Fault::Malformed(what) => malformed(provider, &what),
        })
    }

    /// Whether the end marker has been seen, so that nothing more needs to be read.
    pub fn is_closed(&self) -> bool {
        match &self.state {
            State::Anthropic(stream) => stream.is_complete(),
            State::OpenAi(stream) => stream.is_closed(),
            State::Ollama(stream) => stream.is_complete(),
        }
    }

    /// Whether the reply is whole.
    fn is_complete(&self) -> bool {
        match &self.state {
            State::Anthropic(stream) => stream.is_complete(),
            State::OpenAi(stream) => stream.is_complete(),
            State::Ollama(stream) => stream.is_complete(),
        }
    }

    /// The reply, once the connection has ended. A stream that was cut is an error, not a short reply.
    pub fn finish(mut self, on_text: &mut dyn FnMut(&str)) -> Result<Reply, ModelError> {
        let last = match &mut self.framing {
            Framing::Sse(decoder) => decoder.finish().map(|event| event.data),
            Framing::Lines(lines) => lines.finish(),
        };
        if let Some(frame) = last
            && !self.is_closed()
        {
            // Half an event is how a cut looks; the cut is the error to report.
            let _ = self.take(&frame, on_text);
        }
        if !self.is_complete() {
            return Err(cut(&self.plan.provider));
        }
        let reply = match self.state {
            State::Anthropic(stream) => stream.reply(),
            State::OpenAi(stream) => stream.reply(),
            State::Ollama(stream) => stream.reply(),
        };
        complete(&self.plan, reply)
    }
}

/// A stream that ended before its end marker.
pub fn cut(provider: &str) -> ModelError {
    ModelError::of(
        Category::TransientNetwork,
        format!("{provider} connection closed in the middle of a reply (unexpected EOF)"),
    )
}

/// A text member of a JSON object.
pub(crate) fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}

/// A count of a JSON object; 0 when absent.
pub(crate) fn count(json: &Json, key: &str) -> i64 {
    json.get(key).and_then(Json::as_i64).unwrap_or(0)
}

/// The native calls of an assistant message, in our shape or OpenAI's: id, name, arguments.
pub(crate) fn calls_of(message: &Data) -> Vec<(String, String, Data)> {
    let calls = message.field("tool_calls").as_list().unwrap_or_default();
    calls
        .iter()
        .filter_map(|call| {
            let inner = if call.field("function").is_nil() { call } else { call.field("function") };
            let id = call.field("id").as_str().unwrap_or_default().to_owned();
            let name = inner.field("name").as_str()?.to_owned();
            let arguments = match inner.field("arguments") {
                Data::Str(text) => crate::reply::ToolCall::parse_arguments(text),
                Data::Nil => Data::Dict(BTreeMap::new()),
                other => other.clone(),
            };
            Some((id, name, arguments))
        })
        .collect()
}

/// The id of the call that a tool message answers.
pub(crate) fn answered_call(message: &Data) -> String {
    let either = message.field("tool_call_id").as_str().or(message.field("tool_use_id").as_str());
    either.unwrap_or_default().to_owned()
}
