//! The standard library: bodies of builtins and methods, and the library modules written in Harn.
//!
//! [`registry`] gives the VM every body under the name of its row in `harn-builtins`. A domain is one module with a
//! list of bodies; a body computes from its arguments, or returns an effect or a request to the scheduler, and never
//! acts itself. What takes a callback is written in Harn: [`prelude_module`] for builtins and methods,
//! [`std_module`] for `import "std/..."`.

mod archives;
mod arguments;
mod bytes;
mod clock;
mod collections;
mod dates;
mod effects;
mod error_category;
mod formats;
mod governance;
mod hashes;
mod iters;
mod json;
mod keys;
mod models;
mod modules;
mod multipart;
mod numbers;
mod output;
mod paths;
mod ranges;
mod schemas;
mod shared;
pub mod suspension;
mod template;
mod text;
mod urls;
mod uuids;
mod values;
mod web;

use harn_builtins as table;
use harn_vm::{NativeFn, Registry, Value};

pub use arguments::Body;
pub use json::{decode as json_decode, stringify as json_stringify};
pub use modules::{prelude_key, prelude_module, prelude_modules, std_module, std_modules};
pub use template::problem as template_problem;

/// Every list of native bodies; a new domain is one line here.
const DOMAINS: &[&[Body]] = &[
    values::BODIES,
    output::BODIES,
    text::BODIES,
    text::METHODS,
    text::patterns::BODIES,
    ranges::BODIES,
    iters::BODIES,
    collections::lists::BODIES,
    collections::dicts::BODIES,
    collections::sets::BODIES,
    collections::keyed::BODIES,
    numbers::BODIES,
    numbers::RANDOM,
    json::BODIES,
    bytes::BODIES,
    hashes::BODIES,
    dates::BODIES,
    uuids::BODIES,
    schemas::BODIES,
    template::BODIES,
    clock::BODIES,
    shared::BODIES,
    paths::BODIES,
    formats::BODIES,
    archives::BODIES,
    keys::BODIES,
    multipart::BODIES,
    urls::BODIES,
    effects::BODIES,
    governance::BODIES,
    models::BODIES,
    web::BODIES,
];

/// The native bodies of this crate by name.
pub fn natives() -> impl Iterator<Item = (&'static str, NativeFn)> {
    DOMAINS.iter().flat_map(|bodies| bodies.iter().copied())
}

/// All builtins, methods and globals of the standard library.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    for (name, body) in natives() {
        match dotted(name).and_then(|(on, method)| table::method(on, method)) {
            Some(row) => registry.method(row.on, row.name, harn_vm::Body::Native(body)),
            None => registry.builtin(name, harn_vm::Body::Native(body)),
        }
    }
    // Rows of one module stand together: its key is searched once for all of them.
    let mut last = ("", "");
    let mut key = |module: &'static str| {
        if last.0 != module {
            // A row that names no module is found by the test below; the VM would name the missing module.
            last = (module, prelude_key(module).unwrap_or(module));
        }
        last.1
    };
    for row in table::builtins() {
        if let table::Body::Prelude(module) = row.body {
            registry.builtin(row.name, prelude(key(module), row.name));
        }
    }
    for row in table::methods() {
        if let table::Body::Prelude(module) = row.body {
            registry.method(row.on, row.name, prelude(key(module), row.name));
        }
    }
    registry.global("pi", Value::float(std::f64::consts::PI));
    registry.global("e", Value::float(std::f64::consts::E));
    for namespace in NAMESPACES {
        registry.global(namespace, namespace_dict(namespace));
    }
    registry
}

/// What stands before and behind the first dot. Searched byte by byte: names are shorter than a search for a character
/// takes to begin, and each start asks of every name.
fn dotted(name: &str) -> Option<(&str, &str)> {
    let dot = name.bytes().position(|byte| byte == b'.')?;
    Some((name.get(..dot)?, name.get(dot + 1..)?))
}

/// Dicts of builtins that a program names by a prefix.
const NAMESPACES: &[&str] = &["stream", "event_log", "trust", "workflow"];

/// The dict of the builtins `NAME.*`.
fn namespace_dict(name: &str) -> Value {
    let members = table::builtins().iter().filter_map(|row| {
        let rest = row.name.strip_prefix(name)?.strip_prefix('.')?;
        Some((rest, Value::builtin(harn_vm::BuiltinId::of(row.name))))
    });
    Value::dict(members)
}

fn prelude(module: &'static str, name: &'static str) -> harn_vm::Body {
    let function = dotted(name).map_or(name, |(_, last)| last);
    harn_vm::Body::Prelude { module, function }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The other way round is a test of the runtime, which adds the bodies of tasks, channels and agents.
    #[test]
    fn every_native_body_has_a_native_row() {
        let builtins = table::builtins().iter().map(|r| (r.name.to_owned(), r.body));
        let methods = table::methods().iter().map(|r| (format!("{}.{}", r.on, r.name), r.body));
        let rows: BTreeSet<String> = builtins
            .chain(methods)
            .filter(|(_, body)| *body == table::Body::Native)
            .map(|(name, _)| name)
            .collect();
        let bodies: BTreeSet<String> = natives().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(natives().count(), bodies.len(), "a body is registered twice");
        assert_eq!(bodies.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "bodies without row");
    }

    #[test]
    fn library_modules_parse() {
        for (name, text) in prelude_modules().iter().chain(std_modules()) {
            let source = harn_syntax::Source::new(*name, *text);
            let found = harn_syntax::parse(&source).diagnostics;
            let rendered: Vec<String> =
                found.iter().map(|d| harn_syntax::render(d, &source, false)).collect();
            assert!(found.is_empty(), "{name}: {}", rendered.join("\n"));
        }
    }

    #[test]
    fn prelude_rows_have_functions() {
        let builtins = table::builtins().iter().map(|r| (r.name, r.body));
        let methods = table::methods().iter().map(|r| (r.name, r.body));
        for (name, body) in builtins.chain(methods) {
            let table::Body::Prelude(module) = body else { continue };
            let function = name.rsplit('.').next().unwrap_or(name);
            let text = prelude_module(module).unwrap_or_default();
            assert!(text.contains(&format!("pub fn {function}(")), "{name}");
        }
    }
}
