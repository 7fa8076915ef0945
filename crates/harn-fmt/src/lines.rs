//! Things that stand on lines of their own, with the comments around them.

use crate::Formatter;
use crate::comments::{Comment, doc_lines};
use crate::layout::Layout;

/// Something that takes lines of its own: a statement, an arm, a field.
pub struct Entry {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// How it is printed.
    pub layout: Layout,
}

/// A piece of a list of lines: an entry, or comments before one.
pub struct Chunk {
    /// The source line on which it begins.
    pub first_line: u32,
    /// The source line on which it ends.
    pub last_line: u32,
    /// How it is printed.
    pub layout: Layout,
}

impl Formatter<'_> {
    /// Entries between `start` and `end`, one below the other with their comments; at most one empty line is kept
    /// between two. None when there is nothing.
    pub fn lines(&self, start: u32, end: u32, entries: Vec<Entry>) -> Option<Layout> {
        let mut chunks = Vec::new();
        let mut from = start;
        for entry in entries {
            chunks.extend(self.comment_chunks(self.comments_before(from, &entry), true));
            chunks.push(self.entry_chunk(entry, end, &mut from));
        }
        chunks.extend(self.comment_chunks(self.comments.take(from, end), true));
        let mut parts = Vec::new();
        let mut last_line: Option<u32> = None;
        for chunk in chunks {
            if let Some(last) = last_line {
                let apart = chunk.first_line > last + 1;
                parts.push(if apart { Layout::blank_line() } else { Layout::hard_line() });
            }
            last_line = Some(chunk.last_line);
            parts.push(chunk.layout);
        }
        (!parts.is_empty()).then(|| Layout::concat(parts))
    }

    /// Takes the comments before an entry, then those inside it that found no place. The entry is laid out already.
    pub fn comments_before(&self, from: u32, entry: &Entry) -> Vec<Comment> {
        let line = self.line_of(entry.start);
        let mut comments = self.comments.take(from, entry.start);
        let inside = self.comments.take(entry.start, entry.end).into_iter();
        comments.extend(inside.map(|comment| comment.displaced_to(line)));
        comments
    }

    /// An entry with the comments behind it on its line; `from` moves behind them.
    pub fn entry_chunk(&self, entry: Entry, end: u32, from: &mut u32) -> Chunk {
        let mut layout = entry.layout;
        let mut last_line = self.line_of(entry.end);
        *from = entry.end;
        for comment in self.trailing(entry.end, end) {
            let text = self.source.slice(comment.span);
            layout = Layout::concat([layout, Layout::text(" "), Layout::text(text.trim_end())]);
            last_line = comment.last_line;
            *from = comment.span.end;
        }
        Chunk { first_line: self.line_of(entry.start), last_line, layout }
    }

    /// Takes the comments that end the line on which something ended at `offset`.
    pub fn trailing(&self, offset: u32, end: u32) -> Vec<Comment> {
        let line = self.line_of(offset);
        self.comments.take_if(offset, end, |comment| {
            !comment.own_line && comment.ends_line && self.line_of(comment.span.start) == line
        })
    }

    /// Comments on lines of their own. Documentation that will stand on adjacent lines becomes one block: `gaps` tells
    /// whether empty lines between comments are kept.
    pub fn comment_chunks(&self, comments: Vec<Comment>, gaps: bool) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut rest = comments.into_iter().peekable();
        while let Some(comment) = rest.next() {
            let (first_line, mut last_line) = (comment.first_line, comment.last_line);
            let mut run = vec![comment];
            let begins_doc = run.iter().all(Comment::is_doc);
            while begins_doc
                && let Some(next) =
                    rest.next_if(|next| next.is_doc() && !(gaps && next.first_line > last_line + 1))
            {
                last_line = next.last_line;
                run.push(next);
            }
            let layout = if begins_doc { self.doc(&run) } else { self.verbatim(&run) };
            chunks.push(Chunk { first_line, last_line, layout });
        }
        chunks
    }

    /// Comments as written, one below the other.
    fn verbatim(&self, comments: &[Comment]) -> Layout {
        let mut parts = Vec::new();
        for comment in comments {
            if !parts.is_empty() {
                parts.push(Layout::hard_line());
            }
            parts.push(Layout::text(self.source.slice(comment.span).trim_end()));
        }
        Layout::concat(parts)
    }

    /// A run of documentation comments as one block.
    fn doc(&self, run: &[Comment]) -> Layout {
        let Some(lines) = doc_lines(run, self.source) else {
            return self.verbatim(run);
        };
        let mut parts = vec![Layout::text("/**")];
        for line in &lines {
            parts.push(Layout::hard_line());
            parts.push(Layout::text(if line.is_empty() { " *".to_string() } else { format!(" * {line}") }));
        }
        parts.extend([Layout::hard_line(), Layout::text(" */")]);
        let block = Layout::concat(parts);
        match lines.as_slice() {
            [] => Layout::text("/** */"),
            [line] => Layout::choice(Layout::text(format!("/** {} */", line.trim())), block.clone(), block),
            _ => block,
        }
    }
}
