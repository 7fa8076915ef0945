//! The argument grammar of text calls: object literals as models write them (spec 07 section 4).
//!
//! Identifier or quoted keys, trailing commas, comments, three kinds of quotes, raw newlines inside quotes, and
//! heredocs `<<TAG ... TAG` whose body is taken raw.

use harn_effect::Data;
use std::collections::BTreeMap;

/// Nesting beyond this is refused: no tool takes such arguments, and the parser recurses.
const MAX_DEPTH: usize = 128;

/// Parses a whole text as one literal.
///
/// # Errors
/// One sentence with the line of the first thing that could not be understood.
pub fn parse_literal(text: &str) -> Result<Data, String> {
    let (value, used) = parse_literal_prefix(text)?;
    match text.get(used..).map(str::trim) {
        Some("") | None => Ok(value),
        Some(rest) => {
            Err(format!("unexpected text after the value: {:?}", rest.chars().take(20).collect::<String>()))
        }
    }
}

/// Parses a literal at the start of `text`; also tells how many bytes it took.
pub(super) fn parse_literal_prefix(text: &str) -> Result<(Data, usize), String> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    Ok((value, parser.at))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let hit = self.peek() == Some(expected);
        if hit {
            self.at += expected.len_utf8();
        }
        hit
    }

    fn error<T>(&self, what: &str) -> Result<T, String> {
        let line = self.text.get(..self.at).map_or(1, |before| before.matches('\n').count() + 1);
        let found = match self.peek() {
            Some(c) => format!("{c:?}"),
            None => "the end".to_owned(),
        };
        Err(format!("line {line}: expected {what}, found {found}"))
    }

    /// Skips blanks and comments.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").map_or(trimmed.len(), |i| i + 2);
            } else {
                return;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Data, String> {
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels of nesting"));
        }
        self.blanks();
        match self.peek() {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some(quote @ ('"' | '\'' | '`')) => Ok(Data::Str(self.quoted(quote)?)),
            Some('<') if self.rest().starts_with("<<") => self.heredoc(),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number(),
            Some(c) if c.is_alphabetic() => self.word(),
            _ => self.error("a value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Data, String> {
        self.take('{');
        let mut fields = BTreeMap::new();
        loop {
            self.blanks();
            if self.take('}') {
                return Ok(Data::Dict(fields));
            }
            let key = match self.peek() {
                Some(quote @ ('"' | '\'' | '`')) => self.quoted(quote)?,
                _ => self.key()?,
            };
            self.blanks();
            if !self.take(':') {
                return self.error("`:` after a key");
            }
            let value = self.value(depth + 1)?;
            fields.insert(key, value);
            self.blanks();
            if !self.take(',') && self.peek() != Some('}') {
                return self.error("`,` or `}`");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Data, String> {
        self.take('[');
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.take(']') {
                return Ok(Data::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.blanks();
            if !self.take(',') && self.peek() != Some(']') {
                return self.error("`,` or `]`");
            }
        }
    }

    fn key(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))).unwrap_or(rest.len());
        match rest.get(..end) {
            Some(key) if !key.is_empty() => {
                self.at += end;
                Ok(key.to_owned())
            }
            _ => self.error("a key"),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.take(quote);
        let mut out = String::new();
        loop {
            let Some(c) = self.peek() else {
                return self.error(&format!("the closing {quote}"));
            };
            self.at += c.len_utf8();
            if c == quote {
                return Ok(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let Some(escaped) = self.peek() else {
                return self.error("a character after `\\`");
            };
            self.at += escaped.len_utf8();
            match escaped {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                '0' => out.push('\0'),
                'u' => out.push(self.unicode_escape()?),
                '\n' => {}
                other => out.push(other),
            }
        }
    }

    /// The rest of `\uXXXX`, joining a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, String> {
        let high = self.hex4()?;
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or('\u{FFFD}'));
        }
        if !self.rest().starts_with("\\u") {
            return Ok('\u{FFFD}');
        }
        self.at += 2;
        let low = self.hex4()?;
        let joined = 0x10000 + ((high - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
        Ok(char::from_u32(joined).unwrap_or('\u{FFFD}'))
    }

    fn hex4(&mut self) -> Result<u32, String> {
        match self.rest().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.error("four hex digits"),
        }
    }

    fn number(&mut self) -> Result<Data, String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_')))
            .unwrap_or(rest.len());
        let text: String = rest.get(..end).unwrap_or("").chars().filter(|c| *c != '_').collect();
        let value = match text.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok().map(Data::Int),
            None => text.parse().ok().map(Data::Int).or_else(|| text.parse().ok().map(Data::Float)),
        };
        match value {
            Some(value) => {
                self.at += end;
                Ok(value)
            }
            None => self.error("a number"),
        }
    }

    fn word(&mut self) -> Result<Data, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let value = match rest.get(..end) {
            Some("true" | "True") => Data::Bool(true),
            Some("false" | "False") => Data::Bool(false),
            Some("null" | "undefined" | "None" | "nil") => Data::Nil,
            _ => return self.error("a value"),
        };
        self.at += end;
        Ok(value)
    }

    /// `<<TAG newline body newline TAG`: the closing tag may be indented and followed by punctuation.
    fn heredoc(&mut self) -> Result<Data, String> {
        let after = self.rest().get(2..).unwrap_or("");
        let Some((header, body)) = after.split_once('\n') else {
            return self.error("a newline after the heredoc's tag");
        };
        let tag = header.trim().trim_matches(['"', '\'']);
        if tag.is_empty() || !tag.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return self.error("a heredoc tag");
        }
        let mut offset = 0usize;
        for line in body.split('\n') {
            let closes = line
                .trim_start()
                .strip_prefix(tag)
                .filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
            if let Some(rest) = closes {
                let text = body.get(..offset.saturating_sub(1)).unwrap_or("");
                let consumed = after.len() - body.len() + offset + line.len() - rest.len();
                self.at += 2 + consumed;
                return Ok(Data::Str(text.strip_suffix('\r').unwrap_or(text).to_owned()));
            }
            offset += line.len() + 1;
        }
        Err(format!("the heredoc <<{tag} is never closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_may_be_written_as_models_write_them() {
        let value =
            parse_literal("{ a: 1, 'b': [true, null,], `c`: \"x\\ny\", // note\n d: -2.5, }").unwrap();
        assert_eq!(value.to_json().to_string(), r#"{"a":1,"b":[true,null],"c":"x\ny","d":-2.5}"#);
    }

    #[test]
    fn a_heredoc_may_be_indented_and_followed_by_punctuation() {
        let value = parse_literal("{ body: <<END\na\n  b\n  END, n: 1 }").unwrap();
        assert_eq!(value.field("body").as_str(), Some("a\n  b"));
        assert_eq!(value.field("n").as_int(), Some(1));
    }

    #[test]
    fn an_empty_heredoc_is_the_empty_text() {
        assert_eq!(parse_literal("<<E\nE").unwrap(), Data::from(""));
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(parse_literal("{\n a: 1\n b: 2 }").unwrap_err(), "line 3: expected `,` or `}`, found 'b'");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse_literal(&"[".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_without_panic(text in "[\\[\\]{}:,'\"`<a-c\\\\ \\n0-9.-]{0,40}") {
            let _ = parse_literal(&text);
            let _ = super::super::parse(&text, &["a".to_owned()]);
        }
    }
}
