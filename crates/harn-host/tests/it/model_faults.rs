//! What goes wrong at providers, and the error that a program sees.

use harn_effect::Data;
use serde_json::json;

use crate::model_call::{call, call_as};
use crate::server::{key, seen};

#[test]
fn http_errors_have_their_category_and_say_what_the_provider_said() {
    let cases = [
        ("f429", "rate_limit", "transient", "rate_limit", "HTTP 429 Too Many Requests [rate_limited]"),
        ("quota", "rate_limit", "terminal", "rate_limit", "You exceeded your current quota"),
        ("f500", "server_error", "transient", "server_error", "HTTP 500 Internal Server Error [http_error]"),
        ("f529", "overloaded", "transient", "server_error", "HTTP 529 [http_error]"),
        ("f503", "overloaded", "transient", "server_error", "no healthy upstream"),
        ("f400", "generic", "terminal", "invalid_request", "HTTP 400 Bad Request [invalid_request]"),
        ("overflow", "generic", "terminal", "context_overflow", "(offending_tokens: 210000)"),
        ("f401", "auth", "terminal", "auth_failure", "HTTP 401 Unauthorized [auth_failure]"),
        ("f404", "not_found", "terminal", "model_unavailable", "HTTP 404 Not Found [model_unavailable]"),
        ("redirect", "generic", "terminal", "unknown", "HTTP 307 Temporary Redirect"),
    ];
    for provider in ["anthropic", "openai"] {
        for (scenario, category, kind, reason, part) in cases {
            let ran = call(scenario, provider, json!({}));
            let (got_category, got_kind, got_reason, message) = ran.failure();
            assert_eq!(
                (got_category, got_kind, got_reason),
                (category, kind, reason),
                "{provider} {scenario}: {message}"
            );
            assert!(message.contains(part), "{provider} {scenario}: {message}");
            assert_eq!(ran.failure_field("provider").as_str(), Some(provider));
        }
    }
}

#[test]
fn the_hint_of_the_provider_is_in_the_error() {
    let ran = call("f429", "anthropic", json!({}));
    assert_eq!(ran.failure_field("retry_after_ms"), &Data::Int(2000));
    assert!(ran.failure().3.ends_with("(retry-after: 2)"), "{}", ran.failure().3);
}

#[test]
fn a_key_that_the_provider_quotes_back_is_blacked_out() {
    let ran = call("f401", "anthropic", json!({}));
    let message = ran.failure().3;
    assert!(!message.contains(&key()) && message.contains("[redacted]"), "{message}");
}

#[test]
fn a_transient_error_is_retried_and_a_hint_is_waited_for() {
    for provider in ["anthropic", "openai"] {
        let ran =
            call(&format!("flaky-{provider}"), provider, json!({"llm_retries": 1, "llm_backoff_ms": 1}));
        assert!(ran.ok().field("text").as_str().unwrap().starts_with("Grüße"));
        assert_eq!(ran.notes.len(), 1);
        let ran =
            call(&format!("hint-{provider}"), provider, json!({"llm_retries": 1, "llm_backoff_ms": 60000}));
        ran.ok();
        assert!(ran.elapsed_ms >= 40);
    }
}

#[test]
fn retries_end_and_terminal_errors_are_not_retried() {
    call("f500-count", "openai", json!({"llm_retries": 2, "llm_backoff_ms": 1})).failure();
    assert_eq!(seen("f500-count").as_array().unwrap().len(), 3);
    call("f400-count", "openai", json!({"llm_retries": 2, "llm_backoff_ms": 1})).failure();
    assert_eq!(seen("f400-count").as_array().unwrap().len(), 1);
}

#[test]
fn a_cut_stream_is_a_network_error_and_not_a_short_reply() {
    for provider in ["anthropic", "openai", "ollama"] {
        for scenario in ["cut", "eof"] {
            let ran = call(scenario, provider, json!({}));
            let (category, kind, reason, message) = ran.failure();
            assert_eq!(
                (category, kind, reason),
                ("transient_network", "transient", "network_error"),
                "{message}"
            );
            assert!(message.contains("connection closed in the middle of a reply"), "{message}");
        }
    }
}

