//! Reading and parsing, depth first, each file once.

use super::path::{Found, find};
use super::{ImportLink, Module, ModuleGraph, ModuleIndex, Origin, SourceLoader, link};
use harn_syntax::ast::StmtKind;
use harn_syntax::{Diagnostic, Severity, one_line};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Why an import statement has no module.
pub(super) struct Failure {
    pub(super) module: u32,
    pub(super) import: u32,
    pub(super) text: String,
}

/// Reads the program that starts at `entry`.
///
/// Fails only when the entry itself cannot be read, with the operating system's words. Lexical and syntax errors of
/// the entry are in its [`super::Module::parsed`]; what is wrong with imports is in [`ModuleGraph::start_errors`].
pub fn load(entry: &str, loader: &mut dyn SourceLoader) -> Result<ModuleGraph, String> {
    let text = loader.read(entry)?;
    Ok(load_text(entry, text, loader))
}

/// As [`load`], with the entry's text already at hand (an editor's buffer, standard input).
pub fn load_text(entry: &str, text: String, loader: &mut dyn SourceLoader) -> ModuleGraph {
    let mut walk =
        Walk { loader, pending: Vec::new(), by_key: HashMap::new(), order: Vec::new(), failures: Vec::new() };
    let key = walk.loader.canonical(entry).unwrap_or_else(|| entry.to_owned());
    let root = walk.add(key.into(), Origin::Entry, entry, text);
    walk.run(root);
    walk.finish(root)
}

struct Walk<'a> {
    loader: &'a mut dyn SourceLoader,
    /// Modules in order of discovery.
    pending: Vec<Option<Module>>,
    by_key: HashMap<Arc<str>, u32>,
    /// Discovery numbers in load order.
    order: Vec<u32>,
    failures: Vec<Failure>,
}

