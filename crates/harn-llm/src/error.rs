//! What can go wrong in a model call, as the dict that programs catch (spec 07 section 1.6).

use std::collections::BTreeMap;

use harn_effect::{Data, Raised};

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the specification.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The name that programs see.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// The value of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// The coarse class of a failure; what `error_category` answers.
    Category {
        /// Took too long.
        Timeout = "timeout",
        /// The provider refused the credentials.
        Auth = "auth",
        /// Too many requests, or no quota left.
        RateLimit = "rate_limit",
        /// The provider has no capacity now.
        Overloaded = "overloaded",
        /// The provider failed.
        ServerError = "server_error",
        /// The connection failed.
        TransientNetwork = "transient_network",
        /// The reply does not satisfy the schema.
        SchemaValidation = "schema_validation",
        /// A tool failed.
        ToolError = "tool_error",
        /// A tool was refused.
        ToolRejected = "tool_rejected",
        /// The egress policy refused the address.
        EgressBlocked = "egress_blocked",
        /// The task was cancelled.
        Cancelled = "cancelled",
        /// No such model.
        NotFound = "not_found",
        /// A circuit breaker is open.
        CircuitOpen = "circuit_open",
        /// A budget would be exceeded.
        BudgetExceeded = "budget_exceeded",
        /// Anything else.
        Generic = "generic",
    }
}

named! {
    /// The precise reason of a failure.
    Reason {
        /// Too many requests.
        RateLimit = "rate_limit",
        /// The provider failed.
        ServerError = "server_error",
        /// The connection failed.
        NetworkError = "network_error",
        /// Took too long.
        Timeout = "timeout",
        /// The credentials were refused.
        AuthFailure = "auth_failure",
        /// The conversation does not fit the model's context.
        ContextOverflow = "context_overflow",
        /// The provider's content rules refused the request.
        ContentPolicy = "content_policy",
        /// The request is malformed.
        InvalidRequest = "invalid_request",
        /// No such model.
        ModelUnavailable = "model_unavailable",
        /// A budget would be exceeded.
        BudgetExceeded = "budget_exceeded",
        /// Not known.
        Unknown = "unknown",
    }
}

impl Category {
    /// Reason and transience when the message tells nothing more.
    fn verdict(self) -> (Reason, bool) {
        match self {
            Category::RateLimit => (Reason::RateLimit, true),
            Category::Timeout => (Reason::Timeout, true),
            Category::Overloaded | Category::ServerError => (Reason::ServerError, true),
            Category::TransientNetwork => (Reason::NetworkError, true),
            Category::Auth => (Reason::AuthFailure, false),
            Category::NotFound => (Reason::ModelUnavailable, false),
            Category::BudgetExceeded => (Reason::BudgetExceeded, false),
            _ => (Reason::Unknown, false),
        }
    }
}

/// Longest hint of a provider that is honoured.
pub const MAX_RETRY_AFTER_MS: i64 = 60_000;

/// A failed model call.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelError {
    /// The coarse class.
    pub category: Category,
    /// The precise reason.
    pub reason: Reason,
    /// Whether the same request may succeed later.
    pub transient: bool,
    /// One sentence, with what the provider said.
    pub message: String,
    /// The provider's hint when to try again.
    pub retry_after_ms: Option<i64>,
    /// The provider of the attempted call.
    pub provider: Option<String>,
    /// The model of the attempted call.
    pub model: Option<String>,
    /// Further fields of the dict (the projections of a refused budget).
    pub extra: BTreeMap<String, Data>,
}

impl ModelError {
    /// An error of the given class; the message may say more than the class (spec 07 section 1.6, without an HTTP
    /// status).
    pub fn from_message(category: Category, message: impl Into<String>) -> Self {
        let message = message.into();
        let (reason, transient) = phrases(&message).unwrap_or_else(|| category.verdict());
        Self::new(category, reason, transient, message)
    }

    /// An error of the given class, whose message quotes foreign text and is not searched.
    pub fn of(category: Category, message: impl Into<String>) -> Self {
        let (reason, transient) = category.verdict();
        Self::new(category, reason, transient, message)
    }

