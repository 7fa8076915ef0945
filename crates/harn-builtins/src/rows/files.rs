//! Files (spec 06 section 2).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
