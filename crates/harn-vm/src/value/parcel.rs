//! Values on their way to another thread. Values are counted without atomics and never leave their thread; a parcel
//! is a structured copy that owns everything in it, so the compiler proves that it may travel.

use super::{Value, View, tag};
use crate::builtin::BuiltinId;
use crate::error::{ErrorKind, TraceFrame, VmError};

/// How deep a value may be nested to travel: unpacking recurses in Rust.
const DEPTH: usize = 128;
/// How many values one parcel holds at most: beyond that copying costs more than another core gives.
const ITEMS: usize = 4_000_000;

/// A copy of a value, free of its thread.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// Nil, bool, int, float, duration.
    Plain(Scalar),
    /// A string.
    Str(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// A list.
    List(Vec<Parcel>),
    /// A dict, in key order.
    Dict(Vec<(Box<str>, Parcel)>),
    /// A set, in insertion order.
    Set(Vec<Parcel>),
    /// A pair.
    Pair(Box<(Parcel, Parcel)>),
    /// A range.
    Range {
        /// First element.
        start: i64,
        /// Last element, or one past it.
        end: i64,
        /// Whether `end` is left out.
        exclusive: bool,
    },
    /// A builtin; builtins have the same ids on every thread.
    Builtin(BuiltinId),
    /// An enum value.
    Enum(Box<(Box<str>, Box<str>, Vec<Parcel>)>),
    /// A struct.
    Struct(Box<StructParcel>),
    /// A named function or closure.
    Function(Box<FunctionParcel>),
}

/// A value without a heap cell.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
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
}

/// A struct: its declaration and the fields that are set.
#[derive(Clone, Debug)]
pub struct StructParcel {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) declared: Vec<String>,
    pub(crate) fields: Vec<(Box<str>, Parcel)>,
}

/// A function: where its code is, and what it captured.
#[derive(Clone, Debug)]
pub struct FunctionParcel {
    pub(crate) module: Box<str>,
    pub(crate) number: u32,
    pub(crate) captures: Vec<Parcel>,
}

impl Parcel {
    /// A copy of `value`. Nothing when it holds something that stays on its thread (handles, generators, variables
    /// bound late), or is too deep or too large to be worth it.
    pub fn pack(value: &Value) -> Option<Parcel> {
        pack(value, DEPTH, &mut ITEMS.clone())
    }
}

fn pack(value: &Value, depth: usize, left: &mut usize) -> Option<Parcel> {
    let depth = depth.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    let mut all = |items: &mut dyn Iterator<Item = &Value>| -> Option<Vec<Parcel>> {
        items.map(|item| pack(item, depth, left)).collect()
    };
    Some(match value.view() {
        View::Nil if value.tag() == tag::NIL => Parcel::Plain(Scalar::Nil),
        View::Bool(b) => Parcel::Plain(Scalar::Bool(b)),
        View::Int(n) => Parcel::Plain(Scalar::Int(n)),
        View::Float(x) => Parcel::Plain(Scalar::Float(x)),
        View::Duration(ms) => Parcel::Plain(Scalar::Duration(ms)),
        View::Str(text) => Parcel::Str(text.into()),
        View::Bytes(bytes) => Parcel::Bytes(bytes.into()),
        View::List(list) => Parcel::List(all(&mut list.as_slice().iter())?),
        View::Set(set) => Parcel::Set(all(&mut set.iter())?),
        View::Dict(dict) => Parcel::Dict(
            dict.iter()
                .map(|(key, item)| Some((key.into(), pack(item, depth, left)?)))
                .collect::<Option<_>>()?,
        ),
        View::Pair(a, b) => Parcel::Pair(Box::new((pack(a, depth, left)?, pack(b, depth, left)?))),
        View::Range { start, end, exclusive } => Parcel::Range { start, end, exclusive },
        View::Builtin(id) => Parcel::Builtin(id),
        View::Enum(e) => {
            Parcel::Enum(Box::new((e.enum_name().into(), e.variant().into(), all(&mut e.fields().iter())?)))
        }
        View::Struct(s) => {
            let declaration = value.shape().struct_type?;
            Parcel::Struct(Box::new(StructParcel {
                module: declaration.module.clone(),
                name: declaration.name.clone(),
                declared: declaration.fields.iter().map(|field| field.to_string()).collect(),
                fields: s
                    .fields()
                    .map(|(key, item)| Some((key.into(), pack(item, depth, left)?)))
                    .collect::<Option<_>>()?,
            }))
        }
        View::Closure(closure) if value.tag() == tag::CLOSURE => Parcel::Function(Box::new(FunctionParcel {
            module: closure.module().into(),
            number: closure.number(),
            captures: all(&mut value.slots_cell().values().iter())?,
        })),
        _ => return None,
    })
}

