//! The file: its names, functions, structs and enums, imports and exports, pipelines, script body and init.
//!
//! Source: spec 02 sections 8.3, 15, 16.

use crate::Compiler;
use crate::closures::{Body, Parameters};
use crate::constants::Constants;
use crate::function::{FnState, Place, Role};
use crate::names::ModuleName;
use crate::{NameMap, NameSet};
use harn_bytecode::{
    Const, EnumDef, Export, ExportItem, ForeignMethod, Function, FunctionKind, Global, Import, Op, Param,
    Pipeline as PipelineEntry, StructDef,
};
use harn_syntax::ast::{Block, DeclKind, Ident, Pipeline, Stmt, StmtKind, Symbol};
use harn_types::graph::{ItemKind, ItemRef, Module, ModuleGraph, ModuleIndex, Origin};

/// Names that the host of a run may bind (spec 02 section 15.2): loaded like builtins.
const RUNTIME_GLOBALS: &[&str] = &[
    "argv",
    "pi",
    "e",
    "skills",
    "mcp",
    "prompt",
    "context",
    "stream",
    "event_log",
    "workflow",
    "trust",
    "task",
    "project",
];
/// More unshared top-level variables of a script than this stand in globals.
const SCRIPT_REGISTERS: usize = 100;

impl<'a> Compiler<'a> {
    /// Starts on a module.
    pub(crate) fn new(graph: &'a ModuleGraph, index: ModuleIndex, module: &'a Module) -> Self {
        let is_prelude = module.key.starts_with("prelude/");
        Compiler {
            graph,
            index,
            module,
            survey: crate::survey::survey(module.ast()),
            fns: Vec::new(),
            functions: Vec::new(),
            consts: Constants::default(),
            out: harn_bytecode::Module {
                path: module.key.to_string(),
                display_path: module.source.path().to_owned(),
                line_starts: module.source.line_starts().to_vec(),
                hidden: is_prelude,
                ..harn_bytecode::Module::default()
            },
            builtin_index: NameMap::default(),
            module_names: NameMap::default(),
            enums: NameSet::default(),
            methods: NameMap::default(),
            constructors: NameMap::default(),
            diagnostics: Vec::new(),
            is_library: is_prelude || module.origin == Origin::Std || module.key.starts_with("std/"),
            probes: false,
            grown: None,
            underscore: module.ast().names.get("_"),
            placeholders: Vec::new(),
            groups: 0,
            immutable_so_far: NameSet::default(),
            ready: NameSet::default(),
        }
    }

