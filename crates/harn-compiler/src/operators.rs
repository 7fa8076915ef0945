//! Operators and conditions: arithmetic with immediates, comparisons fused with branches, short circuits.
//!
//! Source: spec 02 section 5, design notes 3.2.

use crate::Compiler;
use crate::code::Label;
use crate::expressions::{Literal, peel};
use crate::names::Meaning;
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{BinaryOp, Expr, ExprKind, Ident, UnaryOp};

/// Arithmetic on two literals, when it cannot fail and gives a number.
pub(crate) fn fold_binary(op: BinaryOp, left: &Literal, right: &Literal) -> Option<Literal> {
    let int = |value: i64| Some(Literal::Int(value));
    match (op, left, right) {
        (BinaryOp::Add, Literal::Int(x), Literal::Int(y)) => int(x.wrapping_add(*y)),
        (BinaryOp::Sub, Literal::Int(x), Literal::Int(y)) => int(x.wrapping_sub(*y)),
        (BinaryOp::Mul, Literal::Int(x), Literal::Int(y)) => int(x.wrapping_mul(*y)),
        (BinaryOp::Div, Literal::Int(x), Literal::Int(y)) if *y != 0 => int(x.wrapping_div(*y)),
        (BinaryOp::Rem, Literal::Int(x), Literal::Int(y)) if *y != 0 => int(x.wrapping_rem(*y)),
        (BinaryOp::Add, Literal::Float(x), Literal::Float(y)) => Some(Literal::Float(x + y)),
        (BinaryOp::Sub, Literal::Float(x), Literal::Float(y)) => Some(Literal::Float(x - y)),
        (BinaryOp::Mul, Literal::Float(x), Literal::Float(y)) => Some(Literal::Float(x * y)),
        _ => None,
    }
}

/// The three-register form of an operator; whether its operands are exchanged.
fn plain(op: BinaryOp) -> Option<(Op, bool)> {
    Some(match op {
        BinaryOp::Add => (Op::Add, false),
        BinaryOp::Sub => (Op::Sub, false),
        BinaryOp::Mul => (Op::Mul, false),
        BinaryOp::Div => (Op::Div, false),
        BinaryOp::Rem => (Op::Rem, false),
        BinaryOp::Pow => (Op::Pow, false),
        BinaryOp::Eq => (Op::Eq, false),
        BinaryOp::Ne => (Op::Ne, false),
        BinaryOp::Lt => (Op::Lt, false),
        BinaryOp::Le => (Op::Le, false),
        BinaryOp::Gt => (Op::Lt, true),
        BinaryOp::Ge => (Op::Le, true),
        BinaryOp::In => (Op::In, false),
        BinaryOp::NotIn => (Op::NotIn, false),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => return None,
    })
}

fn immediate(op: BinaryOp) -> Option<Op> {
    Some(match op {
        BinaryOp::Add => Op::AddImm,
        BinaryOp::Sub => Op::SubImm,
        BinaryOp::Mul => Op::MulImm,
        BinaryOp::Div => Op::DivImm,
        BinaryOp::Rem => Op::RemImm,
        _ => return None,
    })
}

fn with_float(op: BinaryOp) -> Option<Op> {
    Some(match op {
        BinaryOp::Add => Op::AddFloat,
        BinaryOp::Sub => Op::SubFloat,
        BinaryOp::Mul => Op::MulFloat,
        BinaryOp::Div => Op::DivFloat,
        _ => return None,
    })
}

fn with_field(op: BinaryOp) -> Option<Op> {
    Some(match op {
        BinaryOp::Add => Op::AddField,
        BinaryOp::Sub => Op::SubField,
        BinaryOp::Mul => Op::MulField,
        _ => return None,
    })
}

/// The fused compare-and-jump with an immediate.
fn jump_immediate(op: BinaryOp, when: bool) -> Option<Op> {
    Some(match (op, when) {
        (BinaryOp::Eq, true) | (BinaryOp::Ne, false) => Op::JumpEqImm,
        (BinaryOp::Ne, true) | (BinaryOp::Eq, false) => Op::JumpNeImm,
        (BinaryOp::Lt, true) => Op::JumpLtImm,
        (BinaryOp::Le, true) => Op::JumpLeImm,
        (BinaryOp::Gt, true) => Op::JumpGtImm,
        (BinaryOp::Ge, true) => Op::JumpGeImm,
        (BinaryOp::Lt, false) => Op::JumpNotLtImm,
        (BinaryOp::Le, false) => Op::JumpNotLeImm,
        (BinaryOp::Gt, false) => Op::JumpNotGtImm,
        (BinaryOp::Ge, false) => Op::JumpNotGeImm,
        _ => return None,
    })
}

