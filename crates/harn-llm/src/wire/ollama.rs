//! Ollama's chat (spec 07 section 15.4; <https://github.com/ollama/ollama/blob/main/docs/api.md>).

use std::collections::BTreeMap;

use harn_effect::Data;
use serde_json::{Map, Value as Json, json};

use super::{Fault, HttpPlan, Taken, answered_call, calls_of, count, text};
use crate::catalog::Provider;
use crate::content::text_of;
use crate::error::ProviderFault;
use crate::reply::{Reply, ToolCall, Usage, split_think};
use crate::request::{ModelRequest, OutputFormat};
use crate::schema;

/// The body of a request.
pub fn encode(request: &ModelRequest) -> Json {
    let mut messages = Vec::new();
    // Results name the tool, not the call: names of the calls made so far, by id.
    let mut names = BTreeMap::new();
    if let Some(system) = &request.system {
        messages.push(json!({"role": "system", "content": system}));
    }
    request.messages.iter().for_each(|message| encode_message(message, &mut messages, &mut names));
    if let Some(prefill) = &request.prefill {
        messages.push(json!({"role": "assistant", "content": prefill}));
    }
    let sampling = &request.sampling;
    let mut options = Map::from_iter([
        ("num_ctx".to_owned(), json!(request.ollama.num_ctx)),
        ("min_p".to_owned(), json!(0.05)),
        ("repeat_penalty".to_owned(), json!(1.05)),
    ]);
    let mut option = |key: &str, value: Option<Json>| {
        options.extend(value.map(|value| (key.to_owned(), value)));
    };
    option("num_predict", (request.max_tokens > 0).then(|| json!(request.max_tokens)));
    option("temperature", sampling.temperature.map(|x| json!(x)));
    option("top_p", sampling.top_p.map(|x| json!(x)));
    option("top_k", sampling.top_k.map(|n| json!(n)));
    option("seed", sampling.seed.map(|n| json!(n)));
    option("stop", (!sampling.stop.is_empty()).then(|| json!(sampling.stop)));

    // The provider-named option may carry `options` of its own or bare option names.
    for (key, value) in request.overrides.as_dict().into_iter().flatten() {
        match value {
            Data::Dict(more) if key == "options" => {
                options.extend(more.iter().map(|(key, value)| (key.clone(), value.to_json())));
            }
            value if options.contains_key(key) => {
                options.insert(key.clone(), value.to_json());
            }
            _ => {}
        }
    }
    let mut body = Map::from_iter([
        ("model".to_owned(), json!(request.model)),
        ("messages".to_owned(), Json::Array(messages)),
        ("stream".to_owned(), json!(true)),
        ("options".to_owned(), Json::Object(options)),
        ("keep_alive".to_owned(), request.ollama.keep_alive.to_json()),
    ]);
    if request.thinking.is_on() {
        body.insert("think".to_owned(), json!(true));
    }
    match &request.output {
        OutputFormat::Text => {}
        OutputFormat::JsonObject => {
            body.insert("format".to_owned(), json!("json"));
        }
        OutputFormat::JsonSchema { schema, .. } => {
            body.insert("format".to_owned(), schema::to_json_schema(schema).to_json());
        }
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| tool.to_openai().to_json());
        body.insert("tools".to_owned(), Json::Array(tools.collect()));
    }
    Json::Object(body)
}

fn encode_message(message: &Data, out: &mut Vec<Json>, names: &mut BTreeMap<String, String>) {
    let role = message.field("role").as_str().unwrap_or("user");
    let content = message.field("content");
    let result = |id: &str, content: &Data, names: &BTreeMap<String, String>| {
        let name = names.get(id).map_or(id, String::as_str);
        json!({"role": "tool", "tool_name": name, "content": text_of(content)})
    };
    if role == "tool" {
        out.push(result(&answered_call(message), content, names));
        return;
    }
    let blocks = content.as_list().unwrap_or_default();
    for block in blocks.iter().filter(|block| block.field("type").as_str() == Some("tool_result")) {
        out.push(result(
            block.field("tool_use_id").as_str().unwrap_or_default(),
            block.field("content"),
            names,
        ));
    }
    let images: Vec<Json> = blocks
        .iter()
        .filter(|block| block.field("type").as_str() == Some("image"))
        .map(|block| block.field("base64").to_json())
        .collect();
    let words = text_of(content);
    let mut encoded =
        Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), json!(words))]);
    let calls = calls_of(message);
    names.extend(calls.iter().map(|(id, name, _)| (id.clone(), name.clone())));
    if !calls.is_empty() {
        let calls = calls.into_iter().map(
            |(_, name, arguments)| json!({"function": {"name": name, "arguments": arguments.to_json()}}),
        );
        encoded.insert("tool_calls".to_owned(), Json::Array(calls.collect()));
    }
    let only_results = !blocks.is_empty() && words.is_empty() && images.is_empty();
    if !images.is_empty() {
        encoded.insert("images".to_owned(), Json::Array(images));
    }
    if !only_results {
        out.push(Json::Object(encoded));
    }
}

