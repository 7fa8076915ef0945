//! From characters to tokens: one pass, linear, stops at the first lexical error.
//!
//! The closing brace of `${...}` is found by lexing the embedded expression in place: an interpolated string is a run
//! of tokens, `InterpStart`, the tokens of the expression, then `InterpMiddle`/`InterpEnd`. Beside the tokens the
//! lexer makes the list of [`Lexeme`]s that the parser reads, and marks on each `{` whether a `->` stands directly
//! inside, so that telling a closure from a dict costs no look-ahead.
//!
//! Source: spec 01 sections 1 to 4.

use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};
use crate::token::{Lexeme, Token, TokenKind};

/// What lexing gives.
pub(crate) struct Lexed {
    pub tokens: Vec<Token>,
    /// Ends with an [`TokenKind::Eof`].
    pub lexemes: Vec<Lexeme>,
    pub error: Option<Diagnostic>,
}

/// Cuts a source into tokens.
pub(crate) fn lex(source: &Source) -> Lexed {
    let text = source.text();
    let mut lexer = Lexer {
        source,
        text,
        bytes: text.as_bytes(),
        pos: 0,
        tokens: Vec::with_capacity(text.len() / 3 + 8),
        lexemes: Vec::with_capacity(text.len() / 5 + 8),
        after_newline: false,
        open: Vec::new(),
        strings: Vec::new(),
    };
    let error = lexer.run().err().map(|failure| lexer.fail(&failure));
    let end = text.len() as u32;
    lexer.lexemes.push(Lexeme {
        kind: TokenKind::Eof,
        after_newline: lexer.after_newline,
        has_arrow: false,
        stray: false,
        span: Span::new(end, end),
    });
    Lexed { tokens: lexer.tokens, lexemes: lexer.lexemes, error }
}

/// A string whose `${` is open.
struct OpenString {
    /// Where its opening quote (or the first of three) stands.
    start: usize,
    triple: bool,
    /// Braces open inside the current `${`.
    braces: u32,
    /// How many lexemes there were at the current `${`.
    lexemes: usize,
    /// How many brackets were open at the current `${`.
    open: usize,
}

/// The ASCII bytes of identifiers, by a table: one load for each byte of the most frequent kind of token.
fn in_word(byte: u8) -> bool {
    const WORD: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
            byte += 1;
        }
        table
    };
    WORD[usize::from(byte)]
}

struct Failure {
    code: &'static str,
    message: String,
    /// Append ` at line:column` to the message.
    placed: bool,
    start: usize,
    end: usize,
    help: Option<&'static str>,
}

type Step = Result<(), Failure>;

struct Lexer<'s> {
    source: &'s Source,
    text: &'s str,
    bytes: &'s [u8],
    pos: usize,
    tokens: Vec<Token>,
    lexemes: Vec<Lexeme>,
    after_newline: bool,
    /// Lexeme indices of the brackets that are open.
    open: Vec<u32>,
    strings: Vec<OpenString>,
}

impl<'s> Lexer<'s> {
    fn run(&mut self) -> Step {
        if self.text.starts_with('\u{feff}') {
            self.pos = '\u{feff}'.len_utf8();
            self.trivia(TokenKind::Bom, 0);
        }
        if self.rest().starts_with("#!") {
            let start = self.pos;
            self.skip_line();
            self.trivia(TokenKind::Shebang, start);
        }
        while self.pos < self.bytes.len() {
            self.token()?;
        }
        match self.strings.last() {
            Some(string) => Err(unterminated_string(string.start)),
            None => Ok(()),
        }
    }

