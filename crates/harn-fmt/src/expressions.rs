//! Expressions: spacing, parentheses, breaking (spec 01 sections 9.3 to 9.5).
//!
//! Parentheses are regenerated: where a tree needs them to be read back as itself, and where the manual asks for them.

use crate::layout::Layout;
use crate::sequences::Item;
use crate::{Formatter, literals};
use harn_syntax::ast::{BinaryOp, DictEntry, Element, Expr, ExprKind, Ident, InterpPart, UnaryOp};
use harn_syntax::{Span, TokenKind};

/// An expression without the parentheses around it.
pub fn peeled(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

/// How tightly an operator binds, and its sign.
fn operator(op: BinaryOp) -> (u8, &'static str) {
    match op {
        BinaryOp::Or => (1, "||"),
        BinaryOp::And => (2, "&&"),
        BinaryOp::Eq => (3, "=="),
        BinaryOp::Ne => (3, "!="),
        BinaryOp::Lt => (4, "<"),
        BinaryOp::Gt => (4, ">"),
        BinaryOp::Le => (4, "<="),
        BinaryOp::Ge => (4, ">="),
        BinaryOp::In => (4, "in"),
        BinaryOp::NotIn => (4, "not in"),
        BinaryOp::Add => (5, "+"),
        BinaryOp::Sub => (5, "-"),
        BinaryOp::Coalesce => (6, "??"),
        BinaryOp::Mul => (7, "*"),
        BinaryOp::Div => (7, "/"),
        BinaryOp::Rem => (7, "%"),
        BinaryOp::Pow => (8, "**"),
    }
}

/// An expression with a block, which as an operand always gets parentheses.
fn is_control(expr: &Expr) -> bool {
    use ExprKind::*;
    matches!(
        expr.kind,
        If(_) | Match { .. } | Try(_) | Retry { .. } | Parallel(_) | Spawn(_) | Deadline { .. }
    )
}

/// An expression looser than every binary operator.
fn is_loose(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Pipe { .. } | ExprKind::Range { .. } | ExprKind::Ternary { .. })
        || is_control(expr)
}

/// Whether the text ends with a postfix `?`, which the token behind it could turn into a ternary.
fn ends_with_propagation(expr: &Expr) -> bool {
    match &peeled(expr).kind {
        ExprKind::Propagate(_) => true,
        ExprKind::Binary { right, .. } | ExprKind::Pipe { right, .. } => ends_with_propagation(right),
        ExprKind::Unary { operand, .. } | ExprKind::TryStar(operand) => ends_with_propagation(operand),
        ExprKind::Range { end, exclusive: false, .. } => ends_with_propagation(end),
        ExprKind::Ternary { otherwise, .. } => ends_with_propagation(otherwise),
        _ => false,
    }
}

/// Whether the text begins with a list, which behind a `?` would be a subscript.
fn begins_with_list(expr: &Expr) -> bool {
    match &peeled(expr).kind {
        ExprKind::List(_) => true,
        ExprKind::Binary { left, .. } => begins_with_list(left),
        ExprKind::Call { callee: object, .. }
        | ExprKind::MethodCall { object, .. }
        | ExprKind::Property { object, .. }
        | ExprKind::Index { object, .. }
        | ExprKind::Slice { object, .. }
        | ExprKind::Propagate(object) => begins_with_list(object),
        _ => false,
    }
}

