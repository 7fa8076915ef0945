//! Expressions with blocks: `if`, `match`, `try`, `retry`, `parallel`, `spawn`, `deadline` (spec 01 section 5.3).

use super::{Parse, Parser};
use crate::ast::{Block, Catch, Else, Expr, ExprKind, If, MatchArm, Parallel, ParallelKind, Try};
use crate::codes;
use crate::source::Span;
use crate::token::TokenKind;

impl Parser<'_> {
    /// The expression that begins with the reserved word at hand.
    pub(super) fn control_expression(&mut self) -> Parse<Expr> {
        let start = self.start();
        let outer = std::mem::take(&mut self.height);
        let kind = self.control_kind()?;
        self.grow()?;
        self.height = self.height.max(outer);
        Ok(self.expr(kind, start))
    }

    fn control_kind(&mut self) -> Parse<ExprKind> {
        match self.kind() {
            TokenKind::If => self.if_kind(),
            TokenKind::Match => self.match_kind(),
            TokenKind::Try => self.try_kind(),
            TokenKind::Retry => self.retry_kind(),
            TokenKind::Deadline => self.deadline_kind(),
            TokenKind::Spawn => self.spawn_kind(),
            TokenKind::Parallel => self.parallel_kind(),
            _ => Err(self.expected("expression")),
        }
    }

    fn retry_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        let attempts = Box::new(self.expression()?);
        Ok(ExprKind::Retry { attempts, body: self.block()? })
    }

    fn deadline_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        let duration = Box::new(self.expression()?);
        Ok(ExprKind::Deadline { duration, body: self.block()? })
    }

    fn spawn_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        self.block().map(ExprKind::Spawn)
    }

    fn if_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        let condition = self.expression()?;
        let then = self.block()?;
        let otherwise = if !self.eat_any_line(TokenKind::Else) {
            None
        } else if self.at(TokenKind::If) {
            Some(Else::If(self.nested(Self::control_expression)?))
        } else {
            Some(Else::Block(self.block()?))
        };
        Ok(ExprKind::If(Box::new(If { condition, then, otherwise })))
    }

    fn match_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        let value = Box::new(self.expression()?);
        self.expect(TokenKind::LBrace)?;
        let mut arms = Vec::new();
        while !self.at(TokenKind::RBrace) && !self.at(TokenKind::Eof) {
            arms.push(self.match_arm()?);
        }
        self.close_block()?;
        Ok(ExprKind::Match { value, arms })
    }

    fn match_arm(&mut self) -> Parse<MatchArm> {
        let start = self.start();
        let pattern = self.pattern()?;
        let guard = if self.eat_any_line(TokenKind::If) { Some(self.expression()?) } else { None };
        self.expect(TokenKind::Arrow)?;
        let body = self.block()?;
        Ok(MatchArm { pattern, guard, body, span: Span::new(start, self.previous_end) })
    }

    fn try_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        if self.eat(TokenKind::Star) {
            self.same_line_operand()?;
            return Ok(ExprKind::TryStar(Box::new(self.nested(Self::unary)?)));
        }
        let body = self.block()?;
        let catch = if self.eat_any_line(TokenKind::Catch) { Some(self.catch_clause()?) } else { None };
        let finally = if self.eat_any_line(TokenKind::Finally) { Some(self.block()?) } else { None };
        Ok(ExprKind::Try(Box::new(Try { body, catch, finally })))
    }

    /// What stands behind `catch`.
    fn catch_clause(&mut self) -> Parse<Catch> {
        let (mut name, mut ty) = (None, None);
        if self.eat_any_line(TokenKind::LParen) {
            name = Some(self.ident("error variable")?);
            ty = self.annotation()?;
            self.expect(TokenKind::RParen)?;
        } else if !self.at(TokenKind::LBrace) {
            if !self.at(TokenKind::Ident) && !self.kind().is_keyword() {
                return Err(self.expected("{"));
            }
            name = Some(self.ident("error variable")?);
        }
        Ok(Catch { name, ty, body: self.block()? })
    }

    fn parallel_kind(&mut self) -> Parse<ExprKind> {
        self.bump();
        let mut kind = ParallelKind::Count;
        if self.at_word("each") {
            kind = ParallelKind::Each;
            self.bump();
        } else if self.at_word("settle") {
            kind = ParallelKind::Settle;
            self.bump();
        }
        let operand = self.expression()?;
        let mut max_concurrent = None;
        if self.at_word("with") {
            self.bump();
            self.expect(TokenKind::LBrace)?;
            for option in self.list(TokenKind::RBrace, super::types::is_name, Self::parallel_option)? {
                max_concurrent = Some(option);
            }
            self.expect(TokenKind::RBrace)?;
        }
        let start = self.expect(TokenKind::LBrace)?.span.start;
        let param = if self.at(TokenKind::Ident) && self.peek(1).kind == TokenKind::Arrow {
            let param = self.ident_here();
            self.bump();
            Some(param)
        } else {
            None
        };
        let stmts = self.nested(|parser| parser.statements("statement"))?;
        self.close_block()?;
        let body = Block { stmts, span: Span::new(start, self.previous_end) };
        if self.at_word("as") && !self.current.after_newline && self.peek(1).kind == TokenKind::Ident {
            if kind != ParallelKind::Each {
                return Err(self.expected_found(
                    "`as stream` is only valid after `parallel each ... { ... }`",
                    "as stream",
                    codes::PARALLEL_FORM,
                ));
            }
            self.bump();
            if !self.at_word("stream") {
                return Err(self.expected("stream"));
            }
            self.bump();
            kind = ParallelKind::EachStream;
        }
        Ok(ExprKind::Parallel(Box::new(Parallel { kind, operand, max_concurrent, param, body })))
    }

    fn parallel_option(&mut self) -> Parse<Expr> {
        if !self.at_word("max_concurrent") {
            let name = self.text(self.current.span);
            let what = format!(
                "known option (only `max_concurrent` is supported in `parallel ... with {{ ... }}`; got `{name}`)"
            );
            return Err(self.expected_found(&what, name, codes::PARALLEL_FORM));
        }
        self.bump();
        self.expect(TokenKind::Colon)?;
        self.expression()
    }
}
