//! Files, functions and statements (spec 03 section 5).

use super::env::VarKind;
use super::narrow::{ALL_NAMES, TYPE_NAMES};
use super::{Checker, Frame, FrameKind, Typed, flow};
use crate::codes;
use crate::types::{DeclId, Generic, Kind, Ty};
use harn_syntax::Span;
use harn_syntax::ast::*;
use harn_syntax::precedents;
use std::rc::Rc;

impl Frame {
    pub(super) fn new(kind: FrameKind) -> Frame {
        Frame {
            result: Ty::FREE,
            element: Ty::FREE,
            kind,
            unlooked: 0,
            loops: 0,
            thrown: Vec::new(),
            bounds: Vec::new(),
        }
    }
}

impl<'g> Checker<'g> {
    /// Checks the whole file.
    pub(super) fn file(&mut self) {
        let module = self.module;
        self.collect_names();
        self.frames.push(Frame::new(FrameKind::File));
        self.env.open();
        self.statements(&module.ast().items, Ty::FREE);
        self.env.close();
        self.frames.pop();
    }

    /// Statements of one scope, functions hoisted; the value is that of the last one.
    pub(super) fn statements(&mut self, stmts: &'g [Stmt], expected: Ty) -> Typed {
        for stmt in stmts {
            if let StmtKind::Decl(decl) = &stmt.kind {
                self.hoist(decl);
            }
        }
        let mut value = Typed::FREE;
        let (mut exited, mut told) = (false, false);
        for (i, stmt) in stmts.iter().enumerate() {
            if exited && !told && !matches!(stmt.kind, StmtKind::Decl(_) | StmtKind::Error) {
                told = true;
                self.warn(codes::UNREACHABLE, stmt.span, "unreachable code".to_owned());
                self.help("remove it, or move it before the statement that leaves the block".to_owned());
            }
            let last = i + 1 == stmts.len();
            value = self.statement(stmt, if last { expected } else { Ty::FREE });
            exited |= flow::stmt_exits(stmt);
        }
        if exited { Typed::sure(Ty::NEVER) } else { value }
    }

    /// A block in a scope of its own, whose value does not matter.
    pub(super) fn block(&mut self, block: &'g Block) {
        self.scoped(block, Ty::FREE);
    }

    /// A block in a scope of its own.
    pub(super) fn scoped(&mut self, block: &'g Block, expected: Ty) -> Typed {
        let mark = self.env.mark();
        self.env.open();
        let value = self.statements(&block.stmts, expected);
        self.env.close();
        self.env.restore(mark, flow::exits(block));
        value
    }

    /// The body of a function or closure, in the scope of its parameters.
    pub(super) fn body(&mut self, block: &'g Block, expected: Ty) -> Typed {
        self.statements(&block.stmts, expected)
    }

    /// Binds a variable; `_` binds nothing.
    pub(super) fn bind_name(&mut self, name: Ident, kind: VarKind, typed: Typed) {
        if self.name(name) != "_" {
            let ty = if typed.ty == Ty::NEVER { Ty::FREE } else { typed.ty };
            if let Some(record) = &mut self.record {
                record.binding(name.span, ty);
            }
            self.env.declare(name.name, kind, ty, typed.weak);
        }
    }

    fn hoist(&mut self, decl: &'g Decl) {
        let name = match &decl.kind {
            DeclKind::Fn(f) => f.name,
            DeclKind::Tool(t) => t.name,
            DeclKind::Skill { name, .. } => *name,
            DeclKind::EvalPack(pack) => pack.binding,
            _ => return,
        };
        let sig = match &decl.kind {
            DeclKind::Fn(_) => self.decl_sig(self.index, decl),
            _ => None,
        };
        let id = self.env.declare(name.name, VarKind::Function, Ty::FREE, false);
        if let Some(var) = self.env.get_mut(id) {
            var.sig = sig;
        }
    }

