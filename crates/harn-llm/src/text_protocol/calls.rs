//! Finds `name({ ... })` calls in a tool-call body or in loose text.

use super::literal::{parse_literal, parse_literal_prefix};
use harn_effect::Data;

type Found = Result<(String, Data), String>;

/// Prefixes that models put before a call.
const PREFIXES: [&str; 10] = [
    "tool_call:",
    "tool_code:",
    "tool_output:",
    "javascript:",
    "typescript:",
    "python:",
    "shell:",
    "bash:",
    "call:",
    "tool:",
];

/// Names that are callable besides the declared tools (spec 07 section 4).
const RUNTIME_TOOLS: [&str; 2] = ["ledger", "load_skill"];

/// The one call that a `<tool_call>` body must hold.
pub(super) fn in_body(body: &str, tools: &[String]) -> Found {
    if let Some(call) = json_call(body.trim(), tools) {
        return call;
    }
    let mut found = scan(body, tools, Unknown::Report);
    match found.len() {
        1 => found.remove(0),
        0 => Err("<tool_call> body did not contain a bare name({ … }) expression: write exactly one call such as tool({ key: \"value\" })."
            .to_owned()),
        n => Err(format!("<tool_call> body contained {n} calls; emit one call per <tool_call> block.")),
    }
}

/// Calls of declared tools in text that stands outside all tags.
pub(super) fn in_prose(text: &str, tools: &[String]) -> Vec<Found> {
    let found = scan(text, tools, Unknown::Ignore);
    if found.is_empty() { openai_array(text.trim(), tools) } else { found }
}

/// What to do with a call of a name that no tool has.
#[derive(Clone, Copy, PartialEq)]
enum Unknown {
    Report,
    Ignore,
}

fn scan(text: &str, tools: &[String], unknown: Unknown) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        let next_line = at + line.len() + 1;
        let trimmed = strip_decoration(rest);
        let skipped = rest.len() - trimmed.len();
        if skipped > line.len() {
            at = next_line;
            continue;
        }
        match call_at(trimmed, tools, unknown) {
            Some((call, length)) => {
                found.push(call);
                let end = at + skipped + length;
                // What follows on the same line (a closing fence, `>`, `;`) is decoration.
                at = text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |i| end + i + 1);
            }
            None => at = next_line,
        }
    }
    found
}

/// Drops blanks, fences, back-quotes, `<` and language or tool prefixes before a call.
fn strip_decoration(text: &str) -> &str {
    let mut text = text.trim_start_matches([' ', '\t']);
    loop {
        let before = text;
        text = text.trim_start_matches(['`', '<', ' ', '\t']);
        if let Some(rest) = PREFIXES.iter().chain(&["use:"]).find_map(|prefix| text.strip_prefix(prefix)) {
            text = rest.trim_start_matches([' ', '\t']);
        }
        if text.len() == before.len() {
            return text;
        }
    }
}

/// A call at the very start of `text`, with its length in bytes.
fn call_at(text: &str, tools: &[String], unknown: Unknown) -> Option<(Found, usize)> {
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let name = text.get(..name_end).filter(|name| !name.is_empty())?;
    let rest = text.get(name_end..)?;
    let inner = rest.strip_prefix('(')?;
    let known = tools.iter().any(|tool| tool == name) || RUNTIME_TOOLS.contains(&name);
    if !known {
        // `name(` in prose is ordinary text; in a tool-call body it is a wrong name.
        let looks_like_call = inner.trim_start().starts_with('{');
        return (unknown == Unknown::Report && looks_like_call)
            .then(|| (Err(unknown_tool(name, tools)), call_length(text, name_end)));
    }
    if inner.trim_start().starts_with(')') {
        let length = name_end + rest.find(')').map_or(rest.len(), |i| i + 1);
        return Some((Ok((name.to_owned(), Data::dict::<String>([]))), length));
    }
    if !inner.trim_start().starts_with('{') {
        let error =
            format!("Tool '{name}' must be called with an object literal argument like {name}({{ ... }}).");
        return Some((Err(error), text.split('\n').next().map_or(text.len(), str::len)));
    }
    match parse_literal_prefix(inner) {
        Ok((arguments, used)) => {
            let after = inner.get(used..).unwrap_or("");
            let close = after.len() - after.trim_start().len();
            let length = name_end + 1 + used + close + usize::from(after.trim_start().starts_with(')'));
            Some((Ok((name.to_owned(), arguments)), length))
        }
        Err(error) => {
            let error = format!("TOOL CALL PARSE ERROR: {name}: {error}");
            Some((Err(error), text.len()))
        }
    }
}

/// The length of a call whose arguments need not be understood: to the end of its literal, else of its line.
fn call_length(text: &str, name_end: usize) -> usize {
    let inner = text.get(name_end + 1..).unwrap_or("");
    match parse_literal_prefix(inner) {
        Ok((_, used)) => name_end + 1 + used + 1,
        Err(_) => text.split('\n').next().map_or(text.len(), str::len),
    }
}

fn unknown_tool(name: &str, tools: &[String]) -> String {
    let mut names: Vec<&str> = tools.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(20);
    format!("Unknown tool '{name}'. Available tools: [{}]", names.join(", "))
}

/// `{"name": ..., "arguments": {...}}` as a whole body.
fn json_call(body: &str, tools: &[String]) -> Option<Found> {
    if !body.starts_with('{') {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(known_call(
        json.get("name")?.as_str()?,
        json.get("arguments").unwrap_or(&serde_json::Value::Null),
        tools,
    ))
}

/// `[{"id": ..., "function": {"name", "arguments"}}]`.
fn openai_array(text: &str, tools: &[String]) -> Vec<Found> {
    if !text.starts_with('[') {
        return Vec::new();
    }
    let Ok(serde_json::Value::Array(items)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let calls: Option<Vec<Found>> = items
        .iter()
        .map(|item| {
            let function = item.get("function")?;
            let arguments = function.get("arguments").unwrap_or(&serde_json::Value::Null);
            Some(known_call(function.get("name")?.as_str()?, arguments, tools))
        })
        .collect();
    calls.unwrap_or_default()
}

fn known_call(name: &str, arguments: &serde_json::Value, tools: &[String]) -> Found {
    if !tools.iter().any(|tool| tool == name) && !RUNTIME_TOOLS.contains(&name) {
        return Err(unknown_tool(name, tools));
    }
    let arguments = match arguments {
        serde_json::Value::Null => Data::dict::<String>([]),
        serde_json::Value::String(text) => {
            parse_literal(text).map_err(|e| format!("TOOL CALL PARSE ERROR: {name}: {e}"))?
        }
        other => Data::from_json(other),
    };
    match arguments {
        Data::Dict(_) => Ok((name.to_owned(), arguments)),
        _ => Err(format!(
            "Tool '{name}' must be called with an object literal argument like {name}({{ ... }})."
        )),
    }
}
