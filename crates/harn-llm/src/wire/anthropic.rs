//! Anthropic Messages (spec 07 section 15.2; <https://docs.anthropic.com/en/api/messages>).

use std::collections::BTreeMap;

use harn_effect::Data;
use serde_json::{Map, Value as Json, json};

use super::{Fault, Taken, answered_call, calls_of, count, text};
use crate::capability;
use crate::content::text_of;
use crate::error::ProviderFault;
use crate::reply::{Reply, ToolCall, Usage};
use crate::request::{ModelRequest, OutputFormat};
use crate::schema;
use crate::thinking::Thinking;

/// The tool whose arguments are the answer when JSON is asked for.
pub const JSON_TOOL: &str = "json_response";

/// The member that holds an answer whose schema is not an object (a tool's input must be one).
pub const JSON_TOOL_VALUE: &str = "value";

/// The beta that lets a model think between tool calls.
const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";

/// Output limit when none or a wrong one is given.
const DEFAULT_MAX_TOKENS: i64 = 8192;

/// Thinking budget when none is given.
const DEFAULT_THINKING_BUDGET: i64 = 10_000;

/// The body of a request; beta features go to `headers`.
pub fn encode(request: &ModelRequest, headers: &mut BTreeMap<String, String>) -> Json {
    let can = capability::lookup("anthropic", &request.model);
    let mut system: Vec<String> = request.system.iter().cloned().collect();
    let mut messages = Vec::new();
    for message in &request.messages {
        encode_message(message, &mut messages, &mut system);
    }
    if let Some(prefill) = request.prefill.as_deref().filter(|_| !can.no_prefill) {
        messages.push(json!({"role": "assistant", "content": prefill.trim_end()}));
    }
    let max_tokens = if request.max_tokens <= 0 { DEFAULT_MAX_TOKENS } else { request.max_tokens };
    let mut body = Map::new();
    let mut put = |key: &str, value: Json| {
        body.insert(key.to_owned(), value);
    };
    put("model", json!(request.model));
    put("messages", Json::Array(messages));
    put("max_tokens", json!(max_tokens));
    if !system.is_empty() {
        put("system", json!(system.join("\n\n")));
    }
    let thinking = thinking(request, can.thinking_modes.contains(&"adaptive"));
    // Models that think refuse a temperature, and the newest refuse all sampling.
    if !can.no_sampling {
        let sampling = &request.sampling;
        if thinking.is_none() {
            sampling.temperature.into_iter().for_each(|x| put("temperature", json!(x)));
            sampling.top_k.into_iter().for_each(|n| put("top_k", json!(n)));
        }
        sampling.top_p.into_iter().for_each(|x| put("top_p", json!(x)));
    }
    if !request.sampling.stop.is_empty() {
        put("stop_sequences", json!(request.sampling.stop));
    }
    let mut tools: Vec<Json> = request.tools.iter().map(|tool| tool.to_anthropic().to_json()).collect();
    let mut choice = tool_choice(&request.tool_choice);
    if let Some(schema) = answer_schema(&request.output) {
        tools.push(json!({
            "name": JSON_TOOL,
            "description": "Gives the final answer as JSON.",
            "input_schema": schema,
        }));
        // A model that thinks may not be forced to a tool.
        choice = Some(match thinking {
            None => json!({"type": "tool", "name": JSON_TOOL}),
            Some(_) => json!({"type": "auto"}),
        });
    }
    if !tools.is_empty() {
        put("tools", Json::Array(tools));
        choice.into_iter().for_each(|choice| put("tool_choice", choice));
    }
    if request.cache {
        put("cache_control", json!({"type": "ephemeral"}));
    }
    let thinks = thinking.is_some();
    if let Thinking::Effort(level) = request.thinking
        && can.thinking_modes.contains(&"adaptive")
    {
        put("output_config", json!({"effort": level.name()}));
    }
    thinking.into_iter().for_each(|thinking| put("thinking", thinking));
    put("stream", json!(request.stream));

    let mut betas = request.beta_features.clone();
    if thinks && can.interleaved_thinking && !betas.iter().any(|name| name == INTERLEAVED) {
        betas.push(INTERLEAVED.to_owned());
    }
    if !betas.is_empty() {
        headers.insert("anthropic-beta".to_owned(), betas.join(","));
    }
    Json::Object(body)
}

fn thinking(request: &ModelRequest, adaptive: bool) -> Option<Json> {
    match request.thinking {
        Thinking::Disabled => None,
        Thinking::Enabled { budget_tokens } if !adaptive => Some(json!({
            "type": "enabled",
            "budget_tokens": budget_tokens.unwrap_or(DEFAULT_THINKING_BUDGET),
        })),
        _ => Some(json!({"type": "adaptive"})),
    }
}

