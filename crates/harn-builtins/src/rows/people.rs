//! Requests to people and waitpoints (spec 08 sections 4 and 5).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
