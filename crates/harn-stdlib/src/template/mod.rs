//! Prompt templates (spec 05 section 5.14). Rendering is pure: it is given the texts of included files. When it meets
//! one that is not among them it stops and names it; `prelude/templates.harn` reads the file and renders again.

mod expression;
mod filters;
mod parse;
mod render;
mod syntax;

use harn_vm::{NativeResult, Value};
use render::{Source, Span, Stop};

use crate::arguments::{Body, count, done, get, text, thrown};

/// The bodies.
pub const BODIES: &[Body] =
    &[("__template_render", |_, a| template_render(a)), ("__caller_path", |cx, _| done(cx.module_path()))];

/// `__template_render(text, path, bindings, sources)`: `{text, spans}`, or `{missing: {key, from, path}}`.
fn template_render(args: &mut [Value]) -> NativeResult {
    let (template, path) = (text(args, 0), text(args, 1));
    let source = Source { text: &template, path: &path };
    match render::render(source, get(args, 2), get(args, 3)) {
        Ok((text, spans)) => {
            let spans = Value::list(spans.into_iter().map(span).collect());
            done(Value::dict([("text", Value::string(text)), ("spans", spans)]))
        }
        Err(Stop::Missing { from, path }) => {
            let missing = Value::dict([
                ("key", Value::string(render::source_key(&from, &path))),
                ("from", Value::string(from)),
                ("path", Value::string(path)),
            ]);
            done(Value::dict([("missing", missing)]))
        }
        Err(Stop::Failed { path, failure }) => {
            let place = format!("at {}:{}: {}", failure.place.line, failure.place.column, failure.message);
            thrown(if path.is_empty() { place } else { format!("{path} {place}") })
        }
    }
}

/// What is wrong with the text of a template, if anything is: `at LINE:COLUMN: MESSAGE`.
pub fn problem(text: &str) -> Option<String> {
    let failure = parse::parse(text).err()?;
    Some(format!("at {}:{}: {}", failure.place.line, failure.place.column, failure.message))
}

fn span(span: Span) -> Value {
    let mut out = Value::dict([
        ("kind", Value::str(span.kind)),
        ("template_line", count(span.line)),
        ("template_col", count(span.column)),
        ("output_start", count(span.start)),
        ("output_end", count(span.end)),
    ]);
    if let Some(value) = span.bound_value {
        out.dict_set("bound_value", Value::string(value));
    }
    out
}