    /// An error of all given parts.
    pub fn new(category: Category, reason: Reason, transient: bool, message: impl Into<String>) -> Self {
        ModelError {
            category,
            reason,
            transient,
            message: message.into(),
            retry_after_ms: None,
            provider: None,
            model: None,
            extra: BTreeMap::new(),
        }
    }

    /// An error in the options of a call.
    pub fn option(message: impl Into<String>) -> Self {
        Self::new(Category::Generic, Reason::InvalidRequest, false, message)
    }

    /// The same error, saying which call it is about.
    pub fn at(mut self, provider: &str, model: &str) -> Self {
        self.provider.get_or_insert_with(|| provider.to_owned());
        self.model.get_or_insert_with(|| model.to_owned());
        self
    }

    /// The same error with the provider's hint, cut to a minute.
    pub fn with_retry_after(mut self, hint_ms: Option<i64>) -> Self {
        self.retry_after_ms = hint_ms.map(|ms| ms.clamp(0, MAX_RETRY_AFTER_MS));
        self
    }

    /// `transient` or `terminal`.
    pub fn kind(&self) -> &'static str {
        if self.transient { "transient" } else { "terminal" }
    }

    /// The dict that programs catch.
    pub fn to_data(&self) -> Data {
        let mut dict = self.extra.clone();
        let mut put = |key: &str, value: Data| {
            dict.insert(key.to_owned(), value);
        };
        put("category", self.category.name().into());
        put("kind", self.kind().into());
        put("reason", self.reason.name().into());
        put("message", self.message.clone().into());
        if let Some(ms) = self.retry_after_ms {
            put("retry_after_ms", ms.into());
        }
        if let Some(provider) = &self.provider {
            put("provider", provider.clone().into());
        }
        if let Some(model) = &self.model {
            put("model", model.clone().into());
        }
        Data::Dict(dict)
    }

    /// The error of such a dict; `None` when it is not one.
    pub fn from_data(data: &Data) -> Option<Self> {
        let fields = data.as_dict()?;
        let category = Category::parse(data.field("category").as_str()?)?;
        let reason = Reason::parse(data.field("reason").as_str()?)?;
        let known = ["category", "kind", "reason", "message", "retry_after_ms", "provider", "model"];
        Some(ModelError {
            category,
            reason,
            transient: data.field("kind").as_str() == Some("transient"),
            message: data.field("message").as_str().unwrap_or_default().to_owned(),
            retry_after_ms: data.field("retry_after_ms").as_int(),
            provider: data.field("provider").as_str().map(str::to_owned),
            model: data.field("model").as_str().map(str::to_owned),
            extra: fields
                .iter()
                .filter(|(key, _)| !known.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        })
    }

    /// As an outcome of an effect: the dict is thrown.
    pub fn raise(&self) -> Raised {
        Raised::Thrown(self.to_data())
    }
}

/// Phrases of a context overflow, lower case.
fn says_overflow(text: &str) -> bool {
    ["context length", "context_length_exceeded", "prompt is too long", "exceeds the maximum"]
        .iter()
        .any(|phrase| text.contains(phrase))
        || (text.contains("exceed") && (text.contains("context") || text.contains("max_tokens")))
}

/// What a message without an HTTP status says by itself.
fn phrases(message: &str) -> Option<(Reason, bool)> {
    let text = message.to_lowercase();
    let any = |list: &[&str]| list.iter().any(|phrase| text.contains(phrase));
    if says_overflow(&text) {
        Some((Reason::ContextOverflow, false))
    } else if any(&[
        "content_policy",
        "content policy",
        "safety policy",
        "moderation",
        "responsible_ai_policy",
        "blocked by policy",
    ]) {
        Some((Reason::ContentPolicy, false))
    } else if any(&["invalid_api_key", "authentication_error", "unauthorized", "forbidden"]) {
        Some((Reason::AuthFailure, false))
    } else if any(&["insufficient_quota", "billing_hard_limit_reached"]) {
        Some((Reason::RateLimit, false))
    } else if any(&["rate_limit"]) {
        Some((Reason::RateLimit, true))
    } else if any(&["timeout", "timed out"]) {
        Some((Reason::Timeout, true))
    } else if any(&["model not found", "model_not_found", "no such model", "unknown model"]) {
        Some((Reason::ModelUnavailable, false))
    } else if any(&["overloaded_error", "service unavailable", "bad gateway", "api_error"]) {
        Some((Reason::ServerError, true))
    } else if any(&[
        "connection reset",
        "connection refused",
        "connection closed",
        "broken pipe",
        "dns error",
        "stream error",
        "unexpected eof",
    ]) {
        Some((Reason::NetworkError, true))
    } else if any(&["invalid_request", "bad request"]) {
        Some((Reason::InvalidRequest, false))
    } else {
        None
    }
}

