//! What can be folded: brackets over several lines, long strings, comments, imports.

use super::analysed;
use crate::server::Refused;
use crate::workspace::Workspace;
use harn_syntax::ast::StmtKind;
use harn_syntax::{Span, TokenKind};
use lsp_types::{FoldingRange, FoldingRangeKind, FoldingRangeParams};

/// `textDocument/foldingRange`.
pub fn ranges(
    workspace: &mut Workspace,
    params: FoldingRangeParams,
) -> Result<Option<Vec<FoldingRange>>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let Some(entry) = analysis.entry() else { return Ok(None) };
    let line = |offset: u32| analysis.lines.position(analysis.text(), offset, workspace.encoding).line;
    let mut out: Vec<FoldingRange> = Vec::new();
    let mut fold = |span: Span, keep_last: bool, kind: Option<FoldingRangeKind>| {
        let (start, end) = (line(span.start), line(span.end.saturating_sub(1).max(span.start)));
        let end = if keep_last { end.saturating_sub(1) } else { end };
        if start < end {
            out.push(FoldingRange { start_line: start, end_line: end, kind, ..FoldingRange::default() });
        }
    };
    let mut open: Vec<(TokenKind, u32)> = Vec::new();
    // Comment lines that follow each other.
    let mut comments: Option<Span> = None;
    for token in &entry.parsed.tokens {
        match token.kind {
            TokenKind::LBrace | TokenKind::LParen | TokenKind::LBracket => {
                open.push((token.kind, token.span.start))
            }
            TokenKind::RBrace | TokenKind::RParen | TokenKind::RBracket => {
                if let Some((_, start)) = open.pop() {
                    // The line with the closing bracket stays in sight.
                    fold(Span::new(start, token.span.end), true, None);
                }
            }
            TokenKind::Str | TokenKind::RawStr => fold(token.span, false, None),
            TokenKind::BlockComment | TokenKind::DocBlock => {
                fold(token.span, false, Some(FoldingRangeKind::Comment));
            }
            _ => {}
        }
        match token.kind {
            TokenKind::LineComment | TokenKind::DocLine => {
                comments = Some(comments.map_or(token.span, |c| c.to(token.span)));
            }
            TokenKind::Newline | TokenKind::Whitespace => {}
            _ => {
                if let Some(run) = comments.take() {
                    fold(run, false, Some(FoldingRangeKind::Comment));
                }
            }
        }
    }
    if let Some(run) = comments {
        fold(run, false, Some(FoldingRangeKind::Comment));
    }
    let imports = entry.ast().items.iter().filter(|s| matches!(s.kind, StmtKind::Import(_)));
    if let Some(run) = imports.map(|s| s.span).reduce(Span::to) {
        fold(run, false, Some(FoldingRangeKind::Imports));
    }
    out.sort_by_key(|r| (r.start_line, std::cmp::Reverse(r.end_line)));
    Ok(Some(out))
}
