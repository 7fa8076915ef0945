//! Walking over lexemes: looking, expecting, lists, reporting, recovery.

use super::habits;
use super::{Halt, Parse, Parser};
use crate::ast::Ident;
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexer::duration_ms;
use crate::source::Span;
use crate::token::{Lexeme, TokenKind};

/// How much of a string a message quotes.
const QUOTED: usize = 80;

impl<'s> Parser<'s> {
    pub(super) fn kind(&self) -> TokenKind {
        self.current.kind
    }

    pub(super) fn at(&self, kind: TokenKind) -> bool {
        self.current.kind == kind
    }

    /// At `kind`, and on the line where the previous lexeme ended.
    pub(super) fn at_same_line(&self, kind: TokenKind) -> bool {
        self.current.kind == kind && !self.current.after_newline
    }

    /// The lexeme `ahead` of the current one; the end of the file repeats.
    pub(super) fn peek(&self, ahead: usize) -> Lexeme {
        self.lexemes.get(self.pos + ahead).or(self.lexemes.last()).copied().unwrap_or(self.current)
    }

    pub(super) fn start(&self) -> u32 {
        self.current.span.start
    }

    pub(super) fn bump(&mut self) -> Lexeme {
        let lexeme = self.current;
        if lexeme.kind != TokenKind::Eof {
            self.previous_end = lexeme.span.end;
            self.pos += 1;
            self.current = self.peek(0);
        }
        lexeme
    }

    /// Goes to a lexeme, forwards or back.
    pub(super) fn seek(&mut self, pos: usize) {
        self.pos = pos;
        self.current = self.peek(0);
        self.previous_end = match pos.checked_sub(1).and_then(|before| self.lexemes.get(before)) {
            Some(before) => before.span.end,
            None => 0,
        };
    }

    /// Takes an optional lexeme, which must stand on the same line.
    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at_same_line(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Takes an optional lexeme, on this line or a later one.
    pub(super) fn eat_any_line(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Takes a lexeme that must come, on this line or a later one.
    pub(super) fn expect(&mut self, kind: TokenKind) -> Parse<Lexeme> {
        if self.at(kind) { Ok(self.bump()) } else { Err(self.expected(kind.text())) }
    }

    pub(super) fn text(&self, span: Span) -> &'s str {
        self.source.slice(span)
    }

    /// Whether the current lexeme is the contextual word `word`.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.at(TokenKind::Ident) && self.text(self.current.span) == word
    }

    pub(super) fn ident_here(&mut self) -> Ident {
        let span = self.bump().span;
        let name = self.names.intern(self.source.slice(span));
        Ident { name, span }
    }

    /// A true identifier; `what` names its role.
    pub(super) fn ident(&mut self, what: &str) -> Parse<Ident> {
        if self.at(TokenKind::Ident) { Ok(self.ident_here()) } else { Err(self.expected_name(what)) }
    }

    /// An identifier or any reserved word.
    pub(super) fn any_name(&mut self, what: &str) -> Parse<Ident> {
        if self.at(TokenKind::Ident) || self.kind().is_keyword() {
            Ok(self.ident_here())
        } else {
            Err(self.expected(what))
        }
    }

    /// Whether three dots stand here.
    pub(super) fn at_spread(&self) -> bool {
        self.at(TokenKind::Dot) && self.peek(1).kind == TokenKind::Dot && self.peek(2).kind == TokenKind::Dot
    }

    pub(super) fn eat_spread(&mut self) -> bool {
        let found = self.at_spread();
        if found {
            self.bump();
            self.bump();
            self.bump();
        }
        found
    }

    /// Items up to `close`, which is left for the caller. Commas may trail, newlines may stand for them; a comma
    /// missing on one line is a warning. `starts` tells which lexemes can begin an item.
    pub(super) fn list<T>(
        &mut self,
        close: TokenKind,
        starts: fn(TokenKind) -> bool,
        mut item: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        loop {
            if self.at(close) {
                return Ok(items);
            }
            if self.at(TokenKind::Eof) {
                return Err(self.expected(close.text()));
            }
            items.push(item(self)?);
            if self.eat_any_line(TokenKind::Comma) || self.at(close) {
                continue;
            }
            if !starts(self.kind()) {
                return Err(self.expected(close.text()));
            }
            if !self.current.after_newline {
                self.missing_comma();
            }
        }
    }

