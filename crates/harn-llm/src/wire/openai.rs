//! OpenAI-compatible Chat Completions (spec 07 section 15.3; <https://platform.openai.com/docs/api-reference/chat>).

use std::collections::BTreeMap;

use harn_effect::Data;
use serde_json::{Map, Value as Json, json};

use super::{Fault, Taken, answered_call, calls_of, count, text};
use crate::capability;
use crate::error::ProviderFault;
use crate::reply::{Reply, ToolCall, Usage, split_think};
use crate::request::{ModelRequest, OutputFormat};
use crate::schema;
use crate::thinking::{Level, Thinking};

/// Providers whose own servers reject parameters beyond OpenAI's.
const NO_TOP_K: &[&str] = &["openai", "huggingface", "local", "openrouter"];

/// Servers that take the switch of a chat template.
const CHAT_TEMPLATES: &[&str] = &["local", "vllm", "tgi", "mlx", "dashscope"];

/// The body of a request.
pub fn encode(request: &ModelRequest) -> Json {
    let can = capability::lookup(&request.provider, &request.model);
    let mut messages = Vec::new();
    if let Some(system) = &request.system {
        messages.push(json!({"role": "system", "content": system}));
    }
    request.messages.iter().for_each(|message| encode_message(message, &mut messages));
    // OpenAI's own models do not go on from a prefilled message; compatible servers do.
    if let Some(prefill) = request.prefill.as_deref().filter(|_| request.provider != "openai") {
        messages.push(json!({"role": "assistant", "content": prefill}));
    }
    let mut body = Map::new();
    let mut put = |key: &str, value: Json| {
        body.insert(key.to_owned(), value);
    };
    put("model", json!(request.model));
    put("messages", Json::Array(messages));
    if request.max_tokens > 0 {
        let key = if can.requires_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        put(key, json!(request.max_tokens));
    }
    let sampling = &request.sampling;
    sampling.temperature.into_iter().for_each(|x| put("temperature", json!(x)));
    sampling.top_p.into_iter().for_each(|x| put("top_p", json!(x)));
    if !NO_TOP_K.contains(&request.provider.as_str()) {
        sampling.top_k.into_iter().for_each(|n| put("top_k", json!(n)));
    }
    sampling.frequency_penalty.into_iter().for_each(|x| put("frequency_penalty", json!(x)));
    sampling.presence_penalty.into_iter().for_each(|x| put("presence_penalty", json!(x)));
    sampling.seed.into_iter().for_each(|n| put("seed", json!(n)));
    if !sampling.stop.is_empty() {
        put("stop", json!(sampling.stop));
    }
    if !request.tools.is_empty() {
        put("tools", Json::Array(request.tools.iter().map(|tool| tool.to_openai().to_json()).collect()));
        match &request.tool_choice {
            Data::Nil => {}
            Data::Str(word) if word == "any" => put("tool_choice", json!("required")),
            choice => put("tool_choice", choice.to_json()),
        }
    }
    if let Some(format) = response_format(&request.output) {
        put("response_format", format);
    }
    if let Some((key, value)) = reasoning(request) {
        put(key, value);
    }
    put("stream", json!(request.stream));
    if request.stream {
        put("stream_options", json!({"include_usage": true}));
    }
    Json::Object(body)
}

fn response_format(output: &OutputFormat) -> Option<Json> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::JsonObject => Some(json!({"type": "json_object"})),
        OutputFormat::JsonSchema { schema, strict } => {
            let plain = schema::to_json_schema(schema);
            let closed = schema::closed(&plain);
            // Strict mode refuses schemas with optional properties, so it is asked for only where it can hold.
            let strict = *strict && schema::fits_strict_mode(&closed);
            let schema = if strict { closed } else { plain };
            Some(json!({
                "type": "json_schema",
                "json_schema": {"name": "response", "schema": schema.to_json(), "strict": strict},
            }))
        }
    }
}

fn reasoning(request: &ModelRequest) -> Option<(&'static str, Json)> {
    let provider = request.provider.as_str();
    if provider == "openrouter" {
        let value = match request.thinking {
            Thinking::Disabled => return None,
            Thinking::Enabled { budget_tokens: Some(n) } => json!({"max_tokens": n}),
            Thinking::Enabled { .. } | Thinking::Adaptive => json!({"enabled": true}),
            Thinking::Effort(level) => json!({"effort": level.name()}),
        };
        return Some(("reasoning", value));
    }
    match request.thinking {
        Thinking::Disabled => None,
        Thinking::Effort(level) => Some(("reasoning_effort", json!(level.name()))),
        _ if CHAT_TEMPLATES.contains(&provider) => {
            Some(("chat_template_kwargs", json!({"enable_thinking": true})))
        }
        _ => Some(("reasoning_effort", json!(Level::Medium.name()))),
    }
}

