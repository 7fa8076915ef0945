//! Methods of text (spec 02 section 14.1).

use std::sync::Arc;

use super::operate::repeat;
use super::value::Value;
use super::{Flow, Oracle};

impl Oracle {
    pub(super) fn text_method(&self, text: &Arc<str>, method: &str, args: &[Value]) -> Result<Value, Flow> {
        let shown = |at: usize| args.get(at).map(Value::display);
        let given = |at: usize| shown(at).unwrap_or_default();
        let int = |at: usize, default: i64| match args.get(at) {
            Some(Value::Int(n)) => Ok(*n),
            None => Ok(default),
            // The chapter does not say what other types mean.
            Some(_) => Err(Flow::Unsure),
        };
        let chars: Vec<char> = text.chars().collect();
        let length = chars.len() as i64;
        let of = |chars: &[char]| Value::str(chars.iter().collect::<String>());
        let place =
            |byte: Option<usize>| Value::Int(byte.map_or(-1, |byte| text[..byte].chars().count() as i64));
        Ok(match method {
            "count" | "len" => Value::Int(length),
            "empty" => Value::Bool(text.is_empty()),
            "contains" => Value::Bool(text.contains(&given(0))),
            "starts_with" => Value::Bool(text.starts_with(&given(0))),
            "ends_with" => Value::Bool(text.ends_with(&given(0))),
            "index_of" => place(text.find(&given(0))),
            "last_index_of" => place(text.rfind(&given(0))),
            "replace" => match (shown(0), shown(1)) {
                (Some(old), Some(new)) => Value::str(text.replace(&old, &new)),
                _ => Value::Nil,
            },
            "split" => split(text, &shown(0).unwrap_or_else(|| ",".to_owned())),
            "trim" => Value::str(text.trim()),
            "trim_start" => Value::str(text.trim_start()),
            "trim_end" => Value::str(text.trim_end()),
            "lowercase" | "lower" | "to_lower" => Value::str(text.to_lowercase()),
            "uppercase" | "upper" | "to_upper" => Value::str(text.to_uppercase()),
            "substring" => {
                let start = int(0, 0)?.clamp(0, length);
                let end = int(1, length)?.clamp(0, length).max(start);
                of(&chars[start as usize..end as usize])
            }
            "char_at" => match usize::try_from(int(0, 0)?).ok().and_then(|at| chars.get(at)) {
                Some(c) => Value::str(c.to_string()),
                None => Value::Nil,
            },
            "chars" => Value::list(chars.iter().map(|c| Value::str(c.to_string())).collect()),
            "lines" => Value::list(text.lines().map(Value::str).collect()),
            "repeat" => repeat(text, int(0, 1)?)?,
            "reverse" => Value::str(chars.iter().rev().collect::<String>()),
            "pad_left" | "pad_right" => {
                let fill = match shown(1) {
                    None => ' ',
                    Some(fill) => fill.chars().next().ok_or(Flow::Unsure)?,
                };
                let width = int(0, 0)?;
                if width > 10_000 {
                    return Err(Flow::Unsure);
                }
                let padding: String = std::iter::repeat_n(fill, (width - length).max(0) as usize).collect();
                match method {
                    "pad_left" => Value::str(format!("{padding}{text}")),
                    _ => Value::str(format!("{text}{padding}")),
                }
            }
            _ => Value::Nil,
        })
    }
}

/// Pieces between separators, empty ones kept.
pub fn split(text: &str, separator: &str) -> Value {
    Value::list(text.split(separator).map(Value::str).collect())
}