    fn statement(&mut self, stmt: &'g Stmt, expected: Ty) -> Typed {
        match &stmt.kind {
            StmtKind::Import(_) | StmtKind::Error => {}
            StmtKind::Decl(decl) => self.declaration(decl, stmt.span),
            StmtKind::Let(item) => self.let_statement(item, stmt.span),
            StmtKind::Assign(assign) => self.assignment(assign, stmt.span),
            StmtKind::Expr(e) => return self.expect(e, expected),
            StmtKind::For(item) => self.for_loop(item),
            StmtKind::While { condition, body } => {
                self.expr(condition);
                let facts = self.facts(condition);
                let mark = self.env.mark();
                self.apply(&facts.truthy);
                self.in_loop(|c| c.block(body));
                self.env.restore(mark, false);
            }
            StmtKind::Guard { condition, otherwise } => {
                self.expr(condition);
                let facts = self.facts(condition);
                let mark = self.env.mark();
                self.apply(&facts.falsy);
                self.unlooked(|c| c.block(otherwise));
                self.env.restore(mark, flow::exits(otherwise));
                self.apply(&facts.truthy);
            }
            StmtKind::Require { condition, message } => {
                self.expr(condition);
                message.iter().for_each(|m| {
                    self.expr(m);
                });
            }
            StmtKind::Return(value) => self.return_statement(value.as_ref(), stmt.span),
            StmtKind::Throw(value) => {
                let typed = self.expr(value);
                if let Some(thrown) = self.frames.last_mut().and_then(|f| f.thrown.last_mut()) {
                    thrown.push(typed.ty);
                }
                self.half_narrowed("throw", stmt.span);
            }
            StmtKind::Yield(value) => {
                if self.frames.last().is_some_and(|f| f.kind == FrameKind::GenFunction) {
                    let text = "`yield` is not a stream emit; use `emit` inside `gen fn`";
                    self.error(codes::YIELD_IN_GEN, stmt.span, text.to_owned());
                }
                value.iter().for_each(|v| {
                    self.expr(v);
                });
            }
            StmtKind::Emit(value) => self.emit(value, stmt.span),
            StmtKind::Break => self.loop_exit("break", codes::BREAK_OUTSIDE, stmt.span),
            StmtKind::Continue => self.loop_exit("continue", codes::CONTINUE_OUTSIDE, stmt.span),
            StmtKind::Defer(block) | StmtKind::Mutex(block) => self.unlooked(|c| c.block(block)),
            StmtKind::Select(select) => self.unlooked(|c| c.select(select)),
        }
        Typed::FREE
    }

    fn select(&mut self, select: &'g Select) {
        for case in &select.cases {
            self.expr(&case.channel);
            let mark = self.env.mark();
            self.env.open();
            self.bind_name(case.name, VarKind::Bound, Typed::FREE);
            self.statements(&case.body.stmts, Ty::FREE);
            self.env.close();
            self.env.restore(mark, flow::exits(&case.body));
        }
        if let Some((time, block)) = &select.timeout {
            self.expr(time);
            self.block(block);
        }
        select.default.iter().for_each(|b| self.block(b));
    }

    fn loop_exit(&mut self, word: &str, code: &'static str, span: Span) {
        if self.frames.last().is_none_or(|f| f.loops == 0) {
            self.error(code, span, format!("{word} outside of loop"));
        }
    }

    fn in_loop(&mut self, f: impl FnOnce(&mut Self)) {
        if let Some(frame) = self.frames.last_mut() {
            frame.loops += 1;
        }
        self.unlooked(f);
        if let Some(frame) = self.frames.last_mut() {
            frame.loops -= 1;
        }
    }

