//! The table of builtins and methods: name, signature, effect class, one sentence of documentation, an example that
//! runs as a test, and where the body is. No bodies.
//!
//! A domain is one file under `rows/` (global builtins) or `methods/` (methods of a type). The checker reads signatures,
//! the compiler resolves names with [`lookup`], `harn-stdlib` supplies the bodies and proves that rows and bodies match
//! one to one, `harn doc` and `docs/builtins.md` print the rows.
//!
//! An example is a piece of Harn whose last line is `EXPRESSION // EXPECTED`. EXPECTED is the display form of the
//! expression's value (spec 02 section 3), or `error: TEXT` where TEXT is the display of what `catch` binds, or
//! `prints: TEXT`, standard output with line breaks written as `\n`. Without ` // ` the example only has to run.

mod methods;
mod options;
mod rows;
mod signature;

use std::collections::HashMap;
use std::sync::LazyLock;

use harn_effect::EffectClass;
/// The hash of every table by names of builtins: starting fills some with thousands of names.
pub use harn_syntax::ast::NameHash;
pub use options::option_keys;
pub use signature::{Param, Signature};

/// Where the body of a builtin or method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A Rust function of `harn-stdlib`, registered under the row's name.
    Native,
    /// A Harn function of this prelude module, named by the last segment of the row's name. A method receives its
    /// receiver as first argument.
    Prelude(&'static str),
}

/// Who may name a builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every program.
    Public,
    /// The prelude and the `std/` modules only (names begin with `__`).
    Internal,
}

/// One global builtin.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name; a dotted one is a member of a namespace (`stream.map`).
    pub name: &'static str,
    /// The signature in Harn type syntax with parameter names: `fn(s: string, sep?: string) -> list<string>`.
    pub signature: &'static str,
    /// The widest effect the body may request; `None` for pure builtins.
    pub effect: Option<EffectClass>,
    /// One sentence.
    pub doc: &'static str,
    /// An example in the form the crate's documentation gives.
    pub example: &'static str,
    /// Where the body is.
    pub body: Body,
    /// Who may name it.
    pub visibility: Visibility,
}

impl Builtin {
    /// A public pure builtin with a native body.
    const fn native(
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
    ) -> Self {
        Builtin {
            name,
            signature,
            effect: None,
            doc,
            example,
            body: Body::Native,
            visibility: Visibility::Public,
        }
    }

    /// A public builtin whose body is in a prelude module.
    const fn prelude(
        module: &'static str,
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
    ) -> Self {
        let mut row = Self::native(name, signature, doc, example);
        row.body = Body::Prelude(module);
        row
    }

    /// A function of a prelude module that only other prelude and `std/` modules may name.
    const fn internal(
        module: &'static str,
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
    ) -> Self {
        let mut row = Self::prelude(module, name, signature, doc, "");
        row.visibility = Visibility::Internal;
        row
    }

    /// A native primitive that only the prelude and `std/` modules may name.
    const fn primitive(name: &'static str, signature: &'static str, doc: &'static str) -> Self {
        let mut row = Self::native(name, signature, doc, "");
        row.visibility = Visibility::Internal;
        row
    }

    /// The same row with an effect class.
    const fn effect(mut self, class: EffectClass) -> Self {
        self.effect = Some(class);
        self
    }

    /// The signature, taken apart.
    pub fn parsed(&self) -> Signature {
        Signature::parse(self.signature)
    }
}

/// One method of a type.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The `type_of` name of the receiver.
    pub on: &'static str,
    /// The method's name.
    pub name: &'static str,
    /// The signature without the receiver.
    pub signature: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// An example in the form the crate's documentation gives.
    pub example: &'static str,
    /// Where the body is.
    pub body: Body,
}

impl Method {
    /// A method with a native body.
    const fn native(
        on: &'static str,
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
    ) -> Self {
        Method { on, name, signature, doc, example, body: Body::Native }
    }

