//! `harn repl`: a program entered piece by piece, on a terminal or from a pipe (spec 09 section 2.7).

mod input;
mod line;

use super::Command;
use crate::code_cache::code_cache;
use crate::modules::DiskModules;
use crate::run_options::{self, RunOptions};
use crate::session::{self, Session};
use crate::{output, report};
use clap::ArgMatches;
use harn_effect::Host;
use harn_host::RealHost;
use harn_runtime::dialogue::{self, Dialogue, Finding, Objection, Reply};
use harn_runtime::program;
use harn_runtime::suspensions::Launch;
use harn_types::graph::SourceLoader;
use harn_vm::{Value, View};
use std::collections::HashMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "repl",
    aliases: &[],
    about: "Runs what is typed, entry by entry",
    args: |command| {
        run_options::args(command).after_help(
            "On a terminal: Tab completes, Ctrl+C stops what runs, Ctrl+D leaves. From a pipe: each entry is run, the \
             value of an expression printed, and the exit code is 1 if one failed.",
        )
    },
    run,
};

/// More of a value than this many characters is not shown on a terminal.
const SHOWN: usize = 10_000;

fn run(matches: &ArgMatches) -> ExitCode {
    let options = match RunOptions::read(matches) {
        Ok(options) => options,
        Err(problem) => return problem.tell("repl"),
    };
    let recording = options.models.recording.clone();
    let mut repl = match Repl::new(options) {
        Ok(repl) => repl,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    let code = if std::io::stdin().is_terminal() { repl.on_terminal() } else { repl.on_pipe() };
    repl.dialogue.leave();
    if let Err(problem) = run_options::save_recording(matches, recording.as_ref()) {
        output::error(&problem);
        return ExitCode::FAILURE;
    }
    ExitCode::from(code)
}

/// A dialogue and where its modules come from.
struct Repl {
    dialogue: Dialogue,
    modules: Remembered,
    terminal: bool,
}

/// How an entry went, for the loop.
enum Step {
    Done,
    Failed,
    Leave(u8),
}

impl Repl {
    /// The error: the `harn.toml` of the working directory cannot be read.
    fn new(options: RunOptions) -> Result<Repl, String> {
        let launch = Launch {
            script: dialogue::PATH.to_owned(),
            strict: options.strict || session::settings(dialogue::PATH)?.strict_runtime(),
            max_depth: options.max_depth,
            max_memory: options.max_memory,
            denied: options.denied.into_iter().collect(),
            forbidden: options.forbidden,
            ..Launch::default()
        };
        let host = RealHost::new();
        host.listen_for_interrupts();
        let host: Box<dyn Host> = Box::new(host);
        let progress = session::progress(options.live);
        let session = Session { progress, models: options.models, ..Session::new(dialogue::PATH, host) };
        let loading = program::Options { cache: code_cache(), ..run_options::program_options(&launch) };
        let mut dialogue = Dialogue::new(loading, session.surroundings()?);
        run_options::prepare(dialogue.run(), &launch);
        Ok(Repl { dialogue, modules: Remembered::new(), terminal: std::io::stdin().is_terminal() })
    }

    /// Reads from a terminal until its end.
    fn on_terminal(&mut self) -> u8 {
        let mut lines = match line::Lines::open() {
            Ok(lines) => lines,
            Err(problem) => {
                output::error(&format!("this terminal is of no use: {problem}"));
                return 1;
            }
        };
        output::outln(&format!("Harn REPL v{}", env!("CARGO_PKG_VERSION")));
        output::outln("Type expressions or statements. Ctrl+C stops what runs, Ctrl+D exits.");
        loop {
            match lines.next(self.dialogue.text()) {
                line::Next::Entry(text) => {
                    if let Step::Leave(code) = self.enter(&text) {
                        return code;
                    }
                }
                line::Next::Nothing => {}
                line::Next::End => {
                    output::outln("Goodbye!");
                    return 0;
                }
                line::Next::Broken(problem) => {
                    output::error(&format!("the terminal cannot be read: {problem}"));
                    return 1;
                }
            }
        }
    }

    /// Reads from a pipe or file until its end; each entry is as many lines as it needs.
    fn on_pipe(&mut self) -> u8 {
        let mut pending = String::new();
        let mut failed = false;
        loop {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let at_end = match read {
                Ok(count) => count == 0,
                Err(problem) => {
                    output::error(&format!("standard input cannot be read: {problem}"));
                    return 1;
                }
            };
            pending.push_str(&line);
            if pending.trim().is_empty() {
                pending.clear();
            } else if at_end || input::is_complete(&pending) {
                match self.enter(std::mem::take(&mut pending).trim_end()) {
                    Step::Done => {}
                    Step::Failed => failed = true,
                    Step::Leave(code) => return code,
                }
            }
            if at_end {
                return u8::from(failed);
            }
        }
    }

    /// Checks and runs an entry, and shows what came of it.
    fn enter(&mut self, text: &str) -> Step {
        let ready = match self.dialogue.read(text, &mut self.modules) {
            Ok(ready) => ready,
            Err(objection) => {
                self.object(&objection);
                return Step::Failed;
            }
        };
        output::err(&rendered(&ready.warnings));
        let reply = self.dialogue.run_entry(ready);
        // What is shown begins on a line of its own.
        let has_more = self.terminal || matches!(reply, Reply::Value { .. });
        if has_more && self.dialogue.run().take_mid_line() {
            output::outln("");
        }
        match reply {
            Reply::Done => Step::Done,
            Reply::Value { name, ty, value } => {
                output::outln(&if self.terminal {
                    shown(&name, ty.as_deref(), &value)
                } else {
                    plain(&value)
                });
                Step::Done
            }
            Reply::Failed(error) => {
                self.failed(&error);
                Step::Failed
            }
            Reply::Interrupted => {
                output::err("interrupted\n");
                if self.terminal { Step::Failed } else { Step::Leave(INTERRUPTED) }
            }
            Reply::Exit(code) => Step::Leave((code & 0xff) as u8),
        }
    }

    fn object(&self, objection: &Objection) {
        match objection {
            Objection::Static(findings) => output::err(&rendered(findings)),
            Objection::Compile(findings) => {
                let mut out = String::new();
                for Finding { source, diagnostic } in findings {
                    let line = source.position(diagnostic.span.start).line;
                    let message = &diagnostic.message;
                    let _ = writeln!(out, "error: compile error: Compile error at line {line}: {message}");
                }
                output::err(&out);
            }
            Objection::Start(error) => self.failed(error),
        }
    }

    fn failed(&self, error: &harn_vm::VmError) {
        output::err(&report::uncaught_in(error, |frame| self.dialogue.source(&frame.path)));
    }
}

/// The exit code after SIGINT, when nobody can go on typing (spec 02 section 15.3).
const INTERRUPTED: u8 = 124;

fn rendered(findings: &[Finding]) -> String {
    let colours = output::stderr_colours();
    findings.iter().map(|f| harn_syntax::render(&f.diagnostic, &f.source, colours)).collect()
}

/// The value as `print` would write it.
fn plain(value: &Value) -> String {
    harn_vm::display(value)
}

/// Name, type and value; text in quotes.
fn shown(name: &str, ty: Option<&str>, value: &Value) -> String {
    let ty = ty.unwrap_or_else(|| value.type_name());
    let mut text = match value.view() {
        View::Str(text) => quoted(text),
        _ => plain(value),
    };
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        let more = text.chars().count() - SHOWN;
        text.truncate(end);
        let _ = write!(text, "... ({more} characters more)");
    }
    format!("{name}: {ty} = {text}")
}

