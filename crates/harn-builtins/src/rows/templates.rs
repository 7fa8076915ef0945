//! Prompt templates (spec 05 section 5.14).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Read;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "templates",
        "render_string",
        "fn(template: any, bindings?: dict) -> string",
        "A template rendered with bindings.",
        r#"render_string("Hi {{ name }}!", {name: "Ada"}) // Hi Ada!"#,
    )
    .effect(Read),
    B::prelude(
        "templates",
        "render",
        "fn(path: any, bindings?: dict) -> string",
        "A template file rendered with bindings; a relative path starts at the calling source file.",
        r#"is_err(try { render("/no/such/file.prompt") }) // true"#,
    )
    .effect(Read),
    B::prelude(
        "templates",
        "render_prompt",
        "fn(path: any, bindings?: dict) -> string",
        "The same as `render`.",
        r#"is_err(try { render_prompt("/no/such/file.prompt") }) // true"#,
    )
    .effect(Read),
    B::prelude(
        "templates",
        "render_with_provenance",
        "fn(path: any, bindings?: dict) -> dict",
        "The text of a template file, and which part of it comes from where.",
        r#"is_err(try { render_with_provenance("/no/such/file.prompt") }) // true"#,
    )
    .effect(Read),
    B::prelude(
        "templates",
        "prompt_mark_rendered",
        "fn(prompt_id: any) -> int",
        "Notes that a rendered prompt was sent; how often that was so far.",
        r#"prompt_mark_rendered("p") // 1"#,
    ),
    B::prelude(
        "templates",
        "asset_root",
        "fn() -> string",
        "The directory that templates of the calling source file resolve against.",
        "asset_root() == source_dir() // true",
    )
    .effect(Read),
    B::prelude(
        "templates",
        "source_dir",
        "fn() -> string",
        "The directory of the calling source file.",
        "type_of(source_dir()) // string",
    )
    .effect(Read),
];
