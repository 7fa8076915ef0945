//! Renaming by binding: every mention of one declaration in every file, and nothing else that happens to be called so.

use super::located;
use super::navigate::{Mentions, mentions, name_of};
use crate::server::Refused;
use crate::workspace::{Analysis, Meaning, Workspace};
use harn_syntax::{Source, Span, TokenKind};
use harn_types::graph::Origin;
use harn_types::index::{Occurrence, SymbolKind, Target};
use harn_types::is_global_name;
use lsp_types::*;
use std::collections::HashMap;

/// `textDocument/prepareRename`.
pub fn prepare(
    workspace: &mut Workspace,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, Refused> {
    let Some((_, analysis, offset)) = located(workspace, &params) else { return Ok(None) };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    let placeholder = name_of(&analysis, occurrence);
    renamable(&analysis, occurrence, &placeholder)?;
    let range = workspace.range(&analysis, occurrence.span);
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
}

fn renamable(analysis: &Analysis, occurrence: &Occurrence, name: &str) -> Result<(), Refused> {
    let refuse = |text: String| Err(Refused::because(text));
    let place = match &occurrence.target {
        Target::Builtin(_) | Target::Method { .. } | Target::Namespace(_) => {
            return refuse(format!("`{name}` is built in and cannot be renamed"));
        }
        Target::Key => return refuse(format!("`{name}` is a key of a dict, not a name")),
        Target::Module(_) => return refuse("the path of an import is not a name".to_owned()),
        Target::Place(place) => place,
    };
    if matches!(occurrence.kind, SymbolKind::Field | SymbolKind::Method) {
        return refuse(format!(
            "`{name}` is a member: values of unknown type may use it, so that renaming could change the program"
        ));
    }
    let Some(home) = analysis.graph.module(place.module) else {
        return refuse(format!("`{name}` is not declared in this workspace"));
    };
    if home.origin == Origin::Std {
        return refuse(format!("`{name}` belongs to the library and cannot be renamed"));
    }
    let declared = home.source.slice(place.name);
    if declared != name || name == "self" {
        return refuse(format!("`{name}` is not a name that can be changed here"));
    }
    Ok(())
}

/// Whether `name` is an identifier that a declaration may bear.
fn valid(name: &str) -> Result<(), Refused> {
    let source = Source::new("name", name);
    let parsed = harn_syntax::parse(&source);
    let one = matches!(parsed.tokens.as_slice(), [t] if t.kind == TokenKind::Ident);
    if !one || name == "_" {
        return Err(Refused::because(format!("`{name}` is not a name")));
    }
    if is_global_name(name) || name.starts_with("__") {
        return Err(Refused::because(format!("`{name}` is the name of a builtin")));
    }
    Ok(())
}

/// `textDocument/rename`.
#[allow(
    clippy::mutable_key_type,
    reason = "the protocol's map is keyed by its URI type, which nobody mutates"
)]
pub fn rename(workspace: &mut Workspace, params: RenameParams) -> Result<Option<WorkspaceEdit>, Refused> {
    let Some((_, analysis, offset)) = located(workspace, &params.text_document_position) else {
        return Ok(None);
    };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    let old = name_of(&analysis, occurrence);
    let new = params.new_name.as_str();
    renamable(&analysis, occurrence, &old)?;
    valid(new)?;
    if old == new {
        return Ok(None);
    }
    let Some(meaning) = Meaning::of(&analysis.graph, &occurrence.target) else { return Ok(None) };
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for file in mentions(workspace, &meaning, &old) {
        clash(&file, occurrence, new)?;
        let Some(uri) = workspace.uri(&file.path) else { continue };
        let edits = file
            .found
            .iter()
            .map(|o| TextEdit {
                range: workspace.range(&file.analysis, o.span),
                new_text: if o.keyed { format!("{old}: {new}") } else { new.to_owned() },
            })
            .collect();
        changes.insert(uri, edits);
    }
    Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
}

/// Refuses a new name that already means something where the old one can be seen.
fn clash(file: &Mentions, renamed: &Occurrence, new: &str) -> Result<(), Refused> {
    let Some(entry) = file.analysis.entry() else { return Ok(()) };
    let index = &file.analysis.index;
    let scope = match &renamed.target {
        Target::Place(place) if place.module == file.analysis.graph.entry => {
            index.locals.iter().find(|l| l.span == place.name).map(|l| l.scope.to(l.span))
        }
        _ => None,
    };
    let scope = scope.unwrap_or(Span::new(0, u32::MAX));
    let inside = |span: Span| scope.start <= span.start && span.end <= scope.end;
    let member =
        |o: &Occurrence| matches!(o.kind, SymbolKind::Field | SymbolKind::Method | SymbolKind::Variant);
    let mentioned =
        index.occurrences.iter().find(|o| inside(o.span) && !member(o) && entry.source.slice(o.span) == new);
    // A variable declared further out whose scope holds a mention would be read instead, or hidden.
    let visible = index.locals.iter().find(|l| {
        &*l.name == new
            && file.found.iter().any(|o| l.scope.start <= o.span.start && o.span.end <= l.scope.end)
    });
    let line = mentioned.map(|o| o.span).or(visible.map(|l| l.span));
    let imported = entry.resolve(new).is_some().then(|| Span::new(0, 0));
    match line.or(imported) {
        Some(span) => Err(Refused::because(format!(
            "`{new}` already means something in {} (line {})",
            entry.source.path(),
            entry.source.line_number(span.start)
        ))),
        None => Ok(()),
    }
}
