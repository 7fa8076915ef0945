//! One exchange with a provider: send, read within the limits of time and size, decode as the bytes come.

use std::time::{SystemTime, UNIX_EPOCH};

use harn_llm::catalog::AuthStyle;
use harn_llm::error::{Headers, from_http};
use harn_llm::wire::{self, HttpPlan, MAX_BODY_BYTES, StreamDecoder};
use harn_llm::{Category, ModelError, Reply};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};

use super::millis;
use crate::causes;

/// Most bytes of an error body that are read.
const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// How long the end of a body is waited for when the reply is already whole.
const DRAIN_MS: i64 = 50;

/// Does what `plan` says; `on_text` gets runs of public text as they arrive.
pub async fn run(
    client: &Client,
    plan: &HttpPlan,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Reply, ModelError> {
    let key = key(plan);
    let mut outcome = attempt(client, plan, key.as_ref(), on_text).await;
    if let (Err(error), Some((_, key))) = (&mut outcome, &key) {
        // Providers quote a wrong key back.
        error.message = error.message.replace(key.as_str(), "[redacted]");
    }
    outcome.map_err(|error| error.at(&plan.provider, &plan.model))
}

/// The first non-empty key of the environment, and the variable's name.
fn key(plan: &HttpPlan) -> Option<(String, String)> {
    plan.auth_env.iter().find_map(|name| {
        let value = std::env::var(name).ok()?.trim().to_owned();
        (!value.is_empty()).then(|| (name.clone(), value))
    })
}

/// The moments by which something must have happened.
struct Deadlines {
    start: Instant,
    last_byte: Option<Instant>,
}

impl Deadlines {
    /// By when the next bytes must be there, and what it means when they are not.
    fn next(&self, plan: &HttpPlan) -> (Instant, String) {
        let limits = &plan.timeouts;
        let total = self.start + millis(limits.total_ms);
        let (soon, what) = match self.last_byte {
            None => (
                self.start + millis(limits.first_byte_ms),
                format!("{} timed out: no answer within {} ms", plan.provider, limits.first_byte_ms),
            ),
            Some(last) => (
                last + millis(limits.idle_ms),
                format!(
                    "{} timed out: silent for {} ms in the middle of a reply",
                    plan.provider, limits.idle_ms
                ),
            ),
        };
        if total <= soon {
            let all = format!("{} timed out: no complete reply within {} ms", plan.provider, limits.total_ms);
            return (total, all);
        }
        (soon, what)
    }
}

async fn attempt(
    client: &Client,
    plan: &HttpPlan,
    key: Option<&(String, String)>,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Reply, ModelError> {
    let body = serde_json::to_vec(&plan.body).map_err(|error| ModelError::option(error.to_string()))?;
    let request = client.post(&plan.url).headers(headers(plan, key)?).body(body);
    let mut deadlines = Deadlines { start: Instant::now(), last_byte: None };
    let (until, late) = deadlines.next(plan);
    let mut response = match timeout_at(until, request.send()).await {
        Err(_) => return Err(ModelError::of(Category::Timeout, late)),
        Ok(Err(error)) => return Err(send_error(plan, error)),
        Ok(Ok(response)) => response,
    };
    if !response.status().is_success() {
        return Err(refused(plan, response, &deadlines).await);
    }
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    // A server that does not stream answers a streamed request with one JSON body.
    if !plan.stream || (is_json && plan.dialect != harn_llm::catalog::Dialect::Ollama) {
        let mut body = Vec::new();
        while let Some(bytes) = next_piece(plan, &mut response, &mut deadlines).await? {
            if body.len() + bytes.len() > MAX_BODY_BYTES {
                return Err(wire::oversized(&plan.provider, MAX_BODY_BYTES));
            }
            body.extend_from_slice(&bytes);
        }
        return wire::decode_body(plan, &body);
    }
    let mut decoder = StreamDecoder::new(plan);
    while let Some(bytes) = next_piece(plan, &mut response, &mut deadlines).await? {
        decoder.push(&bytes, on_text)?;
        if decoder.is_closed() {
            // The end of the body usually came along; having read it, the connection can serve the next call.
            let _ = timeout_at(Instant::now() + millis(DRAIN_MS), response.chunk()).await;
            break;
        }
    }
    decoder.finish(on_text)
}

/// The next bytes of the body within the limits of time.
async fn next_piece(
    plan: &HttpPlan,
    response: &mut Response,
    deadlines: &mut Deadlines,
) -> Result<Option<Vec<u8>>, ModelError> {
    let (until, late) = deadlines.next(plan);
    match timeout_at(until, response.chunk()).await {
        Err(_) => Err(ModelError::of(Category::Timeout, late)),
        Ok(Err(error)) => {
            let cut = wire::cut(&plan.provider);
            Err(ModelError {
                message: format!("{}: {}", cut.message, causes::in_one_line(&error.without_url())),
                ..cut
            })
        }
        Ok(Ok(bytes)) => {
            deadlines.last_byte = Some(Instant::now());
            Ok(bytes.map(|bytes| bytes.to_vec()))
        }
    }
}

fn headers(plan: &HttpPlan, key: Option<&(String, String)>) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if plan.stream {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
    }
    let named = |name: &str| {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            ModelError::option(format!("provider {}: invalid header name {name:?}", plan.provider))
        })
    };
    for (name, value) in &plan.headers {
        let value = HeaderValue::from_str(value).map_err(|_| {
            ModelError::option(format!("provider {}: header {name} has an invalid value", plan.provider))
        })?;
        headers.insert(named(name)?, value);
    }
    if let Some((variable, key)) = key {
        let (name, text) = match &plan.auth {
            AuthStyle::Bearer => ("authorization", format!("Bearer {key}")),
            AuthStyle::Header(name) => (name.as_str(), key.clone()),
            AuthStyle::None => return Ok(headers),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            ModelError::of(
                Category::Auth,
                format!("the key in {variable} holds characters that cannot be sent"),
            )
        })?;
        value.set_sensitive(true);
        headers.insert(named(name)?, value);
    }
    Ok(headers)
}

/// The error of an answer that is no success.
async fn refused(plan: &HttpPlan, mut response: Response, deadlines: &Deadlines) -> ModelError {
    let status = response.status();
    let line = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let pairs = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers = Headers::new(pairs);
    let mut body = Vec::new();
    // What of the body comes in time is quoted; the status says the rest.
    let (until, _) = deadlines.next(plan);
    while body.len() < MAX_ERROR_BODY_BYTES {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(bytes))) => body.extend_from_slice(&bytes),
            _ => break,
        }
    }
    body.truncate(MAX_ERROR_BODY_BYTES);
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64);
    from_http(&plan.provider, line.trim_end(), &headers, &String::from_utf8_lossy(&body), now_ms)
}

/// The error of a request that got no answer.
fn send_error(plan: &HttpPlan, error: reqwest::Error) -> ModelError {
    let provider = &plan.provider;
    let error = error.without_url();
    let why = causes::in_one_line(&error);
    if error.is_timeout() {
        let limit = plan.timeouts.connect_ms;
        return ModelError::of(
            Category::Timeout,
            format!("{provider} timed out: no connection within {limit} ms"),
        );
    }
    if error.is_builder() {
        return ModelError::option(format!("{provider}: the request cannot be built: {why}"));
    }
    ModelError::of(Category::TransientNetwork, format!("{provider} connection failed: {why}"))
}
