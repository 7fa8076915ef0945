//! The mock provider: scripted replies, a log of what was asked, scopes (spec 07 section 2). Plain state, one per
//! program.

use std::collections::{BTreeMap, BTreeSet};

use harn_effect::Data;

use crate::content::{strings, text_of};
use crate::error::{Category, ModelError, Reason};
use crate::reply::{Reply, ToolCall, Usage};
use crate::request::ModelRequest;
use crate::tape::SharedTape;

/// One scripted reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    text: String,
    tool_calls: Vec<(String, Data)>,
    /// A glob; none for an entry of the queue.
    pattern: Option<String>,
    consume: bool,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    thinking: Option<String>,
    thinking_summary: Option<String>,
    stop_reason: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    failure: Option<Failure>,
}

/// A scripted failure.
#[derive(Clone, Debug, PartialEq)]
struct Failure {
    category: Category,
    message: String,
    retry_after_ms: Option<i64>,
}

impl Entry {
    /// Reads the argument of `llm_mock` (spec 07 section 2.2). `text` is expected in its display form.
    pub fn read(response: &Data) -> Result<Self, String> {
        if response.as_dict().is_none() {
            return Err("llm_mock: expected a dict argument".to_owned());
        }
        let text = |key: &str| response.field(key).as_str().map(str::to_owned);
        let count = |key: &str| response.field(key).as_int();
        let calls = response.field("tool_calls").as_list().unwrap_or_default();
        let tool_calls = calls.iter().filter_map(|call| {
            let arguments = match (call.field("arguments"), call.field("args")) {
                (Data::Nil, Data::Nil) => Data::Dict(BTreeMap::new()),
                (Data::Nil, given) | (given, _) => given.clone(),
            };
            Some((call.field("name").as_str()?.to_owned(), arguments))
        });
        Ok(Entry {
            text: match response.field("text") {
                Data::Nil => String::new(),
                Data::Str(text) => text.clone(),
                other => other.to_json().to_string(),
            },
            tool_calls: tool_calls.collect(),
            pattern: text("match"),
            consume: response.field("consume_match").as_bool().unwrap_or(false),
            input_tokens: count("input_tokens"),
            output_tokens: count("output_tokens"),
            cache_read_tokens: count("cache_read_tokens"),
            cache_write_tokens: count("cache_write_tokens").or_else(|| count("cache_creation_input_tokens")),
            thinking: text("thinking"),
            thinking_summary: text("thinking_summary"),
            stop_reason: text("stop_reason"),
            model: text("model"),
            provider: text("provider"),
            failure: Failure::read(response.field("error"))?,
        })
    }

    fn reply(&self, match_text: &str) -> Reply {
        let calls = self.tool_calls.iter().enumerate().map(|(index, (name, arguments))| ToolCall {
            id: format!("mock_call_{}", index + 1),
            name: name.clone(),
            arguments: arguments.clone(),
        });
        Reply {
            text: self.text.clone(),
            tool_calls: calls.collect(),
            thinking: self.thinking.clone(),
            thinking_summary: self.thinking_summary.clone(),
            stop_reason: self.stop_reason.clone(),
            usage: Usage {
                input_tokens: self.input_tokens.unwrap_or(match_text.len() as i64),
                output_tokens: self.output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS),
                cache_read_tokens: self.cache_read_tokens.unwrap_or(0),
                cache_write_tokens: self.cache_write_tokens.unwrap_or(0),
            },
            model: self.model.clone().unwrap_or_else(|| "mock".to_owned()),
            provider: self.provider.clone().unwrap_or_else(|| "mock".to_owned()),
            opaque: Vec::new(),
        }
    }

    fn has_cache_tokens(&self) -> bool {
        self.cache_read_tokens.is_some() || self.cache_write_tokens.is_some()
    }
}

