//! Which declaration each name means: one walk in the order of evaluation, with a stack of scopes.
//!
//! The rules are the language's: functions are hoisted in their block, the file's own declarations win over imports,
//! imports over builtins, and a name that nothing declares before it may mean a variable that the file declares later
//! at its top level.

use super::{Index, Local, LocalKind, MemberTarget, Occurrence, Place, Role, SymbolKind, Target};
use crate::check::record::Notes;
use crate::check::{is_builtin_name, is_namespace_name};
use crate::graph::{ItemKind, ItemRef, Module, ModuleGraph, ModuleIndex, declared};
use crate::walk::*;
use harn_syntax::Span;
use harn_syntax::ast::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(super) fn bind(graph: &ModuleGraph, index: ModuleIndex, notes: Notes) -> Index {
    let Some(module) = graph.module(index) else { return Index::default() };
    let names = module.ast().names.len();
    let mut binder = Binder {
        graph,
        index,
        module,
        notes,
        out: Index::default(),
        stack: Vec::new(),
        by_name: vec![Vec::new(); names],
        scopes: Vec::new(),
        late: Vec::new(),
        type_params: Vec::new(),
        nested_types: HashMap::new(),
        pending: (LocalKind::Bound, false),
        keyed: HashSet::new(),
        alternatives: Vec::new(),
    };
    let mut nested = NestedTypes { types: &mut binder.nested_types, depth: 0 };
    module.ast().items.iter().for_each(|s| nested.stmt(s));
    let end = module.source.text().len() as u32;
    binder.open(Span::new(0, end));
    binder.stmts(&module.ast().items);
    binder.finish()
}

/// Type declarations below the top level.
struct NestedTypes<'b> {
    types: &'b mut HashMap<Symbol, Span>,
    depth: u32,
}

impl<'a> Visitor<'a> for NestedTypes<'_> {
    fn decl(&mut self, decl: &'a Decl) {
        if self.depth > 0
            && let Some((name, ItemKind::Struct | ItemKind::Enum | ItemKind::TypeAlias | ItemKind::Interface)) =
                declared(&decl.kind)
        {
            self.types.insert(name.name, name.span);
        }
        self.depth += 1;
        walk_decl(self, decl);
        self.depth -= 1;
    }
}

/// A name that stood where no scope declares it (yet).
struct Late {
    name: Symbol,
    span: Span,
    role: Role,
    expr: Option<ExprId>,
}

struct Binder<'g> {
    graph: &'g ModuleGraph,
    index: ModuleIndex,
    module: &'g Module,
    notes: Notes,
    out: Index,
    /// Visible variables: name and position in `out.locals`.
    stack: Vec<(Symbol, u32)>,
    /// By symbol: positions in `out.locals`, innermost last.
    by_name: Vec<Vec<u32>>,
    /// Where each scope begins in `stack`, and what it covers.
    scopes: Vec<(usize, Span)>,
    late: Vec<Late>,
    type_params: Vec<Ident>,
    nested_types: HashMap<Symbol, Span>,
    /// What the next binding of the walk declares.
    pending: (LocalKind, bool),
    /// Starts of names that are keys as well.
    keyed: HashSet<u32>,
    /// Names that alternatives of the pattern under way have bound.
    alternatives: Vec<(Symbol, u32)>,
}

