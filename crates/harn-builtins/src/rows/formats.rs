//! YAML, TOML, CSV (spec 05 section 5.5).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
