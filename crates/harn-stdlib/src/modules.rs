//! The library written in Harn, embedded: prelude modules (bodies of builtins) and `std/` modules.

macro_rules! embedded {
    ($table:ident, $directory:literal: $($name:literal)*) => {
        const $table: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../", $directory, "/", $name, ".harn"))),)*];
    };
}

embedded!(PRELUDE, "prelude":
    "agent_calls" "agent_loop" "agent_policy" "collections" "compaction" "dict" "files" "generator" "host" "iter"
    "list" "output" "paths" "sessions" "set" "stream" "system" "time" "tools" "transcript"
);
embedded!(STD, "std": "async" "collections" "json" "math" "path" "schema" "testing" "text");

/// The source of a prelude module.
pub fn prelude_module(name: &str) -> Option<&'static str> {
    PRELUDE.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// Every prelude module: name and source.
pub fn prelude_modules() -> &'static [(&'static str, &'static str)] {
    PRELUDE
}

/// The source of a library module, named with or without `std/`.
pub fn std_module(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("std/").unwrap_or(name);
    STD.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// Every library module: name without `std/` and source.
pub fn std_modules() -> &'static [(&'static str, &'static str)] {
    STD
}
