//! Visiting a tree: each method sees one node and by default goes on to its children.

use harn_syntax::ast::*;

/// Receives the nodes of a tree. Override what matters and call the `walk_*` function to go on below it.
pub trait Visitor<'a>: Sized {
    /// A statement, declaration or import.
    fn stmt(&mut self, stmt: &'a Stmt) {
        walk_stmt(self, stmt);
    }
    /// An expression.
    fn expr(&mut self, expr: &'a Expr) {
        walk_expr(self, expr);
    }
    /// A block.
    fn block(&mut self, block: &'a Block) {
        walk_block(self, block);
    }
    /// A match pattern.
    fn pattern(&mut self, pattern: &'a Pattern) {
        walk_pattern(self, pattern);
    }
    /// A written type.
    fn ty(&mut self, ty: &'a TypeExpr) {
        walk_type(self, ty);
    }
    /// A declaration.
    fn decl(&mut self, decl: &'a Decl) {
        walk_decl(self, decl);
    }
    /// A named function or method, with its body.
    fn function(&mut self, function: &'a FnDecl) {
        walk_function(self, function);
    }
    /// A name that comes into being: a variable, parameter, loop, catch or pattern variable.
    fn binding(&mut self, _name: Ident) {}
}

/// The statements of a block.
pub fn walk_block<'a, V: Visitor<'a>>(v: &mut V, block: &'a Block) {
    for stmt in &block.stmts {
        v.stmt(stmt);
    }
}

/// The parts of a statement.
pub fn walk_stmt<'a, V: Visitor<'a>>(v: &mut V, stmt: &'a Stmt) {
    match &stmt.kind {
        StmtKind::Import(_) | StmtKind::Break | StmtKind::Continue | StmtKind::Error => {}
        StmtKind::Decl(decl) => v.decl(decl),
        StmtKind::Let(item) => {
            if let Some(ty) = &item.ty {
                v.ty(ty);
            }
            v.expr(&item.value);
            walk_binding(v, &item.binding);
        }
        StmtKind::Assign(assign) => {
            v.expr(&assign.target);
            v.expr(&assign.value);
        }
        StmtKind::Expr(e) | StmtKind::Throw(e) | StmtKind::Emit(e) => v.expr(e),
        StmtKind::For(item) => {
            v.expr(&item.iterable);
            walk_binding(v, &item.binding);
            v.block(&item.body);
        }
        StmtKind::While { condition, body } => {
            v.expr(condition);
            v.block(body);
        }
        StmtKind::Guard { condition, otherwise } => {
            v.expr(condition);
            v.block(otherwise);
        }
        StmtKind::Require { condition, message } => {
            v.expr(condition);
            message.iter().for_each(|m| v.expr(m));
        }
        StmtKind::Return(e) | StmtKind::Yield(e) => e.iter().for_each(|e| v.expr(e)),
        StmtKind::Defer(block) | StmtKind::Mutex(block) => v.block(block),
        StmtKind::Select(select) => {
            for case in &select.cases {
                v.expr(&case.channel);
                v.binding(case.name);
                v.block(&case.body);
            }
            if let Some((time, block)) = &select.timeout {
                v.expr(time);
                v.block(block);
            }
            select.default.iter().for_each(|b| v.block(b));
        }
    }
}

/// The names and defaults of a binding.
pub fn walk_binding<'a, V: Visitor<'a>>(v: &mut V, binding: &'a Binding) {
    match binding {
        Binding::Name(name) => v.binding(*name),
        Binding::Dict { entries, rest, .. } => {
            for entry in entries {
                entry.default.iter().for_each(|d| v.expr(d));
                v.binding(entry.name);
            }
            rest.iter().for_each(|r| v.binding(*r));
        }
        Binding::List { elements, rest, .. } => {
            for element in elements {
                element.default.iter().for_each(|d| v.expr(d));
                v.binding(element.name);
            }
            rest.iter().for_each(|r| v.binding(*r));
        }
        Binding::Pair { first, second, .. } => {
            v.binding(*first);
            v.binding(*second);
        }
    }
}