/// The error fields of a provider's JSON body: type or code, and message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderFault {
    /// `error.type`, lower case.
    pub kind: String,
    /// `error.code`, lower case.
    pub code: String,
    /// `error.message`.
    pub message: String,
}

impl ProviderFault {
    /// Reads the shapes of Anthropic, OpenAI, Ollama, OpenRouter and vLLM.
    pub fn read(json: &serde_json::Value) -> Self {
        let inner = json.get("error").unwrap_or(json);
        if let Some(text) = inner.as_str() {
            return ProviderFault { message: text.to_owned(), ..Self::default() };
        }
        let text = |key: &str| match inner.get(key) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Number(n)) => n.to_string(),
            _ => String::new(),
        };
        ProviderFault {
            kind: text("type").to_lowercase(),
            code: text("code").to_lowercase(),
            message: text("message"),
        }
    }

    /// Class by the provider's own words; `None` when it gave none that we know.
    fn verdict(&self) -> Option<(Category, Reason, bool)> {
        let says = |name: &str| self.kind == name || self.code == name;
        let any = |names: &[&str]| names.iter().any(|name| says(name));
        if any(&["context_length_exceeded", "request_too_large"]) {
            Some((Category::Generic, Reason::ContextOverflow, false))
        } else if any(&["content_policy_violation", "content_filter", "responsible_ai_policy_violation"]) {
            Some((Category::Generic, Reason::ContentPolicy, false))
        } else if any(&["invalid_api_key", "authentication_error", "permission_error"]) {
            Some((Category::Auth, Reason::AuthFailure, false))
        } else if any(&["insufficient_quota", "billing_error", "billing_hard_limit_reached"]) {
            Some((Category::RateLimit, Reason::RateLimit, false))
        } else if any(&["rate_limit_error", "rate_limit_exceeded"]) {
            Some((Category::RateLimit, Reason::RateLimit, true))
        } else if says("timeout_error") {
            Some((Category::Timeout, Reason::Timeout, true))
        } else if any(&["not_found_error", "model_not_found"]) {
            Some((Category::NotFound, Reason::ModelUnavailable, false))
        } else if says("overloaded_error") {
            Some((Category::Overloaded, Reason::ServerError, true))
        } else if any(&["api_error", "server_error", "internal_server_error"]) {
            Some((Category::ServerError, Reason::ServerError, true))
        } else if any(&["invalid_request_error", "invalid_request", "badrequesterror"]) {
            let overflow = says_overflow(&self.message.to_lowercase());
            let reason = if overflow { Reason::ContextOverflow } else { Reason::InvalidRequest };
            Some((Category::Generic, reason, false))
        } else {
            None
        }
    }
}

/// Class of an HTTP status alone.
fn status_verdict(status: u16, message: &str) -> (Category, Reason, bool) {
    match status {
        401 | 403 => (Category::Auth, Reason::AuthFailure, false),
        429 => (Category::RateLimit, Reason::RateLimit, true),
        408 | 504 | 522 | 524 => (Category::Timeout, Reason::Timeout, true),
        404 | 410 => (Category::NotFound, Reason::ModelUnavailable, false),
        503 | 529 => (Category::Overloaded, Reason::ServerError, true),
        500..=599 => (Category::ServerError, Reason::ServerError, true),
        413 => (Category::Generic, Reason::ContextOverflow, false),
        400 | 422 if says_overflow(&message.to_lowercase()) => {
            (Category::Generic, Reason::ContextOverflow, false)
        }
        400..=499 => (Category::Generic, Reason::InvalidRequest, false),
        _ => (Category::Generic, Reason::Unknown, false),
    }
}

