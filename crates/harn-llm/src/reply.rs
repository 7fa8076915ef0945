//! What came back from a model, in one shape for every provider.

use harn_effect::Data;

/// Tokens of one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: i64,
    /// Tokens of the reply.
    pub output_tokens: i64,
    /// Tokens of the request that came from the provider's cache.
    pub cache_read_tokens: i64,
    /// Tokens of the request that were written to the provider's cache.
    pub cache_write_tokens: i64,
}

impl Usage {
    /// The sum, field by field.
    pub fn plus(self, other: Usage) -> Usage {
        Usage {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_add(other.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_add(other.cache_write_tokens),
        }
    }
}

/// A call of a tool that the model wants.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The provider's id.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// A dict; `{__parse_error}` when the model wrote something that is not JSON.
    pub arguments: Data,
}

impl ToolCall {
    /// The record `{id, name, arguments}`.
    pub fn to_data(&self) -> Data {
        Data::dict([
            ("id", Data::from(self.id.clone())),
            ("name", self.name.clone().into()),
            ("arguments", self.arguments.clone()),
        ])
    }

    fn from_data(data: &Data) -> Option<Self> {
        Some(ToolCall {
            id: data.field("id").as_str()?.to_owned(),
            name: data.field("name").as_str()?.to_owned(),
            arguments: data.field("arguments").clone(),
        })
    }

    /// The arguments that a model wrote as JSON text; empty text is no arguments.
    pub fn parse_arguments(text: &str) -> Data {
        if text.trim().is_empty() {
            return Data::Dict(Default::default());
        }
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json @ serde_json::Value::Object(_)) => Data::from_json(&json),
            Ok(_) => parse_error(text, "expected a JSON object"),
            Err(error) => parse_error(text, &error.to_string()),
        }
    }
}

fn parse_error(text: &str, why: &str) -> Data {
    let shown: String = text.chars().take(200).collect();
    let message = format!("the arguments of the tool call are not valid JSON ({why}): {shown}");
    Data::dict([("__parse_error", Data::from(message))])
}

/// A reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The public text.
    pub text: String,
    /// Native tool calls in the provider's order.
    pub tool_calls: Vec<ToolCall>,
    /// The reasoning text.
    pub thinking: Option<String>,
    /// The summary of the reasoning.
    pub thinking_summary: Option<String>,
    /// The provider's own word.
    pub stop_reason: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// The model that answered.
    pub model: String,
    /// The provider that answered.
    pub provider: String,
    /// Provider blocks that must be sent back unchanged (signed thinking, server tool use).
    pub opaque: Vec<Data>,
}

