//! The parser: recursive descent with an operator-precedence core, linear in the length of the file.
//!
//! It never backtracks over more than one of two bounded trials (a ternary against postfix `?`, a generic call
//! against `<`), whose answers are remembered and whose total work is limited. Depth is limited too: first on the way
//! down (the parser's own recursion), then on the height of what is built, so that every later pass may recurse.
//!
//! A failed production reports where it failed and returns [`Halt`]; the statement list around it skips to the next
//! statement and goes on.
//!
//! Source: spec 01 sections 4 to 8.

mod control;
mod cursor;
mod declarations;
mod expressions;
mod habits;
mod items;
mod literals;
mod patterns;
mod statements;
mod types;

use crate::ast::{Ast, Expr, ExprId, ExprKind, Names};
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexer::Lexed;
use crate::source::{Source, Span};
use crate::token::{Lexeme, Token, TokenKind};
use std::collections::{HashMap, HashSet};

/// How deep constructs may nest while parsing.
pub(crate) const MAX_DEPTH: u32 = 256;

/// How high a tree may grow: brackets, blocks and operators along one path.
pub(crate) const MAX_HEIGHT: u32 = 1_000;

/// A production failed; what was wrong is already reported.
#[derive(Debug)]
struct Halt;

type Parse<T> = Result<T, Halt>;

/// Builds the tree of a lexed source, with the diagnostics in the order they were found.
pub(crate) fn parse_lexed(source: &Source, lexed: &Lexed) -> (Ast, Vec<Diagnostic>) {
    let mut parser = Parser::new(source, &lexed.tokens, &lexed.lexemes);
    let items = parser.program();
    let ast = Ast { items, names: parser.names, expr_count: parser.next_expr };
    (ast, parser.diagnostics)
}

struct Parser<'s> {
    source: &'s Source,
    tokens: &'s [Token],
    lexemes: &'s [Lexeme],
    pos: usize,
    /// The lexeme at `pos`.
    current: Lexeme,
    /// Where the lexeme before `pos` ends.
    previous_end: u32,
    names: Names,
    next_expr: u32,
    diagnostics: Vec<Diagnostic>,
    /// Offset and line of the last error, so that what follows from it on the same line is not reported.
    last_error: Option<(u32, u32)>,
    /// Parsing was given up: nothing more is reported.
    fatal: bool,
    depth: u32,
    /// The height of the tallest subtree finished since the enclosing production began.
    height: u32,
    /// How many trials are going on; nothing is reported meanwhile.
    trials: u32,
    /// Lexemes that trials may still consume, all together.
    trial_budget: usize,
    /// For the `?` at a lexeme index: whether it begins a ternary.
    ternaries: HashMap<usize, bool>,
    /// A `:` that follows belongs to what encloses the expression at hand.
    awaits_colon: bool,
    /// Lexeme indices of `<` that begin no list of type arguments.
    not_type_args: HashSet<usize>,
}

impl<'s> Parser<'s> {
    fn new(source: &'s Source, tokens: &'s [Token], lexemes: &'s [Lexeme]) -> Self {
        let end = source.text().len() as u32;
        let eof = Lexeme {
            kind: TokenKind::Eof,
            after_newline: false,
            has_arrow: false,
            stray: false,
            span: Span::new(end, end),
        };
        Self {
            source,
            tokens,
            lexemes,
            pos: 0,
            current: lexemes.first().copied().unwrap_or(eof),
            previous_end: 0,
            names: Names::for_source(source.text().len()),
            next_expr: 0,
            diagnostics: Vec::new(),
            last_error: None,
            fatal: false,
            depth: 0,
            height: 0,
            trials: 0,
            trial_budget: 4 * lexemes.len() + 100_000,
            ternaries: HashMap::new(),
            awaits_colon: false,
            not_type_args: HashSet::new(),
        }
    }

    /// Runs a production one level deeper.
    fn nested<T>(&mut self, production: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = production(self);
        self.depth -= 1;
        result
    }

    /// A node stands on top of the subtrees finished so far.
    fn grow(&mut self) -> Parse<()> {
        self.height += 1;
        if self.height > MAX_HEIGHT { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&mut self) -> Halt {
        if self.trials == 0 {
            let diagnostic = Diagnostic {
                severity: Severity::Error,
                code: crate::codes::TOO_DEEP,
                message: "nested too deeply".to_string(),
                span: self.current.span,
                label: Some("the limit is reached here".to_string()),
                help: Some(format!(
                    "brackets and blocks nest at most {MAX_DEPTH} deep, chained operators and calls {MAX_HEIGHT}; name intermediate results"
                )),
            };
            self.report(diagnostic);
            self.fatal = true;
        }
        Halt
    }

    fn expr(&mut self, kind: ExprKind, start: u32) -> Expr {
        let id = ExprId(self.next_expr);
        self.next_expr += 1;
        Expr { id, kind, span: Span::new(start, self.previous_end.max(start)) }
    }
}