impl<'g> Binder<'g> {
    fn text(&self, symbol: Symbol) -> &'g str {
        self.module.ast().names.text(symbol)
    }

    fn open(&mut self, span: Span) {
        self.scopes.push((self.stack.len(), span));
    }

    fn close(&mut self) {
        let start = self.scopes.pop().map_or(0, |s| s.0);
        while self.stack.len() > start {
            if let Some((name, _)) = self.stack.pop()
                && let Some(slot) = self.by_name.get_mut(name.0 as usize)
            {
                slot.pop();
            }
        }
    }

    fn type_text(&self, number: u32) -> Option<Arc<str>> {
        number.checked_sub(1).and_then(|n| self.notes.texts.get(n as usize)).cloned()
    }

    fn place(&self, name: Span) -> Target {
        Target::Place(Place { module: self.index, name })
    }

    fn add(&mut self, span: Span, target: Target, kind: SymbolKind, role: Role, ty: Option<Arc<str>>) {
        if !span.is_empty() {
            let keyed = self.keyed.contains(&span.start);
            self.out.occurrences.push(Occurrence { span, target, kind, role, keyed, ty });
        }
    }

    fn declare(&mut self, ident: Ident, kind: LocalKind, annotated: bool) {
        let text = self.text(ident.name);
        if text == "_" || text.is_empty() {
            return;
        }
        if let Some((_, known)) = self.alternatives.iter().find(|(n, _)| *n == ident.name) {
            let span = self.out.locals.get(*known as usize).map_or(ident.span, |l| l.span);
            let target = self.place(span);
            return self.add(ident.span, target, SymbolKind::Variable, Role::Declare, None);
        }
        let ty = self.notes.bindings.get(&ident.span.start).and_then(|n| self.type_text(*n));
        let scope = self.scopes.last().map_or(ident.span, |s| s.1);
        let start = if kind == LocalKind::Function { scope.start } else { ident.span.end };
        let number = self.out.locals.len() as u32;
        self.out.locals.push(Local {
            name: text.into(),
            span: ident.span,
            kind,
            scope: Span::new(start.min(scope.end), scope.end),
            annotated,
            ty: ty.clone(),
        });
        self.stack.push((ident.name, number));
        if let Some(slot) = self.by_name.get_mut(ident.name.0 as usize) {
            slot.push(number);
        }
        let target = self.place(ident.span);
        self.add(ident.span, target, local_symbol(kind), Role::Declare, ty);
    }

    fn read(&mut self, name: Symbol, span: Span, role: Role, expr: Option<ExprId>) {
        let ty = self.expr_type(expr);
        let known = self.by_name.get(name.0 as usize).and_then(|s| s.last()).copied();
        if let Some(local) = known.and_then(|n| self.out.locals.get(n as usize)) {
            let (at, kind) = (local.span, local_symbol(local.kind));
            let target = self.place(at);
            return self.add(span, target, kind, role, ty);
        }
        self.late.push(Late { name, span, role, expr });
    }

    fn expr_type(&self, expr: Option<ExprId>) -> Option<Arc<str>> {
        expr.and_then(|id| self.notes.exprs.get(id.0 as usize)).and_then(|n| self.type_text(*n))
    }

    /// The declaration of an item, and what its name is.
    fn item(&self, item: ItemRef) -> Option<(Target, SymbolKind)> {
        let (name, kind) = declared(&self.graph.decl(item)?.kind)?;
        let kind = match kind {
            ItemKind::Struct | ItemKind::Enum | ItemKind::TypeAlias | ItemKind::Interface => SymbolKind::Type,
            _ => SymbolKind::Function,
        };
        Some((Target::Place(Place { module: item.module, name: name.span }), kind))
    }

    /// A name used as a type; whether it means something.
    fn type_name(&mut self, name: Symbol, span: Span, role: Role) -> bool {
        if let Some(param) = self.type_params.iter().rev().find(|p| p.name == name).copied() {
            let target = self.place(param.span);
            self.add(span, target, SymbolKind::TypeParameter, role, None);
            return true;
        }
        if let Some(at) = self.nested_types.get(&name).copied() {
            let target = self.place(at);
            self.add(span, target, SymbolKind::Type, role, None);
            return true;
        }
        let found = self.module.resolve(self.text(name)).and_then(|i| self.item(i));
        let Some((target, kind)) = found else { return false };
        self.add(span, target, kind, role, None);
        true
    }

    /// The declaration of the enum or struct that a name means here.
    fn type_decl(&self, name: Symbol) -> Option<(ModuleIndex, &'g Decl)> {
        let hidden = self.by_name.get(name.0 as usize).is_some_and(|s| !s.is_empty());
        let item = self.module.resolve(self.text(name)).filter(|_| !hidden)?;
        Some((item.module, self.graph.decl(item)?))
    }

    fn variant(&mut self, enum_name: Symbol, variant: Ident) -> bool {
        let Some((module, decl)) = self.type_decl(enum_name) else { return false };
        let DeclKind::Enum { variants, .. } = &decl.kind else { return false };
        let Some(home) = self.graph.module(module) else { return false };
        let text = self.text(variant.name);
        let found = variants.iter().find(|v| home.ast().names.text(v.name.name) == text);
        if let Some(found) = found {
            let target = Target::Place(Place { module, name: found.name.span });
            self.add(variant.span, target, SymbolKind::Variant, Role::Read, None);
        }
        true
    }

    fn struct_fields(&mut self, name: Symbol, entries: &'g [DictEntry]) {
        let Some((module, decl)) = self.type_decl(name) else { return };
        let DeclKind::Struct { fields, .. } = &decl.kind else { return };
        let Some(home) = self.graph.module(module) else { return };
        for entry in entries {
            let DictEntry::Named { key, key_span, .. } = entry else { continue };
            let found = fields.iter().find(|f| home.ast().names.text(f.name.name) == &**key);
            if let Some(field) = found {
                let target = Target::Place(Place { module, name: field.name.span });
                self.add(*key_span, target, SymbolKind::Field, Role::Read, None);
            }
        }
    }

    /// `object.name` where the object may be an enum or a namespace; false when the object is a value.
    fn static_member(&mut self, object: &'g Expr, name: Ident) -> bool {
        let ExprKind::Name(first) = &object.kind else { return false };
        if self.by_name.get(first.0 as usize).is_some_and(|s| !s.is_empty()) {
            return false;
        }
        if self.variant(*first, name) {
            self.type_name(*first, object.span, Role::Read);
            return true;
        }
        let space = self.text(*first);
        if is_namespace_name(space) && self.module.resolve(space).is_none() {
            self.add(object.span, Target::Namespace(space.into()), SymbolKind::Namespace, Role::Read, None);
            let full = format!("{space}.{}", self.text(name.name));
            if is_builtin_name(&full) {
                let target = Target::Builtin(full.as_str().into());
                self.add(name.span, target, SymbolKind::Function, Role::Read, None);
            }
            return true;
        }
        false
    }

    fn bindings(&mut self, binding: &'g Binding) {
        if let Binding::Dict { entries, .. } = binding {
            let both = entries.iter().filter(|e| e.key.span == e.name.span);
            self.keyed.extend(both.map(|e| e.name.span.start));
        }
        walk_binding(self, binding);
    }

    fn stmts(&mut self, stmts: &'g [Stmt]) {
        for stmt in stmts {
            if let StmtKind::Decl(decl) = &stmt.kind
                && let DeclKind::Fn(FnDecl { name, .. })
                | DeclKind::Tool(ToolDecl { name, .. })
                | DeclKind::Skill { name, .. }
                | DeclKind::EvalPack(EvalPack { binding: name, .. }) = &decl.kind
            {
                self.declare(*name, LocalKind::Function, true);
            }
        }
        stmts.iter().for_each(|s| self.stmt(s));
    }

    fn body(&mut self, type_params: &'g [TypeParam], params: &'g [Param], scope: Span, body: &'g Block) {
        let outer = self.type_params.len();
        self.declare_type_params(type_params);
        self.open(scope);
        for param in params {
            param.ty.iter().for_each(|t| self.ty(t));
            param.default.iter().for_each(|d| self.expr(d));
            self.declare(param.name, LocalKind::Param, param.ty.is_some());
        }
        self.stmts(&body.stmts);
        self.close();
        self.type_params.truncate(outer);
    }

    fn declare_type_params(&mut self, params: &'g [TypeParam]) {
        for param in params {
            self.type_params.push(param.name);
            let target = self.place(param.name.span);
            self.add(param.name.span, target, SymbolKind::TypeParameter, Role::Declare, None);
        }
    }

    fn declare_item(&mut self, name: Ident, kind: SymbolKind) {
        let target = self.place(name.span);
        self.add(name.span, target, kind, Role::Declare, None);
    }

    fn block_in(&mut self, names: &[Ident], scope: Span, stmts: &'g [Stmt]) {
        self.open(scope);
        for name in names {
            self.declare(*name, LocalKind::Bound, false);
        }
        self.stmts(stmts);
        self.close();
    }

    fn import(&mut self, import: &'g Import, item: u32) {
        let link = self.module.imports.iter().find(|l| l.item == item);
        let Some(target) = link.and_then(|l| l.target) else { return };
        self.add(import.path_span, Target::Module(target), SymbolKind::Namespace, Role::Import, None);
        let Some(home) = self.graph.module(target) else { return };
        for name in import.names.iter().flatten() {
            let found = home.exports.get(self.text(name.name)).and_then(|i| self.item(*i));
            if let Some((target, kind)) = found {
                self.add(name.span, target, kind, Role::Import, None);
            }
        }
    }

    fn finish(mut self) -> Index {
        let module = self.module;
        for late in std::mem::take(&mut self.late) {
            let ty = self.expr_type(late.expr);
            // The scope of the file is still open: what it declared later.
            let known = self.by_name.get(late.name.0 as usize).and_then(|s| s.last()).copied();
            if let Some(local) = known.and_then(|n| self.out.locals.get(n as usize)) {
                let (at, kind) = (local.span, local_symbol(local.kind));
                let target = self.place(at);
                self.add(late.span, target, kind, late.role, ty);
                continue;
            }
            let text = self.text(late.name);
            if let Some((target, kind)) = module.resolve(text).and_then(|i| self.item(i)) {
                self.add(late.span, target, kind, late.role, ty);
            } else if self.type_name(late.name, late.span, late.role) {
            } else if is_builtin_name(text) {
                self.add(late.span, Target::Builtin(text.into()), SymbolKind::Function, late.role, ty);
            }
        }
        for (span, member) in std::mem::take(&mut self.notes.members) {
            let (target, kind) = match member {
                MemberTarget::Key(ty) => {
                    let ty = self.type_text(ty);
                    self.add(span, Target::Key, SymbolKind::Field, Role::Read, ty);
                    continue;
                }
                MemberTarget::Place(place) => {
                    let after = module.source.text().as_bytes().get(span.end as usize);
                    let called = after.is_some_and(|b| *b == b'(');
                    (Target::Place(place), if called { SymbolKind::Method } else { SymbolKind::Field })
                }
                MemberTarget::Builtin { on, name } => (Target::Method { on, name }, SymbolKind::Method),
            };
            self.add(span, target, kind, Role::Read, None);
        }
        self.out.occurrences.sort_by_key(|o| (o.span.start, o.span.end));
        self.out.occurrences.dedup_by(|b, a| a.span == b.span);
        self.out
    }
}

