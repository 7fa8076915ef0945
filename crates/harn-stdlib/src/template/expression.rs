//! The expressions of templates and their filters, from text.

use super::syntax::{Comparison, Expr, Failure, Place, Step};

/// How deeply expressions may nest.
const MAX_DEPTH: usize = 128;

/// Parses the expression of the directive at `place`.
pub fn parse(text: &str, place: Place) -> Result<Expr, Failure> {
    let fail = |message| Failure::new(place, message);
    let tokens = tokens(text).map_err(fail)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.filtered().map_err(fail)?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(fail(format!("unexpected `{}` in expression", token.text()))),
    }
}

/// The byte offset of a whole word outside quotes.
pub fn find_word(text: &str, word: &str) -> Option<usize> {
    let mut quote = None;
    let mut boundary = true;
    for (i, c) in text.char_indices() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {
                let tail = text.get(i..).unwrap_or("");
                let ends = tail.get(word.len()..).is_some_and(|t| !t.starts_with(is_word_char));
                if boundary && tail.starts_with(word) && ends {
                    return Some(i);
                }
            }
        }
        boundary = !is_word_char(c);
    }
    None
}

/// The parts between commas outside quotes and brackets.
pub fn split_commas(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut quote, mut depth) = (Vec::new(), 0, None, 0i32);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                out.push(text.get(start..i).unwrap_or(""));
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(start..).unwrap_or(""));
    out
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    Symbol(&'static str),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Token::Name(text) | Token::Text(text) => text.clone(),
            Token::Int(n) => n.to_string(),
            Token::Float(x) => x.to_string(),
            Token::Symbol(s) => (*s).to_owned(),
        }
    }
}

const SYMBOLS: &[&str] =
    &["==", "!=", "<=", ">=", "&&", "||", "<", ">", "|", "!", "(", ")", "[", "]", ".", ",", ":", "-"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let used = if c == '"' || c == '\'' {
            let (text, used) = string(rest, c)?;
            out.push(Token::Text(text));
            used
        } else if c.is_ascii_digit() {
            let (token, used) = number(rest, matches!(out.last(), Some(Token::Symbol("."))));
            out.push(token);
            used
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
            out.push(Token::Name(rest.get(..end).unwrap_or("").to_owned()));
            end
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            out.push(Token::Symbol(symbol));
            symbol.len()
        } else if c == '=' {
            return Err("unexpected `=` (use `==`)".to_owned());
        } else {
            return Err(format!("unexpected character `{c}` in expression"));
        };
        rest = rest.get(used..).unwrap_or("").trim_start();
    }
    Ok(out)
}

fn string(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((out, i + 1)),
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, c @ ('\\' | '"' | '\''))) => out.push(c),
                Some((_, c)) => out.extend(['\\', c]),
                None => break,
            },
            _ => out.push(c),
        }
    }
    Err("unterminated string literal".to_owned())
}