impl Entry {
    /// As data that [`Entry::read`] reads.
    fn save(&self) -> Data {
        let text = |value: &Option<String>| value.clone().map_or(Data::Nil, Data::Str);
        let count = |value: Option<i64>| value.map_or(Data::Nil, Data::Int);
        let calls = self.tool_calls.iter().map(|(name, arguments)| {
            Data::dict([("name", Data::from(name.as_str())), ("arguments", arguments.clone())])
        });
        let failure = self.failure.as_ref().map_or(Data::Nil, |failure| {
            Data::dict([
                ("category", Data::from(failure.category.name())),
                ("message", failure.message.as_str().into()),
                ("retry_after_ms", count(failure.retry_after_ms)),
            ])
        });
        Data::dict([
            ("text", Data::from(self.text.as_str())),
            ("tool_calls", Data::List(calls.collect())),
            ("match", text(&self.pattern)),
            ("consume_match", Data::Bool(self.consume)),
            ("input_tokens", count(self.input_tokens)),
            ("output_tokens", count(self.output_tokens)),
            ("cache_read_tokens", count(self.cache_read_tokens)),
            ("cache_write_tokens", count(self.cache_write_tokens)),
            ("thinking", text(&self.thinking)),
            ("thinking_summary", text(&self.thinking_summary)),
            ("stop_reason", text(&self.stop_reason)),
            ("model", text(&self.model)),
            ("provider", text(&self.provider)),
            ("error", failure),
        ])
    }
}

impl Scope {
    fn save(&self) -> Data {
        Data::dict([
            ("entries", Data::List(self.entries.iter().map(Entry::save).collect())),
            ("calls", Data::List(self.calls.clone())),
            ("cached", Data::List(self.cached.iter().map(|key| Data::from(key.as_str())).collect())),
        ])
    }

    fn load(saved: &Data) -> Result<Scope, String> {
        let rows = |name: &str| saved.field(name).as_list().unwrap_or_default();
        Ok(Scope {
            entries: rows("entries").iter().map(Entry::read).collect::<Result<_, _>>()?,
            calls: rows("calls").to_vec(),
            cached: rows("cached").iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
        })
    }
}

impl Failure {
    fn read(error: &Data) -> Result<Option<Self>, String> {
        if error.is_nil() {
            return Ok(None);
        }
        if error.as_dict().is_none() {
            return Err("llm_mock: error must be a dict {category, message, retry_after_ms?}".to_owned());
        }
        let Some(name) = error.field("category").as_str() else {
            return Err("llm_mock: error.category is required".to_owned());
        };
        let category =
            Category::parse(name).ok_or_else(|| format!("llm_mock: unknown error category `{name}`"))?;
        let retry_after_ms = match error.field("retry_after_ms") {
            Data::Nil => None,
            Data::Int(ms) | Data::Duration(ms) if *ms >= 0 => Some(*ms),
            _ => return Err("llm_mock: error.retry_after_ms must be a non-negative int".to_owned()),
        };
        let message = error.field("message").as_str().unwrap_or_default().to_owned();
        Ok(Some(Failure { category, message, retry_after_ms }))
    }

    fn error(&self) -> ModelError {
        let error = ModelError::from_message(self.category, self.message.clone());
        let mut error = error.with_retry_after(self.retry_after_ms);
        if let Some(ms) = self.retry_after_ms {
            let seconds = ms as f64 / 1000.0;
            error.message.push_str(&format!("\nretry-after: {seconds}"));
        }
        error
    }
}

/// Output tokens of a reply that does not say.
const DEFAULT_OUTPUT_TOKENS: i64 = 30;

/// Output tokens of the default tool call.
const PLACEHOLDER_CALL_TOKENS: i64 = 20;

/// Characters of the prompt that the default reply and a missing fixture quote.
const QUOTED_REPLY: usize = 100;
const QUOTED_MISS: usize = 200;

/// What a scope holds.
#[derive(Clone, Debug, Default)]
struct Scope {
    entries: Vec<Entry>,
    calls: Vec<Data>,
    /// Prompts that the simulated cache has seen.
    cached: BTreeSet<String>,
}

