//! Modules and functions as plain data: what the compiler makes and the VM loads.

use crate::instruction::Instruction;

/// A half-open range of bytes of the module's source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A compiled file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// The key of the module in the program: canonical path, or `std/<name>`, or `prelude/<name>`.
    pub path: String,
    /// The path as a report shows it.
    pub display_path: String,
    /// Line starts (byte offsets) of the source, for error reports without the text.
    pub line_starts: Vec<u32>,
    /// Functions, closures and bodies of the file.
    pub functions: Vec<Function>,
    /// The constant pool, shared by all functions.
    pub consts: Vec<Const>,
    /// Top-level variables.
    pub globals: Vec<Global>,
    /// The modules that this one imports, in the order of loading: keys of [`Module::path`].
    pub dependencies: Vec<String>,
    /// What is taken from other modules.
    pub imports: Vec<Import>,
    /// What other modules may import.
    pub exports: Vec<Export>,
    /// Structs declared here.
    pub structs: Vec<StructDef>,
    /// Enums declared here.
    pub enums: Vec<EnumDef>,
    /// Methods for structs of other modules and for enums.
    pub impls: Vec<ForeignMethod>,
    /// Names of the builtins that the code calls or loads; operands index this list.
    pub builtins: Vec<String>,
    /// The function that evaluates the top level (`let`, `var`, attributes); no parameters.
    pub init: Option<u32>,
    /// The script body of an entry file without pipelines; no parameters.
    pub script: Option<u32>,
    /// Pipelines in source order.
    pub pipelines: Vec<Pipeline>,
    /// Whether frames of this module are left out of error traces (prelude).
    pub hidden: bool,
}

/// A top-level variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// Whether it was declared with `var`.
    pub mutable: bool,
}

/// A function taken from another module, linked by name when both are loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Key of the module.
    pub module: String,
    /// The exported name.
    pub name: String,
}

/// A name that importers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The name.
    pub name: String,
    /// What stands behind it.
    pub item: ExportItem,
}

/// What stands behind an exported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportItem {
    /// A function of this module.
    Function(u32),
    /// An import of this module, exported again.
    Import(u32),
}

/// A struct declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StructDef {
    /// Its name.
    pub name: String,
    /// Declared fields, in declaration order.
    pub fields: Vec<String>,
    /// Methods of its impl blocks: name and function.
    pub methods: Vec<(String, u32)>,
}

/// An enum declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumDef {
    /// Its name.
    pub name: String,
    /// Variants with the names of their declared fields.
    pub variants: Vec<(String, Vec<String>)>,
}

/// A method that an `impl` block gives to a type which is no struct of its module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignMethod {
    /// Key of the module that declares the struct; empty for an enum, which is known by its name alone.
    pub module: String,
    /// Name of the struct or enum.
    pub type_name: String,
    /// Name of the method.
    pub name: String,
    /// Its body.
    pub function: u32,
}

/// A pipeline: an entry point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// Its body; parameters are bound by name by the host.
    pub function: u32,
    /// Whether it carries `@test`.
    pub test: bool,
}

/// What calling a function does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FunctionKind {
    /// Runs the body.
    #[default]
    Plain = 0,
    /// Makes a generator.
    Generator = 1,
    /// Makes a stream.
    Stream = 2,
    /// Makes a lazy iter (stages written in the prelude).
    Iter = 3,
}

impl FunctionKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Plain,
            1 => Self::Generator,
            2 => Self::Stream,
            3 => Self::Iter,
            _ => return None,
        })
    }
}

/// One function, closure body, module init or pipeline body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// The name in traces; empty for closures.
    pub name: String,
    /// Parameters, without the rest parameter.
    pub params: Vec<Param>,
    /// Name of the rest parameter, which stands in the register after the last parameter.
    pub rest: Option<String>,
    /// What a call makes.
    pub kind: FunctionKind,
    /// Registers of a frame, including `r0` and the parameters; above 250 only wide moves reach them.
    pub registers: u16,
    /// Captures of a closure.
    pub captures: u16,
    /// The instructions; the last one never falls through.
    pub code: Vec<Instruction>,
    /// Access sites: names of fields and methods.
    pub sites: Vec<Site>,
    /// Protected ranges, innermost first.
    pub handlers: Vec<Handler>,
    /// Source spans: `(pc, span)` with ascending pc; each holds until the next.
    pub spans: Vec<(u32, Span)>,
}

