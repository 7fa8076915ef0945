//! A program that grows while it runs (`harn repl`, spec 09 section 2.7): each entry is checked and compiled with the
//! declarations before it, and only the entry runs, on the machine that holds their values.
//!
//! The text of the program is that of all entries, one below the other, each at a place of its own. Of an entry that
//! has run only declarations stay; all else, and whatever a later entry declares anew, is made blank.

use crate::program;
use crate::run::{Ending, Run, Surroundings};
use harn_bytecode::Global;
use harn_compiler::{Grown, compile_with};
use harn_syntax::ast::{Ast, Binding, Ident, Stmt, StmtKind};
use harn_syntax::{Diagnostic, Severity, Source, Span, parse};
use harn_types::graph::{self, ModuleGraph, ModuleIndex, Origin, SourceLoader, declared};
use harn_types::index::index;
use harn_vm::{Entry as Start, TraceFrame, Value, VmError};
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// What the program is called: the path of its one module.
pub const PATH: &str = "<repl>";

/// A program and its run so far.
pub struct Dialogue {
    run: Run,
    denied: Rc<BTreeSet<String>>,
    /// The program's text so far.
    text: String,
    entries: Vec<Entry>,
    /// Its variables so far, by their places; those of entries that failed have no name.
    globals: Vec<Global>,
    /// How many values of expressions were kept.
    values: u32,
    /// Modules whose warnings have been told.
    told: HashSet<Arc<str>>,
}

/// What was entered once.
struct Entry {
    /// Where it begins in the program.
    base: u32,
    /// As it was entered.
    source: Source,
    /// What was put into it, so that the value of its last expression is kept.
    inserted: Option<Insertion>,
}

#[derive(Clone, Copy)]
struct Insertion {
    at: u32,
    length: u32,
}

impl Entry {
    /// A place of the program as a place of what was entered.
    fn place(&self, offset: u32) -> u32 {
        let local = offset.saturating_sub(self.base);
        let local = match self.inserted {
            Some(Insertion { at, length }) if local > at => local.saturating_sub(length).max(at),
            _ => local,
        };
        local.min(self.source.text().len() as u32)
    }

    fn diagnostic(&self, diagnostic: Diagnostic) -> Finding {
        let span = Span::new(self.place(diagnostic.span.start), self.place(diagnostic.span.end));
        Finding { source: self.source.clone(), diagnostic: Diagnostic { span, ..diagnostic } }
    }
}

/// A diagnostic and the text it speaks of.
pub struct Finding {
    /// The text.
    pub source: Source,
    /// What is to be said.
    pub diagnostic: Diagnostic,
}

/// Why an entry does not run.
pub enum Objection {
    /// Static errors, and warnings.
    Static(Vec<Finding>),
    /// An error of the compiler: `compile error`.
    Compile(Vec<Finding>),
    /// An error that is raised before the first statement (an import that fails).
    Start(Box<VmError>),
}

/// An entry that can run.
pub struct Ready {
    /// What the checks had to say.
    pub warnings: Vec<Finding>,
    fiber: harn_vm::Fiber,
    /// The text of the program with the entry, if it succeeds.
    text: String,
    globals: Vec<Global>,
    expression: Option<Expression>,
}

/// An entry whose last statement is an expression.
struct Expression {
    name: String,
    ty: Option<Arc<str>>,
    /// Where it stands in the program.
    span: Span,
}

/// How an entry ended.
pub enum Reply {
    /// It has no value, or `nil`.
    Done,
    /// Its last statement is an expression, whose value the program keeps.
    Value {
        /// `_1`, `_2`, ...
        name: String,
        /// The inferred type, when something is known.
        ty: Option<Arc<str>>,
        /// The value.
        value: Value,
    },
    /// An error that nothing caught.
    Failed(Box<VmError>),
    /// A signal stopped it.
    Interrupted,
    /// It called `exit`.
    Exit(i64),
}

impl Dialogue {
    /// A program without an entry. `options` are those of a program that is run; nothing is kept in the code cache but
    /// library modules.
    pub fn new(options: program::Options, surroundings: Surroundings) -> Dialogue {
        let denied = Rc::new(options.denied);
        let vm = program::machine(&options.args, options.limits, &denied, options.cache);
        Dialogue {
            run: Run::of_entries(vm, surroundings),
            denied,
            text: String::new(),
            entries: Vec::new(),
            globals: Vec::new(),
            values: 0,
            told: HashSet::new(),
        }
    }

    /// The rules of the run.
    pub fn run(&mut self) -> &mut Run {
        &mut self.run
    }

