//! Prompt templates (spec 05 section 5.14).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[B::native(
    "render_string",
    "fn(template: any, bindings?: dict) -> string",
    "A template rendered with bindings.",
    r#"render_string("Hi {{ name }}!", {name: "Ada"}) // Hi Ada!"#,
)];
