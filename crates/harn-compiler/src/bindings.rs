//! Destructuring, and `for` loops, which bind by it.
//!
//! Source: spec 02 sections 7.5, 9.3.

use crate::Compiler;
use crate::expressions::peel;
use crate::function::{Control, Place};
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{Binding, Expr, ExprKind, For, Ident, Symbol};

/// Calls `f` with every name of a pattern.
pub(crate) fn each_name(binding: &Binding, f: &mut dyn FnMut(Symbol)) {
    match binding {
        Binding::Name(name) => f(name.name),
        Binding::Dict { entries, rest, .. } => {
            entries.iter().for_each(|entry| f(entry.name.name));
            rest.iter().for_each(|rest| f(rest.name));
        }
        Binding::List { elements, rest, .. } => {
            elements.iter().for_each(|element| f(element.name.name));
            rest.iter().for_each(|rest| f(rest.name));
        }
        Binding::Pair { first, second, .. } => {
            f(first.name);
            f(second.name);
        }
    }
}

impl<'a> Compiler<'a> {
    /// Binds a pattern to the value in `value`, a fresh topmost register. Names stay in registers above.
    pub(crate) fn bind_pattern(&mut self, binding: &'a Binding, value: u8, mutable: bool) {
        match binding {
            Binding::Name(name) => self.bind_name(*name, value, mutable),
            Binding::Dict { entries, rest, span } => {
                self.at(*span);
                self.emit(Op::CheckDict, value, 0, 0, 0);
                for entry in entries {
                    let register = self.temp();
                    self.at(entry.key.span);
                    let key = self.text(entry.key.name).to_owned();
                    let site = self.f().code.site(&key);
                    self.emit(Op::GetField, register, value, 0, site);
                    self.with_default(register, entry.default.as_ref());
                    self.bind_name(entry.name, register, mutable);
                }
                if let Some(rest) = rest {
                    let register = self.temp();
                    let keys = entries.iter().map(|entry| self.text(entry.key.name).to_owned()).collect();
                    let keys = self.constant(Const::Keys(keys));
                    self.emit(Op::DictRest, register, value, 0, keys);
                    self.bind_name(*rest, register, mutable);
                }
            }
            Binding::List { elements, rest, span } => {
                self.at(*span);
                self.emit(Op::CheckList, value, 0, 0, 0);
                for (index, element) in elements.iter().enumerate() {
                    if Some(element.name.name) == self.underscore && element.default.is_none() {
                        continue;
                    }
                    let register = self.temp();
                    self.at(element.name.span);
                    self.list_item(value, index, register);
                    self.with_default(register, element.default.as_ref());
                    self.bind_name(element.name, register, mutable);
                }
                if let Some(rest) = rest {
                    let register = self.temp();
                    self.emit(Op::ListRest, register, value, 0, elements.len() as i32);
                    self.bind_name(*rest, register, mutable);
                }
            }
            Binding::Pair { first, second, span } => {
                self.at(*span);
                let base = self.temps(2);
                self.emit(Op::Unpair, base, value, 0, 0);
                self.bind_pair(*first, *second, base, mutable);
            }
        }
    }

    fn bind_pair(&mut self, first: Ident, second: Ident, base: u8, mutable: bool) {
        // Both registers are taken already: bind without giving back.
        for (name, register) in [(first, base), (second, base + 1)] {
            if Some(name.name) == self.underscore {
                continue;
            }
            let fresh = self.temp();
            self.emit(Op::Move, fresh, register, 0, 0);
            self.bind_name(name, fresh, mutable);
        }
    }

    /// `dst = list[index]`.
    pub(crate) fn list_item(&mut self, list: u8, index: usize, dst: u8) {
        let mark = self.mark();
        let key = self.temp();
        self.emit(Op::Int, key, 0, 0, index as i32);
        self.emit(Op::GetIndex, dst, list, key, 0);
        self.release(mark);
    }

    fn with_default(&mut self, register: u8, default: Option<&'a Expr>) {
        let Some(default) = default else { return };
        let has = self.f().code.label();
        self.f().code.jump(Op::JumpNotNil, register, 0, 0, has);
        self.expr(default, register);
        self.f().code.place(has);
    }

    /// `for`.
    pub(crate) fn for_loop(&mut self, for_loop: &'a For) {
        let scope = self.open_scope();
        let span = for_loop.iterable.span;
        let (next, top, end) = {
            let f = self.f();
            (f.code.label(), f.code.label(), f.code.label())
        };
        let base = self.temps(2);
        if let (ExprKind::Range { start, end: last, exclusive }, Binding::Name(name)) =
            (&peel(&for_loop.iterable).kind, &for_loop.binding)
        {
            self.expr(start, base);
            self.expr(last, base + 1);
            let visible = self.temp();
            self.at(span);
            self.f().code.jump(Op::ForPrep, base, 0, u8::from(*exclusive), end);
            self.f().code.place(top);
            self.loop_body(for_loop, next, end, |compiler| {
                compiler.bind_loop_variable(*name, visible);
            });
            self.f().code.place(next);
            self.at(span);
            self.f().code.jump(Op::ForLoop, base, 0, 0, top);
        } else {
            self.expr(&for_loop.iterable, base);
            let item = self.temp();
            self.at(span);
            self.emit(Op::IterInit, base, base, 0, 0);
            self.f().code.jump(Op::Jump, 0, 0, 0, next);
            self.f().code.place(top);
            self.loop_body(for_loop, next, end, |compiler| match &for_loop.binding {
                Binding::Name(name) => compiler.bind_loop_variable(*name, item),
                pattern => compiler.bind_pattern(pattern, item, true),
            });
            self.f().code.place(next);
            self.at(span);
            self.f().code.jump(Op::IterLoop, base, item, 0, top);
        }
        self.f().code.place(end);
        self.close_scope(scope);
    }

    fn bind_loop_variable(&mut self, name: Ident, register: u8) {
        // Stays where the loop instruction puts it, whatever the pressure: spilling would need a copy each turn.
        self.bind(name.name, Place::Register(register), true);
    }

    fn loop_body(
        &mut self,
        for_loop: &'a For,
        on_continue: crate::code::Label,
        on_break: crate::code::Label,
        bind: impl FnOnce(&mut Self),
    ) {
        let scope = self.open_scope();
        self.f().control.push(Control::Loop { on_break, on_continue });
        bind(self);
        self.block(&for_loop.body, None);
        self.f().control.pop();
        self.close_scope(scope);
    }
}
