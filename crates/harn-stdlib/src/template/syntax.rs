//! Templates as data: what `{{ ... }}` can hold (spec 05 section 5.14).

/// A place in a template, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A failure with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where the directive begins.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

impl Failure {
    /// A failure at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Failure { place, message: message.into() }
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text as it is.
    Text(String),
    /// `{{ EXPR }}`
    Expr(Place, Expr),
    /// `{{ NAME }}`: when NAME is not bound, the directive stays as text.
    Bare(Place, String),
    /// `{{ if }}`: conditions with their parts, and the part of `else`.
    If(Place, Vec<(Expr, Vec<Node>)>, Vec<Node>),
    /// `{{ for }}`
    For(Box<For>),
    /// `{{ include }}`: the path and the extra bindings.
    Include(Place, Expr, Vec<(String, Expr)>),
}

/// A loop.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// Where it stands.
    pub place: Place,
    /// The one name, or key and value.
    pub names: (String, Option<String>),
    /// What is iterated.
    pub source: Expr,
    /// The part for each item.
    pub body: Vec<Node>,
    /// The part for an empty source.
    pub otherwise: Vec<Node>,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(String),
    /// `a.b[0]["key"]`
    Path(String, Vec<Step>),
    /// `not a`
    Not(Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// A comparison.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a | name: b, c`
    Filter(Box<Expr>, String, Vec<Expr>),
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.name`, `["name"]`
    Member(String),
    /// `[0]`
    Index(i64),
}

/// The operators of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}
