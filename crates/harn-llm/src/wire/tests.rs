//! The bodies we send and the streams we read, as they stand on the wire.

use std::collections::BTreeMap;

use harn_effect::Data;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::catalog::Catalog;
use crate::request::{OutputFormat, Sampling};
use crate::thinking::{Level, Thinking};
use crate::tools::ToolSpec;

fn request(provider: &str, model: &str) -> ModelRequest {
    let messages = json!([
        {"role": "user", "content": [{"type": "text", "text": "look"},
                                     {"type": "image", "base64": "AAAA", "media_type": "image/png", "detail": "low"}]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "name": "f", "arguments": {"a": 1}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]);
    ModelRequest {
        provider: provider.into(),
        model: model.into(),
        system: Some("Be brief.".into()),
        messages: Data::from_json(&messages).as_list().unwrap().to_vec(),
        max_tokens: 64,
        sampling: Sampling { temperature: Some(0.5), stop: vec!["END".into()], ..Sampling::default() },
        tools: vec![ToolSpec {
            name: "f".into(),
            description: "does it".into(),
            parameters: Data::from_json(&json!({"type": "object", "properties": {"a": {"type": "integer"}}})),
            defer_loading: true,
            namespace: Some("n".into()),
        }],
        stream: true,
        ..ModelRequest::default()
    }
}

fn plan(request: &ModelRequest) -> HttpPlan {
    let catalog = Catalog::builtin();
    let provider = &catalog.providers[&request.provider];
    encode(request, provider, &provider.base_url, Timeouts::default())
}

fn body(request: &ModelRequest) -> String {
    serde_json::to_string_pretty(&plan(request).body).unwrap()
}

#[test]
fn anthropic_body() {
    insta::assert_snapshot!(body(&request("anthropic", "claude-sonnet-4-20250514")));
}

#[test]
fn openai_body() {
    insta::assert_snapshot!(body(&request("openai", "gpt-4o")));
}

#[test]
fn ollama_body() {
    insta::assert_snapshot!(body(&request("ollama", "qwen3")));
}

#[test]
fn the_answer_in_a_schema_is_asked_for_in_each_providers_way() {
    let schema = json!({"type": "dict", "properties": {"n": {"type": "int"}}, "required": ["n"]});
    let output = OutputFormat::JsonSchema { schema: Data::from_json(&schema), strict: true };
    let asked = |provider: &str, model: &str, keys: &[&str]| {
        let request = ModelRequest {
            provider: provider.into(),
            model: model.into(),
            output: output.clone(),
            ..ModelRequest::default()
        };
        let body = plan(&request).body;
        keys.iter().map(|key| format!("{provider} {key}: {}", body[key])).collect::<Vec<_>>().join("\n")
    };
    let all = [
        asked("anthropic", "claude-sonnet-4-0", &["tools", "tool_choice"]),
        asked("openai", "gpt-4o", &["response_format"]),
        asked("ollama", "qwen3", &["format"]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn thinking_is_asked_for_in_each_providers_way() {
    let modes =
        [Thinking::Enabled { budget_tokens: None }, Thinking::Adaptive, Thinking::Effort(Level::High)];
    let targets = [
        ("anthropic", "claude-sonnet-4-0"),
        ("anthropic", "claude-opus-4-7"),
        ("openai", "o3"),
        ("openrouter", "x/y"),
        ("vllm", "qwen3"),
        ("ollama", "qwen3"),
    ];
    let keys =
        ["thinking", "output_config", "reasoning_effort", "reasoning", "chat_template_kwargs", "think"];
    let mut lines = Vec::new();
    for (provider, model) in targets {
        for thinking in modes {
            let request = ModelRequest {
                provider: provider.into(),
                model: model.into(),
                thinking,
                ..ModelRequest::default()
            };
            let body = plan(&request).body;
            let said =
                keys.iter().filter(|key| !body[**key].is_null()).map(|key| format!("{key}={}", body[*key]));
            lines.push(format!("{provider} {model} {thinking:?}: {}", said.collect::<Vec<_>>().join(" ")));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_provider_named_option_wins_over_everything() {
    let mut request = request("openai", "gpt-4o");
    request.overrides =
        Data::dict([("temperature", Data::Float(1.5)), ("logit_bias", Data::Dict(BTreeMap::new()))]);
    let body = plan(&request).body;
    assert_eq!((&body["temperature"], &body["logit_bias"]), (&json!(1.5), &json!({})));
}

#[test]
fn a_plan_survives_the_way_to_the_host() {
    let plan = plan(&request("anthropic", "claude-sonnet-4-20250514"));
    assert_eq!(HttpPlan::from_data(&plan.to_data()), Some(plan));
}

const ANTHROPIC: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-x\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n\
data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n\
data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n\
data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}}\n\n\
data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
event: ping\ndata: {\"type\":\"ping\"}\n\n\
data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"né 🌍\"}}\n\n\
data: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n\
data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\"\"}}\n\n\
data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\":1}\"}}\n\n\
data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":7}}\n\n\
data: {\"type\":\"message_stop\"}\n\n";

const OPENAI: &str = "data: {\"model\":\"gpt-x\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n\
: keep-alive\n\n\
data:{\"choices\":[{\"delta\":{\"content\":\"né 🌍\",\"reasoning_content\":\"hm\"}}]}\n\n\
data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}}]}\n\n\
data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n\
data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}}]}\n\n\
data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n\
data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":7}}\n\n\
data: [DONE]\n\n";

const OLLAMA: &str = "{\"model\":\"qwen\",\"message\":{\"content\":\"né 🌍\",\"thinking\":\"hm\"},\"done\":false}\n\
{\"model\":\"qwen\",\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]},\"done\":false}\n\
{\"model\":\"qwen\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":9,\"eval_count\":7}\n";

fn streams() -> [(HttpPlan, &'static str); 3] {
    [
        (plan(&request("anthropic", "claude-sonnet-4-0")), ANTHROPIC),
        (plan(&request("openai", "gpt-4o")), OPENAI),
        (plan(&request("ollama", "qwen3")), OLLAMA),
    ]
}

fn read(plan: &HttpPlan, pieces: &[&[u8]]) -> (Result<Reply, ModelError>, String) {
    let mut seen = String::new();
    let mut decoder = StreamDecoder::new(plan);
    for piece in pieces {
        if let Err(error) = decoder.push(piece, &mut |text| seen.push_str(text)) {
            return (Err(error), seen);
        }
    }
    (decoder.finish(&mut |_| ()), seen)
}

#[test]
fn streams_become_replies() {
    let replies = streams().map(|(plan, text)| {
        let (reply, seen) = read(&plan, &[text.as_bytes()]);
        assert_eq!(seen, "né 🌍");
        let json: Json = reply.unwrap().to_data().to_json();
        format!("{}: {}", plan.provider, serde_json::to_string_pretty(&json).unwrap())
    });
    insta::assert_snapshot!(replies.join("\n"));
}

#[test]
fn every_cut_before_the_end_marker_is_an_error() {
    for (plan, text) in streams() {
        // What ends the reply: the stop event, the finish reason, the frame that says done.
        let marker = ["\"message_stop\"", "\"finish_reason\"", "\"done\":true"];
        let last = marker.iter().filter_map(|word| text.find(word)).max().unwrap();
        for end in 0..last {
            let (reply, _) = read(&plan, &[&text.as_bytes()[..end]]);
            let error = reply.expect_err("a cut stream is no reply");
            assert_eq!(error.category, Category::TransientNetwork, "{} at {end}", plan.provider);
        }
    }
}

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same_reply(which in 0usize..3, cuts in prop::collection::vec(0usize..2000, 0..20)) {
        let (plan, text) = &streams()[which];
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let pieces: Vec<&[u8]> = starts.zip(&cuts).map(|(start, end)| &bytes[start..*end]).collect();
        prop_assert_eq!(read(plan, &pieces), read(plan, &[bytes]));
    }
}
