//! The text tool protocol: how a model without native tool calls says what to run (spec 07 section 4).
//!
//! A reply is a sequence of tagged blocks. [`parse`] never fails: what cannot be understood becomes an error or a
//! violation that the loop reports back to the model. [`visible_text`] is what a person should see of a reply.

mod blocks;
mod calls;
mod literal;
mod visible;

pub use literal::parse_literal;
pub use visible::{strip_thinking, visible_text};

use blocks::{Piece, Tag};
use harn_effect::Data;

/// One tool call of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Distinct within the reply.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments, a dict.
    pub arguments: Data,
}

/// A reply taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Calls in order.
    pub calls: Vec<Call>,
    /// What was wrong with single calls.
    pub errors: Vec<String>,
    /// Breaches of the block structure.
    pub violations: Vec<String>,
    /// User responses joined by a blank line, else the assistant prose; none when the reply has neither.
    pub prose: Option<String>,
    /// User responses joined by a blank line.
    pub user_response: Option<String>,
    /// The body of the last `<done>` block that had one.
    pub done: Option<String>,
    /// The recognised blocks re-emitted; empty when there is none. This is what enters the history.
    pub canonical: String,
}

/// Whether a reply uses the protocol at all: one of its tags appears (spec 07 section 1.5).
pub fn mentions_protocol(text: &str) -> bool {
    ["<assistant_prose>", "<user_response>", "<done>", "<tool_call>"].iter().any(|tag| text.contains(tag))
}

/// Takes a reply apart. `tools` are the names that calls may use; linear in the length of the text.
pub fn parse(text: &str, tools: &[String]) -> Reply {
    let text = strip_thinking(text);
    let mut reply = Reply::default();
    let mut canonical: Vec<String> = Vec::new();
    let mut responses: Vec<String> = Vec::new();
    let mut prose: Vec<String> = Vec::new();
    for piece in blocks::split(&text) {
        match piece {
            Piece::Block(Tag::ToolCall, body) => match calls::in_body(body, tools) {
                Ok((name, arguments)) => take_call(&mut reply, &mut canonical, name, arguments),
                Err(error) => reply.errors.push(error),
            },
            Piece::Block(Tag::UserResponse, body) => {
                responses.push(body.trim().to_owned());
                canonical.push(format!("<user_response>\n{}\n</user_response>", body.trim()));
            }
            Piece::Block(Tag::AssistantProse, body) => {
                prose.push(body.trim().to_owned());
                canonical.push(format!("<assistant_prose>\n{}\n</assistant_prose>", body.trim()));
            }
            Piece::Block(Tag::Done, body) if body.trim().is_empty() => {
                reply
                    .violations
                    .push("Empty <done> block: put the completion sentinel inside it.".to_owned());
            }
            Piece::Block(Tag::Done, body) => {
                reply.done = Some(body.trim().to_owned());
                canonical.push(format!("<done>{}</done>", body.trim()));
            }
            Piece::Unclosed(tag) => {
                reply.violations.push(format!("Unclosed <{tag}> tag: every block needs its closing tag."));
            }
            Piece::Unknown(tag) => {
                reply.violations.push(format!(
                    "Unknown tag <{tag}>: use only <tool_call>, <assistant_prose>, <user_response> and <done>."
                ));
            }
            Piece::Stray(stray) => take_stray(&mut reply, &mut canonical, stray, tools),
        }
    }
    reply.canonical = canonical.join("\n\n");
    if !responses.is_empty() {
        reply.user_response = Some(responses.join("\n\n"));
    }
    reply.prose = reply.user_response.clone().or_else(|| (!prose.is_empty()).then(|| prose.join("\n\n")));
    reply
}

fn take_call(reply: &mut Reply, canonical: &mut Vec<String>, name: String, arguments: Data) {
    canonical.push(format!("<tool_call>\n{}\n</tool_call>", canonical_call(&name, &arguments)));
    reply.calls.push(Call { id: format!("tc_{}", reply.calls.len()), name, arguments });
}

/// `name(<pretty JSON>)`.
fn canonical_call(name: &str, arguments: &Data) -> String {
    let json = serde_json::to_string_pretty(&arguments.to_json()).unwrap_or_else(|_| "{}".to_owned());
    format!("{name}({json})")
}