/// A thinking budget that does not fit into the reply, found before anything is sent.
pub fn budget_conflict(request: &ModelRequest) -> Option<String> {
    let Thinking::Enabled { budget_tokens } = request.thinking else { return None };
    let budget = budget_tokens.unwrap_or(DEFAULT_THINKING_BUDGET);
    let adaptive = capability::lookup("anthropic", &request.model).thinking_modes.contains(&"adaptive");
    let limit = if request.max_tokens <= 0 { DEFAULT_MAX_TOKENS } else { request.max_tokens };
    (!adaptive && budget >= limit).then(|| {
        format!("thinking.budget_tokens ({budget}) must be less than max_tokens ({limit}) on provider \"anthropic\"")
    })
}

fn tool_choice(choice: &Data) -> Option<Json> {
    match choice {
        Data::Nil => None,
        Data::Str(word) if word == "required" => Some(json!({"type": "any"})),
        Data::Str(word) => Some(json!({"type": word})),
        other => Some(other.to_json()),
    }
}

/// The input schema of the answer tool.
fn answer_schema(output: &OutputFormat) -> Option<Json> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::JsonObject => Some(json!({"type": "object"})),
        OutputFormat::JsonSchema { schema, .. } => {
            let schema = schema::to_json_schema(schema);
            if schema.field("type").as_str() == Some("object") {
                return Some(schema.to_json());
            }
            Some(json!({
                "type": "object",
                "properties": {JSON_TOOL_VALUE: schema.to_json()},
                "required": [JSON_TOOL_VALUE],
            }))
        }
    }
}

/// Turns a call of the answer tool into text, so that the answer reads alike for every provider.
pub fn lift_answer(output: &OutputFormat, reply: &mut Reply) {
    if *output == OutputFormat::Text {
        return;
    }
    let Some(at) = reply.tool_calls.iter().position(|call| call.name == JSON_TOOL) else { return };
    let call = reply.tool_calls.remove(at);
    let wrapped = match output {
        OutputFormat::JsonSchema { schema, .. } => {
            schema::to_json_schema(schema).field("type").as_str() != Some("object")
        }
        _ => false,
    };
    let answer = if wrapped { call.arguments.field(JSON_TOOL_VALUE) } else { &call.arguments };
    if answer.field("__parse_error").is_nil() {
        reply.text = answer.to_json().to_string();
    }
}

fn encode_message(message: &Data, out: &mut Vec<Json>, system: &mut Vec<String>) {
    match message.field("role").as_str().unwrap_or("user") {
        "system" | "developer" => system.push(text_of(message.field("content"))),
        "tool" => {
            let block = json!({
                "type": "tool_result",
                "tool_use_id": answered_call(message),
                "content": content(message.field("content")),
            });
            push_results(out, vec![block]);
        }
        "assistant" => {
            let opaque = message.field("provider_blocks").as_list().unwrap_or_default();
            let calls = calls_of(message);
            if opaque.is_empty() && calls.is_empty() {
                out.push(json!({"role": "assistant", "content": content(message.field("content"))}));
                return;
            }
            let mut blocks: Vec<Json> = opaque.iter().map(Data::to_json).collect();
            match content(message.field("content")) {
                Json::String(text) if text.trim().is_empty() => {}
                Json::String(text) => blocks.push(json!({"type": "text", "text": text})),
                Json::Array(more) => blocks.extend(more),
                _ => {}
            }
            blocks.extend(calls.into_iter().map(|(id, name, arguments)| {
                json!({"type": "tool_use", "id": id, "name": name, "input": arguments.to_json()})
            }));
            out.push(json!({"role": "assistant", "content": blocks}));
        }
        _ => match content(message.field("content")) {
            Json::Array(blocks) if blocks.iter().all(|block| text(block, "type") == Some("tool_result")) => {
                push_results(out, blocks);
            }
            content => out.push(json!({"role": "user", "content": content})),
        },
    }
}

/// Adds tool results to the user message that already holds the results of the same turn, or starts one.
fn push_results(out: &mut Vec<Json>, blocks: Vec<Json>) {
    if let Some(last) = out.last_mut()
        && text(last, "role") == Some("user")
        && let Some(Json::Array(present)) = last.get_mut("content")
        && present.iter().all(|block| text(block, "type") == Some("tool_result"))
    {
        present.extend(blocks);
        return;
    }
    out.push(json!({"role": "user", "content": blocks}));
}

/// Content in Anthropic's blocks; what we do not know passes untouched.
fn content(content: &Data) -> Json {
    match content {
        Data::List(blocks) => Json::Array(blocks.iter().map(block).collect()),
        Data::Str(text) => json!(text),
        Data::Nil => json!(""),
        other => json!(other.to_json().to_string()),
    }
}

fn block(block: &Data) -> Json {
    match block.field("type").as_str() {
        Some("image") => {
            let source = match block.field("base64").as_str() {
                Some(data) => {
                    json!({"type": "base64", "media_type": block.field("media_type").to_json(), "data": data})
                }
                None => json!({"type": "url", "url": block.field("url").to_json()}),
            };
            json!({"type": "image", "source": source})
        }
        Some("text") => json!({"type": "text", "text": block.field("text").to_json()}),
        _ => block.to_json(),
    }
}

