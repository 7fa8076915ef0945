//! Prompt templates (spec 05 section 5.14).

mod expression;
mod filters;
mod parse;
mod render;
mod syntax;

use harn_vm::NativeResult;

use crate::arguments::{Body, done, get, text, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[("render_string", |_, a| render_string(a))];

fn render_string(args: &mut [harn_vm::Value]) -> NativeResult {
    match render::render(&text(args, 0), get(args, 1)) {
        Ok(text) => done(text),
        Err(failure) => {
            thrown(format!("at {}:{}: {}", failure.place.line, failure.place.column, failure.message))
        }
    }
}