/// Text outside the tags: calls in it run all the same, with a violation; anything else is only a violation.
fn take_stray(reply: &mut Reply, canonical: &mut Vec<String>, stray: &str, tools: &[String]) {
    let found = calls::in_prose(stray, tools);
    if found.is_empty() {
        let start: String = stray.trim().chars().take(120).collect();
        reply.violations.push(format!(
            "Stray text outside response tags: \"{start}\". Put prose in <assistant_prose> or <user_response> and calls in <tool_call>."
        ));
        return;
    }
    reply.violations.push(
        "Tool call outside <tool_call> tags: it was executed, but every call belongs in a <tool_call> block of its own."
            .to_owned(),
    );
    for call in found {
        match call {
            Ok((name, arguments)) => take_call(reply, canonical, name, arguments),
            Err(error) => reply.errors.push(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Vec<String> {
        vec!["look".to_owned(), "save".to_owned()]
    }

    #[test]
    fn a_tagged_call_is_found_and_re_emitted_with_pretty_json() {
        let reply = parse("<tool_call>\nlook({ what: 'cat' })\n</tool_call>", &tools());
        assert_eq!(reply.calls.len(), 1);
        assert_eq!(reply.calls[0].arguments.field("what").as_str(), Some("cat"));
        assert_eq!(reply.canonical, "<tool_call>\nlook({\n  \"what\": \"cat\"\n})\n</tool_call>");
        assert!(reply.violations.is_empty() && reply.errors.is_empty());
    }

    #[test]
    fn each_call_of_a_turn_has_its_own_id() {
        let text = "<tool_call>\nlook({})\n</tool_call>\n<tool_call>\nsave({})\n</tool_call>";
        let ids: Vec<String> = parse(text, &tools()).calls.into_iter().map(|call| call.id).collect();
        assert_eq!(ids, ["tc_0", "tc_1"]);
    }

    #[test]
    fn a_bare_call_runs_with_a_violation() {
        let reply = parse("look({ what: \"fox\" })", &tools());
        assert_eq!(reply.calls[0].name, "look");
        assert_eq!(reply.violations.len(), 1);
    }

    #[test]
    fn a_call_written_as_a_tag_runs_with_a_violation() {
        let reply = parse("<look({what: 1})>", &tools());
        assert_eq!(reply.calls[0].arguments.field("what").as_int(), Some(1));
        assert_eq!(reply.violations.len(), 1);
    }

    #[test]
    fn two_calls_in_one_block_are_an_error() {
        let reply = parse("<tool_call>\nlook({})\nsave({})\n</tool_call>", &tools());
        assert!(reply.calls.is_empty());
        assert_eq!(
            reply.errors,
            ["<tool_call> body contained 2 calls; emit one call per <tool_call> block."]
        );
    }

    #[test]
    fn an_unknown_tool_names_what_there_is() {
        let reply = parse("<tool_call>\nfly({})\n</tool_call>", &tools());
        assert_eq!(reply.errors, ["Unknown tool 'fly'. Available tools: [look, save]"]);
    }

    #[test]
    fn a_json_body_is_accepted() {
        let text = "<tool_call>{\"name\": \"look\", \"arguments\": {\"what\": \"cat\"}}</tool_call>";
        assert_eq!(parse(text, &tools()).calls[0].name, "look");
    }

    #[test]
    fn an_array_of_openai_calls_is_accepted() {
        let text =
            "[{\"id\": \"1\", \"function\": {\"name\": \"look\", \"arguments\": \"{\\\"what\\\": 2}\"}}]";
        assert_eq!(parse(text, &tools()).calls[0].arguments.field("what").as_int(), Some(2));
    }

    #[test]
    fn fences_and_prefixes_around_a_call_are_dropped() {
        let text = "<tool_call>\n```python\ntool: look({})\n```\n</tool_call>";
        assert_eq!(parse(text, &tools()).calls.len(), 1);
    }

    #[test]
    fn responses_win_over_prose() {
        let reply = parse(
            "<assistant_prose>thinking</assistant_prose>\n<user_response>A cat.</user_response>\n<done>##DONE##</done>",
            &tools(),
        );
        assert_eq!(reply.prose.as_deref(), Some("A cat."));
        assert_eq!(reply.done.as_deref(), Some("##DONE##"));
        assert!(
            reply.canonical.ends_with("<user_response>\nA cat.\n</user_response>\n\n<done>##DONE##</done>")
        );
    }

    #[test]
    fn stray_text_is_a_violation_with_its_beginning() {
        let reply = parse("hello there", &tools());
        assert!(reply.violations[0].starts_with("Stray text outside response tags: \"hello there\""));
        assert_eq!(reply.canonical, "");
    }

    #[test]
    fn unclosed_and_unknown_tags_are_violations() {
        let reply = parse("<tool_call>\nlook({})", &tools());
        assert!(reply.violations.iter().any(|v| v.contains("Unclosed <tool_call>")));
        let reply = parse("<plan>x</plan>", &tools());
        assert!(reply.violations.iter().any(|v| v.contains("Unknown tag <plan>")));
    }

    #[test]
    fn a_heredoc_body_is_raw() {
        let text =
            "<tool_call>\nsave({ path: \"a.txt\", body: <<EOF\nline \"one\"\n  `two`\nEOF\n})\n</tool_call>";
        let reply = parse(text, &tools());
        assert_eq!(reply.errors, Vec::<String>::new());
        assert_eq!(reply.calls[0].arguments.field("body").as_str(), Some("line \"one\"\n  `two`"));
    }
}
