//! `match`: tests first, then the bindings of the arm, then its guard and body.
//!
//! Source: spec 02 section 9.4, 01 section 5.4.

use crate::Compiler;
use crate::code::Label;
use crate::expressions::{Literal, peel};
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{Expr, Ident, MatchArm, Pattern, PatternKind};
use std::sync::Arc;

impl<'a> Compiler<'a> {
    /// `match value { arms }`.
    pub(crate) fn match_expr(
        &mut self,
        expr: &'a Expr,
        value: &'a Expr,
        arms: &'a [MatchArm],
        dst: Option<u8>,
    ) {
        let mark = self.mark();
        // A guard that assigns must not change what later arms look at.
        let moving = arms.iter().filter_map(|arm| arm.guard.as_ref()).any(|guard| self.survey.assigns(guard));
        let subject = if moving {
            let register = self.temp();
            self.expr(value, register);
            register
        } else {
            self.operand(value)
        };
        let end = self.f().code.label();
        for arm in arms {
            let next = self.f().code.label();
            let scope = self.open_scope();
            self.at(arm.pattern.span);
            self.test_pattern(&arm.pattern, subject, next);
            self.bind_match(&arm.pattern, subject);
            if let Some(guard) = &arm.guard {
                self.branch(guard, next, false);
            }
            self.block(&arm.body, dst);
            self.f().code.jump(Op::Jump, 0, 0, 0, end);
            self.close_scope(scope);
            self.f().code.place(next);
        }
        self.at(expr.span);
        let message = self.temp();
        self.load_str("No match arm matched the value", message);
        self.emit(Op::Throw, message, 0, 0, 0);
        self.f().code.place(end);
        self.release(mark);
    }