    fn missing_comma(&mut self) {
        if self.trials > 0 || self.fatal {
            return;
        }
        self.diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            code: codes::MISSING_COMMA,
            message: "missing `,` between items".to_string(),
            span: self.current.span,
            label: Some("a new item begins here".to_string()),
            help: Some("write a `,` before it".to_string()),
        });
    }

    /// Reports that `what` should stand here.
    pub(super) fn expected(&mut self, what: &str) -> Halt {
        self.expected_as(what, codes::UNEXPECTED_TOKEN)
    }

    /// The same under a more telling code.
    pub(super) fn expected_as(&mut self, what: &str, code: &'static str) -> Halt {
        if self.at(TokenKind::Eof) {
            return self.fail_at(
                self.current.span,
                codes::UNEXPECTED_END,
                |_| format!("unexpected end of file, expected {what}"),
                "file ends here",
                help_for(what),
            );
        }
        let lexeme = self.current;
        self.fail_at(
            lexeme.span,
            code,
            |parser| format!("expected {what}, found {}", parser.spell(lexeme)),
            "unexpected token",
            help_for(what),
        )
    }

    /// Reports that `what` should stand where `lexeme` does, without failing.
    pub(super) fn report_at(&mut self, lexeme: Lexeme, what: &str, code: &'static str) {
        self.fail_at(
            lexeme.span,
            code,
            |parser| format!("expected {what}, found {}", parser.spell(lexeme)),
            "unexpected token",
            None,
        );
    }

    /// Reports that `what` should stand here, with a wording of its own for what was found.
    pub(super) fn expected_found(&mut self, what: &str, found: &str, code: &'static str) -> Halt {
        let span = self.current.span;
        self.fail_at(span, code, |_| format!("expected {what}, found {found}"), "unexpected token", None)
    }

    /// Reports that a name should stand here; a reserved word is called one.
    pub(super) fn expected_name(&mut self, what: &str) -> Halt {
        if !self.kind().is_keyword() {
            return self.expected(what);
        }
        let found = format!("'{}' (reserved keyword)", self.kind().text());
        self.expected_found(what, &found, codes::RESERVED_WORD)
    }

    /// Fails if the next lexeme stands on a later line, where the grammar allows no newline.
    pub(super) fn same_line_operand(&mut self) -> Parse<()> {
        if !self.current.after_newline || self.at(TokenKind::Eof) {
            return Ok(());
        }
        let from = self.tokens.partition_point(|token| token.span.start < self.previous_end);
        let newline = self.tokens.iter().skip(from).find(|token| token.kind == TokenKind::Newline);
        let span = newline.map_or(self.current.span, |token| token.span);
        Err(self.fail_at(
            span,
            codes::UNEXPECTED_TOKEN,
            |_| "expected expression, found \\n".to_string(),
            "unexpected token",
            None,
        ))
    }

    fn fail_at(
        &mut self,
        span: Span,
        code: &'static str,
        message: impl FnOnce(&Self) -> String,
        label: &str,
        help: Option<&str>,
    ) -> Halt {
        if self.trials == 0 && !self.fatal && !self.follows(span.start) {
            let message = message(self);
            let help = match help {
                Some(help) if help == CLOSE_BRACE => Some(match self.open_block() {
                    Some(line) => format!("{help}; the one that begins at line {line} seems to be open"),
                    None => help.to_string(),
                }),
                Some(help) => Some(help.to_string()),
                None => self.meant(&message).map(str::to_string),
            };
            self.report(Diagnostic {
                severity: Severity::Error,
                code,
                message,
                span,
                label: Some(label.to_string()),
                help,
            });
        }
        Halt
    }

    /// How what stands here is written in Harn, when it is the habit of another language.
    fn meant(&self, message: &str) -> Option<&'static str> {
        let before = self.pos.checked_sub(1).and_then(|i| self.lexemes.get(i));
        let text = |lexeme: Option<&Lexeme>| lexeme.map_or("", |l| self.text(l.span));
        habits::meant(
            text(before),
            self.text(self.current.span),
            text(self.lexemes.get(self.pos + 1)),
            message,
        )
    }

    /// The line of the block that has no end, as far as indentation tells: the first one whose `}` stands deeper or less
    /// deep than the line it begins on, else the innermost that is open at the end.
    fn open_block(&self) -> Option<u32> {
        let mut open: Vec<(u32, usize)> = Vec::new();
        let indent = |line: u32| {
            let text = self.source.line(line).unwrap_or_default();
            text.len() - text.trim_start().len()
        };
        for lexeme in self.lexemes {
            let line = self.source.line_number(lexeme.span.start);
            match lexeme.kind {
                TokenKind::LBrace => open.push((line, indent(line))),
                TokenKind::RBrace => {
                    let (begin, depth) = open.pop()?;
                    if begin != line && lexeme.after_newline && depth != indent(line) {
                        return Some(begin);
                    }
                }
                _ => {}
            }
        }
        open.last().map(|(line, _)| *line)
    }

    /// Records an error unless it follows from the last one.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.fatal || self.trials > 0 {
            return;
        }
        let offset = diagnostic.span.start;
        if self.follows(offset) {
            return;
        }
        self.last_error = Some((offset, self.source.line_number(offset)));
        self.diagnostics.push(diagnostic);
    }

    /// Whether an error here would only follow from the last one.
    fn follows(&self, offset: u32) -> bool {
        let line = self.source.line_number(offset);
        self.last_error.is_some_and(|(last, last_line)| last == offset || last_line == line)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.last_error.is_some()
    }

    /// How a message names a token (spec 01 section 8.3).
    pub(super) fn spell(&self, lexeme: Lexeme) -> String {
        let text = self.text(lexeme.span);
        match lexeme.kind {
            TokenKind::Ident => format!("id({})", clip(text)),
            TokenKind::Str => format!("str({})", clip(&self.string_value(text))),
            TokenKind::RawStr => format!("rstr({})", clip(raw_value(text))),
            TokenKind::InterpStart => "istr(...)".to_string(),
            TokenKind::InterpMiddle | TokenKind::InterpEnd => "}".to_string(),
            TokenKind::Int => match text.parse::<i64>() {
                Ok(value) => format!("int({value})"),
                Err(_) => format!("float({:?})", text.parse::<f64>().unwrap_or(f64::INFINITY)),
            },
            TokenKind::Float => format!("float({:?})", text.parse::<f64>().unwrap_or(f64::INFINITY)),
            TokenKind::Duration => format!("duration({}ms)", duration_ms(text).unwrap_or(i64::MAX)),
            kind => kind.text().to_string(),
        }
    }

    /// Skips what is left of the statement that began at lexeme `start`, up to where the list of statements around it
    /// can go on: behind a `;`, before the `}` of the list, or at a line that begins a statement.
    pub(super) fn recover(&mut self, start: usize) {
        let first = self.pos.max(start + 1);
        let (mut braces, mut brackets) = (0u32, 0u32);
        let mut index = start;
        while let Some(lexeme) = self.lexemes.get(index) {
            if lexeme.kind == TokenKind::Eof {
                break;
            }
            if index >= first && braces == 0 {
                if lexeme.kind == TokenKind::RBrace {
                    break;
                }
                if lexeme.kind == TokenKind::Semicolon && brackets == 0 {
                    index += 1;
                    break;
                }
                let begins = starts_statement(lexeme.kind)
                    || brackets == 0 && matches!(lexeme.kind, TokenKind::Ident | TokenKind::At);
                if lexeme.after_newline && begins {
                    break;
                }
            }
            match lexeme.kind {
                TokenKind::LBrace | TokenKind::InterpStart => braces += 1,
                TokenKind::RBrace | TokenKind::InterpEnd => braces = braces.saturating_sub(1),
                TokenKind::LParen | TokenKind::LBracket if braces == 0 => brackets += 1,
                TokenKind::RParen | TokenKind::RBracket if braces == 0 => {
                    brackets = brackets.saturating_sub(1)
                }
                _ => {}
            }
            index += 1;
        }
        self.seek(index);
    }
}

