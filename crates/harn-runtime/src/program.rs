//! From source text to a program that can be stepped: graph, checks, bytecode, registry, VM.

use crate::code_cache::{self, CodeCache, Compiled};
use crate::natives;
use harn_compiler::{compile, compile_with};
use harn_syntax::{Diagnostic, Severity, Source};
use harn_types::graph::{self, InMemory, ModuleGraph, ModuleIndex, SourceLoader};
use harn_vm::{
    Body, Entry, Fiber, Limits, NativeCtx, NativeResult, Registry, TraceFrame, Value, Vm, VmError,
};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a program is given besides its text.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `argv`.
    pub args: Vec<String>,
    /// What its values may grow to.
    pub limits: Limits,
    /// The pipeline or function to start instead of the one that `run` picks.
    pub entry: Option<String>,
    /// Builtins that the program and the `std/` modules may not use (spec 06 section 13.1).
    pub denied: BTreeSet<String>,
    /// Whether the lines that are reached are counted (`Vm::line_hits`).
    pub probes: bool,
    /// Where compiled code is kept between runs; `None` compiles every time.
    pub cache: Option<Rc<dyn CodeCache>>,
}

/// A program ready to run.
pub struct Program {
    /// The machine with every module loaded.
    pub vm: Vm,
    /// The root task.
    pub root: Fiber,
    /// Sources, for reports, and trees, which are empty when the code came from the cache.
    pub graph: Rc<ModuleGraph>,
    /// What the checks had to say that does not stop the program.
    pub warnings: Vec<(ModuleIndex, Diagnostic)>,
    /// Whether the entry is a script, whose last value is not its result (spec 02 section 15.3).
    pub is_script: bool,
}

/// Why a program cannot start.
pub enum Refusal {
    /// The entry cannot be read: the operating system's words.
    Unreadable(String),
    /// Static errors (and warnings), each in its module.
    Static(Rc<ModuleGraph>, Vec<(ModuleIndex, Diagnostic)>),
    /// Errors of the compiler in a program that passed the checks: printed as `compile error`.
    Compile(Rc<ModuleGraph>, Vec<(ModuleIndex, Diagnostic)>),
    /// An error that the program raises before its first statement (an import that fails).
    Start(Rc<ModuleGraph>, Box<VmError>),
}

/// Loads the program in `text`, known as `path`; imports come through `loader`.
pub fn load(
    path: &str,
    text: String,
    loader: &mut dyn SourceLoader,
    options: Options,
) -> Result<Program, Refusal> {
    let cache = options.cache.clone();
    let Compiled { graph, warnings, modules } = front(path, text, loader, cache.as_deref(), options.probes)?;
    let graph = Rc::new(graph);
    let denied = Rc::new(options.denied);
    let mut vm = machine(&options.args, options.limits, &denied, cache);
    for mut module in modules {
        refuse_builtins(&mut module, &denied);
        if let Err(refusal) = vm.load(module) {
            return Err(Refusal::Start(graph, VmError::runtime(format!("invalid code: {refusal}"))));
        }
    }
    let key = graph.module(graph.entry).map(|module| module.key.to_string()).unwrap_or_default();
    let pipeline = match &options.entry {
        Some(name) => Some(name.clone()),
        None => entry_pipeline(&vm, &key),
    };
    let (entry, is_script) = match &pipeline {
        Some(name) if vm.pipeline(&key, name).is_none() => (Entry::Function(name), false),
        Some(name) => (Entry::Pipeline(name), false),
        None => (Entry::Script, true),
    };
    match vm.program(&key, entry, Vec::new()) {
        Ok(root) => Ok(Program { vm, root, graph, warnings, is_script }),
        Err(error) => Err(Refusal::Start(graph, error)),
    }
}

/// A machine without modules that finds those of the library by itself.
pub(crate) fn machine(
    args: &[String],
    limits: Limits,
    denied: &Rc<BTreeSet<String>>,
    cache: Option<Rc<dyn CodeCache>>,
) -> Vm {
    let mut registry = registry();
    for name in denied.iter() {
        registry.named_builtin(&format!("{REFUSED}{name}"), Body::Native(refuse));
    }
    let mut vm = Vm::new(Rc::new(registry), limits);
    if !denied.is_empty() {
        // Guests compile library modules by themselves, without these bodies.
        vm.stay_home();
    }
    let for_library = denied.clone();
    vm.set_loader(Box::new(move |key| {
        let mut module = code_cache::library(cache.as_deref(), key, || load_library(key))?;
        if key.starts_with("std/") {
            refuse_builtins(&mut module, &for_library);
        }
        Ok(module)
    }));
    vm.set_global("argv", Value::list(args.iter().map(|arg| Value::str(arg)).collect()));
    vm
}

/// From text to code: out of the cache, or through the whole front end and into the cache.
fn front(
    path: &str,
    text: String,
    loader: &mut dyn SourceLoader,
    cache: Option<&dyn CodeCache>,
    probes: bool,
) -> Result<Compiled, Refusal> {
    // Code with probes in it is made for one run.
    let Some(cache) = cache.filter(|_| !probes) else {
        return compiled(graph::load_text(path, text, loader), probes);
    };
    let key = code_cache::program_key(path, &text);
    if let Some(found) = code_cache::find(cache, &key, &text, loader) {
        return Ok(found);
    }
    let mut recorder = code_cache::Recorder::new(loader);
    let made = compiled(graph::load_text(path, text, &mut recorder), probes)?;
    code_cache::keep(cache, &key, recorder, &made);
    Ok(made)
}