    /// The text of a name.
    pub(crate) fn text(&self, name: Symbol) -> &'a str {
        self.module.ast().names.text(name)
    }

    /// The index of a text constant.
    pub(crate) fn str_const(&mut self, text: &str) -> i32 {
        self.consts.text(text)
    }

    /// The index of a builtin in the module's list.
    pub(crate) fn builtin(&mut self, name: &str) -> i32 {
        if let Some(known) = self.builtin_index.get(name) {
            return *known;
        }
        let index = self.out.builtins.len() as i32;
        self.out.builtins.push(name.to_owned());
        self.builtin_index.insert(name.to_owned(), index);
        index
    }

    /// Whether the host may bind this name.
    pub(crate) fn is_runtime_global(&self, name: Symbol) -> bool {
        RUNTIME_GLOBALS.contains(&self.text(name))
    }

    /// Loads a runtime global.
    pub(crate) fn load_runtime_global(&mut self, name: &str, dst: u8) -> bool {
        if !RUNTIME_GLOBALS.contains(&name) {
            return false;
        }
        let index = self.builtin(name);
        self.emit(Op::LoadBuiltin, dst, 0, 0, index);
        true
    }

    /// Takes the next function number.
    pub(crate) fn reserve_function(&mut self) -> u32 {
        self.functions.push(Function::default());
        self.functions.len() as u32 - 1
    }

    /// Whether a file variable has its value where code is being emitted.
    pub(crate) fn is_ready(&self, index: u32) -> bool {
        let top = self.fns.first().map(|f| f.role);
        !matches!(top, Some(Role::Script | Role::Init)) || self.ready.contains(&index)
    }

    /// The file variable has its value from here on.
    pub(crate) fn set_ready(&mut self, index: u32) {
        self.ready.insert(index);
    }

    /// The key of the module that declares a struct of this name.
    pub(crate) fn struct_module(&self, name: Symbol) -> Option<String> {
        if self.survey.structs.iter().any(|(known, _)| known.name == name) {
            return Some(self.out.path.clone());
        }
        let item = self.module.resolve(self.text(name))?;
        if item.kind != ItemKind::Struct {
            return None;
        }
        self.graph.module(item.module).map(|home| home.key.to_string())
    }

    /// The name of a struct.
    pub(crate) fn struct_name(&self, name: Symbol) -> String {
        self.text(name).to_owned()
    }

    /// The function that a struct's name is as a value.
    pub(crate) fn constructor(&mut self, name: Symbol) -> Option<u32> {
        if let Some(known) = self.constructors.get(&name) {
            return Some(*known);
        }
        let module = self.struct_module(name)?;
        let text = self.struct_name(name);
        let index = self.reserve_function();
        let function = Function {
            name: text.clone(),
            params: vec![Param { name: "fields".to_owned(), has_default: false }],
            ..Function::default()
        };
        let span = self.fns.last().map(|f| f.code.span).unwrap_or_default();
        let mut state = FnState::new(function, Role::Named);
        state.code.span = span;
        self.fns.push(state);
        self.placeholders.push(None);
        let fields = self.temp();
        let value = self.temp();
        let shape = self.constant(Const::Struct { module, name: text, fields: Vec::new() });
        self.emit(Op::StructDict, value, fields, 0, shape);
        self.emit(Op::Return, value, 0, 0, 0);
        self.finish_function(index);
        self.constructors.insert(name, index);
        Some(index)
    }

    /// Compiles everything.
    pub(crate) fn file(&mut self) {
        let ast = self.module.ast();
        let pipelines: Vec<&'a Pipeline> = ast
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                StmtKind::Decl(decl) => match &decl.kind {
                    DeclKind::Pipeline(pipeline) => Some(pipeline),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let is_script = self.module.origin == Origin::Entry
            && !self.is_library
            && (pipelines.is_empty() || self.grown.is_some());
        self.import_names();
        self.declare_types();
        let functions = self.declare_functions();
        self.declare_globals(is_script);
        for (index, decl) in functions {
            self.body(
                index,
                Body {
                    name: self.text(decl.name.name).to_owned(),
                    params: Parameters::Full(&decl.params),
                    block: &decl.body,
                    role: Role::Named,
                    value: false,
                    stream: decl.is_gen,
                    captures: Vec::new(),
                    group: None,
                    self_name: None,
                },
            );
        }
        self.impls();
        if is_script {
            let index = self.top_level(Role::Script, true);
            self.out.script = Some(index);
        } else if self.has_init() {
            let index = self.top_level(Role::Init, false);
            self.out.init = Some(index);
        }
        for pipeline in &pipelines {
            self.pipeline(pipeline, &pipelines);
        }
        self.exports();
        self.out.consts = std::mem::take(&mut self.consts.values);
        self.out.functions = std::mem::take(&mut self.functions);
    }

    /// What imports bind, and the modules to load first.
    fn import_names(&mut self) {
        let module = self.module;
        for link in &module.imports {
            let Some(target) = link.target.and_then(|target| self.graph.module(target)) else { continue };
            if !self.out.dependencies.iter().any(|known| **known == *target.key) {
                self.out.dependencies.push(target.key.to_string());
            }
        }
        let mut imported: Vec<_> = module.imported.iter().collect();
        imported.sort_by(|x, y| x.0.cmp(y.0));
        for (name, imported) in imported {
            // A name that the file never mentions needs no import.
            let Some(symbol) = module.ast().names.get(name) else { continue };
            self.import(symbol, imported.item);
        }
    }

    fn import(&mut self, name: Symbol, item: ItemRef) {
        let known = match item.kind {
            ItemKind::Fn => ModuleName::Import(self.import_item(item)),
            ItemKind::Tool | ItemKind::Skill | ItemKind::EvalPack => {
                ModuleName::ImportedValue(self.import_item(item))
            }
            ItemKind::Struct => ModuleName::Struct,
            ItemKind::Enum => {
                self.enums.insert(name);
                return;
            }
            ItemKind::Pipeline | ItemKind::TypeAlias | ItemKind::Interface => return,
        };
        self.module_names.insert(name, known);
    }

    /// The import of a declaration of another module, under its own name there.
    fn import_item(&mut self, item: ItemRef) -> u32 {
        let module = self.graph.module(item.module).map_or(String::new(), |home| home.key.to_string());
        let name = self
            .graph
            .decl(item)
            .and_then(|decl| harn_types::graph::declared(&decl.kind))
            .and_then(|(ident, _)| {
                self.graph.module(item.module).map(|home| home.ast().names.text(ident.name))
            })
            .unwrap_or("")
            .to_owned();
        let import = Import { module, name };
        if let Some(known) = self.out.imports.iter().position(|known| *known == import) {
            return known as u32;
        }
        self.out.imports.push(import);
        self.out.imports.len() as u32 - 1
    }

    fn declare_types(&mut self) {
        for (name, fields) in self.survey.structs.clone() {
            let fields = fields.iter().map(|field| self.text(field.name.name).to_owned()).collect();
            let def = StructDef { name: self.text(name.name).to_owned(), fields, methods: Vec::new() };
            self.out.structs.retain(|known| known.name != def.name);
            self.out.structs.push(def);
            self.module_names.insert(name.name, ModuleName::Struct);
        }
        for (name, variants) in self.survey.enums.clone() {
            let variants = variants
                .iter()
                .map(|variant| {
                    let fields =
                        variant.fields.iter().map(|field| self.text(field.name.name).to_owned()).collect();
                    (self.text(variant.name.name).to_owned(), fields)
                })
                .collect();
            let def = EnumDef { name: self.text(name.name).to_owned(), variants };
            self.out.enums.retain(|known| known.name != def.name);
            self.out.enums.push(def);
            self.enums.insert(name.name);
        }
    }

    fn declare_functions(&mut self) -> Vec<(u32, &'a harn_syntax::ast::FnDecl)> {
        let mut out = Vec::new();
        for item in &self.module.ast().items {
            if let StmtKind::Decl(decl) = &item.kind
                && let DeclKind::Fn(function) = &decl.kind
            {
                let index = self.reserve_function();
                self.module_names.insert(function.name.name, ModuleName::Function(index));
                out.push((index, function));
            }
        }
        out
    }

    fn declare_globals(&mut self, is_script: bool) {
        let mut unshared = 0;
        let mut names: Vec<(Symbol, bool)> = Vec::new();
        let items = self.module.ast().items.as_slice();
        let (ran, items) = items.split_at(self.ran());
        self.remember_globals(ran);
        for item in items {
            global_names(item, &mut |name, mutable| names.push((name, mutable)));
        }
        for (name, mutable) in names {
            if Some(name) == self.underscore {
                continue;
            }
            if let Some(ModuleName::Global { index, mutable: known }) = self.module_names.get(&name).copied()
            {
                let mutable = mutable || known;
                self.module_names.insert(name, ModuleName::Global { index, mutable });
                if let Some(global) = self.out.globals.get_mut(index as usize) {
                    global.mutable = mutable;
                }
                continue;
            }
            if is_script && self.grown.is_none() && !self.survey.is_shared(name) {
                unshared += 1;
                if unshared <= SCRIPT_REGISTERS {
                    continue;
                }
            }
            let index = self.out.globals.len() as u32;
            self.out.globals.push(Global { name: self.text(name).to_owned(), mutable });
            self.module_names.insert(name, ModuleName::Global { index, mutable });
        }
    }

    /// How many of the file's items have run before.
    fn ran(&self) -> usize {
        let from = self.grown.map_or(0, |grown| grown.from);
        self.module.ast().items.partition_point(|item| item.span.start < from)
    }

    /// The variables that the module had before, and what their names mean now.
    fn remember_globals(&mut self, ran: &'a [Stmt]) {
        let Some(grown) = self.grown else { return };
        self.out.globals = grown.globals.to_vec();
        let places: NameMap<&str, u32> =
            grown.globals.iter().zip(0u32..).map(|(global, index)| (global.name.as_str(), index)).collect();
        let mut names = Vec::new();
        ran.iter().for_each(|item| global_names(item, &mut |name, mutable| names.push((name, mutable))));
        for (name, mutable) in names {
            if let Some(index) = places.get(self.text(name)) {
                self.module_names.insert(name, ModuleName::Global { index: *index, mutable });
                self.ready.insert(*index);
            }
        }
    }

    fn impls(&mut self) {
        let impls = self.survey.impls.clone();
        let mut compiled = Vec::new();
        for (target, methods) in &impls {
            for method in *methods {
                let index = self.reserve_function();
                let has_self =
                    method.function.params.first().is_some_and(|param| self.text(param.name.name) == "self");
                self.methods.insert((target.name, method.function.name.name), (index, has_self));
                compiled.push((*target, &method.function, index));
            }
        }
        for (target, function, index) in compiled {
            let name = self.text(function.name.name).to_owned();
            let struct_name = self.text(target.name);
            if let Some(def) = self.out.structs.iter_mut().find(|def| def.name == struct_name) {
                def.methods.retain(|(known, _)| *known != name);
                def.methods.push((name.clone(), index));
            } else if let Some((module, type_name)) = self.foreign_type(target.name) {
                self.out.impls.push(ForeignMethod { module, type_name, name: name.clone(), function: index });
            }
            self.body(
                index,
                Body {
                    name,
                    params: Parameters::Full(&function.params),
                    block: &function.body,
                    role: Role::Named,
                    value: false,
                    stream: function.is_gen,
                    captures: Vec::new(),
                    group: None,
                    self_name: None,
                },
            );
        }
    }

    /// The module and name of an imported struct, or the name of an enum, that an `impl` block speaks of.
    fn foreign_type(&self, name: Symbol) -> Option<(String, String)> {
        let text = self.text(name);
        if self.out.enums.iter().any(|known| known.name == text) {
            return Some((String::new(), text.to_owned()));
        }
        let item = self.module.resolve(text)?;
        let home = self.graph.module(item.module)?;
        let (declared, _) = harn_types::graph::declared(&self.graph.decl(item)?.kind)?;
        let type_name = home.ast().names.text(declared.name).to_owned();
        match item.kind {
            ItemKind::Struct => Some((home.key.to_string(), type_name)),
            ItemKind::Enum => Some((String::new(), type_name)),
            _ => None,
        }
    }

    /// Whether anything at the top level has to be evaluated.
    fn has_init(&self) -> bool {
        self.module.ast().items.iter().any(|item| match &item.kind {
            StmtKind::Let(_) => true,
            StmtKind::Decl(decl) => {
                !decl.attributes.is_empty()
                    || matches!(decl.kind, DeclKind::Tool(_) | DeclKind::Skill { .. } | DeclKind::EvalPack(_))
            }
            _ => false,
        })
    }

    /// The function of the top level: a script's statements, or the variables and then the declarations of a library.
    fn top_level(&mut self, role: Role, script: bool) -> u32 {
        let index = self.reserve_function();
        let name = if script { "" } else { "(init)" };
        let mut state = FnState::new(Function { name: name.to_owned(), ..Function::default() }, role);
        state.index = index;
        self.fns.push(state);
        self.placeholders.push(None);
        self.reserve_spill(self.survey.bindings);
        self.immutable_so_far.clear();
        for item in &self.module.ast().items {
            if let StmtKind::Decl(decl) = &item.kind
                && let DeclKind::Fn(function) = &decl.kind
            {
                if self.immutable_so_far.contains(&function.name.name) {
                    self.at(function.name.span);
                    self.raise_redeclared(function.name.name);
                }
                self.immutable_so_far.insert(function.name.name);
            }
        }
        let items = &self.module.ast().items;
        if script {
            let from = self.ran();
            self.statements(items.get(from..).unwrap_or_default(), None);
        } else {
            for item in items.iter().filter(|item| matches!(item.kind, StmtKind::Let(_))) {
                self.statement(item);
            }
            for item in items.iter().filter(|item| matches!(item.kind, StmtKind::Decl(_))) {
                self.statement(item);
            }
        }
        self.emit(Op::ReturnNil, 0, 0, 0, 0);
        self.finish_function(index);
        index
    }

    /// A pipeline with the bodies it inherits.
    fn pipeline(&mut self, pipeline: &'a Pipeline, all: &[&'a Pipeline]) {
        let mut chain = vec![pipeline];
        while let Some(parent) = chain.last().and_then(|child| child.parent) {
            let child = chain.last().map_or("", |child| self.text(child.name.name));
            let found = all.iter().find(|known| known.name.name == parent.name);
            match found {
                Some(found) if chain.len() <= all.len() => chain.push(found),
                _ => {
                    let message =
                        format!("pipeline '{child}' extends unknown pipeline '{}'", self.text(parent.name));
                    return self.error("HARN2109", &message, parent.span);
                }
            }
        }
        let index = self.reserve_function();
        let name = self.text(pipeline.name.name).to_owned();
        let mut state = FnState::new(Function { name: name.clone(), ..Function::default() }, Role::Named);
        state.index = index;
        state.code.span = pipeline.body.span;
        let yields =
            chain.iter().any(|part| self.survey.body(&part.body).is_some_and(|f| f.yields || f.emits));
        state.generator = yields;
        if yields {
            state.function.kind = FunctionKind::Generator;
        }
        self.fns.push(state);
        self.placeholders.push(None);
        let mut params: Vec<Ident> = pipeline.params.clone();
        for ancestor in chain.iter().skip(1) {
            for param in &ancestor.params {
                if !params.iter().any(|known| known.name == param.name) {
                    params.push(*param);
                }
            }
        }
        for param in &params {
            let name = self.text(param.name).to_owned();
            self.f().function.params.push(Param { name, has_default: false });
            let register = self.temp();
            self.bind(param.name, Place::Register(register), false);
        }
        self.f().scope += 1;
        let bindings =
            chain.iter().filter_map(|part| self.survey.body(&part.body)).map(|facts| facts.bindings).sum();
        self.reserve_spill(bindings);
        let result = self.temp();
        let overrides = self.overrides(&chain);
        for (position, part) in chain.iter().enumerate().rev() {
            let own = position == 0;
            let before = self.f().locals.len();
            let visible: Vec<(Symbol, u32)> = overrides
                .iter()
                .filter(|(from, _, _)| *from < position)
                .rev()
                .map(|(_, name, function)| (*name, *function))
                .collect();
            for (name, function) in &visible {
                self.bind(*name, Place::Function(*function), true);
            }
            self.statements(&part.body.stmts, own.then_some(result));
            // Overrides are seen by inherited bodies only; variables of an ancestor stay visible.
            let f = self.f();
            let at = before.min(f.locals.len());
            let tail: Vec<_> = f.locals.split_off(at).into_iter().skip(visible.len()).collect();
            f.locals.extend(tail);
        }
        self.emit(Op::Return, result, 0, 0, 0);
        self.finish_function(index);
        let test = self.module.ast().items.iter().any(|item| match &item.kind {
            StmtKind::Decl(decl) => {
                matches!(&decl.kind, DeclKind::Pipeline(known) if known.name == pipeline.name)
                    && decl.attributes.iter().any(|attribute| self.text(attribute.name.name) == "test")
            }
            _ => false,
        });
        self.out.pipelines.push(PipelineEntry { name, function: index, test });
    }

    /// The `override`s of a chain of pipelines, the most derived first: position, name, function.
    fn overrides(&mut self, chain: &[&'a Pipeline]) -> Vec<(usize, Symbol, u32)> {
        let mut out = Vec::new();
        for (position, part) in chain.iter().enumerate() {
            let declared: Vec<(Ident, &'a Vec<Ident>, &'a Block)> = part
                .body
                .stmts
                .iter()
                .filter_map(|stmt| match &stmt.kind {
                    StmtKind::Decl(decl) => match &decl.kind {
                        DeclKind::Override { name, params, body } => Some((*name, params, body)),
                        _ => None,
                    },
                    _ => None,
                })
                .collect();
            for (name, params, block) in declared {
                let index = self.reserve_function();
                self.body(
                    index,
                    Body {
                        name: self.text(name.name).to_owned(),
                        params: Parameters::Bare(params.clone()),
                        block,
                        role: Role::Named,
                        value: false,
                        stream: false,
                        captures: Vec::new(),
                        group: None,
                        self_name: None,
                    },
                );
                out.push((position, name.name, index));
            }
        }
        out
    }

    fn exports(&mut self) {
        let module = self.module;
        for (name, item) in &module.exports {
            let own = item.module == self.index;
            let exported = match item.kind {
                ItemKind::Fn if own => self.function_of(name).map(ExportItem::Function),
                ItemKind::Tool | ItemKind::Skill | ItemKind::EvalPack if own => {
                    self.getter(name).map(ExportItem::Function)
                }
                ItemKind::Fn | ItemKind::Tool | ItemKind::Skill | ItemKind::EvalPack => {
                    Some(ExportItem::Import(self.import_item(*item)))
                }
                _ => None,
            };
            if let Some(item) = exported {
                self.out.exports.push(Export { name: name.to_string(), item });
            }
        }
        // The prelude calls its private functions by name from the registry.
        if self.out.hidden {
            self.export_all();
        }
    }

    fn export_all(&mut self) {
        let mut names: Vec<(&'a str, u32)> = self
            .module_names
            .iter()
            .filter_map(|(name, known)| match known {
                ModuleName::Function(index) => Some((self.text(*name), *index)),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        for (name, index) in names {
            if !self.out.exports.iter().any(|export| export.name == name) {
                self.out.exports.push(Export { name: name.to_owned(), item: ExportItem::Function(index) });
            }
        }
    }

    fn function_of(&self, name: &str) -> Option<u32> {
        match self.module_names.get(&self.module.ast().names.get(name)?)? {
            ModuleName::Function(index) => Some(*index),
            _ => None,
        }
    }

    /// A function that gives the value of an exported tool, skill or eval pack.
    fn getter(&mut self, name: &str) -> Option<u32> {
        let symbol = self.module.ast().names.get(name)?;
        let Some(ModuleName::Global { index: global, .. }) = self.module_names.get(&symbol).copied() else {
            return None;
        };
        let index = self.reserve_function();
        self.fns.push(FnState::new(Function { name: name.to_owned(), ..Function::default() }, Role::Named));
        self.placeholders.push(None);
        let value = self.temp();
        self.emit(Op::GetGlobal, value, 0, 0, global as i32);
        self.emit(Op::Return, value, 0, 0, 0);
        self.finish_function(index);
        Some(index)
    }
}

/// The variables that a statement of the file's own level makes, and whether they can be assigned.
fn global_names(item: &Stmt, f: &mut dyn FnMut(Symbol, bool)) {
    match &item.kind {
        StmtKind::Let(binding) => {
            crate::bindings::each_name(&binding.binding, &mut |name| f(name, binding.mutable));
        }
        StmtKind::Decl(decl) => match &decl.kind {
            DeclKind::Tool(tool) => f(tool.name.name, false),
            DeclKind::Skill { name, .. } => f(name.name, false),
            DeclKind::EvalPack(pack) => f(pack.binding.name, false),
            _ => {}
        },
        _ => {}
    }
}
