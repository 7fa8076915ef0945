//! The top level of a file: items, imports, attributes (spec 01 sections 5.1 and 5.2).

use super::{Parse, Parser};
use crate::ast::{AttrValue, Attribute, Import, Stmt, StmtKind};
use crate::codes;
use crate::source::Span;
use crate::token::TokenKind;
use std::sync::Arc;

impl Parser<'_> {
    /// The whole file.
    pub(super) fn program(&mut self) -> Vec<Stmt> {
        let mut items = Vec::new();
        while !self.at(TokenKind::Eof) && !self.fatal {
            if self.at(TokenKind::RBrace) {
                self.stray_brace(&items);
                continue;
            }
            let (at, start) = (self.pos, self.start());
            self.height = 0;
            let failed = match self.item() {
                Ok(item) => {
                    items.push(item);
                    self.separator("top-level item").is_err()
                }
                Err(_) => {
                    items.push(Stmt {
                        kind: StmtKind::Error,
                        span: Span::new(start, self.previous_end.max(start)),
                    });
                    true
                }
            };
            if failed && self.resume(at).is_err() {
                break;
            }
        }
        items
    }

    /// A `}` that closes nothing; after an error it may be the rest of what was skipped, and goes unreported.
    fn stray_brace(&mut self, items: &[Stmt]) {
        if self.current.stray || !self.has_errors() {
            let behind_item = items.last().is_some_and(|item| item.span.end == self.previous_end);
            if behind_item && !self.current.after_newline {
                self.expected_as("top-level item separator (`;` or newline)", codes::MISSING_SEPARATOR);
            } else {
                self.expected_as("declaration or statement", codes::STRAY_BRACE);
            }
        }
        self.bump();
    }

    fn item(&mut self) -> Parse<Stmt> {
        let start = self.start();
        let public = self.at(TokenKind::Pub) && self.peek(1).kind == TokenKind::Import;
        if public || self.at(TokenKind::Import) {
            if public {
                self.bump();
            }
            let import = self.import(public)?;
            return Ok(Stmt { kind: StmtKind::Import(import), span: Span::new(start, self.previous_end) });
        }
        if self.at(TokenKind::Pipeline) {
            let kind = self.declaration()?;
            return Ok(Stmt { kind, span: Span::new(start, self.previous_end) });
        }
        self.statement()
    }

    fn import(&mut self, public: bool) -> Parse<Import> {
        self.expect(TokenKind::Import)?;
        let mut names = None;
        if self.at(TokenKind::LBrace) {
            self.bump();
            let listed =
                self.list(TokenKind::RBrace, super::types::is_name, |parser| parser.ident("import name"))?;
            self.expect(TokenKind::RBrace)?;
            self.expect(TokenKind::From)?;
            names = Some(listed);
        }
        if !self.at(TokenKind::Str) {
            return Err(self.expected("import path string"));
        }
        let path_span = self.bump().span;
        let path: Arc<str> = self.string_value(self.text(path_span)).as_ref().into();
        Ok(Import { public, names, path, path_span })
    }

    /// The attributes that stand here.
    pub(super) fn attributes(&mut self) -> Parse<Vec<Attribute>> {
        let mut attributes = Vec::new();
        while self.at(TokenKind::At) {
            let start = self.bump().span.start;
            let name = self.ident("attribute name")?;
            let mut args = Vec::new();
            if self.eat(TokenKind::LParen) {
                while !self.at(TokenKind::RParen) {
                    let named = self.at(TokenKind::Ident) && self.peek(1).kind == TokenKind::Colon;
                    let arg = if named { Some(self.ident("argument name")?) } else { None };
                    if named {
                        self.bump();
                    }
                    args.push((arg, self.attribute_value()?));
                    if !self.eat_any_line(TokenKind::Comma) {
                        break;
                    }
                }
                self.expect(TokenKind::RParen)?;
            }
            attributes.push(Attribute { name, args, span: Span::new(start, self.previous_end) });
        }
        Ok(attributes)
    }

    fn attribute_value(&mut self) -> Parse<AttrValue> {
        self.nested(Self::attribute_value_here)
    }

    fn attribute_value_here(&mut self) -> Parse<AttrValue> {
        let negative =
            self.at(TokenKind::Minus) && matches!(self.peek(1).kind, TokenKind::Int | TokenKind::Float);
        if negative {
            self.bump();
        }
        let text = self.text(self.current.span);
        let signed = || if negative { format!("-{text}") } else { text.to_string() };
        let value = match self.kind() {
            TokenKind::Int => match signed().parse() {
                Ok(value) => AttrValue::Int(value),
                Err(_) => AttrValue::Float(signed().parse().unwrap_or(f64::INFINITY)),
            },
            TokenKind::Float => AttrValue::Float(signed().parse().unwrap_or(f64::INFINITY)),
            TokenKind::Str => AttrValue::Str(self.string_value(text).as_ref().into()),
            TokenKind::RawStr => AttrValue::Str(super::cursor::raw_value(text).into()),
            TokenKind::True => AttrValue::Bool(true),
            TokenKind::False => AttrValue::Bool(false),
            TokenKind::Nil => AttrValue::Nil,
            TokenKind::Ident => AttrValue::Name(self.names.intern(text)),
            TokenKind::LBracket => {
                self.bump();
                let mut values = Vec::new();
                while !self.at(TokenKind::RBracket) {
                    values.push(self.attribute_value()?);
                    if !self.eat_any_line(TokenKind::Comma) {
                        break;
                    }
                }
                self.expect(TokenKind::RBracket)?;
                return Ok(AttrValue::List(values));
            }
            _ => {
                return Err(self.expected_as(
                    "attribute argument value (literal or identifier)",
                    codes::MISPLACED_ATTRIBUTE,
                ));
            }
        };
        self.bump();
        Ok(value)
    }
}
