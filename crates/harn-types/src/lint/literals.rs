//! Rules about texts in the source.

use super::*;
use harn_syntax::Token;

/// The characters that a backslash makes something else of (spec 01 section 3.4).
const ESCAPES: &[char] = &['n', 't', '\\', '"', '$'];

pub(super) fn run(pass: &mut Pass<'_>) {
    let module = pass.module;
    // Whether the interpolated texts that are open stand in triple quotes, where nothing is escaped.
    let mut open = Vec::new();
    for token in &module.parsed.tokens {
        let triple = pass.slice(token.span).starts_with("\"\"\"");
        let has_escapes = match token.kind {
            TokenKind::Str => !triple,
            TokenKind::InterpStart => {
                open.push(triple);
                !triple
            }
            TokenKind::InterpMiddle => !open.last().copied().unwrap_or(true),
            TokenKind::InterpEnd => !open.pop().unwrap_or(true),
            _ => false,
        };
        if has_escapes {
            escapes(pass, token);
        }
    }
}

/// One finding for a piece of text, at its first backslash that escapes nothing.
fn escapes(pass: &mut Pass<'_>, token: &Token) {
    let mut fixes = Vec::new();
    let mut first = None;
    let mut chars = pass.slice(token.span).char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        let Some((next_at, next)) = chars.next() else { break };
        if ESCAPES.contains(&next) {
            continue;
        }
        let start = token.span.start + at as u32;
        let end = token.span.start + (next_at + next.len_utf8()) as u32;
        first.get_or_insert((Span::new(start, end), next));
        fixes.extend(replace(Span::new(start, start + 1), "\\\\"));
    }
    let Some((span, next)) = first else { return };
    pass.add(
        UNKNOWN_ESCAPE,
        span,
        format!("`\\{next}` is no escape: the text keeps the backslash"),
        &format!("write `\\\\{next}`, or the whole text as `r\"...\"`, which has no escapes"),
        fixes,
    );
}