fn number(text: &str, after_dot: bool) -> (Token, usize) {
    let whole = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let tail = text.get(whole..).unwrap_or("");
    let fraction = tail.strip_prefix('.').map_or("", |t| {
        let end = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
        t.get(..end).unwrap_or("")
    });
    let used = if fraction.is_empty() || after_dot { whole } else { whole + 1 + fraction.len() };
    let digits = text.get(..used).unwrap_or("");
    let token = match digits.parse() {
        Ok(int) => Token::Int(int),
        Err(_) => Token::Float(digits.parse().unwrap_or(f64::INFINITY)),
    };
    (token, used)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.at += usize::from(found);
        found
    }

    fn eat_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(n)) if n == name);
        self.at += usize::from(found);
        found
    }

    fn filtered(&mut self) -> Result<Expr, String> {
        let mut expr = self.or()?;
        while self.eat("|") {
            let Some(Token::Name(name)) = self.peek() else {
                return Err("expected filter name after `|`".to_owned());
            };
            self.at += 1;
            let mut args = Vec::new();
            if self.eat(":") {
                args.push(self.or()?);
                while self.eat(",") {
                    args.push(self.or()?);
                }
            }
            expr = Expr::Filter(Box::new(expr), name.clone(), args);
        }
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.eat("||") || self.eat_name("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.eat("&&") || self.eat_name("and") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        let mut nots = 0;
        while self.eat("!") || self.eat_name("not") {
            nots += 1;
        }
        let mut expr = self.comparison()?;
        for _ in 0..nots {
            expr = Expr::Not(Box::new(expr));
        }
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        const OPERATORS: &[(&str, Comparison)] = &[
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.primary()?;
        for (symbol, op) in OPERATORS {
            if self.eat(symbol) {
                return Ok(Expr::Compare(*op, Box::new(left), Box::new(self.primary()?)));
            }
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression nests too deeply".to_owned());
        }
        let expr = self.operand()?;
        self.depth -= 1;
        Ok(expr)
    }

    fn operand(&mut self) -> Result<Expr, String> {
        let token = self.peek().ok_or("expected expression")?;
        self.at += 1;
        Ok(match token {
            Token::Text(text) => Expr::Text(text.clone()),
            Token::Int(n) => Expr::Int(*n),
            Token::Float(x) => Expr::Float(*x),
            Token::Symbol("-") => match self.primary()? {
                Expr::Int(n) => Expr::Int(n.wrapping_neg()),
                Expr::Float(x) => Expr::Float(-x),
                _ => return Err("expected expression".to_owned()),
            },
            Token::Symbol("(") => {
                let inner = self.or()?;
                if !self.eat(")") {
                    return Err("expected `)`".to_owned());
                }
                inner
            }
            Token::Name(name) => match name.as_str() {
                "true" => Expr::Bool(true),
                "false" => Expr::Bool(false),
                "nil" => Expr::Nil,
                _ => self.path(name)?,
            },
            Token::Symbol(_) => return Err("expected expression".to_owned()),
        })
    }

    fn path(&mut self, root: &str) -> Result<Expr, String> {
        let mut steps = Vec::new();
        loop {
            if self.eat(".") {
                let Some(Token::Name(name)) = self.peek() else {
                    return Err("expected identifier after `.`".to_owned());
                };
                self.at += 1;
                steps.push(Step::Member(name.clone()));
            } else if self.eat("[") {
                let negative = self.eat("-");
                let step = match self.peek() {
                    Some(Token::Int(n)) => Step::Index(if negative { n.wrapping_neg() } else { *n }),
                    Some(Token::Text(key)) if !negative => Step::Member(key.clone()),
                    _ => return Err("expected integer or string inside `[...]`".to_owned()),
                };
                self.at += 1;
                steps.push(step);
                if !self.eat("]") {
                    return Err("expected `]`".to_owned());
                }
            } else {
                return Ok(Expr::Path(root.to_owned(), steps));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { line: 1, column: 1 };

    fn message(text: &str) -> String {
        parse(text, PLACE).unwrap_err().message
    }

    #[test]
    fn filters_bind_loosest() {
        let parsed = parse("a or b | join: \", \", 2", PLACE).unwrap();
        assert!(matches!(parsed, Expr::Filter(inner, name, args)
            if matches!(*inner, Expr::Or(..)) && name == "join" && args.len() == 2));
    }

    #[test]
    fn strings_keep_their_characters() {
        assert_eq!(parse("\"größe\\n\"", PLACE).unwrap(), Expr::Text("größe\n".into()));
    }

    #[test]
    fn errors_say_what_was_expected() {
        assert_eq!(message(""), "expected expression");
        assert_eq!(message("a |"), "expected filter name after `|`");
        assert_eq!(message("a = b"), "unexpected `=` (use `==`)");
        assert_eq!(message("a ; b"), "unexpected character `;` in expression");
        assert_eq!(message("a."), "expected identifier after `.`");
        assert_eq!(message("a[x]"), "expected integer or string inside `[...]`");
        assert_eq!(message("\"a"), "unterminated string literal");
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(parse(&"(".repeat(100_000), PLACE).is_err());
    }
}
