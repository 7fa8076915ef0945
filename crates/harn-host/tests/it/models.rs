//! Calls that succeed, against real wire shapes: every request is judged by the SDKs' types.

use harn_effect::Data;
use serde_json::{Value as Json, json};

use crate::model_call::{call, call_as};
use crate::server::{key, seen};

const TEXT: &str = "Grüße — 你好 🌍, all of it.";
const PROVIDERS: [&str; 3] = ["anthropic", "openai", "ollama"];

fn tools() -> Json {
    json!([
        {"name": "get_weather", "description": "Weather of a city", "namespace": "w", "parameters": {
            "city": {"type": "string", "description": "where"},
            "days": {"type": "int", "required": false, "default": 1},
        }},
        {"name": "get_time", "description": "The time", "parameters": {}},
    ])
}

#[test]
fn a_streamed_text_arrives_whole_and_in_pieces() {
    for provider in PROVIDERS {
        for round in 0..5 {
            let ran = call(&format!("plain-stream{round}"), provider, json!({}));
            let result = ran.ok();
            assert_eq!(result.field("text").as_str(), Some(TEXT), "{provider}");
            assert_eq!(ran.chunks, TEXT, "{provider}");
            assert_eq!(result.field("provider").as_str(), Some(provider));
            assert_eq!(result.field("input_tokens"), &Data::Int(12), "{provider}");
            assert_eq!(result.field("output_tokens"), &Data::Int(7), "{provider}");
        }
    }
}

#[test]
fn a_reply_that_is_not_streamed_gives_the_same_result() {
    for provider in ["anthropic", "openai"] {
        let streamed = call("plain-a", provider, json!({}));
        let whole = call("plain-b", provider, json!({"stream": false}));
        assert_eq!(streamed.ok(), whole.ok(), "{provider}");
        assert_eq!(whole.chunks, "");
    }
}

#[test]
fn a_server_that_answers_a_streamed_request_with_one_body_is_understood() {
    for provider in ["anthropic", "openai"] {
        assert_eq!(call("nonstream", provider, json!({})).ok().field("text").as_str(), Some(TEXT));
    }
}

#[test]
fn a_finish_reason_ends_a_compatible_stream_without_its_marker() {
    assert_eq!(call("nodone", "openai", json!({})).ok().field("text").as_str(), Some(TEXT));
}

#[test]
fn tool_calls_come_back_in_order_with_their_arguments() {
    for provider in PROVIDERS {
        for stream in [true, false] {
            if provider == "ollama" && !stream {
                continue;
            }
            let scenario = format!("tools-{stream}");
            let options =
                json!({"tools": tools(), "tool_format": "native", "stream": stream, "tool_choice": "auto"});
            let options = if provider == "ollama" {
                json!({"tools": tools(), "tool_format": "native"})
            } else {
                options
            };
            let ran = call(&scenario, provider, options);
            let calls = ran.ok().field("tool_calls").to_json();
            assert_eq!(calls[0]["name"], "get_weather", "{provider} {stream}");
            assert_eq!(calls[0]["arguments"], json!({"city": "Zürich", "days": 3}), "{provider} {stream}");
            assert_eq!(calls[1]["name"], "get_time", "{provider} {stream}");
            assert_eq!(calls[1]["arguments"], json!({}), "{provider} {stream}");
            assert_eq!(ran.ok().field("text").as_str(), Some("Let me look."));
        }
    }
}

#[test]
fn arguments_that_are_not_json_become_a_parse_error_not_an_empty_dict() {
    for provider in ["anthropic", "openai"] {
        let ran = call("badargs", provider, json!({"tools": tools()}));
        let arguments = &ran.ok().field("tool_calls").to_json()[0]["arguments"];
        assert!(
            arguments["__parse_error"].as_str().unwrap().contains("not valid JSON"),
            "{provider}: {arguments}"
        );
    }
}

#[test]
fn thinking_is_private_and_goes_back_signed() {
    let ran = call("thinking", "anthropic", json!({"thinking": {"budget_tokens": 2048}}));
    assert_eq!(ran.ok().field("thinking").as_str(), Some("Two and two…"));
    assert_eq!(ran.ok().field("text").as_str(), Some("4"));
    let message = ran.ok().field("transcript").field("messages").as_list().unwrap()[1].clone();
    let block = message.field("provider_blocks").as_list().unwrap()[0].clone();
    assert_eq!(block.field("signature").as_str(), Some("c2ln"));
    for provider in ["openai", "ollama"] {
        let ran = call("thinking", provider, json!({}));
        assert_eq!(ran.ok().field("thinking").as_str(), Some("Two and two…"), "{provider}");
    }
}

