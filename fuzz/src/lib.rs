//! Trust in the whole: programs nobody wrote, and a second opinion on what they mean.
//!
//! [`oracle`] evaluates a program the slow and obvious way; [`differ`] runs it both ways; [`trial`] takes
//! any text through every stage and holds the laws of each.

#![allow(clippy::disallowed_methods, reason = "a development tool: it reads programs and writes findings")]
#![allow(missing_docs, reason = "a development tool: its items are named after what they do")]

pub mod compose;
pub mod corpus;
pub mod differ;
pub mod laws;
pub mod memory;
pub mod mutate;
pub mod nest;
pub mod oracle;
pub mod prefixes;
pub mod random;
pub mod shrink;
pub mod soak;
pub mod soup;
pub mod trial;
pub mod watch;
