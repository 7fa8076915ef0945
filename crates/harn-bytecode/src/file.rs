//! Modules as bytes: what a bytecode cache keeps. Whatever does not decode is no module.
//!
//! Numbers are little-endian base 128, instructions are their words. Decoding never trusts the bytes: every length is
//! held against what is left, and the verifier still has to pass what comes out.

use crate::instruction::Instruction;
use crate::module::{
    Const, EnumDef, Export, ExportItem, ForeignMethod, Function, FunctionKind, Global, Handler, Import,
    Module, Param, ParamCheck, PathStep, Pipeline, ShapeField, Site, Span, StructDef, TypeCheck,
};

/// The format. Raise it when anything below changes.
const FORMAT: u64 = 1;

/// How deep type checks may nest.
const DEPTH: u32 = 64;

/// The bytes of a module, or of modules with what belongs to them (pairs, lists, texts, numbers).
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = b"harnbc".to_vec();
    FORMAT.write(&mut out);
    value.write(&mut out);
    out
}

/// What the bytes hold; `None` when they hold nothing of this kind and format, or more than that.
pub fn decode<T: Wire>(bytes: &[u8]) -> Option<T> {
    let mut reader = Reader { rest: bytes.strip_prefix(b"harnbc")?, depth: 0 };
    if reader.number()? != FORMAT {
        return None;
    }
    let value = T::read(&mut reader)?;
    reader.rest.is_empty().then_some(value)
}

/// Bytes that are being decoded.
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

fn number(value: u64, out: &mut Vec<u8>) {
    let mut value = value;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What has a form in bytes.
pub trait Wire: Sized {
    /// Appends the bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the value off the front.
    fn read(from: &mut Reader<'_>) -> Option<Self>;
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(impl Wire for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                number(u64::from(*self), out);
            }
            fn read(from: &mut Reader<'_>) -> Option<Self> {
                <$kind>::try_from(from.number()?).ok()
            }
        })*
    };
}

numbers!(u8, u16, u32, u64);

impl Wire for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        number((*self as u64) << 1 ^ (*self >> 63) as u64, out);
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let value = from.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

impl Wire for f64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(f64::from_bits(u64::from_le_bytes(from.take(8)?.try_into().ok()?)))
    }
}

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match from.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for Instruction {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.word().to_le_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Instruction::from_word(u64::from_le_bytes(from.take(8)?.try_into().ok()?))
    }
}

impl Wire for String {
    fn write(&self, out: &mut Vec<u8>) {
        number(self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = usize::try_from(from.number()?).ok()?;
        std::str::from_utf8(from.take(length)?).ok().map(str::to_owned)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        number(self.len() as u64, out);
        for item in self {
            item.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = usize::try_from(from.number()?).ok()?;
        // Every item takes a byte at least: a length beyond the rest is wrong, and no reason to reserve memory.
        if length > from.rest.len() {
            return None;
        }
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(T::read(from)?);
        }
        Some(items)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(if bool::read(from)? { Some(T::read(from)?) } else { None })
    }
}

impl<T: Wire> Wire for Box<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        T::read(from).map(Box::new)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::read(from)?, B::read(from)?))
    }
}

macro_rules! records {
    ($($kind:ident { $($field:ident),* })*) => {
        $(impl Wire for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(from: &mut Reader<'_>) -> Option<Self> {
                Some($kind { $($field: Wire::read(from)?),* })
            }
        })*
    };
}

records! {
    Span { start, end }
    Module {
        path, display_path, line_starts, functions, consts, globals, dependencies, imports, exports, structs, enums,
        impls, builtins, init, script, pipelines, hidden
    }
    Global { name, mutable }
    Import { module, name }
    Export { name, item }
    StructDef { name, fields, methods }
    EnumDef { name, variants }
    ForeignMethod { module, type_name, name, function }
    Pipeline { name, function, test }
    Function { name, params, rest, kind, registers, captures, code, sites, handlers, spans }
    Param { name, has_default }
    Site { name }
    Handler { start, end, target, error, top, raw }
    ParamCheck { param, check }
    ShapeField { name, optional, check, label }
}