/// The parts of a declaration.
pub fn walk_decl<'a, V: Visitor<'a>>(v: &mut V, decl: &'a Decl) {
    match &decl.kind {
        DeclKind::Pipeline(p) => {
            p.params.iter().for_each(|n| v.binding(*n));
            p.result.iter().for_each(|t| v.ty(t));
            v.block(&p.body);
        }
        DeclKind::Override { params, body, .. } => {
            params.iter().for_each(|n| v.binding(*n));
            v.block(body);
        }
        DeclKind::Fn(function) => v.function(function),
        DeclKind::Tool(tool) => {
            walk_params(v, &tool.params);
            tool.result.iter().for_each(|t| v.ty(t));
            v.block(&tool.body);
        }
        DeclKind::Skill { fields, .. } => fields.iter().for_each(|(_, e)| v.expr(e)),
        DeclKind::EvalPack(pack) => {
            pack.fields.iter().for_each(|(_, e)| v.expr(e));
            pack.body.iter().for_each(|s| v.stmt(s));
            pack.summarize.iter().for_each(|b| v.block(b));
        }
        DeclKind::TypeAlias { ty, .. } => v.ty(ty),
        DeclKind::Enum { variants, .. } => {
            variants.iter().flat_map(|x| &x.fields).flat_map(|f| &f.ty).for_each(|t| v.ty(t));
        }
        DeclKind::Struct { fields, .. } => fields.iter().flat_map(|f| &f.ty).for_each(|t| v.ty(t)),
        DeclKind::Interface(interface) => {
            interface.assoc_types.iter().flat_map(|(_, t)| t).for_each(|t| v.ty(t));
            for method in &interface.methods {
                method.params.iter().flat_map(|p| &p.ty).for_each(|t| v.ty(t));
                method.result.iter().for_each(|t| v.ty(t));
            }
        }
        DeclKind::Impl { methods, .. } => methods.iter().for_each(|m| v.function(&m.function)),
    }
}

/// Parameters, result and body of a function.
pub fn walk_function<'a, V: Visitor<'a>>(v: &mut V, function: &'a FnDecl) {
    walk_params(v, &function.params);
    function.result.iter().for_each(|t| v.ty(t));
    v.block(&function.body);
}

/// Types, defaults and names of parameters.
pub fn walk_params<'a, V: Visitor<'a>>(v: &mut V, params: &'a [Param]) {
    for param in params {
        param.ty.iter().for_each(|t| v.ty(t));
        param.default.iter().for_each(|d| v.expr(d));
        v.binding(param.name);
    }
}