    fn for_loop(&mut self, item: &'g For) {
        let iterable = self.expr(&item.iterable);
        let element = self.element(iterable);
        self.in_loop(|c| {
            let mark = c.env.mark();
            c.env.open();
            match &item.binding {
                Binding::Name(name) => c.bind_name(*name, VarKind::Loop, element),
                Binding::Pair { first, second, .. } => {
                    let pair = match c.types.kind(element.ty) {
                        Kind::Applied(Generic::Pair, args) => (
                            args.first().copied().unwrap_or(Ty::FREE),
                            args.get(1).copied().unwrap_or(Ty::FREE),
                        ),
                        _ => (Ty::FREE, Ty::FREE),
                    };
                    c.bind_name(*first, VarKind::Loop, Typed { ty: pair.0, weak: element.weak });
                    c.bind_name(*second, VarKind::Loop, Typed { ty: pair.1, weak: element.weak });
                }
                other => c.destructure(other, VarKind::Loop),
            }
            c.statements(&item.body.stmts, Ty::FREE);
            c.env.close();
            c.env.restore(mark, false);
        });
    }

    /// What iterating a value gives.
    fn element(&mut self, iterable: Typed) -> Typed {
        let ty = self.expand(iterable.ty);
        let element = match self.types.kind(ty) {
            Kind::Applied(Generic::List | Generic::Iter | Generic::Generator | Generic::Stream, args) => {
                args.first().copied().unwrap_or(Ty::FREE)
            }
            _ if ty == Ty::STRING => Ty::STRING,
            _ if ty == Ty::RANGE => Ty::INT,
            _ => Ty::FREE,
        };
        Typed { ty: element, weak: iterable.weak }
    }

    fn destructure(&mut self, binding: &'g Binding, kind: VarKind) {
        match binding {
            Binding::Name(name) => self.bind_name(*name, kind, Typed::FREE),
            Binding::Dict { entries, rest, .. } => {
                for entry in entries {
                    entry.default.iter().for_each(|d| {
                        self.expr(d);
                    });
                    self.bind_name(entry.name, kind, Typed::FREE);
                }
                rest.iter().for_each(|r| self.bind_name(*r, kind, Typed::sure(Ty::DICT)));
            }
            Binding::List { elements, rest, .. } => {
                for element in elements {
                    element.default.iter().for_each(|d| {
                        self.expr(d);
                    });
                    self.bind_name(element.name, kind, Typed::FREE);
                }
                rest.iter().for_each(|r| self.bind_name(*r, kind, Typed::sure(Ty::LIST)));
            }
            Binding::Pair { first, second, .. } => {
                self.bind_name(*first, kind, Typed::FREE);
                self.bind_name(*second, kind, Typed::FREE);
            }
        }
    }

    fn let_statement(&mut self, item: &'g Let, span: Span) {
        let kind = if item.mutable { VarKind::Var } else { VarKind::Let };
        let declared = self.lower_option(item.ty.as_ref());
        let value = self.expect(&item.value, declared);
        let Binding::Name(name) = &item.binding else {
            return self.destructure(&item.binding, kind);
        };
        let text = self.name(*name);
        if item.ty.is_some() {
            if !self.accepts(declared, value.ty) {
                let message = format!(
                    "'{text}' declared as {}, but assigned {}{}",
                    self.show(declared),
                    self.show(value.ty),
                    self.shape_difference(declared, value.ty)
                );
                self.finding(value.weak, codes::DECLARED_AS, span, message);
            } else if let Some(literal) = self.excluded_literal(declared, &item.value) {
                let message = format!("'{text}' declared as {}, but assigned {literal}", self.show(declared));
                self.warn(codes::DECLARED_AS, span, message);
            }
        }
        if text == "_" {
            return;
        }
        self.redeclared(*name, kind, span);
        // The definition forgets the types of top-level variables after their statement.
        let top = self.frames.len() == 1 && self.env.depth() == 1;
        let typed = if item.ty.is_some() { Typed::sure(declared) } else { value };
        let typed = typed.or_weak(top);
        let widenable = kind == VarKind::Var && item.ty.is_none() && value.ty == Ty::NIL;
        let schema = match &item.value.kind {
            ExprKind::Dict(_) | ExprKind::Call { .. } => self.schema_type(&item.value),
            _ => Ty::FREE,
        };
        let boundary = self.boundary_source(&item.value, item.ty.is_some().then_some(declared));
        let ty = if typed.ty == Ty::NEVER { Ty::FREE } else { typed.ty };
        if let Some(record) = &mut self.record {
            record.binding(name.span, ty);
        }
        let id = self.env.declare(name.name, kind, ty, typed.weak);
        if let Some(var) = self.env.get_mut(id) {
            var.widenable = widenable;
            var.schema = schema;
            var.boundary = boundary;
        }
    }

