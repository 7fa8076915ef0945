//! The syntax tree: what the parser builds and every later stage reads.
//!
//! The tree is plain data without positions of trivia; the full token list (with comments and blanks) stands beside
//! it in [`crate::Parsed`]. Names are interned per file: a [`Symbol`] means something only together with the
//! [`Names`] of its file. Every expression carries an [`ExprId`], dense from 0 within the file, so that later stages
//! keep side tables in vectors.
//!
//! Source: spec 01 sections 5 to 7.

#![allow(missing_docs, reason = "fields of tree nodes are named after the grammar")]

pub use crate::names::{NameHash, Names, Symbol};
use crate::source::Span;
use std::sync::Arc;

/// A name where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: Symbol,
    /// Where.
    pub span: Span,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// Declarations, imports and statements of the top level, in source order.
    pub items: Vec<Stmt>,
    /// The names that symbols of this tree refer to.
    pub names: Names,
    /// One more than the greatest [`ExprId`] used.
    pub expr_count: u32,
}

/// A braced block `{ ... }`; the span covers the braces.
#[derive(Clone, Debug)]
pub struct Block {
    /// Statements in order.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement, declaration or import.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// From its first token (attributes included) to its last.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `import ...`, top level only.
    Import(Import),
    /// A declaration with its attributes.
    Decl(Box<Decl>),
    /// `let` / `var`.
    Let(Box<Let>),
    /// `target = value`, `target += value`, ...; the target is a name, property or subscript.
    Assign(Box<Assign>),
    /// An expression for its effect or as the block's value. `if`, `match`, `try`, `retry`, `parallel`, `deadline` in
    /// statement position are expressions too.
    Expr(Expr),
    /// `for binding in iterable { ... }`.
    For(Box<For>),
    /// `while condition { ... }`.
    While { condition: Expr, body: Block },
    /// `guard condition else { ... }`.
    Guard { condition: Expr, otherwise: Block },
    /// `require condition, message`.
    Require { condition: Expr, message: Option<Box<Expr>> },
    /// `return value`.
    Return(Option<Expr>),
    /// `throw value`.
    Throw(Expr),
    /// `yield value`.
    Yield(Option<Expr>),
    /// `emit value`.
    Emit(Expr),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `defer { ... }`.
    Defer(Block),
    /// `mutex { ... }`.
    Mutex(Block),
    /// `select { ... }`.
    Select(Box<Select>),
    /// What recovery left of a statement that did not parse.
    Error,
}

/// `import "path"` or `import { a, b } from "path"`.
#[derive(Clone, Debug)]
pub struct Import {
    /// Re-exported.
    pub public: bool,
    /// The listed names; none for a wildcard import.
    pub names: Option<Vec<Ident>>,
    /// The path text, unescaped.
    pub path: Arc<str>,
    /// Where the path literal stands.
    pub path_span: Span,
}

/// A declaration, its visibility and its attributes.
#[derive(Clone, Debug)]
pub struct Decl {
    /// `@name(...)` in order.
    pub attributes: Vec<Attribute>,
    /// `pub`.
    pub public: bool,
    /// What is declared.
    pub kind: DeclKind,
    /// The HarnDoc text directly above the declaration, if any (spec 01 section 1.2).
    pub doc: Option<Arc<str>>,
}

/// The kinds of declarations.
#[derive(Clone, Debug)]
pub enum DeclKind {
    /// `pipeline name(params) -> type extends parent { ... }`.
    Pipeline(Pipeline),
    /// `override name(params) { ... }`.
    Override { name: Ident, params: Vec<Ident>, body: Block },
    /// `fn name(...)` and `gen fn name(...)`.
    Fn(FnDecl),
    /// `tool name(...) { description "..." ... }`.
    Tool(ToolDecl),
    /// `skill name { field expr ... }`.
    Skill { name: Ident, fields: Vec<(Ident, Expr)> },
    /// `eval_pack name { ... }`.
    EvalPack(EvalPack),
    /// `type Name<T> = type`.
    TypeAlias { name: Ident, type_params: Vec<TypeParam>, ty: TypeExpr },
    /// `enum Name { ... }`.
    Enum { name: Ident, type_params: Vec<TypeParam>, variants: Vec<Variant> },
    /// `struct Name { ... }`.
    Struct { name: Ident, type_params: Vec<TypeParam>, fields: Vec<Field> },
    /// `interface Name { ... }`.
    Interface(Interface),
    /// `impl Name { fn ... }`.
    Impl { target: Ident, methods: Vec<ImplMethod> },
}

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its name.
    pub name: Ident,
    /// Bare parameter names.
    pub params: Vec<Ident>,
    /// Declared result.
    pub result: Option<TypeExpr>,
    /// `extends`.
    pub parent: Option<Ident>,
    /// Its body.
    pub body: Block,
}

