//! Infix operators: results and the checks of spec 03 section 5.

use super::{Checker, Typed};
use crate::codes;
use crate::types::{Kind, Ty};
use harn_syntax::Span;
use harn_syntax::ast::*;

/// As written.
pub(crate) fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Gt => ">",
        BinaryOp::Le => "<=",
        BinaryOp::Ge => ">=",
        BinaryOp::In => "in",
        BinaryOp::NotIn => "not in",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Coalesce => "??",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::Pow => "**",
    }
}

/// The names that operator checks look at.
fn plain(ty: Ty) -> bool {
    matches!(ty, Ty::INT | Ty::FLOAT | Ty::STRING | Ty::BOOL | Ty::NIL | Ty::LIST | Ty::DICT)
}

fn numeric(ty: Ty) -> bool {
    matches!(ty, Ty::INT | Ty::FLOAT)
}

impl Checker<'_> {
    pub(super) fn operate(
        &mut self,
        op: BinaryOp,
        left: Typed,
        right: Typed,
        left_expr: &Expr,
        right_expr: &Expr,
        whole: &Expr,
    ) -> Typed {
        match op {
            BinaryOp::Coalesce => return self.coalesce(left, right),
            BinaryOp::Or | BinaryOp::And | BinaryOp::In | BinaryOp::NotIn => return Typed::sure(Ty::BOOL),
            BinaryOp::Eq | BinaryOp::Ne => return Typed::sure(Ty::BOOL),
            BinaryOp::Lt | BinaryOp::Gt | BinaryOp::Le | BinaryOp::Ge => {
                self.compare(op, left, right, whole.span);
                return Typed::sure(Ty::BOOL);
            }
            _ => {}
        }
        let literal = [left_expr, right_expr].iter().any(|e| matches!(e.kind, ExprKind::Str(_)));
        self.arithmetic(op, left, right, whole.span, literal)
    }

    /// Checks an arithmetic operator and gives its result; `literal` when a side is a plain string literal.
    pub(super) fn arithmetic(
        &mut self,
        op: BinaryOp,
        left: Typed,
        right: Typed,
        span: Span,
        literal: bool,
    ) -> Typed {
        let weak = left.weak || right.weak;
        let (a, b) = (self.expand(left.ty), self.expand(right.ty));
        if plain(a) && plain(b) {
            self.check_arithmetic(op, a, b, weak, span, literal);
        }
        let widen = |ty: Ty, checker: &Self| match checker.types.kind(ty) {
            Kind::Int(_) => Ty::INT,
            Kind::Str(_) => Ty::STRING,
            _ => ty,
        };
        let (a, b) = (widen(a, self), widen(b, self));
        let result = match op {
            BinaryOp::Add => match (a, b) {
                (Ty::INT, Ty::INT) => Ty::INT,
                (Ty::STRING, Ty::STRING) => Ty::STRING,
                (Ty::LIST, Ty::LIST) => Ty::LIST,
                (Ty::DICT, Ty::DICT) => Ty::DICT,
                _ if numeric(a) && numeric(b) => Ty::FLOAT,
                _ => Ty::FREE,
            },
            BinaryOp::Mul if matches!((a, b), (Ty::STRING, Ty::INT) | (Ty::INT, Ty::STRING)) => Ty::STRING,
            _ => match (a, b) {
                (Ty::INT, Ty::INT) => Ty::INT,
                _ if numeric(a) && numeric(b) => Ty::FLOAT,
                _ => Ty::FREE,
            },
        };
        Typed { ty: result, weak }
    }

    fn check_arithmetic(&mut self, op: BinaryOp, a: Ty, b: Ty, weak: bool, span: Span, literal: bool) {
        let fine = match op {
            BinaryOp::Add => {
                (numeric(a) && numeric(b)) || (a == b && matches!(a, Ty::STRING | Ty::LIST | Ty::DICT))
            }
            BinaryOp::Mul => {
                (numeric(a) && numeric(b)) || matches!((a, b), (Ty::STRING, Ty::INT) | (Ty::INT, Ty::STRING))
            }
            _ => numeric(a) && numeric(b),
        };
        if fine {
            return;
        }
        let (a, b) = (self.show(a), self.show(b));
        match op {
            BinaryOp::Add => {
                self.finding(weak, codes::CANNOT_ADD, span, format!("can't add {a} and {b}"));
                if literal {
                    self.help("use string interpolation: \"${...}\"".to_owned());
                }
            }
            BinaryOp::Mul => {
                let text = format!("can't multiply {a} and {b} (try string * int)");
                self.finding(weak, codes::CANNOT_MULTIPLY, span, text);
            }
            _ => {
                let op = symbol(op);
                let text = format!("can't use '{op}' on {a} and {b} (needs numeric operands)");
                self.finding(weak, codes::NEEDS_NUMBERS, span, text);
            }
        }
    }

    fn compare(&mut self, op: BinaryOp, left: Typed, right: Typed, span: Span) {
        let (a, b) = (self.expand(left.ty), self.expand(right.ty));
        if !plain(a) || !plain(b) {
            return;
        }
        let ordered = |ty: Ty| numeric(ty) || ty == Ty::STRING;
        let (x, y) = (self.show(a), self.show(b));
        let op = symbol(op);
        if !ordered(a) || !ordered(b) {
            let text = format!("Comparison '{op}' may not be meaningful for types {x} and {y}");
            self.warn(codes::ODD_COMPARISON, span, text);
        } else if (a == Ty::STRING) != (b == Ty::STRING) {
            let text = format!("Comparing {x} with {y} using '{op}' may give unexpected results");
            self.warn(codes::ODD_COMPARISON, span, text);
        }
    }

    fn coalesce(&mut self, left: Typed, right: Typed) -> Typed {
        let ty = self.expand(left.ty);
        if !ty.is_known() || ty == Ty::NIL {
            return right;
        }
        if matches!(ty, Ty::ANY | Ty::UNKNOWN | Ty::WILD | Ty::NEVER)
            || matches!(self.types.kind(ty), Kind::Param(_))
        {
            return Typed::FREE;
        }
        let members = self.types.members(ty);
        if !members.contains(&Ty::NIL) {
            return left;
        }
        let rest = self.types.without(ty, |_, m| m == Ty::NIL);
        if rest == Ty::NEVER { right } else { Typed { ty: rest, weak: left.weak } }
    }
}