    /// Covers what was not cut with one token, and makes the diagnostic.
    fn fail(&mut self, failure: &Failure) -> Diagnostic {
        let covered = self.tokens.last().map_or(0, |t| t.span.end);
        let end = self.bytes.len() as u32;
        if covered < end {
            self.tokens.push(Token { kind: TokenKind::Unlexed, span: Span::new(covered, end) });
        }
        let span = Span::new(failure.start as u32, failure.end as u32);
        let mut message = failure.message.clone();
        if failure.placed {
            let place = self.source.position(span.start);
            message.push_str(&format!(" at {}:{}", place.line, place.column));
        }
        Diagnostic {
            severity: Severity::Error,
            code: failure.code,
            message,
            span,
            label: Some("here".to_string()),
            help: failure.help.map(str::to_string),
        }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.pos..).unwrap_or("")
    }

    fn trivia(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: Span::new(start as u32, self.pos as u32) });
    }

    fn emit(&mut self, kind: TokenKind, start: usize) {
        let span = Span::new(start as u32, self.pos as u32);
        self.tokens.push(Token { kind, span });
        let after_newline = std::mem::take(&mut self.after_newline);
        self.lexemes.push(Lexeme { kind, after_newline, has_arrow: false, stray: false, span });
    }

    fn token(&mut self) -> Step {
        let start = self.pos;
        match self.byte(0) {
            b' ' | b'\t' | b'\r' => {
                while matches!(self.byte(0), b' ' | b'\t' | b'\r') {
                    self.pos += 1;
                }
                self.trivia(TokenKind::Whitespace, start);
                Ok(())
            }
            b'\n' => {
                self.pos += 1;
                self.trivia(TokenKind::Newline, start);
                self.after_newline = true;
                Ok(())
            }
            b'r' if self.byte(1) == b'"' => self.raw_string(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.word(start);
                Ok(())
            }
            b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'/' if self.byte(1) == b'/' => {
                let kind = match (self.byte(2), self.byte(3)) {
                    (b'/', b'/') => TokenKind::LineComment,
                    (b'/', _) => TokenKind::DocLine,
                    _ => TokenKind::LineComment,
                };
                self.skip_line();
                self.trivia(kind, start);
                Ok(())
            }
            b'/' if self.byte(1) == b'*' => self.block_comment(),
            b'\\' if self.byte(1) == b'\n' => {
                self.pos += 2;
                self.trivia(TokenKind::Continuation, start);
                Ok(())
            }
            b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => {
                self.pos += 3;
                self.trivia(TokenKind::Continuation, start);
                Ok(())
            }
            b'}' => self.closing_brace(),
            byte if byte >= 0x80 => match self.rest().chars().next() {
                Some(c) if c.is_alphabetic() => {
                    self.word(start);
                    Ok(())
                }
                _ => Err(self.unexpected_character()),
            },
            _ => self.sign(),
        }
    }

    fn unexpected_character(&self) -> Failure {
        let c = self.rest().chars().next().unwrap_or('\0');
        Failure {
            code: codes::UNEXPECTED_CHARACTER,
            message: format!("Unexpected character '{c}'"),
            placed: true,
            start: self.pos,
            end: self.pos + c.len_utf8(),
            help: None,
        }
    }

    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.pos..).unwrap_or(&[]);
        self.pos += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }

    /// Moves over the characters of an identifier.
    fn skip_word(&mut self) {
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or(&[]);
            let ascii = rest.iter().position(|byte| !in_word(*byte)).unwrap_or(rest.len());
            self.pos += ascii;
            if rest.get(ascii).is_none_or(|byte| *byte < 0x80) {
                return;
            }
            match self.rest().chars().next() {
                Some(c) if c.is_alphanumeric() => self.pos += c.len_utf8(),
                _ => return,
            }
        }
    }

    fn word(&mut self, start: usize) {
        self.skip_word();
        let text = self.text.get(start..self.pos).unwrap_or("");
        // Reserved words are 2 to 9 characters long and begin with a lower-case letter.
        let kind = match text.as_bytes() {
            [b'a'..=b'z', ..] if matches!(text.len(), 2..=9) => TokenKind::keyword(text),
            _ => None,
        };
        self.emit(kind.unwrap_or(TokenKind::Ident), start);
    }

    fn skip_digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.pos += 1;
        }
    }

    fn number(&mut self) -> Step {
        let start = self.pos;
        self.skip_digits();
        let mut kind = TokenKind::Int;
        if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
            self.pos += 1;
            self.skip_digits();
            kind = TokenKind::Float;
        }
        let digits_end = self.pos;
        self.skip_word();
        if self.pos == digits_end {
            self.emit(kind, start);
            return Ok(());
        }
        let suffix = self.text.get(digits_end..self.pos).unwrap_or("");
        if kind == TokenKind::Int && duration_unit(suffix).is_some() {
            if duration_ms(self.text.get(start..self.pos).unwrap_or("")).is_none() {
                return Err(Failure {
                    code: codes::DURATION_TOO_LARGE,
                    message: "duration literal is too large".to_string(),
                    placed: false,
                    start,
                    end: self.pos,
                    help: Some("a duration holds at most 9223372036854775807 milliseconds"),
                });
            }
            self.emit(TokenKind::Duration, start);
            return Ok(());
        }
        // `1to 5` and the like are two tokens; every other word glued to a number is a mistake.
        if TokenKind::keyword(suffix).is_some() || suffix == "not" {
            self.pos = digits_end;
            self.emit(kind, start);
            return Ok(());
        }
        Err(Failure {
            code: codes::INVALID_NUMBER,
            message: "invalid number literal".to_string(),
            placed: false,
            start,
            end: self.pos,
            help: Some(
                "numbers are decimal digits with at most one point; durations are whole numbers of ms, s, m, h, d or w",
            ),
        })
    }

    fn raw_string(&mut self) -> Step {
        let start = self.pos;
        self.pos += 2;
        loop {
            match self.byte(0) {
                b'"' => {
                    self.pos += 1;
                    self.emit(TokenKind::RawStr, start);
                    return Ok(());
                }
                b'\n' => return Err(unterminated_string(start)),
                _ if self.pos >= self.bytes.len() => return Err(unterminated_string(start)),
                _ => self.pos += 1,
            }
        }
    }

    fn string(&mut self) -> Step {
        let start = self.pos;
        let triple = self.byte(1) == b'"' && self.byte(2) == b'"';
        self.pos += if triple { 3 } else { 1 };
        if self.string_text(start, triple)? {
            self.emit(TokenKind::Str, start);
        } else {
            self.emit(TokenKind::InterpStart, start);
            self.open_interpolation(start, triple);
        }
        Ok(())
    }

    fn open_interpolation(&mut self, start: usize, triple: bool) {
        let open = self.open.len();
        self.strings.push(OpenString { start, triple, braces: 0, lexemes: self.lexemes.len(), open });
    }

    /// Moves over literal text: true behind the closing quotes, false behind a `${`.
    fn string_text(&mut self, start: usize, triple: bool) -> Result<bool, Failure> {
        loop {
            match self.byte(0) {
                b'"' if !triple => {
                    self.pos += 1;
                    return Ok(true);
                }
                b'"' if self.byte(1) == b'"' && self.byte(2) == b'"' => {
                    self.pos += 3;
                    return Ok(true);
                }
                b'$' if self.byte(1) == b'{' => {
                    self.pos += 2;
                    return Ok(false);
                }
                b'\\' if !triple => {
                    self.pos += 1;
                    if self.byte(0) != b'\n' && self.pos < self.bytes.len() {
                        self.pos += 1;
                    }
                }
                b'\n' if !triple => return Err(unterminated_string(start)),
                _ if self.pos >= self.bytes.len() => return Err(unterminated_string(start)),
                _ => self.pos += 1,
            }
        }
    }

    /// A `}` closes a bracket, or the `${` of the innermost string.
    fn closing_brace(&mut self) -> Step {
        let closes_string = match self.strings.last_mut() {
            Some(string) if string.braces == 0 => true,
            Some(string) => {
                string.braces -= 1;
                false
            }
            None => false,
        };
        if !closes_string {
            return self.sign();
        }
        let Some(string) = self.strings.pop() else {
            return self.sign();
        };
        if string.lexemes == self.lexemes.len() && !string.triple {
            return Err(self.unexpected_character());
        }
        self.open.truncate(string.open);
        let start = self.pos;
        self.pos += 1;
        if self.string_text(string.start, string.triple)? {
            self.emit(TokenKind::InterpEnd, start);
        } else {
            self.emit(TokenKind::InterpMiddle, start);
            self.open_interpolation(string.start, string.triple);
        }
        Ok(())
    }

    fn block_comment(&mut self) -> Step {
        let start = self.pos;
        let kind = match (self.byte(2), self.byte(3)) {
            (b'*', b'*' | b'/') => TokenKind::BlockComment,
            (b'*', _) => TokenKind::DocBlock,
            _ => TokenKind::BlockComment,
        };
        self.pos += 2;
        let mut depth = 1u32;
        while depth > 0 {
            match (self.byte(0), self.byte(1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    self.pos += 2;
                }
                (b'/', b'*') => {
                    depth += 1;
                    self.pos += 2;
                }
                _ if self.pos >= self.bytes.len() => {
                    return Err(Failure {
                        code: codes::UNTERMINATED_COMMENT,
                        message: "Unterminated block comment".to_string(),
                        placed: true,
                        start,
                        end: start + 2,
                        help: None,
                    });
                }
                _ => self.pos += 1,
            }
        }
        self.trivia(kind, start);
        Ok(())
    }

    fn sign(&mut self) -> Step {
        use TokenKind::*;
        let start = self.pos;
        let (kind, length) = match (self.byte(0), self.byte(1)) {
            (b'=', b'=') => (EqEq, 2),
            (b'!', b'=') => (NotEq, 2),
            (b'&', b'&') => (AndAnd, 2),
            (b'|', b'|') => (OrOr, 2),
            (b'|', b'>') => (PipeArrow, 2),
            (b'?', b'?') => (QuestionQuestion, 2),
            (b'*', b'*') => (StarStar, 2),
            (b'?', b'.') => (QuestionDot, 2),
            (b'-', b'>') => (Arrow, 2),
            (b'<', b'=') => (LtEq, 2),
            (b'>', b'=') => (GtEq, 2),
            (b'+', b'=') => (PlusEq, 2),
            (b'-', b'=') => (MinusEq, 2),
            (b'*', b'=') => (StarEq, 2),
            (b'/', b'=') => (SlashEq, 2),
            (b'%', b'=') => (PercentEq, 2),
            (b'{', _) => (LBrace, 1),
            (b'}', _) => (RBrace, 1),
            (b'(', _) => (LParen, 1),
            (b')', _) => (RParen, 1),
            (b'[', _) => (LBracket, 1),
            (b']', _) => (RBracket, 1),
            (b',', _) => (Comma, 1),
            (b':', _) => (Colon, 1),
            (b';', _) => (Semicolon, 1),
            (b'.', _) => (Dot, 1),
            (b'=', _) => (Eq, 1),
            (b'!', _) => (Bang, 1),
            (b'+', _) => (Plus, 1),
            (b'-', _) => (Minus, 1),
            (b'*', _) => (Star, 1),
            (b'/', _) => (Slash, 1),
            (b'%', _) => (Percent, 1),
            (b'<', _) => (Lt, 1),
            (b'>', _) => (Gt, 1),
            (b'?', _) => (Question, 1),
            (b'|', _) => (Bar, 1),
            (b'@', _) => (At, 1),
            _ => return Err(self.unexpected_character()),
        };
        self.pos += length;
        self.emit(kind, start);
        match kind {
            LBrace | LParen | LBracket => self.open_bracket(kind),
            RBrace | RParen | RBracket => self.close_bracket(),
            Arrow => self.mark_arrow(),
            _ => {}
        }
        Ok(())
    }

    fn open_bracket(&mut self, kind: TokenKind) {
        self.open.push(self.lexemes.len() as u32 - 1);
        if let (TokenKind::LBrace, Some(string)) = (kind, self.strings.last_mut()) {
            string.braces += 1;
        }
    }

    fn close_bracket(&mut self) {
        let floor = self.strings.last().map_or(0, |string| string.open);
        if self.open.len() > floor {
            self.open.pop();
        } else if let Some(lexeme) = self.lexemes.last_mut() {
            lexeme.stray = true;
        }
    }

    fn mark_arrow(&mut self) {
        let floor = self.strings.last().map_or(0, |string| string.open);
        if self.open.len() > floor
            && let Some(lexeme) = self.open.last().and_then(|index| self.lexemes.get_mut(*index as usize))
        {
            lexeme.has_arrow = true;
        }
    }
}

fn unterminated_string(start: usize) -> Failure {
    Failure {
        code: codes::UNTERMINATED_STRING,
        message: "Unterminated string".to_string(),
        placed: true,
        start,
        end: start + 1,
        help: Some("close the text with `\"`; a text of several lines is written between `\"\"\"`"),
    }
}

/// The milliseconds of a duration's unit.
fn duration_unit(suffix: &str) -> Option<i64> {
    Some(match suffix {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    })
}

/// The milliseconds of a duration literal; none when it is malformed or does not fit.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, suffix) = text.split_at_checked(digits)?;
    number.parse::<i64>().ok()?.checked_mul(duration_unit(suffix)?)
}
