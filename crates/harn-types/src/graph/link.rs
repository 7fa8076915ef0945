//! Names: what each module declares, exports and binds by its imports (spec 02 sections 16.1 and 16.4).

use super::load::Failure;
use super::{
    ImportLink, Imported, ItemKind, ItemRef, Module, ModuleGraph, ModuleIndex, StartError, declared,
};
use harn_syntax::Span;
use harn_syntax::ast::{Ident, StmtKind};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Fills in items, exports and imported names, and collects what the program will stumble over.
pub(super) fn link(graph: &mut ModuleGraph, failures: Vec<Failure>) {
    for index in 0..graph.modules.len() {
        if let Some(module) = graph.modules.get_mut(index) {
            declare(module, ModuleIndex(index as u32));
        }
    }
    re_export(graph);
    let mut bound = Vec::with_capacity(graph.modules.len());
    let mut errors = Vec::new();
    for (index, module) in graph.iter() {
        let mut binder =
            Binder { graph, module, index, failures: &failures, names: HashMap::new(), errors: &mut errors };
        for import in 0..module.imports.len() as u32 {
            binder.import(import);
        }
        bound.push(binder.names);
    }
    for (module, names) in graph.modules.iter_mut().zip(bound) {
        module.imported = names;
    }
    graph.start_errors = errors;
}

/// Own declarations, and those of them that are exported: everything `pub`, and every function of a module without
/// any `pub fn`.
fn declare(module: &mut Module, index: ModuleIndex) {
    let ast = &module.parsed.ast;
    let mut items = HashMap::new();
    let mut exports = BTreeMap::new();
    let mut functions = Vec::new();
    let mut has_pub_fn = false;
    for (item, stmt) in (0u32..).zip(&ast.items) {
        let StmtKind::Decl(decl) = &stmt.kind else { continue };
        let Some((name, kind)) = declared(&decl.kind) else { continue };
        let name: Arc<str> = ast.names.text(name.name).into();
        let reference = ItemRef { module: index, item, kind };
        items.insert(name.clone(), reference);
        if decl.public {
            has_pub_fn |= kind == ItemKind::Fn;
            exports.insert(name, reference);
        } else if kind == ItemKind::Fn {
            functions.push((name, reference));
        }
    }
    if !has_pub_fn {
        exports.extend(functions);
    }
    module.items = items;
    module.exports = exports;
}

/// Adds re-exports until nothing changes; cycles of `pub import` need more than one turn.
fn re_export(graph: &mut ModuleGraph) {
    loop {
        let mut added = Vec::new();
        for (index, module) in graph.iter() {
            for link in module.imports.iter().filter(|l| l.public) {
                let Some(target) = link.target.and_then(|t| graph.module(t)) else { continue };
                let mut offer = |name: &Arc<str>, item: ItemRef| {
                    if !module.exports.contains_key(name) {
                        added.push((index, name.clone(), item));
                    }
                };
                match listed(module, link) {
                    Some(names) => {
                        for name in names {
                            let text = module.ast().names.text(name.name);
                            if let Some((key, item)) = target.exports.get_key_value(text) {
                                offer(key, *item);
                            }
                        }
                    }
                    None => target.exports.iter().for_each(|(name, item)| offer(name, *item)),
                }
            }
        }
        if added.is_empty() {
            return;
        }
        for (index, name, item) in added {
            if let Some(module) = graph.modules.get_mut(index.0 as usize) {
                module.exports.entry(name).or_insert(item);
            }
        }
    }
}

/// The names of a selective import.
fn listed<'a>(module: &'a Module, link: &ImportLink) -> Option<&'a [Ident]> {
    match &module.ast().items.get(link.item as usize)?.kind {
        StmtKind::Import(import) => import.names.as_deref(),
        _ => None,
    }
}

struct Binder<'a> {
    graph: &'a ModuleGraph,
    module: &'a Module,
    index: ModuleIndex,
    failures: &'a [Failure],
    names: HashMap<Arc<str>, Imported>,
    errors: &'a mut Vec<StartError>,
}

impl Binder<'_> {
    fn import(&mut self, number: u32) {
        let module = self.module;
        let Some(link) = module.imports.get(number as usize) else { return };
        let Some(target) = link.target.and_then(|t| self.graph.module(t)) else {
            let (failures, index) = (self.failures, self.index.0);
            for failure in failures.iter().filter(|f| f.module == index && f.import == number) {
                let preflight =
                    if failure.text.starts_with("Import parse") || failure.text.starts_with("Import lex") {
                        failure.text.clone()
                    } else {
                        format!("unresolved import '{}'", link.path)
                    };
                self.error(link.span, failure.text.clone(), preflight);
            }
            return;
        };
        match listed(module, link) {
            None => {
                for (name, item) in &target.exports {
                    self.bind(name, *item, number, link, link.span);
                }
            }
            Some(names) => {
                for name in names {
                    self.listed_name(*name, target, number, link);
                }
            }
        }
    }

    fn listed_name(&mut self, name: Ident, target: &Module, number: u32, link: &ImportLink) {
        let text = self.module.ast().names.text(name.name);
        if let Some((key, item)) = target.exports.get_key_value(text) {
            return self.bind(key, *item, number, link, name.span);
        }
        let message = if link.public {
            format!("Re-export error: '{text}' is not exported by '{}'", link.path)
        } else if target.items.contains_key(text) {
            format!("Import error: '{text}' is not exported by {}", link.shown)
        } else {
            format!("Import error: '{text}' is not defined in {}", link.shown)
        };
        let preflight = message.clone();
        self.error(name.span, message, preflight);
    }

    fn bind(&mut self, name: &Arc<str>, item: ItemRef, number: u32, link: &ImportLink, span: Span) {
        // A cycle of re-exports brings a module its own names back.
        if item.module == self.index {
            return;
        }
        if link.public && self.module.items.get(name).is_some_and(|own| self.exports_own(name, *own)) {
            let text = format!(
                "Re-export collision: '{name}' is defined here and also re-exported from '{}'",
                link.path
            );
            return self.error(span, text.clone(), text);
        }
        match self.names.get(name) {
            // The identical declaration by two ways is one name.
            Some(known) if known.item == item => {}
            Some(known) if known.item.kind.is_value() && item.kind.is_value() => {
                let first = self.module.imports.get(known.import as usize).map_or("", |l| &l.path);
                let preflight =
                    format!("import collision — '{name}' is exported by both '{first}' and '{}'", link.path);
                self.error(
                span,
                format!(
                    "Import collision: '{name}' is already defined when importing {}. Use selective imports to \
                     disambiguate: import {{ {name} }} from \"...\"",
                    link.shown
                ),
                preflight,
                );
            }
            _ => {
                self.names.insert(name.clone(), Imported { item, import: number });
            }
        }
    }

    fn exports_own(&self, name: &str, own: ItemRef) -> bool {
        self.module.exports.get(name) == Some(&own)
    }

    fn error(&mut self, span: Span, text: String, preflight: String) {
        self.errors.push(StartError { module: self.index, span, text, preflight });
    }
}
