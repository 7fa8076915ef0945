//! Questions about statements alone: does a block surely exit, does a body yield.

use crate::walk::{Visitor, walk_expr, walk_stmt};
use harn_syntax::ast::*;

/// Whether a block surely exits: it contains `return`, `throw`, `break`, `continue`, or an `if` both of whose branches
/// do (spec 03 section 5).
pub(super) fn exits(block: &Block) -> bool {
    block.stmts.iter().any(stmt_exits)
}

/// As [`exits`], for one statement.
pub(crate) fn stmt_exits(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Return(_) | StmtKind::Throw(_) | StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Expr(e) => if_exits(e),
        _ => false,
    }
}

pub(super) fn if_exits(e: &Expr) -> bool {
    let mut here = e;
    loop {
        let ExprKind::If(item) = &here.kind else { return false };
        if !exits(&item.then) {
            return false;
        }
        match &item.otherwise {
            Some(Else::Block(block)) => return exits(block),
            Some(Else::If(next)) => here = next,
            None => return false,
        }
    }
}

/// Whether the end of a block can be reached, looking into loops, matches and calls that never return more closely
/// than [`exits`].
pub(super) fn falls_off(block: &Block, never: &dyn Fn(&Expr) -> bool) -> bool {
    !block.stmts.iter().any(|s| stmt_ends(s, never))
}

fn stmt_ends(stmt: &Stmt, never: &dyn Fn(&Expr) -> bool) -> bool {
    match &stmt.kind {
        StmtKind::Return(_) | StmtKind::Throw(_) => true,
        StmtKind::Expr(e) => expr_ends(e, never),
        StmtKind::While { condition, body } => {
            matches!(condition.kind, ExprKind::Bool(true)) && !body.stmts.iter().any(has_break)
        }
        StmtKind::Mutex(block) => !falls_off(block, never),
        StmtKind::Select(select) => {
            select.cases.iter().all(|c| !falls_off(&c.body, never))
                && select.timeout.iter().all(|(_, b)| !falls_off(b, never))
                && select.default.iter().all(|b| !falls_off(b, never))
        }
        _ => false,
    }
}

fn expr_ends(e: &Expr, never: &dyn Fn(&Expr) -> bool) -> bool {
    match &e.kind {
        ExprKind::If(item) => {
            !falls_off(&item.then, never)
                && match &item.otherwise {
                    Some(Else::Block(block)) => !falls_off(block, never),
                    Some(Else::If(next)) => expr_ends(next, never),
                    None => false,
                }
        }
        // A match without a matching arm raises.
        ExprKind::Match { arms, .. } => arms.iter().all(|a| !falls_off(&a.body, never)),
        ExprKind::Try(item) => {
            item.finally.as_ref().is_some_and(|b| !falls_off(b, never))
                || (item.catch.is_some()
                    && !falls_off(&item.body, never)
                    && item.catch.as_ref().is_some_and(|c| !falls_off(&c.body, never)))
                || (item.catch.is_none() && item.finally.is_some() && !falls_off(&item.body, never))
        }
        ExprKind::Retry { body, .. } | ExprKind::Deadline { body, .. } => !falls_off(body, never),
        _ => never(e),
    }
}

fn has_break(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Break => true,
        StmtKind::For(_) | StmtKind::While { .. } | StmtKind::Decl(_) => false,
        _ => {
            struct Breaks(bool);
            impl<'a> Visitor<'a> for Breaks {
                fn stmt(&mut self, stmt: &'a Stmt) {
                    match &stmt.kind {
                        StmtKind::Break => self.0 = true,
                        StmtKind::For(_) | StmtKind::While { .. } | StmtKind::Decl(_) => {}
                        _ => walk_stmt(self, stmt),
                    }
                }
            }
            let mut found = Breaks(false);
            walk_stmt(&mut found, stmt);
            found.0
        }
    }
}

/// Whether a body contains `yield` outside nested functions and closures.
pub(super) fn yields(body: &Block) -> bool {
    struct Yields(bool);
    impl<'a> Visitor<'a> for Yields {
        fn stmt(&mut self, stmt: &'a Stmt) {
            match &stmt.kind {
                StmtKind::Yield(_) => self.0 = true,
                StmtKind::Decl(_) => {}
                _ if self.0 => {}
                _ => walk_stmt(self, stmt),
            }
        }
        fn expr(&mut self, expr: &'a Expr) {
            match &expr.kind {
                ExprKind::Closure(_) | ExprKind::Spawn(_) | ExprKind::Parallel(_) => {}
                _ if self.0 => {}
                _ => walk_expr(self, expr),
            }
        }
    }
    let mut found = Yields(false);
    found.block(body);
    found.0
}
