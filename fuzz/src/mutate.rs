//! Inputs: programs of the corpus with their tokens moved about, spliced, nested, cut, and garnished.

use harn_syntax::{Source, TokenKind, parse};

use crate::random::Random;

/// The longest input, in bytes: most findings are small, and small ones are tried faster.
const LONGEST: usize = 16 << 10;

/// Pieces that meet the grammar's corners.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{ x -> ",
    " -> ",
    "?.",
    "?[",
    "??",
    "? ",
    ": ",
    "|>",
    "...",
    "..",
    "**",
    "!",
    "-",
    "=",
    "==",
    "+=",
    "*=",
    "&&",
    "||",
    " in ",
    " not in ",
    " to ",
    "exclusive",
    "\n",
    ";",
    ",",
    ".",
    "@",
    "_",
    "nil",
    "true",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1.5",
    "5s",
    "\"",
    "\"\"\"",
    "${",
    "\"${x}\"",
    "\\",
    "/*",
    "*/",
    "//",
    "/**",
    "let ",
    "var ",
    "fn f(a, b = 1, ...r) { ",
    "gen fn ",
    "yield ",
    "return ",
    "throw ",
    "try { ",
    "catch (e) { ",
    "finally { ",
    "defer { ",
    "match x { ",
    "if true { ",
    "else { ",
    "while true { ",
    "for i in ",
    "for (a, b) in ",
    "break",
    "continue",
    "struct S { a: int }",
    "enum E { A, B(x) }",
    "impl S { ",
    "interface I { ",
    "type T = ",
    "import \"std/math\"",
    "pub ",
    "pipeline p(task) { ",
    "tool t(a: int) { ",
    "spawn { ",
    "parallel each ",
    "parallel 3 { ",
    "parallel settle ",
    "select { ",
    "mutex { ",
    "deadline 1s { ",
    "retry 3 { ",
    "guard x else { ",
    "require ",
    "try* ",
    "as stream",
    "is ",
    "<int>",
    ": list<int>",
    "-> Result<int, string>",
    "[1, 2, 3]",
    "{a: 1}",
    ".map({ x -> x })",
    ".filter({ x -> x > 1 })",
    "xs[1:2]",
    "x?",
    "é",
    "🌍",
    "\u{0}",
    "\u{feff}",
    "\r\n",
    "\t",
    "'",
];

/// An input.
pub fn input(corpus: &[String], random: &mut Random) -> String {
    match random.below(20) {
        0..=3 => return crate::soup::grammar(random),
        4 => return crate::nest::program(random),
        _ => {}
    }
    let Some(start) = random.pick(corpus) else { return String::new() };
    let mut text = start.clone();
    // Most inputs stay programs and run; the others show what the front end makes of anything.
    if random.below(5) > 0 {
        for _ in 0..=random.below(4) {
            text = gentle(&text, corpus, random);
        }
        text.truncate(boundary(&text, LONGEST));
        return text;
    }
    for _ in 0..=random.below(6) {
        text = mutated(text, corpus, random);
        if text.len() > LONGEST {
            text.truncate(boundary(&text, LONGEST));
        }
    }
    text
}

fn mutated(text: String, corpus: &[String], random: &mut Random) -> String {
    match random.below(10) {
        0 => bytes(text, random),
        1 => nested(&text, random),
        2 => cut(text, random),
        3 => inserted(text, random),
        4 => doubled(&text, random),
        5 => spliced(&text, corpus, random),
        _ => tokens(&text, corpus, random),
    }
}

/// A change that usually leaves a program: another literal, name or operator; lines removed, repeated, swapped, borrowed.
fn gentle(text: &str, corpus: &[String], random: &mut Random) -> String {
    match random.below(8) {
        0 => lines(text, corpus, random),
        1 => lines(text, corpus, random),
        _ => retyped(text, random),
    }
}

fn lines(text: &str, corpus: &[String], random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let (at, to) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(4) {
        0 if !lines.is_empty() => {
            lines.remove(at);
        }
        1 if !lines.is_empty() => {
            let line = lines.get(at).copied().unwrap_or_default();
            lines.insert(to, line);
        }
        2 if !lines.is_empty() => lines.swap(at, to),
        _ => {
            let other = random.pick(corpus).map(String::as_str).unwrap_or_default();
            let borrowed: Vec<&str> = other.lines().collect();
            lines.insert(at, random.pick(&borrowed).copied().unwrap_or_default());
        }
    }
    lines.join("\n")
}

const NUMBERS: &[&str] =
    &["0", "1", "2", "-1", "3", "7", "1000", "0.5", "-0.0", "9223372036854775807", "1e3"];
const LITERALS: &[&str] =
    &["nil", "true", "[]", "{}", "\"\"", "[1, \"a\", nil]", "{a: 1, b: [2]}", "0 to 3", "5s", "{ x -> x }"];