#[test]
fn malformed_json_is_a_server_error() {
    for provider in ["anthropic", "openai", "ollama"] {
        let ran = call("badjson", provider, json!({}));
        let (category, _, reason, message) = ran.failure();
        assert_eq!((category, reason), ("server_error", "server_error"), "{message}");
        assert!(message.contains("sent a malformed reply: a stream event is not valid JSON"), "{message}");
    }
    let whole = call("badjson", "openai", json!({"stream": false}));
    assert!(whole.failure().3.contains("the reply is not valid JSON"), "{}", whole.failure().3);
}

#[test]
fn an_error_event_inside_a_stream_is_an_error() {
    for provider in ["anthropic", "openai"] {
        let ran = call("fault", provider, json!({}));
        let (category, kind, ..) = ran.failure();
        assert_eq!((category, kind), ("overloaded", "transient"), "{provider}: {}", ran.failure().3);
    }
}

#[test]
fn each_limit_of_time_says_which_it_was() {
    let late = |scenario: &str, options| {
        let ran = call(scenario, "openai", options);
        let (category, kind, reason, message) = ran.failure();
        assert_eq!((category, kind, reason), ("timeout", "transient", "timeout"), "{message}");
        assert!(ran.elapsed_ms < 5_000);
        message.to_owned()
    };
    assert_eq!(
        late("silent", json!({"first_byte_timeout": 0.2})),
        "openai timed out: no answer within 200 ms"
    );
    assert_eq!(
        late("stall", json!({"idle_timeout": 0.3})),
        "openai timed out: silent for 300 ms in the middle of a reply"
    );
    assert_eq!(
        late("slow", json!({"timeout": 0.6, "idle_timeout": 10})),
        "openai timed out: no complete reply within 600 ms"
    );
}

#[test]
fn oversized_replies_are_refused() {
    for (scenario, stream) in [("oversize", true), ("oversize", false), ("longline", true)] {
        let ran = call(scenario, "anthropic", json!({"stream": stream}));
        let (category, kind, _, message) = ran.failure();
        assert_eq!((category, kind), ("server_error", "terminal"), "{message}");
        assert!(message.contains("MiB that a reply may have"), "{message}");
    }
}

#[test]
fn a_reply_without_content_but_with_tokens_is_an_error() {
    for provider in ["anthropic", "openai", "ollama"] {
        let ran = call("empty", provider, json!({}));
        assert_eq!(ran.failure().1, "transient");
        assert!(
            ran.failure().3.contains("reported completion_tokens=7 but delivered no content"),
            "{provider}"
        );
    }
}

#[test]
fn nobody_listening_is_a_network_error() {
    let ran = call("plain", "openai", json!({"base_url": "http://127.0.0.1:9/v1"}));
    let (category, _, reason, message) = ran.failure();
    assert_eq!((category, reason), ("transient_network", "network_error"), "{message}");
    assert!(message.starts_with("openai connection failed"), "{message}");
}

#[test]
fn the_next_provider_of_the_chain_is_asked_with_its_own_model() {
    // The fallback goes to the configured address of ollama, where nobody listens: the first error is the one to see.
    let ran = call("f500-chain", "openai", json!({"fallback_chain": ["ollama:none", "mock:m2"]}));
    assert_eq!(ran.ok().field("provider").as_str(), Some("mock"), "{:?}", ran.outcome);
    assert_eq!(ran.ok().field("model").as_str(), Some("m2"));
}

#[test]
fn the_safe_variants_never_throw() {
    let ran = call_as("safe", "f500-safe", "openai", json!({"prompt": "x"}), json!({}));
    assert_eq!(ran.ok().field("ok"), &Data::Bool(false));
    assert_eq!(ran.ok().field("error").field("category").as_str(), Some("server_error"));
    let args = json!({"prompt": "x", "schema": {"type": "object"}});
    let ran = call_as("structured_result", "f500-safe", "openai", args, json!({}));
    assert_eq!(ran.ok().field("error_category").as_str(), Some("server_error"));
    assert_eq!(ran.ok().field("attempts"), &Data::Int(0));
}
