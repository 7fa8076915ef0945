//! The module graph: every file a program reaches, read and parsed once, with each imported name traced to the
//! declaration it means.
//!
//! [`load`] reads the entry and everything it imports, depth first, and links the names. What is wrong with an import
//! is not a static diagnostic: the program starts, and the first [`StartError`] is raised as a runtime error (spec 02
//! section 16).

mod in_memory;
mod link;
mod load;
mod path;

pub use in_memory::InMemory;
pub use load::{load, load_text};

use harn_syntax::ast::{Ast, Decl, DeclKind, Ident, StmtKind};
use harn_syntax::{Parsed, Source, Span};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where module texts come from: the file system, an editor's buffers, a test's table.
///
/// Paths use `/`; relative ones are relative to the process's directory.
pub trait SourceLoader {
    /// The text of a file, or the operating system's words for why not.
    fn read(&mut self, path: &str) -> Result<String, String>;
    /// The absolute path without symbolic links of an existing file or directory.
    fn canonical(&mut self, path: &str) -> Option<String>;
    /// Whether `path` is an existing file.
    fn is_file(&mut self, path: &str) -> bool;
    /// Whether anything exists at `path`.
    fn exists(&mut self, path: &str) -> bool;
    /// The text of the library module `std/<name>`; `name` comes without the `std/`.
    fn std_module(&self, name: &str) -> Option<&'static str>;
    /// The program in a text; an editor answers with what it has parsed before.
    fn parse(&mut self, path: &str, text: String) -> (Source, Arc<Parsed>) {
        let source = Source::new(path, text);
        let parsed = Arc::new(harn_syntax::parse(&source));
        (source, parsed)
    }
}

/// Number of a module in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleIndex(pub u32);

/// What an importable name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// `fn`, `gen fn`.
    Fn,
    /// `tool`.
    Tool,
    /// `pipeline`.
    Pipeline,
    /// `skill`.
    Skill,
    /// `eval_pack`.
    EvalPack,
    /// `struct`, with its impls.
    Struct,
    /// `enum`.
    Enum,
    /// `type`.
    TypeAlias,
    /// `interface`.
    Interface,
}

impl ItemKind {
    /// Whether the name exists when the program runs (aliases and interfaces do not).
    pub fn is_value(self) -> bool {
        !matches!(self, ItemKind::TypeAlias | ItemKind::Interface)
    }
}

/// A top-level declaration of some module of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemRef {
    /// The module that declares it.
    pub module: ModuleIndex,
    /// Its index in that module's `ast.items`.
    pub item: u32,
    /// What it is.
    pub kind: ItemKind,
}

/// Where a module's text lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file the program was started with.
    Entry,
    /// A file that some module imports.
    File,
    /// A library module, `std/<name>`.
    Std,
}

/// One import statement, resolved.
#[derive(Clone, Debug)]
pub struct ImportLink {
    /// Its index in `ast.items`.
    pub item: u32,
    /// The statement.
    pub span: Span,
    /// `pub import`.
    pub public: bool,
    /// The path as written.
    pub path: Arc<str>,
    /// The path read, as messages show it.
    pub shown: Arc<str>,
    /// The module, unless it could not be found, read or parsed.
    pub target: Option<ModuleIndex>,
}

/// A name that an import binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The declaration it means.
    pub item: ItemRef,
    /// Which of the module's [`Module::imports`] bound it first.
    pub import: u32,
}

/// An error that the program raises when it starts, as `Runtime error: <text>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// The module whose import is at fault.
    pub module: ModuleIndex,
    /// The import statement (or the name in it).
    pub span: Span,
    /// The message without `Runtime error: `.
    pub text: String,
    /// What `harn check` says of it, without `preflight: `.
    pub preflight: String,
}

/// One module of a program.
#[derive(Clone, Debug)]
pub struct Module {
    /// The canonical path, or `std/<name>`: one module per key.
    pub key: Arc<str>,
    /// Where the text lies.
    pub origin: Origin,
    /// The text, under the path as the user knows it.
    pub source: Source,
    /// Tree, tokens and lexical or syntax errors.
    pub parsed: Arc<Parsed>,
    /// The import statements in order.
    pub imports: Vec<ImportLink>,
    /// What they bind. A top-level declaration of the same name wins over an import.
    pub imported: HashMap<Arc<str>, Imported>,
    /// What other modules may import from this one, re-exports included.
    pub exports: BTreeMap<Arc<str>, ItemRef>,
    /// Its own top-level declarations (the last of each name; impls are not in it).
    pub items: HashMap<Arc<str>, ItemRef>,
}

impl Module {
    /// The syntax tree.
    pub fn ast(&self) -> &Ast {
        &self.parsed.ast
    }

    /// The declaration that a top-level or imported name means.
    pub fn resolve(&self, name: &str) -> Option<ItemRef> {
        self.items.get(name).copied().or_else(|| self.imported.get(name).map(|i| i.item))
    }

    /// Whether every import was found, read, parsed and gave the names asked for.
    pub fn imports_resolve(&self) -> bool {
        self.imports.iter().all(|i| i.target.is_some())
    }
}

/// A program's modules.
#[derive(Clone, Debug)]
pub struct ModuleGraph {
    /// In load order: a module comes after those it imports (but for cycles); the entry is last.
    pub modules: Vec<Module>,
    /// The module the program was started with.
    pub entry: ModuleIndex,
    /// What is wrong with imports, in the order in which the program would meet it; the first one ends the program.
    pub start_errors: Vec<StartError>,
}

impl ModuleGraph {
    /// A module; the entry for a foreign index.
    pub fn module(&self, index: ModuleIndex) -> Option<&Module> {
        self.modules.get(index.0 as usize)
    }

    /// The declaration behind a reference.
    pub fn decl(&self, item: ItemRef) -> Option<&Decl> {
        match &self.module(item.module)?.ast().items.get(item.item as usize)?.kind {
            StmtKind::Decl(decl) => Some(decl),
            _ => None,
        }
    }

    /// Modules with their indexes, in load order.
    pub fn iter(&self) -> impl Iterator<Item = (ModuleIndex, &Module)> {
        self.modules.iter().enumerate().map(|(i, m)| (ModuleIndex(i as u32), m))
    }
}

/// The name a declaration binds and what it is; nothing for impls and overrides.
pub fn declared(decl: &DeclKind) -> Option<(Ident, ItemKind)> {
    Some(match decl {
        DeclKind::Fn(f) => (f.name, ItemKind::Fn),
        DeclKind::Tool(t) => (t.name, ItemKind::Tool),
        DeclKind::Pipeline(p) => (p.name, ItemKind::Pipeline),
        DeclKind::Skill { name, .. } => (*name, ItemKind::Skill),
        DeclKind::EvalPack(e) => (e.binding, ItemKind::EvalPack),
        DeclKind::Struct { name, .. } => (*name, ItemKind::Struct),
        DeclKind::Enum { name, .. } => (*name, ItemKind::Enum),
        DeclKind::TypeAlias { name, .. } => (*name, ItemKind::TypeAlias),
        DeclKind::Interface(i) => (i.name, ItemKind::Interface),
        DeclKind::Impl { .. } | DeclKind::Override { .. } => return None,
    })
}

#[cfg(test)]
mod tests;
