//! Written types (spec 01 section 7).

use super::cursor::raw_value;
use super::{Parse, Parser};
use crate::ast::{Ident, ShapeField, Symbol, TypeExpr, TypeKind, TypeParam, Variance};
use crate::source::Span;
use crate::token::TokenKind;

impl Parser<'_> {
    /// A type, unions included.
    pub(super) fn type_expr(&mut self) -> Parse<TypeExpr> {
        self.nested(Self::union_type)
    }

    fn union_type(&mut self) -> Parse<TypeExpr> {
        let start = self.start();
        let outer = std::mem::take(&mut self.height);
        let first = self.primary_type()?;
        let ty = if self.at_same_line(TokenKind::Bar) {
            let mut members = vec![first];
            while self.eat(TokenKind::Bar) {
                members.push(self.primary_type()?);
            }
            self.type_node(TypeKind::Union(members), start)
        } else {
            first
        };
        self.grow()?;
        self.height = self.height.max(outer);
        Ok(ty)
    }

    fn type_node(&self, kind: TypeKind, start: u32) -> TypeExpr {
        TypeExpr { kind, span: Span::new(start, self.previous_end) }
    }

    fn named_type(&mut self, name: &str, args: Vec<TypeExpr>, start: u32) -> TypeExpr {
        let name: Symbol = self.names.intern(name);
        self.type_node(TypeKind::Named { name, args }, start)
    }

    fn primary_type(&mut self) -> Parse<TypeExpr> {
        let start = self.start();
        let lexeme = self.current;
        match lexeme.kind {
            TokenKind::LBrace => {
                self.bump();
                let fields = self.list(TokenKind::RBrace, is_name, Self::shape_field)?;
                self.expect(TokenKind::RBrace)?;
                Ok(self.type_node(TypeKind::Shape(fields), start))
            }
            TokenKind::LBracket => {
                self.bump();
                let element = self.type_expr()?;
                self.expect(TokenKind::RBracket)?;
                Ok(self.named_type("list", vec![element], start))
            }
            TokenKind::Nil => {
                self.bump();
                Ok(self.named_type("nil", Vec::new(), start))
            }
            TokenKind::True | TokenKind::False => {
                self.bump();
                Ok(self.named_type("bool", Vec::new(), start))
            }
            TokenKind::Str => {
                self.bump();
                let value = self.string_value(self.text(lexeme.span));
                Ok(self.type_node(TypeKind::Str(value.as_ref().into()), start))
            }
            TokenKind::RawStr => {
                self.bump();
                let value = raw_value(self.text(lexeme.span));
                Ok(self.type_node(TypeKind::Str(value.into()), start))
            }
            TokenKind::Int => {
                let value = self.int_type(false)?;
                Ok(self.type_node(TypeKind::Int(value), start))
            }
            TokenKind::Minus if self.peek(1).kind == TokenKind::Int => {
                self.bump();
                let value = self.int_type(true)?;
                Ok(self.type_node(TypeKind::Int(value), start))
            }
            TokenKind::Fn => {
                self.bump();
                self.expect(TokenKind::LParen)?;
                let params = self.list(TokenKind::RParen, starts_type, Self::type_expr)?;
                self.expect(TokenKind::RParen)?;
                self.expect(TokenKind::Arrow)?;
                let result = Box::new(self.type_expr()?);
                Ok(self.type_node(TypeKind::Function { params, result }, start))
            }
            TokenKind::Ident => {
                let name = self.ident_here().name;
                let args = if self.at_same_line(TokenKind::Lt) { self.type_args()? } else { Vec::new() };
                Ok(self.type_node(TypeKind::Named { name, args }, start))
            }
            _ => Err(self.expected_name("type name")),
        }
    }

    fn int_type(&mut self, negative: bool) -> Parse<i64> {
        let text = self.text(self.current.span);
        let value = if negative { format!("-{text}").parse() } else { text.parse() };
        match value {
            Ok(value) => {
                self.bump();
                Ok(value)
            }
            Err(_) => Err(self.expected("type name")),
        }
    }

    /// `<A, B>`, at the `<`. A list that failed once is not tried again.
    pub(super) fn type_args(&mut self) -> Parse<Vec<TypeExpr>> {
        let at = self.pos;
        if self.trials > 0 && self.not_type_args.contains(&at) {
            return Err(super::Halt);
        }
        let result = self.type_arg_list();
        if result.is_err() && self.trials > 0 {
            self.not_type_args.insert(at);
        }
        result
    }

    fn type_arg_list(&mut self) -> Parse<Vec<TypeExpr>> {
        self.expect(TokenKind::Lt)?;
        let mut args = Vec::new();
        loop {
            if !starts_type(self.kind()) {
                return Err(self.expected("type argument"));
            }
            args.push(self.type_expr()?);
            let comma = self.eat_any_line(TokenKind::Comma);
            if !comma || self.at(TokenKind::Gt) {
                self.expect(TokenKind::Gt)?;
                return Ok(args);
            }
        }
    }

    fn shape_field(&mut self) -> Parse<ShapeField> {
        let name = self.any_name("field name")?;
        let optional = self.eat(TokenKind::Question);
        self.expect(TokenKind::Colon)?;
        let ty = self.type_expr()?;
        Ok(ShapeField { name, optional, ty })
    }

    /// `<T, out U>` when a `<` stands here.
    pub(super) fn type_params(&mut self) -> Parse<Vec<TypeParam>> {
        if !self.eat(TokenKind::Lt) {
            return Ok(Vec::new());
        }
        let params = self.list(
            TokenKind::Gt,
            |kind| matches!(kind, TokenKind::Ident | TokenKind::In),
            |parser| {
                let variance = if parser.eat_any_line(TokenKind::In) {
                    Variance::In
                } else if parser.at_word("out") && parser.peek(1).kind == TokenKind::Ident {
                    parser.bump();
                    Variance::Out
                } else {
                    Variance::Invariant
                };
                Ok(TypeParam { name: parser.ident("type parameter name")?, variance })
            },
        )?;
        self.expect(TokenKind::Gt)?;
        Ok(params)
    }

    /// `-> type` when an arrow stands on this line.
    pub(super) fn result_type(&mut self) -> Parse<Option<TypeExpr>> {
        if self.eat(TokenKind::Arrow) { self.type_expr().map(Some) } else { Ok(None) }
    }

    /// `: type` when a colon stands on this line.
    pub(super) fn annotation(&mut self) -> Parse<Option<TypeExpr>> {
        if self.eat(TokenKind::Colon) { self.type_expr().map(Some) } else { Ok(None) }
    }

    /// `where T: A, U: B` when the word stands on this line.
    pub(super) fn bounds(&mut self) -> Parse<Vec<(Ident, Ident)>> {
        let mut bounds = Vec::new();
        if !self.at_word("where") || self.current.after_newline {
            return Ok(bounds);
        }
        self.bump();
        loop {
            let name = self.ident("type parameter name")?;
            self.expect(TokenKind::Colon)?;
            bounds.push((name, self.ident("type bound")?));
            if !self.eat_any_line(TokenKind::Comma) {
                return Ok(bounds);
            }
        }
    }
}

/// Whether a name, reserved or not, can begin here.
pub(super) fn is_name(kind: TokenKind) -> bool {
    kind == TokenKind::Ident || kind.is_keyword()
}

fn starts_type(kind: TokenKind) -> bool {
    use TokenKind::*;
    matches!(kind, LBrace | LBracket | Nil | True | False | Str | RawStr | Int | Minus | Fn | Ident)
}