    /// The text of the program so far: what an editor would see above the next entry.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Ends the program: no entry follows.
    pub fn leave(&mut self) {
        self.run.leave();
    }

    /// Checks and compiles an entry.
    ///
    /// # Errors
    /// The reasons why it does not run; the program is as it was.
    pub fn read(&mut self, text: &str, loader: &mut dyn SourceLoader) -> Result<Ready, Objection> {
        let number = self.entries.len() + 1;
        let source = Source::new(format!("<repl:{number}>"), text);
        let alone = parse(&source);
        let mut entry = Entry { base: self.text.len() as u32, source, inserted: None };
        let name = format!("_{}", self.values + 1);
        let (own, value) = with_value(text, &alone.ast, &name);
        if value.is_some() && !alone.has_errors() {
            entry.inserted = value;
        }
        let own = if entry.inserted.is_some() { own } else { text.to_owned() };
        let base = entry.base;
        let before = without(&self.text, &names_of(&alone.ast));
        let whole = format!("{before}{own}\n");
        // Whatever comes of it, its place stays taken: code and errors refer to it.
        let place = whole.get(base as usize..).unwrap_or_default();
        self.text.push_str(&blanked(place, Span::new(0, place.len() as u32)));
        self.entries.push(entry);
        self.compile(whole, base, &name, loader)
    }

    fn compile(
        &mut self,
        whole: String,
        base: u32,
        value: &str,
        loader: &mut dyn SourceLoader,
    ) -> Result<Ready, Objection> {
        let graph = graph::load_text(PATH, whole, loader);
        let Some(module) = graph.module(graph.entry) else {
            return Err(Objection::Static(Vec::new()));
        };
        let syntax: Vec<Finding> = self.of_last(base, module.parsed.diagnostics.clone());
        if has_errors(&syntax) {
            return Err(Objection::Static(syntax));
        }
        let (diagnostics, names) = index(&graph, graph.entry, harn_types::Options::default());
        let mut findings = self.warnings_of_imports(&graph);
        findings.extend(syntax);
        findings.extend(self.of_last(base, diagnostics));
        if has_errors(&findings) {
            return Err(Objection::Static(findings));
        }
        if let Some(error) = graph.start_errors.first() {
            return Err(Objection::Start(self.placed(program::start_error(&graph, error))));
        }
        let last = module.ast().items.last();
        let inserted = self.entries.last().is_some_and(|entry| entry.inserted.is_some());
        let expression = last.filter(|_| inserted).map(|last| Expression {
            name: value.to_owned(),
            ty: names.locals.iter().rfind(|local| &*local.name == value).and_then(|local| local.ty.clone()),
            span: last.span,
        });
        let text = declarations(module.source.text(), &module.ast().items, base);
        let globals = self.load(&graph, base)?;
        // Until it has succeeded nobody can name its variables.
        let known = self.globals.len();
        self.globals
            .extend(globals.iter().skip(known).map(|global| Global { name: String::new(), ..*global }));
        let fiber = self.run.vm().program(PATH, Start::Script, Vec::new());
        let fiber = fiber.map_err(|error| Objection::Start(self.placed(error)))?;
        self.told.extend(graph.modules.iter().map(|module| module.key.clone()));
        Ok(Ready { warnings: findings, fiber, text, globals, expression })
    }

    /// Brings the code of the entry, and of modules that are new, to the machine. Gives the program's variables.
    fn load(&mut self, graph: &ModuleGraph, base: u32) -> Result<Vec<Global>, Objection> {
        let grown = Grown { globals: &self.globals, from: base };
        let refused = |refusal: harn_bytecode::Refusal| {
            Objection::Start(VmError::runtime(format!("invalid code: {refusal}")))
        };
        let mut made = Vec::new();
        for index in (0u32..).map(ModuleIndex).take(graph.modules.len()) {
            let is_entry = index == graph.entry;
            let known = graph.module(index).is_some_and(|m| self.run.vm().is_loaded(&m.key));
            if known && !is_entry {
                continue;
            }
            let options = harn_compiler::Options { probes: false, grown: is_entry.then_some(grown) };
            let mut module = compile_with(graph, index, options)
                .map_err(|found| Objection::Compile(self.anywhere(graph, index, found)))?;
            program::refuse_builtins(&mut module, &self.denied);
            made.push((module, is_entry));
        }
        let mut globals = Vec::new();
        for (module, is_entry) in made {
            if is_entry {
                globals.clone_from(&module.globals);
                self.run.vm().grow(module).map_err(refused)?;
            } else {
                self.run.vm().load(module).map_err(refused)?;
            }
        }
        Ok(globals)
    }

