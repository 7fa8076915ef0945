//! Values of literals: numbers, escapes, interpolated and triple-quoted strings (spec 01 section 3).

use super::cursor::raw_value;
use super::{Parse, Parser};
use crate::ast::{Expr, ExprKind, InterpPart};
use crate::token::TokenKind;
use std::borrow::Cow;

/// A piece of an interpolated string before the layout rules.
enum Piece {
    Text(String),
    /// An index into the embedded expressions; none for `${}`.
    Hole(Option<usize>),
}

impl Parser<'_> {
    /// A literal token that is an expression by itself; the current lexeme is one.
    pub(super) fn literal(&mut self) -> Parse<Expr> {
        let lexeme = self.current;
        let text = self.text(lexeme.span);
        let kind = match lexeme.kind {
            TokenKind::Int => match text.parse() {
                Ok(value) => ExprKind::Int(value),
                Err(_) => ExprKind::Float(text.parse().unwrap_or(f64::INFINITY)),
            },
            TokenKind::Float => ExprKind::Float(text.parse().unwrap_or(f64::INFINITY)),
            TokenKind::Duration => ExprKind::Duration(crate::lexer::duration_ms(text).unwrap_or(i64::MAX)),
            TokenKind::Str => ExprKind::Str(self.string_value(text).as_ref().into()),
            TokenKind::RawStr => ExprKind::Str(raw_value(text).into()),
            TokenKind::True => ExprKind::Bool(true),
            TokenKind::False => ExprKind::Bool(false),
            TokenKind::Nil => ExprKind::Nil,
            _ => return Err(self.expected("expression")),
        };
        self.bump();
        self.height = self.height.max(1);
        Ok(self.expr(kind, lexeme.span.start))
    }

    /// The value of a string token without interpolation, given with its quotes.
    pub(super) fn string_value<'t>(&self, token: &'t str) -> Cow<'t, str> {
        if let Some(inner) = token.strip_prefix("\"\"\"").and_then(|t| t.strip_suffix("\"\"\"")) {
            let mut pieces = vec![Piece::Text(inner.to_string())];
            lay_out(&mut pieces);
            let text = pieces.into_iter().map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Hole(_) => String::new(),
            });
            return Cow::Owned(text.collect());
        }
        unescape(token.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(token))
    }

    /// A string with interpolations, at its first token.
    pub(super) fn interpolated(&mut self) -> Parse<Expr> {
        self.nested(Self::interpolated_string)
    }

    fn interpolated_string(&mut self) -> Parse<Expr> {
        let start = self.start();
        let outer = std::mem::take(&mut self.height);
        let opening = self.text(self.current.span);
        let triple = opening.starts_with("\"\"\"");
        let quotes = if triple { 3 } else { 1 };
        let mut pieces = Vec::new();
        let mut exprs = Vec::new();
        let mut literal = opening.get(quotes..).and_then(|t| t.strip_suffix("${")).unwrap_or("");
        let value = |literal: &str| if triple { literal.to_string() } else { unescape(literal).into_owned() };
        self.bump();
        loop {
            pieces.push(Piece::Text(value(literal)));
            if matches!(self.kind(), TokenKind::InterpMiddle | TokenKind::InterpEnd) {
                pieces.push(Piece::Hole(None));
            } else {
                pieces.push(Piece::Hole(Some(exprs.len())));
                exprs.push(Some(self.expression()?));
            }
            let closing = self.text(self.current.span).strip_prefix('}').unwrap_or("");
            match self.kind() {
                TokenKind::InterpMiddle => literal = closing.strip_suffix("${").unwrap_or(closing),
                TokenKind::InterpEnd => {
                    let end = closing.len().saturating_sub(quotes);
                    pieces.push(Piece::Text(value(closing.get(..end).unwrap_or(""))));
                    self.bump();
                    break;
                }
                _ => return Err(self.expected("}")),
            }
            self.bump();
        }
        if triple {
            lay_out(&mut pieces);
        }
        self.grow()?;
        self.height = self.height.max(outer);
        if exprs.is_empty() {
            let text: String = pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Hole(_) => String::new(),
                })
                .collect();
            return Ok(self.expr(ExprKind::Str(text.into()), start));
        }
        let parts = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Text(text) if text.is_empty() => None,
            Piece::Text(text) => Some(InterpPart::Text(text.into())),
            Piece::Hole(index) => exprs.get_mut(index?)?.take().map(InterpPart::Expr),
        });
        let parts = parts.collect();
        Ok(self.expr(ExprKind::Interp(parts), start))
    }
}

/// Resolves the escapes of a plain string; unknown ones stay as written.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some(c @ ('\\' | '"' | '$')) => value.push(c),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    Cow::Owned(value)
}

/// The layout rules of triple-quoted strings (spec 01 section 3.6) over the lines of the whole literal.
fn lay_out(pieces: &mut [Piece]) {
    let holes = pieces.iter().any(|piece| matches!(piece, Piece::Hole(_)));
    if let Some(Piece::Text(first)) = pieces.first_mut()
        && first.starts_with('\n')
    {
        first.remove(0);
    }
    let Some(margin) = margin(pieces) else { return };
    if margin > 0 {
        strip_margin(pieces, margin);
    }
    let Some(Piece::Text(last)) = pieces.last_mut() else { return };
    if margin == 0 && holes {
        if last.trim().is_empty() {
            last.clear();
        }
    } else if last.ends_with('\n') {
        last.pop();
    }
}

/// The least indentation of the lines that hold something; none when no line does.
fn margin(pieces: &[Piece]) -> Option<usize> {
    let mut least: Option<usize> = None;
    let mut indent = Some(0);
    for piece in pieces {
        let Piece::Text(text) = piece else {
            if let Some(found) = indent.take() {
                least = Some(least.map_or(found, |l| l.min(found)));
            }
            continue;
        };
        for c in text.chars() {
            match (c, indent) {
                ('\n', _) => indent = Some(0),
                (' ' | '\t', Some(count)) => indent = Some(count + 1),
                (c, Some(count)) if !c.is_whitespace() => {
                    least = Some(least.map_or(count, |l| l.min(count)));
                    indent = None;
                }
                _ => {}
            }
        }
    }
    least
}

/// Takes `margin` blanks from the start of each line, and everything from lines that hold only blanks.
fn strip_margin(pieces: &mut [Piece], margin: usize) {
    let count = pieces.len();
    let mut at_line_start = true;
    for index in 0..count {
        // A line that ends in this piece's last fragment goes on when a hole follows.
        let followed_by_hole = index + 1 < count;
        let Some(Piece::Text(text)) = pieces.get_mut(index) else {
            at_line_start = false;
            continue;
        };
        let mut stripped = String::with_capacity(text.len());
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let last = lines.peek().is_none();
            if !at_line_start {
                stripped.push_str(line);
            } else if line.trim().is_empty() && !(last && followed_by_hole) {
                // Blank: nothing stays.
            } else {
                let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
                stripped.push_str(line.get(blanks.min(margin)..).unwrap_or(""));
            }
            if !last {
                stripped.push('\n');
                at_line_start = true;
            } else {
                at_line_start = at_line_start && line.is_empty();
            }
        }
        *text = stripped;
    }
}
