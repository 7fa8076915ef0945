//! Statements, blocks, expressions with blocks, patterns (spec 01 sections 9.1, 9.3, 9.4).

use crate::Formatter;
use crate::expressions::{key_text, peeled};
use crate::layout::Layout;
use crate::lines::Entry;
use crate::sequences::Item;
use harn_syntax::Span;
use harn_syntax::ast::{
    BinaryOp, Binding, Block, Catch, Closure, Else, Expr, ExprKind, If, MatchArm, Parallel, ParallelKind,
    Pattern, PatternKind, Select, Stmt, StmtKind, Try,
};

fn text(text: impl Into<String>) -> Layout {
    Layout::text(text)
}

/// Whether a body of this one statement stays on the line of its closure or arm.
fn is_simple(stmt: &Stmt) -> bool {
    use ExprKind::*;
    match &stmt.kind {
        StmtKind::Assign(_) | StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Require { .. } => true,
        StmtKind::Expr(expr) => matches!(
            peeled(expr).kind,
            Nil | Bool(_)
                | Int(_)
                | Float(_)
                | Duration(_)
                | Str(_)
                | Interp(_)
                | Name(_)
                | Unary { .. }
                | Binary { .. }
                | Pipe { .. }
                | Call { .. }
                | MethodCall { .. }
                | Property { .. }
                | Index { .. }
                | Slice { .. }
                | Ternary { .. }
                | List(_)
                | Dict(_)
                | Range { .. }
                | Propagate(_)
                | TryStar(_)
        ),
        _ => false,
    }
}

