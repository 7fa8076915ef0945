//! Statement lists, blocks and statements (spec 01 sections 4 and 5.3).

use super::{Parse, Parser};
use crate::ast::{
    Assign, BinaryOp, Block, Expr, ExprKind, For, Ident, Let, Select, SelectCase, Stmt, StmtKind,
};
use crate::codes;
use crate::source::Span;
use crate::token::TokenKind;

impl Parser<'_> {
    /// `{ statements }`.
    pub(super) fn block(&mut self) -> Parse<Block> {
        self.nested(Self::block_here)
    }

    fn block_here(&mut self) -> Parse<Block> {
        let start = self.expect(TokenKind::LBrace)?.span.start;
        let stmts = self.statements("statement")?;
        self.close_block()?;
        self.grow()?;
        Ok(Block { stmts, span: Span::new(start, self.previous_end) })
    }

    /// The `}` of a block. Its absence at the end of the file is reported, and the block counts as closed.
    pub(super) fn close_block(&mut self) -> Parse<()> {
        if self.at(TokenKind::Eof) && self.trials == 0 {
            self.expected("}");
            return Ok(());
        }
        self.expect(TokenKind::RBrace).map(|_| ())
    }

    /// Statements up to a `}` or the end of the file. What does not parse is reported and becomes
    /// [`StmtKind::Error`]; `item` names an item in the message about a missing separator.
    pub(super) fn statements(&mut self, item: &str) -> Parse<Vec<Stmt>> {
        let mut stmts = Vec::new();
        let mut tallest = std::mem::take(&mut self.height);
        while !self.at(TokenKind::RBrace) && !self.at(TokenKind::Eof) {
            self.height = 0;
            self.statement_in_list(item, &mut stmts)?;
            tallest = tallest.max(self.height);
        }
        self.height = tallest;
        Ok(stmts)
    }

    fn statement_in_list(&mut self, item: &str, stmts: &mut Vec<Stmt>) -> Parse<()> {
        let (at, start) = (self.pos, self.start());
        let kind = self.statement_kind();
        let failed = kind.is_err();
        let kind = kind.unwrap_or(StmtKind::Error);
        stmts.push(Stmt { kind, span: Span::new(start, self.previous_end.max(start)) });
        if failed || self.separator(item).is_err() { self.resume(at) } else { Ok(()) }
    }

    /// Goes on behind a statement that failed, unless parsing was given up.
    pub(super) fn resume(&mut self, at: usize) -> Parse<()> {
        if self.fatal {
            return Err(super::Halt);
        }
        self.recover(at);
        Ok(())
    }

    /// What must stand between two items.
    pub(super) fn separator(&mut self, item: &str) -> Parse<()> {
        if self.current.after_newline
            || matches!(self.kind(), TokenKind::RBrace | TokenKind::Eof)
            || self.eat(TokenKind::Semicolon)
        {
            return Ok(());
        }
        Err(self.expected_as(&format!("{item} separator (`;` or newline)"), codes::MISSING_SEPARATOR))
    }

    /// One statement or declaration.
    pub(super) fn statement(&mut self) -> Parse<Stmt> {
        let start = self.start();
        let kind = self.statement_kind()?;
        Ok(Stmt { kind, span: Span::new(start, self.previous_end) })
    }

    // Each form has a function of its own: this one lies on the path of every nested block, and its frame stays small.
    fn statement_kind(&mut self) -> Parse<StmtKind> {
        use TokenKind::*;
        match self.kind() {
            Let | Var => self.let_statement(),
            For => self.for_statement(),
            While => self.while_statement(),
            Guard => self.guard_statement(),
            Require => self.require_statement(),
            Return | Yield | Throw | Emit | Break | Continue => self.jump_statement(),
            Defer | Mutex => self.block_statement(),
            Select => self.nested(Self::select_statement),
            // In statement position these end with their block: nothing continues them.
            If | Match | Retry | Parallel | Deadline => self.control_statement(),
            Try if self.peek(1).kind == LBrace => self.control_statement(),
            _ if self.begins_declaration() => self.nested(Self::declaration),
            _ => self.expression_statement(),
        }
    }

    fn control_statement(&mut self) -> Parse<StmtKind> {
        self.nested(Self::control_expression).map(StmtKind::Expr)
    }

    fn while_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        let condition = self.expression()?;
        self.block().map(|body| StmtKind::While { condition, body })
    }

    fn guard_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        let condition = self.expression()?;
        self.expect(TokenKind::Else)?;
        self.block().map(|otherwise| StmtKind::Guard { condition, otherwise })
    }

    fn require_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        let condition = self.expression()?;
        let message = if self.eat(TokenKind::Comma) { Some(Box::new(self.expression()?)) } else { None };
        Ok(StmtKind::Require { condition, message })
    }

    fn jump_statement(&mut self) -> Parse<StmtKind> {
        let word = self.bump().kind;
        match word {
            TokenKind::Return => self.optional_operand().map(StmtKind::Return),
            TokenKind::Yield => self.optional_operand().map(StmtKind::Yield),
            TokenKind::Throw => self.expression().map(StmtKind::Throw),
            TokenKind::Emit => self.expression().map(StmtKind::Emit),
            TokenKind::Break => Ok(StmtKind::Break),
            _ => Ok(StmtKind::Continue),
        }
    }

    fn block_statement(&mut self) -> Parse<StmtKind> {
        let word = self.bump().kind;
        let body = self.block();
        if word == TokenKind::Defer { body.map(StmtKind::Defer) } else { body.map(StmtKind::Mutex) }
    }

    /// The operand of `return` and `yield`: absent before a newline, `;`, `}` or the end of the file.
    fn optional_operand(&mut self) -> Parse<Option<Expr>> {
        let absent = self.current.after_newline
            || matches!(self.kind(), TokenKind::Semicolon | TokenKind::RBrace | TokenKind::Eof);
        if absent { Ok(None) } else { self.expression().map(Some) }
    }

    fn let_statement(&mut self) -> Parse<StmtKind> {
        let mutable = self.bump().kind == TokenKind::Var;
        let binding = self.binding(false)?;
        let ty = match binding {
            crate::ast::Binding::Name(_) => self.annotation()?,
            _ => None,
        };
        self.expect(TokenKind::Eq)?;
        let value = self.expression()?;
        Ok(StmtKind::Let(Box::new(Let { mutable, binding, ty, value })))
    }

    fn for_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        let binding = self.binding(true)?;
        self.expect(TokenKind::In)?;
        let iterable = self.expression()?;
        let body = self.block()?;
        Ok(StmtKind::For(Box::new(For { binding, iterable, body })))
    }

    /// An expression, or an assignment when its left side can be assigned to.
    fn expression_statement(&mut self) -> Parse<StmtKind> {
        use TokenKind::*;
        let expr = self.expression();
        let assigns = matches!(self.kind(), Eq | PlusEq | MinusEq | StarEq | SlashEq | PercentEq);
        if assigns && !self.current.after_newline { self.assignment(expr?) } else { expr.map(StmtKind::Expr) }
    }

    fn assignment(&mut self, target: Expr) -> Parse<StmtKind> {
        let target = without_parens(target);
        if !is_assignable(&target) {
            return Ok(StmtKind::Expr(target));
        }
        let op = match self.bump().kind {
            TokenKind::PlusEq => Some(BinaryOp::Add),
            TokenKind::MinusEq => Some(BinaryOp::Sub),
            TokenKind::StarEq => Some(BinaryOp::Mul),
            TokenKind::SlashEq => Some(BinaryOp::Div),
            TokenKind::PercentEq => Some(BinaryOp::Rem),
            _ => None,
        };
        let value = self.expression()?;
        Ok(StmtKind::Assign(Box::new(Assign { target, op, value })))
    }

    fn select_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        self.expect(TokenKind::LBrace)?;
        let mut select = Select { cases: Vec::new(), timeout: None, default: None };
        while !self.at(TokenKind::RBrace) && !self.at(TokenKind::Eof) {
            let receives = self.peek(1).kind == TokenKind::From;
            if self.at_word("timeout") && !receives {
                if select.timeout.is_some() {
                    return Err(self.expected_as("one timeout case", codes::SELECT_CASES));
                }
                self.one_way_out(select.default.is_some())?;
                self.bump();
                let duration = self.expression()?;
                select.timeout = Some((duration, self.block()?));
            } else if self.at_word("default") && !receives {
                if select.default.is_some() {
                    return Err(self.expected_as("one default case", codes::SELECT_CASES));
                }
                self.one_way_out(select.timeout.is_some())?;
                self.bump();
                select.default = Some(self.block()?);
            } else {
                let name: Ident = self.ident("select case variable")?;
                self.expect(TokenKind::From)?;
                let channel = self.expression()?;
                select.cases.push(SelectCase { name, channel, body: self.block()? });
            }
        }
        if select.cases.is_empty() && select.timeout.is_none() && select.default.is_none() {
            return Err(self.expected_as("at least one select case", codes::SELECT_CASES));
        }
        self.close_block()?;
        Ok(StmtKind::Select(Box::new(select)))
    }

    fn one_way_out(&mut self, other: bool) -> Parse<()> {
        if other {
            return Err(self.expected_as("select cannot have both timeout and default", codes::SELECT_CASES));
        }
        Ok(())
    }
}

fn without_parens(expr: Expr) -> Expr {
    let mut expr = expr;
    loop {
        match expr.kind {
            ExprKind::Paren(inner) => expr = *inner,
            kind => return Expr { id: expr.id, kind, span: expr.span },
        }
    }
}

/// Names, properties and subscripts can be assigned to.
fn is_assignable(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Name(_)
            | ExprKind::Property { optional: false, .. }
            | ExprKind::Index { optional: false, .. }
    )
}
