//! Values of the oracle, as plain as they come: every change copies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use harn_syntax::ast::{Block, Param};

use super::Flow;
use super::coroutine::Coroutine;
use super::scope::Scope;

/// A value (spec 02 section 1).
#[derive(Clone)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(i64),
    Str(Arc<str>),
    List(Arc<Vec<Value>>),
    Dict(Arc<BTreeMap<String, Value>>),
    Set(Arc<Vec<Value>>),
    Pair(Arc<(Value, Value)>),
    Range { start: i64, end: i64, exclusive: bool },
    Closure(Arc<Closure>),
    Builtin(Arc<str>),
    Enum { name: Arc<str>, variant: Arc<str>, fields: Arc<Vec<Value>> },
    Struct { name: Arc<str>, fields: Arc<BTreeMap<String, Value>> },
    Generator(Arc<Coroutine>),
    Iter(Arc<Iter>),
}

/// What a function is made of, without what it captured.
pub struct Code {
    pub name: String,
    /// The names of the parameters as they are displayed.
    pub shown: String,
    pub params: Vec<Param>,
    pub body: Block,
    pub kind: Kind,
    /// A closure literal: it copies the top level of the file too.
    pub literal: bool,
}

/// How a function answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only `return` gives a value.
    Named,
    /// The last expression is the value.
    Closure,
    /// A call gives a generator.
    Generator,
    /// A call gives a stream.
    Stream,
}

/// A function with what it sees: a copy of the scopes around it, and those scopes themselves for names that are bound
/// later (spec 02 section 8.2).
pub struct Closure {
    pub code: Arc<Code>,
    pub captured: Scope,
    pub home: Scope,
}

/// What pulls the next item.
pub type Pull = Box<dyn FnMut() -> Result<Option<Value>, Flow> + Send>;

/// A lazy, single-pass, fused iterator (spec 02 section 13.1).
pub struct Iter {
    pull: Mutex<Option<Pull>>,
}

impl Iter {
    pub fn lazy(pull: impl FnMut() -> Result<Option<Value>, Flow> + Send + 'static) -> Value {
        Value::Iter(Iter::over(pull))
    }

    pub fn over(pull: impl FnMut() -> Result<Option<Value>, Flow> + Send + 'static) -> Arc<Iter> {
        Arc::new(Iter { pull: Mutex::new(Some(Box::new(pull))) })
    }

    /// The next item; `None` once exhausted, and for ever after.
    pub fn next(&self) -> Result<Option<Value>, Flow> {
        let Some(mut pull) = lock(&self.pull).take() else { return Ok(None) };
        let item = pull()?;
        if item.is_some() {
            *lock(&self.pull) = Some(pull);
        }
        Ok(item)
    }

    pub fn exhausted(&self) -> bool {
        lock(&self.pull).is_none()
    }
}

/// The content of a mutex, whatever became of an earlier owner.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Value {
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(text.as_ref().into())
    }

    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    pub fn dict<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Dict(Arc::new(entries.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    pub fn pair(first: Value, second: Value) -> Value {
        Value::Pair(Arc::new((first, second)))
    }

    pub fn result(variant: &str, inner: Value) -> Value {
        Value::Enum { name: "Result".into(), variant: variant.into(), fields: Arc::new(vec![inner]) }
    }

    /// `type_of` (spec 02 section 1).
    pub fn type_of(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Duration(_) => "duration",
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Pair(_) => "pair",
            Value::Range { .. } => "range",
            Value::Closure(_) => "closure",
            Value::Builtin(_) => "builtin",
            Value::Enum { .. } => "enum",
            Value::Struct { .. } => "struct",
            Value::Generator(coroutine) => match coroutine.is_stream() {
                true => "stream",
                false => "generator",
            },
            Value::Iter(_) => "iter",
        }
    }

    /// The "Falsy when" column of spec 02 section 1.
    pub fn truthy(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(b) => *b,
            Value::Int(i) | Value::Duration(i) => *i != 0,
            Value::Float(f) => *f != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::List(items) | Value::Set(items) => !items.is_empty(),
            Value::Dict(entries) => !entries.is_empty(),
            _ => true,
        }
    }

    pub fn callable(&self) -> bool {
        matches!(self, Value::Closure(_) | Value::Builtin(_))
    }

    /// Display form (spec 02 section 3).
    pub fn display(&self) -> String {
        match self {
            Value::Nil => "nil".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Int(i) => i.to_string(),
            Value::Float(f) => float_text(*f),
            Value::Duration(ms) => duration_text(*ms),
            Value::Str(s) => s.to_string(),
            Value::List(items) => format!("[{}]", joined(items)),
            Value::Dict(entries) => format!("{{{}}}", entries_text(entries)),
            Value::Set(items) => format!("set({})", joined(items)),
            Value::Pair(pair) => format!("({}, {})", pair.0.display(), pair.1.display()),
            Value::Range { start, end, exclusive: false } => format!("{start} to {end}"),
            Value::Range { start, end, exclusive: true } => format!("{start} to {end} exclusive"),
            Value::Closure(closure) => {
                format!("<fn({})>", closure.code.shown)
            }
            Value::Builtin(name) => format!("<builtin {name}>"),
            Value::Enum { name, variant, fields } if fields.is_empty() => format!("{name}.{variant}"),
            Value::Enum { name, variant, fields } => format!("{name}.{variant}({})", joined(fields)),
            Value::Struct { name, fields } => format!("{name} {{{}}}", entries_text(fields)),
            Value::Generator(coroutine) => match coroutine.is_done() {
                true => format!("<{} (done)>", self.type_of()),
                false => format!("<{}>", self.type_of()),
            },
            Value::Iter(iter) if iter.exhausted() => "<iter (exhausted)>".to_owned(),
            Value::Iter(_) => "<iter>".to_owned(),
        }
    }
}

fn joined(items: &[Value]) -> String {
    items.iter().map(Value::display).collect::<Vec<_>>().join(", ")
}

fn entries_text(entries: &BTreeMap<String, Value>) -> String {
    entries.iter().map(|(k, v)| format!("{k}: {}", v.display())).collect::<Vec<_>>().join(", ")
}

/// Spec 02 section 3.1.
fn float_text(x: f64) -> String {
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if x.fract() == 0.0 && x.abs() < 1e15 {
        return format!("{x:.1}");
    }
    format!("{x}")
}

/// The largest unit that divides evenly.
fn duration_text(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let length = ms.unsigned_abs();
    match length {
        0 => "0ms".to_owned(),
        _ if length.is_multiple_of(3_600_000) => format!("{sign}{}h", length / 3_600_000),
        _ if length.is_multiple_of(60_000) => format!("{sign}{}m", length / 60_000),
        _ if length.is_multiple_of(1000) => format!("{sign}{}s", length / 1000),
        _ => format!("{sign}{length}ms"),
    }
}