/// The fused compare-and-jump of two registers; whether its operands are exchanged.
fn jump_registers(op: BinaryOp, when: bool) -> Option<(Op, bool)> {
    Some(match (op, when) {
        (BinaryOp::Eq, true) | (BinaryOp::Ne, false) => (Op::JumpEq, false),
        (BinaryOp::Ne, true) | (BinaryOp::Eq, false) => (Op::JumpNe, false),
        (BinaryOp::Lt, true) => (Op::JumpLt, false),
        (BinaryOp::Le, true) => (Op::JumpLe, false),
        (BinaryOp::Gt, true) => (Op::JumpLt, true),
        (BinaryOp::Ge, true) => (Op::JumpLe, true),
        (BinaryOp::Lt, false) => (Op::JumpNotLt, false),
        (BinaryOp::Le, false) => (Op::JumpNotLe, false),
        (BinaryOp::Gt, false) => (Op::JumpNotLt, true),
        (BinaryOp::Ge, false) => (Op::JumpNotLe, true),
        _ => return None,
    })
}

/// Whether the expression's value, if there is one, is a number that nobody has to release.
pub(crate) fn gives_number(expr: &Expr) -> bool {
    match &peel(expr).kind {
        ExprKind::Binary { op, right, .. } => match op {
            BinaryOp::Sub | BinaryOp::Div | BinaryOp::Rem | BinaryOp::Pow => true,
            BinaryOp::Add => matches!(peel(right).kind, ExprKind::Int(_)),
            _ => false,
        },
        ExprKind::Unary { .. } => true,
        _ => false,
    }
}

/// A comparison read from the other side.
fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Ge => BinaryOp::Le,
        other => other,
    }
}

impl<'a> Compiler<'a> {
    /// `left op right` into `dst`.
    pub(crate) fn binary(&mut self, expr: &'a Expr, op: BinaryOp, left: &'a Expr, right: &'a Expr, dst: u8) {
        match op {
            BinaryOp::And | BinaryOp::Or => return self.logic(expr, dst),
            BinaryOp::Coalesce => return self.coalesce(left, right, dst),
            _ => {}
        }
        if let Some(literal) = self.fold(expr) {
            return self.load_literal(&literal, dst);
        }
        let mark = self.mark();
        let first = self.operand_before(left, right);
        self.combine(expr, op, first, right, dst);
        self.release(mark);
    }

    /// `first op right` into `dst`, with the left operand in a register already.
    pub(crate) fn combine(&mut self, whole: &'a Expr, op: BinaryOp, first: u8, right: &'a Expr, dst: u8) {
        self.combine_at(whole.span, op, first, right, dst);
    }

    /// As [`Compiler::combine`], blamed on a span.
    pub(crate) fn combine_at(
        &mut self,
        span: harn_syntax::Span,
        op: BinaryOp,
        first: u8,
        right: &'a Expr,
        dst: u8,
    ) {
        if let Some(immediate_op) = immediate(op)
            && let Some(Literal::Int(value)) = self.fold(right)
            && let Ok(value) = i32::try_from(value)
        {
            self.at(span);
            return self.emit(immediate_op, dst, first, 0, value);
        }
        if let Some(float_op) = with_float(op)
            && let Some(Literal::Float(value)) = self.fold(right)
        {
            let constant = self.constant(Const::Float(value));
            self.at(span);
            return self.emit(float_op, dst, first, 0, constant);
        }
        if let Some(field_op) = with_field(op)
            && let Some((object, name)) = self.plain_field(right)
        {
            let object_register = self.operand(object);
            let text = self.text(name.name).to_owned();
            let site = self.f().code.site(&text);
            // The bits above the site are the consume bits.
            if site < 1 << 24 {
                self.at(span);
                return self.emit(field_op, dst, first, object_register, site);
            }
        }
        let second = self.operand(right);
        self.at(span);
        if let Some((op, exchanged)) = plain(op) {
            let (x, y) = if exchanged { (second, first) } else { (first, second) };
            self.emit(op, dst, x, y, 0);
        }
    }

    /// The object and the name of a property of a variable, when it is nothing else (a variant, a namespace member).
    fn plain_field(&mut self, expr: &'a Expr) -> Option<(&'a Expr, Ident)> {
        let ExprKind::Property { object, name, optional: false } = &peel(expr).kind else { return None };
        let ExprKind::Name(root) = &peel(object).kind else { return None };
        matches!(self.meaning(*root), Meaning::Register(_)).then_some((object, *name))
    }

