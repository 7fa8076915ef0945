//! The type checker: one pass over a file that infers the type of each expression, narrows variables along the flow
//! of control, and reports what spec 03 lists.
//!
//! Each expression is visited once. What is inferred is a [`Typed`]: a type, and whether it rests on knowledge that
//! the language's definition calls an improvement ("weak"). A problem found with weak knowledge is a warning, never an
//! error, so that no program is refused for being understood better (spec 03 section 5).

mod assign;
mod attributes;
mod boundary;
mod builtin_results;
mod builtins;
mod call;
mod construct;
mod decls;
mod env;
mod expr;
mod flow;
mod generics;
mod interfaces;
mod matching;
mod methods;
mod names;
mod narrow;
mod operators;
pub(crate) mod record;
mod schema;
mod stmt;
mod text_type;
mod variance;

use crate::graph::{Module, ModuleGraph, ModuleIndex, Origin};
use crate::types::{QuickMap, Ty, Types};
use decls::{Sig, TypeDecl};
use env::Env;
use harn_syntax::ast::{Ident, Symbol};
use harn_syntax::{Diagnostic, Severity, Span};
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) use boundary::SOURCES as BOUNDARY_SOURCES;
pub(crate) use builtins::is_namespace as is_namespace_name;
pub use builtins::{is_builtin_name, is_global_name};
pub(crate) use flow::stmt_exits;
pub(crate) use operators::symbol as op_symbol;

/// What the checker can be asked beyond the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Values from outside must be validated before their parts are used (spec 03 section 11.6).
    pub strict_types: bool,
}

/// The diagnostics of a program: of the entry as they are, of the files it imports as warnings (`harn run` starts a
/// program whose imports merely look wrong). Library modules are not checked.
pub fn check(graph: &ModuleGraph) -> Vec<(ModuleIndex, Diagnostic)> {
    let mut all = Vec::new();
    for (index, module) in graph.iter() {
        if module.origin == Origin::Std {
            continue;
        }
        for mut diagnostic in check_module(graph, index, Options::default()) {
            if index != graph.entry {
                diagnostic.severity = Severity::Warning;
            }
            all.push((index, diagnostic));
        }
    }
    all
}

/// The diagnostics of one file, in the order in which they are printed: deprecations, then in source order.
pub fn check_module(graph: &ModuleGraph, index: ModuleIndex, options: Options) -> Vec<Diagnostic> {
    let Some(module) = graph.module(index) else { return Vec::new() };
    let mut checker = Checker::new(graph, index, module, options);
    checker.file();
    let mut out = checker.deprecations;
    out.append(&mut checker.diagnostics);
    out
}

/// An inferred type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Typed {
    ty: Ty,
    /// Known only by an improvement over the definition's inference.
    weak: bool,
}

impl Typed {
    const FREE: Typed = Typed { ty: Ty::FREE, weak: false };

    fn sure(ty: Ty) -> Typed {
        Typed { ty, weak: false }
    }

    fn weak(ty: Ty) -> Typed {
        Typed { ty, weak: true }
    }

    fn or_weak(self, weak: bool) -> Typed {
        Typed { ty: self.ty, weak: self.weak || weak }
    }
}

/// The function, closure or file whose body is being checked.
struct Frame {
    /// Declared result; `·` when none is written.
    result: Ty,
    /// What `emit` must give; `·` when anything.
    element: Ty,
    kind: FrameKind,
    /// How many statements deep the definition's own return check does not look (loops, matches, ...).
    unlooked: u32,
    /// How many loops are open.
    loops: u32,
    /// Types thrown directly, per open `try` expression.
    thrown: Vec<Vec<Ty>>,
    /// Bounds of the type parameters in scope.
    bounds: Vec<(Rc<str>, Ty)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    File,
    Function,
    GenFunction,
    Pipeline,
    Closure,
}

struct Checker<'g> {
    graph: &'g ModuleGraph,
    index: ModuleIndex,
    module: &'g Module,
    options: Options,
    types: Types,
    decls: Vec<TypeDecl<'g>>,
    decl_ids: HashMap<usize, crate::types::DeclId>,
    sigs: Vec<Rc<Sig>>,
    sig_ids: HashMap<usize, usize>,
    /// Type declarations of this file by name, nested ones included.
    local_types: QuickMap<Symbol, crate::types::DeclId>,
    names: names::Names,
    methods: interfaces::Impls<'g>,
    expanded: QuickMap<Ty, Ty>,
    assignable: QuickMap<(Ty, Ty), bool>,
    /// Depths of the expansion and the comparison under way.
    expanding: u32,
    comparing: u32,
    builtin_types: QuickMap<&'static str, Ty>,
    row_signatures: QuickMap<&'static str, Rc<harn_builtins::Signature>>,
    env: Env,
    frames: Vec<Frame>,
    /// Type parameters in scope while types are read.
    type_params: Vec<Rc<str>>,
    /// Type parameters of the struct whose impl is being read.
    impl_params: Vec<Rc<str>>,
    /// The type whose method is being checked next.
    self_type: Option<crate::types::DeclId>,
    /// Counts reads of local variables: the definition's return check does not know them.
    local_reads: u32,
    /// What an editor wants to know of the types found.
    record: Option<Box<record::Record>>,
    deprecations: Vec<Diagnostic>,
    diagnostics: Vec<Diagnostic>,
}

impl<'g> Checker<'g> {
    fn new(graph: &'g ModuleGraph, index: ModuleIndex, module: &'g Module, options: Options) -> Self {
        Checker {
            graph,
            index,
            module,
            options,
            types: Types::default(),
            decls: Vec::new(),
            decl_ids: HashMap::new(),
            sigs: Vec::new(),
            sig_ids: HashMap::new(),
            local_types: QuickMap::default(),
            names: names::Names::default(),
            methods: interfaces::Impls::default(),
            expanded: QuickMap::default(),
            assignable: QuickMap::default(),
            expanding: 0,
            comparing: 0,
            builtin_types: QuickMap::default(),
            row_signatures: QuickMap::default(),
            env: Env::new(module.ast().names.len()),
            frames: Vec::new(),
            type_params: Vec::new(),
            impl_params: Vec::new(),
            self_type: None,
            local_reads: 0,
            record: None,
            deprecations: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    fn text(&self, symbol: Symbol) -> &'g str {
        self.module.ast().names.text(symbol)
    }

    fn name(&self, ident: Ident) -> &'g str {
        self.text(ident.name)
    }

    fn show(&self, ty: Ty) -> String {
        self.types
            .text(ty, &|id| self.decls.get(id.0 as usize).map_or_else(String::new, |d| d.name.to_string()))
    }

    fn report(&mut self, severity: Severity, code: &'static str, span: Span, message: String) {
        self.diagnostics.push(Diagnostic {
            severity,
            code,
            message,
            span,
            label: Some(String::new()),
            help: None,
        });
    }

    fn error(&mut self, code: &'static str, span: Span, message: String) {
        self.report(Severity::Error, code, span, message);
    }

    fn warn(&mut self, code: &'static str, span: Span, message: String) {
        self.report(Severity::Warning, code, span, message);
    }

    /// An error, or a warning when what is known is weak.
    fn finding(&mut self, weak: bool, code: &'static str, span: Span, message: String) {
        self.report(if weak { Severity::Warning } else { Severity::Error }, code, span, message);
    }

    fn help(&mut self, help: String) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.help = Some(help);
        }
    }
}
