//! Agents, tools, sessions, transcripts (spec 07).

use crate::Builtin;

/// The rows.
pub const ROWS: &[Builtin] = &[];
