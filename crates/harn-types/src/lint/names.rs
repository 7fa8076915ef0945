//! Rules about names, resolved by scope.

use super::*;
use crate::check::{is_builtin_name, is_global_name};
use crate::graph::ItemKind;
use crate::walk::*;
use harn_syntax::ast::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Let,
    Var,
    Pattern,
    Param,
    Function,
    /// Loop, catch, select and match variables: nothing is said when they are not read.
    Quiet,
}

struct Local {
    ident: Ident,
    kind: Kind,
    /// The keyword `let` or `var` of the declaration.
    keyword: Span,
    used: bool,
    assigned: bool,
}

struct Names<'p, 'a> {
    pass: &'p mut Pass<'a>,
    locals: Vec<Local>,
    by_name: Vec<Vec<usize>>,
    scopes: Vec<usize>,
    /// Names read where no declaration of them was in sight (yet).
    loose: Vec<bool>,
    /// Names of types that are mentioned.
    types: Vec<bool>,
    current: Kind,
}

pub(super) fn run(pass: &mut Pass<'_>) {
    let module = pass.module;
    let count = module.ast().names.len();
    let mut names = Names {
        pass,
        locals: Vec::new(),
        by_name: vec![Vec::new(); count],
        scopes: Vec::new(),
        loose: vec![false; count],
        types: vec![false; count],
        current: Kind::Quiet,
    };
    names.open();
    names.stmts(&module.ast().items);
    names.finish();
}

