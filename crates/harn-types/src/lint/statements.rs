//! Rules about statements and their order.

use super::*;
use crate::walk::*;
use harn_syntax::ast::*;

struct Statements<'p, 'a> {
    pass: &'p mut Pass<'a>,
    loops: u32,
}

pub(super) fn run(pass: &mut Pass<'_>) {
    let items = &pass.module.ast().items;
    let mut rules = Statements { pass, loops: 0 };
    rules.sequence(items);
    for stmt in items {
        rules.stmt(stmt);
    }
}

fn returns(block: &Block) -> bool {
    matches!(block.stmts.last().map(|s| &s.kind), Some(StmtKind::Return(_)))
}

impl<'a> Statements<'_, 'a> {
    fn sequence(&mut self, stmts: &'a [Stmt]) {
        let exits = crate::check::stmt_exits;
        let mut after = stmts.iter().skip_while(|s| !exits(s)).skip(1);
        if let Some(dead) = after.find(|s| !matches!(s.kind, StmtKind::Decl(_))) {
            let message = "unreachable code after a terminating statement".to_owned();
            self.pass.add(DEAD_CODE, dead.span, message, "remove the unreachable code", Vec::new());
        }
        for pair in stmts.windows(2) {
            let [first, second] = pair else { continue };
            let (StmtKind::Let(item), StmtKind::Return(Some(value))) = (&first.kind, &second.kind) else {
                continue;
            };
            let (Binding::Name(name), ExprKind::Name(read)) = (&item.binding, &value.kind) else { continue };
            if name.name == *read && item.ty.is_none() {
                let text = self.pass.name(*name);
                let between = self.pass.slice(Span::new(first.span.end, second.span.start));
                // A comment between the two would be lost.
                let fix = if between.trim().trim_matches(';').trim().is_empty() {
                    replace(
                        Span::new(first.span.start, second.span.end),
                        format!("return {}", self.pass.slice(item.value.span)),
                    )
                } else {
                    Vec::new()
                };
                self.pass.add(
                    LET_THEN_RETURN,
                    first.span,
                    format!("binding `{text}` is immediately returned"),
                    &format!("return the expression assigned to `{text}` directly"),
                    fix,
                );
            }
        }
    }

    fn separate(&mut self, visit: impl FnOnce(&mut Self)) {
        let loops = std::mem::take(&mut self.loops);
        visit(self);
        self.loops = loops;
    }

    fn empty(&mut self, what: &str, block: &Block, span: Span, fix: Vec<Edit>) {
        if block.stmts.is_empty() {
            let word = what.split(' ').next().unwrap_or(what);
            let inside = self.pass.slice(block.span);
            let fix = if inside.contains("//") || inside.contains("/*") { Vec::new() } else { fix };
            self.pass.add(
                EMPTY_BLOCK,
                span,
                format!("{what} has an empty body"),
                &format!("remove the empty {word} or add a body"),
                fix,
            );
        }
    }

    fn if_rules(&mut self, item: &'a If, e: &'a Expr) {
        match &item.otherwise {
            Some(Else::Block(block)) if returns(&item.then) && returns(block) => {
                let message = "both if and else branches return — else is unnecessary".to_owned();
                let inner = Span::new(block.span.start + 1, block.span.end.saturating_sub(1));
                let body = self.pass.slice(inner).trim();
                let edit = Span::new(item.then.span.end, block.span.end);
                let position = self.pass.module.source.position(e.span.start);
                let indent = " ".repeat(position.column as usize - 1);
                let own = self.pass.module.source.line(position.line).unwrap_or("");
                // Only an `if` that begins its line can be followed by the statements of its else.
                let fix = if own.trim_start().starts_with("if") {
                    replace(edit, format!("\n{indent}{}", outdent(body)))
                } else {
                    Vec::new()
                };
                let help = "remove the else and place its body after the if";
                self.pass.add(ELSE_RETURN, e.span, message, help, fix);
            }
            _ => {}
        }
        let pure = item.otherwise.is_none() && super::expressions::is_pure(&item.condition);
        let fix = if pure { remove_line(self.pass, e.span) } else { Vec::new() };
        self.empty("if block", &item.then, e.span, fix);
    }

    fn complexity(&mut self, name: Ident, attributes: &[Attribute], body: &'a Block) {
        let allowed = attributes.iter().any(|a| {
            self.pass.name(a.name) == "complexity"
                && a.args.iter().any(|(_, v)| match v {
                    AttrValue::Name(n) => self.pass.text(*n) == "allow",
                    AttrValue::Str(s) => &**s == "allow",
                    _ => false,
                })
        });
        let mut score = Score(1);
        score.block(body);
        let limit = self.pass.options.complexity_threshold;
        if !allowed && score.0 > limit {
            let text = self.pass.name(name);
            self.pass.add(
                COMPLEXITY,
                name.span,
                format!("function `{text}` has cyclomatic complexity {} (> {limit})", score.0),
                &format!(
                    "split `{text}` into smaller helpers, or mark it `@complexity(allow)` if the branching is intrinsic; \
                     threshold configurable via `[lint].complexity_threshold` in `harn.toml`"
                ),
                Vec::new(),
            );
        }
    }

    fn outside(&mut self, word: &str, span: Span) {
        if self.loops == 0 {
            let message = format!("`{word}` used outside of a loop");
            let help = format!("`{word}` can only be used inside for or while loops");
            self.pass.add(BREAK_OUTSIDE, span, message, &help, Vec::new());
        }
    }

    fn arms(&mut self, arms: &'a [MatchArm]) {
        let mut seen: Vec<(String, Option<String>)> = Vec::new();
        for arm in arms {
            let words = |s: Span| self.pass.slice(s).split_whitespace().collect::<Vec<_>>().join(" ");
            let key = (words(arm.pattern.span), arm.guard.as_ref().map(|g| words(g.span)));
            if seen.contains(&key) {
                let message = "duplicate match arm pattern".to_owned();
                let span = arm.pattern.span;
                self.pass.add(DUPLICATE_ARM, span, message, "remove the duplicate arm", Vec::new());
            } else {
                seen.push(key);
            }
        }
    }
}