/// The mock of one program.
#[derive(Clone, Debug, Default)]
pub struct Mock {
    here: Scope,
    outer: Vec<Scope>,
    /// Fixtures of the command line; a script cannot reach them.
    fixtures: Option<Vec<Entry>>,
    /// Replies of real providers, taken down or given again.
    tape: Option<SharedTape>,
}

impl Mock {
    /// Installs the command line's fixtures: from now on no request leaves the process.
    pub fn replay(&mut self, fixtures: Vec<Entry>) {
        self.fixtures = Some(fixtures);
    }

    /// Takes down what real providers reply, or gives what they replied.
    pub fn use_tape(&mut self, tape: SharedTape) {
        self.tape = Some(tape);
    }

    /// Takes down the reply of a real provider to what `request` makes, if anybody wants it.
    pub fn take_down(&self, request: impl FnOnce() -> ModelRequest, reply: &Reply) {
        if let Some(tape) = self.tape.as_ref().filter(|tape| !tape.borrow().replays()) {
            tape.borrow_mut().take(&request(), reply);
        }
    }

    /// All of it, for a snapshot of the program.
    pub fn save(&self) -> Data {
        let scopes = self.outer.iter().chain(std::iter::once(&self.here));
        let fixtures = self
            .fixtures
            .as_ref()
            .map_or(Data::Nil, |entries| Data::List(entries.iter().map(Entry::save).collect()));
        Data::dict([("scopes", Data::List(scopes.map(Scope::save).collect())), ("fixtures", fixtures)])
    }