impl<'a> Names<'_, 'a> {
    fn open(&mut self) {
        self.scopes.push(self.locals.len());
    }

    /// Hides the scope's variables; they stay in the list until the end.
    fn close(&mut self) {
        let start = self.scopes.pop().unwrap_or(0);
        for stack in self.locals.get(start..).unwrap_or_default() {
            if let Some(slot) = self.by_name.get_mut(stack.ident.name.0 as usize) {
                slot.retain(|i| *i < start);
            }
        }
    }

    fn declare(&mut self, ident: Ident, kind: Kind, keyword: Span) {
        let text = self.pass.name(ident);
        if text == "_" || text.is_empty() {
            return;
        }
        let start = self.scopes.last().copied().unwrap_or(0);
        let outer = self.by_name.get(ident.name.0 as usize).and_then(|s| s.last().copied());
        if let Some(outer) = outer.filter(|_| kind != Kind::Function)
            && let Some(known) = self.locals.get(outer)
        {
            let immutable = |k: Kind| !matches!(k, Kind::Var | Kind::Quiet);
            if outer >= start {
                if immutable(kind) && immutable(known.kind) {
                    let message = format!("cannot redeclare immutable variable `{text}` in the same scope");
                    let help = format!("use `var {text}` for a mutable binding, or choose a different name");
                    self.pass.add(SHADOW, ident.span, message, &help, Vec::new());
                }
            } else if known.kind != Kind::Function && !text.starts_with('_') {
                let message = format!("variable `{text}` shadows a variable in an outer scope");
                let help = format!("consider renaming to avoid shadowing `{text}`");
                self.pass.add(SHADOW, ident.span, message, &help, Vec::new());
            }
        }
        let index = self.locals.len();
        self.locals.push(Local { ident, kind, keyword, used: false, assigned: false });
        if let Some(slot) = self.by_name.get_mut(ident.name.0 as usize) {
            slot.push(index);
        }
    }

    fn find(&mut self, name: Symbol) -> Option<&mut Local> {
        let index = self.by_name.get(name.0 as usize)?.last().copied()?;
        self.locals.get_mut(index)
    }

    fn read(&mut self, name: Symbol) {
        match self.find(name) {
            Some(local) => local.used = true,
            None => {
                if let Some(slot) = self.loose.get_mut(name.0 as usize) {
                    *slot = true;
                }
            }
        }
    }

    fn mention(&mut self, name: Symbol) {
        if let Some(slot) = self.types.get_mut(name.0 as usize) {
            *slot = true;
        }
    }

    fn stmts(&mut self, stmts: &'a [Stmt]) {
        for stmt in stmts {
            if let StmtKind::Decl(decl) = &stmt.kind
                && let DeclKind::Fn(FnDecl { name, .. })
                | DeclKind::Tool(ToolDecl { name, .. })
                | DeclKind::Skill { name, .. }
                | DeclKind::EvalPack(EvalPack { binding: name, .. }) = &decl.kind
            {
                self.declare(*name, Kind::Function, name.span);
                let registered = decl.attributes.iter().any(|a| {
                    matches!(self.pass.name(a.name), "acp_tool" | "acp_skill" | "invariant" | "test")
                });
                if (decl.public || registered)
                    && let Some(local) = self.locals.last_mut()
                {
                    local.used = true;
                }
            }
        }
        stmts.iter().for_each(|s| self.stmt(s));
    }

    fn params(&mut self, params: &'a [Param], report: bool) {
        for param in params {
            param.ty.iter().for_each(|t| self.ty(t));
            param.default.iter().for_each(|d| self.expr(d));
            let quiet = !report || self.pass.name(param.name) == "self";
            self.declare(param.name, if quiet { Kind::Quiet } else { Kind::Param }, param.name.span);
        }
    }

    fn body(&mut self, params: &'a [Param], body: &'a Block) {
        self.open();
        self.params(params, true);
        self.stmts(&body.stmts);
        self.close();
    }

    fn call(&mut self, callee: &'a Expr) {
        let ExprKind::Name(name) = &callee.kind else { return };
        let text = self.pass.text(*name);
        let module = self.pass.module;
        let known = self.find(*name).is_some()
            || module.resolve(text).is_some()
            || is_builtin_name(text)
            || is_global_name(text)
            || text.starts_with("__")
            || text.starts_with("hostlib_")
            || !module.imports_resolve()
            || module.ast().items.iter().any(|s| declares(module, s, text));
        if !known {
            let message = format!("function `{text}` is not defined");
            let help = format!("check the spelling or import `{text}`");
            self.pass.add(UNDEFINED_FUNCTION, callee.span, message, &help, Vec::new());
        }
    }

    fn finish(&mut self) {
        let module = self.pass.module;
        for local in std::mem::take(&mut self.locals) {
            let text = self.pass.name(local.ident);
            let name = local.ident.name.0 as usize;
            let read = local.used || self.loose.get(name).copied().unwrap_or(false);
            if local.kind == Kind::Var && !local.assigned && (read || text.starts_with('_')) {
                let message = format!("variable `{text}` is declared as `var` but never reassigned");
                self.pass.add(
                    NEVER_REASSIGNED,
                    local.keyword,
                    message,
                    "use `let` instead of `var`",
                    replace(local.keyword, "let"),
                );
            }
            if read || local.assigned || text.starts_with('_') {
                continue;
            }
            let span = local.ident.span;
            match local.kind {
                Kind::Let | Kind::Var => self.pass.add(
                    UNUSED_VARIABLE,
                    span,
                    format!("variable `{text}` is declared but never used"),
                    &format!("prefix with underscore: `_{text}`"),
                    replace(span, format!("_{text}")),
                ),
                Kind::Pattern => self.pass.add(
                    UNUSED_PATTERN_BINDING,
                    span,
                    format!("pattern binding `{text}` is never used"),
                    "rename the binding with an underscore prefix or remove it from the pattern",
                    Vec::new(),
                ),
                Kind::Param => self.pass.add(
                    UNUSED_PARAMETER,
                    span,
                    format!("parameter `{text}` is declared but never used"),
                    &format!("prefix with underscore: `_{text}`"),
                    Vec::new(),
                ),
                Kind::Function if !self.pass.options.used_elsewhere.contains(text) => self.pass.add(
                    UNUSED_FUNCTION,
                    span,
                    format!("function `{text}` is declared but never used"),
                    &format!("remove the function or prefix with underscore: `_{text}`"),
                    Vec::new(),
                ),
                Kind::Function | Kind::Quiet => {}
            }
        }
        for stmt in &module.ast().items {
            match &stmt.kind {
                StmtKind::Import(import) if !import.public => self.unused_imports(import, stmt.span),
                StmtKind::Decl(decl) if !decl.public => self.unused_type(decl),
                _ => {}
            }
        }
    }

    fn mentioned(&self, name: Symbol) -> bool {
        let at = name.0 as usize;
        self.loose.get(at).copied().unwrap_or(false) || self.types.get(at).copied().unwrap_or(false)
    }

    fn unused_imports(&mut self, import: &'a Import, span: Span) {
        let Some(names) = &import.names else { return };
        for (i, name) in names.iter().enumerate() {
            if self.mentioned(name.name) {
                continue;
            }
            let text = self.pass.name(*name);
            let edit = if names.len() == 1 {
                let rest = self.pass.module.source.text().get(span.end as usize..).unwrap_or("");
                let newline = u32::from(rest.starts_with('\n'));
                Span::new(span.start, span.end + newline)
            } else if let Some(next) = names.get(i + 1) {
                Span::new(name.span.start, next.span.start)
            } else {
                let before =
                    i.checked_sub(1).and_then(|p| names.get(p)).map_or(name.span.start, |p| p.span.end);
                Span::new(before, name.span.end)
            };
            self.pass.add(
                UNUSED_IMPORT,
                name.span,
                format!("imported name `{text}` is never used"),
                &format!("remove `{text}` from the import"),
                replace(edit, ""),
            );
        }
    }

    fn unused_type(&mut self, decl: &'a Decl) {
        let (word, name) = match &decl.kind {
            DeclKind::Struct { name, .. } => ("struct", *name),
            DeclKind::Enum { name, .. } => ("enum", *name),
            DeclKind::Interface(i) => ("interface", i.name),
            _ => return,
        };
        let text = self.pass.name(name);
        if !self.mentioned(name.name)
            && !text.starts_with('_')
            && !self.pass.options.used_elsewhere.contains(text)
        {
            self.pass.add(
                UNUSED_TYPE,
                name.span,
                format!("{word} `{text}` is declared but never referenced"),
                &format!("remove the unused {word} or reference `{text}` from a signature or constructor"),
                Vec::new(),
            );
        }
    }
}