impl Reply {
    /// Whether there is anything in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.tool_calls.is_empty()
            && self.thinking.as_deref().unwrap_or_default().is_empty()
            && self.opaque.is_empty()
    }

    /// The canonical blocks (spec 07 section 1.5).
    pub fn blocks(&self) -> Vec<Data> {
        let text_block = |kind: &str, text: &str, visibility: &str| {
            Data::dict([("type", Data::from(kind)), ("text", text.into()), ("visibility", visibility.into())])
        };
        let mut blocks = Vec::new();
        if let Some(text) = &self.thinking {
            blocks.push(text_block("reasoning", text, "private"));
        }
        if let Some(text) = &self.thinking_summary {
            blocks.push(text_block("reasoning_summary", text, "private"));
        }
        if !self.text.is_empty() {
            blocks.push(text_block("output_text", &self.text, "public"));
        }
        blocks.extend(self.opaque.iter().filter_map(tool_search_block));
        for call in &self.tool_calls {
            let mut block = call.to_data();
            if let Data::Dict(fields) = &mut block {
                fields.insert("type".to_owned(), "tool_call".into());
                fields.insert("visibility".to_owned(), "internal".into());
            }
            blocks.push(block);
        }
        blocks
    }

    /// As an outcome that the host reports.
    pub fn to_data(&self) -> Data {
        Data::dict([
            ("text", Data::from(self.text.clone())),
            ("tool_calls", Data::List(self.tool_calls.iter().map(ToolCall::to_data).collect())),
            ("thinking", self.thinking.clone().into()),
            ("thinking_summary", self.thinking_summary.clone().into()),
            ("stop_reason", self.stop_reason.clone().into()),
            ("input_tokens", self.usage.input_tokens.into()),
            ("output_tokens", self.usage.output_tokens.into()),
            ("cache_read_tokens", self.usage.cache_read_tokens.into()),
            ("cache_write_tokens", self.usage.cache_write_tokens.into()),
            ("model", self.model.clone().into()),
            ("provider", self.provider.clone().into()),
            ("opaque", Data::List(self.opaque.clone())),
        ])
    }

    /// The reply of such an outcome.
    pub fn from_data(data: &Data) -> Option<Self> {
        let text = |key: &str| data.field(key).as_str().map(str::to_owned);
        let count = |key: &str| data.field(key).as_int().unwrap_or(0);
        Some(Reply {
            text: text("text")?,
            tool_calls: data.field("tool_calls").as_list()?.iter().filter_map(ToolCall::from_data).collect(),
            thinking: text("thinking"),
            thinking_summary: text("thinking_summary"),
            stop_reason: text("stop_reason"),
            usage: Usage {
                input_tokens: count("input_tokens"),
                output_tokens: count("output_tokens"),
                cache_read_tokens: count("cache_read_tokens"),
                cache_write_tokens: count("cache_write_tokens"),
            },
            model: text("model")?,
            provider: text("provider")?,
            opaque: data.field("opaque").as_list().unwrap_or_default().to_vec(),
        })
    }
}

/// Anthropic's tool search blocks as canonical ones.
fn tool_search_block(block: &Data) -> Option<Data> {
    match block.field("type").as_str()? {
        "server_tool_use" => Some(Data::dict([
            ("type", Data::from("tool_search_query")),
            ("id", block.field("id").clone()),
            ("name", block.field("name").clone()),
            ("query", block.field("input").clone()),
            ("visibility", "internal".into()),
        ])),
        "tool_search_tool_result" => Some(Data::dict([
            ("type", Data::from("tool_search_result")),
            ("tool_use_id", block.field("tool_use_id").clone()),
            ("tool_references", block.field("content").field("tool_references").clone()),
            ("visibility", "internal".into()),
        ])),
        _ => None,
    }
}

/// Splits `<think>…</think>` pieces out of a text: what is left, and what was inside.
pub fn split_think(text: &str) -> (String, Option<String>) {
    let mut public = String::new();
    let mut private: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<think>") {
        public.push_str(before);
        match after.split_once("</think>") {
            Some((inside, next)) => {
                private.push(inside.trim());
                rest = next.trim_start_matches('\n');
            }
            None => {
                private.push(after.trim());
                rest = "";
            }
        }
    }
    if private.is_empty() {
        return (text.to_owned(), None);
    }
    public.push_str(rest);
    (public, Some(private.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_survives_the_way_through_data() {
        let reply = Reply {
            text: "hi".into(),
            tool_calls: vec![ToolCall {
                id: "a".into(),
                name: "f".into(),
                arguments: ToolCall::parse_arguments("{}"),
            }],
            thinking: Some("hm".into()),
            model: "m".into(),
            provider: "p".into(),
            usage: Usage { input_tokens: 3, ..Usage::default() },
            ..Reply::default()
        };
        assert_eq!(Reply::from_data(&reply.to_data()), Some(reply));
    }

    #[test]
    fn arguments_that_are_not_json_become_a_parse_error() {
        let arguments = ToolCall::parse_arguments("{\"a\": ");
        assert!(arguments.field("__parse_error").as_str().unwrap().contains("not valid JSON"));
        assert_eq!(ToolCall::parse_arguments(""), Data::Dict(Default::default()));
    }

    #[test]
    fn think_pieces_are_taken_out() {
        assert_eq!(split_think("<think>a</think>\nb"), ("b".into(), Some("a".into())));
        assert_eq!(split_think("b<think>open"), ("b".into(), Some("open".into())));
        assert_eq!(split_think("plain"), ("plain".into(), None));
    }
}
