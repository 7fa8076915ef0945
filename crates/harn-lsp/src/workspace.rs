//! What the server knows: buffers, parsed files, and analyses of the programs that open files start.

use crate::files::{Files, Settings};
use crate::text::{self, Encoding, LineIndex};
use crate::uri;
use harn_syntax::ast::{Import, StmtKind};
use harn_syntax::{Diagnostic, Parsed, Source, Span, TokenKind};
use harn_types::Options;
use harn_types::graph::{Module, ModuleGraph, ModuleIndex, Origin, SourceLoader, load_text};
use harn_types::index::{Index, Place, Target, index};
use harn_types::lint::{Finding, lint};
use lsp_types::{Location, Range, TextDocumentContentChangeEvent, Uri};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// An open file.
pub struct Document {
    /// As the editor names it.
    pub uri: Uri,
    /// Of the last change.
    pub version: i32,
    /// What the editor shows.
    pub text: String,
}

/// A program as it stands, seen from one of its files.
pub struct Analysis {
    /// Its modules; the entry is the file asked about.
    pub graph: ModuleGraph,
    /// Names and types of the entry.
    pub index: Index,
    /// What is wrong with the entry.
    pub diagnostics: Vec<Diagnostic>,
    /// What the lint rules say; empty while the entry does not parse.
    pub findings: Vec<Finding>,
    /// Lines of the entry.
    pub lines: LineIndex,
}

impl Analysis {
    /// The file asked about.
    pub fn entry(&self) -> Option<&Module> {
        self.graph.module(self.graph.entry)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.entry().map_or("", |m| m.source.text())
    }
}

/// A declaration, whichever program it is seen from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The module's key: its canonical path.
    pub module: Arc<str>,
    /// The name in the declaration.
    pub name: Span,
}

/// The whole.
pub struct Workspace {
    files: Box<dyn Files>,
    /// By canonical path.
    documents: HashMap<String, Document>,
    /// Canonical paths of URIs, so that the disk is asked once.
    paths: HashMap<String, String>,
    parsed: HashMap<String, (Source, Arc<Parsed>)>,
    analyses: HashMap<String, Rc<Analysis>>,
    roots: Vec<String>,
    /// Programs below the roots, once asked for.
    programs: Option<Vec<String>>,
    /// Names that programs import, by the stem of the imported path.
    imported: Option<HashMap<String, HashSet<String>>>,
    /// What positions count.
    pub encoding: Encoding,
}

/// The most parsed files that are kept beside the open ones.
const MAX_PARSED: usize = 4000;

impl Workspace {
    /// A workspace below `roots`.
    pub fn new(files: Box<dyn Files>, roots: Vec<String>, encoding: Encoding) -> Workspace {
        Workspace {
            files,
            documents: HashMap::new(),
            paths: HashMap::new(),
            parsed: HashMap::new(),
            analyses: HashMap::new(),
            roots,
            programs: None,
            imported: None,
            encoding,
        }
    }

    /// The canonical path of a document.
    pub fn path(&mut self, uri: &Uri) -> String {
        if let Some(known) = self.paths.get(uri.as_str()) {
            return known.clone();
        }
        let path = uri::to_path(uri);
        let canonical = self.files.canonical(&path).unwrap_or(path);
        self.paths.insert(uri.as_str().to_owned(), canonical.clone());
        canonical
    }

    /// The URI of a path: an open document's own, else the plain one.
    pub fn uri(&self, path: &str) -> Option<Uri> {
        match self.documents.get(path) {
            Some(document) => Some(document.uri.clone()),
            None => uri::of_path(path),
        }
    }

    /// An open document.
    pub fn document(&self, path: &str) -> Option<&Document> {
        self.documents.get(path)
    }