    /// Jumps to `fail` unless the value has the pattern's form.
    fn test_pattern(&mut self, pattern: &'a Pattern, value: u8, fail: Label) {
        let mark = self.mark();
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Name(_) => {}
            PatternKind::Value(expected) => self.test_value(expected, value, fail),
            PatternKind::Or(alternatives) => {
                let matched = self.f().code.label();
                for (index, alternative) in alternatives.iter().enumerate() {
                    if index + 1 == alternatives.len() {
                        self.test_pattern(alternative, value, fail);
                    } else {
                        let next = self.f().code.label();
                        self.test_pattern(alternative, value, next);
                        self.f().code.jump(Op::Jump, 0, 0, 0, matched);
                        self.f().code.place(next);
                    }
                }
                self.f().code.place(matched);
            }
            PatternKind::Variant { enum_name, variant, args } => {
                self.test_variant(pattern, *enum_name, *variant, args.as_deref(), value, fail);
            }
            PatternKind::Dict { entries, .. } => {
                self.test_form(Op::TestDict, value, 0, fail);
                self.test_entries(entries, value, fail);
            }
            PatternKind::Struct { name, entries } => {
                let text = self.struct_name(name.name);
                let index = self.str_const(&text);
                self.test_form(Op::TestStruct, value, index, fail);
                self.test_entries(entries, value, fail);
            }
            PatternKind::List { elements, .. } => {
                self.test_form(Op::TestList, value, elements.len() as i32, fail);
                for (index, element) in elements.iter().enumerate() {
                    if binds_only(element) {
                        continue;
                    }
                    let item = self.temp();
                    self.list_item(value, index, item);
                    self.test_pattern(element, item, fail);
                    self.release(mark);
                }
            }
        }
        self.release(mark);
    }

    fn test_form(&mut self, op: Op, value: u8, detail: i32, fail: Label) {
        let mark = self.mark();
        let test = self.temp();
        self.emit(op, test, value, 0, detail);
        self.f().code.jump(Op::JumpIfNot, test, 0, 0, fail);
        self.release(mark);
    }

    fn test_entries(&mut self, entries: &'a [(Arc<str>, Pattern)], value: u8, fail: Label) {
        for (key, entry) in entries {
            if binds_only(entry) {
                continue;
            }
            let mark = self.mark();
            let item = self.temp();
            let site = self.f().code.site(key);
            self.emit(Op::GetField, item, value, 0, site);
            self.test_pattern(entry, item, fail);
            self.release(mark);
        }
    }

    fn test_variant(
        &mut self,
        pattern: &'a Pattern,
        enum_name: Ident,
        variant: Ident,
        args: Option<&'a [Pattern]>,
        value: u8,
        fail: Label,
    ) {
        let Some(name) = self.enum_named(enum_name.name) else {
            // `name.field` of a variable: compared with its value.
            let expected = self.temp();
            self.load_name(enum_name.name, expected);
            let field = self.temp();
            let text = self.text(variant.name).to_owned();
            let site = self.f().code.site(&text);
            self.at(pattern.span);
            self.emit(Op::GetField, field, expected, 0, site);
            return self.f().code.jump(Op::JumpNe, 0, value, field, fail);
        };
        let variant = self.text(variant.name).to_owned();
        let index = self.constant(Const::Variant { enum_name: name, variant });
        self.test_form(Op::TestVariant, value, index, fail);
        for (number, arg) in args.unwrap_or(&[]).iter().enumerate() {
            if binds_only(arg) || number > 255 {
                continue;
            }
            let mark = self.mark();
            let field = self.temp();
            self.emit(Op::EnumField, field, value, number as u8, 0);
            self.test_pattern(arg, field, fail);
            self.release(mark);
        }
    }

    fn test_value(&mut self, expected: &'a Expr, value: u8, fail: Label) {
        match self.fold(expected) {
            Some(Literal::Nil) => return self.f().code.jump(Op::JumpNotNil, value, 0, 0, fail),
            Some(Literal::Int(small)) => {
                if let Ok(small) = i16::try_from(small) {
                    return self.f().code.jump_imm(Op::JumpNeImm, value, small, fail);
                }
            }
            _ => {}
        }
        let register = self.operand(peel(expected));
        self.at(expected.span);
        self.f().code.jump(Op::JumpNe, 0, value, register, fail);
    }

    /// Binds the names of a pattern whose form has been tested.
    fn bind_match(&mut self, pattern: &'a Pattern, value: u8) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Value(_) | PatternKind::Or(_) => {}
            PatternKind::Name(name) => {
                let register = self.temp();
                self.emit(Op::Move, register, value, 0, 0);
                self.bind_value(name.name, register, false);
            }
            PatternKind::Variant { args, .. } => {
                for (number, arg) in args.iter().flatten().enumerate() {
                    if number <= 255 {
                        self.bind_part(arg, |compiler, item| {
                            compiler.emit(Op::EnumField, item, value, number as u8, 0);
                        });
                    }
                }
            }
            PatternKind::Dict { entries, rest } => {
                self.bind_entries(entries, value);
                if let Some(rest) = rest {
                    let register = self.temp();
                    let keys = entries.iter().map(|(key, _)| key.to_string()).collect();
                    let keys = self.constant(Const::Keys(keys));
                    self.emit(Op::DictRest, register, value, 0, keys);
                    self.bind_value(rest.name, register, false);
                }
            }
            PatternKind::Struct { entries, .. } => self.bind_entries(entries, value),
            PatternKind::List { elements, rest } => {
                for (index, element) in elements.iter().enumerate() {
                    self.bind_part(element, |compiler, item| compiler.list_item(value, index, item));
                }
                if let Some(rest) = rest {
                    let register = self.temp();
                    self.emit(Op::ListRest, register, value, 0, elements.len() as i32);
                    self.bind_value(rest.name, register, false);
                }
            }
        }
    }

    fn bind_entries(&mut self, entries: &'a [(Arc<str>, Pattern)], value: u8) {
        for (key, entry) in entries {
            self.bind_part(entry, |compiler, item| {
                let site = compiler.f().code.site(key);
                compiler.emit(Op::GetField, item, value, 0, site);
            });
        }
    }

    /// Fetches a part and binds its names, when it has any.
    fn bind_part(&mut self, pattern: &'a Pattern, fetch: impl FnOnce(&mut Self, u8)) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Value(_) | PatternKind::Or(_) => {}
            PatternKind::Name(name) => {
                let register = self.temp();
                fetch(self, register);
                self.bind_value(name.name, register, false);
            }
            _ => {
                let register = self.temp();
                fetch(self, register);
                self.bind_match(pattern, register);
            }
        }
    }
}

/// Whether a pattern matches everything.
fn binds_only(pattern: &Pattern) -> bool {
    matches!(pattern.kind, PatternKind::Wildcard | PatternKind::Name(_))
}