    fn redeclared(&mut self, name: Ident, kind: VarKind, span: Span) {
        let immutable =
            |k: VarKind| matches!(k, VarKind::Let | VarKind::Param | VarKind::Function | VarKind::Bound);
        let known = self.env.find_here(name.name).and_then(|id| self.env.get(id)).map(|v| v.kind);
        if immutable(kind) && known.is_some_and(immutable) {
            let text = format!(
                "Cannot redeclare immutable variable '{}' in the same scope (use 'var' for mutable bindings)",
                self.name(name)
            );
            self.warn(codes::REDECLARED, span, text);
        }
    }

    /// A string or int literal that is no member of a type made of literals.
    pub(super) fn excluded_literal(&mut self, expected: Ty, e: &Expr) -> Option<String> {
        if !expected.is_known() {
            return None;
        }
        let literal = self.literal_type(e)?;
        let expected = self.expand(expected);
        let members = self.types.members(expected);
        let text = matches!(self.types.kind(literal), Kind::Str(_));
        let alike = |m: &Ty| match self.types.kind(*m) {
            Kind::Str(_) => text,
            Kind::Int(_) => !text,
            _ => false,
        };
        let accepting = members.iter().any(|m| {
            !matches!(self.types.kind(*m), Kind::Str(_) | Kind::Int(_)) && *m != Ty::NIL && *m != Ty::BOOL
        });
        if accepting || members.contains(&literal) || !members.iter().any(alike) {
            return None;
        }
        Some(self.show(literal))
    }

    fn assignment(&mut self, assign: &'g Assign, span: Span) {
        let ExprKind::Name(name) = &assign.target.kind else {
            self.expr(&assign.target);
            self.expr(&assign.value);
            self.stored_into(&assign.target, span);
            if precedents::drops_its_value(assign) {
                self.warn(
                    codes::DROPPED_VALUE,
                    span,
                    "this assignment leaves its target as it is".to_owned(),
                );
                self.help("write the target twice: `d.xs[1] = d.xs[1] * 10`".to_owned());
            }
            return;
        };
        let Some(id) = self.env.find(*name) else {
            let value = self.expr(&assign.value);
            let _ = value;
            if self.module.resolve(self.text(*name)).is_none() {
                self.unknown_name(*name, assign.target.span);
            }
            return;
        };
        let Some(var) = self.env.get(id) else { return };
        let (kind, declared, now, weak, widenable) =
            (var.kind, var.declared, var.now(), var.weak, var.widenable);
        let text = self.text(*name);
        if kind != VarKind::Var {
            let message = format!("Cannot assign to '{text}': variable is immutable (declared with 'let')");
            self.warn(codes::IMMUTABLE, span, message);
            if kind == VarKind::Let {
                self.help(format!("declare it with `var {text}` to assign to it"));
            }
        }
        let hint = if assign.op.is_none() && !widenable { declared } else { Ty::FREE };
        let mut value = self.expect(&assign.value, hint);
        if let Some(op) = assign.op {
            let current = if widenable { Typed::FREE } else { Typed { ty: now, weak } };
            let literal = matches!(assign.value.kind, ExprKind::Str(_));
            // The definition overlooks compound assignments that make no sense.
            value = self.arithmetic(op, current.or_weak(true), value, span, literal);
            value.weak = weak;
        }
        if widenable {
            if value.ty.is_known() && value.ty != Ty::NIL {
                let widened = self.types.union(&[value.ty, Ty::NIL]);
                if let Some(var) = self.env.get_mut(id) {
                    var.declared = if value.ty == Ty::NEVER { Ty::FREE } else { widened };
                    var.weak |= value.weak;
                    var.widenable = false;
                }
            } else if !value.ty.is_known()
                && let Some(var) = self.env.get_mut(id)
            {
                var.declared = Ty::FREE;
                var.widenable = false;
            }
        } else if kind != VarKind::Function && !self.accepts(declared, value.ty) {
            let message = format!(
                "can't assign {} to '{text}' (declared as {})",
                self.show(value.ty),
                self.show(declared)
            );
            self.finding(weak || value.weak, codes::CANNOT_ASSIGN, span, message);
        } else if assign.op.is_none()
            && let Some(literal) = self.excluded_literal(declared, &assign.value)
        {
            let message = format!("can't assign {literal} to '{text}' (declared as {})", self.show(declared));
            self.warn(codes::CANNOT_ASSIGN, span, message);
        }
        let boundary = self.boundary_source(&assign.value, None);
        self.env.assign(id);
        if let Some(var) = self.env.get_mut(id) {
            var.boundary = boundary;
        }
    }