/// The parts of an expression.
pub fn walk_expr<'a, V: Visitor<'a>>(v: &mut V, expr: &'a Expr) {
    match &expr.kind {
        ExprKind::Nil
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Error => {}
        ExprKind::Interp(parts) => {
            for part in parts {
                if let InterpPart::Expr(e) = part {
                    v.expr(e);
                }
            }
        }
        ExprKind::List(elements) => elements.iter().for_each(|e| v.expr(&e.value)),
        ExprKind::Dict(entries) | ExprKind::StructLit { fields: entries, .. } => {
            for entry in entries {
                match entry {
                    DictEntry::Named { value, .. } | DictEntry::Spread(value) => v.expr(value),
                    DictEntry::Computed { key, value } => {
                        v.expr(key);
                        v.expr(value);
                    }
                }
            }
        }
        ExprKind::Closure(closure) => {
            walk_params(v, &closure.params);
            v.block(&closure.body);
        }
        ExprKind::Paren(e)
        | ExprKind::Unary { operand: e, .. }
        | ExprKind::Propagate(e)
        | ExprKind::TryStar(e)
        | ExprKind::Property { object: e, .. } => v.expr(e),
        ExprKind::Binary { left, right, .. } | ExprKind::Pipe { left, right } => {
            v.expr(left);
            v.expr(right);
        }
        ExprKind::Range { start, end, .. } => {
            v.expr(start);
            v.expr(end);
        }
        ExprKind::Ternary { condition, then, otherwise } => {
            v.expr(condition);
            v.expr(then);
            v.expr(otherwise);
        }
        ExprKind::Call { callee, type_args, args } => {
            v.expr(callee);
            type_args.iter().for_each(|t| v.ty(t));
            args.iter().for_each(|a| v.expr(&a.value));
        }
        ExprKind::MethodCall { object, args, .. } => {
            v.expr(object);
            args.iter().for_each(|a| v.expr(&a.value));
        }
        ExprKind::Index { object, index, .. } => {
            v.expr(object);
            v.expr(index);
        }
        ExprKind::Slice { object, start, end } => {
            v.expr(object);
            start.iter().for_each(|e| v.expr(e));
            end.iter().for_each(|e| v.expr(e));
        }
        ExprKind::If(item) => {
            v.expr(&item.condition);
            v.block(&item.then);
            match &item.otherwise {
                Some(Else::Block(block)) => v.block(block),
                Some(Else::If(e)) => v.expr(e),
                None => {}
            }
        }
        ExprKind::Match { value, arms } => {
            v.expr(value);
            for arm in arms {
                v.pattern(&arm.pattern);
                arm.guard.iter().for_each(|g| v.expr(g));
                v.block(&arm.body);
            }
        }
        ExprKind::Try(item) => {
            v.block(&item.body);
            if let Some(catch) = &item.catch {
                catch.name.iter().for_each(|n| v.binding(*n));
                catch.ty.iter().for_each(|t| v.ty(t));
                v.block(&catch.body);
            }
            item.finally.iter().for_each(|b| v.block(b));
        }
        ExprKind::Retry { attempts, body } => {
            v.expr(attempts);
            v.block(body);
        }
        ExprKind::Parallel(item) => {
            v.expr(&item.operand);
            item.max_concurrent.iter().for_each(|e| v.expr(e));
            item.param.iter().for_each(|n| v.binding(*n));
            v.block(&item.body);
        }
        ExprKind::Spawn(block) => v.block(block),
        ExprKind::Deadline { duration, body } => {
            v.expr(duration);
            v.block(body);
        }
    }
}

/// The parts of a pattern.
pub fn walk_pattern<'a, V: Visitor<'a>>(v: &mut V, pattern: &'a Pattern) {
    match &pattern.kind {
        PatternKind::Wildcard => {}
        PatternKind::Name(name) => v.binding(*name),
        PatternKind::Value(e) => v.expr(e),
        PatternKind::Variant { args, .. } => args.iter().flatten().for_each(|p| v.pattern(p)),
        PatternKind::Dict { entries, rest } => {
            entries.iter().for_each(|(_, p)| v.pattern(p));
            rest.iter().for_each(|r| v.binding(*r));
        }
        PatternKind::Struct { entries, .. } => entries.iter().for_each(|(_, p)| v.pattern(p)),
        PatternKind::List { elements, rest } => {
            elements.iter().for_each(|p| v.pattern(p));
            rest.iter().for_each(|r| v.binding(*r));
        }
        PatternKind::Or(patterns) => patterns.iter().for_each(|p| v.pattern(p)),
    }
}

/// The parts of a written type.
pub fn walk_type<'a, V: Visitor<'a>>(v: &mut V, ty: &'a TypeExpr) {
    match &ty.kind {
        TypeKind::Named { args, .. } | TypeKind::Union(args) => args.iter().for_each(|t| v.ty(t)),
        TypeKind::Shape(fields) => fields.iter().for_each(|f| v.ty(&f.ty)),
        TypeKind::Function { params, result } => {
            params.iter().for_each(|t| v.ty(t));
            v.ty(result);
        }
        TypeKind::Str(_) | TypeKind::Int(_) | TypeKind::Error => {}
    }
}
