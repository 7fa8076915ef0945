//! Statements and blocks.
//!
//! Source: spec 02 sections 7, 9; 01 section 5.3.

use crate::Compiler;
use crate::expressions::peel;
use crate::function::{Control, ExitKind, Role};
use crate::names::ModuleName;
use harn_bytecode::Op;
use harn_syntax::ast::{Binding, Block, Decl, DeclKind, Else, Expr, ExprKind, If, Let, Stmt, StmtKind};

impl<'a> Compiler<'a> {
    /// A block in its own scope; its value goes to `dst`.
    pub(crate) fn block(&mut self, block: &'a Block, dst: Option<u8>) {
        let scope = self.open_scope();
        self.statements(&block.stmts, dst);
        self.close_scope(scope);
    }

    /// Whether the innermost scope is the file's own.
    pub(crate) fn at_top_level(&mut self) -> bool {
        let single = self.fns.len() == 1;
        let f = self.f();
        single && f.scope == 0 && matches!(f.role, Role::Script | Role::Init)
    }

    /// The statements of the innermost scope; the value of the last one goes to `dst`.
    pub(crate) fn statements(&mut self, stmts: &'a [Stmt], dst: Option<u8>) {
        let planned = if self.at_top_level() {
            Vec::new()
        } else {
            self.plan_late(stmts);
            self.plan_nested(stmts)
        };
        let reserved = self.f().reserved.len();
        let mut deferred = 0;
        let mut valued = false;
        for (index, stmt) in stmts.iter().enumerate() {
            self.create_nested(&planned, index);
            if let StmtKind::Defer(block) = &stmt.kind {
                self.at(stmt.span);
                let late = self.late(block, stmts, index);
                self.begin_finally(block, late);
                deferred += 1;
                continue;
            }
            self.probe(stmt);
            match dst {
                Some(dst) if index + 1 == stmts.len() => valued = self.last_statement(stmt, dst),
                _ => self.statement(stmt),
            }
            self.declared_late(index, deferred);
        }
        if let Some(dst) = dst
            && !valued
        {
            self.emit(Op::Nil, dst, 0, 0, 0);
        }
        for _ in 0..deferred {
            self.end_finally();
        }
        self.f().reserved.truncate(reserved);
    }

    /// Counts the line of a statement that does something.
    fn probe(&mut self, stmt: &'a Stmt) {
        let inert = matches!(stmt.kind, StmtKind::Import(_) | StmtKind::Decl(_) | StmtKind::Error);
        if self.probes && !inert {
            self.at(stmt.span);
            let line = self.module.source.position(stmt.span.start).line;
            self.emit(Op::Probe, 0, 0, 0, line as i32);
        }
    }

