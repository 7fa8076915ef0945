//! Environment, processes, terminal (spec 06 sections 1, 3, 4 and 5).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "system",
        "env",
        "fn(name: string) -> string | nil",
        "An environment variable, or nil.",
        r#"env("HARN_NO_SUCH_VARIABLE") // nil"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "system",
        "env_or",
        "fn(name: string, default_value: any) -> any",
        "An environment variable, or a default.",
        r#"env_or("HARN_NO_SUCH_VARIABLE", 5) // 5"#,
    )
    .effect(EffectClass::Read),
    B::prelude(
        "system",
        "platform",
        "fn() -> string",
        "The operating system: linux, darwin, windows, ...",
        "len(platform()) > 0 // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude("system", "arch", "fn() -> string", "The processor architecture.", "len(arch()) > 0 // true")
        .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "username",
        "fn() -> string",
        "The name of the user, or an empty text.",
        "type_of(username()) // string",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "hostname",
        "fn() -> string",
        "The name of the machine, or an empty text.",
        "type_of(hostname()) // string",
    )
    .effect(EffectClass::Ambient),
    B::prelude("system", "pid", "fn() -> int", "The process id.", "pid() > 0 // true")
        .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "cwd",
        "fn() -> string",
        "The execution root: what relative paths of files resolve against.",
        "path_is_absolute(cwd()) // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "execution_root",
        "fn() -> string",
        "The same as `cwd()`.",
        "execution_root() == cwd() // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "home_dir",
        "fn() -> string",
        "The home directory, or an empty text.",
        "type_of(home_dir()) // string",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "temp_dir",
        "fn() -> string",
        "The directory for temporary files.",
        "path_is_absolute(temp_dir()) // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "project_root",
        "fn() -> string | nil",
        "The nearest folder with a `harn.toml`, nil when there is none.",
        "project_root() == nil || file_exists(project_root()) // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "runtime_paths",
        "fn() -> dict",
        "Where things of the run are: execution, asset, state, run and worktree roots.",
        "runtime_paths().execution_root == cwd() // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "is_stdin_tty",
        "fn() -> bool",
        "Whether standard input is a terminal.",
        "mock_tty(\"stdin\", true)\nis_stdin_tty() // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "is_stdout_tty",
        "fn() -> bool",
        "Whether standard output is a terminal.",
        "mock_tty(\"stdout\", false)\nis_stdout_tty() // false",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "is_stderr_tty",
        "fn() -> bool",
        "Whether standard error is a terminal.",
        "mock_tty(\"stderr\", true)\nis_stderr_tty() // true",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "mock_tty",
        "fn(stream: string, value: bool) -> nil",
        "Makes a stream look like a terminal, or not.",
        r#"mock_tty("stdout", true) // nil"#,
    ),
    B::prelude("system", "unmock_tty", "fn() -> nil", "Ends `mock_tty`.", "unmock_tty() // nil"),
    B::prelude(
        "system",
        "mock_stdin",
        "fn(text: string) -> nil",
        "Replaces standard input.",
        "mock_stdin(\"a\\nb\")\nread_line() // a",
    ),
    B::prelude("system", "unmock_stdin", "fn() -> nil", "Ends `mock_stdin`.", "unmock_stdin() // nil"),
    B::prelude(
        "system",
        "read_line",
        "fn() -> string | nil",
        "One line of standard input, nil at its end.",
        "mock_stdin(\"a\\nb\")\nread_line()\nread_line() // b",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "read_stdin",
        "fn() -> string | nil",
        "Everything left on standard input, nil at its end.",
        "mock_stdin(\"all\")\nread_stdin() // all",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "prompt_user",
        "fn(message?: string) -> string | nil",
        "Prints a message and reads one line.",
        "mock_stdin(\"Ada\")\nprompt_user(\"\") // Ada",
    )
    .effect(EffectClass::Ambient),
    B::prelude(
        "system",
        "exec",
        "fn(...args: any) -> dict",
        "Runs a program; a dict as last argument holds options.",
        r#"exec("echo", "hi").stdout.trim() // hi"#,
    )
    .effect(EffectClass::Process),
    B::prelude(
        "system",
        "exec_at",
        "fn(...args: any) -> dict",
        "Runs a program in a directory.",
        r#"exec_at("/", "pwd").stdout.trim() // /"#,
    )
    .effect(EffectClass::Process),
    B::prelude(
        "system",
        "shell",
        "fn(command: string, options?: dict) -> dict",
        "Runs a shell command.",
        r#"shell("exit 3").status // 3"#,
    )
    .effect(EffectClass::Process),
    B::prelude(
        "system",
        "shell_at",
        "fn(dir: string, command: string, options?: dict) -> dict",
        "Runs a shell command in a directory.",
        r#"shell_at("/", "pwd").stdout.trim() // /"#,
    )
    .effect(EffectClass::Process),
    B::native(
        "exit",
        "fn(code?: any) -> never",
        "Ends the program at once with an exit code.",
        "if false { exit(3) }",
    ),
];
