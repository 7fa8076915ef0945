//! Lines from a terminal: editing, history, completion, colours.

use super::super::lsp::EditorFiles;
use super::input;
use harn_host::RealHost;
use harn_runtime::dialogue;
use harn_syntax::{Source, TokenKind, parse};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::borrow::Cow;
use std::path::PathBuf;

const PROMPT: &str = "harn> ";

/// What came from the terminal.
pub enum Next {
    /// A whole entry.
    Entry(String),
    /// A line that was given up, or an empty one.
    Nothing,
    /// Its end.
    End,
    /// It cannot be read.
    Broken(String),
}

/// The terminal.
pub struct Lines {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Lines {
    /// Opens the terminal and reads the history.
    pub fn open() -> rustyline::Result<Lines> {
        let config =
            Config::builder().completion_type(CompletionType::List).max_history_size(10_000)?.build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Assistant { program: String::new() }));
        let history = history_file();
        if let Some(file) = &history {
            // The first time there is none.
            let _ = editor.load_history(file);
        }
        Ok(Lines { editor, history })
    }

    /// The next entry below a program.
    pub fn next(&mut self, program: &str) -> Next {
        if let Some(assistant) = self.editor.helper_mut() {
            program.clone_into(&mut assistant.program);
        }
        match self.editor.readline(PROMPT) {
            Ok(text) if text.trim().is_empty() => Next::Nothing,
            Ok(text) => {
                self.remember(&text);
                Next::Entry(text)
            }
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Next::Nothing,
            Err(ReadlineError::Eof) => Next::End,
            Err(problem) => Next::Broken(problem.to_string()),
        }
    }

    /// Adds an entry to the history, at once: the terminal may go away.
    fn remember(&mut self, text: &str) {
        // A history that cannot be written is none.
        if self.editor.add_history_entry(text.trim_end()).unwrap_or(false)
            && let Some(file) = &self.history
        {
            let _ = self.editor.append_history(file);
        }
    }
}

/// `~/.harn/repl_history`, in a directory that exists.
fn history_file() -> Option<PathBuf> {
    let home = RealHost::env("HOME").filter(|home| !home.is_empty())?;
    let directory = PathBuf::from(home).join(".harn");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("repl_history"))
}

/// What helps while a line is typed.
struct Assistant {
    /// The program above the line.
    program: String,
}

impl Helper for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {
    fn validate(&self, cx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        // The line end that is being typed counts: an empty line ends an entry that only might go on.
        let whole = input::is_complete(&format!("{}\n", cx.input()));
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or(line);
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let word = before.get(start..).unwrap_or_default();
        let text = format!("{}{line}", self.program);
        let offset = (self.program.len() + at) as u32;
        // A file of the working directory, so that imports are found as a run would find them.
        let path = std::path::absolute(dialogue::PATH).unwrap_or_default();
        let names =
            harn_lsp::completions(Box::new(EditorFiles::new()), &path.to_string_lossy(), &text, offset);
        let pair = |name: String| Pair { display: name.clone(), replacement: name };
        let fitting = names.into_iter().filter(|name| name.starts_with(word) && name.as_str() != word);
        Ok((start, fitting.map(pair).collect()))
    }
}

const BLUE: &str = "\u{1b}[34m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

fn colour(kind: TokenKind) -> Option<&'static str> {
    Some(match kind {
        TokenKind::Int | TokenKind::Float | TokenKind::Duration => CYAN,
        TokenKind::Str
        | TokenKind::RawStr
        | TokenKind::InterpStart
        | TokenKind::InterpMiddle
        | TokenKind::InterpEnd => GREEN,
        TokenKind::LineComment | TokenKind::DocLine | TokenKind::BlockComment | TokenKind::DocBlock => DIM,
        kind if kind.is_keyword() => BLUE,
        _ => return None,
    })
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        let parsed = parse(&Source::new(dialogue::PATH, line));
        let mut out = String::with_capacity(line.len() + 32);
        let mut done = 0;
        for token in &parsed.tokens {
            let Some(colour) = colour(token.kind) else { continue };
            let (start, end) = (token.span.start as usize, token.span.end as usize);
            let (Some(before), Some(text)) = (line.get(done..start), line.get(start..end)) else { continue };
            out.push_str(before);
            out.push_str(colour);
            out.push_str(text);
            out.push_str(PLAIN);
            done = end;
        }
        out.push_str(line.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}