/// A parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Whether it has a default: then a missing argument is `Absent` and the code starts with `JumpPresent`.
    pub has_default: bool,
}

/// A place that reads or writes a property or calls a method by name; the VM keeps an inline cache for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The name.
    pub name: String,
}

/// A protected range of code. An error raised by an instruction of `start..end`, or below a call made there, drops
/// every register from `top` up, puts the error into `error` and goes on at `target`. What is dead at `target` below
/// `top` is dropped by the code there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handler {
    /// First instruction covered.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Where to go on.
    pub target: u32,
    /// The register that receives the error; at or above `top`, or free throughout the range.
    pub error: u8,
    /// The first register to drop.
    pub top: u8,
    /// False: `error` receives what `catch` binds. True: it receives the raw error (for `finally`, `defer`, typed
    /// catch, `retry`), which `Throw` raises again unchanged and `CatchValue` turns into the bound value.
    pub raw: bool,
}

/// An entry of the constant pool.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// `nil`.
    Nil,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    /// A string.
    Str(String),
    /// Keys of a dict literal in source order, or keys to leave out.
    Keys(Vec<String>),
    /// An enum variant.
    Variant {
        /// Name of the enum.
        enum_name: String,
        /// Name of the variant.
        variant: String,
    },
    /// A struct literal: where the struct is declared, and which fields are given.
    Struct {
        /// Key of the declaring module.
        module: String,
        /// Name of the struct.
        name: String,
        /// The fields given, in source order.
        fields: Vec<String>,
    },
    /// A parameter check.
    Type(ParamCheck),
    /// The steps of a nested assignment.
    Path(Vec<PathStep>),
}

/// One step of an assignment path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// `.name`
    Field(String),
    /// `[i]`: the next key register.
    Index,
}

/// A run-time parameter check (spec 02 section 8.6).
#[derive(Clone, Debug, PartialEq)]
pub struct ParamCheck {
    /// Name of the parameter.
    pub param: String,
    /// What it must be.
    pub check: TypeCheck,
}

/// A run-time type check; aliases are expanded.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeCheck {
    /// Everything passes.
    Any,
    /// `int` or `float`, interchangeably; the label is the one written.
    Number {
        /// `int` or `float`.
        label: String,
    },
    /// A value whose `type_of` is this (`dict` also admits structs).
    Named(String),
    /// `fn(...)`: a closure or a builtin.
    Closure,
    /// Any member.
    Union(Vec<TypeCheck>),
    /// One of the listed literals.
    Literals(Vec<Const>),
    /// `list<T>`.
    List(Box<TypeCheck>),
    /// `dict<string, T>`.
    Dict(Box<TypeCheck>),
    /// A shape.
    Shape(Vec<ShapeField>),
    /// A value satisfying an interface: any struct.
    Interface(String),
}

/// A field of a shape check.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeField {
    /// The key.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// The check of its value.
    pub check: TypeCheck,
    /// The type as written, for messages.
    pub label: String,
}

impl Module {
    /// Line and column (from 1; the column in bytes) of a byte offset.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        (line as u32, offset.saturating_sub(start) + 1)
    }
}

impl Function {
    /// The span of the instruction at `pc`.
    pub fn span_at(&self, pc: u32) -> Option<Span> {
        let after = self.spans.partition_point(|(start, _)| *start <= pc);
        self.spans.get(after.checked_sub(1)?).map(|(_, span)| *span)
    }

    /// The register of the rest parameter, or of the last parameter.
    pub fn last_param(&self) -> usize {
        self.params.len() + usize::from(self.rest.is_some())
    }
}