fn encode_message(message: &Data, out: &mut Vec<Json>) {
    match message.field("role").as_str().unwrap_or("user") {
        "tool" => out.push(json!({
            "role": "tool",
            "tool_call_id": answered_call(message),
            "content": tool_content(message.field("content")),
        })),
        "assistant" => {
            let mut calls = calls_of(message);
            let (content, uses) = split_tool_uses(message.field("content"));
            calls.extend(uses);
            let mut encoded = Map::new();
            encoded.insert("role".to_owned(), json!("assistant"));
            let empty = content.as_str().is_some_and(str::is_empty);
            if !empty || calls.is_empty() {
                encoded.insert("content".to_owned(), content);
            }
            if !calls.is_empty() {
                let calls = calls.into_iter().map(|(id, name, arguments)| {
                    let arguments = arguments.to_json().to_string();
                    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
                });
                encoded.insert("tool_calls".to_owned(), Json::Array(calls.collect()));
            }
            out.push(Json::Object(encoded));
        }
        role => {
            let blocks = message.field("content").as_list().unwrap_or_default();
            let is_result = |block: &&Data| block.field("type").as_str() == Some("tool_result");
            out.extend(blocks.iter().filter(is_result).map(|block| {
                json!({
                    "role": "tool",
                    "tool_call_id": block.field("tool_use_id").to_json(),
                    "content": tool_content(block.field("content")),
                })
            }));
            let rest: Vec<Data> = blocks.iter().filter(|block| !is_result(block)).cloned().collect();
            if blocks.is_empty() {
                out.push(json!({"role": role, "content": content(message.field("content"))}));
            } else if !rest.is_empty() {
                out.push(json!({"role": role, "content": content(&Data::List(rest))}));
            }
        }
    }
}

/// The content of an assistant message without Anthropic's `tool_use` and thinking blocks, and those uses.
fn split_tool_uses(given: &Data) -> (Json, Vec<(String, String, Data)>) {
    let Data::List(blocks) = given else { return (content(given), Vec::new()) };
    let mut rest = Vec::new();
    let mut uses = Vec::new();
    for block in blocks {
        match block.field("type").as_str() {
            Some("tool_use") => uses.push((
                block.field("id").as_str().unwrap_or_default().to_owned(),
                block.field("name").as_str().unwrap_or_default().to_owned(),
                block.field("input").clone(),
            )),
            Some("thinking" | "redacted_thinking" | "reasoning") => {}
            _ => rest.push(block.clone()),
        }
    }
    let content = if rest.is_empty() { json!("") } else { content(&Data::List(rest)) };
    (content, uses)
}

fn tool_content(given: &Data) -> Json {
    match given {
        Data::List(_) => json!(crate::content::text_of(given)),
        other => content(other),
    }
}

/// Content in OpenAI's parts; what we do not know passes untouched.
fn content(content: &Data) -> Json {
    match content {
        Data::List(blocks) => Json::Array(blocks.iter().map(part).collect()),
        Data::Str(text) => json!(text),
        Data::Nil => json!(""),
        other => json!(other.to_json().to_string()),
    }
}

fn part(block: &Data) -> Json {
    match block.field("type").as_str() {
        Some("image") => {
            let url = match (block.field("base64").as_str(), block.field("media_type").as_str()) {
                (Some(data), Some(media_type)) => json!(format!("data:{media_type};base64,{data}")),
                _ => block.field("url").to_json(),
            };
            let mut image = Map::from_iter([("url".to_owned(), url)]);
            if let Some(detail) = block.field("detail").as_str() {
                image.insert("detail".to_owned(), json!(detail));
            }
            json!({"type": "image_url", "image_url": image})
        }
        Some("text") => json!({"type": "text", "text": block.field("text").to_json()}),
        _ => block.to_json(),
    }
}

fn usage(json: &Json) -> Usage {
    let cached = json.get("prompt_tokens_details").map_or(0, |details| count(details, "cached_tokens"));
    Usage {
        input_tokens: count(json, "prompt_tokens"),
        output_tokens: count(json, "completion_tokens"),
        cache_read_tokens: cached,
        cache_write_tokens: 0,
    }
}

/// The reasoning of a message or delta, under either name.
fn reasoning_of(json: &Json) -> Option<&str> {
    text(json, "reasoning").or(text(json, "reasoning_content")).filter(|text| !text.is_empty())
}