    /// `x.f = e`, `x[i] = e`: the variable at the root must be mutable.
    fn stored_into(&mut self, target: &'g Expr, span: Span) {
        let mut root = target;
        while let ExprKind::Property { object, .. } | ExprKind::Index { object, .. } = &root.kind {
            root = object;
        }
        let ExprKind::Name(name) = &root.kind else { return };
        let Some(id) = self.env.find(*name) else { return };
        let kind = self.env.get(id).map(|v| v.kind);
        if matches!(kind, Some(VarKind::Let | VarKind::Param | VarKind::Bound | VarKind::Function)) {
            let text = self.text(*name);
            let message = format!("Cannot assign to '{text}': variable is immutable (declared with 'let')");
            self.warn(codes::IMMUTABLE, span, message);
        }
        self.env.assign(id);
    }

    fn return_statement(&mut self, value: Option<&'g Expr>, span: Span) {
        let (result, unlooked) = match self.frames.last() {
            Some(frame) => (frame.result, frame.unlooked > 0),
            None => (Ty::FREE, false),
        };
        let before = self.local_reads;
        let typed = match value {
            Some(value) => self.expect(value, result),
            None => Typed::sure(Ty::NIL),
        };
        if self.accepts(result, typed.ty) {
            if let Some(value) = value
                && let Some(literal) = self.excluded_literal(result, value)
            {
                let text =
                    format!("return type doesn't match: expected {}, got {literal}", self.show(result));
                self.warn(codes::RETURN_TYPE, span, text);
            }
            return;
        }
        // The definition looks at returns of the body and of its nested ifs, knowing the parameters only.
        let weak = typed.weak || unlooked || self.local_reads != before || value.is_none();
        let text =
            format!("return type doesn't match: expected {}, got {}", self.show(result), self.show(typed.ty));
        self.finding(weak, codes::RETURN_TYPE, span, text);
    }

    fn emit(&mut self, value: &'g Expr, span: Span) {
        let (kind, element) = match self.frames.last() {
            Some(frame) => (frame.kind, frame.element),
            None => (FrameKind::File, Ty::FREE),
        };
        let typed = self.expect(value, element);
        if kind != FrameKind::GenFunction {
            self.error(codes::EMIT_OUTSIDE, span, "`emit` can only be used inside a `gen fn`".to_owned());
        } else if !self.accepts(element, typed.ty) {
            let text = format!(
                "emit type doesn't match: expected {}, got {}",
                self.show(element),
                self.show(typed.ty)
            );
            self.finding(typed.weak, codes::EMIT_TYPE, span, text);
        }
    }

    /// At a point that says "cannot be": variables of type `unknown` that were only partly looked at.
    pub(super) fn half_narrowed(&mut self, word: &str, span: Span) {
        for (name, ruled_out) in self.env.half_narrowed() {
            if ruled_out == ALL_NAMES {
                continue;
            }
            let left: Vec<&str> = TYPE_NAMES
                .iter()
                .enumerate()
                .filter(|(i, _)| ruled_out & (1 << i) == 0)
                .map(|(_, n)| *n)
                .collect();
            let text = format!(
                "`{word}` reached but `{}: unknown` was not fully narrowed — uncovered concrete type(s): {}",
                self.text(name),
                left.join(", ")
            );
            self.warn(codes::HALF_NARROWED, span, text);
        }
    }