/// A text as a program would write it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '$' => out.push_str("\\$"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Modules as they were when they were first read: the machine keeps their code, so the checks keep their text.
struct Remembered {
    disk: DiskModules,
    texts: HashMap<String, Result<String, String>>,
}

impl Remembered {
    fn new() -> Remembered {
        Remembered { disk: DiskModules::new(), texts: HashMap::new() }
    }
}

impl SourceLoader for Remembered {
    fn read(&mut self, path: &str) -> Result<String, String> {
        if let Some(Ok(text)) = self.texts.get(path) {
            return Ok(text.clone());
        }
        let text = self.disk.read(path);
        self.texts.insert(path.to_owned(), text.clone());
        text
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        self.disk.canonical(path)
    }

    fn is_file(&mut self, path: &str) -> bool {
        self.disk.is_file(path)
    }

    fn exists(&mut self, path: &str) -> bool {
        self.disk.exists(path)
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        self.disk.std_module(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_a_program_would_write_it() {
        assert_eq!(quoted("a \"b\"\n${c}\u{7}"), "\"a \\\"b\\\"\\n\\${c}\\u{7}\"");
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = shown("_1", Some("string"), &Value::string("x".repeat(SHOWN + 5)));
        assert!(text.ends_with("x... (7 characters more)"), "{}", &text[text.len() - 40..]);
    }
}