/// A whole reply.
pub fn decode(json: &Json) -> Result<Reply, String> {
    let choice = json.get("choices").and_then(|choices| choices.get(0)).ok_or("it has no `choices`")?;
    let message = choice.get("message").ok_or("its first choice has no `message`")?;
    let calls = message.get("tool_calls").and_then(Json::as_array);
    let tool_calls = calls.into_iter().flatten().enumerate().map(|(index, call)| {
        let function = call.get("function").unwrap_or(&Json::Null);
        ToolCall {
            id: call_id(text(call, "id").unwrap_or_default(), index),
            name: text(function, "name").unwrap_or_default().to_owned(),
            arguments: match function.get("arguments") {
                Some(Json::String(raw)) => ToolCall::parse_arguments(raw),
                Some(arguments @ Json::Object(_)) => Data::from_json(arguments),
                _ => Data::Dict(BTreeMap::new()),
            },
        }
    });
    let content = text(message, "content").unwrap_or_default();
    let content = if content.is_empty() { text(message, "refusal").unwrap_or_default() } else { content };
    Ok(assemble(Reply {
        text: content.to_owned(),
        tool_calls: tool_calls.collect(),
        thinking: reasoning_of(message).map(str::to_owned),
        stop_reason: text(choice, "finish_reason").map(str::to_owned),
        usage: usage(json.get("usage").unwrap_or(&Json::Null)),
        model: text(json, "model").unwrap_or_default().to_owned(),
        ..Reply::default()
    }))
}

/// Some servers leave the id out; results need one to answer.
fn call_id(id: &str, index: usize) -> String {
    if id.is_empty() { format!("call_{}", index + 1) } else { id.to_owned() }
}

/// Moves `<think>` pieces out of the text; a reply that only reasons is also its text.
fn assemble(mut reply: Reply) -> Reply {
    let (public, inside) = split_think(&reply.text);
    reply.text = public;
    if let Some(inside) = inside {
        let thinking = reply.thinking.get_or_insert_default();
        if !thinking.is_empty() {
            thinking.push('\n');
        }
        thinking.push_str(&inside);
    }
    if reply.text.is_empty()
        && reply.tool_calls.is_empty()
        && let Some(thinking) = &reply.thinking
    {
        reply.text = thinking.clone();
    }
    reply
}

/// A reply in the making.
#[derive(Default)]
pub struct Stream {
    reply: Reply,
    /// Tool calls by index: id, name, the JSON text of the arguments.
    calls: BTreeMap<i64, (String, String, String)>,
    done: bool,
}

impl Stream {
    /// Takes the end marker.
    pub(super) fn done(&mut self) {
        self.done = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.done
    }

    /// A finish reason is enough: not every compatible server sends the end marker.
    pub(super) fn is_complete(&self) -> bool {
        self.done || self.reply.stop_reason.is_some()
    }

    pub(super) fn take(&mut self, chunk: &Json, on_text: &mut dyn FnMut(&str)) -> Taken {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Provider(ProviderFault::read(chunk)));
        }
        if self.reply.model.is_empty() {
            self.reply.model = text(chunk, "model").unwrap_or_default().to_owned();
        }
        if let Some(counted) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.reply.usage = usage(counted);
        }
        let Some(choice) = chunk.get("choices").and_then(|choices| choices.get(0)) else { return Ok(()) };
        if let Some(reason) = text(choice, "finish_reason") {
            self.reply.stop_reason = Some(reason.to_owned());
        }
        let Some(delta) = choice.get("delta") else { return Ok(()) };
        if let Some(more) = text(delta, "content").or(text(delta, "refusal")).filter(|more| !more.is_empty())
        {
            self.reply.text.push_str(more);
            on_text(more);
        }
        if let Some(more) = reasoning_of(delta) {
            self.reply.thinking.get_or_insert_default().push_str(more);
        }
        for (position, call) in
            delta.get("tool_calls").and_then(Json::as_array).into_iter().flatten().enumerate()
        {
            let index = call.get("index").and_then(Json::as_i64).unwrap_or(position as i64);
            let (id, name, arguments) = self.calls.entry(index).or_default();
            let function = call.get("function").unwrap_or(&Json::Null);
            if let Some(given) = text(call, "id").filter(|_| id.is_empty()) {
                id.push_str(given);
            }
            name.push_str(text(function, "name").unwrap_or_default());
            arguments.push_str(text(function, "arguments").unwrap_or_default());
        }
        Ok(())
    }

    pub(super) fn reply(self) -> Reply {
        let mut reply = self.reply;
        let calls = self.calls.into_values().enumerate();
        reply.tool_calls = calls
            .map(|(index, (id, name, arguments))| ToolCall {
                id: call_id(&id, index),
                name,
                arguments: ToolCall::parse_arguments(&arguments),
            })
            .collect();
        assemble(reply)
    }
}
