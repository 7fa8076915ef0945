//! Triggers (spec 08 section 6).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
