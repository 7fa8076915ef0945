//! Output (spec 02 section 3.2, 06 section 5).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Ambient;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "println",
        "fn(x?: any) -> nil",
        "Writes the display text and a line break to standard output.",
        r"println([1, 2]) // prints: [1, 2]\n",
    )
    .effect(Ambient),
    B::native(
        "print",
        "fn(x?: any) -> nil",
        "Writes the display text to standard output.",
        "print(5) // prints: 5",
    )
    .effect(Ambient),
    B::native(
        "log",
        "fn(x?: any) -> nil",
        "Writes `[harn] `, the display text and a line break to standard output.",
        r#"log("up") // prints: [harn] up\n"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "eprint",
        "fn(x?: any) -> nil",
        "Writes the display text to standard error.",
        r#"eprint("x") // nil"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "eprintln",
        "fn(x?: any) -> nil",
        "Writes the display text and a line break to standard error.",
        r#"eprintln("x") // nil"#,
    )
    .effect(Ambient),
    B::native(
        "progress",
        "fn(phase: any, message: any, progress?: any, total?: any) -> nil",
        "Writes one line of progress to standard output.",
        r#"progress("build", "half", 1, 2) // prints: [build] half (1/2)\n"#,
    )
    .effect(Ambient),
    B::prelude(
        "output",
        "log_debug",
        "fn(message: any, fields?: dict) -> nil",
        "Writes one JSON line of level `debug` to standard output.",
        r#"log_debug("x", {n: 1})"#,
    )
    .effect(Ambient),
    B::prelude(
        "output",
        "log_info",
        "fn(message: any, fields?: dict) -> nil",
        "Writes one JSON line of level `info` to standard output.",
        r#"log_info("x", {n: 1})"#,
    )
    .effect(Ambient),
    B::prelude(
        "output",
        "log_warn",
        "fn(message: any, fields?: dict) -> nil",
        "Writes one JSON line of level `warn` to standard output.",
        r#"log_warn("x", {n: 1})"#,
    )
    .effect(Ambient),
    B::prelude(
        "output",
        "log_error",
        "fn(message: any, fields?: dict) -> nil",
        "Writes one JSON line of level `error` to standard output.",
        r#"log_error("x", {n: 1})"#,
    )
    .effect(Ambient),
    B::prelude(
        "output",
        "log_json",
        "fn(key: any, value: any) -> nil",
        "Writes one JSON line `{ts, key, value}` to standard output.",
        r#"log_json("k", 1)"#,
    )
    .effect(Ambient),
    B::native(
        "log_set_level",
        "fn(level: string) -> nil",
        "Drops structured log lines below a level.",
        r#"log_set_level("warn") // nil"#,
    ),
    B::prelude(
        "terminal",
        "capture_stderr_start",
        "fn() -> nil",
        "Catches what `eprint` writes from now on.",
        "capture_stderr_start() // nil",
    ),
    B::prelude(
        "terminal",
        "capture_stderr_take",
        "fn() -> string",
        "What was caught; ends the catching.",
        r#"capture_stderr_start()
eprint("x")
capture_stderr_take() // x"#,
    ),
    B::prelude(
        "terminal",
        "set_color_mode",
        "fn(mode: any) -> nil",
        "Whether `color`, `bold` and `dim` change text: `auto`, `always` or `never`.",
        r#"set_color_mode("never") // nil"#,
    ),
    B::prelude(
        "terminal",
        "color",
        "fn(text: any, name: any) -> string",
        "Text in a colour when colour is on.",
        r#"set_color_mode("never")
color("x", "red") // x"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "bold",
        "fn(text: any) -> string",
        "Bold text when colour is on.",
        r#"set_color_mode("never")
bold("x") // x"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "dim",
        "fn(text: any) -> string",
        "Dim text when colour is on.",
        r#"set_color_mode("never")
dim("x") // x"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "trace_start",
        "fn(name: any) -> dict",
        "Opens a trace span.",
        r#"trace_start("step").name // step"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "trace_end",
        "fn(span: dict) -> nil",
        "Closes a trace span and logs its duration.",
        r#"trace_end(trace_start("step"))"#,
    )
    .effect(Ambient),
    B::prelude(
        "terminal",
        "trace_id",
        "fn() -> string | nil",
        "The id of the trace of the innermost open span.",
        "trace_id() // nil",
    ),
    B::internal(
        "tracing",
        "__trace_tool",
        "fn(name: string, start_ms: int, duration_ms: int, status: string) -> nil",
        "Adds a tool of an agent loop to the spans.",
    ),
    B::prelude(
        "tracing",
        "enable_tracing",
        "fn(on?: any) -> nil",
        "Starts recording spans: the pipeline, its model calls and the tools of its agent loops.",
        "enable_tracing() // nil",
    )
    .effect(Ambient),
    B::prelude(
        "tracing",
        "trace_spans",
        "fn() -> list<dict>",
        "The spans since tracing was turned on.",
        "trace_spans() // []",
    )
    .effect(Ambient),
    B::prelude(
        "tracing",
        "trace_summary",
        "fn() -> string",
        "The spans as an indented tree.",
        "trace_summary() // No spans recorded.",
    )
    .effect(Ambient),
];
