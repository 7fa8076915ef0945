//! Sources, byte spans and positions.

use std::sync::Arc;

/// A half-open range of bytes of one source file. Offsets fit in `u32`: a file is at most 4 GiB (and refused far below).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of the bytes `start..end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place as a person reads it: both numbers start at 1; a column counts Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// The text of one file, with the path as it was given and the starts of its lines.
#[derive(Clone, Debug)]
pub struct Source {
    path: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl Source {
    /// Indexes `text`; linear in its length.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i as u32 + 1)).collect();
        Self { path: path.into(), text, line_starts: starts }
    }

    /// The path exactly as the user gave it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the lines begin, in bytes, the first at 0.
    pub fn line_starts(&self) -> &[u32] {
        &self.line_starts
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under a span; empty when the span does not lie on character boundaries inside the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a byte offset; offsets past the end count as the end. O(log lines + line length).
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count());
        Position { line: line as u32, column: column as u32 + 1 }
    }

    /// The line of a byte offset, from 1. O(log lines).
    pub fn line_number(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|start| *start <= offset).max(1) as u32
    }

    /// The text of a line (from 1) without its terminator; none past the last line, and none for the empty
    /// remainder after a final newline.
    pub fn line(&self, line: u32) -> Option<&str> {
        let start = *self.line_starts.get((line as usize).checked_sub(1)?)? as usize;
        let rest = self.text.get(start..)?;
        if rest.is_empty() {
            return None;
        }
        let text = rest.split('\n').next()?;
        Some(text.strip_suffix('\r').unwrap_or(text))
    }

    /// How many lines the text has, counting an empty remainder after a final newline.
    pub fn line_count(&self) -> u32 {
        self.line_starts.len() as u32
    }
}