    /// Runs an entry.
    pub fn run_entry(&mut self, ready: Ready) -> Reply {
        let Ready { fiber, mut text, globals, expression, .. } = ready;
        let reply = match self.run.enter(fiber) {
            Ending::Value(_) => None,
            Ending::Failed(error) => Some(Reply::Failed(self.placed(error))),
            Ending::Signal(_) => Some(Reply::Interrupted),
            Ending::Exit(code) => Some(Reply::Exit(code)),
            // Only runs that may be suspended end so.
            Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => Some(Reply::Interrupted),
        };
        if let Some(reply) = reply {
            return reply;
        }
        self.globals = globals;
        let value = expression.and_then(|expression| {
            let value = self.run.vm().variable(PATH, &expression.name).filter(|value| !value.is_nil());
            if value.is_none() {
                text = blanked(&text, expression.span);
            }
            Some((expression, value?))
        });
        self.text = text;
        match value {
            Some((expression, value)) => {
                self.values += 1;
                Reply::Value { name: expression.name, ty: expression.ty, value }
            }
            None => Reply::Done,
        }
    }

    /// The text of an entry, by the path that its errors show.
    pub fn source(&self, path: &str) -> Option<&Source> {
        self.entries.iter().map(|entry| &entry.source).rfind(|source| source.path() == path)
    }

    /// What is said of the last entry. What is now wrong with earlier ones shows when they are used.
    fn of_last(&self, base: u32, found: Vec<Diagnostic>) -> Vec<Finding> {
        let Some(entry) = self.entries.last() else { return Vec::new() };
        found.into_iter().filter(|d| d.span.start >= base).map(|d| entry.diagnostic(d)).collect()
    }

    fn warnings_of_imports(&self, graph: &ModuleGraph) -> Vec<Finding> {
        let mut all = Vec::new();
        for (index, module) in graph.iter() {
            if index == graph.entry || module.origin == Origin::Std || self.told.contains(&module.key) {
                continue;
            }
            let found = harn_types::check_module(graph, index, harn_types::Options::default());
            all.extend(found.into_iter().map(|diagnostic| Finding {
                source: module.source.clone(),
                diagnostic: Diagnostic { severity: Severity::Warning, ..diagnostic },
            }));
        }
        all
    }

    /// Diagnostics of a module at their places: for the program itself, of the entries they are in.
    fn anywhere(&self, graph: &ModuleGraph, index: ModuleIndex, found: Vec<Diagnostic>) -> Vec<Finding> {
        let place = |diagnostic: Diagnostic| {
            if index == graph.entry {
                return self.entry_at(diagnostic.span.start).map(|entry| entry.diagnostic(diagnostic));
            }
            Some(Finding { source: graph.module(index)?.source.clone(), diagnostic })
        };
        found.into_iter().filter_map(place).collect()
    }

    fn entry_at(&self, offset: u32) -> Option<&Entry> {
        let after = self.entries.partition_point(|entry| entry.base <= offset);
        self.entries.get(after.checked_sub(1)?)
    }

    /// An error whose frames name the entries instead of the program's one module.
    fn placed(&self, mut error: Box<VmError>) -> Box<VmError> {
        for frame in error.trace.iter_mut().filter(|frame| frame.module == PATH) {
            self.place_frame(frame);
        }
        error
    }

    fn place_frame(&self, frame: &mut TraceFrame) {
        let Some(entry) = self.entry_at(frame.start) else { return };
        frame.start = entry.place(frame.start);
        frame.end = entry.place(frame.end);
        let position = entry.source.position(frame.start);
        (frame.line, frame.column) = (position.line, position.column);
        entry.source.path().clone_into(&mut frame.path);
        entry.source.path().clone_into(&mut frame.module);
    }
}

fn has_errors(found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.diagnostic.severity == Severity::Error)
}

/// The text of an entry with the value of its last expression bound to a name, if it ends with one.
fn with_value(text: &str, ast: &Ast, name: &str) -> (String, Option<Insertion>) {
    let Some(Stmt { kind: StmtKind::Expr(_), span }) = ast.items.last() else {
        return (text.to_owned(), None);
    };
    let at = span.start as usize;
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else {
        return (text.to_owned(), None);
    };
    let binding = format!("let {name} = ");
    let length = binding.len() as u32;
    (format!("{before}{binding}{after}"), Some(Insertion { at: span.start, length }))
}

