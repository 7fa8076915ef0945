//! Calls: of names, values, methods, constructors; spreads, pipes and tail calls.
//!
//! Source: spec 02 sections 5.3, 8.4, 8.5, 12, 14; 01 section 6.6.

use crate::Compiler;
use crate::expressions::peel;
use crate::names::{Meaning, ModuleName};
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{DictEntry, Element, Expr, ExprKind, Ident, InterpPart, Symbol};

/// More arguments than this go through a list.
const WINDOW_ARGUMENTS: usize = 96;

/// What a call names, when it is more than a value.
enum Target {
    /// The value in a register that stays owned by the frame.
    Borrowed(u8),
    /// Any value, to be put into the callee's slot.
    Value,
    /// A function of the module.
    Function(u32),
    /// An imported function.
    Import(u32),
    /// A builtin.
    Builtin(i32),
}

impl<'a> Compiler<'a> {
    /// A call expression. With `tail`, the frame is replaced (the caller has made sure that it may be); then the
    /// answer is true when no result comes back.
    pub(crate) fn call(&mut self, expr: &'a Expr, dst: u8, tail: bool) {
        let ExprKind::Call { callee, args, .. } = &expr.kind else { return };
        let callee = peel(callee);
        let ExprKind::Name(name) = &callee.kind else {
            return self.call_target(expr, &Target::Value, Some(callee), args, dst, tail);
        };
        if self.placeholder(*name).is_some() {
            return self.call_target(expr, &Target::Value, Some(callee), args, dst, tail);
        }
        let target = match self.meaning(*name) {
            Meaning::Register(register) => {
                if tail || args.iter().any(|arg| self.survey.assigns(&arg.value)) {
                    Target::Value
                } else {
                    Target::Borrowed(register)
                }
            }
            Meaning::Function(function) | Meaning::Module(ModuleName::Function(function)) => {
                Target::Function(function)
            }
            Meaning::Module(ModuleName::Import(import)) => Target::Import(import),
            Meaning::Module(ModuleName::Struct) => return self.construct(expr, *name, args, dst),
            Meaning::Builtin => {
                if self.result_constructor(*name, args, dst) {
                    return;
                }
                let text = self.text(*name).to_owned();
                Target::Builtin(self.builtin(&text))
            }
            Meaning::Unknown if !self.is_runtime_global(*name) => {
                return self.call_unknown(expr, *name, args, dst);
            }
            _ => Target::Value,
        };
        self.call_target(expr, &target, Some(callee), args, dst, tail);
    }

    fn call_target(
        &mut self,
        expr: &'a Expr,
        target: &Target,
        callee: Option<&'a Expr>,
        args: &'a [Element],
        dst: u8,
        tail: bool,
    ) {
        let mark = self.mark();
        let base = self.window(dst);
        if let (Target::Value, Some(callee)) = (target, callee) {
            self.expr(callee, base);
        }
        if args.len() > WINDOW_ARGUMENTS || args.iter().any(|arg| arg.spread) {
            let list = self.temp();
            self.gather(args, list);
            if let Target::Borrowed(register) = target {
                self.emit(Op::Move, base, *register, 0, 0);
            }
            self.at(expr.span);
            match target {
                Target::Borrowed(_) | Target::Value => self.emit(Op::CallSpread, base, 0, 0, 0),
                Target::Function(function) => self.emit(Op::CallFnSpread, base, 0, 0, *function as i32),
                Target::Import(import) => self.emit(Op::CallImportSpread, base, 0, 0, *import as i32),
                Target::Builtin(builtin) => self.emit(Op::CallBuiltinSpread, base, 0, 0, *builtin),
            }
            self.deliver(base, dst);
            if tail {
                self.emit(Op::Return, dst, 0, 0, 0);
            }
            return self.release(mark);
        }
        self.arguments(args);
        self.at(expr.span);
        let count = args.len() as u8;
        if tail {
            match target {
                Target::Borrowed(_) | Target::Value => self.emit(Op::TailCall, base, count, 0, 0),
                Target::Function(function) => self.emit(Op::TailCallFn, base, count, 0, *function as i32),
                Target::Import(import) => self.emit(Op::TailCallImport, base, count, 0, *import as i32),
                Target::Builtin(builtin) => {
                    self.emit(Op::CallBuiltin, base, count, 0, *builtin);
                    self.emit(Op::Return, base, 0, 0, 0);
                }
            }
            return self.release(mark);
        }
        match target {
            Target::Borrowed(register) => self.emit(Op::CallReg, base, count, *register, 0),
            Target::Value => self.emit(Op::Call, base, count, 0, 0),
            Target::Function(function) => self.emit(Op::CallFn, base, count, 0, *function as i32),
            Target::Import(import) => self.emit(Op::CallImport, base, count, 0, *import as i32),
            Target::Builtin(builtin) => self.emit(Op::CallBuiltin, base, count, 0, *builtin),
        }
        self.deliver(base, dst);
        self.release(mark);
    }

    /// Evaluates arguments into the registers on top.
    fn arguments(&mut self, args: &'a [Element]) {
        for arg in args {
            let register = self.temp();
            self.expr(&arg.value, register);
        }
    }