/// A named function.
#[derive(Clone, Debug)]
pub struct FnDecl {
    /// Its name.
    pub name: Ident,
    /// `gen fn`: calling it gives a stream.
    pub is_gen: bool,
    /// `<T, out U>`.
    pub type_params: Vec<TypeParam>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Declared result.
    pub result: Option<TypeExpr>,
    /// `where T: Bound`.
    pub bounds: Vec<(Ident, Ident)>,
    /// Its body.
    pub body: Block,
}

/// A method of an `impl` block.
#[derive(Clone, Debug)]
pub struct ImplMethod {
    /// Attributes of the method.
    pub attributes: Vec<Attribute>,
    /// `pub`.
    pub public: bool,
    /// The function; `self` is its first parameter when written.
    pub function: FnDecl,
    /// HarnDoc above it.
    pub doc: Option<Arc<str>>,
}

/// A `tool` declaration.
#[derive(Clone, Debug)]
pub struct ToolDecl {
    /// Its name.
    pub name: Ident,
    /// Parameters.
    pub params: Vec<Param>,
    /// Declared result.
    pub result: Option<TypeExpr>,
    /// The `description "..."` line.
    pub description: Option<Arc<str>>,
    /// Its body, without the description.
    pub body: Block,
}

/// An `eval_pack` declaration.
#[derive(Clone, Debug)]
pub struct EvalPack {
    /// The identifier it binds (derived from the id when only a string was written).
    pub binding: Ident,
    /// The string id when written.
    pub id: Option<Arc<str>>,
    /// `name: expr` fields.
    pub fields: Vec<(Ident, Expr)>,
    /// Other statements.
    pub body: Vec<Stmt>,
    /// `summarize { ... }`.
    pub summarize: Option<Block>,
}

/// `interface Name<T> { type A = ...; fn m(...) }`.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: Ident,
    /// Type parameters.
    pub type_params: Vec<TypeParam>,
    /// Associated types.
    pub assoc_types: Vec<(Ident, Option<TypeExpr>)>,
    /// Method signatures.
    pub methods: Vec<MethodSig>,
}

/// A method signature of an interface.
#[derive(Clone, Debug)]
pub struct MethodSig {
    /// Its name.
    pub name: Ident,
    /// Type parameters.
    pub type_params: Vec<TypeParam>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Declared result.
    pub result: Option<TypeExpr>,
}

/// Variance of a type parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// Not annotated.
    Invariant,
    /// `in T`.
    In,
    /// `out T`.
    Out,
}

/// A type parameter.
#[derive(Clone, Debug)]
pub struct TypeParam {
    /// Its name.
    pub name: Ident,
    /// Its variance.
    pub variance: Variance,
}

/// An enum variant.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: Ident,
    /// Its fields; empty when it has none.
    pub fields: Vec<Param>,
}

/// A struct field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Ident,
    /// `name?`.
    pub optional: bool,
    /// Its type.
    pub ty: Option<TypeExpr>,
}

/// A parameter of a function, closure, tool, method or variant.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name; `_` discards.
    pub name: Ident,
    /// Annotation.
    pub ty: Option<TypeExpr>,
    /// Default.
    pub default: Option<Expr>,
    /// `...name`.
    pub rest: bool,
}

/// `@name(args)`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: Ident,
    /// Arguments, named or not.
    pub args: Vec<(Option<Ident>, AttrValue)>,
    /// With the `@` and the parentheses.
    pub span: Span,
}

/// A literal in an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttrValue {
    /// Text; also what a bare identifier means, told apart for the formatter by [`AttrValue::Name`].
    Str(Arc<str>),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// `nil`.
    Nil,
    /// A bare identifier.
    Name(Symbol),
    /// A list.
    List(Vec<AttrValue>),
}

/// `let` or `var`.
#[derive(Clone, Debug)]
pub struct Let {
    /// `var`.
    pub mutable: bool,
    /// What is bound.
    pub binding: Binding,
    /// Annotation, on plain names only.
    pub ty: Option<TypeExpr>,
    /// The value.
    pub value: Expr,
}

/// An assignment.
#[derive(Clone, Debug)]
pub struct Assign {
    /// A name, property or subscript.
    pub target: Expr,
    /// The operator of a compound assignment.
    pub op: Option<BinaryOp>,
    /// The value.
    pub value: Expr,
}

/// A `for` loop.
#[derive(Clone, Debug)]
pub struct For {
    /// What each turn binds.
    pub binding: Binding,
    /// What is iterated.
    pub iterable: Expr,
    /// The body.
    pub body: Block,
}

/// The left side of `let`, `var` and `for`.
#[derive(Clone, Debug)]
pub enum Binding {
    /// One name.
    Name(Ident),
    /// `{a, b: c = 1, ...rest}`.
    Dict { entries: Vec<DictBinding>, rest: Option<Ident>, span: Span },
    /// `[a, b = 1, ...rest]`.
    List { elements: Vec<ListBinding>, rest: Option<Ident>, span: Span },
    /// `(a, b)`.
    Pair { first: Ident, second: Ident, span: Span },
}

