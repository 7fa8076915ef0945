//! State that outlives a run, metadata, scans, mock Postgres (spec 06 sections 9 and 10).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "state",
        "store_get",
        "fn(key: any) -> any",
        "The value of a key in the store, or nil.",
        r#"store_get("no such key") // nil"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "state",
        "store_set",
        "fn(key: any, value: any) -> nil",
        "Keeps a value in the store.",
        "store_set(\"k\", [1])\nstore_get(\"k\") // [1]",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "store_delete",
        "fn(key: any) -> nil",
        "Forgets a key of the store.",
        r#"store_delete("no such key") // nil"#,
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "store_list",
        "fn() -> list<string>",
        "The keys of the store, sorted.",
        "type_of(store_list()) // list",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "state",
        "store_save",
        "fn() -> nil",
        "Writes the store; every change has been written already.",
        "store_save() // nil",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "store_clear",
        "fn() -> nil",
        "Empties the store.",
        "store_clear()\nstore_list() // []",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "checkpoint",
        "fn(key: any, value: any) -> nil",
        "Keeps a value for the next run of this script.",
        "checkpoint(\"a\", 1)\ncheckpoint_get(\"a\") // 1",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "checkpoint_get",
        "fn(key: any) -> any",
        "The value of a checkpoint, or nil.",
        r#"checkpoint_get("no such key") // nil"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "state",
        "checkpoint_exists",
        "fn(key: any) -> bool",
        "Whether there is a checkpoint, be it nil.",
        r#"checkpoint_exists("no such key") // false"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "state",
        "checkpoint_list",
        "fn() -> list<string>",
        "The keys of the checkpoints, sorted.",
        "type_of(checkpoint_list()) // list",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "state",
        "checkpoint_delete",
        "fn(key: any) -> nil",
        "Forgets a checkpoint.",
        r#"checkpoint_delete("no such key") // nil"#,
    )
    .effect(EffectClass::Write),
    B::prelude(
        "state",
        "checkpoint_clear",
        "fn() -> nil",
        "Forgets all checkpoints of this script.",
        "checkpoint_clear() // nil",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "metadata",
        "metadata_set",
        "fn(dir: any, namespace: any, data: any) -> nil",
        "Adds facts about a directory.",
        "metadata_set(\"a\", \"facts\", {n: 1})\nmetadata_get(\"a/b\", \"facts\") // {n: 1}",
    ),
    B::prelude(
        "metadata",
        "metadata_get",
        "fn(dir: any, namespace?: any) -> dict | nil",
        "The facts of a directory over those of its parents, or nil.",
        r#"metadata_get("a", "no_such") // nil"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_resolve",
        "fn(dir: any, namespace?: any) -> dict | nil",
        "The same, each namespace by itself.",
        r#"metadata_resolve("a", "no_such") // nil"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_entries",
        "fn(namespace?: any) -> list<dict>",
        "Every directory with facts.",
        r#"metadata_entries("no_such") // []"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_save",
        "fn() -> nil",
        "Writes the facts that changed.",
        "metadata_save() // nil",
    )
    .effect(EffectClass::Write),
    B::prelude(
        "metadata",
        "compute_content_hash",
        "fn(dir?: any) -> string",
        "A hash of the names and contents of the files below a directory.",
        "len(compute_content_hash(temp_subdir())) // 64",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_stale",
        "fn(project?: any) -> dict",
        "The directories whose names (`tier1`) or contents (`tier2`) changed since they were classified.",
        "metadata_stale().any_stale // false",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_status",
        "fn(namespace?: any) -> dict",
        "What is recorded: directories, namespaces, and which hashes are missing or stale.",
        "metadata_status().directory_count // 0",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "metadata_refresh_hashes",
        "fn() -> nil",
        "Counts every classification as made from what is there now.",
        "metadata_refresh_hashes() // nil",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "invalidate_facts",
        "fn(dir?: any) -> nil",
        "Nothing: facts are always computed afresh.",
        "invalidate_facts(\".\") // nil",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "metadata",
        "scan_directory",
        "fn(path?: any, pattern_or_options?: any, options?: dict) -> list<dict>",
        "Path, size, time and kind of what is below a directory.",
        "scan_directory(temp_subdir()) // []",
    )
    .effect(EffectClass::Read),
    B::prelude(
        "scans",
        "secret_scan",
        "fn(content: any) -> list<dict>",
        "Where a text holds what looks like a secret; never the secret.",
        r#"secret_scan("nothing here") // []"#,
    )
    .effect(EffectClass::Write),
    B::prelude(
        "scans",
        "parse_junit_xml",
        "fn(input: any) -> list<dict>",
        "The test cases of a JUnit report.",
        r#"parse_junit_xml("<testcase name='a'/>")[0].status // passed"#,
    ),
    B::prelude(
        "pg_mock",
        "pg_mock_pool",
        "fn(fixtures: any) -> dict",
        "A scripted Postgres pool for tests.",
        "pg_mock_pool([])._type // pg_mock_pool",
    ),
    B::prelude(
        "pg_mock",
        "pg_mock_calls",
        "fn(pool: any) -> list<dict>",
        "What a scripted pool was asked.",
        "pg_mock_calls(pg_mock_pool([])) // []",
    ),
    B::prelude(
        "pg_mock",
        "pg_query",
        "fn(pool: any, sql: any, params?: any) -> list<dict>",
        "The rows of a query.",
        r#"pg_query(pg_mock_pool([{sql: "s", rows: [{n: 1}]}]), "s")[0].n // 1"#,
    ),
    B::prelude(
        "pg_mock",
        "pg_query_one",
        "fn(pool: any, sql: any, params?: any) -> any",
        "The first row of a query, or nil.",
        r#"pg_query_one(pg_mock_pool([{sql: "s"}]), "s") // nil"#,
    ),
    B::prelude(
        "pg_mock",
        "pg_execute",
        "fn(pool: any, sql: any, params?: any) -> dict",
        "How many rows a statement touched.",
        r#"pg_execute(pg_mock_pool([{sql: "s", rows_affected: 2}]), "s").rows_affected // 2"#,
    ),
    B::prelude(
        "pg_mock",
        "pg_close",
        "fn(pool: any) -> bool",
        "Closes a pool.",
        "pg_close(pg_mock_pool([])) // true",
    ),
    B::prelude(
        "commands",
        "command_policy",
        "fn(config: any) -> dict",
        "A command policy in its normal form.",
        "command_policy({}).default_shell_mode // argv_only",
    ),
    B::prelude(
        "commands",
        "command_policy_push",
        "fn(policy: any) -> nil",
        "Puts a command policy in force for this task and what it starts.",
        "command_policy_push(command_policy({deny_patterns: [\"rm*\"]}))\nexec(\"rm\", \"x\").error // permission_denied",
    ),
    B::prelude(
        "commands",
        "command_policy_pop",
        "fn() -> nil",
        "Takes the last command policy out of force.",
        "command_policy_pop() // error: Runtime error: command_policy_pop: no command policy to pop",
    ),
    B::prelude(
        "commands",
        "command_risk_scan",
        "fn(ctx: any) -> dict",
        "What a command looks like, and what to do about it.",
        r#"command_risk_scan({request: {argv: ["ls"]}}).action // allow"#,
    ),
    B::prelude(
        "commands",
        "command_llm_risk_scan",
        "fn(ctx: any, options?: any) -> dict",
        "The same scan, marked as deterministic.",
        r#"command_llm_risk_scan({request: {argv: ["ls"]}}).scan_kind // deterministic_fallback"#,
    ),
    B::prelude(
        "commands",
        "command_result_scan",
        "fn(ctx: any) -> dict",
        "What the output of a command shows.",
        r#"command_result_scan({result: {stdout: "fine", stderr: ""}}).action // allow"#,
    )
    .effect(EffectClass::Write),
    B::internal(
        "commands",
        "__command_guard",
        "fn(request: dict) -> dict",
        "Rules on a command before it starts.",
    ),
    B::internal(
        "commands",
        "__command_after",
        "fn(policies: list, request: dict, result: dict) -> dict",
        "Lets hooks look at the result of a command.",
    ),
    B::internal(
        "shells",
        "__shell_call",
        "fn(operation: string, params: dict) -> any",
        "The host calls about shells.",
    ),
    B::internal("shells", "__process_exec", "fn(params: dict) -> dict", "The command envelope."),
    B::internal(
        "globs",
        "__glob_path_match",
        "fn(pattern: string, path: string) -> bool",
        "Whether a path matches a pattern.",
    ),
];
