//! Definitions, references, highlights, links: everything that goes from a name to other places of it.

use super::{analysed, located};
use crate::server::Refused;
use crate::workspace::{Analysis, Meaning, Workspace};
use harn_syntax::Span;
use harn_types::graph::Origin;
use harn_types::index::{Occurrence, Role, Target};
use lsp_types::*;
use std::rc::Rc;

/// `textDocument/definition`.
pub fn definition(
    workspace: &mut Workspace,
    params: GotoDefinitionParams,
) -> Result<Option<Location>, Refused> {
    let at = params.text_document_position_params;
    let Some((_, analysis, offset)) = located(workspace, &at) else { return Ok(None) };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    Ok(match &occurrence.target {
        Target::Place(place) => workspace.location(&analysis.graph, place.module, place.name),
        Target::Module(module) => workspace.location(&analysis.graph, *module, Span::new(0, 0)),
        Target::Builtin(_) | Target::Namespace(_) | Target::Method { .. } | Target::Key => None,
    })
}

/// A file and the mentions in it of what is looked for.
pub struct Mentions {
    /// The file.
    pub path: String,
    /// What is known of it.
    pub analysis: Rc<Analysis>,
    /// The mentions, in source order.
    pub found: Vec<Occurrence>,
}

/// Every mention of a meaning in the workspace, by file. `name` is its text: files without it are not read further.
pub fn mentions(workspace: &mut Workspace, meaning: &Meaning, name: &str) -> Vec<Mentions> {
    let mut out = Vec::new();
    for path in workspace.programs() {
        if !workspace.text(&path).is_some_and(|t| t.contains(name)) {
            continue;
        }
        let Some(analysis) = workspace.names(&path) else { continue };
        let means = |o: &&Occurrence| Meaning::of(&analysis.graph, &o.target).as_ref() == Some(meaning);
        let found: Vec<Occurrence> = analysis.index.occurrences.iter().filter(means).cloned().collect();
        if !found.is_empty() {
            out.push(Mentions { path, analysis, found });
        }
    }
    out
}

/// `textDocument/references`.
pub fn references(
    workspace: &mut Workspace,
    params: ReferenceParams,
) -> Result<Option<Vec<Location>>, Refused> {
    let Some((_, analysis, offset)) = located(workspace, &params.text_document_position) else {
        return Ok(None);
    };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    let Some(meaning) = Meaning::of(&analysis.graph, &occurrence.target) else { return Ok(None) };
    let name = name_of(&analysis, occurrence);
    let mut out = Vec::new();
    for file in mentions(workspace, &meaning, &name) {
        let Some(uri) = workspace.uri(&file.path) else { continue };
        for occurrence in file.found {
            if occurrence.role != Role::Declare || params.context.include_declaration {
                let range = workspace.range(&file.analysis, occurrence.span);
                out.push(Location { uri: uri.clone(), range });
            }
        }
    }
    Ok(Some(out))
}

/// The text of a mention.
pub fn name_of(analysis: &Analysis, occurrence: &Occurrence) -> String {
    analysis.entry().map_or_else(String::new, |m| m.source.slice(occurrence.span).to_owned())
}

/// `textDocument/documentHighlight`.
pub fn highlights(
    workspace: &mut Workspace,
    params: DocumentHighlightParams,
) -> Result<Option<Vec<DocumentHighlight>>, Refused> {
    let at = params.text_document_position_params;
    let Some((_, analysis, offset)) = located(workspace, &at) else { return Ok(None) };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    let same = analysis
        .index
        .occurrences
        .iter()
        .filter(|o| o.target == occurrence.target && o.target != Target::Key);
    let highlight = |o: &Occurrence| DocumentHighlight {
        range: workspace.range(&analysis, o.span),
        kind: Some(match o.role {
            Role::Declare | Role::Write => DocumentHighlightKind::WRITE,
            Role::Read | Role::Import => DocumentHighlightKind::READ,
        }),
    };
    Ok(Some(same.map(highlight).collect()))
}

/// `textDocument/documentLink`: the paths of imports.
pub fn links(
    workspace: &mut Workspace,
    params: DocumentLinkParams,
) -> Result<Option<Vec<DocumentLink>>, Refused> {
    let Some((_, analysis)) = analysed(workspace, &params.text_document) else { return Ok(None) };
    let mut links = Vec::new();
    for occurrence in &analysis.index.occurrences {
        let Target::Module(module) = &occurrence.target else { continue };
        let Some(module) = analysis.graph.module(*module).filter(|m| m.origin != Origin::Std) else {
            continue;
        };
        links.push(DocumentLink {
            range: workspace.range(&analysis, occurrence.span),
            target: workspace.uri(&module.key),
            tooltip: None,
            data: None,
        });
    }
    Ok(Some(links))
}
