//! Inferred types behind variables that have none written.

use super::analysed;
use crate::server::Refused;
use crate::workspace::Workspace;
use harn_types::index::LocalKind;
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintParams};

/// Longer types are cut.
const MAX_LENGTH: usize = 60;

/// `textDocument/inlayHint`.
pub fn hints(workspace: &mut Workspace, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let (text, encoding) = (analysis.text(), workspace.encoding);
    let from = analysis.lines.offset(text, params.range.start, encoding);
    let to = analysis.lines.offset(text, params.range.end, encoding);
    let shown = analysis.index.locals.iter().filter(|l| {
        matches!(l.kind, LocalKind::Let | LocalKind::Var | LocalKind::Bound)
            && !l.annotated
            && from <= l.span.start
            && l.span.end <= to
    });
    let hint = |ty: &str, end: u32| {
        let mut ty: String = ty.to_owned();
        if ty.chars().count() > MAX_LENGTH {
            ty = ty.chars().take(MAX_LENGTH).chain("…".chars()).collect();
        }
        InlayHint {
            position: analysis.lines.position(text, end, encoding),
            label: InlayHintLabel::String(format!(": {ty}")),
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        }
    };
    Ok(Some(shown.filter_map(|l| l.ty.as_ref().map(|t| hint(t, l.span.end))).collect()))
}
