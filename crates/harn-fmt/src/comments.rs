//! Comments: where they stand, which are still to be placed, and their canonical text.

use harn_syntax::{Parsed, Source, Span, TokenKind};
use std::cell::RefCell;

/// A comment of the source.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Which kind of comment token.
    pub kind: TokenKind,
    /// Where.
    pub span: Span,
    /// Only blanks stand before it on its line.
    pub own_line: bool,
    /// Nothing but comments and blanks follow it on its line.
    pub ends_line: bool,
    /// The source line on which it begins.
    pub first_line: u32,
    /// The source line on which it ends.
    pub last_line: u32,
}

impl Comment {
    /// The comment as one that stands on `line` by itself, for it found no place inside what begins there.
    pub fn displaced_to(self, line: u32) -> Comment {
        Comment { own_line: true, first_line: line, last_line: line, ..self }
    }

    /// Whether it is documentation.
    pub fn is_doc(&self) -> bool {
        matches!(self.kind, TokenKind::DocLine | TokenKind::DocBlock)
    }
}

/// The comments of a file, in order, each handed out once.
pub struct Comments {
    all: Vec<Comment>,
    taken: RefCell<Vec<bool>>,
}

impl Comments {
    /// The comments of a parsed source.
    pub fn new(parsed: &Parsed, source: &Source) -> Comments {
        let mut all: Vec<Comment> = Vec::new();
        let mut line_begins = true;
        // The first comment of the run of comments that goes on.
        let mut run = 0;
        for token in &parsed.tokens {
            match token.kind {
                TokenKind::Whitespace | TokenKind::Bom | TokenKind::Continuation => {}
                TokenKind::Newline => {
                    line_begins = true;
                    for comment in all.iter_mut().skip(run) {
                        comment.ends_line = true;
                    }
                    run = all.len();
                }
                TokenKind::LineComment
                | TokenKind::DocLine
                | TokenKind::BlockComment
                | TokenKind::DocBlock => {
                    all.push(Comment {
                        kind: token.kind,
                        span: token.span,
                        own_line: line_begins,
                        ends_line: false,
                        first_line: source.line_number(token.span.start),
                        last_line: source.line_number(token.span.end),
                    });
                }
                _ => {
                    line_begins = false;
                    run = all.len();
                }
            }
        }
        for comment in all.iter_mut().skip(run) {
            comment.ends_line = true;
        }
        let taken = RefCell::new(vec![false; all.len()]);
        Comments { all, taken }
    }

    /// Takes the comments not yet taken that begin in `start..end`.
    pub fn take(&self, start: u32, end: u32) -> Vec<Comment> {
        self.take_if(start, end, |_| true)
    }

    /// Takes those of them that `wanted` accepts, up to the first that it does not.
    pub fn take_if(&self, start: u32, end: u32, wanted: impl Fn(&Comment) -> bool) -> Vec<Comment> {
        let mut found = Vec::new();
        let mut taken = self.taken.borrow_mut();
        let first = self.all.partition_point(|comment| comment.span.start < start);
        for (index, comment) in self.all.iter().enumerate().skip(first) {
            if comment.span.start >= end {
                break;
            }
            let Some(flag) = taken.get_mut(index) else { break };
            if *flag {
                continue;
            }
            if !wanted(comment) {
                break;
            }
            *flag = true;
            found.push(comment.clone());
        }
        found
    }

    /// Whether a comment not yet taken begins in `start..end`.
    pub fn any(&self, start: u32, end: u32) -> bool {
        let taken = self.taken.borrow();
        let first = self.all.partition_point(|comment| comment.span.start < start);
        let mut rest = self.all.iter().zip(taken.iter()).skip(first);
        rest.by_ref().take_while(|(comment, _)| comment.span.start < end).any(|(_, taken)| !taken)
    }
}

/// The lines of a run of documentation comments, without their frames; none when a line could not stand in a block.
pub fn doc_lines(comments: &[Comment], source: &Source) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for comment in comments {
        let text = source.slice(comment.span);
        if comment.kind == TokenKind::DocLine {
            let line = text.strip_prefix("///").unwrap_or(text);
            lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_string());
            continue;
        }
        let inner = text.strip_prefix("/**").and_then(|t| t.strip_suffix("*/")).unwrap_or(text);
        for (index, line) in inner.split('\n').enumerate() {
            let line = if index == 0 {
                line.trim_start()
            } else {
                let line = line.trim_start();
                let line = line.strip_prefix('*').unwrap_or(line);
                line.strip_prefix(' ').unwrap_or(line)
            };
            lines.push(line.trim_end().to_string());
        }
    }
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    let lines: Vec<String> = lines.drain(first..last).collect();
    // Text that opens or closes comments would change where a block ends; a line that begins with a star or a
    // slash would not be read back as it is.
    let joined = lines.join("\n");
    let odd = joined.contains("*/")
        || joined.contains("/*")
        || joined.ends_with('*')
        || joined.starts_with(['*', '/']);
    (!odd).then_some(lines)
}

/// A section header of the top level.
#[derive(Debug, PartialEq)]
pub enum Header<'t> {
    /// Dashes only.
    Bar,
    /// Dashes around a title.
    Titled(&'t str),
}

/// Reads a plain line comment as part of a section header.
pub fn header(text: &str) -> Option<Header<'_>> {
    let body = text.strip_prefix("//")?;
    if body.starts_with('/') {
        return None;
    }
    let body = body.trim();
    let title = body.trim_start_matches('-');
    let dashes = body.len() - title.len();
    if dashes < 4 {
        return None;
    }
    let title = title.trim_end_matches('-').trim();
    Some(if title.is_empty() { Header::Bar } else { Header::Titled(title) })
}
