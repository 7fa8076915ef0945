//! The query language of `jq` (spec 05 section 5.4): expressions as data, and their parser.

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// `.`
    Identity,
    /// `..`: the value and all its descendants.
    Descend,
    /// `a | b`
    Pipe(Box<Query>, Box<Query>),
    /// `a, b`
    Both(Box<Query>, Box<Query>),
    /// `a and b`
    And(Box<Query>, Box<Query>),
    /// `a or b`
    Or(Box<Query>, Box<Query>),
    /// `not a`
    Not(Box<Query>),
    /// A comparison.
    Compare(Comparison, Box<Query>, Box<Query>),
    /// A field of a dict.
    Field(Box<Query>, String),
    /// An element of a list.
    Index(Box<Query>, i64),
    /// A part of a list or string.
    Slice(Box<Query>, Option<i64>, Option<i64>),
    /// Every element or value.
    Each(Box<Query>),
    /// A dict of the first result of each query.
    Object(Vec<(String, Query)>),
    /// A constant.
    Literal(Literal),
    /// `length`
    Length,
    /// `keys`
    Keys,
    /// `values`
    Values,
    /// `type`
    Type,
    /// `map(q)`
    Map(Box<Query>),
    /// `select(q)`
    Select(Box<Query>),
}

/// The operators of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `>`
    Greater,
}

/// Constants of queries.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null` or `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(String),
}

/// How deeply queries may nest.
const MAX_DEPTH: usize = 128;

/// Parses a query; the error is the text after `jq: `.
pub fn parse(text: &str) -> Result<Query, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let query = parser.pipe()?;
    parser.space();
    match parser.rest() {
        "" => Ok(query),
        rest => Err(format!("unexpected input near '{}'", near(rest))),
    }
}

