//! Rules about single expressions.

use super::*;
use crate::check::op_symbol;
use crate::walk::*;
use harn_syntax::ast::*;

/// Conversions and what their results are.
const CASTS: &[(&str, &str)] = &[
    ("to_string", "a string"),
    ("to_int", "an int"),
    ("to_float", "a float"),
    ("to_list", "a list"),
    ("to_dict", "a dict"),
];

struct Expressions<'p, 'a> {
    pass: &'p mut Pass<'a>,
}

pub(super) fn run(pass: &mut Pass<'_>) {
    let items = &pass.module.ast().items;
    let mut rules = Expressions { pass };
    for stmt in items {
        rules.stmt(stmt);
    }
}

/// Whether evaluating an expression twice or not at all makes no difference.
pub(super) fn is_pure(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Nil
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_) => true,
        ExprKind::Paren(e) | ExprKind::Unary { operand: e, .. } => is_pure(e),
        ExprKind::Property { object, .. } => is_pure(object),
        ExprKind::Index { object, index, .. } => is_pure(object) && is_pure(index),
        ExprKind::Binary { left, right, .. } => is_pure(left) && is_pure(right),
        ExprKind::Range { start, end, .. } => is_pure(start) && is_pure(end),
        ExprKind::List(items) => items.iter().all(|i| is_pure(&i.value)),
        _ => false,
    }
}

/// Whether an expression is certainly a truth value.
fn is_bool(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Bool(_) | ExprKind::Unary { op: UnaryOp::Not, .. } => true,
        ExprKind::Paren(e) => is_bool(e),
        ExprKind::Binary { op, .. } => matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::Ne
                | BinaryOp::Lt
                | BinaryOp::Gt
                | BinaryOp::Le
                | BinaryOp::Ge
                | BinaryOp::In
                | BinaryOp::NotIn
        ),
        _ => false,
    }
}

/// Whether an expression needs no parentheses behind `!` or beside another operator.
fn is_tight(e: &Expr) -> bool {
    !matches!(
        e.kind,
        ExprKind::Binary { .. }
            | ExprKind::Ternary { .. }
            | ExprKind::Range { .. }
            | ExprKind::Pipe { .. }
            | ExprKind::Unary { .. }
            | ExprKind::TryStar(_)
    )
}

