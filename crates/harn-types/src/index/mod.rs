//! What an editor asks of a program: where each name is declared, what every mention of it is, what type stands where.
//!
//! [`index`] checks one file and gives its diagnostics together with its [`Index`]; [`members_at`] lists what may stand
//! after a dot; [`outline`] is the tree of a file's declarations. A declaration is known by its [`Place`]: the module
//! and the span of the name that declares it. Types come from the checker's own run, names from [`bind`].

mod bind;
mod outline;

pub use outline::{Outline, OutlineKind, outline, signature};

use crate::Options;
use crate::check::record;
use crate::graph::{ModuleGraph, ModuleIndex};
use harn_syntax::{Diagnostic, Span};
use std::sync::Arc;

/// Where something is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The module.
    pub module: ModuleIndex,
    /// The name in the declaration.
    pub name: Span,
}

/// What a mention of a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A declaration of the program: a variable, a function, a type, a variant, a field, ...
    Place(Place),
    /// A builtin, by its full name.
    Builtin(Arc<str>),
    /// The first segment of dotted builtins.
    Namespace(Arc<str>),
    /// A method of a built-in type.
    Method {
        /// The `type_of` name of the receiver.
        on: &'static str,
        /// The method's name.
        name: &'static str,
    },
    /// A field of a shape that no declaration names: a dict's key.
    Key,
    /// The path of an import.
    Module(ModuleIndex),
}

/// What the checker knows of a member's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MemberTarget {
    Place(Place),
    /// A key of a shape, with the number of its type's text.
    Key(u32),
    Builtin {
        on: &'static str,
        name: &'static str,
    },
}

/// How a name is mentioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is declared here.
    Declare,
    /// It is read, called or named as a type.
    Read,
    /// It is assigned.
    Write,
    /// It stands in an import.
    Import,
}

/// What kind of thing a mention names, as far as colours and icons care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// `let`, `var`, loop, catch and pattern variables.
    Variable,
    /// A parameter.
    Parameter,
    /// A function, tool, pipeline, skill, eval pack or builtin.
    Function,
    /// A method.
    Method,
    /// A struct, enum, alias, interface.
    Type,
    /// A type parameter.
    TypeParameter,
    /// A variant of an enum.
    Variant,
    /// A field.
    Field,
    /// A namespace of builtins or a module.
    Namespace,
}

/// A mention of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Where.
    pub span: Span,
    /// What is meant.
    pub target: Target,
    /// What kind of thing that is.
    pub kind: SymbolKind,
    /// How it is mentioned.
    pub role: Role,
    /// The mention is a key as well (`{a}` in a binding): a new name must keep the key.
    pub keyed: bool,
    /// The inferred type, when something is known.
    pub ty: Option<Arc<str>>,
}

/// How a variable came into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// `let`.
    Let,
    /// `var`.
    Var,
    /// A parameter.
    Param,
    /// A loop, catch, pattern, select or parallel variable.
    Bound,
    /// A function, tool, skill or eval pack, hoisted in its block.
    Function,
}

/// A variable of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is declared.
    pub span: Span,
    /// How.
    pub kind: LocalKind,
    /// Where it can be read (nested declarations of the same name hide it).
    pub scope: Span,
    /// A type is written beside it.
    pub annotated: bool,
    /// The inferred or declared type, when something is known.
    pub ty: Option<Arc<str>>,
}

/// The names and types of one file.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Every mention that is understood, in source order.
    pub occurrences: Vec<Occurrence>,
    /// The variables, in order of declaration.
    pub locals: Vec<Local>,
}

impl Index {
    /// The mention at a byte offset; at a border the one that begins there.
    pub fn at(&self, offset: u32) -> Option<&Occurrence> {
        let after = self.occurrences.partition_point(|o| o.span.start <= offset);
        let candidates = self.occurrences.get(after.saturating_sub(2)..after).unwrap_or_default();
        candidates.iter().rev().find(|o| o.span.start <= offset && offset <= o.span.end)
    }

    /// The variables that can be read at a byte offset, innermost first, each name once.
    pub fn visible_at(&self, offset: u32) -> Vec<&Local> {
        let mut found: Vec<&Local> =
            self.locals.iter().filter(|l| l.scope.start <= offset && offset <= l.scope.end).collect();
        found.sort_by_key(|l| (l.scope.len(), std::cmp::Reverse(l.span.start)));
        let mut seen = std::collections::HashSet::new();
        found.retain(|l| seen.insert(l.name.clone()));
        found
    }
}

/// Checks one file of a program and indexes it. The diagnostics are those of [`crate::check_module`].
pub fn index(graph: &ModuleGraph, module: ModuleIndex, options: Options) -> (Vec<Diagnostic>, Index) {
    let (diagnostics, notes) = record::check_recorded(graph, module, options);
    (diagnostics, bind::bind(graph, module, notes))
}

/// What kind of member it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A field of a shape or struct.
    Field,
    /// A method.
    Method,
    /// A variant of an enum.
    Variant,
}

/// Something that may stand after a dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: MemberKind,
    /// Its type or signature.
    pub detail: String,
    /// One sentence; empty when there is none.
    pub doc: &'static str,
    /// The field may be absent.
    pub optional: bool,
}

impl Member {
    pub(crate) fn field(name: &str, detail: String, optional: bool) -> Member {
        Member { name: name.into(), kind: MemberKind::Field, detail, doc: "", optional }
    }
}

/// The members that may stand where the member name `name` stands, by the type of what is before the dot. Nothing
/// when no member name stands there; an empty list when nothing is known of the receiver. Only the declaration around
/// the name is checked, so that the answer comes quickly in long files.
pub fn members_at(graph: &ModuleGraph, module: ModuleIndex, name: Span) -> Option<Vec<Member>> {
    record::members_at(graph, module, name)
}

#[cfg(test)]
mod tests;