/// The text between the quotes of a raw string.
pub(super) fn raw_value(text: &str) -> &str {
    text.strip_prefix("r\"").and_then(|t| t.strip_suffix('"')).unwrap_or(text)
}

fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(QUOTED).flat_map(visible).collect();
    if text.chars().nth(QUOTED).is_some() {
        clipped.push_str("...");
    }
    clipped
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        '\n' => ('\\', Some('n')),
        '\r' => ('\\', Some('r')),
        '\t' => ('\\', Some('t')),
        c => (c, None),
    };
    std::iter::once(first).chain(second)
}

const CLOSE_BRACE: &str = "add a closing `}` to finish this block";

fn help_for(what: &str) -> Option<&'static str> {
    match what {
        "}" => Some(CLOSE_BRACE),
        ")" => Some("add a closing `)` to finish this expression or parameter list"),
        "]" => Some("add a closing `]` to finish this list or subscript"),
        _ => None,
    }
}

/// Whether a lexeme of this kind can begin an expression.
pub(super) fn starts_expression(kind: TokenKind) -> bool {
    use TokenKind::*;
    matches!(
        kind,
        Ident
            | Int
            | Float
            | Duration
            | Str
            | RawStr
            | InterpStart
            | True
            | False
            | Nil
            | LParen
            | LBracket
            | LBrace
            | Fn
            | Spawn
            | If
            | Match
            | Try
            | Retry
            | Parallel
            | Deadline
            | Bang
            | Minus
    )
}

/// Whether a line that begins with this kind begins a statement, whatever stands before it (spec 01 section 8.3).
fn starts_statement(kind: TokenKind) -> bool {
    use TokenKind::*;
    matches!(
        kind,
        Let | Var
            | If
            | For
            | While
            | Match
            | Retry
            | Return
            | Throw
            | Fn
            | Pub
            | Try
            | Select
            | Pipeline
            | Import
            | Parallel
            | Enum
            | EvalPack
            | Struct
            | Interface
            | Emit
            | Guard
            | Require
            | Deadline
            | Yield
            | Mutex
            | Defer
            | Break
            | Continue
            | Tool
            | Skill
            | Impl
            | Type
            | Override
    )
}
