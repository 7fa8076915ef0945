//! Programs that make sense: every name is declared, types mostly fit, loops end, and what happens is printed.
//!
//! A seed gives a program for ever. What goes wrong in one (a division by zero, a store past the end, a thrown value, a
//! value of another type than meant) does so on purpose, and is mostly caught and printed.

mod declarations;
mod expressions;
mod statements;
mod tasks;

pub use tasks::{SPIN, SPIN_LONG};

use crate::random::Random;

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut composer = Composer {
        random: &mut random,
        out: String::new(),
        indent: 0,
        scopes: vec![Vec::new()],
        functions: Vec::new(),
        structs: Vec::new(),
        enums: Vec::new(),
        fuel: 260,
        place: Place::default(),
        names: 0,
    };
    composer.whole();
    composer.out
}

/// What an expression is meant to be.
#[derive(Clone, PartialEq, Debug)]
enum Ty {
    Int,
    Float,
    Str,
    Bool,
    Duration,
    List(Box<Ty>),
    Dict(Box<Ty>),
    Set(Box<Ty>),
    Pair(Box<Ty>, Box<Ty>),
    /// A closure of these parameters.
    Closure(Vec<Ty>, Box<Ty>),
    Struct(usize),
    Enum(usize),
    Result(Box<Ty>),
}

#[derive(Clone)]
struct Variable {
    name: String,
    ty: Ty,
    mutable: bool,
}

#[derive(Clone)]
struct Function {
    name: String,
    params: Vec<Ty>,
    /// How many of them may be left out.
    optional: usize,
    /// A rest parameter after them.
    rest: Option<Ty>,
    gives: Gives,
}

#[derive(Clone)]
enum Gives {
    Value(Ty),
    /// A generator or stream of these.
    Items(Ty),
}

struct StructDef {
    name: String,
    fields: Vec<(String, Ty)>,
    /// Methods without arguments.
    methods: Vec<(String, Ty)>,
}

struct EnumDef {
    name: String,
    variants: Vec<(String, Vec<Ty>)>,
}

/// What may stand here.
#[derive(Clone, Default)]
struct Place {
    looped: bool,
    /// What `return` gives; outside of functions there is none.
    returns: Option<Ty>,
    /// What `yield` or `emit` gives.
    yields: Option<(&'static str, Ty)>,
    /// Closures and functions inside each other.
    nested: usize,
    /// Blocks inside each other.
    depth: usize,
    /// In a `defer` or `finally`, which are not left by jumps.
    last: bool,
    /// In a named function that is not at the top: the scopes below this one. Their `var`s are not for it, since when
    /// it captures them is not for a program to know.
    sealed: usize,
}

struct Composer<'a> {
    random: &'a mut Random,
    out: String,
    indent: usize,
    scopes: Vec<Vec<Variable>>,
    functions: Vec<Function>,
    structs: Vec<StructDef>,
    enums: Vec<EnumDef>,
    fuel: i32,
    place: Place,
    names: usize,
}

impl Composer<'_> {
    fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        self.random.pick(texts).copied().unwrap_or_default()
    }

    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    fn declare(&mut self, name: &str, ty: Ty, mutable: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(Variable { name: name.to_owned(), ty, mutable });
        }
    }

    /// Variables in sight, the innermost of each name.
    fn visible(&self) -> Vec<Variable> {
        let mut seen: Vec<Variable> = Vec::new();
        let sealed = 1..self.place.sealed;
        for (variable, hidden) in self.scopes.iter().enumerate().rev().flat_map(|(at, scope)| {
            let hidden = sealed.contains(&at);
            scope.iter().rev().map(move |variable| (variable, hidden && variable.mutable))
        }) {
            if hidden {
                continue;
            }
            if !seen.iter().any(|v| v.name == variable.name) {
                seen.push(variable.clone());
            }
        }
        seen
    }

    fn variable(&mut self, wanted: impl Fn(&Variable) -> bool) -> Option<Variable> {
        let found: Vec<_> = self.visible().into_iter().filter(wanted).collect();
        self.random.pick(&found).cloned()
    }

    /// A type that values have here.
    fn ty(&mut self, depth: usize) -> Ty {
        let simple = depth >= 2;
        match self.random.below(if simple { 8 } else { 20 }) {
            0..=2 => Ty::Int,
            3..=4 => Ty::Str,
            5 => Ty::Float,
            6 => Ty::Bool,
            7 if self.chance(30) => Ty::Duration,
            7 => Ty::Int,
            8..=11 => Ty::List(Box::new(self.ty(depth + 1))),
            12..=14 => Ty::Dict(Box::new(self.ty(depth + 1))),
            15 => Ty::Set(Box::new(self.ty(2))),
            16 => Ty::Pair(Box::new(self.ty(2)), Box::new(self.ty(2))),
            17 if !self.structs.is_empty() => Ty::Struct(self.random.below(self.structs.len())),
            18 if !self.enums.is_empty() => Ty::Enum(self.random.below(self.enums.len())),
            19 => Ty::Result(Box::new(self.ty(2))),
            _ => Ty::List(Box::new(Ty::Int)),
        }
    }

    /// As an annotation; some types have none that is checked.
    fn annotation(&self, ty: &Ty) -> Option<String> {
        Some(match ty {
            Ty::Int => "int".to_owned(),
            Ty::Float => "float".to_owned(),
            Ty::Str => "string".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::List(item) => match **item {
                Ty::Int | Ty::Str | Ty::Bool => format!("list<{}>", self.annotation(item)?),
                _ => "list".to_owned(),
            },
            Ty::Dict(item) => match **item {
                Ty::Int | Ty::Str | Ty::Bool => format!("dict<string, {}>", self.annotation(item)?),
                _ => "dict".to_owned(),
            },
            _ => return None,
        })
    }

    /// Inside another function or closure: what is outside can be read.
    fn inside<T>(&mut self, place: Place, make: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.place, place);
        self.scopes.push(Vec::new());
        let made = make(self);
        self.scopes.pop();
        self.place = outer;
        made
    }

    /// Text written by `make` apart from the program.
    fn apart(&mut self, make: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.out);
        make(self);
        std::mem::replace(&mut self.out, before)
    }
}
