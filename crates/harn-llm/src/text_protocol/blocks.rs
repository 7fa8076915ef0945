//! Cuts a reply into its top-level blocks.

/// The four tags of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    ToolCall,
    AssistantProse,
    UserResponse,
    Done,
}

const TAGS: [(&str, Tag); 4] = [
    ("tool_call", Tag::ToolCall),
    ("assistant_prose", Tag::AssistantProse),
    ("user_response", Tag::UserResponse),
    ("done", Tag::Done),
];

/// A top-level part of a reply.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// A tag of the protocol with what stands between opening and closing tag.
    Block(Tag, &'a str),
    /// A tag of the protocol that is never closed.
    Unclosed(&'static str),
    /// A tag that the protocol does not know.
    Unknown(&'a str),
    /// Text outside all tags, not blank.
    Stray(&'a str),
}

/// The pieces of `text` in order. A closing tag inside a heredoc or string of a call ends the block all the same,
/// except that a `<tool_call>` body takes the last closing tag before the next opening one.
pub(super) fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut stray_from = 0;
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')).map(|i| at + i) {
        let Some((name, after_open)) = tag_at(text, open) else {
            at = open + 1;
            continue;
        };
        let known = TAGS.iter().find(|(known, _)| *known == name);
        let Some((name, tag)) = known else {
            if name.starts_with('/') || !is_unknown_block(text, name, after_open) {
                at = open + 1;
                continue;
            }
            push_stray(&mut pieces, text, stray_from, open);
            let close = format!("</{name}>");
            let end = text
                .get(after_open..)
                .and_then(|rest| rest.find(&close))
                .map(|i| after_open + i + close.len());
            pieces.push(Piece::Unknown(name));
            at = end.unwrap_or(after_open);
            stray_from = at;
            continue;
        };
        push_stray(&mut pieces, text, stray_from, open);
        match closing(text, after_open, name, *tag) {
            Some((body_end, after_close)) => {
                pieces.push(Piece::Block(*tag, text.get(after_open..body_end).unwrap_or("")));
                at = after_close;
            }
            None => {
                pieces.push(Piece::Unclosed(name));
                at = after_open;
            }
        }
        stray_from = at;
    }
    push_stray(&mut pieces, text, stray_from, text.len());
    pieces
}

fn push_stray<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str, from: usize, to: usize) {
    let stray = text.get(from..to).unwrap_or("");
    if !stray.trim().is_empty() {
        pieces.push(Piece::Stray(stray));
    }
}

/// The name of the tag whose `<` stands at `open`, and the offset behind its `>`.
fn tag_at(text: &str, open: usize) -> Option<(&str, usize)> {
    let rest = text.get(open + 1..)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '/'))?;
    let name = rest.get(..end)?;
    (rest.get(end..)?.starts_with('>') && !name.is_empty()).then_some((name, open + 1 + end + 1))
}

/// A foreign tag counts as a block only when it is closed later: `<b>` in a sentence is no block.
fn is_unknown_block(text: &str, name: &str, after_open: usize) -> bool {
    text.get(after_open..).is_some_and(|rest| rest.contains(&format!("</{name}>")))
}

/// Where the body ends and what follows the closing tag starts.
fn closing(text: &str, from: usize, name: &str, tag: Tag) -> Option<(usize, usize)> {
    let close = format!("</{name}>");
    let rest = text.get(from..)?;
    let first = rest.find(&close)?;
    let end = if tag == Tag::ToolCall {
        // A call may carry text that contains the closing tag: take the last one that is followed by the end of the
        // reply or by another block of the protocol.
        let limit = rest.find("<tool_call>").unwrap_or(rest.len());
        rest.match_indices(&close)
            .map(|(i, _)| i)
            .take_while(|i| *i < limit)
            .find(|i| followed_by_block(rest.get(i + close.len()..).unwrap_or("")))
            .unwrap_or(first)
    } else {
        first
    };
    Some((from + end, from + end + close.len()))
}

fn followed_by_block(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty()
        || TAGS.iter().any(|(name, _)| rest.strip_prefix('<').is_some_and(|r| r.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_stray_text_come_in_order() {
        let pieces = split("hi <done>x</done> there");
        assert_eq!(pieces, [Piece::Stray("hi "), Piece::Block(Tag::Done, "x"), Piece::Stray(" there")]);
    }

    #[test]
    fn a_closing_tag_inside_a_call_does_not_end_it() {
        let text = "<tool_call>\nsave({body: \"a </tool_call> b\"})\n</tool_call>";
        assert_eq!(split(text), [Piece::Block(Tag::ToolCall, "\nsave({body: \"a </tool_call> b\"})\n")]);
    }

    #[test]
    fn markup_in_a_sentence_is_stray_text() {
        assert_eq!(split("a <b> c"), [Piece::Stray("a <b> c")]);
    }
}
