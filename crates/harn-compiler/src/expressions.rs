//! Expressions: literals, names, access, data, branches that yield values.
//!
//! `expr(e, dst)` evaluates into a register. While it runs, `dst` is written only by its last instruction when `dst`
//! holds a variable (which the expression may still read); a fresh register may serve as working space.
//!
//! Source: spec 02 sections 5, 6 and 9.1, 01 section 6.

use crate::Compiler;
use crate::names::{Meaning, ModuleName};
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{BinaryOp, DictEntry, Element, Expr, ExprKind, Ident, InterpPart, Symbol, UnaryOp};

/// How many values one window gathers; longer literals are built piece by piece.
const CHUNK: usize = 48;

/// A value known at compile time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(i64),
}

/// An expression without the parentheses around it.
pub(crate) fn peel(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

impl<'a> Compiler<'a> {
    /// Evaluates into `dst`.
    pub(crate) fn expr(&mut self, expr: &'a Expr, dst: u8) {
        let expr = peel(expr);
        self.at(expr.span);
        match &expr.kind {
            ExprKind::Nil => self.emit(Op::Nil, dst, 0, 0, 0),
            ExprKind::Bool(value) => self.emit(Op::Bool, dst, 0, 0, i32::from(*value)),
            ExprKind::Int(value) => self.load_literal(&Literal::Int(*value), dst),
            ExprKind::Float(value) => self.load_literal(&Literal::Float(*value), dst),
            ExprKind::Duration(value) => self.load_literal(&Literal::Duration(*value), dst),
            ExprKind::Str(text) => self.load_str(text, dst),
            ExprKind::Interp(parts) => self.interpolation(parts, dst),
            ExprKind::Name(name) => self.name(*name, dst),
            ExprKind::List(elements) => self.list(elements, dst),
            ExprKind::Dict(entries) => self.dict(entries, dst),
            ExprKind::StructLit { name, fields } => self.struct_literal(*name, fields, dst),
            ExprKind::Closure(closure) => self.closure_literal(closure, dst),
            ExprKind::Paren(inner) => self.expr(inner, dst),
            ExprKind::Unary { op, operand } => self.unary(expr, *op, operand, dst),
            ExprKind::Binary { op, left, right } => self.binary(expr, *op, left, right, dst),
            ExprKind::Pipe { left, right } => self.pipe(left, right, dst, false),
            ExprKind::Range { start, end, exclusive } => self.range(start, end, *exclusive, dst),
            ExprKind::Ternary { condition, then, otherwise } => self.ternary(condition, then, otherwise, dst),
            ExprKind::Call { .. } => self.call(expr, dst, false),
            ExprKind::MethodCall { object, name, optional, args } => {
                self.method_call(expr, object, *name, *optional, args, dst);
            }
            ExprKind::Property { object, name, optional } => {
                self.property(expr, object, *name, *optional, dst)
            }
            ExprKind::Index { object, index, optional } => self.index(expr, object, index, *optional, dst),
            ExprKind::Slice { object, start, end } => {
                self.slice(expr, object, start.as_deref(), end.as_deref(), dst);
            }
            ExprKind::Propagate(inner) => self.propagate(expr, inner, dst),
            ExprKind::If(branch) => self.if_expr(branch, Some(dst)),
            ExprKind::Match { value, arms } => self.match_expr(expr, value, arms, Some(dst)),
            ExprKind::Try(tried) => self.try_expr(tried, Some(dst)),
            ExprKind::TryStar(inner) => self.try_star(expr, inner, dst),
            ExprKind::Retry { attempts, body } => self.retry(attempts, body, Some(dst)),
            ExprKind::Parallel(parallel) => self.parallel(expr, parallel, dst),
            ExprKind::Spawn(body) => self.spawn(expr, body, dst),
            ExprKind::Deadline { duration, body } => self.deadline(duration, body, Some(dst)),
            ExprKind::Error => self.emit(Op::Nil, dst, 0, 0, 0),
        }
    }

    /// Evaluates for the effect alone.
    pub(crate) fn effect(&mut self, expr: &'a Expr) {
        let expr = peel(expr);
        match &expr.kind {
            ExprKind::If(branch) => self.if_expr(branch, None),
            ExprKind::Match { value, arms } => self.match_expr(expr, value, arms, None),
            ExprKind::Try(tried) if tried.catch.is_some() || tried.finally.is_some() => {
                self.try_expr(tried, None)
            }
            ExprKind::Retry { attempts, body } => self.retry(attempts, body, None),
            ExprKind::Deadline { duration, body } => self.deadline(duration, body, None),
            _ => {
                let mark = self.mark();
                let scratch = self.temp();
                self.expr(expr, scratch);
                self.release(mark);
            }
        }
    }

    /// A register that holds the value, to be borrowed: a variable's own, or a fresh temporary.
    pub(crate) fn operand(&mut self, expr: &'a Expr) -> u8 {
        let peeled = peel(expr);
        if let ExprKind::Name(name) = &peeled.kind
            && let Some(register) = self.named_register(*name)
        {
            return register;
        }
        let register = self.temp();
        self.expr(peeled, register);
        register
    }

    /// As [`Compiler::operand`], safe against assignments made by evaluating `later`.
    pub(crate) fn operand_before(&mut self, expr: &'a Expr, later: &'a Expr) -> u8 {
        if self.survey.assigns(later) {
            let register = self.temp();
            self.expr(expr, register);
            return register;
        }
        self.operand(expr)
    }

    /// The register of a variable, or of the pipe value for `_`.
    fn named_register(&mut self, name: Symbol) -> Option<u8> {
        if let Some(register) = self.placeholder(name) {
            return Some(register);
        }
        self.variable_register(name)
    }

    fn name(&mut self, name: Symbol, dst: u8) {
        match self.placeholder(name) {
            Some(register) => self.emit(Op::Move, dst, register, 0, 0),
            None => self.load_name(name, dst),
        }
    }

    /// A register to build in: `dst`, or a fresh one when `dst` is a variable.
    pub(crate) fn working(&mut self, dst: u8) -> u8 {
        if self.is_variable(dst) { self.temp() } else { dst }
    }

    /// Moves what was built in `register` to where it was wanted.
    pub(crate) fn deliver(&mut self, register: u8, dst: u8) {
        if register != dst {
            self.emit(Op::Move, dst, register, 0, 0);
        }
    }

    /// The base of a window of consecutive registers: `dst` itself when it is the topmost fresh register.
    pub(crate) fn window(&mut self, dst: u8) -> u8 {
        if u16::from(dst) + 1 == self.f().next && !self.is_variable(dst) { dst } else { self.temp() }
    }

    /// Loads a literal.
    pub(crate) fn load_literal(&mut self, literal: &Literal, dst: u8) {
        match literal {
            Literal::Nil => self.emit(Op::Nil, dst, 0, 0, 0),
            Literal::Bool(value) => self.emit(Op::Bool, dst, 0, 0, i32::from(*value)),
            Literal::Int(value) => match i32::try_from(*value) {
                Ok(small) => self.emit(Op::Int, dst, 0, 0, small),
                Err(_) => {
                    let index = self.constant(Const::Int(*value));
                    self.emit(Op::Const, dst, 0, 0, index);
                }
            },
            Literal::Float(value) => {
                let index = self.constant(Const::Float(*value));
                self.emit(Op::Const, dst, 0, 0, index);
            }
            Literal::Duration(value) => {
                let index = self.constant(Const::Duration(*value));
                self.emit(Op::Const, dst, 0, 0, index);
            }
        }
    }

    /// Loads a text.
    pub(crate) fn load_str(&mut self, text: &str, dst: u8) {
        let index = self.str_const(text);
        self.emit(Op::Const, dst, 0, 0, index);
    }

    fn interpolation(&mut self, parts: &'a [InterpPart], dst: u8) {
        let mark = self.mark();
        let span = self.f().code.span;
        let base = self.window(dst);
        let mut filled = 0usize;
        for part in parts {
            if filled == CHUNK {
                // What is there so far becomes the first piece of the next round.
                self.emit(Op::Concat, base, base, filled as u8, 0);
                self.release(u16::from(base) + 1);
                filled = 1;
            }
            let register = if filled == 0 { base } else { self.temp() };
            match part {
                InterpPart::Text(text) => self.load_str(text, register),
                InterpPart::Expr(inner) => self.expr(inner, register),
            }
            filled += 1;
        }
        self.at(span);
        self.emit(Op::Concat, dst, base, filled as u8, 0);
        self.release(mark);
    }

    fn list(&mut self, elements: &'a [Element], dst: u8) {
        let span = self.f().code.span;
        let mark = self.mark();
        if elements.len() <= CHUNK && elements.iter().all(|element| !element.spread) {
            let base = self.window(dst);
            for (index, element) in elements.iter().enumerate() {
                let register = if index == 0 { base } else { self.temp() };
                self.expr(&element.value, register);
            }
            self.at(span);
            self.emit(Op::List, dst, base, 0, elements.len() as i32);
        } else {
            let list = self.working(dst);
            self.gather(elements, list);
            self.deliver(list, dst);
        }
        self.release(mark);
    }

    /// Builds the list of all elements, spreads included, in the fresh register `list`.
    pub(crate) fn gather(&mut self, elements: &'a [Element], list: u8) {
        let span = self.f().code.span;
        self.emit(Op::List, list, list, 0, 0);
        let mark = self.mark();
        let mut rest = elements;
        while let Some(first) = rest.first() {
            if first.spread {
                let items = self.temp();
                self.expr(&first.value, items);
                self.at(first.value.span);
                self.emit(Op::ListExtend, list, items, 0, 0);
                rest = rest.get(1..).unwrap_or(&[]);
            } else {
                let count = rest.iter().take(CHUNK).take_while(|element| !element.spread).count();
                let (plain, later) = rest.split_at(count);
                if let [single] = plain {
                    let item = self.temp();
                    self.expr(&single.value, item);
                    self.emit(Op::ListAppend, list, item, 0, 0);
                } else {
                    let base = self.temp();
                    for (index, element) in plain.iter().enumerate() {
                        let register = if index == 0 { base } else { self.temp() };
                        self.expr(&element.value, register);
                    }
                    self.emit(Op::List, base, base, 0, plain.len() as i32);
                    self.emit(Op::ListExtend, list, base, 0, 0);
                }
                rest = later;
            }
            self.release(mark);
        }
        self.at(span);
    }

    fn dict(&mut self, entries: &'a [DictEntry], dst: u8) {
        let span = self.f().code.span;
        let mark = self.mark();
        let all_named = entries.iter().all(|entry| matches!(entry, DictEntry::Named { .. }));
        if all_named && entries.len() <= CHUNK {
            if entries.is_empty() {
                self.emit(Op::DictNew, dst, 0, 0, 0);
            } else {
                let base = self.window(dst);
                let keys = self.named_values(entries, base);
                self.at(span);
                let keys = self.constant(Const::Keys(keys));
                self.emit(Op::DictLit, dst, base, 0, keys);
            }
        } else {
            let dict = self.working(dst);
            self.gather_dict(entries, dict);
            self.deliver(dict, dst);
        }
        self.release(mark);
    }

    /// Evaluates the values of named entries into `base..`; gives the keys.
    fn named_values(&mut self, entries: &'a [DictEntry], base: u8) -> Vec<String> {
        let mut keys = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            if let DictEntry::Named { key, value, .. } = entry {
                let register = if index == 0 { base } else { self.temp() };
                self.expr(value, register);
                keys.push(key.to_string());
            }
        }
        keys
    }

    /// Builds a dict with computed keys, spreads or very many entries in the fresh register `dict`.
    fn gather_dict(&mut self, entries: &'a [DictEntry], dict: u8) {
        self.emit(Op::DictNew, dict, 0, 0, 0);
        let mark = self.mark();
        let mut rest = entries;
        while let Some(first) = rest.first() {
            match first {
                DictEntry::Spread(value) => {
                    let other = self.temp();
                    self.expr(value, other);
                    self.at(value.span);
                    self.emit(Op::DictMerge, dict, other, 0, 0);
                    rest = rest.get(1..).unwrap_or(&[]);
                }
                DictEntry::Computed { key, value } => {
                    let key_register = self.operand_before(key, value);
                    let value_register = self.temp();
                    self.expr(value, value_register);
                    self.at(key.span);
                    self.emit(Op::DictSet, dict, key_register, value_register, 0);
                    rest = rest.get(1..).unwrap_or(&[]);
                }
                DictEntry::Named { .. } => {
                    let count = rest
                        .iter()
                        .take(CHUNK)
                        .take_while(|entry| matches!(entry, DictEntry::Named { .. }))
                        .count();
                    let (named, later) = rest.split_at(count);
                    let base = self.temp();
                    let keys = self.named_values(named, base);
                    let keys = self.constant(Const::Keys(keys));
                    self.emit(Op::DictLit, base, base, 0, keys);
                    self.emit(Op::DictMerge, dict, base, 0, 0);
                    rest = later;
                }
            }
            self.release(mark);
        }
    }

    fn struct_literal(&mut self, name: Ident, fields: &'a [DictEntry], dst: u8) {
        let span = self.f().code.span;
        let Some(module) = self.struct_module(name.name) else {
            self.at(name.span);
            self.raise_undefined(name.name);
            return self.emit(Op::Nil, dst, 0, 0, 0);
        };
        let text = self.struct_name(name.name);
        let mark = self.mark();
        if fields.len() <= CHUNK && fields.iter().all(|entry| matches!(entry, DictEntry::Named { .. })) {
            let base = self.window(dst);
            let fields = self.named_values(fields, base);
            self.at(span);
            let index = self.constant(Const::Struct { module, name: text, fields });
            self.emit(Op::StructLit, dst, base, 0, index);
        } else {
            let dict = self.temp();
            self.gather_dict(fields, dict);
            self.at(span);
            let index = self.constant(Const::Struct { module, name: text, fields: Vec::new() });
            self.emit(Op::StructDict, dst, dict, 0, index);
        }
        self.release(mark);
    }

    fn range(&mut self, start: &'a Expr, end: &'a Expr, exclusive: bool, dst: u8) {
        let span = self.f().code.span;
        let mark = self.mark();
        let first = self.operand_before(start, end);
        let last = self.operand(end);
        self.at(span);
        self.emit(Op::Range, dst, first, last, i32::from(exclusive));
        self.release(mark);
    }

    fn ternary(&mut self, condition: &'a Expr, then: &'a Expr, otherwise: &'a Expr, dst: u8) {
        let no = self.f().code.label();
        let end = self.f().code.label();
        self.branch(condition, no, false);
        self.expr(then, dst);
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        self.f().code.place(no);
        self.expr(otherwise, dst);
        self.f().code.place(end);
    }

    fn unary(&mut self, expr: &'a Expr, op: UnaryOp, operand: &'a Expr, dst: u8) {
        if let Some(literal) = self.fold(expr) {
            return self.load_literal(&literal, dst);
        }
        let mark = self.mark();
        let register = self.operand(operand);
        self.at(expr.span);
        let op = match op {
            UnaryOp::Neg => Op::Neg,
            UnaryOp::Not => Op::Not,
        };
        self.emit(op, dst, register, 0, 0);
        self.release(mark);
    }

    /// The value of a constant expression of literals.
    pub(crate) fn fold(&self, expr: &Expr) -> Option<Literal> {
        let expr = peel(expr);
        Some(match &expr.kind {
            ExprKind::Nil => Literal::Nil,
            ExprKind::Bool(value) => Literal::Bool(*value),
            ExprKind::Int(value) => Literal::Int(*value),
            ExprKind::Float(value) => Literal::Float(*value),
            ExprKind::Duration(value) => Literal::Duration(*value),
            ExprKind::Unary { op: UnaryOp::Neg, operand } => match self.fold(operand)? {
                Literal::Int(value) => Literal::Int(value.wrapping_neg()),
                Literal::Float(value) => Literal::Float(-value),
                _ => return None,
            },
            ExprKind::Binary { op: op @ (BinaryOp::Eq | BinaryOp::Ne), left, right } => {
                // Two literals of one length of time in different units (`2s == 2000ms`) are unequal: the golden
                // program values/equality_structural holds that, and goes before 02 section 4.1, by which durations
                // compare by their milliseconds. Equal value and unit means equal spelling, hence equal length.
                let (left, right) = (peel(left), peel(right));
                match (&left.kind, &right.kind) {
                    (ExprKind::Duration(x), ExprKind::Duration(y))
                        if x == y && left.span.len() != right.span.len() =>
                    {
                        Literal::Bool(*op == BinaryOp::Ne)
                    }
                    _ => return None,
                }
            }
            ExprKind::Binary { op, left, right } => {
                // The right side is a leaf in the long chains that a left-associative operator makes.
                let right = self.fold(right)?;
                crate::operators::fold_binary(*op, &self.fold(left)?, &right)?
            }
            _ => return None,
        })
    }

    /// The enum that a name means in `Name.Variant`, when no variable hides it.
    pub(crate) fn enum_named(&mut self, name: Symbol) -> Option<String> {
        let text = self.text(name);
        if !self.enums.contains(&name) && text != "Result" {
            return None;
        }
        let text = text.to_owned();
        match self.meaning(name) {
            Meaning::Unknown | Meaning::Builtin | Meaning::Module(ModuleName::Struct) => Some(text),
            _ => None,
        }
    }

    /// The full name of a namespace member (`stream.map`) when `object` names a namespace.
    pub(crate) fn namespace_member(&mut self, object: &Expr, name: Ident) -> Option<String> {
        let ExprKind::Name(space) = &peel(object).kind else { return None };
        let full = format!("{}.{}", self.text(*space), self.text(name.name));
        harn_builtins::lookup(&full)?;
        matches!(self.meaning(*space), Meaning::Unknown | Meaning::Builtin).then_some(full)
    }

    fn property(&mut self, expr: &'a Expr, object: &'a Expr, name: Ident, optional: bool, dst: u8) {
        if let ExprKind::Name(enum_name) = &peel(object).kind
            && let Some(enum_name) = self.enum_named(*enum_name)
        {
            let variant = self.text(name.name).to_owned();
            let index = self.constant(Const::Variant { enum_name, variant });
            return self.emit(Op::EnumNew, dst, dst, 0, index);
        }
        if let Some(member) = self.namespace_member(object, name) {
            let index = self.builtin(&member);
            return self.emit(Op::LoadBuiltin, dst, 0, 0, index);
        }
        let mark = self.mark();
        let register = self.operand(object);
        self.at(harn_syntax::Span { start: expr.span.start, end: name.span.end });
        let text = self.text(name.name).to_owned();
        let site = self.f().code.site(&text);
        let op = if optional { Op::GetFieldOpt } else { Op::GetField };
        self.emit(op, dst, register, 0, site);
        self.release(mark);
    }

    fn index(&mut self, expr: &'a Expr, object: &'a Expr, index: &'a Expr, optional: bool, dst: u8) {
        let mark = self.mark();
        let register = self.operand_before(object, index);
        let key = self.operand(index);
        self.at(expr.span);
        let op = if optional { Op::GetIndexOpt } else { Op::GetIndex };
        self.emit(op, dst, register, key, 0);
        self.release(mark);
    }

    fn slice(
        &mut self,
        expr: &'a Expr,
        object: &'a Expr,
        start: Option<&'a Expr>,
        end: Option<&'a Expr>,
        dst: u8,
    ) {
        let mark = self.mark();
        let assigns = [start, end].into_iter().flatten().any(|bound| self.survey.assigns(bound));
        let register = if assigns {
            let register = self.temp();
            self.expr(object, register);
            register
        } else {
            self.operand(object)
        };
        let base = self.temps(2);
        for (offset, bound) in [start, end].into_iter().enumerate() {
            match bound {
                Some(bound) => self.expr(bound, base + offset as u8),
                None => self.emit(Op::Nil, base + offset as u8, 0, 0, 0),
            }
        }
        self.at(expr.span);
        self.emit(Op::Slice, dst, register, base, 0);
        self.release(mark);
    }

    /// Postfix `?`: on an Err, leaves the function with it.
    fn propagate(&mut self, expr: &'a Expr, inner: &'a Expr, dst: u8) {
        let mark = self.mark();
        let register = self.temp();
        self.expr(inner, register);
        self.at(expr.span);
        let leave = self.f().code.label();
        self.f().code.jump(Op::Propagate, register, register, 0, leave);
        self.deliver(register, dst);
        self.exit_cold(leave, crate::function::ExitKind::Return, Some(register));
        self.release(mark);
    }
}
