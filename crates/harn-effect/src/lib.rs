//! The vocabulary of effects: what a program may ask of the world, as plain data.
//!
//! The virtual machine never acts. It hands out a [`Request`]: one [`Op`] of the table in [`op`] with [`Data`]
//! arguments. The runtime rules on it by its [`EffectClass`], records the ruling, lets a [`Host`] or one of its own
//! services perform it, and delivers an [`Outcome`]. Nothing in this crate touches the world.

pub mod data;
pub mod host;
pub mod op;

pub use data::Data;
pub use host::{Host, HostEvent, Ticket};
pub use op::{EffectClass, Op};

/// One effect that a program asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked.
    pub op: Op,
    /// Its arguments: a dict whose fields the row of `op` documents.
    pub args: Data,
}

/// What an effect came to.
pub type Outcome = Result<Data, Raised>;

/// An error as a Harn program can catch it (spec 02 section 10.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Raised {
    /// `throw v`: `catch` binds exactly `v`.
    Thrown(Data),
    /// Caught as `Runtime error: <text>`.
    Runtime(String),
    /// Caught as `Type error: <text>`.
    Type(String),
    /// Caught as `Error [<category>]: <text>`.
    Categorised {
        /// One of the categories of spec 02 section 10.5.
        category: String,
        /// What went wrong.
        text: String,
    },
    /// The task was cancelled while it waited.
    Cancelled,
}

impl Raised {
    /// A thrown plain string.
    pub fn thrown(text: impl Into<String>) -> Self {
        Raised::Thrown(Data::Str(text.into()))
    }

    /// A runtime error.
    pub fn runtime(text: impl Into<String>) -> Self {
        Raised::Runtime(text.into())
    }
}
