//! The file as a whole: shebang, imports, items with an empty line between, section headers (spec 01 sections 9.1,
//! 9.2, 9.6).

use crate::Formatter;
use crate::comments::{Comment, Header, header};
use crate::layout::Layout;
use crate::lines::{Chunk, Entry};
use crate::sequences::Item;
use harn_syntax::TokenKind;
use harn_syntax::ast::{Import, Stmt, StmtKind};

/// The imports at the very start of a file.
pub fn leading_imports(items: &[Stmt]) -> &[Stmt] {
    let count = items.iter().take_while(|item| matches!(item.kind, StmtKind::Import(_))).count();
    items.get(..count).unwrap_or(&[])
}

/// A piece of the top level and what must stand before it.
struct Piece {
    chunk: Chunk,
    before: Gap,
    /// An empty line must follow.
    closed: bool,
}

/// What stands between two pieces.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// One empty line.
    Empty,
    /// An empty line if the source has one.
    AsWritten,
    /// No empty line.
    None,
}

impl Formatter<'_> {
    /// The text of the whole file.
    pub fn file(&self) -> String {
        let items = &self.parsed.ast.items;
        let end = self.source.text().len() as u32;
        let mut pieces: Vec<Piece> = Vec::new();
        let shebang = self.parsed.tokens.iter().find(|token| token.kind == TokenKind::Shebang);
        if let Some(shebang) = shebang {
            let layout = Layout::text(self.source.slice(shebang.span).trim_end());
            pieces.push(Piece {
                chunk: Chunk { first_line: 1, last_line: 1, layout },
                before: Gap::AsWritten,
                closed: false,
            });
        }
        let imports = leading_imports(items);
        let mut from = 0;
        self.import_pieces(imports, end, &mut from, &mut pieces);
        for item in items.iter().skip(imports.len()) {
            let entry = Entry { start: item.span.start, end: item.span.end, layout: self.statement(item) };
            let comments = self.header_pieces(self.comments_before(from, &entry));
            let mut gap = if from == 0 { Gap::AsWritten } else { Gap::Empty };
            for mut piece in comments {
                if gap == Gap::Empty {
                    piece.before = Gap::Empty;
                }
                gap = Gap::AsWritten;
                pieces.push(piece);
            }
            let chunk = self.entry_chunk(entry, end, &mut from);
            pieces.push(Piece { chunk, before: gap, closed: false });
        }
        pieces.extend(self.header_pieces(self.comments.take(from, end)));
        let text = join(pieces).print(self.options.line_width);
        format!("{}\n", text.trim_end())
    }

    /// The leading imports in their order, with their comments; those before the first stay on top.
    fn import_pieces(&self, imports: &[Stmt], end: u32, from: &mut u32, pieces: &mut Vec<Piece>) {
        let mut sorted = Vec::new();
        let mut first_line = None;
        for (index, stmt) in imports.iter().enumerate() {
            let StmtKind::Import(import) = &stmt.kind else { continue };
            let entry = Entry { start: stmt.span.start, end: stmt.span.end, layout: self.import(import) };
            let comments = self.comments_before(*from, &entry);
            let mut chunks = Vec::new();
            if index == 0 {
                pieces.extend(self.header_pieces(comments));
                first_line = Some(self.line_of(stmt.span.start));
            } else {
                chunks = self.comment_chunks(comments, false);
            }
            chunks.push(self.entry_chunk(entry, end, from));
            sorted.push((self.import_key(import), chunks));
        }
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut gap = Gap::AsWritten;
        for mut chunk in sorted.into_iter().flat_map(|(_, chunks)| chunks) {
            if gap == Gap::AsWritten {
                // The gap above the block is the one above the import that stood first.
                chunk.first_line = first_line.unwrap_or(chunk.first_line);
            }
            pieces.push(Piece { chunk, before: gap, closed: false });
            gap = Gap::None;
        }
        if let Some(last) = pieces.last_mut() {
            last.chunk.last_line = self.line_of(*from);
        }
    }

    fn import_key(&self, import: &Import) -> (bool, String, bool, Vec<String>) {
        let names = import.names.as_ref().map(|names| {
            let mut names: Vec<String> = names.iter().map(|name| self.name(name).to_string()).collect();
            names.sort();
            names
        });
        let is_std = import.path.starts_with("std/");
        (!is_std, import.path.to_string(), names.is_some(), names.unwrap_or_default())
    }

    /// An import with its names in order.
    pub fn import(&self, import: &Import) -> Layout {
        let head = if import.public { "pub import " } else { "import " };
        let path = self.string(import.path_span);
        let Some(names) = &import.names else {
            return Layout::text(format!("{head}{path}"));
        };
        let mut names: Vec<_> = names.clone();
        let (first, last) = (names.first().map(|name| name.span), names.last().map(|name| name.span));
        let commented = match (first, last) {
            (Some(first), Some(last)) => self.comments.any(first.start, last.end),
            _ => false,
        };
        // Comments keep the names where they are.
        if !commented {
            names.sort_by(|a, b| self.name(a).cmp(self.name(b)));
        }
        let mut parts = vec![Layout::line()];
        let count = names.len();
        for (index, name) in names.iter().enumerate() {
            parts.push(Layout::text(self.name(name)));
            if index + 1 < count {
                parts.extend([Layout::text(","), Layout::line()]);
            }
        }
        parts.push(Layout::if_broken(","));
        let tail = Layout::text(format!("}} from {path}"));
        if commented {
            let items = names.iter().map(|name| Item {
                start: name.span.start,
                end: name.span.end,
                layout: Layout::text(self.name(name)),
                hugs: false,
            });
            let start = first.map_or(0, |first| first.start);
            let listed = self.sequence(
                "{",
                &format!("}} from {path}"),
                start,
                import.path_span.start,
                items.collect(),
            );
            return Layout::concat([Layout::text(head), listed]);
        }
        if count == 0 {
            return Layout::text(format!("{head}{{}} from {path}"));
        }
        Layout::group(Layout::concat([
            Layout::text(format!("{head}{{")),
            Layout::indent(Layout::concat(parts)),
            Layout::line(),
            tail,
        ]))
    }

    /// Comments of the top level, section headers made canonical.
    fn header_pieces(&self, comments: Vec<Comment>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = comments.into_iter().peekable();
        while let Some(comment) = rest.next() {
            let found = self.header_of(&comment);
            let Some(found) = found else {
                plain.push(comment);
                continue;
            };
            let flush = self.comment_chunks(std::mem::take(&mut plain), true).into_iter();
            pieces.extend(flush.map(|chunk| Piece { chunk, before: Gap::AsWritten, closed: false }));
            let (first_line, mut last_line) = (comment.first_line, comment.last_line);
            let mut title = match found {
                Header::Titled(title) => Some(title.to_string()),
                Header::Bar => None,
            };
            if title.is_none() {
                // A bar, a title and a bar on three lines.
                let mut ahead = rest.clone();
                if let (Some(middle), Some(last)) = (ahead.next(), ahead.next())
                    && self.header_of(&last) == Some(Header::Bar)
                    && self.header_of(&middle).is_none()
                    && middle.kind == TokenKind::LineComment
                    && middle.first_line == first_line + 1
                    && last.first_line == first_line + 2
                {
                    let text = self.source.slice(middle.span);
                    let text = text.strip_prefix("//").unwrap_or(text).trim();
                    if !text.is_empty() && !text.starts_with('/') {
                        title = Some(text.to_string());
                        last_line = first_line + 2;
                        rest.next();
                        rest.next();
                    }
                }
            }
            let bar = format!("// {}", "-".repeat(self.options.separator_width.saturating_sub(3).max(4)));
            let layout = match title {
                Some(title) => Layout::concat([
                    Layout::text(bar.clone()),
                    Layout::hard_line(),
                    Layout::text(format!("// {title}")),
                    Layout::hard_line(),
                    Layout::text(bar),
                ]),
                None => Layout::text(bar),
            };
            let chunk = Chunk { first_line, last_line, layout };
            pieces.push(Piece { chunk, before: Gap::Empty, closed: true });
        }
        let flush = self.comment_chunks(plain, true).into_iter();
        pieces.extend(flush.map(|chunk| Piece { chunk, before: Gap::AsWritten, closed: false }));
        pieces
    }

    fn header_of(&self, comment: &Comment) -> Option<Header<'_>> {
        if comment.kind == TokenKind::LineComment && comment.own_line {
            header(self.source.slice(comment.span))
        } else {
            None
        }
    }
}

/// Pieces one below the other.
fn join(pieces: Vec<Piece>) -> Layout {
    let mut parts = Vec::new();
    let mut before: Option<(u32, bool)> = None;
    for piece in pieces {
        if let Some((last_line, closed)) = before {
            let apart = closed
                || piece.before == Gap::Empty
                || piece.before == Gap::AsWritten && piece.chunk.first_line > last_line + 1;
            parts.push(if apart { Layout::blank_line() } else { Layout::hard_line() });
        }
        before = Some((piece.chunk.last_line, piece.closed));
        parts.push(piece.chunk.layout);
    }
    Layout::concat(parts)
}
