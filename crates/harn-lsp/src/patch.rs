//! Texts made whole for a moment. Where somebody is typing, the statement is rarely finished; what is missing is put in
//! so that the parser sees what is meant.

use crate::workspace::Workspace;
use harn_syntax::{Parsed, Source, Span, TokenKind};
use harn_types::graph::ModuleGraph;

/// A member name that no program has.
pub const MEMBER: &str = "harn_member_here";

/// The texts to try: `word` put in at `offset`; the same with the brackets closed that this line leaves open.
fn candidates(text: &str, offset: u32, word: &str) -> Vec<String> {
    let (before, after) = text.split_at(offset as usize);
    let line_end = after.find('\n').unwrap_or(after.len());
    let (rest, later) = after.split_at(line_end);
    let line = before.rsplit('\n').next().unwrap_or("");
    let mut open = Vec::new();
    for c in line.chars().chain(rest.chars()) {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            ')' | ']' => {
                open.pop();
            }
            _ => {}
        }
    }
    let closers: String = open.iter().rev().collect();
    let mut out = vec![format!("{before}{word}{after}")];
    if !closers.is_empty() {
        out.push(format!("{before}{word}{rest}{closers}{later}"));
    }
    // A header (`if x.`) without its block.
    out.push(format!("{before}{word}{closers}{rest} {{}}{later}"));
    // Nothing else of the line counts.
    out.push(format!("{before}{word}{closers}{later}"));
    out
}

/// The program with `word` at `offset` of `path`, in the first form that parses around there, else the first form.
pub fn graph(
    workspace: &mut Workspace,
    path: &str,
    text: &str,
    offset: u32,
    word: &str,
) -> Option<ModuleGraph> {
    let mut texts = candidates(text, offset, word);
    let clean = |text: &str| {
        let parsed = harn_syntax::parse(&Source::new(path, text));
        let near = |at: u32| at + 200 > offset && at < offset + word.len() as u32 + 200;
        !parsed.diagnostics.iter().any(|d| near(d.span.start))
    };
    let best = texts.iter().position(|t| clean(t)).unwrap_or(0);
    Some(workspace.graph_with(path, texts.swap_remove(best)))
}

/// The innermost bracket that is open at an offset: its token's index.
pub fn open_bracket(parsed: &Parsed, offset: u32, kinds: &[TokenKind]) -> Option<usize> {
    let end = parsed.tokens.partition_point(|t| t.span.start < offset);
    let mut depth = 0u32;
    for i in (0..end).rev() {
        let token = parsed.tokens.get(i)?;
        if token.span.end > offset && !token.kind.is_trivia() && token.kind != TokenKind::Ident {
            continue;
        }
        match token.kind {
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => depth += 1,
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => {
                if depth == 0 {
                    return kinds.contains(&token.kind).then_some(i);
                }
                depth -= 1;
            }
            _ => {}
        }
    }
    None
}

/// The token before another, trivia passed over.
pub fn before(parsed: &Parsed, index: usize) -> Option<(usize, TokenKind, Span)> {
    let tokens = parsed.tokens.get(..index)?;
    let (i, token) = tokens.iter().enumerate().rev().find(|(_, t)| !t.kind.is_trivia())?;
    Some((i, token.kind, token.span))
}

/// Whether an offset lies in a comment or in the text of a string.
pub fn in_text(parsed: &Parsed, offset: u32) -> Option<TokenKind> {
    let i = parsed.tokens.partition_point(|t| t.span.end < offset);
    let token = parsed.tokens.get(i)?;
    let inside = token.span.start < offset && offset < token.span.end;
    let at_end = offset == token.span.end;
    match token.kind {
        TokenKind::LineComment | TokenKind::DocLine if inside || (at_end && offset > token.span.start) => {
            Some(token.kind)
        }
        TokenKind::BlockComment | TokenKind::DocBlock | TokenKind::Str | TokenKind::RawStr if inside => {
            Some(token.kind)
        }
        TokenKind::InterpStart | TokenKind::InterpMiddle | TokenKind::InterpEnd if inside => Some(token.kind),
        _ => None,
    }
}
