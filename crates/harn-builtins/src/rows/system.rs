//! Environment, processes, terminal (spec 06 sections 3 to 5).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