impl Formatter<'_> {
    /// An expression.
    pub fn expr(&self, expr: &Expr) -> Layout {
        let expr = peeled(expr);
        match &expr.kind {
            ExprKind::Nil => Layout::text("nil"),
            ExprKind::Bool(value) => Layout::text(value.to_string()),
            ExprKind::Int(value) => Layout::text(value.to_string()),
            ExprKind::Float(value) if value.is_finite() => Layout::text(literals::float(*value)),
            ExprKind::Float(_) => Layout::text(self.source.slice(expr.span)),
            ExprKind::Duration(ms) => Layout::text(literals::duration(*ms)),
            ExprKind::Str(_) => Layout::text(self.string(expr.span)),
            ExprKind::Interp(parts) => self.interpolated(expr.span, parts),
            ExprKind::Name(name) => Layout::text(self.parsed.ast.names.text(*name)),
            ExprKind::List(elements) => {
                self.sequence("[", "]", inside(expr).0, inside(expr).1, self.elements(elements))
            }
            ExprKind::Dict(entries) => {
                self.sequence("{", "}", inside(expr).0, inside(expr).1, self.entries(entries, true))
            }
            ExprKind::StructLit { name, fields } => {
                let (start, end) = (name.span.end, inside(expr).1);
                let fields = self.sequence("{", "}", start, end, self.entries(fields, false));
                Layout::concat([Layout::text(format!("{} ", self.name(name))), fields])
            }
            ExprKind::Closure(closure) => self.closure(expr, closure),
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right),
            ExprKind::Pipe { left, right } => self.pipe(left, right),
            ExprKind::Range { start, end, exclusive } => {
                let bound = |bound: &Expr| self.wrapped_if(is_loose(peeled(bound)), bound);
                let tail = if *exclusive { " exclusive" } else { "" };
                Layout::concat([bound(start), Layout::text(" to "), bound(end), Layout::text(tail)])
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                let loose = |branch: &Expr| is_loose(peeled(branch));
                Layout::concat([
                    self.wrapped_if(loose(condition), condition),
                    Layout::text(" ? "),
                    self.wrapped_if(loose(then) || begins_with_list(then), then),
                    Layout::text(" : "),
                    self.wrapped_if(loose(otherwise), otherwise),
                ])
            }
            ExprKind::Call { callee, type_args, args } => {
                let types: Vec<String> = type_args.iter().map(|ty| self.ty(ty)).collect();
                let types = if types.is_empty() { String::new() } else { format!("<{}>", types.join(", ")) };
                let start = type_args.last().map_or(callee.span.end, |ty| ty.span.end);
                let args = self.sequence("(", ")", start, inside(expr).1, self.elements(args));
                Layout::concat([self.callee(callee), Layout::text(types), args])
            }
            ExprKind::MethodCall { object, name, optional, args } => {
                let args = self.sequence("(", ")", name.span.end, inside(expr).1, self.elements(args));
                self.member(object, name, *optional, args)
            }
            ExprKind::Property { object, name, optional } => {
                self.member(object, name, *optional, Layout::empty())
            }
            ExprKind::Index { object, index, optional } => {
                let open = if *optional { "?[" } else { "[" };
                Layout::concat([self.base(object), Layout::text(open), self.expr(index), Layout::text("]")])
            }
            ExprKind::Slice { object, start, end } => {
                let bound = |bound: &Option<Box<Expr>>| {
                    bound.as_ref().map_or(Layout::empty(), |bound| {
                        self.wrapped_if(matches!(peeled(bound).kind, ExprKind::Ternary { .. }), bound)
                    })
                };
                let (start, end) = (bound(start), bound(end));
                Layout::concat([
                    self.base(object),
                    Layout::text("["),
                    start,
                    Layout::text(":"),
                    end,
                    Layout::text("]"),
                ])
            }
            ExprKind::Propagate(inner) => Layout::concat([self.base(inner), Layout::text("?")]),
            ExprKind::TryStar(inner) => {
                let inner = self.wrapped_if(self.is_no_operand(inner), inner);
                Layout::concat([Layout::text("try* "), inner])
            }
            ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::If(_)
            | ExprKind::Match { .. }
            | ExprKind::Try(_)
            | ExprKind::Retry { .. }
            | ExprKind::Parallel(_)
            | ExprKind::Spawn(_)
            | ExprKind::Deadline { .. } => self.control(expr),
            ExprKind::Error => Layout::text(self.source.slice(expr.span)),
        }
    }

    /// An expression in parentheses if asked for.
    fn wrapped_if(&self, wrap: bool, expr: &Expr) -> Layout {
        let layout = self.expr(expr);
        if wrap { in_parens(layout) } else { layout }
    }

    /// An expression before the `{` of a block, which must not be taken for a part of it.
    pub fn head(&self, expr: &Expr, empty_block: bool) -> Layout {
        let wrap = ends_with_propagation(expr) || empty_block && self.ends_with_type_name(expr);
        self.wrapped_if(wrap, expr)
    }

    /// Whether the text ends with a bare name that begins with an upper-case letter.
    fn ends_with_type_name(&self, expr: &Expr) -> bool {
        match &peeled(expr).kind {
            ExprKind::Name(name) => self.parsed.ast.names.text(*name).starts_with(char::is_uppercase),
            ExprKind::Binary { right, .. } | ExprKind::Pipe { right, .. } => self.ends_with_type_name(right),
            ExprKind::Unary { operand, .. } | ExprKind::TryStar(operand) => self.ends_with_type_name(operand),
            ExprKind::Range { end, exclusive: false, .. } => self.ends_with_type_name(end),
            ExprKind::Ternary { otherwise, .. } => self.ends_with_type_name(otherwise),
            _ => false,
        }
    }

    /// The text of a string token.
    pub fn string(&self, span: Span) -> String {
        literals::string(self.source.slice(span))
    }

    /// An interpolated string: on one line its literal parts are escaped anew, what stands in `${}` stays as written.
    fn interpolated(&self, span: Span, parts: &[InterpPart]) -> Layout {
        // Comments inside are part of the text.
        self.comments.take(span.start, span.end);
        let text = self.source.slice(span);
        let _ = parts;
        if text.contains('\n') || text.starts_with("\"\"\"") {
            return Layout::text(text);
        }
        let mut out = String::with_capacity(text.len());
        let (mut depth, mut copied) = (0u32, span.start);
        for (kind, token) in self.tokens_in(span) {
            let literal = match kind {
                TokenKind::InterpStart => {
                    depth += 1;
                    depth == 1
                }
                TokenKind::InterpMiddle => depth == 1,
                TokenKind::InterpEnd => {
                    depth = depth.saturating_sub(1);
                    depth == 0
                }
                _ => false,
            };
            if !literal {
                continue;
            }
            out.push_str(self.source.slice(Span::new(copied, token.start)));
            copied = token.end;
            let piece = self.source.slice(token);
            let (open, rest) = match kind {
                TokenKind::InterpStart => ("\"", piece.strip_prefix('"').unwrap_or(piece)),
                _ => ("}", piece.strip_prefix('}').unwrap_or(piece)),
            };
            let (inner, close) = match kind {
                TokenKind::InterpEnd => (rest.strip_suffix('"').unwrap_or(rest), "\""),
                _ => (rest.strip_suffix("${").unwrap_or(rest), "${"),
            };
            out.push_str(open);
            out.push_str(&literals::escaped_source(inner));
            out.push_str(close);
        }
        Layout::text(out)
    }

    fn elements(&self, elements: &[Element]) -> Vec<Item> {
        let items = elements.iter().map(|element| {
            let value = peeled(&element.value);
            let layout = self.element_value(value);
            let layout = if element.spread { Layout::concat([Layout::text("..."), layout]) } else { layout };
            Item {
                start: element.value.span.start,
                end: element.value.span.end,
                layout,
                hugs: !element.spread
                    && matches!(value.kind, ExprKind::Closure(_) | ExprKind::Dict(_) | ExprKind::List(_)),
            }
        });
        items.collect()
    }

    /// An expression between commas: `a < b, c > (d)` would be a generic call.
    fn element_value(&self, value: &Expr) -> Layout {
        let layout = self.expr(value);
        if self.compares_with_paren(value) { in_parens(layout) } else { layout }
    }

    /// Whether the text holds `> (` outside of brackets.
    fn compares_with_paren(&self, expr: &Expr) -> bool {
        let ExprKind::Binary { op, left, right } = &expr.kind else { return false };
        // An operand that gets parentheses of its own hides what is in it, whatever was written.
        let shows = |operand: &Expr, is_right| {
            !self.operand_wraps(*op, peeled(operand), is_right) && self.compares_with_paren(peeled(operand))
        };
        *op == BinaryOp::Gt && self.operand(*op, right, true).first_char() == Some('(')
            || shows(left, false)
            || shows(right, true)
    }

    fn entries(&self, entries: &[DictEntry], any_bare: bool) -> Vec<Item> {
        let items = entries.iter().map(|entry| match entry {
            DictEntry::Named { key, key_span, value } => Item {
                start: key_span.start,
                end: value.span.end,
                layout: Layout::concat([
                    Layout::text(key_text(key, any_bare)),
                    Layout::text(": "),
                    self.element_value(peeled(value)),
                ]),
                hugs: false,
            },
            DictEntry::Computed { key, value } => Item {
                start: key.span.start,
                end: value.span.end,
                layout: Layout::concat([
                    Layout::text("["),
                    self.expr(key),
                    Layout::text("]: "),
                    self.element_value(peeled(value)),
                ]),
                hugs: false,
            },
            DictEntry::Spread(value) => Item {
                start: value.span.start,
                end: value.span.end,
                layout: Layout::concat([Layout::text("..."), self.element_value(peeled(value))]),
                hugs: false,
            },
        });
        items.collect()
    }

    /// Whether an expression as the operand of a prefix operator needs parentheses.
    fn is_no_operand(&self, operand: &Expr) -> bool {
        let operand = peeled(operand);
        is_loose(operand) || matches!(operand.kind, ExprKind::Binary { .. })
    }

    fn unary(&self, op: UnaryOp, operand: &Expr) -> Layout {
        let sign = if op == UnaryOp::Neg { "-" } else { "!" };
        Layout::concat([Layout::text(sign), self.wrapped_if(self.is_no_operand(operand), operand)])
    }

    /// An operand of a binary operator.
    fn operand(&self, op: BinaryOp, operand: &Expr, is_right: bool) -> Layout {
        let operand = peeled(operand);
        self.wrapped_if(self.operand_wraps(op, operand, is_right), operand)
    }

    /// Whether an operand gets parentheses; `operand` is peeled.
    fn operand_wraps(&self, op: BinaryOp, operand: &Expr, is_right: bool) -> bool {
        let wrap = match &operand.kind {
            ExprKind::Binary { op: inner, right, .. } => {
                let (outer_level, inner_level) = (operator(op).0, operator(*inner).0);
                let mixed =
                    matches!((op, *inner), (BinaryOp::Or, BinaryOp::And) | (BinaryOp::And, BinaryOp::Or));
                // `a < b > (c)` would be a generic call.
                let generic = op == BinaryOp::Gt && *inner == BinaryOp::Lt && !is_right;
                inner_level < outer_level
                    || inner_level == outer_level && (is_right || op == BinaryOp::Pow)
                    || mixed
                    || generic && !matches!(peeled(right).kind, ExprKind::Int(_) | ExprKind::Float(_))
            }
            _ => is_loose(operand),
        };
        let dangling =
            !is_right && matches!(op, BinaryOp::Sub | BinaryOp::NotIn) && ends_with_propagation(operand);
        wrap || dangling
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Layout {
        let operands = (self.operand(op, left, false), self.operand(op, right, true));
        let (starts, sign) = ((left.span.start, right.span.start), operator(op).1);
        let leads = !matches!(op, BinaryOp::Sub | BinaryOp::In | BinaryOp::NotIn);
        self.infix(operands, starts, sign, leads)
    }

    fn pipe(&self, left: &Expr, right: &Expr) -> Layout {
        let left_wraps = is_loose(peeled(left)) && !matches!(peeled(left).kind, ExprKind::Pipe { .. });
        let operands = (self.wrapped_if(left_wraps, left), self.wrapped_if(is_loose(peeled(right)), right));
        self.infix(operands, (left.span.start, right.span.start), "|>", true)
    }

    /// `left sign right`, broken before the sign if the operands began on different lines or the line is too long.
    /// A sign that cannot begin a line stays behind, with a backslash.
    fn infix(&self, (left, right): (Layout, Layout), starts: (u32, u32), sign: &str, leads: bool) -> Layout {
        let apart = self.line_of(starts.0) != self.line_of(starts.1);
        let on = if leads {
            let line = if apart { Layout::hard_line() } else { Layout::line() };
            Layout::concat([line, Layout::text(format!("{sign} "))])
        } else {
            let line = if apart { Layout::hard_line() } else { Layout::line() };
            let behind = if apart { Layout::text(" \\") } else { Layout::if_broken(" \\") };
            Layout::concat([behind, line, Layout::text(format!("{sign} "))])
        };
        Layout::group(Layout::concat([left, Layout::indent(Layout::concat([on, right]))]))
    }

    /// What a postfix form stands behind.
    fn base(&self, base: &Expr) -> Layout {
        let base = peeled(base);
        let wrap = is_loose(base)
            || matches!(
                base.kind,
                ExprKind::Binary { .. }
                    | ExprKind::Unary { .. }
                    | ExprKind::TryStar(_)
                    | ExprKind::Propagate(_)
                    | ExprKind::Int(i64::MIN..0)
            );
        self.wrapped_if(wrap, base)
    }

    /// What is called: a property in parentheses is no method.
    fn callee(&self, callee: &Expr) -> Layout {
        let inner = peeled(callee);
        match inner.kind {
            ExprKind::Property { .. } | ExprKind::Closure(_) => in_parens(self.expr(inner)),
            _ => self.base(inner),
        }
    }

    /// `.name` with arguments, on a line of its own if it stood on one.
    fn member(&self, object: &Expr, name: &Ident, optional: bool, args: Layout) -> Layout {
        let dot = if optional { "?." } else { "." };
        let tail = Layout::concat([Layout::text(format!("{dot}{}", self.name(name))), args]);
        // The line of the name tells where the dot stood, but for a newline behind the dot.
        let dot_line = self.line_of(self.token_from(object.span.end).start);
        if dot_line == self.line_of(object.span.end) {
            return Layout::concat([self.base(object), tail]);
        }
        Layout::concat([self.base(object), Layout::indent(Layout::concat([Layout::hard_line(), tail]))])
    }
}

/// What lies between the brackets at the ends of an expression.
fn inside(expr: &Expr) -> (u32, u32) {
    (expr.span.start + 1, expr.span.end.saturating_sub(1))
}

fn in_parens(layout: Layout) -> Layout {
    Layout::concat([Layout::text("("), layout, Layout::text(")")])
}

/// A key of a dict, or of a struct, where a reserved word must be quoted.
pub fn key_text(key: &str, any_bare: bool) -> String {
    let bare = literals::is_bare_key(key) && (any_bare || TokenKind::keyword(key).is_none());
    if bare { key.to_string() } else { literals::quoted(key) }
}