/// A copy of an error, free of its thread.
#[derive(Clone, Debug)]
pub struct ErrorParcel {
    kind: KindParcel,
    trace: Vec<TraceFrame>,
}

#[derive(Clone, Debug)]
enum KindParcel {
    Thrown(Parcel),
    Type(String),
    Runtime(String),
    Division,
    UndefinedVariable(String),
    UndefinedBuiltin(String),
    Immutable(String),
    StackOverflow,
    Categorised { category: String, text: String },
    Cancelled,
}

impl ErrorParcel {
    /// A copy of `error`; nothing when what it throws cannot travel.
    pub fn pack(error: &VmError) -> Option<ErrorParcel> {
        let kind = match &error.kind {
            ErrorKind::Thrown(value) => KindParcel::Thrown(Parcel::pack(value)?),
            ErrorKind::Type(text) => KindParcel::Type(text.clone()),
            ErrorKind::Runtime(text) => KindParcel::Runtime(text.clone()),
            ErrorKind::Division => KindParcel::Division,
            ErrorKind::UndefinedVariable(name) => KindParcel::UndefinedVariable(name.clone()),
            ErrorKind::UndefinedBuiltin(name) => KindParcel::UndefinedBuiltin(name.clone()),
            ErrorKind::Immutable(name) => KindParcel::Immutable(name.clone()),
            ErrorKind::StackOverflow => KindParcel::StackOverflow,
            ErrorKind::Categorised { category, text } => {
                KindParcel::Categorised { category: category.clone(), text: text.clone() }
            }
            ErrorKind::Cancelled => KindParcel::Cancelled,
            // Means something only to the task whose deadline it is.
            ErrorKind::Deadline { .. } => return None,
        };
        Some(ErrorParcel { kind, trace: error.trace.clone() })
    }

    /// The error again; `thrown` unpacks what was thrown.
    pub(crate) fn unpack<E>(
        self,
        thrown: impl FnOnce(Parcel) -> Result<Value, E>,
    ) -> Result<Box<VmError>, E> {
        let kind = match self.kind {
            KindParcel::Thrown(parcel) => ErrorKind::Thrown(thrown(parcel)?),
            KindParcel::Type(text) => ErrorKind::Type(text),
            KindParcel::Runtime(text) => ErrorKind::Runtime(text),
            KindParcel::Division => ErrorKind::Division,
            KindParcel::UndefinedVariable(name) => ErrorKind::UndefinedVariable(name),
            KindParcel::UndefinedBuiltin(name) => ErrorKind::UndefinedBuiltin(name),
            KindParcel::Immutable(name) => ErrorKind::Immutable(name),
            KindParcel::StackOverflow => ErrorKind::StackOverflow,
            KindParcel::Categorised { category, text } => ErrorKind::Categorised { category, text },
            KindParcel::Cancelled => ErrorKind::Cancelled,
        };
        let mut error = VmError::new(kind);
        error.trace = self.trace;
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    struct Thing;

    impl crate::handle::Handle for Thing {
        fn type_name(&self) -> &'static str {
            "thing"
        }

        fn display(&self) -> String {
            String::new()
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }

    fn assert_send<T: Send>(_: &T) {}

    #[test]
    fn a_parcel_may_travel_by_its_type() {
        let parcel = Parcel::pack(&Value::list(vec![Value::int(1), Value::str("two")])).expect("plain data");
        assert_send(&parcel);
    }

    #[test]
    fn handles_and_very_deep_values_stay() {
        assert!(Parcel::pack(&Value::list(vec![Value::handle(Rc::new(Thing))])).is_none());
        let deep = (0..1_000).fold(Value::NIL, |inner, _| Value::list(vec![inner]));
        assert!(Parcel::pack(&deep).is_none());
    }

    #[test]
    fn sharing_cannot_make_a_parcel_explode() {
        let wide = (0..60).fold(Value::int(1), |inner, _| Value::list(vec![inner.clone(), inner]));
        assert!(Parcel::pack(&wide).is_none());
    }
}
