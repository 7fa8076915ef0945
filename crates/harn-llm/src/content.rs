//! Messages as programs write them: roles, content blocks, and what of it is refused (spec 07 sections 1.4, 1.9.1).

use std::collections::BTreeMap;

use harn_effect::Data;

/// The messages of a call: non-dicts dropped, roles filled in, tool results in one shape, image blocks checked.
pub fn read_messages(list: &[Data], provider: &str) -> Result<Vec<Data>, String> {
    list.iter().filter_map(Data::as_dict).map(|message| read_message(message, provider)).collect()
}

/// A message of one role and plain content.
pub fn message(role: &str, content: impl Into<Data>) -> Data {
    Data::dict([("role", Data::from(role)), ("content", content.into())])
}

fn read_message(message: &BTreeMap<String, Data>, provider: &str) -> Result<Data, String> {
    let mut message = message.clone();
    let role = message.entry("role".to_owned()).or_insert_with(|| "user".into());
    let is_tool_result = role.as_str() == Some("tool_result");
    if is_tool_result && let Some(id) = message.get("tool_use_id").cloned() {
        let content = message.get("content").cloned().unwrap_or_default();
        let block =
            Data::dict([("type", Data::from("tool_result")), ("tool_use_id", id), ("content", content)]);
        return Ok(Data::dict([("role", Data::from("user")), ("content", Data::List(vec![block]))]));
    }
    if let Some(Data::List(blocks)) = message.get_mut("content") {
        for block in blocks {
            if block.field("type").as_str() == Some("image") {
                *block = read_image(block, provider)?;
            }
        }
    }
    Ok(Data::Dict(message))
}

/// An image block in its canonical keys.
fn read_image(block: &Data, provider: &str) -> Result<Data, String> {
    let either = |one: &str, other: &str| match block.field(one) {
        Data::Nil => block.field(other).clone(),
        value => value.clone(),
    };
    let url = either("url", "file_uri");
    let base64 = either("base64", "data");
    if url.is_nil() == base64.is_nil() {
        return Err("llm_call image content requires exactly one of url or base64".to_owned());
    }
    let media_type = either("media_type", "mime_type");
    if media_type.as_str().is_none_or(str::is_empty) {
        return Err("llm_call image content requires media_type".to_owned());
    }
    let detail = block.field("detail");
    if !detail.is_nil() && !matches!(detail.as_str(), Some("low" | "high" | "auto")) {
        return Err(r#"llm_call image detail must be "low", "high", or "auto""#.to_owned());
    }
    if provider == "ollama" && base64.is_nil() {
        return Err(
            "llm_call: provider \"ollama\" requires image base64; url image content is not supported"
                .to_owned(),
        );
    }
    let mut image = block.as_dict().cloned().unwrap_or_default();
    for synonym in ["file_uri", "data", "mime_type"] {
        image.remove(synonym);
    }
    image.insert("media_type".to_owned(), media_type);
    if base64.is_nil() {
        image.insert("url".to_owned(), url);
    } else {
        image.insert("base64".to_owned(), base64);
    }
    Ok(Data::Dict(image))
}

/// Whether a message holds an image.
pub fn has_image(messages: &[Data]) -> bool {
    messages.iter().any(|message| {
        let blocks = message.field("content").as_list().unwrap_or_default();
        blocks.iter().any(|block| block.field("type").as_str() == Some("image"))
    })
}

/// Calls `visit` with every string in `data`, lists in order, dicts by key.
pub fn strings<'a>(data: &'a Data, visit: &mut dyn FnMut(&'a str)) {
    match data {
        Data::Str(text) => visit(text),
        Data::List(items) => items.iter().for_each(|item| strings(item, visit)),
        Data::Dict(fields) => fields.values().for_each(|value| strings(value, visit)),
        _ => {}
    }
}

/// The text of a message's content: the string, or its text blocks joined by a line break.
pub fn text_of(content: &Data) -> String {
    match content {
        Data::Str(text) => text.clone(),
        Data::List(blocks) => {
            let texts = blocks.iter().filter_map(|block| block.field("text").as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        Data::Nil => String::new(),
        other => other.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_result_becomes_a_user_message_with_one_block() {
        let given = Data::dict([
            ("role", Data::from("tool_result")),
            ("tool_use_id", "t1".into()),
            ("content", "42".into()),
        ]);
        let messages = read_messages(&[given, Data::Int(1)], "anthropic").unwrap();
        assert_eq!(messages.len(), 1);
        let block = &messages[0].field("content").as_list().unwrap()[0];
        assert_eq!(block.field("tool_use_id").as_str(), Some("t1"));
        assert_eq!(messages[0].field("role").as_str(), Some("user"));
    }

    #[test]
    fn image_synonyms_are_canonical_afterwards() {
        let image = Data::dict([
            ("type", Data::from("image")),
            ("data", "AAAA".into()),
            ("mime_type", "image/png".into()),
        ]);
        let message = Data::dict([("content", Data::List(vec![image]))]);
        let messages = read_messages(&[message], "openai").unwrap();
        let block = messages[0].field("content").as_list().unwrap()[0].clone();
        assert_eq!(block.field("base64").as_str(), Some("AAAA"));
        assert_eq!(block.field("media_type").as_str(), Some("image/png"));
        assert!(block.field("data").is_nil());
    }
}