/// Most bytes of an error body that a message quotes.
const MAX_QUOTED_BODY: usize = 2000;

/// The error of an HTTP answer that is not a success (spec 07 section 1.6). `status_line` is `429 Too Many Requests`.
///
/// The class comes from the provider's error type or code, then from the status; the body's prose decides only
/// whether an invalid request is a context overflow, because a body may quote what the user wrote.
pub fn from_http(
    provider: &str,
    status_line: &str,
    headers: &Headers,
    body: &str,
    now_ms: i64,
) -> ModelError {
    let status: u16 = status_line.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let fault = serde_json::from_str(body).map(|json| ProviderFault::read(&json)).unwrap_or_default();
    let by_status = status_verdict(status, &fault.message);
    // A proxy's 529 or 429 stays one whatever the body calls it; 400 and 500 take the body's word.
    let (category, reason, transient) = match fault.verdict() {
        Some(told) if matches!(status, 429) && told.1 != Reason::RateLimit => by_status,
        Some(told) => told,
        None => by_status,
    };
    let tag = match reason {
        Reason::RateLimit => "rate_limited",
        Reason::ServerError => "http_error",
        other => other.name(),
    };
    let mut message = format!("{provider} HTTP {status_line} [{tag}]: {}", quoted(body));
    if reason == Reason::ContextOverflow
        && let Some(count) = offending_tokens(&fault.message)
    {
        message.push_str(&format!(" (offending_tokens: {count})"));
    }
    if let Some(value) = headers.get("retry-after") {
        message.push_str(&format!(" (retry-after: {value})"));
    }
    ModelError::new(category, reason, transient, message).with_retry_after(headers.retry_after_ms(now_ms))
}

/// The error of an `error` event or object inside a stream.
pub fn from_stream_fault(provider: &str, fault: &ProviderFault) -> ModelError {
    let (category, reason, transient) = fault.verdict().unwrap_or_else(|| match fault.code.parse::<u16>() {
        Ok(status) if (400..600).contains(&status) => status_verdict(status, &fault.message),
        _ => (Category::ServerError, Reason::ServerError, true),
    });
    let kind = if fault.kind.is_empty() { &fault.code } else { &fault.kind };
    let tag = if kind.is_empty() { String::new() } else { format!(" [{kind}]") };
    ModelError::new(
        category,
        reason,
        transient,
        format!("{provider} stream error{tag}: {}", quoted(&fault.message)),
    )
}

/// The body for a message: trimmed, one paragraph, cut.
fn quoted(body: &str) -> String {
    let text = body.trim();
    if text.len() <= MAX_QUOTED_BODY {
        return text.to_owned();
    }
    let mut end = MAX_QUOTED_BODY;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The first number of an overflow message: how many tokens the request had.
fn offending_tokens(message: &str) -> Option<i64> {
    let numbers = message.split(|c: char| !c.is_ascii_digit()).filter_map(|run| run.parse::<i64>().ok());
    numbers.filter(|n| *n >= 100).max()
}

/// Response headers, names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// From name and value pairs in any case.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Headers(pairs.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect())
    }

    /// The value of a header by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// When the provider wants the next try: `retry-after-ms`, `retry-after` (seconds or an HTTP date),
    /// `x-ratelimit-reset-requests` and `-tokens` (`1s`, `6m0s`, seconds).
    pub fn retry_after_ms(&self, now_ms: i64) -> Option<i64> {
        if let Some(ms) = self.get("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok()) {
            return Some(ms as i64);
        }
        if let Some(text) = self.get("retry-after") {
            let text = text.trim();
            if let Ok(seconds) = text.parse::<f64>() {
                return Some((seconds * 1000.0) as i64);
            }
            return http_date_ms(text).map(|at| (at - now_ms).max(0));
        }
        ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"]
            .iter()
            .filter_map(|name| self.get(name).and_then(span_ms))
            .max()
    }
}

