//! Types as the checker sees them: interned, so that equal types have equal numbers.
//!
//! Source: spec 03 section 2.

mod display;
mod normal;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A type, interned in a [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(u32);

/// A `type`, `enum`, `struct` or `interface` declaration known to the checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeclId(pub u32);

/// A field of a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShapeField {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Ty,
    /// `name?`.
    pub optional: bool,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing is known (written `·` in the specification).
    Free,
    /// `_`: what inference could not find.
    Wild,
    /// `any`.
    Any,
    /// `unknown`.
    Unknown,
    /// `never`.
    Never,
    /// A plain built-in name.
    Plain(Plain),
    /// A string literal type.
    Str(Arc<str>),
    /// An int literal type.
    Int(i64),
    /// A type parameter in scope.
    Param(Arc<str>),
    /// A built-in generic with its arguments.
    Applied(Generic, Box<[Ty]>),
    /// A declared name, with its arguments.
    User(DeclId, Box<[Ty]>),
    /// A name that is declared nowhere.
    Opaque(Arc<str>, Box<[Ty]>),
    /// `{a: int, b?: string}`.
    Shape(Box<[ShapeField]>),
    /// `fn(A) -> R`.
    Fn(Box<[Ty]>, Ty),
    /// `A | B`, flat, without duplicates, at least two members.
    Union(Box<[Ty]>),
}

macro_rules! plain_types {
    ($($variant:ident $constant:ident $name:literal $index:literal),* $(,)?) => {
        /// The built-in types without arguments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Plain { $(#[doc = concat!("`", $name, "`.")] $variant),* }

        impl Plain {
            /// All of them.
            pub const ALL: &[Plain] = &[$(Plain::$variant),*];

            /// As written and printed.
            pub fn name(self) -> &'static str {
                match self { $(Plain::$variant => $name),* }
            }
        }

        impl Ty { $(#[doc = concat!("`", $name, "`.")] pub const $constant: Ty = Ty(FIRST_PLAIN + $index);)* }
    };
}

const FIRST_PLAIN: u32 = 5;

plain_types! {
    Int INT "int" 0,
    Float FLOAT "float" 1,
    String STRING "string" 2,
    Bool BOOL "bool" 3,
    Nil NIL "nil" 4,
    Bytes BYTES "bytes" 5,
    Duration DURATION "duration" 6,
    Range RANGE "range" 7,
    Set SET "set" 8,
    List LIST "list" 9,
    Dict DICT "dict" 10,
    Closure CLOSURE "closure" 11,
    Iter ITER "iter" 12,
    Generator GENERATOR "generator" 13,
    Stream STREAM "stream" 14,
    Pair PAIR "pair" 15,
    Result RESULT "Result" 16,
    Schema SCHEMA "Schema" 17,
}

impl Ty {
    /// Nothing is known.
    pub const FREE: Ty = Ty(0);
    /// `_`.
    pub const WILD: Ty = Ty(1);
    /// `any`.
    pub const ANY: Ty = Ty(2);
    /// `unknown`.
    pub const UNKNOWN: Ty = Ty(3);
    /// `never`.
    pub const NEVER: Ty = Ty(4);

    /// Whether anything is known.
    pub fn is_known(self) -> bool {
        self != Ty::FREE
    }
}

/// The built-in generics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generic {
    /// `list<T>`.
    List,
    /// `dict<K, V>`.
    Dict,
    /// `iter<T>`.
    Iter,
    /// `Generator<T>`.
    Generator,
    /// `Stream<T>`.
    Stream,
    /// `set<T>`.
    Set,
    /// `Pair<A, B>`.
    Pair,
    /// `Result<T, E>`.
    Result,
    /// `Schema<T>`.
    Schema,
}

