//! Which names a file declares anywhere, and what an unknown name may have meant (spec 03 section 9, 02 section 7.1).

use super::{Checker, builtins};
use crate::codes;
use crate::graph::declared;
use crate::spelling::nearest;
use crate::walk::{Visitor, walk_decl};
use harn_syntax::Span;
use harn_syntax::ast::*;

/// The names a file declares at any depth.
#[derive(Default)]
pub(super) struct Names {
    declared: Vec<bool>,
}

impl Names {
    pub(super) fn is_declared(&self, name: Symbol) -> bool {
        self.declared.get(name.0 as usize).copied().unwrap_or(false)
    }
}

struct Collector<'g> {
    declared: Vec<bool>,
    types: Vec<(Symbol, &'g Decl)>,
    impls: Vec<&'g Decl>,
}

impl Collector<'_> {
    fn mark(&mut self, name: Symbol) {
        if let Some(slot) = self.declared.get_mut(name.0 as usize) {
            *slot = true;
        }
    }
}

impl<'g> Visitor<'g> for Collector<'g> {
    fn decl(&mut self, decl: &'g Decl) {
        match &decl.kind {
            DeclKind::TypeAlias { name, .. }
            | DeclKind::Enum { name, .. }
            | DeclKind::Struct { name, .. } => {
                self.types.push((name.name, decl));
            }
            DeclKind::Interface(interface) => self.types.push((interface.name.name, decl)),
            DeclKind::Impl { .. } => self.impls.push(decl),
            _ => {}
        }
        // Aliases and interfaces are no values; everything else is callable or a variable.
        if let Some((name, kind)) = declared(&decl.kind)
            && kind.is_value()
        {
            self.mark(name.name);
        }
        if let DeclKind::Override { name, .. } = &decl.kind {
            self.mark(name.name);
        }
        walk_decl(self, decl);
    }

    fn binding(&mut self, name: Ident) {
        self.mark(name.name);
    }
}

impl<'g> Checker<'g> {
    /// The passes before the statements: every declared name, and the types of this file.
    pub(super) fn collect_names(&mut self) {
        let ast = self.module.ast();
        let mut collector =
            Collector { declared: vec![false; ast.names.len()], types: Vec::new(), impls: Vec::new() };
        for stmt in &ast.items {
            collector.stmt(stmt);
        }
        self.names = Names { declared: collector.declared };
        for (name, decl) in collector.types {
            if let Some(id) = self.type_decl(self.index, decl) {
                self.local_types.insert(name, id);
            }
        }
        for decl in collector.impls {
            self.add_impl(self.index, decl);
        }
    }

    /// The nearest builtin, function or imported name to a call target that means nothing.
    pub(super) fn near_callable(&mut self, text: &str) -> Option<String> {
        let ast = self.module.ast();
        let own = ast.items.iter().filter_map(|s| match &s.kind {
            StmtKind::Decl(decl) => match &decl.kind {
                DeclKind::Fn(f) => Some(ast.names.text(f.name.name)),
                DeclKind::Tool(t) => Some(ast.names.text(t.name.name)),
                _ => None,
            },
            _ => None,
        });
        let imported = self.module.imported.keys().map(|k| &**k);
        let builtins = builtins::all_names().filter(|n| !n.contains('.') && !n.starts_with("__"));
        nearest(text, own.chain(imported).chain(builtins), 2).map(str::to_owned)
    }

    /// A name used as a value that nothing declares: the program would stop there.
    pub(super) fn unknown_name(&mut self, name: Symbol, span: Span) {
        let text = self.text(name);
        let known = text.is_empty()
            || text.starts_with("__")
            || text.starts_with("hostlib_")
            || self.names.is_declared(name)
            || self.local_types.contains_key(&name)
            || self.type_params.iter().any(|p| &**p == text)
            || builtins::is_global_name(text);
        if known || !self.imports_known() {
            return;
        }
        let limit = match text.chars().count() {
            0..=2 => 1,
            3..=5 => 2,
            _ => 3,
        };
        let names = &self.module.ast().names;
        let visible = (0..names.len() as u32)
            .map(Symbol)
            .filter(|s| {
                *s != name && (self.env.find(*s).is_some() || self.module.resolve(names.text(*s)).is_some())
            })
            .map(|s| names.text(s));
        let near = nearest(text, visible, limit).map(str::to_owned);
        self.warn(codes::UNDEFINED_VARIABLE, span, format!("Undefined variable: {text}"));
        if let Some(near) = near {
            self.help(format!("did you mean `{near}`?"));
        }
    }
}