    /// `Ok(v)` and `Err(v)` are plain enum values.
    fn result_constructor(&mut self, name: Symbol, args: &'a [Element], dst: u8) -> bool {
        let variant = match self.text(name) {
            "Ok" => "Ok",
            "Err" => "Err",
            _ => return false,
        };
        let [arg] = args else { return false };
        if arg.spread {
            return false;
        }
        let mark = self.mark();
        let value = self.window(dst);
        self.expr(&arg.value, value);
        self.result_value(variant, value, dst);
        self.release(mark);
        true
    }

    /// `Result.<variant>` of the value in a fresh register.
    pub(crate) fn result_value(&mut self, variant: &str, value: u8, dst: u8) {
        let index =
            self.constant(Const::Variant { enum_name: "Result".to_owned(), variant: variant.to_owned() });
        self.emit(Op::EnumNew, dst, value, 1, index);
    }

    /// `P({..})`.
    fn construct(&mut self, expr: &'a Expr, name: Symbol, args: &'a [Element], dst: u8) {
        let mark = self.mark();
        let dict = self.temp();
        if args.iter().any(|arg| arg.spread) {
            self.gather(args, dict);
            let zero = self.temp();
            self.emit(Op::Int, zero, 0, 0, 0);
            self.emit(Op::GetIndex, dict, dict, zero, 0);
        } else if args.is_empty() {
            self.emit(Op::Nil, dict, 0, 0, 0);
        } else {
            for (index, arg) in args.iter().enumerate() {
                let register = if index == 0 { dict } else { self.temp() };
                self.expr(&arg.value, register);
            }
        }
        self.at(expr.span);
        if let Some(module) = self.struct_module(name) {
            let text = self.struct_name(name);
            let index = self.constant(Const::Struct { module, name: text, fields: Vec::new() });
            self.emit(Op::StructDict, dst, dict, 0, index);
        }
        self.release(mark);
    }

    /// A struct's constructor as a value: a small function.
    pub(crate) fn load_constructor(&mut self, name: Symbol, dst: u8) {
        match self.constructor(name) {
            Some(function) => self.emit(Op::LoadFn, dst, 0, 0, function as i32),
            None => self.emit(Op::Nil, dst, 0, 0, 0),
        }
    }

    fn call_unknown(&mut self, expr: &'a Expr, name: Symbol, args: &'a [Element], dst: u8) {
        let mark = self.mark();
        for arg in args {
            self.effect(&arg.value);
        }
        self.release(mark);
        self.at(expr.span);
        self.raise_undefined_call(name);
        self.emit(Op::Nil, dst, 0, 0, 0);
    }

    /// `object.name(args)`.
    pub(crate) fn method_call(
        &mut self,
        expr: &'a Expr,
        object: &'a Expr,
        name: Ident,
        optional: bool,
        args: &'a [Element],
        dst: u8,
    ) {
        if let ExprKind::Name(owner) = &peel(object).kind {
            if let Some(enum_name) = self.enum_named(*owner) {
                return self.construct_variant(expr, enum_name, name, args, dst);
            }
            if let Some(function) = self.static_method(*owner, name) {
                return self.call_target(expr, &Target::Function(function), None, args, dst, false);
            }
        }
        if let Some(member) = self.namespace_member(object, name) {
            let index = self.builtin(&member);
            return self.call_target(expr, &Target::Builtin(index), None, args, dst, false);
        }
        let mark = self.mark();
        let base = self.window(dst);
        let receiver = self.temp();
        self.expr(object, receiver);
        let text = self.text(name.name).to_owned();
        if args.len() > WINDOW_ARGUMENTS || args.iter().any(|arg| arg.spread) {
            let list = self.temp();
            self.gather(args, list);
            self.at(harn_syntax::Span { start: expr.span.start, end: name.span.end });
            let site = self.f().code.site(&text);
            self.emit(Op::CallMethodSpread, base, 0, u8::from(optional), site);
        } else {
            self.arguments(args);
            self.at(name.span);
            let site = self.f().code.site(&text);
            self.emit(Op::CallMethod, base, args.len() as u8, u8::from(optional), site);
        }
        self.deliver(base, dst);
        self.release(mark);
    }

    fn construct_variant(
        &mut self,
        expr: &'a Expr,
        enum_name: String,
        name: Ident,
        args: &'a [Element],
        dst: u8,
    ) {
        let mark = self.mark();
        if args.len() > WINDOW_ARGUMENTS || args.iter().any(|arg| arg.spread) {
            let list = self.temp();
            self.gather(args, list);
            self.at(expr.span);
            let variant = self.text(name.name).to_owned();
            let index = self.constant(Const::Variant { enum_name, variant });
            self.emit(Op::EnumList, dst, list, 0, index);
            return self.release(mark);
        }
        let base = self.window(dst);
        for (index, arg) in args.iter().enumerate() {
            let register = if index == 0 { base } else { self.temp() };
            self.expr(&arg.value, register);
        }
        self.at(expr.span);
        let variant = self.text(name.name).to_owned();
        let index = self.constant(Const::Variant { enum_name, variant });
        self.emit(Op::EnumNew, dst, base, args.len() as u8, index);
        self.release(mark);
    }

