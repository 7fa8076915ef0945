//! The compiler: a module graph in, one [`harn_bytecode::Module`] per file out.
//!
//! The main way through: [`compile`] surveys the file (`survey`: what every body takes from outside), then emits
//! function by function (`module` for the file; `statements`, `expressions`, `calls`, `closures`, `control`, `patterns`,
//! ... for bodies) into a [`code::Code`] whose jumps name labels, and lays each function out with explicit ownership
//! (`ownership`: last uses move, dead values are dropped).
//!
//! Nothing is a global side effect: compiling a module reads the graph and gives a module or diagnostics.
//!
//! Source: spec 02; design notes, performance 3.2 to 3.9.

#![forbid(unsafe_code)]

mod assignment;
mod bindings;
mod calls;
mod closures;
mod code;
mod constants;
mod control;
mod deferred;
mod expressions;
mod function;
mod module;
mod names;
mod operators;
mod ownership;
mod patterns;
mod registers;
mod statements;
mod survey;
mod tasks;
mod tools;
mod types;

use constants::Constants;
use function::FnState;
use harn_bytecode::Function;
use harn_syntax::Diagnostic;
use harn_syntax::ast::{NameHash, Symbol};
use harn_types::graph::{Module, ModuleGraph, ModuleIndex};
use names::ModuleName;
use std::collections::{HashMap, HashSet};
use survey::Survey;

/// Tables by names and symbols.
type NameMap<K, V> = HashMap<K, V, NameHash>;
type NameSet<K> = HashSet<K, NameHash>;

/// Compiles one module of a graph. The graph's entry becomes a program (script body or pipelines), every other module a
/// library whose init evaluates its top-level variables.
///
/// The errors are those of spec 01 section 8.4: what no stage before finds.
pub fn compile(graph: &ModuleGraph, module: ModuleIndex) -> Result<harn_bytecode::Module, Vec<Diagnostic>> {
    compile_with(graph, module, Options::default())
}

/// What the compiler may be asked for beside the program itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// Puts a `Probe` before every statement, so that the lines that are reached can be counted. Library modules get
    /// none.
    pub probes: bool,
    /// The entry is a script that has run up to some place: only what comes after it is run by the code.
    pub grown: Option<Grown<'a>>,
}

/// What an entry that grows was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown<'a> {
    /// Its variables, in order; of several with one name the last counts. Those that are declared after `from` come
    /// behind them.
    pub globals: &'a [harn_bytecode::Global],
    /// Statements that begin before this byte have run.
    pub from: u32,
}

/// [`compile`] with options.
pub fn compile_with<'a>(
    graph: &'a ModuleGraph,
    module: ModuleIndex,
    options: Options<'a>,
) -> Result<harn_bytecode::Module, Vec<Diagnostic>> {
    let Some(source) = graph.module(module) else { return Ok(harn_bytecode::Module::default()) };
    let mut compiler = Compiler::new(graph, module, source);
    compiler.probes = options.probes && !compiler.is_library;
    compiler.grown = options.grown;
    compiler.file();
    if compiler.diagnostics.is_empty() { Ok(compiler.out) } else { Err(compiler.diagnostics) }
}

/// One module being compiled.
struct Compiler<'a> {
    graph: &'a ModuleGraph,
    index: ModuleIndex,
    module: &'a Module,
    survey: Survey<'a>,
    /// The functions being emitted, outermost first.
    fns: Vec<FnState<'a>>,
    functions: Vec<Function>,
    consts: Constants,
    out: harn_bytecode::Module,
    builtin_index: NameMap<String, i32>,
    module_names: NameMap<Symbol, ModuleName>,
    /// Names that `Name.Variant` constructs: enums of this file and imported ones.
    enums: NameSet<Symbol>,
    /// Impl methods by struct and name: function, and whether it takes `self`.
    methods: NameMap<(Symbol, Symbol), (u32, bool)>,
    constructors: NameMap<Symbol, u32>,
    diagnostics: Vec<Diagnostic>,
    /// The prelude and `std/` modules may name internal builtins.
    is_library: bool,
    /// Whether statements are counted.
    probes: bool,
    /// What the module was before, when it grows.
    grown: Option<Grown<'a>>,
    underscore: Option<Symbol>,
    /// The piped value that `_` means, innermost last; none where `_` is an ordinary name.
    placeholders: Vec<Option<u8>>,
    /// How many groups of nested functions there are.
    groups: u32,
    /// Top-level names declared immutable so far, while the top level is being emitted.
    immutable_so_far: NameSet<Symbol>,
    /// Globals that have their value, while the top level is being emitted.
    ready: NameSet<u32>,
}

#[cfg(test)]
mod tests;