/// Whether a top-level statement declares the variable or pipeline `text`.
fn declares(module: &Module, stmt: &Stmt, text: &str) -> bool {
    match &stmt.kind {
        StmtKind::Let(item) => match &item.binding {
            Binding::Name(name) => module.ast().names.text(name.name) == text,
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Visitor<'a> for Names<'_, 'a> {
    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Let(item) => {
                item.ty.iter().for_each(|t| self.ty(t));
                self.expr(&item.value);
                let keyword = Span::new(stmt.span.start, stmt.span.start + 3);
                match &item.binding {
                    Binding::Name(name) => {
                        self.declare(*name, if item.mutable { Kind::Var } else { Kind::Let }, keyword);
                    }
                    binding => {
                        self.current = Kind::Pattern;
                        walk_binding(self, binding);
                        self.current = Kind::Quiet;
                    }
                }
            }
            StmtKind::Assign(assign) => {
                let mut root = &assign.target;
                while let ExprKind::Property { object, .. } | ExprKind::Index { object, .. } = &root.kind {
                    root = object;
                }
                match &root.kind {
                    ExprKind::Name(name) => {
                        match self.find(*name) {
                            Some(local) => local.assigned = true,
                            None => self.read(*name),
                        }
                        if let ExprKind::Index { index, .. } = &assign.target.kind {
                            self.expr(index);
                        }
                    }
                    _ => self.expr(&assign.target),
                }
                self.expr(&assign.value);
            }
            StmtKind::For(item) => {
                self.expr(&item.iterable);
                self.open();
                walk_binding(self, &item.binding);
                self.stmts(&item.body.stmts);
                self.close();
            }
            StmtKind::Select(select) => {
                for case in &select.cases {
                    self.expr(&case.channel);
                    self.open();
                    self.declare(case.name, Kind::Quiet, case.name.span);
                    self.stmts(&case.body.stmts);
                    self.close();
                }
                if let Some((time, block)) = &select.timeout {
                    self.expr(time);
                    self.block(block);
                }
                select.default.iter().for_each(|b| self.block(b));
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn block(&mut self, block: &'a Block) {
        self.open();
        self.stmts(&block.stmts);
        self.close();
    }

    fn binding(&mut self, name: Ident) {
        self.declare(name, self.current, name.span);
    }

    fn decl(&mut self, decl: &'a Decl) {
        match &decl.kind {
            DeclKind::Pipeline(p) => {
                self.open();
                p.params.iter().for_each(|n| self.declare(*n, Kind::Quiet, n.span));
                p.result.iter().for_each(|t| self.ty(t));
                self.stmts(&p.body.stmts);
                self.close();
            }
            DeclKind::Override { params, body, .. } => {
                self.open();
                params.iter().for_each(|n| self.declare(*n, Kind::Quiet, n.span));
                self.stmts(&body.stmts);
                self.close();
            }
            DeclKind::Tool(tool) => {
                tool.result.iter().for_each(|t| self.ty(t));
                self.body(&tool.params, &tool.body);
            }
            DeclKind::EvalPack(pack) => {
                pack.fields.iter().for_each(|(_, e)| self.expr(e));
                self.open();
                self.stmts(&pack.body);
                pack.summarize.iter().for_each(|b| self.block(b));
                self.close();
            }
            DeclKind::Impl { target, methods } => {
                self.mention(target.name);
                for method in methods {
                    method.function.result.iter().for_each(|t| self.ty(t));
                    self.body(&method.function.params, &method.function.body);
                }
            }
            _ => walk_decl(self, decl),
        }
    }

    fn function(&mut self, function: &'a FnDecl) {
        function.result.iter().for_each(|t| self.ty(t));
        function.bounds.iter().for_each(|(_, bound)| self.mention(bound.name));
        self.body(&function.params, &function.body);
    }

    fn ty(&mut self, ty: &'a TypeExpr) {
        if let TypeKind::Named { name, .. } = &ty.kind {
            self.mention(*name);
        }
        walk_type(self, ty);
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        match &pattern.kind {
            PatternKind::Variant { enum_name, .. } => self.mention(enum_name.name),
            PatternKind::Struct { name, .. } => self.mention(name.name),
            _ => {}
        }
        walk_pattern(self, pattern);
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.read(*name);
                if self.pass.module.resolve(self.pass.text(*name)).is_some_and(|i| i.kind != ItemKind::Fn) {
                    self.mention(*name);
                }
            }
            ExprKind::StructLit { name, .. } => {
                self.mention(name.name);
                walk_expr(self, expr);
            }
            ExprKind::Call { callee, .. } => {
                self.call(callee);
                walk_expr(self, expr);
            }
            ExprKind::Pipe { right, .. } => {
                self.call(right);
                walk_expr(self, expr);
            }
            ExprKind::Closure(closure) => self.body(&closure.params, &closure.body),
            ExprKind::Match { value, arms } => {
                self.expr(value);
                for arm in arms {
                    self.open();
                    self.pattern(&arm.pattern);
                    arm.guard.iter().for_each(|g| self.expr(g));
                    self.stmts(&arm.body.stmts);
                    self.close();
                }
            }
            ExprKind::Try(item) => {
                self.block(&item.body);
                if let Some(catch) = &item.catch {
                    self.open();
                    catch.ty.iter().for_each(|t| self.ty(t));
                    catch.name.iter().for_each(|n| self.declare(*n, Kind::Quiet, n.span));
                    self.stmts(&catch.body.stmts);
                    self.close();
                }
                item.finally.iter().for_each(|b| self.block(b));
            }
            ExprKind::Parallel(item) => {
                self.expr(&item.operand);
                item.max_concurrent.iter().for_each(|e| self.expr(e));
                self.open();
                item.param.iter().for_each(|n| self.declare(*n, Kind::Quiet, n.span));
                self.stmts(&item.body.stmts);
                self.close();
            }
            _ => walk_expr(self, expr),
        }
    }
}
