//! Signatures of rows, taken apart: parameters with names and type texts, and the result's type text.

use std::fmt;

/// One parameter of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type in Harn type syntax.
    pub ty: &'static str,
    /// Written `name?: T`: may be left out.
    pub optional: bool,
    /// Written `...name: T`: takes all remaining arguments, each a `T`.
    pub rest: bool,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The parameters, in order.
    pub params: Vec<Param>,
    /// The result's type in Harn type syntax.
    pub result: &'static str,
}

impl Signature {
    /// Reads `fn(a: T, b?: U, ...rest: V) -> R`. Rows are checked by a test; on other text parts are missing.
    pub fn parse(text: &'static str) -> Signature {
        let inner = text.strip_prefix("fn(").unwrap_or(text);
        let close = closing(inner);
        let params = split_top(inner.get(..close).unwrap_or("")).into_iter().map(param).collect();
        let result = inner.get(close..).and_then(|rest| rest.strip_prefix(") -> ")).unwrap_or("any");
        Signature { params, result }
    }

    /// How many arguments must be given.
    pub fn required(&self) -> usize {
        self.params.iter().filter(|p| !p.optional && !p.rest).count()
    }

    /// How many arguments may be given; `None` without a bound.
    pub fn most(&self) -> Option<usize> {
        (!self.params.iter().any(|p| p.rest)).then_some(self.params.len())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fn(")?;
        for (i, p) in self.params.iter().enumerate() {
            let (sep, dots, mark) = (
                if i > 0 { ", " } else { "" },
                if p.rest { "..." } else { "" },
                if p.optional { "?" } else { "" },
            );
            write!(f, "{sep}{dots}{}{mark}: {}", p.name, p.ty)?;
        }
        write!(f, ") -> {}", self.result)
    }
}

fn param(text: &'static str) -> Param {
    let (head, ty) = text.split_once(": ").unwrap_or((text, "any"));
    let (head, rest) = head.strip_prefix("...").map_or((head, false), |h| (h, true));
    let (name, optional) = head.strip_suffix('?').map_or((head, false), |h| (h, true));
    Param { name, ty, optional, rest }
}

/// The position of the parenthesis that closes the one before the text.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return i,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The pieces between commas that stand outside all brackets.
fn split_top(text: &'static str) -> Vec<&'static str> {
    let (mut out, mut depth, mut start) = (Vec::new(), 0i32, 0);
    let mut previous = ' ';
    for (i, c) in text.char_indices() {
        match c {
            '(' | '<' | '{' | '[' => depth += 1,
            '>' if previous == '-' => {}
            ')' | '>' | '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(text.get(start..i).unwrap_or("").trim());
                start = i + 1;
            }
            _ => {}
        }
        previous = c;
    }
    let last = text.get(start..).unwrap_or("").trim();
    if !last.is_empty() {
        out.push(last);
    }
    out
}
