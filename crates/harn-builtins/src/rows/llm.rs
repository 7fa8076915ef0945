//! Model calls (spec 07 sections 1 and 2).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
