//! The event log (spec 08 section 2).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