impl Formatter<'_> {
    /// Lines between braces.
    pub fn braced(&self, lines: Option<Layout>) -> Layout {
        match lines {
            Some(lines) => Layout::concat([
                text("{"),
                Layout::indent(Layout::concat([Layout::hard_line(), lines])),
                Layout::hard_line(),
                text("}"),
            ]),
            None => Layout::concat([text("{"), Layout::hard_line(), text("}")]),
        }
    }

    /// A block, always over several lines.
    pub fn block(&self, block: &Block) -> Layout {
        self.block_with(block, Vec::new())
    }

    /// A block that begins with entries of another kind.
    pub fn block_with(&self, block: &Block, first: Vec<Entry>) -> Layout {
        let entries = first.into_iter().chain(self.statements(&block.stmts)).collect();
        self.braced(self.lines(block.span.start + 1, block.span.end.saturating_sub(1), entries))
    }

    /// Statements as entries.
    pub fn statements(&self, stmts: &[Stmt]) -> Vec<Entry> {
        let entry =
            |stmt: &Stmt| Entry { start: stmt.span.start, end: stmt.span.end, layout: self.statement(stmt) };
        stmts.iter().map(entry).collect()
    }

    /// A statement or declaration without the comments around it.
    pub fn statement(&self, stmt: &Stmt) -> Layout {
        let with = |word: &str, expr: &Expr| Layout::concat([text(word), self.expr(expr)]);
        match &stmt.kind {
            StmtKind::Import(import) => self.import(import),
            StmtKind::Decl(decl) => self.declaration(decl, stmt.span),
            StmtKind::Let(binding) => {
                let word = if binding.mutable { "var " } else { "let " };
                let ty = binding.ty.as_ref().map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
                let bound = self.binding(&binding.binding);
                Layout::concat([text(word), bound, text(ty), text(" = "), self.expr(&binding.value)])
            }
            StmtKind::Assign(assign) => {
                let sign = match assign.op {
                    Some(BinaryOp::Add) => " += ",
                    Some(BinaryOp::Sub) => " -= ",
                    Some(BinaryOp::Mul) => " *= ",
                    Some(BinaryOp::Div) => " /= ",
                    Some(BinaryOp::Rem) => " %= ",
                    _ => " = ",
                };
                Layout::concat([self.expr(&assign.target), text(sign), self.expr(&assign.value)])
            }
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::For(each) => Layout::concat([
                text("for "),
                self.binding(&each.binding),
                text(" in "),
                self.head(&each.iterable, each.body.stmts.is_empty()),
                text(" "),
                self.block(&each.body),
            ]),
            StmtKind::While { condition, body } => self.headed("while ", condition, body),
            StmtKind::Guard { condition, otherwise } => {
                Layout::concat([with("guard ", condition), text(" else "), self.block(otherwise)])
            }
            StmtKind::Require { condition, message: None } => with("require ", condition),
            StmtKind::Require { condition, message: Some(message) } => {
                Layout::concat([with("require ", condition), text(", "), self.expr(message)])
            }
            StmtKind::Return(Some(value)) => with("return ", value),
            StmtKind::Return(None) => text("return"),
            StmtKind::Yield(Some(value)) => with("yield ", value),
            StmtKind::Yield(None) => text("yield"),
            StmtKind::Throw(value) => with("throw ", value),
            StmtKind::Emit(value) => with("emit ", value),
            StmtKind::Break => text("break"),
            StmtKind::Continue => text("continue"),
            StmtKind::Defer(body) => Layout::concat([text("defer "), self.block(body)]),
            StmtKind::Mutex(body) => Layout::concat([text("mutex "), self.block(body)]),
            StmtKind::Select(select) => self.select(select, stmt.span),
            StmtKind::Error => text(self.source.slice(stmt.span)),
        }
    }

    fn headed(&self, word: &str, head: &Expr, body: &Block) -> Layout {
        let head = self.head(head, body.stmts.is_empty());
        Layout::concat([text(word), head, text(" "), self.block(body)])
    }

    fn select(&self, select: &Select, span: Span) -> Layout {
        let mut entries: Vec<Entry> = Vec::new();
        for case in &select.cases {
            let head = format!("{} from ", self.name(&case.name));
            entries.push(Entry {
                start: case.name.span.start,
                end: case.body.span.end,
                layout: self.headed(&head, &case.channel, &case.body),
            });
        }
        if let Some((duration, body)) = &select.timeout {
            let start = self.word_before(duration.span.start);
            entries.push(Entry {
                start,
                end: body.span.end,
                layout: self.headed("timeout ", duration, body),
            });
        }
        if let Some(body) = &select.default {
            let layout = Layout::concat([text("default "), self.block(body)]);
            entries.push(Entry { start: self.word_before(body.span.start), end: body.span.end, layout });
        }
        entries.sort_by_key(|entry| entry.start);
        let open = self.token_from(span.start + "select".len() as u32).end;
        Layout::concat([text("select "), self.braced(self.lines(open, span.end.saturating_sub(1), entries))])
    }

    /// Where the last token before `offset` that is no trivia begins.
    fn word_before(&self, offset: u32) -> u32 {
        let end = self.parsed.tokens.partition_point(|token| token.span.start < offset);
        let before = self.parsed.tokens.iter().take(end).rev().find(|token| !token.kind.is_trivia());
        before.map_or(offset, |token| token.span.start)
    }

    /// The left side of a `let` or `for`.
    fn binding(&self, binding: &Binding) -> Layout {
        match binding {
            Binding::Name(name) => text(self.name(name)),
            Binding::Pair { first, second, .. } => {
                text(format!("({}, {})", self.name(first), self.name(second)))
            }
            Binding::Dict { entries, rest, span } => {
                let mut items: Vec<Item> = Vec::new();
                for entry in entries {
                    let key = self.name(&entry.key);
                    let alias = self.name(&entry.name);
                    let head = if key == alias { key.to_string() } else { format!("{key}: {alias}") };
                    let default = entry.default.as_ref();
                    items.push(self.bound(entry.key.span.start, entry.name.span.end, head, default));
                }
                items.extend(rest.map(|rest| self.rest(&rest)));
                self.sequence("{", "}", span.start + 1, span.end.saturating_sub(1), items)
            }
            Binding::List { elements, rest, span } => {
                let mut items: Vec<Item> = Vec::new();
                for element in elements {
                    let (start, end) = (element.name.span.start, element.name.span.end);
                    items.push(self.bound(
                        start,
                        end,
                        self.name(&element.name).to_string(),
                        element.default.as_ref(),
                    ));
                }
                items.extend(rest.map(|rest| self.rest(&rest)));
                self.sequence("[", "]", span.start + 1, span.end.saturating_sub(1), items)
            }
        }
    }

    fn bound(&self, start: u32, end: u32, head: String, default: Option<&Expr>) -> Item {
        let layout = match default {
            Some(default) => Layout::concat([text(head), text(" = "), self.expr(default)]),
            None => text(head),
        };
        Item { start, end: default.map_or(end, |default| default.span.end), layout, hugs: false }
    }

    fn rest(&self, rest: &harn_syntax::ast::Ident) -> Item {
        let layout = text(format!("...{}", self.name(rest)));
        Item { start: rest.span.start, end: rest.span.end, layout, hugs: false }
    }

    /// The body of a closure or arm with its braces: on one line if it is one simple statement and fits.
    fn short_body(&self, opening: Layout, stmts: &[Stmt], span: Span) -> Layout {
        let (start, end) = (span.start + 1, span.end.saturating_sub(1));
        if let [stmt] = stmts
            && is_simple(stmt)
            && !self.comments.any(start, stmt.span.start)
            && !self.comments.any(stmt.span.end, end)
        {
            let layout = self.statement(stmt);
            if !self.comments.any(stmt.span.start, stmt.span.end) {
                let body = Layout::concat([Layout::line(), layout]);
                return Layout::group(Layout::concat([
                    opening,
                    Layout::indent(body),
                    Layout::line(),
                    text("}"),
                ]));
            }
            let entry = Entry { start: stmt.span.start, end: stmt.span.end, layout };
            return self.long_body(opening, self.lines(start, end, vec![entry]));
        }
        self.long_body(opening, self.lines(start, end, self.statements(stmts)))
    }

    fn long_body(&self, opening: Layout, lines: Option<Layout>) -> Layout {
        let body = match lines {
            Some(lines) => Layout::indent(Layout::concat([Layout::hard_line(), lines])),
            None => Layout::empty(),
        };
        Layout::group(Layout::concat([opening, body, Layout::hard_line(), text("}")]))
    }

    /// A closure literal.
    pub fn closure(&self, expr: &Expr, closure: &Closure) -> Layout {
        let body = &closure.body;
        if closure.fn_form {
            let params = self.params(&closure.params, expr.span.start, body.span.start);
            let opening = Layout::concat([text("fn"), params, text(" {")]);
            return self.short_body(opening, &body.stmts, body.span);
        }
        let mut opening = vec![text("{ ")];
        for (index, param) in closure.params.iter().enumerate() {
            if index > 0 {
                opening.push(text(", "));
            }
            opening.push(self.param(param));
        }
        opening.push(text(if closure.params.is_empty() { "->" } else { " ->" }));
        self.short_body(Layout::concat(opening), &body.stmts, expr.span)
    }

    /// An expression with a block.
    pub fn control(&self, expr: &Expr) -> Layout {
        match &expr.kind {
            ExprKind::If(branch) => self.if_layout(branch),
            ExprKind::Match { value, arms } => self.match_layout(value, arms, expr.span),
            ExprKind::Try(attempt) => self.try_layout(attempt),
            ExprKind::Retry { attempts, body } => self.headed("retry ", attempts, body),
            ExprKind::Deadline { duration, body } => self.headed("deadline ", duration, body),
            ExprKind::Spawn(body) => Layout::concat([text("spawn "), self.block(body)]),
            ExprKind::Parallel(parallel) => self.parallel(parallel),
            _ => text(self.source.slice(expr.span)),
        }
    }

    fn if_layout(&self, branch: &If) -> Layout {
        let mut parts = vec![self.headed("if ", &branch.condition, &branch.then)];
        match &branch.otherwise {
            Some(Else::Block(block)) => parts.extend([text(" else "), self.block(block)]),
            Some(Else::If(next)) => parts.extend([text(" else "), self.expr(next)]),
            None => {}
        }
        Layout::concat(parts)
    }

    fn match_layout(&self, value: &Expr, arms: &[MatchArm], span: Span) -> Layout {
        let entries =
            arms.iter().map(|arm| Entry { start: arm.span.start, end: arm.span.end, layout: self.arm(arm) });
        let entries = entries.collect();
        let open = self.token_from(value.span.end).end;
        let lines = self.lines(open, span.end.saturating_sub(1), entries);
        let head = self.head(value, arms.is_empty());
        Layout::concat([text("match "), head, text(" "), self.braced(lines)])
    }

    fn arm(&self, arm: &MatchArm) -> Layout {
        let mut opening = vec![self.pattern(&arm.pattern)];
        if let Some(guard) = &arm.guard {
            opening.extend([text(" if "), self.expr(guard)]);
        }
        opening.push(text(" -> {"));
        self.short_body(Layout::concat(opening), &arm.body.stmts, arm.body.span)
    }

    fn try_layout(&self, attempt: &Try) -> Layout {
        let mut parts = vec![text("try "), self.block(&attempt.body)];
        if let Some(Catch { name, ty, body }) = &attempt.catch {
            let head = match (name, ty) {
                (Some(name), Some(ty)) => format!(" catch ({}: {}) ", self.name(name), self.ty(ty)),
                (Some(name), None) => format!(" catch ({}) ", self.name(name)),
                (None, _) => " catch ".to_string(),
            };
            parts.extend([text(head), self.block(body)]);
        }
        if let Some(body) = &attempt.finally {
            parts.extend([text(" finally "), self.block(body)]);
        }
        Layout::concat(parts)
    }

    fn parallel(&self, parallel: &Parallel) -> Layout {
        let word = match parallel.kind {
            ParallelKind::Count => "parallel ",
            ParallelKind::Each | ParallelKind::EachStream => "parallel each ",
            ParallelKind::Settle => "parallel settle ",
        };
        let stmts = &parallel.body.stmts;
        let bare_empty = stmts.is_empty() && parallel.param.is_none() && parallel.max_concurrent.is_none();
        let operand = self.head(&parallel.operand, bare_empty);
        // `parallel (each) {` counts by a variable of that name.
        let is_word = parallel.kind == ParallelKind::Count
            && matches!(peeled(&parallel.operand).kind, ExprKind::Name(name)
                if matches!(self.parsed.ast.names.text(name), "each" | "settle"));
        let operand = if is_word { Layout::concat([text("("), operand, text(")")]) } else { operand };
        let mut parts = vec![text(word), operand];
        if let Some(max) = &parallel.max_concurrent {
            parts.extend([text(" with {max_concurrent: "), self.expr(max), text("}")]);
        }
        let span = parallel.body.span;
        let body_start = parallel.param.map_or(span.start + 1, |param| param.span.end);
        let param = parallel.param.map_or(String::new(), |param| format!(" {} ->", self.name(&param)));
        let lines = self.lines(body_start, span.end.saturating_sub(1), self.statements(stmts));
        parts.push(self.long_body(text(format!(" {{{param}")), lines));
        if parallel.kind == ParallelKind::EachStream {
            parts.push(text(" as stream"));
        }
        Layout::concat(parts)
    }

    /// The pattern of an arm.
    fn pattern(&self, pattern: &Pattern) -> Layout {
        let keyed = |(key, pattern): &(std::sync::Arc<str>, Pattern), any_bare: bool| {
            Layout::concat([text(format!("{}: ", key_text(key, any_bare))), self.pattern(pattern)])
        };
        let rest = |rest: &Option<harn_syntax::ast::Ident>| {
            rest.map(|rest| text(format!("...{}", self.name(&rest))))
        };
        match &pattern.kind {
            PatternKind::Wildcard => text("_"),
            PatternKind::Name(name) => text(self.name(name)),
            PatternKind::Value(value) => self.expr(value),
            PatternKind::Variant { enum_name, variant, args } => {
                let head = text(format!("{}.{}", self.name(enum_name), self.name(variant)));
                match args {
                    Some(args) => {
                        let args = args.iter().map(|arg| self.pattern(arg));
                        Layout::concat([head, joined("(", ")", args)])
                    }
                    None => head,
                }
            }
            PatternKind::Dict { entries, rest: tail } => {
                joined("{", "}", entries.iter().map(|entry| keyed(entry, true)).chain(rest(tail)))
            }
            PatternKind::Struct { name, entries } => Layout::concat([
                text(format!("{} ", self.name(name))),
                joined("{", "}", entries.iter().map(|entry| keyed(entry, false))),
            ]),
            PatternKind::List { elements, rest: tail } => {
                joined("[", "]", elements.iter().map(|element| self.pattern(element)).chain(rest(tail)))
            }
            PatternKind::Or(alternatives) => {
                let mut parts = Vec::new();
                for alternative in alternatives {
                    if !parts.is_empty() {
                        parts.push(text(" | "));
                    }
                    parts.push(self.pattern(alternative));
                }
                Layout::concat(parts)
            }
        }
    }
}

/// Items on one line between brackets.
fn joined(open: &str, close: &str, items: impl Iterator<Item = Layout>) -> Layout {
    let mut parts = vec![text(open)];
    for (index, item) in items.enumerate() {
        if index > 0 {
            parts.push(text(", "));
        }
        parts.push(item);
    }
    parts.push(text(close));
    Layout::concat(parts)
}