    /// `P.f` for a function of `impl P` of this file.
    fn static_method(&mut self, owner: Symbol, name: Ident) -> Option<u32> {
        match self.meaning(owner) {
            Meaning::Module(ModuleName::Struct) => self
                .methods
                .get(&(owner, name.name))
                .copied()
                .filter(|(_, has_self)| !has_self)
                .map(|(f, _)| f),
            _ => None,
        }
    }

    /// `left |> right`.
    pub(crate) fn pipe(&mut self, left: &'a Expr, right: &'a Expr, dst: u8, tail: bool) {
        let right = peel(right);
        let span = self.f().code.span;
        let mark = self.mark();
        if self.mentions_placeholder(right) {
            let value = self.temp();
            self.expr(left, value);
            self.placeholders.push(Some(value));
            self.expr(right, dst);
            self.placeholders.pop();
            if tail {
                self.emit(Op::Return, dst, 0, 0, 0);
            }
            return self.release(mark);
        }
        let base = self.window(dst);
        let argument = self.temp();
        self.placeholders.push(None);
        self.expr(left, argument);
        let target = match &right.kind {
            ExprKind::Name(name) => match self.meaning(*name) {
                Meaning::Function(function) | Meaning::Module(ModuleName::Function(function)) => {
                    Target::Function(function)
                }
                Meaning::Module(ModuleName::Import(import)) => Target::Import(import),
                Meaning::Builtin => {
                    let text = self.text(*name).to_owned();
                    Target::Builtin(self.builtin(&text))
                }
                _ => Target::Value,
            },
            _ => Target::Value,
        };
        match target {
            Target::Function(function) => {
                self.at(span);
                let op = if tail { Op::TailCallFn } else { Op::CallFn };
                self.emit(op, base, 1, 0, function as i32);
            }
            Target::Import(import) => {
                self.at(span);
                let op = if tail { Op::TailCallImport } else { Op::CallImport };
                self.emit(op, base, 1, 0, import as i32);
            }
            Target::Builtin(builtin) => {
                self.at(span);
                self.emit(Op::CallBuiltin, base, 1, 0, builtin);
                if tail {
                    self.emit(Op::Return, base, 0, 0, 0);
                }
            }
            Target::Borrowed(_) | Target::Value => {
                self.expr(right, base);
                self.at(span);
                self.emit(if tail { Op::TailCall } else { Op::Call }, base, 1, 1, 0);
            }
        }
        self.placeholders.pop();
        if !tail {
            self.deliver(base, dst);
        }
        self.release(mark);
    }

    /// The register of the piped value, when the name is `_` and a pipe is open.
    pub(crate) fn placeholder(&self, name: Symbol) -> Option<u8> {
        if Some(name) != self.underscore {
            return None;
        }
        self.placeholders.last().copied().flatten()
    }

    /// Whether `_` occurs outside nested closures and pipes.
    fn mentions_placeholder(&self, expr: &Expr) -> bool {
        let Some(underscore) = self.underscore else { return false };
        mentions(expr, underscore)
    }
}

fn mentions(expr: &Expr, name: Symbol) -> bool {
    let any = |exprs: &[Element]| exprs.iter().any(|element| mentions(&element.value, name));
    match &expr.kind {
        ExprKind::Name(found) => *found == name,
        ExprKind::Interp(parts) => {
            parts.iter().any(|part| matches!(part, InterpPart::Expr(inner) if mentions(inner, name)))
        }
        ExprKind::List(elements) => any(elements),
        ExprKind::Dict(entries) | ExprKind::StructLit { fields: entries, .. } => {
            entries.iter().any(|entry| match entry {
                DictEntry::Named { value, .. } | DictEntry::Spread(value) => mentions(value, name),
                DictEntry::Computed { key, value } => mentions(key, name) || mentions(value, name),
            })
        }
        ExprKind::Paren(inner) | ExprKind::Propagate(inner) | ExprKind::TryStar(inner) => {
            mentions(inner, name)
        }
        ExprKind::Unary { operand, .. } => mentions(operand, name),
        ExprKind::Binary { left, right, .. } => mentions(left, name) || mentions(right, name),
        ExprKind::Range { start, end, .. } => mentions(start, name) || mentions(end, name),
        ExprKind::Ternary { condition, then, otherwise } => {
            mentions(condition, name) || mentions(then, name) || mentions(otherwise, name)
        }
        ExprKind::Call { callee, args, .. } => mentions(callee, name) || any(args),
        ExprKind::MethodCall { object, args, .. } => mentions(object, name) || any(args),
        ExprKind::Property { object, .. } => mentions(object, name),
        ExprKind::Index { object, index, .. } => mentions(object, name) || mentions(index, name),
        ExprKind::Slice { object, start, end } => {
            mentions(object, name) || [start, end].into_iter().flatten().any(|bound| mentions(bound, name))
        }
        ExprKind::Match { value, .. } => mentions(value, name),
        ExprKind::If(branch) => mentions(&branch.condition, name),
        _ => false,
    }
}