/// The lines of a block, one level further out.
fn outdent(body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let rest = lines.iter().skip(1).map(|l| l.strip_prefix("  ").unwrap_or(l));
    lines.first().copied().into_iter().chain(rest).collect::<Vec<_>>().join("\n")
}

/// Removes a statement, with its line when nothing else is on it.
fn remove_line(pass: &Pass<'_>, span: Span) -> Vec<Edit> {
    let text = pass.module.source.text();
    let before = text.get(..span.start as usize).unwrap_or("");
    let after = text.get(span.end as usize..).unwrap_or("");
    let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
    let alone = before.trim_end_matches([' ', '\t']).ends_with('\n') && after.starts_with('\n');
    let whole = if alone { Span::new(span.start - indent as u32, span.end + 1) } else { span };
    replace(whole, "")
}

struct Score(usize);

impl<'a> Visitor<'a> for Score {
    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::For(_) | StmtKind::While { .. } | StmtKind::Guard { .. } => self.0 += 1,
            StmtKind::Select(select) => self.0 += select.cases.len(),
            StmtKind::Decl(_) => return,
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::If(_) | ExprKind::Match { .. } | ExprKind::Ternary { .. } | ExprKind::Retry { .. } => {
                self.0 += 1
            }
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => self.0 += 1,
            ExprKind::Try(item) if item.catch.is_some() => self.0 += 1,
            _ => {}
        }
        walk_expr(self, expr);
    }
}

impl<'a> Visitor<'a> for Statements<'_, 'a> {
    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Break => self.outside("break", stmt.span),
            StmtKind::Continue => self.outside("continue", stmt.span),
            StmtKind::For(item) => {
                let pure = super::expressions::is_pure(&item.iterable);
                let fix = if pure { remove_line(self.pass, stmt.span) } else { Vec::new() };
                self.empty("for loop", &item.body, stmt.span, fix);
                self.expr(&item.iterable);
                self.loops += 1;
                self.block(&item.body);
                self.loops -= 1;
            }
            StmtKind::While { condition, body } => {
                self.empty("while loop", body, stmt.span, Vec::new());
                self.expr(condition);
                self.loops += 1;
                self.block(body);
                self.loops -= 1;
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn block(&mut self, block: &'a Block) {
        self.sequence(&block.stmts);
        walk_block(self, block);
    }

    fn decl(&mut self, decl: &'a Decl) {
        match &decl.kind {
            DeclKind::Fn(f) => self.complexity(f.name, &decl.attributes, &f.body),
            DeclKind::Tool(t) => self.complexity(t.name, &decl.attributes, &t.body),
            DeclKind::Impl { methods, .. } => {
                for method in methods {
                    self.complexity(method.function.name, &method.attributes, &method.function.body);
                }
            }
            _ => {}
        }
        self.separate(|s| walk_decl(s, decl));
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Closure(_) | ExprKind::Spawn(_) | ExprKind::Parallel(_) => {
                return self.separate(|s| walk_expr(s, expr));
            }
            ExprKind::If(item) => self.if_rules(item, expr),
            ExprKind::Try(item) => self.empty("try block", &item.body, expr.span, Vec::new()),
            ExprKind::Match { arms, .. } => self.arms(arms),
            _ => {}
        }
        walk_expr(self, expr);
    }
}
