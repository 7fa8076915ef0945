//! What commands print: standard output that tolerates a closed pipe, errors on standard error.

use std::io::{IsTerminal, Write};

/// Writes `text` to standard output. A reader that has gone away ends the process quietly, as in any Unix tool.
pub fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

/// Writes one line to standard output.
pub fn outln(text: &str) {
    out(&format!("{text}\n"));
}

/// Writes `text` to standard error; nobody can be told when that fails.
pub fn err(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Writes `error: <text>` to standard error.
pub fn error(text: &str) {
    err(&format!("error: {text}\n"));
}

/// Whether what is written to standard output may carry colours: a terminal, and `NO_COLOR` is unset or empty.
pub fn stdout_colours() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    !no_colour && std::io::stdout().is_terminal()
}

/// Whether what is written to standard error may carry colours: a terminal, and `NO_COLOR` is unset or empty.
pub fn stderr_colours() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    !no_colour && std::io::stderr().is_terminal()
}
