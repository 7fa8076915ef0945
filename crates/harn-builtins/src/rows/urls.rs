//! URLs and paths as text (spec 05 section 5.12, 06 section 1.2).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
