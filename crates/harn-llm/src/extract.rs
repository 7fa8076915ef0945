//! Finds JSON in what a model wrote (spec 07 section 1.7.1, spec 05 section 5.4).

use harn_effect::Data;
use serde_json::Value as Json;

use crate::reply::Reply;

/// JSON found in a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The value.
    pub data: Data,
    /// Whether it was lifted out of something that was not pure JSON.
    pub lifted: bool,
}

/// The first candidate of a reply that parses: the text, then the arguments of each tool call.
pub fn from_reply(reply: &Reply) -> Option<Found> {
    from_text(&reply.text).or_else(|| {
        let mut arguments = reply.tool_calls.iter().map(|call| &call.arguments);
        let data = arguments.find(|data| data.field("__parse_error").is_nil())?.clone();
        Some(Found { data, lifted: true })
    })
}

/// Pure JSON; else the content of the first fence, the first balanced object, the first balanced array.
pub fn from_text(text: &str) -> Option<Found> {
    let trimmed = text.trim();
    if let Some(data) = parse(trimmed) {
        return Some(Found { data, lifted: false });
    }
    let lifted = |data| Found { data, lifted: true };
    if let Some(data) = fence(trimmed).and_then(|inside| parse(inside.trim())) {
        return Some(lifted(data));
    }
    [('{', '}'), ('[', ']')]
        .into_iter()
        .find_map(|(open, close)| balanced(trimmed, open, close).and_then(parse))
        .map(lifted)
}

fn parse(text: &str) -> Option<Data> {
    serde_json::from_str::<Json>(text).ok().map(|json| Data::from_json(&json))
}

/// The content of the first fence, after its info line.
fn fence(text: &str) -> Option<&str> {
    let after = text.split_once("```")?.1;
    let body = after.split_once('\n')?.1;
    Some(body.split_once("```").map_or(body, |(inside, _)| inside))
}

/// The first run from `open` to its matching `close`; brackets in strings do not count.
fn balanced(text: &str, open: char, close: char) -> Option<&str> {
    let start = text.find(open)?;
    let tail = text.get(start..)?;
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, c) in tail.char_indices() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        } else if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return tail.get(..at + c.len_utf8());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, bool)> {
        from_text(text).map(|found| (found.data.to_json().to_string(), found.lifted))
    }

    #[test]
    fn json_is_lifted_out_of_fences_and_prose() {
        assert_eq!(found(" {\"n\": 3} "), Some((r#"{"n":3}"#.into(), false)));
        assert_eq!(found("```json\n{\"n\": 1}\n```"), Some((r#"{"n":1}"#.into(), true)));
        assert_eq!(found("Sure: {\"a\": \"}\"} bye"), Some((r#"{"a":"}"}"#.into(), true)));
        assert_eq!(found("list [1, [2]]"), Some(("[1,[2]]".into(), true)));
        assert_eq!(found("none { here"), None);
    }
}