    fn declaration(&mut self, decl: &'g Decl, span: Span) {
        if self.record.as_ref().is_some_and(|r| r.passes_over(span)) {
            return;
        }
        self.check_attributes(decl);
        self.check_variance(decl);
        match &decl.kind {
            DeclKind::Fn(f) => {
                if let Some(sig) = self.decl_sig(self.index, decl) {
                    self.function(f, &sig, &[]);
                }
            }
            DeclKind::Tool(tool) => {
                if let Some(sig) = self.decl_sig(self.index, decl) {
                    let mut frame = Frame::new(FrameKind::Function);
                    frame.result = sig.result;
                    self.function_body(frame, &tool.params, &sig, &tool.body);
                }
            }
            DeclKind::Pipeline(p) => {
                let mut frame = Frame::new(FrameKind::Pipeline);
                frame.result = self.lower_option(p.result.as_ref());
                self.named_params(frame, &p.params, &p.body);
            }
            DeclKind::Override { params, body, .. } => {
                self.named_params(Frame::new(FrameKind::Function), params, body);
            }
            DeclKind::Skill { fields, .. } => fields.iter().for_each(|(_, e)| {
                self.expr(e);
            }),
            DeclKind::EvalPack(pack) => {
                pack.fields.iter().for_each(|(_, e)| {
                    self.expr(e);
                });
                self.frames.push(Frame::new(FrameKind::Pipeline));
                self.env.open();
                self.statements(&pack.body, Ty::FREE);
                pack.summarize.iter().for_each(|b| self.block(b));
                self.env.close();
                self.frames.pop();
            }
            DeclKind::Impl { target, methods } => {
                self.add_impl(self.index, decl);
                let id = self.find_type(self.index, target.name);
                for method in methods {
                    self.method(id, &method.function);
                }
            }
            DeclKind::TypeAlias { name, .. } => self.check_alias(decl, *name, span),
            DeclKind::Enum { .. } | DeclKind::Struct { .. } | DeclKind::Interface(_) => {}
        }
    }

    /// `type A = A`.
    fn check_alias(&mut self, decl: &'g Decl, name: Ident, span: Span) {
        let Some(id) = self.type_decl(self.index, decl) else { return };
        let mut seen: Vec<DeclId> = vec![id];
        let mut here = id;
        while let Some(body) = self.alias_body(here, &[]) {
            let Kind::User(next, _) = self.types.kind(body) else { return };
            if seen.contains(next) {
                let text = format!("type alias '{}' expands to itself", self.name(name));
                self.error(codes::SELF_ALIAS, span, text);
                return;
            }
            here = *next;
            seen.push(here);
        }
    }

    fn method(&mut self, target: Option<DeclId>, f: &'g FnDecl) {
        let params: Vec<Rc<str>> = target
            .and_then(|id| self.decl(id))
            .map(|d| d.params.iter().map(|(p, _)| p.clone()).collect())
            .unwrap_or_default();
        let sig = match target {
            Some(id) => self.impl_sig(id, self.index, f),
            None => self.fn_sig(self.index, f, None),
        };
        self.self_type = target;
        self.function(f, &sig, &params);
        self.self_type = None;
    }