    /// The last statement of a block that yields a value; whether it did.
    fn last_statement(&mut self, stmt: &'a Stmt, dst: u8) -> bool {
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                self.expr(expr, dst);
                true
            }
            StmtKind::Select(select) => {
                self.at(stmt.span);
                self.select(select, Some(dst));
                true
            }
            _ => {
                self.statement(stmt);
                false
            }
        }
    }

    /// One statement for its effect.
    pub(crate) fn statement(&mut self, stmt: &'a Stmt) {
        self.at(stmt.span);
        match &stmt.kind {
            StmtKind::Import(_) | StmtKind::Defer(_) | StmtKind::Error => {}
            StmtKind::Decl(decl) => self.declaration(decl, stmt),
            StmtKind::Let(binding) => self.let_statement(binding),
            StmtKind::Assign(assign) => self.assignment(assign, stmt),
            StmtKind::Expr(expr) => self.effect(expr),
            StmtKind::For(for_loop) => self.for_loop(for_loop),
            StmtKind::While { condition, body } => self.while_loop(condition, body),
            StmtKind::Guard { condition, otherwise } => {
                let passes = self.f().code.label();
                self.branch(condition, passes, true);
                self.block(otherwise, None);
                self.f().code.place(passes);
            }
            StmtKind::Require { condition, message } => self.require(condition, message.as_deref()),
            StmtKind::Return(value) => self.return_statement(value.as_ref()),
            StmtKind::Throw(value) => {
                let mark = self.mark();
                let register = self.temp();
                self.expr(value, register);
                self.at(stmt.span);
                self.emit(Op::Throw, register, 0, 0, 0);
                self.release(mark);
            }
            StmtKind::Yield(value) => self.yield_value(value.as_ref(), stmt),
            StmtKind::Emit(value) => self.yield_value(Some(value), stmt),
            StmtKind::Break => match self.innermost_loop() {
                Some(target) => self.exit(ExitKind::Break(target), None),
                None => self.error("HARN2001", "break outside of loop", stmt.span),
            },
            StmtKind::Continue => match self.innermost_loop() {
                Some(target) => self.exit(ExitKind::Continue(target), None),
                None => self.error("HARN2002", "continue outside of loop", stmt.span),
            },
            StmtKind::Mutex(body) => self.mutex(body),
            StmtKind::Select(select) => self.select(select, None),
        }
    }

    fn require(&mut self, condition: &'a Expr, message: Option<&'a Expr>) {
        let holds = self.f().code.label();
        let span = self.f().code.span;
        self.branch(condition, holds, true);
        let mark = self.mark();
        let register = self.temp();
        match message {
            Some(message) => self.expr(message, register),
            None => self.load_str("require condition failed", register),
        }
        self.at(span);
        self.emit(Op::Throw, register, 0, 0, 0);
        self.release(mark);
        self.f().code.place(holds);
    }

    fn return_statement(&mut self, value: Option<&'a Expr>) {
        let Some(value) = value else { return self.exit(ExitKind::Return, None) };
        if self.tail_call(value) {
            return;
        }
        let span = self.f().code.span;
        let mark = self.mark();
        let register = self.operand(value);
        self.at(span);
        self.exit(ExitKind::Return, Some(register));
        self.release(mark);
    }

    fn yield_value(&mut self, value: Option<&'a Expr>, stmt: &'a Stmt) {
        if !self.f().generator {
            return self.error("HARN2003", "yield and emit need an enclosing function", stmt.span);
        }
        let mark = self.mark();
        let register = self.temp();
        match value {
            Some(value) => self.expr(value, register),
            None => self.emit(Op::Nil, register, 0, 0, 0),
        }
        let answer = self.temp();
        self.at(stmt.span);
        self.emit(Op::Yield, answer, register, 0, 0);
        self.release(mark);
    }

    /// `let` and `var`.
    pub(crate) fn let_statement(&mut self, binding: &'a Let) {
        let value = self.temp();
        match (&peel(&binding.value).kind, &binding.binding) {
            (ExprKind::Closure(closure), Binding::Name(name)) => {
                self.at(binding.value.span);
                self.named_closure(closure, name.name, value);
                self.fill_cell(name.name, value);
            }
            _ => self.expr(&binding.value, value),
        }
        self.bind_pattern(&binding.binding, value, binding.mutable);
    }

    /// A declaration where it stands.
    fn declaration(&mut self, decl: &'a Decl, stmt: &'a Stmt) {
        match &decl.kind {
            DeclKind::Fn(function) => {
                self.function_attributes(decl, Some(function.name));
            }
            DeclKind::Tool(tool) => {
                self.function_attributes(decl, None);
                self.tool(tool, stmt.span);
            }
            DeclKind::Skill { name, fields } => {
                self.function_attributes(decl, None);
                self.skill(*name, fields, stmt.span);
            }
            DeclKind::EvalPack(pack) => {
                self.function_attributes(decl, None);
                self.eval_pack(pack, stmt.span);
            }
            DeclKind::Struct { .. } | DeclKind::Enum { .. } | DeclKind::Impl { .. } => {
                // Declared for the whole file before any code.
                self.function_attributes(decl, None);
            }
            DeclKind::Pipeline(_)
            | DeclKind::Override { .. }
            | DeclKind::TypeAlias { .. }
            | DeclKind::Interface(_) => self.function_attributes(decl, None),
        }
    }

    /// Binds a declared value (tool, skill, ...) in a fresh topmost register to its name.
    pub(crate) fn bind_declared(&mut self, name: harn_syntax::ast::Ident, register: u8) {
        self.bind_name(name, register, false);
    }

    /// Binds one name to the value in a fresh topmost register: a file variable, or a local.
    pub(crate) fn bind_name(&mut self, name: harn_syntax::ast::Ident, register: u8, mutable: bool) {
        if Some(name.name) == self.underscore {
            return;
        }
        if self.at_top_level()
            && let Some(ModuleName::Global { index, .. }) = self.module_names.get(&name.name).copied()
        {
            if !mutable && self.immutable_so_far.contains(&name.name) {
                self.at(name.span);
                self.raise_redeclared(name.name);
            }
            if mutable {
                self.immutable_so_far.remove(&name.name);
            } else {
                self.immutable_so_far.insert(name.name);
            }
            self.emit(Op::SetGlobal, register, 0, 0, index as i32);
            self.set_ready(index);
            return self.release(u16::from(register));
        }
        if self.at_top_level() && !mutable && self.immutable_so_far.contains(&name.name) {
            self.at(name.span);
            self.raise_redeclared(name.name);
        }
        self.at(name.span);
        self.check_redeclaration(name.name, mutable);
        self.bind_value(name.name, register, mutable);
    }

    /// `if`.
    pub(crate) fn if_expr(&mut self, branch: &'a If, dst: Option<u8>) {
        let no = self.f().code.label();
        self.branch(&branch.condition, no, false);
        self.block(&branch.then, dst);
        match &branch.otherwise {
            None if dst.is_none() => self.f().code.place(no),
            otherwise => {
                let end = self.f().code.label();
                self.f().code.jump(Op::Jump, 0, 0, 0, end);
                self.f().code.place(no);
                match otherwise {
                    Some(Else::Block(block)) => self.block(block, dst),
                    Some(Else::If(inner)) => match dst {
                        Some(dst) => self.expr(inner, dst),
                        None => self.effect(inner),
                    },
                    None => {
                        if let Some(dst) = dst {
                            self.emit(Op::Nil, dst, 0, 0, 0);
                        }
                    }
                }
                self.f().code.place(end);
            }
        }
    }

    /// `while`, tested at the bottom.
    fn while_loop(&mut self, condition: &'a Expr, body: &'a Block) {
        let (test, top, end) = {
            let f = self.f();
            (f.code.label(), f.code.label(), f.code.label())
        };
        self.f().code.jump(Op::Jump, 0, 0, 0, test);
        self.f().code.place(top);
        self.f().control.push(Control::Loop { on_break: end, on_continue: test });
        self.block(body, None);
        self.f().control.pop();
        self.f().code.place(test);
        self.at(condition.span);
        self.branch(condition, top, true);
        self.f().code.place(end);
    }
}
