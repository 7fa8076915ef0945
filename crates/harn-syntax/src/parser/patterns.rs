//! Patterns: what `let`, `var` and `for` bind, and the patterns of `match` (spec 01 sections 5.3 and 5.4).

use super::types::is_name;
use super::{Parse, Parser};
use crate::ast::{
    Binding, DictBinding, DictEntry, Element, Expr, ExprKind, Ident, ListBinding, Pattern, PatternKind,
};
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::token::TokenKind;
use std::sync::Arc;

/// An element of a destructuring pattern, before the rest element is told apart.
enum Part<T> {
    Item(T),
    Rest(Ident),
}

impl Parser<'_> {
    /// The left side of `let`, `var` and, with pairs, of `for`.
    pub(super) fn binding(&mut self, pairs: bool) -> Parse<Binding> {
        let start = self.start();
        match self.kind() {
            TokenKind::Ident => Ok(Binding::Name(self.ident_here())),
            TokenKind::LBrace => {
                self.bump();
                let (entries, rest) = self.parts(TokenKind::RBrace, Self::dict_binding)?;
                Ok(Binding::Dict { entries, rest, span: Span::new(start, self.previous_end) })
            }
            TokenKind::LBracket => {
                self.bump();
                let (elements, rest) = self.parts(TokenKind::RBracket, Self::list_binding)?;
                Ok(Binding::List { elements, rest, span: Span::new(start, self.previous_end) })
            }
            TokenKind::LParen if pairs => {
                self.bump();
                let first = self.ident("pair pattern element")?;
                self.expect(TokenKind::Comma)?;
                let second = self.ident("pair pattern element")?;
                self.expect(TokenKind::RParen)?;
                Ok(Binding::Pair { first, second, span: Span::new(start, self.previous_end) })
            }
            _ => Err(self.expected_name("variable name or destructuring pattern")),
        }
    }

    /// Elements up to and with `close`; a rest element must be the last.
    fn parts<T>(
        &mut self,
        close: TokenKind,
        item: impl Fn(&mut Self) -> Parse<T>,
    ) -> Parse<(Vec<T>, Option<Ident>)> {
        let parts = self.list(
            close,
            |kind| is_name(kind) || kind == TokenKind::Dot,
            |parser| {
                if !parser.eat_spread() {
                    return item(parser).map(Part::Item);
                }
                let rest = parser.ident("rest variable name")?;
                let ends = parser.at(close) || parser.at(TokenKind::Comma) && parser.peek(1).kind == close;
                if ends { Ok(Part::Rest(rest)) } else { Err(parser.expected(close.text())) }
            },
        )?;
        self.expect(close)?;
        let mut items = Vec::with_capacity(parts.len());
        let mut rest = None;
        for part in parts {
            match part {
                Part::Item(item) => items.push(item),
                Part::Rest(name) => rest = Some(name),
            }
        }
        Ok((items, rest))
    }

    fn dict_binding(&mut self) -> Parse<DictBinding> {
        let key = self.ident("field name")?;
        let name = if self.eat(TokenKind::Colon) { self.ident("alias name")? } else { key };
        Ok(DictBinding { key, name, default: self.default_value()? })
    }

    fn list_binding(&mut self) -> Parse<ListBinding> {
        let name = self.ident("element name")?;
        Ok(ListBinding { name, default: self.default_value()? })
    }

    /// `= expr` when it stands on this line.
    pub(super) fn default_value(&mut self) -> Parse<Option<Expr>> {
        if self.eat(TokenKind::Eq) { self.expression().map(Some) } else { Ok(None) }
    }

    /// The pattern of a `match` arm, alternatives included.
    pub(super) fn pattern(&mut self) -> Parse<Pattern> {
        let start = self.start();
        let first = self.alternative()?;
        if !self.at(TokenKind::Bar) {
            return Ok(first);
        }
        let mut alternatives = vec![first];
        while self.eat_any_line(TokenKind::Bar) {
            alternatives.push(self.alternative()?);
        }
        Ok(Pattern { kind: PatternKind::Or(alternatives), span: Span::new(start, self.previous_end) })
    }

    fn alternative(&mut self) -> Parse<Pattern> {
        let expr = self.expression()?;
        self.pattern_of(expr)
    }

    /// Reads an expression as a pattern by its shape; its height is bounded by the parser.
    fn pattern_of(&mut self, expr: Expr) -> Parse<Pattern> {
        let span = expr.span;
        let kind = match expr.kind {
            ExprKind::Paren(inner) => return self.pattern_of(*inner),
            ExprKind::Name(name) if self.names.text(name) == "_" => PatternKind::Wildcard,
            ExprKind::Name(name) => PatternKind::Name(Ident { name, span }),
            ExprKind::Property { object, name, optional: false } if self.is_type_name(&object) => {
                match object.kind {
                    ExprKind::Name(enum_name) => PatternKind::Variant {
                        enum_name: Ident { name: enum_name, span: object.span },
                        variant: name,
                        args: None,
                    },
                    _ => PatternKind::Wildcard,
                }
            }
            ExprKind::MethodCall { object, name, optional: false, args }
                if self.is_type_name(&object) && args.iter().all(|arg| !arg.spread) =>
            {
                let args =
                    args.into_iter().map(|arg| self.pattern_of(arg.value)).collect::<Parse<Vec<_>>>()?;
                match object.kind {
                    ExprKind::Name(enum_name) => PatternKind::Variant {
                        enum_name: Ident { name: enum_name, span: object.span },
                        variant: name,
                        args: Some(args),
                    },
                    _ => PatternKind::Wildcard,
                }
            }
            ExprKind::List(elements) => self.list_pattern(elements)?,
            ExprKind::Dict(entries) if plain_entries(&entries) => {
                let (entries, rest) = self.dict_pattern(entries)?;
                PatternKind::Dict { entries, rest }
            }
            ExprKind::StructLit { name, fields } if plain_entries(&fields) => {
                let (entries, rest) = self.dict_pattern(fields)?;
                if let Some(rest) = rest {
                    return Err(self.bad_rest(rest.span, "}"));
                }
                PatternKind::Struct { name, entries }
            }
            kind => PatternKind::Value(Expr { id: expr.id, kind, span }),
        };
        Ok(Pattern { kind, span })
    }

    /// Whether the expression is a bare name that begins with an upper-case letter.
    fn is_type_name(&self, expr: &Expr) -> bool {
        matches!(expr.kind, ExprKind::Name(name) if self.names.text(name).starts_with(char::is_uppercase))
    }

    fn list_pattern(&mut self, elements: Vec<Element>) -> Parse<PatternKind> {
        let last = elements.len().saturating_sub(1);
        let mut patterns = Vec::with_capacity(elements.len());
        let mut rest = None;
        for (index, element) in elements.into_iter().enumerate() {
            if !element.spread {
                patterns.push(self.pattern_of(element.value)?);
            } else if index == last {
                rest = Some(self.rest_name(element.value)?);
            } else {
                return Err(self.bad_rest(element.value.span, "]"));
            }
        }
        Ok(PatternKind::List { elements: patterns, rest })
    }

    #[allow(clippy::type_complexity)]
    fn dict_pattern(&mut self, entries: Vec<DictEntry>) -> Parse<(Vec<(Arc<str>, Pattern)>, Option<Ident>)> {
        let last = entries.len().saturating_sub(1);
        let mut patterns = Vec::with_capacity(entries.len());
        let mut rest = None;
        for (index, entry) in entries.into_iter().enumerate() {
            match entry {
                DictEntry::Named { key, value, .. } => patterns.push((key, self.pattern_of(value)?)),
                DictEntry::Spread(value) if index == last => rest = Some(self.rest_name(value)?),
                DictEntry::Spread(value) | DictEntry::Computed { value, .. } => {
                    return Err(self.bad_rest(value.span, "}"));
                }
            }
        }
        Ok((patterns, rest))
    }

    fn rest_name(&mut self, expr: Expr) -> Parse<Ident> {
        match expr.kind {
            ExprKind::Name(name) => Ok(Ident { name, span: expr.span }),
            _ => {
                Err(self
                    .pattern_error(expr.span, "expected rest variable name, found expression".to_string()))
            }
        }
    }

    fn bad_rest(&mut self, span: Span, close: &str) -> super::Halt {
        self.pattern_error(span, format!("expected {close}, found rest element that is not the last"))
    }

    fn pattern_error(&mut self, span: Span, message: String) -> super::Halt {
        self.report(Diagnostic {
            severity: Severity::Error,
            code: codes::UNEXPECTED_TOKEN,
            message,
            span,
            label: Some("unexpected token".to_string()),
            help: None,
        });
        super::Halt
    }
}

/// Whether every entry has a constant key or is a spread, so that the dict can be matched by shape.
fn plain_entries(entries: &[DictEntry]) -> bool {
    entries.iter().all(|entry| !matches!(entry, DictEntry::Computed { .. }))
}