const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "in", "|>"];
const METHODS: &[&str] = &[
    "map", "filter", "reduce", "push", "len", "keys", "values", "sort", "reverse", "join", "split", "trim",
    "first", "get", "has", "merge", "remove", "iter", "next", "to_list", "any", "all", "find", "zip",
    "flat_map", "take", "chunks", "slice",
];

/// One token replaced by one of its kind.
fn retyped(text: &str, random: &mut Random) -> String {
    let source = Source::new("fuzz.harn", text.to_owned());
    let tokens = parse(&source).tokens;
    let spans: Vec<(usize, usize)> =
        tokens.iter().map(|t| (t.span.start as usize, t.span.end as usize)).collect();
    for _ in 0..20 {
        let Some(&(start, end)) = random.pick(&spans) else { break };
        let Some(token) = text.get(start..end) else { continue };
        let after_dot = text.get(..start).is_some_and(|front| front.ends_with('.'));
        let other = match token.chars().next() {
            Some(c) if c.is_ascii_digit() => {
                let among = if random.below(6) == 0 { LITERALS } else { NUMBERS };
                random.pick(among).copied()
            }
            Some('"') => random.pick(LITERALS).copied(),
            Some(c) if c.is_ascii_alphabetic() && after_dot => random.pick(METHODS).copied(),
            Some(c) if c.is_ascii_alphabetic() => {
                let name =
                    random.pick(&spans).and_then(|(start, end)| text.get(*start..*end)).unwrap_or_default();
                name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
            }
            _ if OPERATORS.contains(&token) => random.pick(OPERATORS).copied(),
            _ => None,
        };
        if let (Some(other), Some(front), Some(back)) = (other, text.get(..start), text.get(end..)) {
            return format!("{front}{other}{back}");
        }
    }
    text.to_owned()
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn place(text: &str, random: &mut Random) -> usize {
    boundary(text, random.below(text.len() + 1))
}

fn bytes(text: String, random: &mut Random) -> String {
    let mut bytes = text.into_bytes();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.bits() as u8;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Something opened many times: brackets, blocks, operators, interpolations.
fn nested(text: &str, random: &mut Random) -> String {
    let openers =
        ["(", "[", "{ x -> ", "-", "!", "\"${", "if true { ", "f(", "[1, ", "{a: ", "1 + ", "a?.b ?? "];
    let opener = random.pick(&openers).copied().unwrap_or("(");
    let depth = [3, 40, 130, 1000].get(random.below(4)).copied().unwrap_or(3);
    let (front, back) = text.split_at(place(text, random));
    format!("{front}{}{back}", opener.repeat(depth))
}

fn cut(mut text: String, random: &mut Random) -> String {
    let at = place(&text, random);
    if random.below(2) == 0 {
        text.truncate(at);
        return text;
    }
    text.split_off(at)
}

fn inserted(mut text: String, random: &mut Random) -> String {
    for _ in 0..=random.below(3) {
        let at = place(&text, random);
        if let Some(piece) = random.pick(PIECES) {
            text.insert_str(at, piece);
        }
    }
    text
}

fn doubled(text: &str, random: &mut Random) -> String {
    let (a, b) = (place(text, random), place(text, random));
    let (start, end) = (a.min(b), a.max(b));
    let middle = text.get(start..end).unwrap_or_default();
    let (front, back) = text.split_at(end);
    format!("{front}{middle}{back}")
}

fn spliced(text: &str, corpus: &[String], random: &mut Random) -> String {
    let other = random.pick(corpus).map(String::as_str).unwrap_or_default();
    let front = text.split_at(place(text, random)).0;
    let back = other.split_at(place(other, random)).1;
    format!("{front}{back}")
}

fn pieces(text: &str) -> Vec<String> {
    let source = Source::new("fuzz.harn", text.to_owned());
    let tokens = parse(&source).tokens;
    let written = tokens.iter().filter(|token| token.kind != TokenKind::Eof);
    written
        .filter_map(|token| text.get(token.span.start as usize..token.span.end as usize))
        .map(str::to_owned)
        .collect()
}

/// Tokens removed, repeated, swapped, or replaced by those of another program.
fn tokens(text: &str, corpus: &[String], random: &mut Random) -> String {
    let mut own = pieces(text);
    let other = random.pick(corpus).map(|text| pieces(text)).unwrap_or_default();
    for _ in 0..=random.below(5) {
        let (at, to) = (random.below(own.len()), random.below(own.len()));
        if own.is_empty() {
            break;
        }
        match random.below(5) {
            0 => {
                own.remove(at);
            }
            1 => {
                let copy = own.get(at).cloned().unwrap_or_default();
                own.insert(to, copy);
            }
            2 => own.swap(at, to),
            3 => {
                if let (Some(token), Some(slot)) = (random.pick(&other), own.get_mut(at)) {
                    slot.clone_from(token);
                }
            }
            _ => {
                if let Some(piece) = random.pick(PIECES) {
                    own.insert(at, (*piece).to_owned());
                }
            }
        }
    }
    own.join(" ")
}
