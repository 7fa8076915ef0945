//! The rows of methods, one file a type.

use crate::Method;

mod dict;
mod iter;
mod lazy;
mod list;
mod range;
mod set;
mod string;

/// Every type that has methods.
pub const TYPES: &[&[Method]] =
    &[string::ROWS, list::ROWS, dict::ROWS, set::ROWS, range::ROWS, iter::ROWS, lazy::ROWS];
