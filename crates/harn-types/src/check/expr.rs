//! Expressions (spec 03 section 3).

use super::env::VarKind;
use super::narrow::Facts;
use super::{Checker, Frame, FrameKind, Typed, flow};
use crate::codes;
use crate::graph::ItemKind;
use crate::types::{Generic, Kind, ShapeField, Ty};
use harn_syntax::ast::*;
use harn_syntax::precedents;
use std::sync::Arc;

impl<'g> Checker<'g> {
    /// Checks an expression of which nothing is expected.
    pub(super) fn expr(&mut self, e: &'g Expr) -> Typed {
        self.expect(e, Ty::FREE)
    }

    /// Checks an expression; `expected` guides literals and closures, it is not enforced here.
    pub(super) fn expect(&mut self, e: &'g Expr, expected: Ty) -> Typed {
        let typed = self.infer(e, expected);
        if let Some(record) = &mut self.record {
            record.expr(e.id, typed.ty);
        }
        typed
    }

    fn infer(&mut self, e: &'g Expr, expected: Ty) -> Typed {
        match &e.kind {
            ExprKind::Nil => Typed::sure(Ty::NIL),
            ExprKind::Bool(_) => Typed::sure(Ty::BOOL),
            ExprKind::Int(_) => Typed::sure(Ty::INT),
            ExprKind::Float(_) => Typed::sure(Ty::FLOAT),
            ExprKind::Duration(_) => Typed::weak(Ty::DURATION),
            ExprKind::Str(_) => Typed::sure(Ty::STRING),
            ExprKind::Interp(parts) => {
                for part in parts {
                    if let InterpPart::Expr(e) = part {
                        self.expr(e);
                    }
                }
                Typed::sure(Ty::STRING)
            }
            ExprKind::Name(name) => self.read(*name, e),
            ExprKind::List(elements) => self.list(elements, expected),
            ExprKind::Dict(entries) => self.dict(entries, expected),
            ExprKind::StructLit { name, fields } => self.struct_literal(e, *name, fields),
            ExprKind::Closure(closure) => self.closure(closure, expected),
            ExprKind::Paren(inner) => self.expect(inner, expected),
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                self.expr(operand);
                Typed::sure(Ty::BOOL)
            }
            ExprKind::Unary { op: UnaryOp::Neg, operand } => self.expr(operand),
            ExprKind::Binary { .. } => self.binary_spine(e, expected),
            ExprKind::Pipe { left, right } => self.pipe(left, right),
            ExprKind::Range { start, end, .. } => {
                self.expr(start);
                self.expr(end);
                Typed::sure(Ty::RANGE)
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                self.ternary(condition, then, otherwise, expected)
            }
            ExprKind::Call { .. } => self.call(e, expected),
            ExprKind::MethodCall { object, name, optional, args } => {
                self.method_call(e, object, *name, *optional, args)
            }
            ExprKind::Property { object, name, optional } => self.property(e, object, *name, *optional),
            ExprKind::Index { object, index, optional } => self.index(e, object, index, *optional),
            ExprKind::Slice { object, start, end } => {
                let object = self.expr(object);
                start.iter().for_each(|s| {
                    self.expr(s);
                });
                end.iter().for_each(|s| {
                    self.expr(s);
                });
                let ty = self.expand(object.ty);
                match self.types.kind(ty) {
                    Kind::Applied(Generic::List, _) => object,
                    _ if ty == Ty::LIST || ty == Ty::STRING => object,
                    _ => Typed::FREE,
                }
            }
            ExprKind::Propagate(inner) => {
                let inner = self.expr(inner);
                let ty = self.expand(inner.ty);
                match self.types.kind(ty) {
                    Kind::Applied(Generic::Result, args) => {
                        let ok = args.first().copied().unwrap_or(Ty::FREE);
                        Typed { ty: self.tame(ok), weak: inner.weak }
                    }
                    _ => Typed::FREE,
                }
            }
            ExprKind::If(item) => self.if_value(item, expected),
            ExprKind::Match { value, arms } => self.match_value(e, value, arms),
            ExprKind::Try(item) => self.try_value(item),
            ExprKind::TryStar(inner) => {
                if self.frames.last().is_none_or(|f| f.kind == FrameKind::File) {
                    let text = "try* requires an enclosing function (fn, tool, or pipeline) so the rethrow has a target";
                    self.error(codes::TRY_STAR, e.span, text.to_owned());
                }
                self.expect(inner, expected)
            }
            ExprKind::Retry { attempts, body } => {
                self.expr(attempts);
                self.unlooked(|c| c.block(body));
                Typed::FREE
            }
            ExprKind::Parallel(item) => self.parallel(item),
            ExprKind::Spawn(body) => {
                self.detached(|c| c.block(body));
                Typed::FREE
            }
            ExprKind::Deadline { duration, body } => {
                self.expr(duration);
                self.unlooked(|c| c.block(body));
                Typed::FREE
            }
            ExprKind::Error => Typed::FREE,
        }
    }

    /// `_` as a result says nothing.
    pub(super) fn tame(&self, ty: Ty) -> Ty {
        if ty == Ty::WILD { Ty::FREE } else { ty }
    }

    fn read(&mut self, name: Symbol, e: &'g Expr) -> Typed {
        if let Some(id) = self.env.find(name)
            && let Some(var) = self.env.get(id)
        {
            if matches!(var.kind, VarKind::Let | VarKind::Var | VarKind::Loop | VarKind::Bound) {
                self.local_reads += 1;
            }
            if let Some(sig) = var.sig.clone() {
                return Typed::sure(self.function_type(&sig));
            }
            if var.widenable && var.narrowed.is_none() {
                return Typed::FREE;
            }
            return Typed { ty: var.now(), weak: var.weak };
        }
        let text = self.text(name);
        if let Some(item) = self.module.resolve(text) {
            if matches!(item.kind, ItemKind::Fn | ItemKind::Tool | ItemKind::Pipeline)
                && let Some(decl) = self.graph.decl(item)
                && let Some(sig) = self.decl_sig(item.module, decl)
            {
                // A tool's name is a value of its own, not the function.
                return if item.kind == ItemKind::Fn {
                    Typed::sure(self.function_type(&sig))
                } else {
                    Typed::FREE
                };
            }
            return Typed::FREE;
        }
        self.unknown_name(name, e.span);
        Typed::FREE
    }

    /// The type of a function's name used as a value.
    fn function_type(&mut self, sig: &super::decls::Sig) -> Ty {
        if sig.params.iter().any(|p| p.default || p.rest) {
            return Ty::CLOSURE;
        }
        let wild = |ty: Ty| if ty.is_known() { ty } else { Ty::WILD };
        let params = sig.params.iter().map(|p| wild(p.ty)).collect();
        let result = wild(sig.result);
        self.types.intern(Kind::Fn(params, result))
    }

    /// What a list literal's elements should be, given what the whole should be.
    fn expected_element(&mut self, expected: Ty) -> Ty {
        if !expected.is_known() {
            return Ty::FREE;
        }
        let expected = self.expand(expected);
        for member in self.types.members(expected) {
            let member = self.expand(member);
            if let Kind::Applied(Generic::List, args) = self.types.kind(member) {
                return args.first().copied().unwrap_or(Ty::FREE);
            }
        }
        Ty::FREE
    }

    fn list(&mut self, elements: &'g [Element], expected: Ty) -> Typed {
        let wanted = self.expected_element(expected);
        let mut found: Vec<Ty> = Vec::new();
        let (mut weak, mut free, mut fits) = (false, false, wanted.is_known());
        for element in elements {
            let typed = self.expect(&element.value, if element.spread { Ty::FREE } else { wanted });
            weak |= typed.weak;
            free |= element.spread || !typed.ty.is_known();
            fits = fits && (element.spread || self.accepts(wanted, typed.ty));
            if !found.contains(&typed.ty) {
                found.push(typed.ty);
            }
        }
        if fits && !free && !elements.is_empty() && !matches!(self.types.kind(wanted), Kind::Param(_)) {
            return Typed { ty: self.types.list_of(wanted), weak };
        }
        if free || elements.is_empty() {
            return Typed { ty: Ty::LIST, weak };
        }
        let element = self.types.union(&found);
        Typed { ty: self.types.list_of(element), weak }
    }

    fn dict(&mut self, entries: &'g [DictEntry], expected: Ty) -> Typed {
        let wanted = self.expected_dict(expected);
        let wanted_value = match wanted.as_deref() {
            Some(Kind::Applied(Generic::Dict, args)) => args.get(1).copied(),
            _ => None,
        };
        let mut fields: Vec<ShapeField> = Vec::with_capacity(entries.len());
        let (mut weak, mut constant, mut fits) = (false, true, wanted_value.is_some());
        for entry in entries {
            match entry {
                DictEntry::Named { key, value, .. } => {
                    let want = match wanted.as_deref() {
                        Some(Kind::Shape(shape)) => {
                            shape.iter().find(|f| f.name == *key).map_or(Ty::FREE, |f| f.ty)
                        }
                        _ => wanted_value.unwrap_or(Ty::FREE),
                    };
                    let typed = self.expect(value, want);
                    weak |= typed.weak;
                    fits = fits && typed.ty.is_known() && self.accepts(want, typed.ty);
                    let field = ShapeField { name: key.clone(), ty: typed.ty, optional: false };
                    match fields.iter().position(|f| f.name == *key) {
                        Some(at) if entries.len() <= 64 => {
                            if let Some(slot) = fields.get_mut(at) {
                                *slot = field;
                            }
                        }
                        _ => fields.push(field),
                    }
                }
                DictEntry::Computed { key, value } => {
                    self.expr(key);
                    let typed = self.expect(value, wanted_value.unwrap_or(Ty::FREE));
                    weak |= typed.weak;
                    constant = false;
                }
                DictEntry::Spread(value) => {
                    self.expr(value);
                    constant = false;
                }
            }
        }
        if !constant || fields.is_empty() {
            return Typed { ty: Ty::DICT, weak };
        }
        if fits && let Some(value) = wanted_value {
            return Typed { ty: self.types.applied(Generic::Dict, &[Ty::STRING, value]), weak };
        }
        if entries.len() > MAX_SHAPE {
            return Typed { ty: Ty::DICT, weak };
        }
        Typed { ty: self.types.intern(Kind::Shape(fields.into())), weak }
    }

    fn expected_dict(&mut self, expected: Ty) -> Option<Arc<Kind>> {
        if !expected.is_known() {
            return None;
        }
        let expected = self.expand(expected);
        let mut only = None;
        for member in self.types.members(expected) {
            let member = self.expand(member);
            let kind = self.types.shared(member);
            if matches!(&*kind, Kind::Shape(_) | Kind::Applied(Generic::Dict, _)) {
                if only.is_some() {
                    return None;
                }
                only = Some(kind);
            }
        }
        only
    }

    fn closure(&mut self, closure: &'g Closure, expected: Ty) -> Typed {
        let expected = self.expand(expected);
        let wanted: Option<(Box<[Ty]>, Ty)> = match self.types.kind(expected) {
            Kind::Fn(params, result) if params.len() == closure.params.len() => {
                Some((params.clone(), *result))
            }
            _ => None,
        };
        if let [only] = closure.params.as_slice()
            && precedents::takes_first_argument_alone(closure)
        {
            let name = self.text(only.name.name).to_owned();
            let message = format!("'{name}' takes the first argument alone here, not the list of all");
            self.warn(codes::FIRST_ARGUMENT, only.name.span, message);
            self.help(format!("write `fn(...{name}) {{ ... }}` to collect the arguments"));
        }
        self.frames.push(Frame::new(FrameKind::Closure));
        let mark = self.env.mark();
        self.env.open();
        let mut params = Vec::with_capacity(closure.params.len());
        let mut annotated = !closure.params.is_empty();
        for (i, param) in closure.params.iter().enumerate() {
            if let Some(default) = &param.default {
                self.expr(default);
            }
            let ty = self.lower_option(param.ty.as_ref());
            annotated &= param.ty.is_some() && !param.rest;
            params.push(ty);
            let hint = wanted.as_ref().and_then(|(p, _)| p.get(i).copied()).unwrap_or(Ty::FREE);
            let hint =
                if matches!(self.types.kind(hint), Kind::Param(_) | Kind::Wild) { Ty::FREE } else { hint };
            let (ty, weak) = if param.ty.is_some() { (ty, false) } else { (hint, true) };
            let ty = if param.rest { self.types.list_of(ty) } else { ty };
            self.bind_name(param.name, VarKind::Param, Typed { ty, weak });
        }
        let hint = wanted.map_or(Ty::FREE, |(_, result)| result);
        let value = self.body(&closure.body, hint);
        self.env.close();
        self.env.restore(mark, true);
        self.frames.pop();
        if annotated && value.ty.is_known() && value.ty != Ty::NEVER {
            return Typed { ty: self.types.intern(Kind::Fn(params.into(), value.ty)), weak: value.weak };
        }
        Typed::sure(Ty::CLOSURE)
    }

    /// `a |> b`: `b` is called with `a` (or holds `_` where `a` goes).
    fn pipe(&mut self, left: &'g Expr, right: &'g Expr) -> Typed {
        self.expr(left);
        match &right.kind {
            // The callee of a pipe is a name that is called: nothing to infer, its name is checked as a value.
            ExprKind::Name(name) => self.call_target(*name, right.span),
            _ => {
                self.piped(right);
            }
        }
        Typed::FREE
    }

    /// The right side of a pipe: `_` stands for the piped value.
    fn piped(&mut self, e: &'g Expr) {
        match self.module.ast().names.get("_") {
            Some(placeholder) => {
                self.env.open();
                self.env.declare(placeholder, VarKind::Param, Ty::FREE, false);
                self.expr(e);
                self.env.close();
            }
            None => {
                self.expr(e);
            }
        }
    }

    fn ternary(&mut self, condition: &'g Expr, then: &'g Expr, otherwise: &'g Expr, expected: Ty) -> Typed {
        self.expr(condition);
        let facts = self.facts(condition);
        let mark = self.env.mark();
        self.apply(&facts.truthy);
        let a = self.expect(then, expected);
        self.env.restore(mark, true);
        self.apply(&facts.falsy);
        let b = self.expect(otherwise, expected);
        self.env.restore(mark, true);
        self.either(a, b)
    }

    /// The type of one of two values; an unknown one is ignored.
    fn either(&mut self, a: Typed, b: Typed) -> Typed {
        if !a.ty.is_known() {
            return b;
        }
        if !b.ty.is_known() {
            return a;
        }
        Typed { ty: self.types.union(&[a.ty, b.ty]), weak: a.weak || b.weak }
    }

    /// An `if` as expression or statement; what follows it is narrowed when a branch surely exits.
    fn if_value(&mut self, item: &'g If, expected: Ty) -> Typed {
        self.expr(&item.condition);
        let facts = self.facts(&item.condition);
        let then_exits = flow::exits(&item.then);
        let mark = self.env.mark();
        self.apply(&facts.truthy);
        let then = self.scoped(&item.then, expected);
        self.env.restore(mark, then_exits);
        let Some(otherwise) = &item.otherwise else {
            if then_exits {
                self.apply(&facts.falsy);
            }
            return then;
        };
        self.apply(&facts.falsy);
        let (other, other_exits) = match otherwise {
            Else::Block(block) => (self.scoped(block, expected), flow::exits(block)),
            Else::If(e) => match &e.kind {
                ExprKind::If(item) => (self.if_value(item, expected), flow::if_exits(e)),
                _ => (self.expect(e, expected), false),
            },
        };
        self.env.restore(mark, other_exits);
        match (then_exits, other_exits) {
            (true, false) => self.apply(&facts.falsy),
            (false, true) => self.apply(&facts.truthy),
            _ => {}
        }
        if !then.ty.is_known() || !other.ty.is_known() {
            return Typed::FREE;
        }
        Typed { ty: self.types.union(&[then.ty, other.ty]), weak: then.weak || other.weak }
    }

    fn try_value(&mut self, item: &'g Try) -> Typed {
        let is_value = item.catch.is_none() && item.finally.is_none();
        if let Some(frame) = self.frames.last_mut() {
            frame.thrown.push(Vec::new());
        }
        let body = self.unlooked(|c| c.scoped(&item.body, Ty::FREE));
        let thrown = self.frames.last_mut().and_then(|f| f.thrown.pop()).unwrap_or_default();
        if let Some(catch) = &item.catch {
            let ty = self.lower_option(catch.ty.as_ref());
            self.unlooked(|c| {
                let mark = c.env.mark();
                c.env.open();
                if let Some(name) = catch.name {
                    c.bind_name(name, VarKind::Bound, Typed::sure(ty));
                }
                c.statements(&catch.body.stmts, Ty::FREE);
                c.env.close();
                c.env.restore(mark, flow::exits(&catch.body));
            });
        }
        if let Some(finally) = &item.finally {
            self.unlooked(|c| c.block(finally));
        }
        if !is_value || !body.ty.is_known() {
            return Typed::FREE;
        }
        let error = if thrown.iter().any(|t| !t.is_known()) { Ty::WILD } else { self.types.union(&thrown) };
        let error = if error == Ty::NEVER { Ty::WILD } else { error };
        let inner = self.expand(body.ty);
        let (ok, error) = match self.types.kind(inner) {
            Kind::Applied(Generic::Result, args) => {
                let (ok, own) = (args.first().copied(), args.get(1).copied().unwrap_or(Ty::WILD));
                let error = if error == Ty::WILD || own == Ty::WILD {
                    Ty::WILD
                } else {
                    self.types.union(&[own, error])
                };
                (ok.unwrap_or(Ty::WILD), error)
            }
            Kind::Never => (Ty::WILD, error),
            _ => (body.ty, error),
        };
        Typed { ty: self.types.applied(Generic::Result, &[ok, error]), weak: body.weak }
    }

    fn parallel(&mut self, item: &'g Parallel) -> Typed {
        let operand = self.expr(&item.operand);
        if let Some(limit) = &item.max_concurrent {
            let typed = self.expr(limit);
            let ty = self.expand(typed.ty);
            if typed.ty.is_known() && !self.accepts(Ty::INT, ty) {
                let text = format!("`max_concurrent` on `parallel` must be int, got {}", self.show(typed.ty));
                self.finding(typed.weak, codes::MAX_CONCURRENT, limit.span, text);
            }
        }
        let element = match item.kind {
            ParallelKind::Count => Typed::sure(Ty::INT),
            _ => match self.types.kind(self.expanded.get(&operand.ty).copied().unwrap_or(operand.ty)) {
                Kind::Applied(Generic::List, args) => {
                    Typed { ty: args.first().copied().unwrap_or(Ty::FREE), weak: operand.weak }
                }
                _ => Typed::FREE,
            },
        };
        let value = self.detached(|c| {
            let mark = c.env.mark();
            c.env.open();
            if let Some(param) = item.param {
                c.bind_name(param, VarKind::Bound, element);
            }
            let value = c.statements(&item.body.stmts, Ty::FREE);
            c.env.close();
            c.env.restore(mark, true);
            value
        });
        let known = value.ty.is_known() && value.ty != Ty::NEVER;
        match item.kind {
            ParallelKind::Settle => Typed::sure(Ty::DICT),
            ParallelKind::EachStream if known => {
                Typed { ty: self.types.applied(Generic::Stream, &[value.ty]), weak: value.weak }
            }
            ParallelKind::EachStream => Typed::sure(Ty::STREAM),
            _ if known => Typed { ty: self.types.list_of(value.ty), weak: value.weak },
            _ => Typed::sure(Ty::LIST),
        }
    }

    /// Runs `f` where the definition's return check does not look.
    pub(super) fn unlooked<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(frame) = self.frames.last_mut() {
            frame.unlooked += 1;
        }
        let value = f(self);
        if let Some(frame) = self.frames.last_mut() {
            frame.unlooked -= 1;
        }
        value
    }

    /// Runs `f` in a body of its own: `return` there leaves that body.
    fn detached<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.frames.push(Frame::new(FrameKind::Closure));
        let value = f(self);
        self.frames.pop();
        value
    }

    pub(super) fn property(&mut self, e: &'g Expr, object: &'g Expr, name: Ident, optional: bool) -> Typed {
        self.record_static(object, name);
        if let Some(value) = self.enum_constant(e, object, name) {
            return value;
        }
        if self.is_namespace(object) {
            return Typed::FREE;
        }
        self.boundary_access(e, object, true);
        let typed = self.expr(object);
        self.record_member(typed.ty, name);
        if optional {
            return Typed::FREE;
        }
        let field = self.name(name);
        let ty = self.expand(typed.ty);
        match &*self.types.shared(ty) {
            Kind::Shape(fields) => match fields.iter().find(|f| &*f.name == field) {
                Some(found) => Typed { ty: found.ty, weak: typed.weak },
                None => Typed::FREE,
            },
            Kind::Applied(Generic::Pair, args) => match field {
                "first" => Typed { ty: args.first().copied().unwrap_or(Ty::FREE), weak: typed.weak },
                "second" => Typed { ty: args.get(1).copied().unwrap_or(Ty::FREE), weak: typed.weak },
                _ => Typed::FREE,
            },
            Kind::Applied(Generic::Result, _) if field == "variant" => Typed::sure(Ty::STRING),
            Kind::User(id, _) if field == "variant" && self.is_enum(*id) => Typed::sure(Ty::STRING),
            Kind::User(id, args) => match self.struct_fields(*id, args) {
                Some(fields) => match fields.iter().find(|f| &*f.name == field) {
                    Some(found) if found.optional => Typed::weak(self.types.union(&[found.ty, Ty::NIL])),
                    Some(found) => Typed::weak(found.ty),
                    None => {
                        self.unknown_field(*id, &fields, name);
                        Typed::FREE
                    }
                },
                None => Typed::FREE,
            },
            _ => Typed::FREE,
        }
    }

    fn index(&mut self, e: &'g Expr, object: &'g Expr, index: &'g Expr, optional: bool) -> Typed {
        self.boundary_access(e, object, false);
        let typed = self.expr(object);
        self.expr(index);
        if optional {
            return Typed::FREE;
        }
        let ty = self.expand(typed.ty);
        let weak = typed.weak;
        match &*self.types.shared(ty) {
            Kind::Applied(Generic::List, args) => {
                Typed { ty: args.first().copied().unwrap_or(Ty::FREE), weak }
            }
            Kind::Applied(Generic::Dict, args) => {
                Typed { ty: args.get(1).copied().unwrap_or(Ty::FREE), weak }
            }
            Kind::Shape(fields) => match &index.kind {
                ExprKind::Str(key) => match fields.iter().find(|f| f.name == *key) {
                    Some(found) => Typed { ty: found.ty, weak },
                    None => Typed::FREE,
                },
                _ => Typed::FREE,
            },
            _ if ty == Ty::STRING => typed,
            _ => Typed::FREE,
        }
    }

    /// A chain of infix operators, from its leftmost operand outwards.
    fn binary_spine(&mut self, e: &'g Expr, expected: Ty) -> Typed {
        let mut spine = Vec::new();
        let mut here = e;
        while let ExprKind::Binary { op, left, right } = &here.kind {
            spine.push((*op, &**left, &**right, here));
            here = left;
        }
        let hint = match spine.last() {
            Some((BinaryOp::Coalesce, ..)) => expected,
            _ => Ty::FREE,
        };
        let mut value = self.expect(here, hint);
        // What the left side says about variables, for the right sides of `&&` and `||`.
        let mut known: Option<Facts> = None;
        while let Some((op, left, right, whole)) = spine.pop() {
            if !matches!(op, BinaryOp::And | BinaryOp::Or) {
                let other = self.expect(right, if op == BinaryOp::Coalesce { expected } else { Ty::FREE });
                value = self.operate(op, value, other, left, right, whole);
                known = None;
                continue;
            }
            let facts = match known.take() {
                Some(facts) => facts,
                None => self.facts(left),
            };
            let mark = self.env.mark();
            self.apply(if op == BinaryOp::And { &facts.truthy } else { &facts.falsy });
            self.expr(right);
            let more = if spine.last().is_some_and(|s| matches!(s.0, BinaryOp::And | BinaryOp::Or)) {
                Some(self.facts(right))
            } else {
                None
            };
            self.env.restore(mark, true);
            known = more.map(|m| facts.combine(op, m));
            value = Typed::sure(Ty::BOOL);
        }
        value
    }
}

/// Past this many fields a dict literal is a `dict`: comparing the shapes would cost more than it tells.
const MAX_SHAPE: usize = 256;
