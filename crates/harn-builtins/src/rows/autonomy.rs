//! Autonomy budget (spec 08 section 1).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