/// An entry of a dict binding.
#[derive(Clone, Debug)]
pub struct DictBinding {
    /// The key read.
    pub key: Ident,
    /// The name bound (equal to the key when no alias is written).
    pub name: Ident,
    /// Default for nil.
    pub default: Option<Expr>,
}

/// An element of a list binding.
#[derive(Clone, Debug)]
pub struct ListBinding {
    /// The name bound.
    pub name: Ident,
    /// Default for nil.
    pub default: Option<Expr>,
}

/// `select { ... }`.
#[derive(Clone, Debug)]
pub struct Select {
    /// `name from channel { ... }` cases.
    pub cases: Vec<SelectCase>,
    /// `timeout duration { ... }`.
    pub timeout: Option<(Expr, Block)>,
    /// `default { ... }`.
    pub default: Option<Block>,
}

/// One receiving case of a `select`.
#[derive(Clone, Debug)]
pub struct SelectCase {
    /// The variable bound to the received value.
    pub name: Ident,
    /// The channel.
    pub channel: Expr,
    /// The body.
    pub body: Block,
}

/// Identifies an expression within its file; dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Dense index within the file.
    pub id: ExprId,
    /// What it is.
    pub kind: ExprKind,
    /// From its first token to its last.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `nil`.
    Nil,
    /// `true`, `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Milliseconds.
    Duration(i64),
    /// A string without interpolation, unescaped (plain, raw or triple-quoted).
    Str(Arc<str>),
    /// A string with interpolations.
    Interp(Vec<InterpPart>),
    /// A name. `_` on the right of a pipe is a name too.
    Name(Symbol),
    /// `[a, ...b]`.
    List(Vec<Element>),
    /// `{a: 1, [k]: 2, ...d}`.
    Dict(Vec<DictEntry>),
    /// `Name { field: value }`.
    StructLit { name: Ident, fields: Vec<DictEntry> },
    /// `{ params -> body }`, or `fn(params) { body }` when `fn_form`.
    Closure(Box<Closure>),
    /// `( expr )`: kept, so that the formatter and "parenthesised" rules see it.
    Paren(Box<Expr>),
    /// `-x`, `!x`.
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// Arithmetic, comparison, logic, `??`, `in`, `not in`.
    Binary { op: BinaryOp, left: Box<Expr>, right: Box<Expr> },
    /// `a |> b`.
    Pipe { left: Box<Expr>, right: Box<Expr> },
    /// `a to b`, `a to b exclusive`.
    Range { start: Box<Expr>, end: Box<Expr>, exclusive: bool },
    /// `c ? a : b`.
    Ternary { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// `callee<T>(args)`: the callee is any expression; a bare name is by far the most common.
    Call { callee: Box<Expr>, type_args: Vec<TypeExpr>, args: Vec<Element> },
    /// `object.name(args)`, `object?.name(args)`.
    MethodCall { object: Box<Expr>, name: Ident, optional: bool, args: Vec<Element> },
    /// `object.name`, `object?.name`.
    Property { object: Box<Expr>, name: Ident, optional: bool },
    /// `object[index]`, `object?[index]`.
    Index { object: Box<Expr>, index: Box<Expr>, optional: bool },
    /// `object[start:end]`.
    Slice { object: Box<Expr>, start: Option<Box<Expr>>, end: Option<Box<Expr>> },
    /// Postfix `?`.
    Propagate(Box<Expr>),
    /// `if c { } else { }`.
    If(Box<If>),
    /// `match v { arms }`.
    Match { value: Box<Expr>, arms: Vec<MatchArm> },
    /// `try { } catch (e: T) { } finally { }`; with neither catch nor finally it is the try-expression.
    Try(Box<Try>),
    /// `try* e`.
    TryStar(Box<Expr>),
    /// `retry n { }`.
    Retry { attempts: Box<Expr>, body: Block },
    /// `parallel ...`.
    Parallel(Box<Parallel>),
    /// `spawn { }`.
    Spawn(Block),
    /// `deadline d { }`.
    Deadline { duration: Box<Expr>, body: Block },
    /// What recovery left of an expression that did not parse.
    Error,
}

/// A piece of an interpolated string, after the layout rules of spec 01 section 3.6.
#[derive(Clone, Debug)]
pub enum InterpPart {
    /// Literal text, unescaped.
    Text(Arc<str>),
    /// `${expr}`.
    Expr(Expr),
}

/// An argument or list element.
#[derive(Clone, Debug)]
pub struct Element {
    /// `...expr`.
    pub spread: bool,
    /// The expression.
    pub value: Expr,
}