/// `6m0s`, `20ms`, `1.5s`, `12`: milliseconds.
fn span_ms(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(letters)?;
        total += number
            * match unit {
                "ms" => 1.0,
                "" | "s" => 1000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                _ => return None,
            };
        rest = next;
    }
    Some(total as i64)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7) as Unix milliseconds.
fn http_date_ms(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    let _weekday = parts.next()?;
    let day: i64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|known| *known == name)? as i64 + 1;
    let year: i64 = parts.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<i64>());
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    // Days from civil, years starting in March (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let y = if month <= 2 { year - 1 } else { year };
    let era = y / 400;
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        Headers::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn retry_after_reads_seconds_dates_and_spans() {
        assert_eq!(headers(&[("Retry-After", "2")]).retry_after_ms(0), Some(2000));
        assert_eq!(headers(&[("retry-after-ms", "150")]).retry_after_ms(0), Some(150));
        let now = 784_111_770_000; // 1994-11-06T08:49:30Z
        assert_eq!(
            headers(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]).retry_after_ms(now),
            Some(7000)
        );
        assert_eq!(headers(&[("x-ratelimit-reset-requests", "1m0.5s")]).retry_after_ms(0), Some(60_500));
        assert_eq!(headers(&[("retry-after", "soon")]).retry_after_ms(0), None);
    }

    #[test]
    fn the_hint_is_cut_to_a_minute() {
        let error = from_http("openai", "429 Too Many Requests", &headers(&[("retry-after", "900")]), "", 0);
        assert_eq!(error.retry_after_ms, Some(60_000));
    }

    #[test]
    fn a_body_that_quotes_the_user_does_not_decide_the_class() {
        let body =
            r#"{"error":{"type":"invalid_request_error","message":"bad field near 'moderation timeout'"}}"#;
        let error = from_http("openai", "400 Bad Request", &Headers::default(), body, 0);
        assert_eq!((error.reason, error.transient), (Reason::InvalidRequest, false));
    }

    #[test]
    fn statuses_and_types_have_their_class() {
        let cases = [
            ("401 Unauthorized", "{}", Category::Auth, Reason::AuthFailure, false),
            ("429 Too Many Requests", "{}", Category::RateLimit, Reason::RateLimit, true),
            (
                "429 Too Many Requests",
                r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#,
                Category::RateLimit,
                Reason::RateLimit,
                false,
            ),
            (
                "529 ",
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Category::Overloaded,
                Reason::ServerError,
                true,
            ),
            ("500 Internal Server Error", "oops", Category::ServerError, Reason::ServerError, true),
            ("504 Gateway Timeout", "", Category::Timeout, Reason::Timeout, true),
            ("404 Not Found", "", Category::NotFound, Reason::ModelUnavailable, false),
            (
                "400 Bad Request",
                r#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
                Category::Generic,
                Reason::ContextOverflow,
                false,
            ),
        ];
        for (line, body, category, reason, transient) in cases {
            let error = from_http("p", line, &Headers::default(), body, 0);
            assert_eq!(
                (error.category, error.reason, error.transient),
                (category, reason, transient),
                "{line}"
            );
        }
    }

    #[test]
    fn the_message_names_status_tag_tokens_and_hint() {
        let body = r#"{"error":{"code":"context_length_exceeded","message":"maximum is 8192 tokens, you sent 9000"}}"#;
        let error = from_http("openai", "400 Bad Request", &headers(&[("retry-after", "3")]), body, 0);
        insta::assert_snapshot!(error.message, @r#"openai HTTP 400 Bad Request [context_overflow]: {"error":{"code":"context_length_exceeded","message":"maximum is 8192 tokens, you sent 9000"}} (offending_tokens: 9000) (retry-after: 3)"#);
    }

    #[test]
    fn an_error_survives_the_way_through_data() {
        let error = ModelError::of(Category::Timeout, "slow").at("mock", "m").with_retry_after(Some(5));
        assert_eq!(ModelError::from_data(&error.to_data()), Some(error));
    }
}