/// Enums by a number and the fields of the variant: the number stands here, so that the order of the declaration is
/// free to change.
macro_rules! choices {
    ($($kind:ident { $($tag:literal = $variant:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)? })*) => {
        $(impl Wire for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $($kind::$variant $(($($item),*))? $({ $($field),* })? => {
                        out.push($tag);
                        $($($item.write(out);)*)?
                        $($($field.write(out);)*)?
                    })*
                }
            }
            fn read(from: &mut Reader<'_>) -> Option<Self> {
                if from.depth >= DEPTH {
                    return None;
                }
                from.depth += 1;
                let value = match from.byte()? {
                    $($tag => {
                        $($(let $item = Wire::read(from)?;)*)?
                        $($(let $field = Wire::read(from)?;)*)?
                        $kind::$variant $(($($item),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                };
                from.depth -= 1;
                Some(value)
            }
        })*
    };
}

choices! {
    FunctionKind { 0 = Plain, 1 = Generator, 2 = Stream, 3 = Iter }
    ExportItem { 0 = Function(number), 1 = Import(number) }
    PathStep { 0 = Field(name), 1 = Index }
    Const {
        0 = Nil, 1 = Bool(value), 2 = Int(value), 3 = Float(value), 4 = Duration(value), 5 = Str(text), 6 = Keys(keys),
        7 = Variant { enum_name, variant }, 8 = Struct { module, name, fields }, 9 = Type(check), 10 = Path(steps),
    }
    TypeCheck {
        0 = Any, 1 = Number { label }, 2 = Named(name), 3 = Closure, 4 = Union(members), 5 = Literals(values),
        6 = List(item), 7 = Dict(item), 8 = Shape(fields), 9 = Interface(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction::Op;

    fn module() -> Module {
        let check = TypeCheck::Union(vec![
            TypeCheck::List(Box::new(TypeCheck::Number { label: "int".to_owned() })),
            TypeCheck::Literals(vec![Const::Int(-3), Const::Float(-0.0), Const::Str("é".to_owned())]),
            TypeCheck::Shape(vec![ShapeField {
                name: "a".to_owned(),
                optional: true,
                check: TypeCheck::Any,
                label: "any".to_owned(),
            }]),
        ]);
        Module {
            path: "a.harn".to_owned(),
            line_starts: vec![0, 300, 70_000],
            functions: vec![Function {
                name: "f".to_owned(),
                params: vec![Param { name: "x".to_owned(), has_default: true }],
                kind: FunctionKind::Stream,
                registers: 300,
                code: vec![
                    Instruction::new(Op::AddImm, 1, 2, 0, -7),
                    Instruction::new(Op::ReturnNil, 0, 0, 0, 0),
                ],
                spans: vec![(0, Span { start: 5, end: 9 })],
                ..Function::default()
            }],
            consts: vec![
                Const::Type(ParamCheck { param: "x".to_owned(), check }),
                Const::Path(vec![PathStep::Field("k".to_owned()), PathStep::Index]),
                Const::Int(i64::MIN),
            ],
            structs: vec![StructDef { methods: vec![("m".to_owned(), 0)], ..StructDef::default() }],
            exports: vec![Export { name: "f".to_owned(), item: ExportItem::Function(0) }],
            init: Some(0),
            ..Module::default()
        }
    }

    #[test]
    fn a_module_comes_back_as_it_was() {
        assert_eq!(decode::<Module>(&encode(&module())), Some(module()));
    }

    #[test]
    fn bytes_cut_short_or_with_more_behind_are_no_module() {
        let bytes = encode(&module());
        for length in 0..bytes.len() {
            assert_eq!(decode::<Module>(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(decode::<Module>(&[bytes.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn changed_bytes_give_a_module_or_none_but_never_a_panic() {
        let bytes = encode(&module());
        for at in 0..bytes.len() {
            for change in [1u8, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                let _ = decode::<Module>(&changed);
            }
        }
    }
}