    fn function(&mut self, f: &'g FnDecl, sig: &Rc<super::decls::Sig>, impl_params: &[Rc<str>]) {
        let visible = self.type_params.iter().chain(impl_params).chain(&sig.type_params).cloned().collect();
        let outer = std::mem::replace(&mut self.type_params, visible);
        let kind = if f.is_gen { FrameKind::GenFunction } else { FrameKind::Function };
        let mut frame = Frame::new(kind);
        frame.bounds = sig.bounds.clone();
        let yields = f.is_gen || (f.result.is_some() && flow::yields(&f.body));
        if f.is_gen {
            let result = self.expand(sig.result);
            match self.types.kind(result) {
                Kind::Applied(Generic::Stream, args) => {
                    frame.element = args.first().copied().unwrap_or(Ty::FREE)
                }
                _ if matches!(result, Ty::STREAM | Ty::FREE | Ty::ANY) => {}
                _ => {
                    if let Some(written) = &f.result {
                        let text = format!("`gen fn` must return Stream<T>, got {}", self.show(sig.result));
                        self.error(codes::GEN_RESULT, written.span, text);
                    }
                }
            }
            if frame.element == Ty::ANY {
                frame.element = Ty::FREE;
            }
        } else if !yields && f.result.is_some() {
            frame.result = sig.result;
            self.check_end(f, sig);
        }
        self.function_body(frame, &f.params, sig, &f.body);
        self.type_params = outer;
    }

    /// A function that promises a value should not end without one.
    fn check_end(&mut self, f: &'g FnDecl, sig: &super::decls::Sig) {
        let result = self.expand(sig.result);
        if !result.is_known() || result == Ty::NEVER || self.accepts(result, Ty::NIL) {
            return;
        }
        let names = &self.module.ast().names;
        let never = |e: &Expr| match &e.kind {
            ExprKind::Call { callee, .. } => match &callee.kind {
                ExprKind::Name(name) => matches!(names.text(*name), "unreachable" | "exit" | "throw_error"),
                _ => false,
            },
            _ => false,
        };
        // A call of a function declared `-> never` as last statement counts as well.
        let last_never = match f.body.stmts.last().map(|s| &s.kind) {
            Some(StmtKind::Expr(Expr { kind: ExprKind::Call { callee, .. }, .. })) => match &callee.kind {
                ExprKind::Name(name) => self.declared_never(*name),
                _ => false,
            },
            _ => false,
        };
        if !last_never && flow::falls_off(&f.body, &never) {
            let text = format!(
                "function '{}' may end without returning a value: expected {}",
                sig.name,
                self.show(sig.result)
            );
            self.warn(codes::MISSING_RETURN, f.name.span, text);
            self.help("write `return` before the value: a function gives back nothing else".to_owned());
        }
    }

    fn named_params(&mut self, frame: Frame, params: &[Ident], body: &'g Block) {
        self.frames.push(frame);
        let mark = self.env.mark();
        self.env.open();
        for param in params {
            self.bind_name(*param, VarKind::Param, Typed::FREE);
        }
        self.body(body, Ty::FREE);
        self.env.close();
        self.env.restore(mark, true);
        self.frames.pop();
    }

    fn function_body(&mut self, frame: Frame, params: &'g [Param], sig: &super::decls::Sig, body: &'g Block) {
        let self_type = self.self_type.take();
        self.frames.push(frame);
        let mark = self.env.mark();
        self.env.open();
        for (param, known) in params.iter().zip(&sig.params) {
            if let Some(default) = &param.default {
                self.expect(default, known.ty);
            }
            let ty = if known.rest { self.types.list_of(known.ty) } else { known.ty };
            let mut typed = Typed::sure(ty);
            if param.ty.is_none()
                && let Some(id) = self_type
                && self.name(param.name) == "self"
            {
                let args: Vec<Ty> = match self.decl(id) {
                    Some(decl) => decl.params.clone().iter().map(|(p, _)| self.param(p)).collect(),
                    None => Vec::new(),
                };
                typed = Typed::weak(self.types.intern(Kind::User(id, args.into())));
            }
            self.bind_name(param.name, VarKind::Param, typed);
        }
        self.body(body, Ty::FREE);
        self.env.close();
        self.env.restore(mark, true);
        self.frames.pop();
    }

    fn param(&mut self, name: &Rc<str>) -> Ty {
        self.types.intern(Kind::Param((&**name).into()))
    }
}
