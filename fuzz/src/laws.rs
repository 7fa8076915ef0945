//! The laws of the formatter on composed programs with comments anywhere (spec 01 section 9): formatting twice is
//! formatting once, no token changes, no comment is lost or leaves its place, and the program does the same. On the same
//! programs and on their beginnings checker and lints neither panic nor hang.

use std::process::ExitCode;

use harn_fmt::Options;
use harn_syntax::{Source, TokenKind, parse};

use crate::oracle::Ending;
use crate::random::Random;
use crate::{compose, differ, trial};

/// The name of the input.
const PATH: &str = "fuzz.harn";

/// Beginnings of each program that are checked and linted.
const PREFIXES: usize = 4;

/// Tries `count` programs; the exit code says whether a law was broken.
pub fn run(count: u64, seed: u64) -> ExitCode {
    let mut broken = 0;
    for seed in seed..seed + count {
        let text = program(seed);
        if let Err(law) = hold(&text).and_then(|()| beginnings(&text, seed)) {
            broken += 1;
            println!("seed {seed}: {law}");
            let _ = std::fs::create_dir_all("target/fuzz");
            let _ = std::fs::write(format!("target/fuzz/law-{seed}.harn"), &text);
        }
    }
    println!("{count} programs with comments from seed {seed}, {broken} broke a law");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The composed program of a seed with comments put in.
pub fn program(seed: u64) -> String {
    commented(&compose::program(seed), &mut Random::new(seed ^ 0x00C0_FFEE))
}

fn commented(text: &str, random: &mut Random) -> String {
    let source = Source::new(PATH, text.to_owned());
    let mut out = String::new();
    let (mut number, mut interpolated, mut last_line) = (0, 0_usize, false);
    for token in parse(&source).tokens {
        let piece = text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        let whole = interpolated == 0 && random.below(40) == 0;
        match token.kind {
            TokenKind::InterpStart => interpolated += 1,
            TokenKind::InterpEnd => interpolated = interpolated.saturating_sub(1),
            TokenKind::Newline if whole => {
                number += 1;
                out.push_str(&format!(" // c{number}."));
            }
            _ if whole && random.below(3) == 0 => {
                number += 1;
                let comment =
                    if last_line { format!("// c{number}.\n") } else { format!(" /* c{number}. */ ") };
                out.push_str(&comment);
            }
            _ => {}
        }
        last_line = token.kind == TokenKind::Newline && interpolated == 0;
        out.push_str(piece);
    }
    out
}

/// Whether the formatter keeps its laws on a program.
pub fn hold(text: &str) -> Result<(), String> {
    let formatted = |text: &str| harn_fmt::format(&Source::new(PATH, text.to_owned()), Options::default());
    let once = formatted(text).map_err(|refusal| match refusal {
        harn_fmt::Refusal::Unfaithful => "the formatter refuses its own result".to_owned(),
        harn_fmt::Refusal::Syntax(found) => {
            format!("no program: {}", found.first().map(|d| d.message.as_str()).unwrap_or_default())
        }
    })?;
    let twice = formatted(&once).map_err(|_| "the formatted text is refused".to_owned())?;
    if once != twice {
        return Err("formatting twice differs from formatting once".to_owned());
    }
    let (before, after) = (outline(text), outline(&once));
    if before.tokens != after.tokens {
        let at = before.tokens.iter().zip(&after.tokens).position(|(x, y)| x != y).unwrap_or(0);
        let around =
            |tokens: &[String]| tokens.iter().skip(at.saturating_sub(3)).take(8).cloned().collect::<Vec<_>>();
        return Err(format!("tokens differ: {:?} and {:?}", around(&before.tokens), around(&after.tokens)));
    }
    let sorted = |outline: &Outline| {
        let mut texts: Vec<_> = outline.comments.iter().map(|(text, _)| text.clone()).collect();
        texts.sort();
        texts
    };
    if sorted(&before) != sorted(&after) {
        return Err(format!("{} comments became {}", before.comments.len(), after.comments.len()));
    }
    // A comment in the middle of an expression or head goes before its statement, if need be; one that has a line, or
    // the end of one, to itself stays.
    let own = |outline: &Outline| -> Vec<(String, usize)> {
        outline.comments.iter().filter(|(text, _)| text.starts_with("//")).cloned().collect()
    };
    for ((was, place), (is, now)) in own(&before).iter().zip(&own(&after)) {
        if was != is || now != place {
            let from = place.saturating_sub(3);
            let near: Vec<_> = before.tokens.iter().skip(from).take(6).cloned().collect();
            return Err(format!("{was} moved by {} tokens, near {near:?}", *now as i64 - *place as i64));
        }
    }
    // A program that the oracle gives up on may grow without bounds.
    if differ::oracle(text).ending == Ending::Unsure {
        return Ok(());
    }
    match (differ::product(text), differ::product(&once)) {
        (Ok(was), Ok(is)) if was != is => Err("the formatted program does something else".to_owned()),
        (Ok(_), Err(why)) => Err(format!("the formatted program is refused: {why}")),
        _ => Ok(()),
    }
}

/// Tokens that formatting keeps, and comments with the number of such tokens before them.
struct Outline {
    tokens: Vec<String>,
    comments: Vec<(String, usize)>,
}

fn outline(text: &str) -> Outline {
    let mut outline = Outline { tokens: Vec::new(), comments: Vec::new() };
    for token in parse(&Source::new(PATH, text.to_owned())).tokens {
        let piece = text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        match token.kind {
            TokenKind::LineComment | TokenKind::BlockComment => {
                outline.comments.push((piece.to_owned(), outline.tokens.len()));
            }
            // Regenerated, or written in one way.
            TokenKind::LParen | TokenKind::RParen | TokenKind::Comma | TokenKind::Semicolon => {}
            kind if kind.is_trivia() => {}
            // The shortest digits of the same number.
            TokenKind::Float => outline.tokens.push(format!("{:?}", piece.parse::<f64>())),
            _ => outline.tokens.push(piece.to_owned()),
        }
    }
    outline
}

/// Beginnings of a program through everything before the run.
fn beginnings(text: &str, seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    for _ in 0..PREFIXES {
        let mut at = random.below(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let (beginning, _) = text.split_at(at);
        trial::front_end(beginning).map_err(|finding| format!("{finding} in its first {at} bytes"))?;
    }
    Ok(())
}