    /// Takes back what [`Mock::save`] gave; the text says what cannot be understood.
    pub fn load(&mut self, saved: &Data) -> Result<(), String> {
        let scopes = saved.field("scopes").as_list().unwrap_or_default();
        self.outer = scopes.iter().map(Scope::load).collect::<Result<_, _>>()?;
        self.here = self.outer.pop().unwrap_or_default();
        if let Some(fixtures) = saved.field("fixtures").as_list() {
            self.fixtures = Some(fixtures.iter().map(Entry::read).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Scripts a reply (`llm_mock`).
    pub fn push(&mut self, entry: Entry) {
        self.here.entries.push(entry);
    }

    /// Whether something is scripted, so that real providers are not asked and the capability gates are off.
    pub fn is_active(&self) -> bool {
        self.fixtures.is_some() || !self.here.entries.is_empty()
    }

    /// Whether no real provider is asked, whoever answers instead.
    pub fn is_closed(&self) -> bool {
        self.is_active() || self.tape.as_ref().is_some_and(|tape| tape.borrow().replays())
    }

    /// Whether a request to this provider goes to the mock (spec 07 section 2.1).
    pub fn answers(&self, provider: &str) -> bool {
        provider == "mock" || self.is_closed()
    }

    /// `llm_mock_calls`.
    pub fn calls(&self) -> Data {
        Data::List(self.here.calls.clone())
    }

    /// Scripted replies of the queue that nothing asked for.
    pub fn leftover(&self) -> usize {
        self.here.entries.iter().filter(|entry| entry.pattern.is_none()).count()
    }

    /// `llm_mock_clear`: empties everything but the command line's fixtures.
    pub fn clear(&mut self) {
        self.here = Scope::default();
        self.outer.clear();
    }

    /// `llm_mock_push_scope`.
    pub fn push_scope(&mut self) {
        self.outer.push(std::mem::take(&mut self.here));
    }

    /// `llm_mock_pop_scope`.
    pub fn pop_scope(&mut self) -> Result<(), String> {
        self.here = self.outer.pop().ok_or("llm_mock_pop_scope: no scope to pop")?;
        Ok(())
    }

    /// Answers a request and writes it down.
    pub fn ask(&mut self, request: &ModelRequest) -> Result<Reply, ModelError> {
        self.here.calls.push(recorded(request));
        let match_text = match_text(&request.messages);
        let fixture = self.fixtures.as_mut().and_then(|entries| select(entries, &match_text));
        let entry = fixture.or_else(|| select(&mut self.here.entries, &match_text));
        let Some(entry) = entry else {
            if self.fixtures.is_some() {
                let shown: String = match_text.chars().take(QUOTED_MISS).collect();
                let message = format!("No --llm-mock fixture matched prompt: \"{shown}\"");
                return Err(ModelError::new(Category::Generic, Reason::Unknown, false, message));
            }
            let tape = self.tape.as_ref().filter(|_| request.provider != "mock");
            if let Some(tape) = tape.filter(|tape| tape.borrow().replays()) {
                return tape.borrow_mut().give(request);
            }
            let mut reply = default_reply(request);
            self.simulate_cache(request, &mut reply);
            return Ok(reply);
        };
        if let Some(failure) = &entry.failure {
            return Err(failure.error());
        }
        let mut reply = entry.reply(&match_text);
        if !entry.has_cache_tokens() {
            self.simulate_cache(request, &mut reply);
        }
        Ok(reply)
    }

    fn simulate_cache(&mut self, request: &ModelRequest, reply: &mut Reply) {
        if !request.cache {
            return;
        }
        let key = Data::List(vec![
            request.model.clone().into(),
            request.system.clone().into(),
            Data::List(request.messages.clone()),
        ]);
        let first = self.here.cached.insert(key.to_json().to_string());
        if first {
            reply.usage.cache_write_tokens = reply.usage.input_tokens;
        } else {
            reply.usage.cache_read_tokens = reply.usage.input_tokens;
        }
    }
}

/// The first entry of the queue, removed; else the first pattern that fits, removed when it is to be consumed.
fn select(entries: &mut Vec<Entry>, match_text: &str) -> Option<Entry> {
    if let Some(at) = entries.iter().position(|entry| entry.pattern.is_none()) {
        return Some(entries.remove(at));
    }
    let fits = |entry: &Entry| entry.pattern.as_deref().is_some_and(|pattern| glob(pattern, match_text));
    let at = entries.iter().position(fits)?;
    if entries.get(at).is_some_and(|entry| entry.consume) {
        return Some(entries.remove(at));
    }
    entries.get(at).cloned()
}

/// `*` matches any run; without one the texts must be equal (spec 07 section 2.3).
pub fn glob(pattern: &str, text: &str) -> bool {
    let segments: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = segments.as_slice() else { return pattern == text };
    let Some(rest) = text.strip_prefix(first) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for segment in middle {
        match rest.find(segment) {
            Some(at) => rest = rest.get(at + segment.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// Every non-empty string of the messages, joined by line breaks.
pub fn match_text(messages: &[Data]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    messages.iter().for_each(|message| strings(message, &mut |text| parts.push(text)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The text of the last message that has any.
pub fn prompt_text(messages: &[Data]) -> String {
    let mut texts = messages.iter().rev().map(|message| text_of(message.field("content")));
    texts.find(|text| !text.trim().is_empty()).unwrap_or_default()
}

fn default_reply(request: &ModelRequest) -> Reply {
    let prompt = prompt_text(&request.messages);
    let mut reply = Reply {
        model: request.model.clone(),
        provider: "mock".to_owned(),
        usage: Usage {
            input_tokens: prompt.len() as i64,
            output_tokens: DEFAULT_OUTPUT_TOKENS,
            ..Usage::default()
        },
        ..Reply::default()
    };
    if let Some(tool) = request.tools.first() {
        reply.usage.output_tokens = PLACEHOLDER_CALL_TOKENS;
        reply.tool_calls.push(ToolCall {
            id: "mock_call_1".to_owned(),
            name: tool.name.clone(),
            arguments: tool.placeholders(),
        });
        return reply;
    }
    let text = match prompt.split_whitespace().count() {
        0 => "Mock LLM response".to_owned(),
        words => {
            let shown: String = prompt.chars().take(QUOTED_REPLY).collect();
            format!("Mock response to {words}-word prompt: {shown}")
        }
    };
    let is_agent = request.system.as_deref().is_some_and(|system| system.contains("<done>"));
    reply.text = if is_agent {
        format!("<assistant_prose>{text}</assistant_prose>\n<done>##DONE##</done>")
    } else {
        text
    };
    reply
}

/// A request as `llm_mock_calls` shows it.
fn recorded(request: &ModelRequest) -> Data {
    let tools = if request.tools.is_empty() {
        Data::Nil
    } else {
        Data::List(request.tools.iter().map(crate::tools::ToolSpec::to_data).collect())
    };
    Data::dict([
        ("messages", Data::List(request.messages.clone())),
        ("system", request.system.clone().into()),
        ("tools", tools),
        ("thinking", request.thinking.to_data()),
        ("model", request.model.clone().into()),
        ("provider", request.provider.clone().into()),
        ("temperature", request.sampling.temperature.into()),
        ("tool_choice", request.tool_choice.clone()),
        ("output_format", request.output.name().into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::message;
    use serde_json::json;

    fn entry(json: serde_json::Value) -> Entry {
        Entry::read(&Data::from_json(&json)).unwrap()
    }

    fn asking(text: &str) -> ModelRequest {
        ModelRequest {
            provider: "mock".into(),
            model: "m".into(),
            messages: vec![message("user", text)],
            ..ModelRequest::default()
        }
    }

    #[test]
    fn globs_anchor_unless_they_begin_or_end_with_a_star() {
        let cases = [
            ("*ship*", "please ship it", true),
            ("ship*", "please ship it", false),
            ("please*it", "please ship it", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*a", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn the_queue_wins_over_patterns() {
        let mut mock = Mock::default();
        mock.push(entry(json!({"text": "pattern", "match": "*"})));
        mock.push(entry(json!({"text": "queue"})));
        assert_eq!(mock.ask(&asking("x")).unwrap().text, "queue");
        assert_eq!(mock.ask(&asking("x")).unwrap().text, "pattern");
        assert_eq!(mock.ask(&asking("x")).unwrap().text, "pattern");
    }

    #[test]
    fn the_match_text_is_content_then_role() {
        assert_eq!(match_text(&[message("user", "hi"), message("assistant", "")]), "hi\nuser\nassistant");
    }

    #[test]
    fn clear_keeps_the_fixtures_of_the_command_line() {
        let mut mock = Mock::default();
        mock.replay(Vec::new());
        mock.clear();
        assert!(mock.answers("anthropic"));
        let error = mock.ask(&asking("hello")).unwrap_err();
        assert!(
            error.message.starts_with("No --llm-mock fixture matched prompt: \"hello"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_scripted_failure_carries_its_hint() {
        let mut mock = Mock::default();
        mock.push(entry(
            json!({"error": {"category": "rate_limit", "message": "slow", "retry_after_ms": 2500}}),
        ));
        let error = mock.ask(&asking("x")).unwrap_err();
        assert_eq!(error.message, "slow\nretry-after: 2.5");
        assert_eq!((error.retry_after_ms, error.transient), (Some(2500), true));
    }

    #[test]
    fn wrong_entries_are_refused() {
        let refused = |json: serde_json::Value| Entry::read(&Data::from_json(&json)).unwrap_err();
        insta::assert_snapshot!(refused(json!(1)), @"llm_mock: expected a dict argument");
        insta::assert_snapshot!(refused(json!({"error": {}})), @"llm_mock: error.category is required");
        insta::assert_snapshot!(refused(json!({"error": {"category": "flaky"}})), @"llm_mock: unknown error category `flaky`");
        insta::assert_snapshot!(refused(json!({"error": "x"})), @"llm_mock: error must be a dict {category, message, retry_after_ms?}");
        insta::assert_snapshot!(refused(json!({"error": {"category": "auth", "retry_after_ms": -1}})), @"llm_mock: error.retry_after_ms must be a non-negative int");
    }

    #[test]
    fn an_agent_prompt_gets_a_finished_turn() {
        let mut request = asking("do it");
        request.system = Some("end with <done>##DONE##</done>".into());
        let reply = Mock::default().ask(&request).unwrap();
        assert_eq!(
            reply.text,
            "<assistant_prose>Mock response to 2-word prompt: do it</assistant_prose>\n<done>##DONE##</done>"
        );
    }
}