fn near(rest: &str) -> String {
    rest.chars().take(20).collect()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a symbol when it is next.
    fn eat(&mut self, symbol: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn word(&mut self) -> Option<&'a str> {
        self.space();
        let rest = self.rest();
        let starts = rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if !starts {
            return None;
        }
        self.at += end;
        rest.get(..end)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let start = self.at;
        if self.word() == Some(word) {
            return true;
        }
        self.at = start;
        false
    }

    fn pipe(&mut self) -> Result<Query, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression nests too deeply".to_owned());
        }
        let mut left = self.comma()?;
        while self.eat("|") {
            left = Query::Pipe(Box::new(left), Box::new(self.comma()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn comma(&mut self) -> Result<Query, String> {
        let mut left = self.logic()?;
        while self.eat(",") {
            left = Query::Both(Box::new(left), Box::new(self.logic()?));
        }
        Ok(left)
    }

    fn logic(&mut self) -> Result<Query, String> {
        let mut left = self.comparison()?;
        loop {
            if self.keyword("and") {
                left = Query::And(Box::new(left), Box::new(self.comparison()?));
            } else if self.keyword("or") {
                left = Query::Or(Box::new(left), Box::new(self.comparison()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn comparison(&mut self) -> Result<Query, String> {
        let left = self.prefix()?;
        let op = if self.eat("==") {
            Comparison::Equal
        } else if self.eat("!=") {
            Comparison::Unequal
        } else if self.eat("<") {
            Comparison::Less
        } else if self.eat(">") {
            Comparison::Greater
        } else {
            return Ok(left);
        };
        Ok(Query::Compare(op, Box::new(left), Box::new(self.prefix()?)))
    }

    fn prefix(&mut self) -> Result<Query, String> {
        let mut nots = 0;
        while self.keyword("not") {
            nots += 1;
        }
        let mut query = self.postfix()?;
        for _ in 0..nots {
            query = Query::Not(Box::new(query));
        }
        Ok(query)
    }

    fn postfix(&mut self) -> Result<Query, String> {
        let mut query = self.primary()?;
        loop {
            if self.rest().starts_with('[') {
                query = self.bracket(query)?;
            } else if self.rest().starts_with(".[") {
                self.at += 1;
                query = self.bracket(query)?;
            } else if self.rest().starts_with('.') && !self.rest().starts_with("..") {
                self.at += 1;
                query = Query::Field(Box::new(query), self.field_name()?);
            } else {
                return Ok(query);
            }
        }
    }

    fn field_name(&mut self) -> Result<String, String> {
        if self.rest().starts_with('"') {
            return self.string();
        }
        match self.rest().starts_with(char::is_whitespace) {
            true => None,
            false => self.word(),
        }
        .map(str::to_owned)
        .ok_or_else(|| format!("expected field name near '{}'", near(self.rest())))
    }

    fn bracket(&mut self, base: Query) -> Result<Query, String> {
        self.at += 1;
        let base = Box::new(base);
        if self.eat("]") {
            return Ok(Query::Each(base));
        }
        self.space();
        if self.rest().starts_with('"') {
            let name = self.string()?;
            return self.close(Query::Field(base, name));
        }
        let start = self.integer()?;
        if self.eat(":") {
            let end = self.integer()?;
            return self.close(Query::Slice(base, start, end));
        }
        match start {
            Some(index) => self.close(Query::Index(base, index)),
            None => Err("expected array index or slice bound".to_owned()),
        }
    }

    fn close(&mut self, query: Query) -> Result<Query, String> {
        if self.eat("]") {
            return Ok(query);
        }
        Err(format!("unexpected input near '{}'", near(self.rest())))
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        self.space();
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let sign = rest.len() - digits.len();
        let end = sign + digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if end == sign {
            return if sign == 0 { Ok(None) } else { Err("expected array index or slice bound".to_owned()) };
        }
        self.at += end;
        let number = rest.get(..end).and_then(|t| t.parse().ok());
        number.map(Some).ok_or_else(|| "expected array index or slice bound".to_owned())
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += i + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, 'r')) => out.push('\r'),
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                other => out.push(other),
            }
        }
        Err("unterminated string literal".to_owned())
    }

    fn primary(&mut self) -> Result<Query, String> {
        self.space();
        let rest = self.rest();
        if rest.starts_with("..") {
            self.at += 2;
            return Ok(Query::Descend);
        }
        if rest.starts_with('.') {
            self.at += 1;
            let next = self.rest();
            if next.starts_with('[') {
                return self.bracket(Query::Identity);
            }
            if next.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"') {
                return Ok(Query::Field(Box::new(Query::Identity), self.field_name()?));
            }
            if next.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(format!("expected field name near '{}'", near(next)));
            }
            return Ok(Query::Identity);
        }
        if self.eat("(") {
            let inner = self.pipe()?;
            return self.paren(inner);
        }
        if rest.starts_with('{') {
            return self.object();
        }
        if rest.starts_with('"') {
            return Ok(Query::Literal(Literal::Text(self.string()?)));
        }
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return self.number();
        }
        match self.word() {
            Some(word) => self.named(word),
            None => Err(format!("expected expression near '{}'", near(rest))),
        }
    }

    fn paren(&mut self, query: Query) -> Result<Query, String> {
        if self.eat(")") {
            return Ok(query);
        }
        Err(format!("unexpected input near '{}'", near(self.rest())))
    }

    fn number(&mut self) -> Result<Query, String> {
        let rest = self.rest();
        let body = rest.strip_prefix('-').unwrap_or(rest);
        let sign = rest.len() - body.len();
        let end = sign + body.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(body.len());
        let text = rest.get(..end).unwrap_or("");
        let literal = match (text.parse(), text.parse()) {
            (Ok(int), _) => Literal::Int(int),
            (_, Ok(float)) => Literal::Float(float),
            _ => return Err(format!("expected expression near '{}'", near(rest))),
        };
        self.at += end;
        Ok(Query::Literal(literal))
    }

    fn object(&mut self) -> Result<Query, String> {
        self.at += 1;
        let mut fields = Vec::new();
        if self.eat("}") {
            return Ok(Query::Object(fields));
        }
        loop {
            self.space();
            let name = self.field_name()?;
            if !self.eat(":") {
                return Err(format!("unexpected input near '{}'", near(self.rest())));
            }
            let mut value = self.logic()?;
            while self.eat("|") {
                value = Query::Pipe(Box::new(value), Box::new(self.logic()?));
            }
            fields.push((name, value));
            if self.eat("}") {
                return Ok(Query::Object(fields));
            }
            if !self.eat(",") {
                return Err(format!("unexpected input near '{}'", near(self.rest())));
            }
        }
    }

    fn named(&mut self, word: &str) -> Result<Query, String> {
        Ok(match word {
            "true" => Query::Literal(Literal::Bool(true)),
            "false" => Query::Literal(Literal::Bool(false)),
            "null" | "nil" => Query::Literal(Literal::Nil),
            "length" => Query::Length,
            "keys" => Query::Keys,
            "values" => Query::Values,
            "type" => Query::Type,
            "map" | "select" if self.eat("(") => {
                let inner = self.pipe()?;
                let inner = Box::new(self.paren(inner)?);
                if word == "map" { Query::Map(inner) } else { Query::Select(inner) }
            }
            _ => return Err(format!("unknown identifier '{word}'")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_bind_tighter_than_pipes() {
        let parsed = parse(".a[0] | length").unwrap();
        let field = Query::Field(Box::new(Query::Identity), "a".into());
        assert_eq!(parsed, Query::Pipe(Box::new(Query::Index(Box::new(field), 0)), Box::new(Query::Length)));
    }

    #[test]
    fn errors_say_what_was_met() {
        assert_eq!(parse("foo").unwrap_err(), "unknown identifier 'foo'");
        assert_eq!(parse(". )").unwrap_err(), "unexpected input near ')'");
        assert_eq!(parse("\"a").unwrap_err(), "unterminated string literal");
        assert_eq!(parse(".[x]").unwrap_err(), "expected array index or slice bound");
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(parse(&"(".repeat(100_000)).is_err());
    }
}