    fn logic(&mut self, expr: &'a Expr, dst: u8) {
        let no = self.f().code.label();
        let end = self.f().code.label();
        self.branch(expr, no, false);
        self.emit(Op::Bool, dst, 0, 0, 1);
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        self.f().code.place(no);
        self.emit(Op::Bool, dst, 0, 0, 0);
        self.f().code.place(end);
    }

    fn coalesce(&mut self, left: &'a Expr, right: &'a Expr, dst: u8) {
        let mark = self.mark();
        let result = self.working(dst);
        let end = self.f().code.label();
        self.expr(left, result);
        self.f().code.jump(Op::JumpNotNil, result, 0, 0, end);
        self.expr(right, result);
        self.f().code.place(end);
        self.deliver(result, dst);
        self.release(mark);
    }

    /// Jumps to `target` when the condition's truthiness is `when`; else falls through.
    pub(crate) fn branch(&mut self, condition: &'a Expr, target: Label, when: bool) {
        let condition = peel(condition);
        match &condition.kind {
            ExprKind::Bool(value) => {
                if *value == when {
                    self.f().code.jump(Op::Jump, 0, 0, 0, target);
                }
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.branch(operand, target, !when),
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.both(left, right, target, when);
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right } => {
                // `a || b` is falsy when both are: the mirror image of `&&`.
                if when {
                    self.branch(left, target, true);
                    self.branch(right, target, true);
                } else {
                    let yes = self.f().code.label();
                    self.branch(left, yes, true);
                    self.branch(right, target, false);
                    self.f().code.place(yes);
                }
            }
            ExprKind::Binary { op, left, right } if jump_registers(*op, when).is_some() => {
                self.compare(condition, *op, left, right, target, when);
            }
            _ => {
                let mark = self.mark();
                let register = self.operand(condition);
                self.at(condition.span);
                let op = if when { Op::JumpIf } else { Op::JumpIfNot };
                self.f().code.jump(op, register, 0, 0, target);
                self.release(mark);
            }
        }
    }

    fn both(&mut self, left: &'a Expr, right: &'a Expr, target: Label, when: bool) {
        if when {
            let no = self.f().code.label();
            self.branch(left, no, false);
            self.branch(right, target, true);
            self.f().code.place(no);
        } else {
            self.branch(left, target, false);
            self.branch(right, target, false);
        }
    }

    fn compare(
        &mut self,
        condition: &'a Expr,
        op: BinaryOp,
        left: &'a Expr,
        right: &'a Expr,
        target: Label,
        when: bool,
    ) {
        let mark = self.mark();
        let small = |literal: Option<Literal>| match literal {
            Some(Literal::Int(value)) => i16::try_from(value).ok(),
            _ => None,
        };
        if let Some(value) = small(self.fold(right))
            && let Some(jump) = jump_immediate(op, when)
        {
            let register = self.operand(left);
            if self.is_variable(register) || gives_number(left) {
                self.at(condition.span);
                self.f().code.jump_imm(jump, register, value, target);
            } else if let Some((jump, exchanged)) = jump_registers(op, when) {
                // The immediate form cannot consume its operand: two drops on two edges would follow.
                let second = self.temp();
                self.emit(Op::Int, second, 0, 0, i32::from(value));
                self.at(condition.span);
                let (x, y) = if exchanged { (second, register) } else { (register, second) };
                self.f().code.jump(jump, 0, x, y, target);
            }
        } else if let Some(value) = small(self.fold(left))
            && let Some(jump) = jump_immediate(mirrored(op), when)
        {
            let register = self.operand(right);
            self.at(condition.span);
            self.f().code.jump_imm(jump, register, value, target);
        } else if let Some(jump) = self.nil_test(op, left, right, when) {
            let (operand, jump) = jump;
            let register = self.operand(operand);
            self.at(condition.span);
            self.f().code.jump(jump, register, 0, 0, target);
        } else if let Some((jump, exchanged)) = jump_registers(op, when) {
            let first = self.operand_before(left, right);
            let second = self.operand(right);
            self.at(condition.span);
            let (x, y) = if exchanged { (second, first) } else { (first, second) };
            self.f().code.jump(jump, 0, x, y, target);
        }
        self.release(mark);
    }

    /// `x == nil` and `x != nil` as their own jumps.
    fn nil_test(&self, op: BinaryOp, left: &'a Expr, right: &'a Expr, when: bool) -> Option<(&'a Expr, Op)> {
        let equal = match op {
            BinaryOp::Eq => when,
            BinaryOp::Ne => !when,
            _ => return None,
        };
        let operand = if matches!(peel(right).kind, ExprKind::Nil) {
            left
        } else if matches!(peel(left).kind, ExprKind::Nil) {
            right
        } else {
            return None;
        };
        Some((operand, if equal { Op::JumpNil } else { Op::JumpNotNil }))
    }
}