/// An entry of a dict or struct literal.
#[derive(Clone, Debug)]
pub enum DictEntry {
    /// `name: v` or `"text": v`; `key_span` is where the key stands.
    Named { key: Arc<str>, key_span: Span, value: Expr },
    /// `[k]: v`.
    Computed { key: Box<Expr>, value: Expr },
    /// `...d`.
    Spread(Expr),
}

/// A closure literal.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Written `fn(params) { body }`.
    pub fn_form: bool,
    /// Parameters.
    pub params: Vec<Param>,
    /// The body; for the brace form its span is that of the whole literal.
    pub body: Block,
}

/// An `if` expression.
#[derive(Clone, Debug)]
pub struct If {
    /// The condition.
    pub condition: Expr,
    /// When truthy.
    pub then: Block,
    /// `else`.
    pub otherwise: Option<Else>,
}

/// The else part of an `if`.
#[derive(Clone, Debug)]
pub enum Else {
    /// `else { }`.
    Block(Block),
    /// `else if ...`: the expression's kind is [`ExprKind::If`].
    If(Expr),
}

/// One arm of a `match`.
#[derive(Clone, Debug)]
pub struct MatchArm {
    /// The pattern.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// The body.
    pub body: Block,
    /// The whole arm.
    pub span: Span,
}

/// A match pattern (spec 01 section 5.4, 02 section 9.4).
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The kinds of patterns.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// `_`.
    Wildcard,
    /// Binds the value.
    Name(Ident),
    /// Equality with the value of an expression.
    Value(Expr),
    /// `Enum.Variant` (no `args`) or `Enum.Variant(a, _, 1)`.
    Variant { enum_name: Ident, variant: Ident, args: Option<Vec<Pattern>> },
    /// `{k: p, ...}`.
    Dict { entries: Vec<(Arc<str>, Pattern)>, rest: Option<Ident> },
    /// `Name {k: p}`.
    Struct { name: Ident, entries: Vec<(Arc<str>, Pattern)> },
    /// `[p, q, ...rest]`; without `...rest` it matches a prefix.
    List { elements: Vec<Pattern>, rest: Option<Ident> },
    /// `p | q`.
    Or(Vec<Pattern>),
}

/// A `try` expression.
#[derive(Clone, Debug)]
pub struct Try {
    /// The body.
    pub body: Block,
    /// `catch`.
    pub catch: Option<Catch>,
    /// `finally`.
    pub finally: Option<Block>,
}

/// A catch clause.
#[derive(Clone, Debug)]
pub struct Catch {
    /// The error variable.
    pub name: Option<Ident>,
    /// The type filter.
    pub ty: Option<TypeExpr>,
    /// The handler.
    pub body: Block,
}

/// The forms of `parallel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParallelKind {
    /// `parallel n { i -> }`.
    Count,
    /// `parallel each xs { x -> }`.
    Each,
    /// `parallel each xs { x -> } as stream`.
    EachStream,
    /// `parallel settle xs { x -> }`.
    Settle,
}

/// A `parallel` expression.
#[derive(Clone, Debug)]
pub struct Parallel {
    /// Which form.
    pub kind: ParallelKind,
    /// The count or the collection.
    pub operand: Expr,
    /// `with { max_concurrent: e }`.
    pub max_concurrent: Option<Expr>,
    /// The variable before `->`.
    pub param: Option<Ident>,
    /// The body.
    pub body: Block,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Neg,
    /// `!`.
    Not,
}

/// Infix operators other than `|>`, `to` and the ternary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `>`.
    Gt,
    /// `<=`.
    Le,
    /// `>=`.
    Ge,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `??`.
    Coalesce,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `%`.
    Rem,
    /// `**`.
    Pow,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The kinds of written types.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `Name` or `Name<A, B>`; `[T]` is `list<T>`. `true`/`false` are the name `bool`, `nil` the name `nil`.
    Named { name: Symbol, args: Vec<TypeExpr> },
    /// `A | B`.
    Union(Vec<TypeExpr>),
    /// `{a: int, b?: string}`.
    Shape(Vec<ShapeField>),
    /// `fn(A, B) -> R`.
    Function { params: Vec<TypeExpr>, result: Box<TypeExpr> },
    /// A string literal type.
    Str(Arc<str>),
    /// An int literal type.
    Int(i64),
    /// What recovery left.
    Error,
}

/// A field of a shape type.
#[derive(Clone, Debug)]
pub struct ShapeField {
    /// Its name.
    pub name: Ident,
    /// `name?`.
    pub optional: bool,
    /// Its type.
    pub ty: TypeExpr,
}

// Statements, expressions and entries stand in vectors by value: their size is the speed of parsing.
const _: () = assert!(size_of::<Expr>() <= 72 && size_of::<Stmt>() <= 120 && size_of::<DictEntry>() <= 104);