impl Walk<'_> {
    fn add(&mut self, key: Arc<str>, origin: Origin, path: &str, text: String) -> u32 {
        let (source, parsed) = self.loader.parse(path, text);
        let imports = (0u32..)
            .zip(&parsed.ast.items)
            .filter_map(|(item, stmt)| match &stmt.kind {
                StmtKind::Import(import) => Some(ImportLink {
                    item,
                    span: stmt.span,
                    public: import.public,
                    path: import.path.clone(),
                    shown: import.path.clone(),
                    target: None,
                }),
                _ => None,
            })
            .collect();
        let number = self.pending.len() as u32;
        self.by_key.insert(key.clone(), number);
        self.pending.push(Some(Module {
            key,
            origin,
            source,
            parsed,
            imports,
            imported: HashMap::new(),
            exports: BTreeMap::new(),
            items: HashMap::new(),
        }));
        number
    }

    /// Depth first without recursion: chains of imports may be long.
    fn run(&mut self, root: u32) {
        let mut stack = vec![(root, 0u32)];
        while let Some((number, next)) = stack.last_mut() {
            let (number, import) = (*number, *next);
            *next += 1;
            let Some(request) = self.request(number, import) else {
                self.order.push(number);
                stack.pop();
                continue;
            };
            match self.resolve(request) {
                Resolved::Known { target, shown } => self.connect(number, import, target, shown),
                Resolved::New { target, shown } => {
                    self.connect(number, import, target, shown);
                    if self.broken(target).is_none() {
                        stack.push((target, 0));
                    } else {
                        self.order.push(target);
                    }
                }
                Resolved::Failed { shown, text } => {
                    if let Some(link) = self.link_mut(number, import) {
                        link.shown = shown.into();
                    }
                    self.failures.push(Failure { module: number, import, text });
                }
            }
        }
    }

    fn connect(&mut self, number: u32, import: u32, target: u32, shown: Arc<str>) {
        let broken = self.broken(target);
        if let Some(link) = self.link_mut(number, import) {
            link.shown = shown;
            // Discovery number for now; `finish` turns it into the load order.
            link.target = broken.is_none().then_some(ModuleIndex(target));
        }
        if let Some(text) = broken {
            self.failures.push(Failure { module: number, import, text });
        }
    }

    fn link_mut(&mut self, number: u32, import: u32) -> Option<&mut ImportLink> {
        self.pending.get_mut(number as usize)?.as_mut()?.imports.get_mut(import as usize)
    }

    fn request(&self, number: u32, import: u32) -> Option<Request> {
        let module = self.pending.get(number as usize)?.as_ref()?;
        let link = module.imports.get(import as usize)?;
        Some(Request { importer: module.source.path().to_owned(), path: link.path.clone() })
    }

    /// The start error of a module that does not parse.
    fn broken(&self, number: u32) -> Option<String> {
        let module = self.pending.get(number as usize)?.as_ref()?;
        let first = module.parsed.diagnostics.iter().find(|d| d.severity == Severity::Error)?;
        Some(import_failure(first, module))
    }

    fn resolve(&mut self, request: Request) -> Resolved {
        if let Some(name) = request.path.strip_prefix("std/") {
            return self.resolve_std(&request.path, name);
        }
        match find(&request.importer, &request.path, self.loader) {
            Found::File(shown) => {
                let key: Arc<str> = self.loader.canonical(&shown).unwrap_or_else(|| shown.clone()).into();
                if let Some(&target) = self.by_key.get(&key) {
                    return Resolved::Known { target, shown: shown.into() };
                }
                match self.loader.read(&shown) {
                    Ok(text) => {
                        let target = self.add(key, Origin::File, &shown, text);
                        Resolved::New { target, shown: shown.into() }
                    }
                    Err(why) => cannot_read(shown, &why),
                }
            }
            Found::Missing(shown) => {
                let why = match self.loader.read(&shown) {
                    Err(why) => why,
                    Ok(_) => "not a regular file".to_owned(),
                };
                cannot_read(shown, &why)
            }
        }
    }

    fn resolve_std(&mut self, path: &Arc<str>, name: &str) -> Resolved {
        if let Some(&target) = self.by_key.get(path) {
            return Resolved::Known { target, shown: path.clone() };
        }
        match self.loader.std_module(name) {
            Some(text) => {
                let target = self.add(path.clone(), Origin::Std, path, text.to_owned());
                Resolved::New { target, shown: path.clone() }
            }
            None => {
                Resolved::Failed { shown: path.to_string(), text: format!("Unknown stdlib module: {path}") }
            }
        }
    }

    fn finish(self, root: u32) -> ModuleGraph {
        let mut place = vec![0u32; self.pending.len()];
        for (index, number) in (0u32..).zip(&self.order) {
            if let Some(slot) = place.get_mut(*number as usize) {
                *slot = index;
            }
        }
        let new = |number: u32| ModuleIndex(place.get(number as usize).copied().unwrap_or(0));
        let mut pending = self.pending;
        let mut modules: Vec<Module> =
            self.order.iter().filter_map(|n| pending.get_mut(*n as usize).and_then(Option::take)).collect();
        for module in &mut modules {
            for link in &mut module.imports {
                link.target = link.target.map(|t| new(t.0));
            }
        }
        let failures = self
            .failures
            .into_iter()
            .map(|f| Failure { module: new(f.module).0, import: f.import, text: f.text })
            .collect();
        let mut graph = ModuleGraph { modules, entry: new(root), start_errors: Vec::new() };
        link::link(&mut graph, failures);
        graph
    }
}

struct Request {
    importer: String,
    path: Arc<str>,
}

enum Resolved {
    Known { target: u32, shown: Arc<str> },
    New { target: u32, shown: Arc<str> },
    Failed { shown: String, text: String },
}

fn cannot_read(shown: String, why: &str) -> Resolved {
    let text = format!("Import error: cannot read '{shown}': {why}");
    Resolved::Failed { shown, text }
}

/// `Import parse error: Expected ), got id(x) at 1:2 in lib/x.harn`.
fn import_failure(first: &Diagnostic, module: &Module) -> String {
    let lexical = first.label.as_deref() == Some("here");
    let kind = if lexical { "lex" } else { "parse" };
    let line = one_line(first, &module.source);
    format!("Import {kind} error: {line} in {}", module.source.path())
}