/// Checks and compiles the modules of a graph.
fn compiled(graph: ModuleGraph, probes: bool) -> Result<Compiled, Refusal> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        static_diagnostics(&graph).into_iter().partition(|(_, d)| d.severity == Severity::Error);
    if !errors.is_empty() {
        let found = warnings.into_iter().chain(errors).collect();
        return Err(Refusal::Static(Rc::new(graph), found));
    }
    if let Some(error) = graph.start_errors.first() {
        let raised = start_error(&graph, error);
        return Err(Refusal::Start(Rc::new(graph), raised));
    }
    let mut modules = Vec::with_capacity(graph.modules.len());
    for index in (0u32..).map(ModuleIndex).take(graph.modules.len()) {
        match compile_with(&graph, index, harn_compiler::Options { probes, grown: None }) {
            Ok(module) => modules.push(module),
            Err(diagnostics) => {
                let found = diagnostics.into_iter().map(|d| (index, d)).collect();
                return Err(Refusal::Compile(Rc::new(graph), found));
            }
        }
    }
    Ok(Compiled { graph, warnings, modules })
}

/// The pipeline that `run` starts: the one named `default`, else the first (spec 02 section 15.1).
fn entry_pipeline(vm: &Vm, key: &str) -> Option<String> {
    let module = vm.module(key)?;
    let default = module.pipelines.iter().find(|pipeline| pipeline.name == "default");
    default.or_else(|| module.pipelines.first()).map(|pipeline| pipeline.name.clone())
}

/// Everything that the front end has to say about a graph: syntax of the entry first, then names and types.
fn static_diagnostics(graph: &ModuleGraph) -> Vec<(ModuleIndex, Diagnostic)> {
    let entry = graph.entry;
    let syntax: Vec<_> = graph
        .module(entry)
        .map(|module| module.parsed.diagnostics.iter().cloned().map(|d| (entry, d)).collect())
        .unwrap_or_default();
    if syntax.iter().any(|(_, d)| d.severity == Severity::Error) {
        return syntax;
    }
    syntax.into_iter().chain(harn_types::check(graph)).collect()
}

pub(crate) fn start_error(graph: &ModuleGraph, error: &graph::StartError) -> Box<VmError> {
    let mut raised = VmError::runtime(error.text.clone());
    if let Some(module) = graph.module(error.module) {
        raised.trace.push(frame_at(&module.source, &module.key, error.span.start, error.span.end));
    }
    raised
}

/// A trace frame for a place of a source.
pub fn frame_at(source: &Source, key: &str, start: u32, end: u32) -> TraceFrame {
    let position = source.position(start);
    TraceFrame {
        module: key.to_owned(),
        path: source.path().to_owned(),
        start,
        end,
        line: position.line,
        column: position.column,
        ..TraceFrame::default()
    }
}

/// All builtins and methods: those of the standard library, of the scheduler and of the agent loop.
pub fn registry() -> Registry {
    let mut registry = harn_stdlib::registry();
    for (name, body) in natives::natives() {
        registry.builtin(name, Body::Native(body));
    }
    registry.method("channel", "iter", Body::Native(natives::channel_iter));
    registry
}

/// What the names of refused builtins begin with; no program can write it.
const REFUSED: &str = "refused ";

/// Binds the denied builtins of a module to bodies that refuse.
pub(crate) fn refuse_builtins(module: &mut harn_bytecode::Module, denied: &BTreeSet<String>) {
    for name in &mut module.builtins {
        if denied.contains(name) {
            *name = format!("{REFUSED}{name}");
        }
    }
}

fn refuse(cx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    let name = cx.builtin_name();
    let name = name.strip_prefix(REFUSED).unwrap_or(name);
    Err(VmError::categorised("tool_rejected", format!("Tool '{name}' is not permitted.")))
}

/// What a machine on another thread needs besides the program's code.
pub(crate) fn guest_outfit() -> (Registry, harn_vm::Loader) {
    (registry(), Box::new(load_library))
}

/// Compiles a library module when code first needs it.
fn load_library(key: &str) -> Result<harn_bytecode::Module, String> {
    let text = harn_stdlib::prelude_module(key)
        .or_else(|| harn_stdlib::std_module(key))
        .ok_or_else(|| format!("Unknown stdlib module: {key}"))?;
    // Library modules import only each other.
    let graph = graph::load_text(key, text.to_owned(), &mut InMemory::new(harn_stdlib::std_module));
    let Some(module) = graph.module(graph.entry) else { return Err(format!("{key} is empty")) };
    if let Some(diagnostic) = module.parsed.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        return Err(format!("{key}: {}", diagnostic.message));
    }
    compile(&graph, graph.entry).map_err(|diagnostics| {
        let texts: Vec<_> = diagnostics.iter().map(|d| d.message.as_str()).collect();
        format!("{key}: {}", texts.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use harn_builtins::Body as Place;

    #[test]
    fn every_native_row_has_a_body() {
        let registry = registry();
        let builtins = harn_builtins::builtins().iter().filter(|row| row.body == Place::Native);
        let methods = harn_builtins::methods().iter().filter(|row| row.body == Place::Native);
        let missing: Vec<String> = builtins
            .filter(|row| registry.find_builtin(row.name).is_none())
            .map(|row| row.name.to_owned())
            .chain(
                methods
                    .filter(|row| registry.find_method(row.on, row.name).is_none())
                    .map(|row| format!("{}.{}", row.on, row.name)),
            )
            .collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_library_module_compiles() {
        let modules = harn_stdlib::prelude_modules().iter().chain(harn_stdlib::std_modules());
        let failed: Vec<String> = modules.filter_map(|(key, _)| load_library(key).err()).collect();
        assert_eq!(failed, Vec::<String>::new());
    }
}
