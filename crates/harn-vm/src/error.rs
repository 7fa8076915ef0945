//! Errors as the language knows them (spec 02 section 10.1): a kind, a text, and where it came from.

use harn_effect::{Data, Raised};

use crate::value::{Value, display, from_data, to_data};

/// An error on its way.
#[derive(Clone, Debug)]
pub struct VmError {
    /// What happened.
    pub kind: ErrorKind,
    /// Where, innermost frame first; empty until the interpreter has seen the error.
    pub trace: Vec<TraceFrame>,
}

/// Kinds of errors.
#[derive(Clone, Debug)]
pub enum ErrorKind {
    /// `throw v`.
    Thrown(Value),
    /// `Type error: ...`
    Type(String),
    /// `Runtime error: ...`
    Runtime(String),
    /// `Division by zero`
    Division,
    /// `Undefined variable: ...`
    UndefinedVariable(String),
    /// `Undefined builtin: ...`
    UndefinedBuiltin(String),
    /// `Cannot assign to immutable binding: ...`
    Immutable(String),
    /// `Stack overflow: too many nested calls`
    StackOverflow,
    /// `Error [category]: text`
    Categorised {
        /// The category.
        category: String,
        /// The text.
        text: String,
    },
    /// A deadline block ran out of time; `level` is how many deadlines enclose that block.
    Deadline {
        /// Number of enclosing deadlines.
        level: usize,
    },
    /// The task was asked to stop.
    Cancelled,
}

/// A frame of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceFrame {
    /// Name of the function; empty for closures and top-level code.
    pub function: String,
    /// Key of the module.
    pub module: String,
    /// The path as a report shows it.
    pub path: String,
    /// First byte of the failing expression.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column, from 1, in bytes.
    pub column: u32,
    /// Frames left out after this one, in a very deep trace.
    pub omitted: usize,
}

impl VmError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind) -> Box<VmError> {
        Box::new(VmError { kind, trace: Vec::new() })
    }

    /// `Type error: <text>`.
    pub fn ty(text: impl Into<String>) -> Box<VmError> {
        VmError::new(ErrorKind::Type(text.into()))
    }

    /// `Runtime error: <text>`.
    pub fn runtime(text: impl Into<String>) -> Box<VmError> {
        VmError::new(ErrorKind::Runtime(text.into()))
    }

    /// A thrown plain string.
    pub fn thrown_str(text: &str) -> Box<VmError> {
        VmError::thrown(Value::str(text))
    }

    /// A thrown value.
    pub fn thrown(value: Value) -> Box<VmError> {
        VmError::new(ErrorKind::Thrown(value))
    }

    /// `Error [<category>]: <text>`.
    pub fn categorised(category: impl Into<String>, text: impl Into<String>) -> Box<VmError> {
        VmError::new(ErrorKind::Categorised { category: category.into(), text: text.into() })
    }

    /// From the outcome of an effect.
    pub fn raised(raised: Raised) -> Box<VmError> {
        VmError::new(match raised {
            Raised::Thrown(data) => ErrorKind::Thrown(from_data(data)),
            Raised::Runtime(text) => ErrorKind::Runtime(text),
            Raised::Type(text) => ErrorKind::Type(text),
            Raised::Categorised { category, text } => ErrorKind::Categorised { category, text },
            Raised::Cancelled => ErrorKind::Cancelled,
        })
    }

    /// As the outcome of an effect; a thrown value that is not plain data travels as its display.
    pub fn to_raised(&self) -> Raised {
        match &self.kind {
            ErrorKind::Thrown(value) => {
                Raised::Thrown(to_data(value).unwrap_or_else(|_| Data::Str(display(value))))
            }
            ErrorKind::Type(text) => Raised::Type(text.clone()),
            ErrorKind::Runtime(text) => Raised::Runtime(text.clone()),
            ErrorKind::Categorised { category, text } => {
                Raised::Categorised { category: category.clone(), text: text.clone() }
            }
            ErrorKind::Cancelled => Raised::Cancelled,
            _ => Raised::Thrown(Data::Str(self.raw_message())),
        }
    }

    /// What `catch` binds.
    pub fn catch_value(&self) -> Value {
        match &self.kind {
            ErrorKind::Thrown(value) => value.clone(),
            _ => Value::string(self.raw_message()),
        }
    }

    /// The raw message: display of what `catch` binds.
    pub fn raw_message(&self) -> String {
        match &self.kind {
            ErrorKind::Thrown(value) => display(value),
            ErrorKind::Type(text) => format!("Type error: {text}"),
            ErrorKind::Runtime(text) => format!("Runtime error: {text}"),
            ErrorKind::Division => "Division by zero".to_owned(),
            ErrorKind::UndefinedVariable(name) => format!("Undefined variable: {name}"),
            ErrorKind::UndefinedBuiltin(name) => format!("Undefined builtin: {name}"),
            ErrorKind::Immutable(name) => format!("Cannot assign to immutable binding: {name}"),
            ErrorKind::StackOverflow => "Stack overflow: too many nested calls".to_owned(),
            ErrorKind::Categorised { category, text } => format!("Error [{category}]: {text}"),
            ErrorKind::Deadline { .. } => "Deadline exceeded".to_owned(),
            ErrorKind::Cancelled => "kind:cancelled:VM cancelled by host".to_owned(),
        }
    }

    /// The first line of the report of an uncaught error (spec 02 section 10.6), without `error: `.
    pub fn report_message(&self) -> String {
        let raw = self.raw_message();
        let line = self.trace.first().map_or(0, |frame| frame.line);
        let at = if line > 0 { format!(" (line {line})") } else { String::new() };
        match &self.kind {
            ErrorKind::Thrown(_) | ErrorKind::Deadline { .. } | ErrorKind::Cancelled => {
                format!("Thrown: {raw}")
            }
            ErrorKind::Categorised { .. } => raw,
            ErrorKind::Type(_) | ErrorKind::Runtime(_) => format!("{raw}{at}"),
            _ => format!("Runtime error: {raw}{at}"),
        }
    }
}

impl std::fmt::Display for VmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.raw_message())
    }
}

impl std::error::Error for VmError {}
