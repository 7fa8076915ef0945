//! The canonical text of a program (`harn fmt`): tree and comments in, text out.
//!
//! The main way through is [`format`]: parse, lay out ([`layout`]) the tree with its comments ([`comments`]), print,
//! then read the result back and refuse it if program or comments changed. A text that does not parse is not touched.
//!
//! Documented normalisations: parentheses are regenerated, semicolons and optional commas become lines and commas,
//! durations and escapes are written in one way, leading imports and imported names are sorted, `[T]` becomes
//! `list<T>`, doc comments become blocks, section headers get their bars.
//!
//! Source: spec 01 section 9.

mod comments;
mod declarations;
mod expressions;
mod faithful;
mod layout;
mod lines;
mod literals;
mod sequences;
mod statements;
mod toplevel;
mod types;

use comments::Comments;
use harn_syntax::{Diagnostic, Parsed, Severity, Source, Span, TokenKind, ast, parse};

/// What a project may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns that a line should not exceed.
    pub line_width: usize,
    /// Columns of a section header's bar.
    pub separator_width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { line_width: 100, separator_width: 80 }
    }
}

/// Why a text was not formatted.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It is no program; what is wrong, in order.
    Syntax(Vec<Diagnostic>),
    /// The result would not have been the same program with the same comments: a fault of the formatter.
    Unfaithful,
}

/// Stack of the thread that formats: trees are as high as the parser allows.
const STACK_BYTES: usize = 64 << 20;

/// The canonical text of a source.
pub fn format(source: &Source, options: Options) -> Result<String, Refusal> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
        let running = worker.spawn_scoped(scope, || format_here(source, options));
        // Without a thread of its own the caller's stack has to do.
        match running.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refusal::Unfaithful),
            Err(_) => format_here(source, options),
        }
    })
}

fn format_here(source: &Source, options: Options) -> Result<String, Refusal> {
    let parsed = parse(source);
    if parsed.has_errors() {
        let errors = parsed.diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
        return Err(Refusal::Syntax(errors.collect()));
    }
    let formatter = Formatter { source, parsed: &parsed, comments: Comments::new(&parsed, source), options };
    let text = formatter.file();
    if faithful::is_faithful(source, &parsed, &text) { Ok(text) } else { Err(Refusal::Unfaithful) }
}

/// What every rule of layout looks at.
struct Formatter<'a> {
    source: &'a Source,
    parsed: &'a Parsed,
    comments: Comments,
    options: Options,
}

impl Formatter<'_> {
    fn name(&self, ident: &ast::Ident) -> &str {
        self.parsed.ast.names.text(ident.name)
    }

    fn line_of(&self, offset: u32) -> u32 {
        self.source.line_number(offset)
    }

    /// The first token at or behind `offset` that is no trivia.
    fn token_from(&self, offset: u32) -> Span {
        let first = self.parsed.tokens.partition_point(|token| token.span.start < offset);
        let token = self.parsed.tokens.iter().skip(first).find(|token| !token.kind.is_trivia());
        token.map_or(Span::new(offset, offset), |token| token.span)
    }

    /// The tokens within a span.
    fn tokens_in(&self, span: Span) -> impl Iterator<Item = (TokenKind, Span)> {
        let first = self.parsed.tokens.partition_point(|token| token.span.start < span.start);
        let tokens = self.parsed.tokens.iter().skip(first);
        tokens.take_while(move |token| token.span.start < span.end).map(|token| (token.kind, token.span))
    }
}
