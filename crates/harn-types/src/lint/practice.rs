//! Rules about tests, agents and declarations.

use super::*;
use crate::check::BOUNDARY_SOURCES;
use crate::walk::*;
use harn_syntax::ast::*;

struct Practice<'p, 'a> {
    pass: &'p mut Pass<'a>,
    in_test: bool,
}

pub(super) fn run(pass: &mut Pass<'_>) {
    let items = &pass.module.ast().items;
    let mut rules = Practice { pass, in_test: false };
    for stmt in items {
        rules.stmt(stmt);
    }
}

/// Whether a pipeline's name says that it is a test.
fn is_test(name: &str) -> bool {
    name == "test" || name.starts_with("test_")
}

fn is_snake(name: &str) -> bool {
    !name.chars().any(char::is_uppercase)
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() {
            if i > 0 && !out.ends_with('_') {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn is_pascal(name: &str) -> bool {
    let bare = name.trim_start_matches('_');
    bare.chars().next().is_none_or(|c| !c.is_lowercase()) && !bare.contains('_')
}

fn pascal(name: &str) -> String {
    let mut out = String::new();
    for part in name.split('_') {
        let mut chars = part.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    }
    out
}

impl<'a> Practice<'_, 'a> {
    fn naming(&mut self, decl: &'a Decl) {
        let (word, ident, types) = match &decl.kind {
            DeclKind::Fn(f) => ("function", f.name, false),
            DeclKind::Tool(t) => ("tool", t.name, false),
            DeclKind::Struct { name, .. } => ("struct", *name, true),
            DeclKind::Enum { name, .. } => ("enum", *name, true),
            DeclKind::Interface(i) => ("interface", i.name, true),
            DeclKind::TypeAlias { name, .. } => ("type", *name, true),
            _ => return,
        };
        let name = self.pass.name(ident);
        let (style, better) = match types {
            true if !is_pascal(name) => ("PascalCase", pascal(name)),
            false if !is_snake(name) => ("snake_case", snake(name)),
            _ => return,
        };
        self.pass.add(
            NAMING,
            ident.span,
            format!("{word} `{name}` should use {style}"),
            &format!("rename `{name}` to {style} (for example `{better}`)"),
            Vec::new(),
        );
    }

    fn pipeline(&mut self, decl: &'a Decl, p: &'a Pipeline) {
        let name = self.pass.name(p.name);
        let entry = matches!(name, "default" | "main" | "auto") || name.starts_with("test");
        if decl.public && p.result.is_none() && !entry {
            self.pass.add(
                PIPELINE_RETURN,
                p.name.span,
                format!(
                    "public pipeline `{name}` has no declared return type; explicit return types will be required in a \
                     future release"
                ),
                &format!("declare a return type: `pub pipeline {name}(...) -> TypeExpr {{ ... }}`"),
                Vec::new(),
            );
        }
    }

    fn called(&self, e: &Expr) -> Option<(&'a str, Span)> {
        let ExprKind::Call { callee, .. } = &e.kind else { return None };
        let ExprKind::Name(name) = &callee.kind else { return None };
        let text = self.pass.text(*name);
        self.pass.module.resolve(text).is_none().then_some((text, callee.span))
    }

    fn access(&mut self, e: &Expr, object: &Expr, what: &str) {
        let exempt =
            ["llm_call_safe", "http_download", "http_stream_info", "connector_call", "host_tool_call"];
        let Some((name, _)) = self.called(object) else { return };
        if !BOUNDARY_SOURCES.contains(&name) || exempt.contains(&name) {
            return;
        }
        self.pass.add(
            UNTYPED_ACCESS,
            e.span,
            format!("{what} access on raw `{name}()` result without schema validation"),
            "assign to a variable and validate with schema_expect() or a type annotation first",
            Vec::new(),
        );
    }

    fn system_prompt(&mut self, args: &'a [Element]) {
        let Some(system) = args.get(1) else { return };
        if matches!(system.value.kind, ExprKind::Interp(_)) {
            self.pass.add(
                PROMPT_INJECTION,
                system.value.span,
                "interpolated data in the `llm_call` system prompt can smuggle untrusted instructions"
                    .to_owned(),
                "keep the system prompt static and pass dynamic data in the user prompt or options",
                Vec::new(),
            );
        }
    }
}

impl<'a> Visitor<'a> for Practice<'_, 'a> {
    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Require { .. } if self.in_test => self.pass.add(
                REQUIRE_IN_TEST,
                stmt.span,
                "`require` in a test pipeline should usually be an assertion".to_owned(),
                "prefer `assert(...)` or `assert_eq(...)` in test pipelines",
                Vec::new(),
            ),
            StmtKind::Expr(e) if self.called(e).is_some_and(|(n, _)| n == "request_approval") => {
                self.pass.add(
                    APPROVAL_RESULT,
                    stmt.span,
                    "approval result from `request_approval` is discarded".to_owned(),
                    "bind the result, inspect its signed approver receipts, or explicitly assign it to `_`",
                    Vec::new(),
                )
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn decl(&mut self, decl: &'a Decl) {
        self.naming(decl);
        let outer = self.in_test;
        if let DeclKind::Pipeline(p) = &decl.kind {
            self.pipeline(decl, p);
            let marked = decl.attributes.iter().any(|a| self.pass.name(a.name) == "test");
            self.in_test = marked || is_test(self.pass.name(p.name));
        }
        walk_decl(self, decl);
        self.in_test = outer;
    }

    fn expr(&mut self, expr: &'a Expr) {
        if let Some((name, _)) = self.called(expr) {
            if matches!(name, "assert" | "assert_eq" | "assert_ne") && !self.in_test {
                self.pass.add(
                    ASSERT_OUTSIDE,
                    expr.span,
                    format!("`{name}` is intended for test pipelines, not production control flow"),
                    "use `require` for invariants in non-test code",
                    Vec::new(),
                );
            }
            if let ("llm_call", ExprKind::Call { args, .. }) = (name, &expr.kind) {
                self.system_prompt(args);
            }
        }
        match &expr.kind {
            ExprKind::Property { object, .. } => self.access(expr, object, "property"),
            ExprKind::Index { object, .. } => self.access(expr, object, "subscript"),
            _ => {}
        }
        walk_expr(self, expr);
    }
}