fn local_symbol(kind: LocalKind) -> SymbolKind {
    match kind {
        LocalKind::Param => SymbolKind::Parameter,
        LocalKind::Function => SymbolKind::Function,
        _ => SymbolKind::Variable,
    }
}

impl<'g> Visitor<'g> for Binder<'g> {
    fn stmt(&mut self, stmt: &'g Stmt) {
        match &stmt.kind {
            StmtKind::Import(import) => {
                let items = &self.module.ast().items;
                if let Some(item) = items.iter().position(|s| std::ptr::eq(s, stmt)) {
                    self.import(import, item as u32);
                }
            }
            StmtKind::Let(item) => {
                item.ty.iter().for_each(|t| self.ty(t));
                self.expr(&item.value);
                let kind = if item.mutable { LocalKind::Var } else { LocalKind::Let };
                self.pending = (kind, item.ty.is_some());
                self.bindings(&item.binding);
                self.pending = (LocalKind::Bound, false);
            }
            StmtKind::Assign(assign) => {
                match &assign.target.kind {
                    ExprKind::Name(name) => {
                        self.read(*name, assign.target.span, Role::Write, Some(assign.target.id));
                    }
                    _ => self.expr(&assign.target),
                }
                self.expr(&assign.value);
            }
            StmtKind::For(item) => {
                self.expr(&item.iterable);
                self.open(item.body.span);
                self.bindings(&item.binding);
                self.stmts(&item.body.stmts);
                self.close();
            }
            StmtKind::Select(select) => {
                for case in &select.cases {
                    self.expr(&case.channel);
                    self.block_in(&[case.name], case.body.span, &case.body.stmts);
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

    fn block(&mut self, block: &'g Block) {
        self.block_in(&[], block.span, &block.stmts);
    }

    fn binding(&mut self, name: Ident) {
        let (kind, annotated) = self.pending;
        self.declare(name, kind, annotated);
    }

    fn decl(&mut self, decl: &'g Decl) {
        let outer = self.type_params.len();
        match &decl.kind {
            DeclKind::Fn(f) => self.function(f),
            DeclKind::Pipeline(p) => {
                self.declare_item(p.name, SymbolKind::Function);
                p.result.iter().for_each(|t| self.ty(t));
                p.parent.iter().for_each(|n| self.read(n.name, n.span, Role::Read, None));
                self.open(p.body.span);
                p.params.iter().for_each(|n| self.declare(*n, LocalKind::Param, false));
                self.stmts(&p.body.stmts);
                self.close();
            }
            DeclKind::Override { params, body, .. } => {
                self.open(body.span);
                params.iter().for_each(|n| self.declare(*n, LocalKind::Param, false));
                self.stmts(&body.stmts);
                self.close();
            }
            DeclKind::Tool(tool) => {
                tool.result.iter().for_each(|t| self.ty(t));
                self.body(&[], &tool.params, tool.body.span, &tool.body);
            }
            DeclKind::EvalPack(pack) => {
                pack.fields.iter().for_each(|(_, e)| self.expr(e));
                let scope = self.scopes.last().map_or(pack.binding.span, |s| s.1);
                self.block_in(&[], scope, &pack.body);
                pack.summarize.iter().for_each(|b| self.block(b));
            }
            DeclKind::Skill { fields, .. } => fields.iter().for_each(|(_, e)| self.expr(e)),
            DeclKind::TypeAlias { name, type_params, ty } => {
                self.declare_item(*name, SymbolKind::Type);
                self.declare_type_params(type_params);
                if let TypeKind::Shape(fields) = &ty.kind {
                    fields.iter().for_each(|f| self.declare_item(f.name, SymbolKind::Field));
                }
                self.ty(ty);
            }
            DeclKind::Enum { name, type_params, variants } => {
                self.declare_item(*name, SymbolKind::Type);
                self.declare_type_params(type_params);
                variants.iter().for_each(|v| self.declare_item(v.name, SymbolKind::Variant));
                walk_decl(self, decl);
            }
            DeclKind::Struct { name, type_params, fields } => {
                self.declare_item(*name, SymbolKind::Type);
                self.declare_type_params(type_params);
                fields.iter().for_each(|f| self.declare_item(f.name, SymbolKind::Field));
                walk_decl(self, decl);
            }
            DeclKind::Interface(interface) => {
                self.declare_item(interface.name, SymbolKind::Type);
                self.declare_type_params(&interface.type_params);
                for method in &interface.methods {
                    self.declare_item(method.name, SymbolKind::Method);
                }
                walk_decl(self, decl);
            }
            DeclKind::Impl { target, methods } => {
                self.type_name(target.name, target.span, Role::Read);
                for method in methods {
                    self.declare_item(method.function.name, SymbolKind::Method);
                    self.function(&method.function);
                }
            }
        }
        self.type_params.truncate(outer);
    }

    fn function(&mut self, f: &'g FnDecl) {
        let outer = self.type_params.len();
        self.type_params.extend(f.type_params.iter().map(|p| p.name));
        f.result.iter().for_each(|t| self.ty(t));
        for (param, bound) in &f.bounds {
            self.type_name(param.name, param.span, Role::Read);
            self.type_name(bound.name, bound.span, Role::Read);
        }
        self.type_params.truncate(outer);
        self.body(&f.type_params, &f.params, f.body.span, &f.body);
    }

    fn ty(&mut self, ty: &'g TypeExpr) {
        if let TypeKind::Named { name, .. } = &ty.kind {
            let length = self.text(*name).len() as u32;
            let span = Span::new(ty.span.start, ty.span.start + length);
            if self.module.source.slice(span) == self.text(*name) {
                self.type_name(*name, span, Role::Read);
            }
        }
        walk_type(self, ty);
    }

    fn pattern(&mut self, pattern: &'g Pattern) {
        match &pattern.kind {
            PatternKind::Variant { enum_name, variant, .. } => {
                self.type_name(enum_name.name, enum_name.span, Role::Read);
                self.variant(enum_name.name, *variant);
                walk_pattern(self, pattern);
            }
            PatternKind::Struct { name, .. } => {
                self.type_name(name.name, name.span, Role::Read);
                walk_pattern(self, pattern);
            }
            PatternKind::Or(alternatives) => {
                let outer = self.alternatives.len();
                for alternative in alternatives {
                    let from = self.stack.len();
                    self.pattern(alternative);
                    self.alternatives.extend(self.stack.get(from..).unwrap_or_default().iter().copied());
                }
                self.alternatives.truncate(outer);
            }
            _ => walk_pattern(self, pattern),
        }
    }

    fn expr(&mut self, expr: &'g Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.read(*name, expr.span, Role::Read, Some(expr.id)),
            ExprKind::StructLit { name, fields } => {
                self.type_name(name.name, name.span, Role::Read);
                self.struct_fields(name.name, fields);
                walk_expr(self, expr);
            }
            ExprKind::Property { object, name, .. } => {
                if !self.static_member(object, *name) {
                    self.expr(object);
                }
            }
            ExprKind::MethodCall { object, name, args, .. } => {
                if !self.static_member(object, *name) {
                    self.expr(object);
                }
                args.iter().for_each(|a| self.expr(&a.value));
            }
            ExprKind::Closure(closure) => self.body(&[], &closure.params, expr.span, &closure.body),
            ExprKind::Match { value, arms } => {
                self.expr(value);
                for arm in arms {
                    self.open(arm.span);
                    self.pattern(&arm.pattern);
                    arm.guard.iter().for_each(|g| self.expr(g));
                    self.stmts(&arm.body.stmts);
                    self.close();
                }
            }
            ExprKind::Try(item) => {
                self.block(&item.body);
                if let Some(catch) = &item.catch {
                    catch.ty.iter().for_each(|t| self.ty(t));
                    let name: Vec<Ident> = catch.name.into_iter().collect();
                    self.block_in(&name, catch.body.span, &catch.body.stmts);
                }
                item.finally.iter().for_each(|b| self.block(b));
            }
            ExprKind::Parallel(item) => {
                self.expr(&item.operand);
                item.max_concurrent.iter().for_each(|e| self.expr(e));
                let name: Vec<Ident> = item.param.into_iter().collect();
                self.block_in(&name, item.body.span, &item.body.stmts);
            }
            _ => walk_expr(self, expr),
        }
    }
}
