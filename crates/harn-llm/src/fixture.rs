//! Fixtures of the command line: JSON lines for `--llm-mock` and `--llm-mock-record` (spec 07 section 2.5).

use harn_effect::Data;
use serde_json::{Map, Value as Json, json};

use crate::mock::Entry;
use crate::reply::Reply;

/// Reads the text of a fixture file; errors name `file` and line.
pub fn read(file: &str, text: &str) -> Result<Vec<Entry>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let number = index + 1;
            let json: Json = serde_json::from_str(line)
                .map_err(|error| format!("invalid JSON in {file} line {number}: {error}"))?;
            Entry::read(&Data::from_json(&json))
                .map_err(|error| format!("invalid --llm-mock fixture in {file} line {number}: {error}"))
        })
        .collect()
}

/// A reply as one line that [`read`] takes: an entry of the queue.
pub fn line(reply: &Reply) -> String {
    let calls =
        reply.tool_calls.iter().map(|call| json!({"name": call.name, "arguments": call.arguments.to_json()}));
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| {
        entry.insert(key.to_owned(), value);
    };
    put("text", json!(reply.text));
    put("tool_calls", calls.collect());
    put("input_tokens", json!(reply.usage.input_tokens));
    put("output_tokens", json!(reply.usage.output_tokens));
    put("cache_read_tokens", json!(reply.usage.cache_read_tokens));
    put("cache_write_tokens", json!(reply.usage.cache_write_tokens));
    put("model", json!(reply.model));
    put("provider", json!(reply.provider));
    for (key, value) in [
        ("thinking", &reply.thinking),
        ("thinking_summary", &reply.thinking_summary),
        ("stop_reason", &reply.stop_reason),
    ] {
        value.iter().for_each(|text| put(key, json!(text)));
    }
    Json::Object(entry).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Mock;
    use crate::request::ModelRequest;

    #[test]
    fn a_recorded_reply_replays_as_it_was() {
        let reply = Reply {
            text: "hi".into(),
            stop_reason: Some("end_turn".into()),
            model: "m".into(),
            provider: "openai".into(),
            ..Reply::default()
        };
        let mut mock = Mock::default();
        mock.replay(read("f", &line(&reply)).unwrap());
        assert_eq!(mock.ask(&ModelRequest::default()), Ok(reply));
    }

    #[test]
    fn errors_name_file_and_line() {
        insta::assert_snapshot!(
            read("a.jsonl", "\n{\"text\": \"x\"}\n{oops").unwrap_err(),
            @"invalid JSON in a.jsonl line 3: key must be a string at line 1 column 2"
        );
        insta::assert_snapshot!(
            read("a.jsonl", "{\"error\": {}}").unwrap_err(),
            @"invalid --llm-mock fixture in a.jsonl line 1: llm_mock: error.category is required"
        );
    }
}
