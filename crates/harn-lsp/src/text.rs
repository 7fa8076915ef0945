//! Offsets and positions. An editor counts lines from 0 and, within a line, UTF-16 units (or bytes, if it says so); the
//! front end counts bytes.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

/// What the character of a position counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 units, what every editor understands.
    Utf16,
}

/// The starts of a text's lines. A line ends with `\n`, `\r\n` or a lone `\r`, as the protocol says.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Linear in the text.
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (i, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(i + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(i as u32 + 1);
            }
        }
        LineIndex { starts }
    }

    /// The position of a byte offset; past the end it is the end's.
    pub fn position(&self, text: &str, offset: u32, encoding: Encoding) -> Position {
        let offset = offset.min(text.len() as u32);
        let line = self.starts.partition_point(|s| *s <= offset).max(1) - 1;
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = text.get(start as usize..offset as usize).unwrap_or("");
        let character = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 if before.is_ascii() => before.len(),
            Encoding::Utf16 => before.chars().map(char::len_utf16).sum(),
        };
        Position { line: line as u32, character: character as u32 }
    }

    /// The range of a span.
    pub fn range(&self, text: &str, span: harn_syntax::Span, encoding: Encoding) -> Range {
        Range {
            start: self.position(text, span.start, encoding),
            end: self.position(text, span.end, encoding),
        }
    }

    /// The byte offset of a position: past a line's end it is the line's end, past the last line the text's end,
    /// inside a character its start.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> u32 {
        let Some(start) = self.starts.get(position.line as usize).copied() else { return text.len() as u32 };
        let end = self.starts.get(position.line as usize + 1).copied().unwrap_or(text.len() as u32);
        let line = text.get(start as usize..end as usize).unwrap_or("").trim_end_matches(['\n', '\r']);
        let wanted = position.character as usize;
        let mut units = 0;
        for (i, c) in line.char_indices() {
            let size = match encoding {
                Encoding::Utf8 => c.len_utf8(),
                Encoding::Utf16 => c.len_utf16(),
            };
            if units + size > wanted {
                return start + i as u32;
            }
            units += size;
        }
        start + line.len() as u32
    }
}

/// Applies one change of a `didChange` to a text.
pub fn apply(text: &mut String, change: &TextDocumentContentChangeEvent, encoding: Encoding) {
    let Some(range) = change.range else {
        text.clone_from(&change.text);
        return;
    };
    let lines = LineIndex::new(text);
    let start = lines.offset(text, range.start, encoding) as usize;
    let end = (lines.offset(text, range.end, encoding) as usize).max(start);
    text.replace_range(start..end, &change.text);
}

/// The one edit that makes `new` of `old`: what is equal at both ends stays. Nothing when they are equal.
pub fn difference<'n>(old: &str, new: &'n str) -> Option<(harn_syntax::Span, &'n str)> {
    if old == new {
        return None;
    }
    let mut start = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let most = old.len().min(new.len()) - start;
    let mut tail = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(old.len() - tail) || !new.is_char_boundary(new.len() - tail) {
        tail -= 1;
    }
    let span = harn_syntax::Span::new(start as u32, (old.len() - tail) as u32);
    Some((span, new.get(start..new.len() - tail).unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn a_character_outside_the_first_plane_counts_two_units() {
        let text = "let x = \"😀\" + y\n";
        let lines = LineIndex::new(text);
        let offset = text.find('y').unwrap() as u32;
        assert_eq!(lines.position(text, offset, Encoding::Utf16), position(0, 15));
        assert_eq!(lines.offset(text, position(0, 15), Encoding::Utf16), offset);
        assert_eq!(lines.offset(text, position(0, 10), Encoding::Utf16), 9, "inside the pair");
    }

    #[test]
    fn positions_past_the_end_are_clamped() {
        let text = "ab\r\ncd";
        let lines = LineIndex::new(text);
        assert_eq!(lines.offset(text, position(0, 99), Encoding::Utf16), 2);
        assert_eq!(lines.offset(text, position(9, 0), Encoding::Utf16), 6);
    }

    #[test]
    fn the_difference_keeps_both_ends() {
        assert_eq!(difference("abc", "abc"), None);
        let (span, text) = difference("let é = 1", "let è = 1").unwrap();
        assert_eq!((span.start, span.end, text), (4, 6, "è"));
    }
}
