//! The library written in Harn, embedded: prelude modules (bodies of builtins) and `std/` modules.

/// An embedded module: its key in a program (`prelude/list`, `std/math`) and its source.
type Embedded = (&'static str, &'static str);

macro_rules! embedded {
    ($table:ident, $directory:literal: $($name:literal)*) => {
        const $table: &[Embedded] = &[$((
            concat!($directory, "/", $name),
            include_str!(concat!("../", $directory, "/", $name, ".harn")),
        ),)*];
    };
}

embedded!(PRELUDE, "prelude":
    "agent_calls" "agent_daemon" "agent_loop" "agent_policy" "agent_prompt" "agent_trace" "artifacts" "collections" "commands" "compaction"
    "dict" "eval_packs" "event_log" "files" "flow" "friction"
    "generator" "globs" "handles" "handoffs" "hitl" "host" "http" "http_server" "iter" "lifecycle" "list" "llm" "mcp"
    "metadata" "monitors" "output" "paths" "pg_mock" "plans" "project" "run_records" "scans" "schema_recovery" "sessions" "set" "shells" "skills" "state" "stream" "sub_agents" "system"
    "templates" "terminal" "testing" "time" "tool_search" "tool_surface" "tools" "tracing" "transcript" "trigger_config"
    "trigger_dispatch" "trigger_flow" "trigger_harness" "trigger_predicate" "triggers"
    "waitpoints" "web" "workers" "workflow_graph" "workflow_mailbox" "workflow_run"
);
embedded!(STD, "std":
    "agent_state" "async" "checkpoint" "collections" "hitl" "host" "json" "math" "memory" "monitors" "path" "runtime" "schema" "testing" "text" "triggers" "trust" "waitpoint"
    "waitpoints" "worktree"
);

fn find(table: &'static [Embedded], directory: &str, name: &str) -> Option<&'static Embedded> {
    let name = name.strip_prefix(directory).unwrap_or(name);
    table.iter().find(|(key, _)| key.strip_prefix(directory) == Some(name))
}

/// The source of a prelude module, named with or without `prelude/`.
pub fn prelude_module(name: &str) -> Option<&'static str> {
    find(PRELUDE, "prelude/", name).map(|(_, text)| *text)
}

/// The key of a prelude module, `prelude/<name>`: what [`harn_vm::Body::Prelude`] names.
pub fn prelude_key(name: &str) -> Option<&'static str> {
    find(PRELUDE, "prelude/", name).map(|(key, _)| *key)
}

/// Every prelude module: key and source.
pub fn prelude_modules() -> &'static [Embedded] {
    PRELUDE
}

/// The source of a library module, named with or without `std/`.
pub fn std_module(name: &str) -> Option<&'static str> {
    find(STD, "std/", name).map(|(_, text)| *text)
}

/// Every library module: key and source.
pub fn std_modules() -> &'static [Embedded] {
    STD
}