impl Generic {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Generic::List => "list",
            Generic::Dict => "dict",
            Generic::Iter => "iter",
            Generic::Generator => "Generator",
            Generic::Stream => "Stream",
            Generic::Set => "set",
            Generic::Pair => "Pair",
            Generic::Result => "Result",
            Generic::Schema => "Schema",
        }
    }

    /// How many arguments it takes.
    pub fn arity(self) -> usize {
        match self {
            Generic::Dict | Generic::Pair | Generic::Result => 2,
            _ => 1,
        }
    }

    /// The bare name's type.
    pub fn bare(self) -> Ty {
        match self {
            Generic::List => Ty::LIST,
            Generic::Dict => Ty::DICT,
            Generic::Iter => Ty::ITER,
            Generic::Generator => Ty::GENERATOR,
            Generic::Stream => Ty::STREAM,
            Generic::Set => Ty::SET,
            Generic::Pair => Ty::PAIR,
            Generic::Result => Ty::RESULT,
            Generic::Schema => Ty::SCHEMA,
        }
    }

    /// The generic that a written name with arguments means.
    pub fn of_name(name: &str) -> Option<Generic> {
        Some(match name {
            "list" => Generic::List,
            "dict" => Generic::Dict,
            "iter" | "Iter" => Generic::Iter,
            "Generator" | "generator" => Generic::Generator,
            "Stream" | "stream" => Generic::Stream,
            "set" => Generic::Set,
            "Pair" | "pair" => Generic::Pair,
            "Result" => Generic::Result,
            "Schema" => Generic::Schema,
            _ => return None,
        })
    }
}

/// The type that a built-in name without arguments means.
pub fn builtin_name(name: &str) -> Option<Ty> {
    Some(match name {
        "int" => Ty::INT,
        "float" => Ty::FLOAT,
        "string" => Ty::STRING,
        "bool" | "true" | "false" => Ty::BOOL,
        "nil" => Ty::NIL,
        "bytes" => Ty::BYTES,
        "duration" => Ty::DURATION,
        "range" => Ty::RANGE,
        "set" => Ty::SET,
        "list" => Ty::LIST,
        "dict" => Ty::DICT,
        "closure" => Ty::CLOSURE,
        "iter" | "Iter" => Ty::ITER,
        "generator" | "Generator" => Ty::GENERATOR,
        "stream" | "Stream" => Ty::STREAM,
        "pair" | "Pair" => Ty::PAIR,
        "Result" => Ty::RESULT,
        "Schema" => Ty::SCHEMA,
        "any" => Ty::ANY,
        "unknown" => Ty::UNKNOWN,
        "never" => Ty::NEVER,
        "_" => Ty::WILD,
        _ => return None,
    })
}

/// A hasher for small keys: multiply and rotate, without a seed.
#[derive(Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            for (slot, byte) in word.iter_mut().zip(chunk) {
                *slot = *byte;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// A map with the quick hasher.
pub type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// The table of types.
#[derive(Debug)]
pub struct Types {
    kinds: Vec<Arc<Kind>>,
    index: QuickMap<Arc<Kind>, Ty>,
}

impl Default for Types {
    fn default() -> Self {
        let mut types = Types { kinds: Vec::new(), index: QuickMap::default() };
        for kind in [Kind::Free, Kind::Wild, Kind::Any, Kind::Unknown, Kind::Never] {
            types.intern(kind);
        }
        for plain in Plain::ALL {
            types.intern(Kind::Plain(*plain));
        }
        types
    }
}

impl Types {
    /// The number of a kind. Use [`Types::union`] for unions.
    pub fn intern(&mut self, kind: Kind) -> Ty {
        if let Some(known) = self.index.get(&kind) {
            return *known;
        }
        let ty = Ty(self.kinds.len() as u32);
        let kind = Arc::new(kind);
        self.kinds.push(kind.clone());
        self.index.insert(kind, ty);
        ty
    }

    /// What a type is.
    pub fn kind(&self, ty: Ty) -> &Kind {
        self.kinds.get(ty.0 as usize).map_or(&Kind::Free, |k| k)
    }

    /// As [`Types::kind`], not borrowing the table.
    pub fn shared(&self, ty: Ty) -> Arc<Kind> {
        self.kinds.get(ty.0 as usize).cloned().unwrap_or_else(|| Arc::new(Kind::Free))
    }

    /// A built-in generic.
    pub fn applied(&mut self, generic: Generic, args: &[Ty]) -> Ty {
        self.intern(Kind::Applied(generic, args.into()))
    }

    /// `list<T>`; the bare list when nothing is known of the elements.
    pub fn list_of(&mut self, element: Ty) -> Ty {
        if element.is_known() { self.applied(Generic::List, &[element]) } else { Ty::LIST }
    }

    /// The members of a union; the type itself otherwise.
    pub fn members(&self, ty: Ty) -> Vec<Ty> {
        match self.kind(ty) {
            Kind::Union(members) => members.to_vec(),
            _ => vec![ty],
        }
    }
}