/// Whether a provider has Ollama's generate endpoint.
pub fn can_generate(provider: &Provider) -> bool {
    provider.completion_endpoint.as_deref() == Some("/api/generate")
}

/// Turns a chat plan into one of the generate endpoint (`llm_completion`).
pub fn generate(http: &mut HttpPlan, provider: &Provider, base: &str, prompt: &str, suffix: &Data) {
    let Some(endpoint) = provider.completion_endpoint.as_deref() else { return };
    http.url = Provider::address(base, endpoint);
    if let Json::Object(body) = &mut http.body {
        body.remove("messages");
        body.insert("prompt".to_owned(), json!(prompt));
        if let Some(suffix) = suffix.as_str().filter(|suffix| !suffix.is_empty()) {
            body.insert("suffix".to_owned(), json!(suffix));
        }
    }
}

/// A whole reply: a stream of one frame.
pub fn decode(json: &Json) -> Result<Reply, String> {
    let mut stream = Stream::default();
    match stream.take(json, &mut |_| ()) {
        Ok(()) => Ok(stream.reply()),
        Err(Fault::Malformed(what)) => Err(what),
        Err(Fault::Provider(fault)) => Err(fault.message),
    }
}

/// A reply in the making.
#[derive(Default)]
pub struct Stream {
    reply: Reply,
    complete: bool,
}

impl Stream {
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn take(&mut self, frame: &Json, on_text: &mut dyn FnMut(&str)) -> Taken {
        if frame.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Provider(ProviderFault::read(frame)));
        }
        // The chat endpoint sends messages, the generate endpoint bare text.
        let bare = text(frame, "response");
        let message = match frame.get("message") {
            Some(message) => message,
            None if bare.is_some() => &Json::Null,
            None => return Err(Fault::Malformed("a frame has no `message`".to_owned())),
        };
        if let Some(more) = text(message, "content").or(bare).filter(|more| !more.is_empty()) {
            self.reply.text.push_str(more);
            on_text(more);
        }
        if let Some(more) = text(message, "thinking").filter(|more| !more.is_empty()) {
            self.reply.thinking.get_or_insert_default().push_str(more);
        }
        for call in message.get("tool_calls").and_then(Json::as_array).into_iter().flatten() {
            let function = call.get("function").unwrap_or(&Json::Null);
            let given = text(call, "id").map(str::to_owned);
            let id = given.unwrap_or_else(|| format!("call_{}", self.reply.tool_calls.len() + 1));
            self.reply.tool_calls.push(ToolCall {
                id,
                name: text(function, "name").unwrap_or_default().to_owned(),
                arguments: match function.get("arguments") {
                    Some(Json::String(raw)) => ToolCall::parse_arguments(raw),
                    Some(arguments) => Data::from_json(arguments),
                    None => Data::Dict(BTreeMap::new()),
                },
            });
        }
        if self.reply.model.is_empty() {
            self.reply.model = text(frame, "model").unwrap_or_default().to_owned();
        }
        if frame.get("done").and_then(Json::as_bool) == Some(true) {
            self.complete = true;
            self.reply.stop_reason = text(frame, "done_reason").map(str::to_owned);
            self.reply.usage = Usage {
                input_tokens: count(frame, "prompt_eval_count"),
                output_tokens: count(frame, "eval_count"),
                ..Usage::default()
            };
        }
        Ok(())
    }

    pub(super) fn reply(self) -> Reply {
        let mut reply = self.reply;
        let (public, inside) = split_think(&reply.text);
        reply.text = public;
        if reply.thinking.is_none() {
            reply.thinking = inside;
        }
        reply
    }
}
