//! Expressions: operators, postfix forms, literals with brackets (spec 01 section 6).

use super::cursor::starts_expression;
use super::types::is_name;
use super::{Parse, Parser};
use crate::ast::{BinaryOp, Block, Closure, DictEntry, Element, Expr, ExprKind, Ident, TypeExpr, UnaryOp};
use crate::codes;
use crate::source::Span;
use crate::token::TokenKind;
use std::sync::Arc;

/// How tightly `**` binds, the only operator that associates to the right.
const POWER: u8 = 8;

impl Parser<'_> {
    /// A full expression, newlines before it skipped.
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        let outer = std::mem::replace(&mut self.awaits_colon, false);
        let result = self.nested(Self::pipe);
        self.awaits_colon = outer;
        result
    }

    /// What stands before a `:`, which then does not belong to a ternary inside it.
    fn before_colon(&mut self, production: fn(&mut Self) -> Parse<Expr>) -> Parse<Expr> {
        let outer = std::mem::replace(&mut self.awaits_colon, true);
        let result = production(self);
        self.awaits_colon = outer;
        result
    }

    // The functions that every operand passes through keep small frames: they hand what is rare to others.

    fn pipe(&mut self) -> Parse<Expr> {
        let outer = std::mem::take(&mut self.height);
        let mut result = self.range();
        if self.at(TokenKind::PipeArrow) {
            result = self.pipe_stages(result);
        }
        self.height = self.height.max(outer);
        result
    }

    fn pipe_stages(&mut self, first: Parse<Expr>) -> Parse<Expr> {
        let mut left = first?;
        let start = left.span.start;
        while self.eat_any_line(TokenKind::PipeArrow) {
            let right = Box::new(self.range()?);
            left = self.expr(ExprKind::Pipe { left: Box::new(left), right }, start);
            self.grow()?;
        }
        Ok(left)
    }

    fn range(&mut self) -> Parse<Expr> {
        let first = self.ternary();
        if self.at_same_line(TokenKind::To) { self.range_end(first?) } else { first }
    }

    fn range_end(&mut self, first: Expr) -> Parse<Expr> {
        let start = first.span.start;
        self.bump();
        self.same_line_operand()?;
        let end = Box::new(self.ternary()?);
        let exclusive = self.eat(TokenKind::Exclusive);
        self.grow()?;
        Ok(self.expr(ExprKind::Range { start: Box::new(first), end, exclusive }, start))
    }

    fn ternary(&mut self) -> Parse<Expr> {
        let condition = self.binary(0);
        // A `?` that the operand left standing begins a ternary.
        if self.at_same_line(TokenKind::Question) { self.branches(condition?) } else { condition }
    }

    fn branches(&mut self, condition: Expr) -> Parse<Expr> {
        let start = condition.span.start;
        self.bump();
        self.same_line_operand()?;
        let then = Box::new(self.before_colon(|parser| parser.binary(0))?);
        self.expect(TokenKind::Colon)?;
        self.same_line_operand()?;
        let otherwise = Box::new(self.binary(0)?);
        self.grow()?;
        Ok(self.expr(ExprKind::Ternary { condition: Box::new(condition), then, otherwise }, start))
    }

    /// Operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Parse<Expr> {
        let outer = std::mem::take(&mut self.height);
        let mut result = self.unary();
        if result.is_ok() && self.infix().is_some_and(|(_, level)| level >= least) {
            result = self.operators(result, least);
        }
        self.height = self.height.max(outer);
        result
    }

    fn operators(&mut self, first: Parse<Expr>, least: u8) -> Parse<Expr> {
        let mut left = first?;
        let start = left.span.start;
        while let Some((op, level)) = self.infix() {
            if level < least {
                break;
            }
            self.bump();
            if op == BinaryOp::NotIn {
                self.bump();
            }
            let right = if level == POWER {
                self.nested(|parser| parser.binary(POWER))?
            } else {
                self.binary(level + 1)?
            };
            left = self.expr(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, start);
            self.grow()?;
        }
        Ok(left)
    }

    /// The infix operator that stands here, and how tightly it binds. `-`, `in` and `not in` do not continue an
    /// expression from a new line.
    fn infix(&self) -> Option<(BinaryOp, u8)> {
        let same_line = !self.current.after_newline;
        Some(match self.kind() {
            TokenKind::OrOr => (BinaryOp::Or, 1),
            TokenKind::AndAnd => (BinaryOp::And, 2),
            TokenKind::EqEq => (BinaryOp::Eq, 3),
            TokenKind::NotEq => (BinaryOp::Ne, 3),
            TokenKind::Lt => (BinaryOp::Lt, 4),
            TokenKind::Gt => (BinaryOp::Gt, 4),
            TokenKind::LtEq => (BinaryOp::Le, 4),
            TokenKind::GtEq => (BinaryOp::Ge, 4),
            TokenKind::In if same_line => (BinaryOp::In, 4),
            TokenKind::Ident if same_line && self.peek(1).kind == TokenKind::In && self.at_word("not") => {
                (BinaryOp::NotIn, 4)
            }
            TokenKind::Plus => (BinaryOp::Add, 5),
            TokenKind::Minus if same_line => (BinaryOp::Sub, 5),
            TokenKind::QuestionQuestion => (BinaryOp::Coalesce, 6),
            TokenKind::Star => (BinaryOp::Mul, 7),
            TokenKind::Slash => (BinaryOp::Div, 7),
            TokenKind::Percent => (BinaryOp::Rem, 7),
            TokenKind::StarStar => (BinaryOp::Pow, POWER),
            _ => return None,
        })
    }

    pub(super) fn unary(&mut self) -> Parse<Expr> {
        match self.kind() {
            TokenKind::Bang => self.prefixed(UnaryOp::Not),
            TokenKind::Minus => self.prefixed(UnaryOp::Neg),
            _ => self.postfix(),
        }
    }

    fn prefixed(&mut self, op: UnaryOp) -> Parse<Expr> {
        let start = self.start();
        self.bump();
        self.same_line_operand()?;
        let operand = self.nested(Self::unary)?;
        // The one negative literal that is not the negation of a positive integer.
        if op == UnaryOp::Neg
            && matches!(operand.kind, ExprKind::Float(_))
            && self.text(operand.span) == "9223372036854775808"
        {
            return Ok(self.expr(ExprKind::Int(i64::MIN), start));
        }
        self.grow()?;
        Ok(self.expr(ExprKind::Unary { op, operand: Box::new(operand) }, start))
    }

    fn postfix(&mut self) -> Parse<Expr> {
        use TokenKind::*;
        let outer = std::mem::take(&mut self.height);
        let mut result = self.primary();
        if matches!(self.kind(), Dot | QuestionDot | LParen | LBracket | Question | Lt | LBrace)
            && result.is_ok()
        {
            result = self.postfix_forms(result);
        }
        self.height = self.height.max(outer);
        result
    }

    fn postfix_forms(&mut self, first: Parse<Expr>) -> Parse<Expr> {
        let mut base = first?;
        let start = base.span.start;
        loop {
            let kind = match self.kind() {
                TokenKind::Dot if self.at_spread() => break,
                TokenKind::Dot | TokenKind::QuestionDot => self.member(base)?,
                _ if self.current.after_newline => break,
                TokenKind::LParen => self.call(base)?,
                TokenKind::LBracket => self.subscript(base)?,
                TokenKind::Question
                    if self.peek(1).kind == TokenKind::LBracket && !self.peek(1).after_newline =>
                {
                    if self.begins_with_list() {
                        break;
                    }
                    self.optional_subscript(base)?
                }
                TokenKind::Question if self.begins_ternary() => break,
                TokenKind::Question => {
                    self.bump();
                    ExprKind::Propagate(Box::new(base))
                }
                TokenKind::Lt if matches!(base.kind, ExprKind::Name(_)) => match self.try_type_args() {
                    Some(type_args) => self.generic_call(base, type_args)?,
                    None => break,
                },
                TokenKind::LBrace => match base.kind {
                    ExprKind::Name(name) if self.begins_struct(base.span) => {
                        self.struct_literal(Ident { name, span: base.span })?
                    }
                    _ => break,
                },
                _ => break,
            };
            base = self.expr(kind, start);
            self.grow()?;
        }
        Ok(base)
    }

    fn call(&mut self, callee: Expr) -> Parse<ExprKind> {
        let args = self.arguments()?;
        Ok(ExprKind::Call { callee: Box::new(callee), type_args: Vec::new(), args })
    }

    fn generic_call(&mut self, callee: Expr, type_args: Vec<TypeExpr>) -> Parse<ExprKind> {
        let args = self.arguments()?;
        Ok(ExprKind::Call { callee: Box::new(callee), type_args, args })
    }

    /// `?[i]`, at the question mark.
    fn optional_subscript(&mut self, object: Expr) -> Parse<ExprKind> {
        self.bump();
        self.bump();
        let index = Box::new(self.expression()?);
        self.expect(TokenKind::RBracket)?;
        Ok(ExprKind::Index { object: Box::new(object), index, optional: true })
    }

    /// `{field: value}` behind a name, at the brace.
    fn struct_literal(&mut self, name: Ident) -> Parse<ExprKind> {
        self.bump();
        let fields = self.list(TokenKind::RBrace, starts_entry, Self::dict_entry)?;
        self.expect(TokenKind::RBrace)?;
        Ok(ExprKind::StructLit { name, fields })
    }

    /// `.name`, `?.name`, `.name(args)`, at the dot.
    fn member(&mut self, object: Expr) -> Parse<ExprKind> {
        let optional = self.bump().kind == TokenKind::QuestionDot;
        let name = self.any_name("member name")?;
        let object = Box::new(object);
        if !self.at_same_line(TokenKind::LParen) {
            return Ok(ExprKind::Property { object, name, optional });
        }
        let args = self.arguments()?;
        Ok(ExprKind::MethodCall { object, name, optional, args })
    }

    /// `(args)`, at the parenthesis.
    fn arguments(&mut self) -> Parse<Vec<Element>> {
        self.expect(TokenKind::LParen)?;
        let args = self.list(TokenKind::RParen, starts_element, Self::element)?;
        self.expect(TokenKind::RParen)?;
        Ok(args)
    }

    fn element(&mut self) -> Parse<Element> {
        let spread = self.eat_spread();
        Ok(Element { spread, value: self.expression()? })
    }

    /// `[i]` or `[a:b]`, at the bracket.
    fn subscript(&mut self, object: Expr) -> Parse<ExprKind> {
        self.expect(TokenKind::LBracket)?;
        let object = Box::new(object);
        let start = if self.at(TokenKind::Colon) { None } else { Some(Box::new(self.subscript_start()?)) };
        if !self.at(TokenKind::Colon) {
            self.expect(TokenKind::RBracket)?;
            return Ok(match start {
                Some(index) => ExprKind::Index { object, index, optional: false },
                None => ExprKind::Slice { object, start: None, end: None },
            });
        }
        self.bump();
        let end = if self.at(TokenKind::RBracket) { None } else { Some(Box::new(self.expression()?)) };
        self.expect(TokenKind::RBracket)?;
        Ok(ExprKind::Slice { object, start, end })
    }

    /// An index, or what stands before the `:` of a slice.
    fn subscript_start(&mut self) -> Parse<Expr> {
        self.nested(|parser| parser.before_colon(Self::pipe))
    }

    /// Whether the `?` that stands here begins a ternary: `X :` follows it. Remembered, and bounded in total.
    fn begins_ternary(&mut self) -> bool {
        let next = self.peek(1);
        if next.after_newline || !starts_expression(next.kind) {
            return false;
        }
        if let Some(known) = self.ternaries.get(&self.pos) {
            return *known;
        }
        let at = self.pos;
        let answer = if self.trial_budget == 0 {
            use TokenKind::*;
            matches!(
                next.kind,
                Ident
                    | Int
                    | Float
                    | Str
                    | InterpStart
                    | True
                    | False
                    | Nil
                    | LParen
                    | LBrace
                    | Bang
                    | Minus
                    | Fn
            )
        } else {
            self.trial(|parser| {
                parser.bump();
                parser.nested(|parser| parser.before_colon(|parser| parser.binary(0))).is_ok()
                    && parser.at(TokenKind::Colon)
            })
        };
        self.ternaries.insert(at, answer);
        answer
    }

    /// Whether the `? [` here begins a ternary whose first branch begins with a list (spec 01 section 6.3): only when
    /// no subscript can be meant, since it is empty, holds several items, or is followed by a `:` that would end
    /// nothing. `a?[i]` without a blank is always a subscript.
    fn begins_with_list(&mut self) -> bool {
        let (mark, bracket) = (self.current.span, self.peek(1).span);
        if mark.end == bracket.start || self.trial_budget == 0 {
            return false;
        }
        let at = self.pos;
        if let Some(known) = self.ternaries.get(&at) {
            return *known;
        }
        let subscript = self.trial(|parser| {
            let base = parser.expr(ExprKind::Nil, mark.start);
            parser.bump();
            parser.bump();
            if parser.nested(Self::expression).is_err() || !parser.eat(TokenKind::RBracket) {
                return false;
            }
            let operand = parser.postfix_forms(Ok(base));
            parser.operators(operand, 0).is_ok() && (parser.awaits_colon || !parser.at(TokenKind::Colon))
        });
        let ternary = !subscript
            && self.trial(|parser| {
                parser.bump();
                parser.nested(|parser| parser.before_colon(|parser| parser.binary(0))).is_ok()
                    && parser.at(TokenKind::Colon)
            });
        self.ternaries.insert(at, ternary);
        ternary
    }

    /// Type arguments if they stand here with a call behind them; else nothing is consumed.
    fn try_type_args(&mut self) -> Option<Vec<TypeExpr>> {
        if self.not_type_args.contains(&self.pos) || self.trial_budget == 0 {
            return None;
        }
        let at = self.pos;
        let mut found = None;
        let called = self.trial(|parser| {
            found = parser.type_args().ok().map(|args| (args, parser.pos));
            found.is_some() && parser.at_same_line(TokenKind::LParen)
        });
        match found {
            Some((args, end)) if called => {
                self.seek(end);
                Some(args)
            }
            _ => {
                self.not_type_args.insert(at);
                None
            }
        }
    }

    /// Runs a production without consuming or reporting anything, and says how it went.
    fn trial(&mut self, production: impl FnOnce(&mut Self) -> bool) -> bool {
        let (at, next_expr, depth, height) = (self.pos, self.next_expr, self.depth, self.height);
        self.trials += 1;
        let answer = production(self);
        self.trials -= 1;
        self.trial_budget = self.trial_budget.saturating_sub(self.pos.saturating_sub(at));
        self.seek(at);
        (self.next_expr, self.depth, self.height) = (next_expr, depth, height);
        answer
    }

    /// Whether the `{` that stands here behind a bare name begins the fields of a struct (spec 01 section 6.4).
    fn begins_struct(&self, name: Span) -> bool {
        if !self.text(name).starts_with(char::is_uppercase) {
            return false;
        }
        match self.peek(1).kind {
            TokenKind::RBrace => true,
            TokenKind::Ident | TokenKind::Str => self.peek(2).kind == TokenKind::Colon,
            _ => false,
        }
    }

    fn primary(&mut self) -> Parse<Expr> {
        use TokenKind::*;
        match self.kind() {
            TokenKind::Ident => self.name(),
            Int | Float | Duration | Str | RawStr | True | False | Nil => self.literal(),
            InterpStart => self.interpolated(),
            LParen => self.parenthesised(),
            LBracket => self.list_literal(),
            LBrace if self.current.has_arrow => self.closure(),
            LBrace => self.dict(),
            Fn => self.fn_closure(),
            Spawn | If | Match | Try | Retry | Parallel | Deadline => self.control_expression(),
            Lt if self.at_heredoc() => Err(self.heredoc()),
            _ => Err(self.expected("expression")),
        }
    }

    fn name(&mut self) -> Parse<Expr> {
        let name = self.ident_here();
        self.height = self.height.max(1);
        Ok(self.expr(ExprKind::Name(name.name), name.span.start))
    }

    fn parenthesised(&mut self) -> Parse<Expr> {
        let start = self.bump().span.start;
        let inner = Box::new(self.expression()?);
        self.expect(TokenKind::RParen)?;
        self.grow()?;
        Ok(self.expr(ExprKind::Paren(inner), start))
    }

    fn list_literal(&mut self) -> Parse<Expr> {
        let start = self.bump().span.start;
        let elements = self.list(TokenKind::RBracket, starts_element, Self::element)?;
        self.expect(TokenKind::RBracket)?;
        self.grow()?;
        Ok(self.expr(ExprKind::List(elements), start))
    }

    fn dict(&mut self) -> Parse<Expr> {
        let start = self.bump().span.start;
        let entries = self.list(TokenKind::RBrace, starts_entry, Self::dict_entry)?;
        self.expect(TokenKind::RBrace)?;
        self.grow()?;
        Ok(self.expr(ExprKind::Dict(entries), start))
    }

    fn dict_entry(&mut self) -> Parse<DictEntry> {
        if self.eat_spread() {
            return self.expression().map(DictEntry::Spread);
        }
        if self.at(TokenKind::LBracket) {
            return self.computed_entry();
        }
        let key_span = self.current.span;
        let key = self.dict_key()?;
        self.expect(TokenKind::Colon)?;
        self.expression().map(|value| DictEntry::Named { key, key_span, value })
    }

    fn computed_entry(&mut self) -> Parse<DictEntry> {
        self.bump();
        let key = Box::new(self.expression()?);
        self.expect(TokenKind::RBracket)?;
        self.expect(TokenKind::Colon)?;
        self.expression().map(|value| DictEntry::Computed { key, value })
    }

    fn dict_key(&mut self) -> Parse<Arc<str>> {
        let text = self.text(self.current.span);
        if self.at(TokenKind::Str) {
            self.bump();
            return Ok(self.string_value(text).as_ref().into());
        }
        self.any_name("dict key")?;
        Ok(text.into())
    }

    /// `{ params -> statements }`, at the brace.
    fn closure(&mut self) -> Parse<Expr> {
        let start = self.bump().span.start;
        let params = self.params(TokenKind::Arrow)?;
        self.expect(TokenKind::Arrow)?;
        let stmts = self.statements("statement")?;
        self.close_block()?;
        self.grow()?;
        let body = Block { stmts, span: Span::new(start, self.previous_end) };
        Ok(self.expr(ExprKind::Closure(Box::new(Closure { fn_form: false, params, body })), start))
    }

    /// `fn(params) { ... }`, at the word.
    pub(super) fn fn_closure(&mut self) -> Parse<Expr> {
        let start = self.bump().span.start;
        self.expect(TokenKind::LParen)?;
        let params = self.params(TokenKind::RParen)?;
        self.expect(TokenKind::RParen)?;
        let body = self.block()?;
        self.grow()?;
        Ok(self.expr(ExprKind::Closure(Box::new(Closure { fn_form: true, params, body })), start))
    }

    fn at_heredoc(&self) -> bool {
        let (second, word) = (self.peek(1), self.peek(2));
        second.kind == TokenKind::Lt
            && second.span.start == self.current.span.end
            && word.kind == TokenKind::Ident
            && word.span.start == second.span.end
    }

    fn heredoc(&mut self) -> super::Halt {
        self.expected_found(
            "an expression — heredocs are only valid inside LLM tool-call argument JSON; for multiline strings in \
             source code use triple-quoted `\"\"\"...\"\"\"`",
            "`<<` heredoc-like syntax",
            codes::HEREDOC,
        )
    }
}

fn starts_element(kind: TokenKind) -> bool {
    kind == TokenKind::Dot || starts_expression(kind)
}

fn starts_entry(kind: TokenKind) -> bool {
    is_name(kind) || matches!(kind, TokenKind::Str | TokenKind::LBracket | TokenKind::Dot)
}