/// A text with a part made blank, byte by byte.
fn blanked(text: &str, span: Span) -> String {
    let bytes = text.bytes().enumerate().map(|(at, byte)| {
        let inside = span.start as usize <= at && at < span.end as usize;
        if inside && byte != b'\n' { b' ' } else { byte }
    });
    String::from_utf8(bytes.collect()).unwrap_or_else(|_| text.to_owned())
}

/// The program without those statements, from `base` on, that declare nothing.
fn declarations(text: &str, items: &[Stmt], base: u32) -> String {
    let stays = |kind: &StmtKind| matches!(kind, StmtKind::Let(_) | StmtKind::Decl(_) | StmtKind::Import(_));
    let mut text = text.to_owned();
    for item in items.iter().filter(|item| item.span.start >= base && !stays(&item.kind)) {
        let end = item.span.end + separator(&text, item.span.end);
        text = blanked(&text, Span::new(item.span.start, end));
    }
    text
}

/// Bytes from `at` to the end of a `;` that follows on the line, which separates nothing once the statement is gone.
fn separator(text: &str, at: u32) -> u32 {
    let after = text.get(at as usize..).unwrap_or_default();
    let gap = after.len() - after.trim_start_matches([' ', '\t']).len();
    if after[gap..].starts_with(';') { gap as u32 + 1 } else { 0 }
}

/// The names that an entry declares.
fn names_of(ast: &Ast) -> HashSet<String> {
    let mut names = HashSet::new();
    for item in &ast.items {
        each_name(item, &mut |ident| {
            names.insert(ast.names.text(ident.name).to_owned());
        });
    }
    names
}

/// Calls `f` with every name that a statement declares.
fn each_name(item: &Stmt, f: &mut dyn FnMut(Ident)) {
    match &item.kind {
        StmtKind::Decl(decl) => declared(&decl.kind).into_iter().for_each(|(name, _)| f(name)),
        StmtKind::Let(item) => match &item.binding {
            Binding::Name(name) => f(*name),
            Binding::Dict { entries, rest, .. } => {
                entries.iter().for_each(|entry| f(entry.name));
                rest.iter().for_each(|rest| f(*rest));
            }
            Binding::List { elements, rest, .. } => {
                elements.iter().for_each(|element| f(element.name));
                rest.iter().for_each(|rest| f(*rest));
            }
            Binding::Pair { first, second, .. } => {
                f(*first);
                f(*second);
            }
        },
        _ => {}
    }
}

/// The program without the declarations of these names, which are declared anew. Of a pattern only the name goes: what
/// else it binds stays.
fn without(text: &str, names: &HashSet<String>) -> String {
    if names.is_empty() {
        return text.to_owned();
    }
    let parsed = parse(&Source::new(PATH, text));
    let mut out = text.to_owned();
    for item in &parsed.ast.items {
        let mut declares = Vec::new();
        each_name(item, &mut |ident| declares.push(ident));
        let gone = |ident: &&Ident| names.contains(parsed.ast.names.text(ident.name));
        if !declares.is_empty() && declares.iter().filter(gone).count() == declares.len() {
            out = blanked(&out, item.span);
            continue;
        }
        for ident in declares.iter().filter(gone) {
            let (start, end) = (ident.span.start as usize, ident.span.end as usize);
            if out.get(start..end).is_some() {
                out.replace_range(start..end, &"_".repeat(end - start));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_declared_anew_is_made_blank_in_its_place() {
        let text = "let a = 1\nfn f() {\n  return a\n}\nlet [b, c] = [2, 3]\n";
        assert_eq!(
            without(text, &names(&["a"])),
            "         \nfn f() {\n  return a\n}\nlet [b, c] = [2, 3]\n"
        );
        assert_eq!(
            without(text, &names(&["f", "b"])),
            "let a = 1\n        \n          \n \nlet [_, c] = [2, 3]\n"
        );
        assert_eq!(without(text, &names(&["z"])), text);
    }

    #[test]
    fn only_declarations_of_an_entry_stay() {
        let text = "let a = \"é\"\nprintln(a); let b = 2\na.len()\n";
        let parsed = parse(&Source::new(PATH, text));
        let kept = declarations(text, &parsed.ast.items, 0);
        assert_eq!(kept, "let a = \"é\"\n            let b = 2\n       \n");
    }

    #[test]
    fn places_behind_an_insertion_are_those_of_what_was_entered() {
        let source = Source::new("<repl:2>", "f(x)");
        let entry = Entry { base: 10, source, inserted: Some(Insertion { at: 0, length: 9 }) };
        assert_eq!([10, 15, 19, 21, 40].map(|at| entry.place(at)), [0, 0, 0, 2, 4]);
    }
}
