//! Host calls (spec 06 section 10).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