    /// A method whose body is in the prelude module named like its type.
    const fn prelude(
        on: &'static str,
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
    ) -> Self {
        Method { on, name, signature, doc, example, body: Body::Prelude(on) }
    }

    /// The signature, taken apart.
    pub fn parsed(&self) -> Signature {
        Signature::parse(self.signature)
    }
}

/// The position of a builtin in [`builtins`]; valid within one build of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuiltinId(pub u32);

struct Table {
    rows: Vec<Builtin>,
    ids: HashMap<&'static str, BuiltinId, NameHash>,
    methods: Vec<Method>,
    method_ids: HashMap<(&'static str, &'static str), usize, NameHash>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows: Vec<Builtin> = rows::DOMAINS.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let ids = rows.iter().enumerate().map(|(i, row)| (row.name, BuiltinId(i as u32))).collect();
    let methods: Vec<Method> = methods::TYPES.iter().flat_map(|rows| rows.iter().copied()).collect();
    let method_ids = methods.iter().enumerate().map(|(i, row)| ((row.on, row.name), i)).collect();
    Table { rows, ids, methods, method_ids }
});

/// Every builtin, in table order; [`BuiltinId`] indexes it.
pub fn builtins() -> &'static [Builtin] {
    &TABLE.rows
}

/// The builtins by domain: the domain's heading and its rows.
pub fn domains() -> &'static [(&'static str, &'static [Builtin])] {
    rows::DOMAINS
}

/// The builtin with this name.
pub fn lookup(name: &str) -> Option<BuiltinId> {
    TABLE.ids.get(name).copied()
}

/// The row of an id.
pub fn row(id: BuiltinId) -> Option<&'static Builtin> {
    TABLE.rows.get(id.0 as usize)
}

/// Every method, in table order.
pub fn methods() -> &'static [Method] {
    &TABLE.methods
}

/// The method `name` of the type `on` (a `type_of` name).
pub fn method(on: &str, name: &str) -> Option<&'static Method> {
    TABLE.method_ids.get(&(on, name)).and_then(|i| TABLE.methods.get(*i))
}

/// Whether `name` is the first segment of dotted builtins (`stream`, `event_log`, ...).
pub fn is_namespace(name: &str) -> bool {
    TABLE.rows.iter().any(|row| row.name.split_once('.').is_some_and(|(first, _)| first == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        assert_eq!(TABLE.rows.len(), TABLE.ids.len(), "{:?}", duplicates(TABLE.rows.iter().map(|r| r.name)));
        let names: Vec<String> = TABLE.methods.iter().map(|m| format!("{}.{}", m.on, m.name)).collect();
        assert_eq!(names.len(), TABLE.method_ids.len(), "{:?}", duplicates(names.iter().map(String::as_str)));
    }

    fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        names.filter(|n| !seen.insert(n.to_string())).map(str::to_owned).collect()
    }

    #[test]
    fn every_signature_parses() {
        let builtins = TABLE.rows.iter().map(|r| (r.name, r.signature));
        let methods = TABLE.methods.iter().map(|m| (m.name, m.signature));
        for (name, text) in builtins.chain(methods) {
            assert_eq!(Signature::parse(text).to_string(), text, "{name}");
        }
    }

    #[test]
    fn every_public_row_is_documented() {
        let builtins = TABLE.rows.iter().filter(|r| r.visibility == Visibility::Public);
        for (name, doc, example) in builtins
            .map(|r| (r.name, r.doc, r.example))
            .chain(TABLE.methods.iter().map(|m| (m.name, m.doc, m.example)))
        {
            assert!(doc.ends_with('.') && !example.is_empty(), "{name}");
        }
    }

    #[test]
    fn internal_names_begin_with_underscores() {
        for row in &TABLE.rows {
            assert_eq!(row.visibility == Visibility::Internal, row.name.starts_with("__"), "{}", row.name);
        }
    }
}
