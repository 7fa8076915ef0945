//! What is wrong with a document.

use crate::workspace::Workspace;
use harn_syntax::{Diagnostic, Severity};
use lsp_types::{self as lsp, DiagnosticSeverity, DiagnosticTag, NumberOrString};
use serde_json::Value as Json;

/// The parameters of `publishDiagnostics` for an open document.
pub fn diagnostics(workspace: &mut Workspace, path: &str) -> Option<Json> {
    let analysis = workspace.analysis(path)?;
    let findings = analysis.findings.iter().map(|f| (&f.diagnostic, "harn lint"));
    let all = analysis.diagnostics.iter().map(|d| (d, "harn")).chain(findings);
    let mut diagnostics: Vec<lsp::Diagnostic> = all
        .map(|(d, source)| lsp::Diagnostic {
            range: workspace.range(&analysis, d.span),
            severity: Some(match d.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                _ => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(d.code.to_owned())),
            source: Some(source.to_owned()),
            message: message(d),
            tags: tag(d.code).map(|t| vec![t]),
            ..lsp::Diagnostic::default()
        })
        .collect();
    diagnostics.sort_by_key(|d| (d.range.start, d.range.end));
    let document = workspace.document(path)?;
    let params = lsp::PublishDiagnosticsParams {
        uri: document.uri.clone(),
        diagnostics,
        version: Some(document.version),
    };
    serde_json::to_value(params).ok()
}

fn message(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

fn tag(code: &str) -> Option<DiagnosticTag> {
    let unused = code.starts_with("unused-")
        || code.starts_with("dead-code")
        || code == harn_types::codes::UNREACHABLE;
    if unused {
        return Some(DiagnosticTag::UNNECESSARY);
    }
    (code == harn_types::codes::DEPRECATED).then_some(DiagnosticTag::DEPRECATED)
}
