//! The trust graph (spec 08 section 3).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
