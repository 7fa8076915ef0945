//! Declarations as trees (of a document) and as lists (of the workspace).

use super::analysed;
use crate::server::Refused;
use crate::text::LineIndex;
use crate::workspace::{Analysis, Workspace};
use harn_types::index::{Outline, OutlineKind, outline};
use lsp_types::*;

/// Most symbols that one search gives.
const MAX_FOUND: usize = 1000;

/// `textDocument/documentSymbol`.
pub fn of_document(
    workspace: &mut Workspace,
    params: DocumentSymbolParams,
) -> Result<Option<Vec<DocumentSymbol>>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let Some(entry) = analysis.entry() else { return Ok(None) };
    let all = outline(&entry.source, entry.ast());
    Ok(Some(all.into_iter().map(|o| symbol(workspace, &analysis, o)).collect()))
}

#[allow(deprecated, reason = "the protocol's type still has the field")]
fn symbol(workspace: &Workspace, analysis: &Analysis, one: Outline) -> DocumentSymbol {
    let children: Vec<DocumentSymbol> =
        one.children.into_iter().map(|c| symbol(workspace, analysis, c)).collect();
    DocumentSymbol {
        name: if one.name.is_empty() { "?".to_owned() } else { one.name.to_string() },
        detail: None,
        kind: kind(one.kind),
        tags: None,
        deprecated: None,
        range: workspace.range(analysis, one.span.to(one.name_span)),
        selection_range: workspace.range(analysis, one.name_span),
        children: (!children.is_empty()).then_some(children),
    }
}

fn kind(kind: OutlineKind) -> SymbolKind {
    match kind {
        OutlineKind::Pipeline => SymbolKind::EVENT,
        OutlineKind::Function | OutlineKind::Tool => SymbolKind::FUNCTION,
        OutlineKind::Skill | OutlineKind::EvalPack => SymbolKind::OBJECT,
        OutlineKind::TypeAlias => SymbolKind::CLASS,
        OutlineKind::Enum => SymbolKind::ENUM,
        OutlineKind::Variant => SymbolKind::ENUM_MEMBER,
        OutlineKind::Struct => SymbolKind::STRUCT,
        OutlineKind::Field => SymbolKind::FIELD,
        OutlineKind::Interface => SymbolKind::INTERFACE,
        OutlineKind::Impl => SymbolKind::NAMESPACE,
        OutlineKind::Method => SymbolKind::METHOD,
        OutlineKind::Variable => SymbolKind::VARIABLE,
    }
}

/// `workspace/symbol`: declarations whose names hold the letters of the query in their order.
#[allow(deprecated, reason = "the protocol's type still has the field")]
pub fn of_workspace(
    workspace: &mut Workspace,
    params: WorkspaceSymbolParams,
) -> Result<Option<Vec<SymbolInformation>>, Refused> {
    let query: Vec<char> = params.query.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut out = Vec::new();
    for path in workspace.programs() {
        let Some((source, parsed)) = workspace.parsed(&path) else { continue };
        let Some(uri) = workspace.uri(&path) else { continue };
        let lines = LineIndex::new(source.text());
        let mut waiting: Vec<(Outline, Option<String>)> =
            outline(&source, &parsed.ast).into_iter().rev().map(|o| (o, None)).collect();
        while let Some((mut one, container)) = waiting.pop() {
            let children = std::mem::take(&mut one.children);
            let name = one.name.to_string();
            waiting.extend(children.into_iter().rev().map(|c| (c, Some(name.clone()))));
            if one.kind == OutlineKind::Impl || !holds(&name, &query) {
                continue;
            }
            out.push(SymbolInformation {
                name,
                kind: kind(one.kind),
                tags: None,
                deprecated: None,
                location: Location {
                    uri: uri.clone(),
                    range: lines.range(source.text(), one.name_span, workspace.encoding),
                },
                container_name: container,
            });
            if out.len() >= MAX_FOUND {
                return Ok(Some(out));
            }
        }
    }
    Ok(Some(out))
}

fn holds(name: &str, query: &[char]) -> bool {
    let mut letters = name.chars().map(|c| c.to_ascii_lowercase());
    query.iter().all(|q| letters.any(|l| l == *q))
}