fn usage(json: &Json, usage: &mut Usage) {
    // Later events repeat the counters; absent ones keep what came before.
    let read = |key: &str, target: &mut i64| {
        if let Some(n) = json.get(key).and_then(Json::as_i64) {
            *target = n;
        }
    };
    read("input_tokens", &mut usage.input_tokens);
    read("output_tokens", &mut usage.output_tokens);
    read("cache_read_input_tokens", &mut usage.cache_read_tokens);
    read("cache_creation_input_tokens", &mut usage.cache_write_tokens);
}

/// Adds one finished content block to the reply.
fn add_block(block: &Json, reply: &mut Reply) {
    match text(block, "type") {
        Some("text") => reply.text.push_str(text(block, "text").unwrap_or_default()),
        Some("thinking") => {
            reply.thinking.get_or_insert_default().push_str(text(block, "thinking").unwrap_or_default());
            reply.opaque.push(Data::from_json(block));
        }
        Some("tool_use") => reply.tool_calls.push(ToolCall {
            id: text(block, "id").unwrap_or_default().to_owned(),
            name: text(block, "name").unwrap_or_default().to_owned(),
            arguments: match block.get("input") {
                Some(Json::String(raw)) => ToolCall::parse_arguments(raw),
                Some(input) => Data::from_json(input),
                None => Data::Dict(BTreeMap::new()),
            },
        }),
        Some(_) => reply.opaque.push(Data::from_json(block)),
        None => {}
    }
}

/// A whole reply.
pub fn decode(json: &Json) -> Result<Reply, String> {
    let blocks = json.get("content").and_then(Json::as_array).ok_or("it has no `content`")?;
    let mut reply = Reply {
        model: text(json, "model").unwrap_or_default().to_owned(),
        stop_reason: text(json, "stop_reason").map(str::to_owned),
        ..Reply::default()
    };
    blocks.iter().for_each(|block| add_block(block, &mut reply));
    usage(json.get("usage").unwrap_or(&Json::Null), &mut reply.usage);
    Ok(reply)
}

/// A reply in the making.
#[derive(Default)]
pub struct Stream {
    reply: Reply,
    /// Content blocks by index, with the JSON text of their input.
    blocks: BTreeMap<i64, (Json, String)>,
    complete: bool,
}

impl Stream {
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn take(&mut self, event: &Json, on_text: &mut dyn FnMut(&str)) -> Taken {
        match text(event, "type").unwrap_or_default() {
            "message_start" => {
                let message = event.get("message").unwrap_or(&Json::Null);
                self.reply.model = text(message, "model").unwrap_or_default().to_owned();
                usage(message.get("usage").unwrap_or(&Json::Null), &mut self.reply.usage);
            }
            "content_block_start" => {
                let block = event.get("content_block").cloned().unwrap_or_default();
                if let Some(start) = text(&block, "text").filter(|text| !text.is_empty()) {
                    on_text(start);
                }
                self.blocks.insert(count(event, "index"), (block, String::new()));
            }
            "content_block_delta" => {
                let delta = event.get("delta").unwrap_or(&Json::Null);
                let Some((block, input)) = self.blocks.get_mut(&count(event, "index")) else {
                    return Err(Fault::Malformed(
                        "a delta for a content block that was not started".to_owned(),
                    ));
                };
                match text(delta, "type").unwrap_or_default() {
                    "text_delta" => {
                        let more = text(delta, "text").unwrap_or_default();
                        append(block, "text", more);
                        on_text(more);
                    }
                    "thinking_delta" => {
                        append(block, "thinking", text(delta, "thinking").unwrap_or_default())
                    }
                    "signature_delta" => {
                        append(block, "signature", text(delta, "signature").unwrap_or_default())
                    }
                    "input_json_delta" => input.push_str(text(delta, "partial_json").unwrap_or_default()),
                    _ => {}
                }
            }
            "message_delta" => {
                let delta = event.get("delta").unwrap_or(&Json::Null);
                if let Some(reason) = text(delta, "stop_reason") {
                    self.reply.stop_reason = Some(reason.to_owned());
                }
                usage(event.get("usage").unwrap_or(&Json::Null), &mut self.reply.usage);
            }
            "message_stop" => self.complete = true,
            "error" => return Err(Fault::Provider(ProviderFault::read(event))),
            // `ping`, `content_block_stop` and events of later versions carry nothing we need.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn reply(self) -> Reply {
        let mut reply = self.reply;
        for (mut block, input) in self.blocks.into_values() {
            if !input.is_empty()
                && let Json::Object(fields) = &mut block
            {
                let parsed = match text(&Json::Object(fields.clone()), "type") {
                    Some("tool_use") => ToolCall::parse_arguments(&input).to_json(),
                    _ => serde_json::from_str(&input).unwrap_or(Json::Null),
                };
                fields.insert("input".to_owned(), parsed);
            }
            add_block(&block, &mut reply);
        }
        reply
    }
}

/// Appends to a text member of a block.
fn append(block: &mut Json, key: &str, more: &str) {
    let Json::Object(fields) = block else { return };
    match fields.get_mut(key) {
        Some(Json::String(text)) => text.push_str(more),
        _ => {
            fields.insert(key.to_owned(), json!(more));
        }
    }
}