#[test]
fn a_history_with_tools_thinking_and_images_is_accepted_by_the_sdk_types() {
    let history = |image: Json| {
        json!([
            {"role": "system", "content": "More rules."},
            {"role": "user", "content": [{"type": "text", "text": "what?"}, image]},
            {"role": "assistant", "content": "I look.",
             "tool_calls": [{"id": "c1", "name": "get_weather", "arguments": {"city": "Bern"}},
                            {"id": "c2", "name": "get_time", "arguments": {}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool_result", "tool_use_id": "c2", "content": "noon"},
            {"role": "user", "content": "and now?"},
        ])
    };
    let embedded = json!({"type": "image", "base64": "AAAA", "media_type": "image/png"});
    let linked = json!({"type": "image", "url": "https://x.test/a.png", "media_type": "image/png"});
    for provider in PROVIDERS {
        let images = if provider == "ollama" { vec![&embedded] } else { vec![&embedded, &linked] };
        for image in images {
            let options =
                json!({"messages": history(image.clone()), "tools": tools(), "tool_format": "native"});
            call("plain-history", provider, options).ok();
        }
    }
    let bodies = seen("plain-history");
    let anthropic = &bodies[0]["body"];
    assert_eq!(anthropic["system"], "More rules.");
    // Results of one turn stand in one user message.
    assert_eq!(anthropic["messages"][2]["content"].as_array().unwrap().len(), 2);
    let ollama = &bodies[4]["body"];
    assert_eq!(ollama["messages"][3], json!({"role": "tool", "tool_name": "get_weather", "content": "rain"}));
}

#[test]
fn every_option_makes_a_request_that_the_sdk_types_accept() {
    let sampling = json!({"temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop": ["x"], "seed": 3,
                          "frequency_penalty": 0.1, "presence_penalty": 0.2, "max_tokens": 99, "prefill": "So"});
    for provider in PROVIDERS {
        call("plain-options", provider, sampling.clone()).ok();
        call("plain-options", provider, json!({"response_format": "json", "schema_retries": 0})).ok();
    }
    let schema = json!({"type": "dict", "properties": {"n": {"type": "int"}}, "required": ["n"]});
    for provider in PROVIDERS {
        call("plain-options", provider, json!({"schema": schema, "schema_retries": 0})).ok();
    }
    let wide = json!({"type": "list", "items": {"type": "int"}});
    call("plain-options", "anthropic", json!({"schema": wide, "schema_retries": 0})).ok();
    for thinking in [json!(true), json!("adaptive"), json!("high")] {
        call("plain-options", "anthropic", json!({"thinking": thinking, "model": "claude-opus-4-7"})).ok();
        call("plain-options", "openai", json!({"thinking": thinking, "model": "o3"})).ok();
    }
    call("plain-options", "anthropic", json!({"cache": true, "anthropic_beta_features": ["a-1", "b_2"]}))
        .ok();
    call("plain-options", "openai", json!({"tools": tools(), "tool_choice": "any"})).ok();
    call("plain-options", "anthropic", json!({"tools": tools(), "tool_choice": "required"})).ok();
    let last = seen("plain-options");
    let headers = last.as_array().unwrap().iter().filter_map(|one| one["headers"]["anthropic-beta"].as_str());
    assert!(headers.collect::<Vec<_>>().contains(&"a-1,b_2"));
}

#[test]
fn structured_output_gives_data_from_every_provider() {
    let schema = json!({"type": "object", "required": ["city", "population"], "additionalProperties": false,
                        "properties": {"city": {"type": "string"}, "population": {"type": "integer"}}});
    for provider in PROVIDERS {
        let args = json!({"prompt": "Which?", "schema": schema});
        let ran = call_as("structured", "json", provider, args.clone(), json!({}));
        assert_eq!(ran.ok().to_json(), json!({"city": "Bern", "population": 134000}), "{provider}");
        let envelope = call_as("structured_result", "json", provider, args, json!({}));
        assert_eq!(envelope.ok().field("attempts"), &Data::Int(1));
        assert_eq!(envelope.ok().field("extracted_json"), &Data::Bool(false), "{provider}");
    }
    let openai = seen("json")[2]["body"]["response_format"].clone();
    assert_eq!(openai["json_schema"]["strict"], true);
}

#[test]
fn an_invalid_answer_is_nudged_once_and_then_reported() {
    let args = json!({"prompt": "Which?", "schema": {"type": "object", "required": ["n"]}});
    let ran = call_as("structured", "plain-nudge", "openai", args, json!({"retries": 1}));
    let (category, kind, ..) = ran.failure();
    assert_eq!((category, kind), ("schema_validation", "terminal"));
    let bodies = seen("plain-nudge");
    assert_eq!(bodies.as_array().unwrap().len(), 2);
    assert_eq!(bodies[1]["body"]["messages"].as_array().unwrap().len(), 2);
}

#[test]
fn cached_tokens_are_counted() {
    for provider in ["anthropic", "openai"] {
        assert_eq!(
            call("cached", provider, json!({})).ok().field("cache_read_tokens"),
            &Data::Int(90),
            "{provider}"
        );
    }
}

#[test]
fn a_completion_uses_the_generate_endpoint_of_ollama_and_chat_elsewhere() {
    let args = json!({"prompt": "fn main() {", "suffix": "}"});
    for provider in PROVIDERS {
        let ran = call_as("completion", "plain-completion", provider, args.clone(), json!({}));
        assert_eq!(ran.ok().field("text").as_str(), Some(TEXT), "{provider}");
        assert!(ran.ok().field("transcript").is_nil());
    }
    let ollama = seen("plain-completion")[2]["body"].clone();
    assert_eq!((ollama["prompt"].as_str(), ollama["suffix"].as_str()), (Some("fn main() {"), Some("}")));
}

#[test]
fn the_key_travels_in_the_header_of_the_provider_and_nowhere_else() {
    call("plain-key", "anthropic", json!({})).ok();
    call("plain-key", "openai", json!({})).ok();
    let requests = seen("plain-key");
    assert_eq!(requests[0]["headers"]["x-api-key"], key());
    assert_eq!(requests[0]["headers"]["anthropic-version"], "2023-06-01");
    assert_eq!(requests[1]["headers"]["authorization"], format!("Bearer {}", key()));
    for request in requests.as_array().unwrap() {
        assert!(!request["body"].to_string().contains(&key()));
    }
}