    /// Opens a document, or replaces it.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) -> String {
        let path = self.path(&uri);
        self.documents.insert(path.clone(), Document { uri, version, text });
        self.changed(&path);
        self.imported = None;
        path
    }

    /// Applies the changes of one notification in order; nothing for a document that is not open.
    pub fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
    ) -> Option<String> {
        let path = self.path(uri);
        let encoding = self.encoding;
        let document = self.documents.get_mut(&path)?;
        document.version = version;
        for change in changes {
            text::apply(&mut document.text, change, encoding);
        }
        self.changed(&path);
        Some(path)
    }

    /// Closes a document: the file on disk counts again.
    pub fn close(&mut self, uri: &Uri) -> Option<String> {
        let path = self.path(uri);
        self.documents.remove(&path)?;
        self.parsed.remove(&path);
        self.paths.remove(uri.as_str());
        self.changed(&path);
        self.imported = None;
        Some(path)
    }

    /// Files on disk came, went or changed.
    pub fn disk_changed(&mut self) {
        self.analyses.clear();
        self.paths.clear();
        self.programs = None;
        self.imported = None;
    }

    /// Adds and removes roots.
    pub fn change_roots(&mut self, added: Vec<String>, removed: &[String]) {
        self.roots.retain(|r| !removed.contains(r));
        self.roots.extend(added);
        self.disk_changed();
    }

    /// Forgets the analyses that `path` may matter to.
    fn changed(&mut self, path: &str) {
        self.analyses.retain(|entry, analysis| {
            entry != path
                && analysis.graph.start_errors.is_empty()
                && !analysis.graph.modules.iter().any(|m| &*m.key == path)
        });
    }

    /// The open documents without a current analysis, sorted.
    pub fn stale(&self) -> Vec<String> {
        let mut stale: Vec<String> =
            self.documents.keys().filter(|p| !self.analyses.contains_key(*p)).cloned().collect();
        stale.sort();
        stale
    }

    /// What the project of a file configures.
    pub fn settings(&mut self, path: &str) -> Settings {
        self.files.settings(path)
    }

    fn loader(&mut self) -> Overlay<'_> {
        Overlay {
            files: &mut *self.files,
            documents: &self.documents,
            parsed: &mut self.parsed,
            patched: None,
        }
    }

    /// The text of a file: the buffer, else the disk.
    pub fn text(&mut self, path: &str) -> Option<String> {
        self.loader().read(path).ok()
    }

    /// The program that starts at a file, with another text in its place; nothing of it is kept.
    pub fn graph_with(&mut self, path: &str, text: String) -> ModuleGraph {
        let mut loader = self.loader();
        loader.patched = Some(path.to_owned());
        load_text(path, text, &mut loader)
    }

    /// The program that starts at a file.
    pub fn graph(&mut self, path: &str) -> Option<ModuleGraph> {
        let text = self.text(path)?;
        Some(load_text(path, text, &mut self.loader()))
    }

    /// The analysis of an open file, made when there is none.
    pub fn analysis(&mut self, path: &str) -> Option<Rc<Analysis>> {
        if let Some(known) = self.analyses.get(path) {
            return Some(known.clone());
        }
        if self.parsed.len() > MAX_PARSED {
            let documents = &self.documents;
            self.parsed.retain(|p, _| documents.contains_key(p));
        }
        let graph = self.graph(path)?;
        let settings = self.files.settings(path);
        let options = Options { strict_types: settings.strict_types };
        let (types, index) = index(&graph, graph.entry, options);
        let entry = graph.module(graph.entry)?;
        let mut diagnostics = entry.parsed.diagnostics.clone();
        let mut findings = Vec::new();
        if !entry.parsed.has_errors() {
            diagnostics.extend(types);
            let mut lint_options = settings.lint;
            lint_options.used_elsewhere = self.imported_from(path);
            findings = lint(&graph, graph.entry, &lint_options);
            let told = |rule: &str| {
                matches!(rule, "undefined-function" | "break-outside-loop" | "dead-code-after-return")
            };
            findings.retain(|f| !told(f.rule));
            for error in graph.start_errors.iter().filter(|e| e.module == graph.entry) {
                diagnostics.push(Diagnostic {
                    severity: harn_syntax::Severity::Error,
                    code: "preflight",
                    message: error.preflight.clone(),
                    span: error.span,
                    label: None,
                    help: None,
                });
            }
        }
        let lines = LineIndex::new(entry.source.text());
        let analysis = Rc::new(Analysis { graph, index, diagnostics, findings, lines });
        if self.documents.contains_key(path) {
            self.analyses.insert(path.to_owned(), analysis.clone());
        }
        Some(analysis)
    }

    /// Names and types of any file; what is wrong with it is only known while it is open.
    pub fn names(&mut self, path: &str) -> Option<Rc<Analysis>> {
        if self.documents.contains_key(path) {
            return self.analysis(path);
        }
        let graph = self.graph(path)?;
        let (_, index) = index(&graph, graph.entry, Options::default());
        let lines = LineIndex::new(graph.module(graph.entry)?.source.text());
        let analysis = Analysis { graph, index, diagnostics: Vec::new(), findings: Vec::new(), lines };
        Some(Rc::new(analysis))
    }

    /// Every program of the workspace, open documents included, sorted.
    pub fn programs(&mut self) -> Vec<String> {
        if self.programs.is_none() {
            let mut found = BTreeSet::new();
            for root in &self.roots {
                for path in self.files.programs(root) {
                    found.insert(self.files.canonical(&path).unwrap_or(path));
                }
            }
            self.programs = Some(found.into_iter().collect());
        }
        let mut programs: BTreeSet<String> = self.programs.iter().flatten().cloned().collect();
        programs.extend(self.documents.keys().cloned());
        programs.into_iter().collect()
    }

    /// The library modules, without their `std/`.
    pub fn library(&self) -> Vec<&'static str> {
        self.files.library()
    }

    /// Source and tree of a file.
    pub fn parsed(&mut self, path: &str) -> Option<(Source, Arc<Parsed>)> {
        let text = self.text(path)?;
        Some(self.loader().parse(path, text))
    }

    /// The names that other programs of the workspace import from `path`.
    fn imported_from(&mut self, path: &str) -> HashSet<String> {
        if self.imported.is_none() {
            let mut all: HashMap<String, HashSet<String>> = HashMap::new();
            for program in self.programs() {
                let Some((source, parsed)) = self.parsed(&program) else { continue };
                for stmt in &parsed.ast.items {
                    if let StmtKind::Import(import) = &stmt.kind {
                        let names = all.entry(stem(&import.path).to_owned()).or_default();
                        names.extend(names_of(import, &source, &parsed));
                    }
                }
            }
            self.imported = Some(all);
        }
        self.imported.as_ref().and_then(|all| all.get(stem(path))).cloned().unwrap_or_default()
    }

    /// The key of a declaration.
    pub fn key(graph: &ModuleGraph, place: Place) -> Option<Key> {
        Some(Key { module: graph.module(place.module)?.key.clone(), name: place.name })
    }

    /// Where a declaration stands; nothing for library modules, which are no files.
    pub fn location(&self, graph: &ModuleGraph, module: ModuleIndex, span: Span) -> Option<Location> {
        let module = graph.module(module)?;
        if module.origin == Origin::Std {
            return None;
        }
        let text = module.source.text();
        let range = LineIndex::new(text).range(text, span, self.encoding);
        Some(Location { uri: self.uri(&module.key)?, range })
    }

    /// A span of the analysed file as the editor counts.
    pub fn range(&self, analysis: &Analysis, span: Span) -> Range {
        analysis.lines.range(analysis.text(), span, self.encoding)
    }
}

