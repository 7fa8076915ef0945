//! Colours that need to know what a name is.

use super::analysed;
use crate::server::Refused;
use crate::workspace::{Analysis, Workspace};
use harn_syntax::{Span, TokenKind};
use harn_types::index::SymbolKind;
use lsp_types::{SemanticToken, SemanticTokens, SemanticTokensParams};
use serde_json::{Value as Json, json};

/// The types of tokens, in the order of their numbers (spec 09 section 9.1, with members and type parameters added).
const TYPES: &[&str] = &[
    "keyword",
    "function",
    "parameter",
    "variable",
    "string",
    "number",
    "operator",
    "comment",
    "type",
    "enumMember",
    "namespace",
    "property",
    "method",
    "typeParameter",
];

/// What the server says of its tokens when it starts.
pub fn legend() -> Json {
    json!({"tokenTypes": TYPES, "tokenModifiers": []})
}

/// `textDocument/semanticTokens/full`.
pub fn full(
    workspace: &mut Workspace,
    params: SemanticTokensParams,
) -> Result<Option<SemanticTokens>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let mut data = Vec::new();
    let (mut line, mut character) = (0, 0);
    for (span, name) in classified(&analysis) {
        let Some(token_type) = TYPES.iter().position(|t| *t == name) else { continue };
        for piece in pieces(analysis.text(), span) {
            let range = workspace.range(&analysis, piece);
            let delta_line = range.start.line - line;
            let delta_start =
                if delta_line == 0 { range.start.character - character } else { range.start.character };
            (line, character) = (range.start.line, range.start.character);
            data.push(SemanticToken {
                delta_line,
                delta_start,
                length: range.end.character - range.start.character,
                token_type: token_type as u32,
                token_modifiers_bitset: 0,
            });
        }
    }
    Ok(Some(SemanticTokens { result_id: None, data }))
}

fn classified(analysis: &Analysis) -> Vec<(Span, &'static str)> {
    let Some(entry) = analysis.entry() else { return Vec::new() };
    let mut names = analysis.index.occurrences.iter().peekable();
    let mut out = Vec::new();
    for token in &entry.parsed.tokens {
        while names.peek().is_some_and(|o| o.span.start < token.span.start) {
            names.next();
        }
        let name = names.peek().filter(|o| o.span == token.span).map(|o| of_symbol(o.kind));
        let name = match token.kind {
            // A word of the language may be the name of a member.
            TokenKind::Ident => name.or_else(|| type_word(entry.source.slice(token.span))),
            kind if kind.is_keyword() => name.or(Some("keyword")),
            TokenKind::Int | TokenKind::Float | TokenKind::Duration => Some("number"),
            TokenKind::Str
            | TokenKind::RawStr
            | TokenKind::InterpStart
            | TokenKind::InterpMiddle
            | TokenKind::InterpEnd => Some("string"),
            TokenKind::LineComment
            | TokenKind::DocLine
            | TokenKind::BlockComment
            | TokenKind::DocBlock
            | TokenKind::Shebang => Some("comment"),
            kind if is_operator(kind) => Some("operator"),
            _ => None,
        };
        if let Some(name) = name {
            out.push((token.span, name));
        }
    }
    out
}

fn type_word(text: &str) -> Option<&'static str> {
    matches!(text, "int" | "float" | "string" | "bool" | "any" | "unknown" | "never").then_some("type")
}

fn of_symbol(kind: SymbolKind) -> &'static str {
    match kind {
        SymbolKind::Variable => "variable",
        SymbolKind::Parameter => "parameter",
        SymbolKind::Function => "function",
        SymbolKind::Method => "method",
        SymbolKind::Type => "type",
        SymbolKind::TypeParameter => "typeParameter",
        SymbolKind::Variant => "enumMember",
        SymbolKind::Field => "property",
        SymbolKind::Namespace => "namespace",
    }
}

fn is_operator(kind: TokenKind) -> bool {
    use TokenKind::*;
    let signs = TokenKind::PUNCTUATION.iter().any(|(k, _)| *k == kind);
    signs
        && !matches!(
            kind,
            LBrace | RBrace | LParen | RParen | LBracket | RBracket | Comma | Colon | Semicolon | Dot | At
        )
}

/// The parts of a span on each line, without line ends.
fn pieces(text: &str, span: Span) -> Vec<Span> {
    let mut out = Vec::new();
    let mut start = span.start;
    for line in text.get(span.start as usize..span.end as usize).unwrap_or("").split_inclusive(['\n', '\r']) {
        let bare = line.trim_end_matches(['\n', '\r']).len() as u32;
        if bare > 0 {
            out.push(Span::new(start, start + bare));
        }
        start += line.len() as u32;
    }
    out
}
