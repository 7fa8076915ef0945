//! The result dict of `llm_call` (spec 07 section 1.5).

use std::collections::BTreeMap;

use harn_effect::Data;

use crate::pricing::{self, Rates};
use crate::reply::{Reply, ToolCall, Usage};
use crate::text_protocol;
use crate::transcript;

/// The seven accounting fields.
pub fn usage(usage: &Usage, rates: Option<Rates>) -> BTreeMap<String, Data> {
    let fields: [(&str, Data); 7] = [
        ("input_tokens", usage.input_tokens.into()),
        ("output_tokens", usage.output_tokens.into()),
        ("cache_read_tokens", usage.cache_read_tokens.into()),
        ("cache_write_tokens", usage.cache_write_tokens.into()),
        ("cache_creation_input_tokens", usage.cache_write_tokens.into()),
        ("cache_hit_ratio", pricing::cache_hit_ratio(usage).into()),
        ("cache_savings_usd", pricing::cache_savings(rates, usage).into()),
    ];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What a result is made of besides the reply.
pub struct Parts<'a> {
    /// The messages that were sent.
    pub messages: &'a [Data],
    /// The id of the transcript; none leaves it out (`llm_completion`).
    pub transcript_id: Option<String>,
    /// The prices of the model.
    pub rates: Option<Rates>,
    /// Whether tools were passed, and their names.
    pub tools: Option<&'a [String]>,
    /// What the reply cost.
    pub cost_usd: f64,
    /// The structured answer.
    pub data: Option<Data>,
}

/// The result dict.
pub fn build(reply: &Reply, parts: Parts<'_>) -> Data {
    let accounting = usage(&reply.usage, parts.rates);
    let mut dict = accounting.clone();
    let mut put = |key: &str, value: Data| {
        dict.insert(key.to_owned(), value);
    };
    put("usage", Data::Dict(accounting));
    put("cost_usd", parts.cost_usd.into());
    put("text", reply.text.clone().into());
    put("visible_text", text_protocol::visible_text(&reply.text).into());
    put("model", reply.model.clone().into());
    put("provider", reply.provider.clone().into());
    put("blocks", Data::List(reply.blocks()));
    let mut calls: Vec<Data> = reply.tool_calls.iter().map(ToolCall::to_data).collect();

    let in_play = parts.tools.is_some() || !calls.is_empty() || text_protocol::mentions_protocol(&reply.text);
    let mut prose = reply.text.clone();
    if in_play {
        let tagged = text_protocol::mentions_protocol(&reply.text);
        let parsed = text_protocol::parse(&reply.text, parts.tools.unwrap_or_default());
        if let Some(text) = parsed.prose {
            prose = text;
        }
        if calls.is_empty() {
            calls = parsed.calls.iter().map(text_call).collect();
        }
        let list = |items: Vec<String>| Data::List(items.into_iter().map(Data::from).collect());
        // A native reply in plain prose breaks no rule: the block structure binds only those who use it.
        if tagged && !parsed.violations.is_empty() {
            put("protocol_violations", list(parsed.violations));
        }
        if !parsed.errors.is_empty() {
            put("tool_parse_errors", list(parsed.errors));
        }
        if !parsed.canonical.is_empty() {
            put("canonical_text", parsed.canonical.into());
        }
        if let Some(done) = parsed.done {
            put("done_marker", done.into());
        }
    }
    put("prose", prose.into());
    if !calls.is_empty() {
        put("tool_calls", Data::List(calls));
    }
    if let Some(data) = parts.data {
        put("data", data);
    }
    if let Some(thinking) = &reply.thinking {
        put("thinking", thinking.clone().into());
        put("private_reasoning", thinking.clone().into());
    }
    if let Some(summary) = &reply.thinking_summary {
        put("thinking_summary", summary.clone().into());
    }
    if let Some(reason) = &reply.stop_reason {
        put("stop_reason", reason.clone().into());
    }
    if !reply.opaque.is_empty() {
        put("provider_blocks", Data::List(reply.opaque.clone()));
    }
    if let Some(id) = parts.transcript_id {
        let mut messages = parts.messages.to_vec();
        messages.push(transcript::assistant_message(reply));
        put("transcript", transcript::of_messages(&id, messages));
    }
    Data::Dict(dict)
}

fn text_call(call: &text_protocol::Call) -> Data {
    Data::dict([
        ("id", Data::from(call.id.clone())),
        ("name", call.name.clone().into()),
        ("arguments", call.arguments.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(text: &str) -> Data {
        let reply = Reply { text: text.into(), model: "m".into(), provider: "p".into(), ..Reply::default() };
        build(
            &reply,
            Parts {
                messages: &[],
                transcript_id: Some("t".into()),
                rates: None,
                tools: None,
                cost_usd: 0.0,
                data: None,
            },
        )
    }

    #[test]
    fn a_plain_reply_has_its_text_as_prose() {
        let result = built("hello");
        assert_eq!(result.field("prose").as_str(), Some("hello"));
        assert!(result.field("protocol_violations").is_nil());
        assert_eq!(result.field("transcript").field("messages").as_list().unwrap().len(), 1);
    }

    #[test]
    fn a_tagged_reply_is_taken_apart() {
        let result = built("<user_response>4</user_response>\n<done>##DONE##</done>");
        assert_eq!(result.field("prose").as_str(), Some("4"));
        assert_eq!(result.field("done_marker").as_str(), Some("##DONE##"));
    }
}
