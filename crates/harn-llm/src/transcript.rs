//! The transcript that a result carries (spec 07 section 8.1): messages, and the events derived from them.

use harn_effect::Data;

use crate::reply::Reply;

/// The assistant message of a reply: its text, its calls, and the provider blocks that must go back unchanged.
pub fn assistant_message(reply: &Reply) -> Data {
    let mut message = vec![("role", Data::from("assistant")), ("content", reply.text.clone().into())];
    if !reply.tool_calls.is_empty() {
        let calls = reply.tool_calls.iter().map(crate::reply::ToolCall::to_data).collect();
        message.push(("tool_calls", Data::List(calls)));
    }
    if !reply.opaque.is_empty() {
        message.push(("provider_blocks", Data::List(reply.opaque.clone())));
    }
    Data::dict(message)
}

/// A transcript of `messages`, state `active`.
pub fn of_messages(id: &str, messages: Vec<Data>) -> Data {
    let events = messages.iter().enumerate().map(|(index, message)| message_event(index, message));
    Data::dict([
        ("_type", Data::from("transcript")),
        ("version", 2.into()),
        ("id", id.into()),
        ("events", Data::List(events.collect())),
        ("messages", Data::List(messages)),
        ("assets", Data::List(Vec::new())),
        ("state", "active".into()),
    ])
}

/// The event of a message.
pub fn message_event(index: usize, message: &Data) -> Data {
    let role = message.field("role").as_str().unwrap_or("user");
    let internal = matches!(role, "tool_result" | "tool" | "system");
    let blocks = match message.field("content") {
        Data::List(blocks) => blocks.clone(),
        content => vec![Data::dict([("type", Data::from("text")), ("text", content.clone())])],
    };
    let texts: Vec<String> = blocks.iter().filter_map(block_text).collect();
    Data::dict([
        ("id", Data::from(format!("event_{}", index + 1))),
        ("kind", if matches!(role, "tool_result" | "tool") { "tool_result" } else { "message" }.into()),
        ("role", role.into()),
        ("visibility", if internal { "internal" } else { "public" }.into()),
        ("text", texts.join(" ").into()),
        ("blocks", Data::List(blocks)),
    ])
}

/// A block in one word or text; nothing for reasoning.
fn block_text(block: &Data) -> Option<String> {
    let name = || block.field("name").as_str().or(block.field("tool_use_id").as_str()).unwrap_or_default();
    match block.field("type").as_str() {
        Some("reasoning" | "thinking" | "redacted_thinking" | "reasoning_summary") => None,
        Some("tool_call" | "tool_use") => Some(format!("<tool_call:{}>", name())),
        Some("tool_result") => Some(format!("<tool_result:{}>", name())),
        Some("image") => Some(format!("<image:{}>", name())),
        Some("file") => Some(format!("<file:{}>", name())),
        _ => block.field("text").as_str().map(str::to_owned).filter(|text| !text.is_empty()),
    }
}
