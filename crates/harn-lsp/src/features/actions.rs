//! Mends: the fixes of lint findings one by one and all at once, and names that were probably meant.

use super::analysed;
use crate::server::Refused;
use crate::text::difference;
use crate::workspace::{Analysis, Workspace};
use harn_syntax::{Diagnostic, Span};
use harn_types::lint::{Edit, fixed};
use lsp_types::*;
use std::collections::HashMap;

/// `textDocument/codeAction`.
pub fn actions(
    workspace: &mut Workspace,
    params: CodeActionParams,
) -> Result<Option<CodeActionResponse>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let uri = params.text_document.uri;
    let (text, encoding) = (analysis.text(), workspace.encoding);
    let wanted = Span::new(
        analysis.lines.offset(text, params.range.start, encoding),
        analysis.lines.offset(text, params.range.end, encoding),
    );
    let asked = |kind: &CodeActionKind| {
        params.context.only.as_ref().is_none_or(|only| {
            only.iter().any(|o| {
                kind.as_str() == o.as_str() || kind.as_str().starts_with(&format!("{}.", o.as_str()))
            })
        })
    };
    let touches = |span: Span| span.start <= wanted.end && wanted.start <= span.end;
    let mut out = Vec::new();
    let edit = |edits: &[Edit]| workspace_edit(workspace, &analysis, &uri, edits);
    if asked(&CodeActionKind::QUICKFIX) {
        for finding in analysis.findings.iter().filter(|f| !f.fix.is_empty() && touches(f.diagnostic.span)) {
            let title = finding.diagnostic.help.clone().unwrap_or_else(|| finding.diagnostic.message.clone());
            let title = match finding.rule {
                "unused-variable" => {
                    let name = analysis.entry().map_or("", |m| m.source.slice(finding.diagnostic.span));
                    format!("Prefix unused `{name}` with `_`")
                }
                _ => capital(&title),
            };
            out.push(action(title, CodeActionKind::QUICKFIX, edit(&finding.fix)));
        }
        for diagnostic in analysis.diagnostics.iter().filter(|d| touches(d.span)) {
            if let Some((title, fix)) = meant(&analysis, diagnostic) {
                out.push(action(title, CodeActionKind::QUICKFIX, edit(&[fix])));
            }
        }
    }
    let all = CodeActionKind::new("source.fixAll.harn");
    if asked(&all)
        && let Some(entry) = analysis.entry()
        && let Some((fixed, _)) = fixed(&entry.source, &analysis.findings)
        && let Some((span, new)) = difference(text, &fixed)
    {
        let fix = Edit { span, text: new.to_owned() };
        out.push(action("Apply all Harn autofixes".to_owned(), all, edit(&[fix])));
    }
    Ok(Some(out))
}

/// `did you mean ...?` as an edit of the misspelt name.
fn meant(analysis: &Analysis, diagnostic: &Diagnostic) -> Option<(String, Edit)> {
    let near = diagnostic.help.as_deref()?.strip_prefix("did you mean `")?.strip_suffix("`?")?;
    let source = &analysis.entry()?.source;
    let text = source.slice(diagnostic.span);
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let span = Span::new(diagnostic.span.start, diagnostic.span.start + length as u32);
    if span.is_empty() {
        return None;
    }
    let title = format!("Change `{}` to `{near}`", source.slice(span));
    Some((title, Edit { span, text: near.to_owned() }))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn action(title: String, kind: CodeActionKind, edit: WorkspaceEdit) -> CodeActionOrCommand {
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(kind),
        edit: Some(edit),
        ..CodeAction::default()
    })
}

#[allow(
    clippy::mutable_key_type,
    reason = "the protocol's map is keyed by its URI type, which nobody mutates"
)]
fn workspace_edit(workspace: &Workspace, analysis: &Analysis, uri: &Uri, edits: &[Edit]) -> WorkspaceEdit {
    let edits = edits
        .iter()
        .map(|e| TextEdit { range: workspace.range(analysis, e.span), new_text: e.text.clone() })
        .collect();
    WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits)])), ..WorkspaceEdit::default() }
}
