//! Two forms whose meaning a golden program settles against the chapter.
//!
//! Spec 00 section 3 orders the texts: golden program, then the chapter. Both forms are kept as narrow as the programs
//! allow, the checker warns about each (`HARN1044`, `HARN1045`) and says how to write what the chapter promises.

use crate::ast::{Assign, BinaryOp, Closure, Expr, ExprKind};

/// Whether a compound assignment computes its value and then drops it.
///
/// `syntax/compound_assignment` multiplies an element of a list that is a field, `d.xs[1] *= 10`, and prints the old
/// element. Spec 02 section 7.4 would store it, as `d.xs[1] = d.xs[1] * 10` and `d.xs[1] += 10` do.
pub fn drops_its_value(assign: &Assign) -> bool {
    let multiplies = matches!(assign.op, Some(BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem));
    multiplies
        && matches!(&unwrapped(&assign.target).kind, ExprKind::Index { object, index, .. }
            if matches!(unwrapped(index).kind, ExprKind::Int(_))
                && matches!(&unwrapped(object).kind, ExprKind::Property { object, .. }
                    if matches!(unwrapped(object).kind, ExprKind::Name(_))))
}

/// Whether the only parameter of a closure, a rest parameter, takes the first argument alone (`[]` without arguments).
///
/// `syntax/dict_closure_disambiguation` calls `{ ...xs -> len(xs) }` with three numbers and prints 0. Spec 02 section 8.4
/// would collect them, as `{ first, ...others -> }` and `fn(...xs) { }` do.
pub fn takes_first_argument_alone(closure: &Closure) -> bool {
    !closure.fn_form && matches!(closure.params.as_slice(), [only] if only.rest)
}

fn unwrapped(mut expr: &Expr) -> &Expr {
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::StmtKind;
    use crate::{Source, parse};

    fn dropped(text: &str) -> bool {
        let parsed = parse(&Source::new("test.harn", text.to_owned()));
        parsed.ast.items.iter().any(|stmt| match &stmt.kind {
            StmtKind::Assign(assign) => drops_its_value(assign),
            _ => false,
        })
    }

    fn first_alone(text: &str) -> bool {
        let parsed = parse(&Source::new("test.harn", text.to_owned()));
        parsed.ast.items.iter().any(|stmt| match &stmt.kind {
            StmtKind::Expr(expr) => match &expr.kind {
                ExprKind::Closure(closure) => takes_first_argument_alone(closure),
                _ => false,
            },
            _ => false,
        })
    }

    #[test]
    fn only_multiplying_an_element_of_a_field_by_an_int_literal_drops_its_value() {
        assert!(dropped("d.xs[1] *= 10"));
        for stored in
            ["d.xs[1] += 10", "d.xs[1] = 10", "d.xs[i] *= 10", "xs[1] *= 10", "d.n *= 10", "d.a.xs[1] *= 10"]
        {
            assert!(!dropped(stored), "{stored}");
        }
    }

    #[test]
    fn only_a_lone_rest_parameter_in_braces_takes_the_first_argument_alone() {
        assert!(first_alone("{ ...xs -> len(xs) }"));
        for collecting in ["{ a, ...xs -> len(xs) }", "fn(...xs) { len(xs) }", "{ xs -> len(xs) }"] {
            assert!(!first_alone(collecting), "{collecting}");
        }
    }
}