/// What an occurrence means, whichever program it is seen from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A declaration.
    Declared(Key),
    /// Anything else, by its text.
    Named(String),
}

impl Meaning {
    /// The meaning of a target.
    pub fn of(graph: &ModuleGraph, target: &Target) -> Option<Meaning> {
        Some(match target {
            Target::Place(place) => Meaning::Declared(Workspace::key(graph, *place)?),
            Target::Builtin(name) => Meaning::Named(format!("builtin {name}")),
            Target::Namespace(name) => Meaning::Named(format!("namespace {name}")),
            Target::Method { on, name } => Meaning::Named(format!("method {on}.{name}")),
            Target::Key => return None,
            Target::Module(module) => Meaning::Named(format!("module {}", graph.module(*module)?.key)),
        })
    }
}

/// `b` of `a/b.harn`.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".harn").unwrap_or(name)
}

/// The names an import lists; of a wildcard import every word of the importing file.
fn names_of(import: &Import, source: &Source, parsed: &Parsed) -> Vec<String> {
    match &import.names {
        Some(names) => names.iter().map(|n| parsed.ast.names.text(n.name).to_owned()).collect(),
        None => {
            let words = parsed.tokens.iter().filter(|t| t.kind == TokenKind::Ident);
            words.map(|t| source.slice(t.span).to_owned()).collect()
        }
    }
}

/// Buffers before the disk, and every file parsed once.
struct Overlay<'w> {
    files: &'w mut dyn Files,
    documents: &'w HashMap<String, Document>,
    parsed: &'w mut HashMap<String, (Source, Arc<Parsed>)>,
    /// The path whose text is a passing one.
    patched: Option<String>,
}

impl SourceLoader for Overlay<'_> {
    fn read(&mut self, path: &str) -> Result<String, String> {
        if let Some(document) = self.documents.get(path) {
            return Ok(document.text.clone());
        }
        let canonical = self.canonical(path);
        match canonical.and_then(|p| self.documents.get(&p)) {
            Some(document) => Ok(document.text.clone()),
            None => self.files.read(path),
        }
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        if self.documents.contains_key(path) {
            return Some(path.to_owned());
        }
        self.files.canonical(path).or_else(|| {
            // A buffer that was never saved.
            let plain = plain(path);
            self.documents.contains_key(&plain).then_some(plain)
        })
    }

    fn is_file(&mut self, path: &str) -> bool {
        self.documents.contains_key(&plain(path)) || self.files.is_file(path)
    }

    fn exists(&mut self, path: &str) -> bool {
        self.documents.contains_key(&plain(path)) || self.files.exists(path)
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        self.files.std_module(name)
    }

    fn parse(&mut self, path: &str, text: String) -> (Source, Arc<Parsed>) {
        if let Some((source, parsed)) = self.parsed.get(path)
            && source.text() == text
        {
            return (source.clone(), parsed.clone());
        }
        let source = Source::new(path, text);
        let parsed = Arc::new(harn_syntax::parse(&source));
        if self.patched.as_deref() != Some(path) {
            self.parsed.insert(path.to_owned(), (source.clone(), parsed.clone()));
        }
        (source, parsed)
    }
}

/// A path without `.` and `..` segments.
fn plain(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            "" if !segments.is_empty() => {}
            ".." if segments.last().is_some_and(|s| !s.is_empty() && *s != "..") => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}