impl<'a> Expressions<'_, 'a> {
    fn tight(&self, e: &Expr) -> String {
        let text = self.pass.slice(e.span);
        if is_tight(e) { text.to_owned() } else { format!("({text})") }
    }

    fn bool_comparison(&mut self, e: &Expr, op: BinaryOp, left: &Expr, right: &Expr) {
        let (value, other) = match (&left.kind, &right.kind) {
            (_, ExprKind::Bool(value)) => (*value, left),
            (ExprKind::Bool(value), _) => (*value, right),
            _ => return,
        };
        let keeps = value == (op == BinaryOp::Eq);
        let message = match op {
            BinaryOp::Eq => format!("comparison to `{value}` is redundant"),
            _ => format!("`!= {value}` is redundant"),
        };
        let help =
            if keeps { "remove the comparison, use the expression directly" } else { "use `!expr` instead" };
        // `x == true` is not `x` unless x is a truth value.
        let fix = if !is_bool(other) {
            Vec::new()
        } else if keeps {
            replace(e.span, self.tight(other))
        } else {
            replace(e.span, format!("!{}", self.tight(other)))
        };
        self.pass.add(COMPARISON_TO_BOOL, e.span, message, help, fix);
    }

    fn self_comparison(&mut self, e: &Expr, op: BinaryOp, left: &Expr, right: &Expr) {
        if !is_pure(left) || !self.pass.same(left, right) {
            return;
        }
        let result = match op {
            BinaryOp::Eq | BinaryOp::Le | BinaryOp::Ge => "true",
            BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Gt => "false",
            _ => return,
        };
        self.pass.add(
            POINTLESS_COMPARISON,
            e.span,
            format!("expression is compared to itself with `{}`", op_symbol(op)),
            &format!("replace this comparison with `{result}`"),
            replace(e.span, result),
        );
    }

    fn binary(&mut self, e: &Expr, op: BinaryOp, left: &Expr, right: &Expr) {
        match op {
            BinaryOp::Eq | BinaryOp::Ne => {
                self.bool_comparison(e, op, left, right);
                self.self_comparison(e, op, left, right);
            }
            BinaryOp::Lt | BinaryOp::Gt | BinaryOp::Le | BinaryOp::Ge => {
                self.self_comparison(e, op, left, right)
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                let odd = |e: &Expr| matches!(e.kind, ExprKind::Bool(_) | ExprKind::Nil);
                if !odd(left) && !odd(right) {
                    return;
                }
                let fix = match (op, &left.kind, &right.kind) {
                    (BinaryOp::Add, ExprKind::Str(_), _) => self.joined(e, left, right, true),
                    (BinaryOp::Add, _, ExprKind::Str(_)) => self.joined(e, right, left, false),
                    _ => Vec::new(),
                };
                let message = format!(
                    "operator '{}' used with boolean or nil literal — this will cause a runtime error",
                    op_symbol(op)
                );
                let help = "use to_string() or string interpolation to convert values explicitly";
                self.pass.add(BINARY_LITERAL, e.span, message, help, fix);
            }
            _ => {}
        }
    }

    /// One string literal of a plain string literal and a value beside it.
    fn joined(&self, e: &Expr, text: &Expr, value: &Expr, first: bool) -> Vec<Edit> {
        let written = self.pass.slice(text.span);
        let Some(inner) = written.strip_prefix('"').and_then(|w| w.strip_suffix('"')) else {
            return Vec::new();
        };
        if written.starts_with("\"\"\"") {
            return Vec::new();
        }
        let hole = format!("${{{}}}", self.pass.slice(value.span));
        let new = if first { format!("\"{inner}{hole}\"") } else { format!("\"{hole}{inner}\"") };
        replace(e.span, new)
    }

    fn ternary(&mut self, e: &Expr, condition: &Expr, then: &Expr, otherwise: &Expr) {
        let mut test = condition;
        while let ExprKind::Paren(inner) = &test.kind {
            test = inner;
        }
        let ExprKind::Binary { op: op @ (BinaryOp::Eq | BinaryOp::Ne), left, right } = &test.kind else {
            return;
        };
        let tested = match (&left.kind, &right.kind) {
            (_, ExprKind::Nil) => left,
            (ExprKind::Nil, _) => right,
            _ => return,
        };
        let (kept, fallback) = if *op == BinaryOp::Eq { (otherwise, then) } else { (then, otherwise) };
        if !is_pure(tested) || !self.pass.same(tested, kept) {
            return;
        }
        let text = self.pass.slice(tested.span);
        let new = format!("{} ?? {}", self.tight(tested), self.tight(fallback));
        self.pass.add(
            NIL_TERNARY,
            e.span,
            format!("ternary nil check over `{text}` can be replaced with `{text} ?? <fallback>`"),
            &format!("use `{text} ?? <fallback>` instead"),
            replace(e.span, format!("({new})")),
        );
    }

    fn call(&mut self, e: &Expr, callee: &Expr, args: &[Element]) {
        if let (ExprKind::Name(name), [arg]) = (&callee.kind, args) {
            self.cast(e, self.pass.text(*name), arg);
        }
        let dropped = matches!(&callee.kind, ExprKind::Name(n) if self.pass.text(*n) == "drop");
        for arg in args {
            let ExprKind::MethodCall { object, name, args: inner, .. } = &arg.value.kind else { continue };
            if self.pass.name(*name) == "clone" && inner.is_empty() && !arg.spread {
                let how = if dropped { "dropped" } else { "passed by value" };
                let text = self.pass.slice(object.span);
                self.pass.add(
                    REDUNDANT_CLONE,
                    arg.value.span,
                    format!("cloned value is immediately {how}"),
                    "pass the original value directly unless a distinct snapshot is required",
                    replace(arg.value.span, text),
                );
            }
        }
    }

    fn cast(&mut self, e: &Expr, name: &str, arg: &Element) {
        let Some((_, words)) = CASTS.iter().find(|(n, _)| *n == name) else { return };
        let already = match (&arg.value.kind, name) {
            (ExprKind::Str(_) | ExprKind::Interp(_), "to_string")
            | (ExprKind::Int(_), "to_int")
            | (ExprKind::Float(_), "to_float")
            | (ExprKind::List(_), "to_list")
            | (ExprKind::Dict(_), "to_dict") => true,
            (ExprKind::Call { callee, .. }, _) => {
                matches!(&callee.kind, ExprKind::Name(inner) if self.pass.text(*inner) == name)
            }
            _ => false,
        };
        if already && !arg.spread {
            let inner = self.pass.slice(arg.value.span);
            self.pass.add(
                UNNECESSARY_CAST,
                e.span,
                format!("`{name}` is a no-op here — its argument is already {words}"),
                &format!("remove the redundant `{name}(...)` wrapper"),
                replace(e.span, inner),
            );
        }
    }

    fn lazy_value(&mut self, ty: &TypeExpr, value: &Expr) {
        let TypeKind::Named { name, .. } = &ty.kind else { return };
        let wanted = self.pass.text(*name);
        if !matches!(wanted, "list" | "set" | "dict") || !self.is_lazy(value) {
            return;
        }
        self.pass.add(
            EAGER_COLLECTION,
            value.span,
            format!("expression is an iterator; expected {wanted}. Add .to_{wanted}() to materialize."),
            &format!("append `.to_{wanted}()` to materialize the iterator"),
            replace(Span::new(value.span.end, value.span.end), format!(".to_{wanted}()")),
        );
    }

    /// A chain of lazy stages on `.iter()` or `iter(...)`.
    fn is_lazy(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::MethodCall { object, name, .. } => match self.pass.name(*name) {
                "iter" => true,
                "map" | "filter" | "take" | "skip" | "take_while" | "skip_while" | "chain" | "zip"
                | "enumerate" | "flat_map" | "chunks" | "windows" => self.is_lazy(object),
                _ => false,
            },
            ExprKind::Call { callee, .. } => {
                matches!(&callee.kind, ExprKind::Name(n) if self.pass.text(*n) == "iter")
            }
            _ => false,
        }
    }
}

impl<'a> Visitor<'a> for Expressions<'_, 'a> {
    fn stmt(&mut self, stmt: &'a Stmt) {
        if let StmtKind::Let(item) = &stmt.kind
            && let Some(ty) = &item.ty
        {
            self.lazy_value(ty, &item.value);
        }
        walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Binary { op, left, right } => self.binary(expr, *op, left, right),
            ExprKind::Ternary { condition, then, otherwise } => {
                self.ternary(expr, condition, then, otherwise)
            }
            ExprKind::Call { callee, args, .. } => self.call(expr, callee, args),
            ExprKind::MethodCall { args, .. } => self.call(expr, expr, args),
            ExprKind::If(item) => {
                if let ExprKind::Bool(value) = item.condition.kind {
                    let message = format!("if condition is always `{value}`");
                    let help = "remove the constant condition or replace it with real branching";
                    self.pass.add(POINTLESS_COMPARISON, item.condition.span, message, help, Vec::new());
                }
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}
