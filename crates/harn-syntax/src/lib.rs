//! Sources, tokens, syntax tree and diagnostics of Harn: text in, tree and diagnostics out.
//!
//! The main way through is [`parse`]: a [`Source`] becomes a [`Parsed`] with the tree, every token (trivia
//! included) and what was wrong; [`render`] makes a person's text of a diagnostic.

pub mod ast;
pub mod codes;
pub mod diagnostic;
mod dump;
mod lexer;
mod names;
mod parser;
pub mod precedents;
pub mod render;
pub mod source;
pub mod token;

pub use diagnostic::{Diagnostic, Severity};
pub use dump::{dump_ast, dump_tokens};
pub use render::{one_line, render};
pub use source::{Position, Source, Span};
pub use token::{Token, TokenKind};

/// The longest source that is read, in bytes.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;

/// What parsing a source gives.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree; with errors, of what could be read.
    pub ast: ast::Ast,
    /// Every token in order, trivia included: together they are the text.
    pub tokens: Vec<Token>,
    /// What is wrong, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether the text is no program.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads a source: linear in its length, of bounded depth, never panics.
///
/// A lexical error ends lexing and is then the only diagnostic; the tree is that of the text before it.
pub fn parse(source: &Source) -> Parsed {
    if source.text().len() > MAX_SOURCE_BYTES {
        return too_large(source);
    }
    let lexed = lexer::lex(source);
    let (ast, mut diagnostics) = parser::parse_lexed(source, &lexed);
    match lexed.error {
        Some(error) => diagnostics = vec![error],
        None => diagnostics.sort_by_key(|diagnostic| diagnostic.span.start),
    }
    Parsed { ast, tokens: lexed.tokens, diagnostics }
}

fn too_large(source: &Source) -> Parsed {
    let end = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
    Parsed {
        tokens: vec![Token { kind: TokenKind::Unlexed, span: Span::new(0, end) }],
        diagnostics: vec![Diagnostic {
            severity: Severity::Error,
            code: codes::SOURCE_TOO_LARGE,
            message: format!("source file is too large (the limit is {} MiB)", MAX_SOURCE_BYTES >> 20),
            span: Span::new(0, 0),
            label: None,
            help: None,
        }],
        ..Parsed::default()
    }
}
