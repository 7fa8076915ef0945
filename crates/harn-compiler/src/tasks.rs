//! `spawn`, `parallel` and `select`.
//!
//! Source: spec 04 sections 4.2, 4.3, 4.6.

use crate::Compiler;
use crate::closures::Parameters;
use harn_bytecode::{Op, ParallelKind};
use harn_syntax::ast::{Block, Expr, Parallel, ParallelKind as Written, Select};

impl<'a> Compiler<'a> {
    /// `spawn { }`.
    pub(crate) fn spawn(&mut self, expr: &'a Expr, body: &'a Block, dst: u8) {
        let mark = self.mark();
        let closure = self.temp();
        self.lambda(Parameters::Bare(Vec::new()), body, None, closure);
        self.at(expr.span);
        self.emit(Op::Spawn, dst, closure, 0, 0);
        self.release(mark);
    }

    /// `parallel ...`.
    pub(crate) fn parallel(&mut self, expr: &'a Expr, parallel: &'a Parallel, dst: u8) {
        let mark = self.mark();
        let base = self.window(dst);
        let (closure, most) = (self.temp(), self.temp());
        self.expr(&parallel.operand, base);
        match &parallel.max_concurrent {
            Some(max) => self.expr(max, most),
            None => self.emit(Op::Nil, most, 0, 0, 0),
        }
        self.at(expr.span);
        self.lambda(Parameters::Bare(parallel.param.into_iter().collect()), &parallel.body, None, closure);
        self.at(expr.span);
        let kind = match parallel.kind {
            Written::Count => ParallelKind::Count,
            Written::Each => ParallelKind::Each,
            Written::Settle => ParallelKind::Settle,
            Written::EachStream => ParallelKind::Stream,
        };
        self.emit(Op::Parallel, base, 0, kind as u8, 0);
        self.deliver(base, dst);
        self.release(mark);
    }

    /// `select { }`.
    pub(crate) fn select(&mut self, select: &'a Select, dst: Option<u8>) {
        let span = self.f().code.span;
        let mark = self.mark();
        let count = select.cases.len();
        let base = self.temps((count + 1).max(2));
        for (number, case) in select.cases.iter().enumerate() {
            self.expr(&case.channel, base.wrapping_add(number as u8));
        }
        let mode = match (&select.timeout, &select.default) {
            (Some((limit, _)), _) => {
                self.expr(limit, base.wrapping_add(count as u8));
                1
            }
            (None, Some(_)) => 2,
            (None, None) => 0,
        };
        self.at(span);
        self.emit(Op::Select, base, count as u8, mode, 0);
        self.release(u16::from(base) + 2);
        let end = self.f().code.label();
        for (number, case) in select.cases.iter().enumerate() {
            let next = self.f().code.label();
            self.f().code.jump_imm(Op::JumpNeImm, base, number as i16, next);
            let scope = self.open_scope();
            let value = self.temp();
            self.emit(Op::Move, value, base + 1, 0, 0);
            self.bind_value(case.name.name, value, false);
            self.block(&case.body, dst);
            self.close_scope(scope);
            self.f().code.jump(Op::Jump, 0, 0, 0, end);
            self.f().code.place(next);
        }
        match (&select.timeout, &select.default) {
            (Some((_, block)), _) | (None, Some(block)) => self.block(block, dst),
            (None, None) => {
                if let Some(dst) = dst {
                    self.emit(Op::Nil, dst, 0, 0, 0);
                }
            }
        }
        self.f().code.place(end);
        self.release(mark);
    }
}
