//! Text builtins (spec 05 section 5.1).

pub mod case;
pub mod chars;
mod methods;
pub mod patterns;

use harn_vm::{MAX_TEXT_BYTES as MAX_TEXT, NativeResult, Value, View, display, equals};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::arguments::{Body, count, done, get, given_text, int, runtime_error, take, text, text_of};

pub use methods::METHODS;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("len", |_, a| done(length(get(a, 0)))),
    ("trim", |_, a| done(text(a, 0).trim())),
    ("lowercase", |_, a| done(text(a, 0).to_lowercase())),
    ("uppercase", |_, a| done(text(a, 0).to_uppercase())),
    ("split", |_, a| {
        let separator = given_text(a, 1).unwrap_or(" ".into());
        done(pieces(&text(a, 0), &separator))
    }),
    ("join", |_, a| match get(a, 0).view() {
        View::List(list) => joined(list.iter(), &given_text(a, 1).unwrap_or_default()),
        _ => done(""),
    }),
    ("replace", |_, a| replaced(&text(a, 0), &text(a, 1), &text(a, 2))),
    ("starts_with", |_, a| done(text(a, 0).starts_with(&*text(a, 1)))),
    ("ends_with", |_, a| done(text(a, 0).ends_with(&*text(a, 1)))),
    ("contains", |_, a| {
        done(match get(a, 0).view() {
            View::Str(whole) => whole.contains(&*text(a, 1)),
            View::List(list) => list.iter().any(|item| equals(&item, get(a, 1))),
            _ => false,
        })
    }),
    ("substring", |_, a| {
        let whole = text(a, 0);
        let start = clamp(int(a, 1).unwrap_or(0));
        let end = int(a, 2).map_or(usize::MAX, |n| start.saturating_add(clamp(n)));
        done(chars::slice(&whole, start, end))
    }),
    ("format", |_, a| {
        let template = text(a, 0);
        done(match get(a, 1).view() {
            View::Dict(dict) => chars::format_named(&template, |key| dict.get(key).map(|v| display(&v))),
            _ => {
                let args: Vec<String> = a.iter().skip(1).map(display).collect();
                chars::format_positional(&template, &args)
            }
        })
    }),
    ("to_string", |_, a| {
        let value = take(a, 0);
        match value.view() {
            View::Str(_) => done(value),
            _ => done(display(&value)),
        }
    }),
    ("unicode_normalize", |_, a| {
        let whole = text(a, 0);
        let form = given_text(a, 1).unwrap_or("NFC".into());
        match form.to_uppercase().as_str() {
            "NFC" => done(whole.nfc().collect::<String>()),
            "NFD" => done(whole.nfd().collect::<String>()),
            "NFKC" => done(whole.nfkc().collect::<String>()),
            "NFKD" => done(whole.nfkd().collect::<String>()),
            _ => runtime_error("unicode_normalize: form must be NFC, NFD, NFKC, or NFKD"),
        }
    }),
    ("unicode_graphemes", |_, a| done(Value::list(text(a, 0).graphemes(true).map(Value::str).collect()))),
    ("str_pad", |_, a| {
        let whole = text(a, 0);
        let fill = given_text(a, 2).unwrap_or(" ".into());
        let fill = fill.graphemes(true).next().unwrap_or(" ");
        let missing = clamp(int(a, 1).unwrap_or(0)).saturating_sub(whole.graphemes(true).count());
        let (left, right) = match &*given_text(a, 3).unwrap_or("right".into()) {
            "right" => (0, missing),
            "left" => (missing, 0),
            "both" => (missing / 2, missing - missing / 2),
            _ => return runtime_error("str_pad: side must be left, right, or both"),
        };
        if missing.saturating_mul(fill.len()) > MAX_TEXT {
            return runtime_error("str_pad: the result is too long");
        }
        done(format!("{}{whole}{}", fill.repeat(left), fill.repeat(right)))
    }),
    ("title_case", |_, a| done(case::title_case(&text(a, 0)))),
    ("uppercase_first", |_, a| done(case::uppercase_first(&text(a, 0)))),
    ("lowercase_first", |_, a| done(case::lowercase_first(&text(a, 0)))),
    ("snake_to_camel", |_, a| done(case::camel(&case::separated_words(&text(a, 0), '_')))),
    ("snake_to_pascal", |_, a| done(case::pascal(&case::separated_words(&text(a, 0), '_')))),
    ("snake_to_kebab", |_, a| done(case::separated_words(&text(a, 0), '_').join("-"))),
    ("kebab_to_camel", |_, a| done(case::camel(&case::separated_words(&text(a, 0), '-')))),
    ("kebab_to_snake", |_, a| done(case::separated_words(&text(a, 0), '-').join("_"))),
    ("camel_to_snake", |_, a| done(case::camel_words(&text(a, 0)).join("_"))),
    ("pascal_to_snake", |_, a| done(case::camel_words(&text(a, 0)).join("_"))),
    ("camel_to_kebab", |_, a| done(case::camel_words(&text(a, 0)).join("-"))),
    ("pascal_to_camel", |_, a| done(case::lowercase_first(&text(a, 0)))),
    ("camel_to_pascal", |_, a| done(case::uppercase_first(&text(a, 0)))),
];

/// `len`: characters, bytes, elements or entries; 0 for anything else.
fn length(value: &Value) -> Value {
    match value.view() {
        View::Str(text) => count(chars::count(text)),
        View::Bytes(bytes) => count(bytes.len()),
        View::List(list) => count(list.len()),
        View::Dict(dict) => count(dict.len()),
        View::Set(set) => count(set.len()),
        View::Range { start, end, exclusive } => Value::int(crate::ranges::length(start, end, exclusive)),
        _ => Value::int(0),
    }
}

/// The display forms of values with a separator between them; an error when that is too long for a text.
pub fn join(items: impl Iterator<Item = Value>, separator: &str) -> Result<String, String> {
    let mut out = String::new();
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(&text_of(&item));
        if out.len() > MAX_TEXT {
            return Err("join: the result is too long".to_owned());
        }
    }
    Ok(out)
}

/// [`join`] as the result of a builtin.
pub fn joined(items: impl Iterator<Item = Value>, separator: &str) -> NativeResult {
    match join(items, separator) {
        Ok(text) => done(text),
        Err(problem) => runtime_error(problem),
    }
}

fn replaced(whole: &str, from: &str, to: &str) -> NativeResult {
    // Counted only where it can matter.
    if whole.len().saturating_add(1).saturating_mul(to.len()) > MAX_TEXT {
        let more = whole.matches(from).count().saturating_mul(to.len().saturating_sub(from.len()));
        if whole.len().saturating_add(more) > MAX_TEXT {
            return runtime_error("replace: the result is too long");
        }
    }
    done(whole.replace(from, to))
}

fn pieces(whole: &str, separator: &str) -> Value {
    Value::list(whole.split(separator).map(Value::str).collect())
}

/// A position: negative counts as 0.
fn clamp(n: i64) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}
