//! The signature of the call around the cursor, and which parameter is being written.

use super::hover::{declaration, doc_text};
use crate::patch;
use crate::server::Refused;
use crate::text::LineIndex;
use crate::workspace::Workspace;
use harn_syntax::{Parsed, TokenKind};
use harn_types::Options;
use harn_types::index::{Target, index};
use lsp_types::*;

/// What is put where an argument is still missing.
const ARGUMENT: &str = "nil";

/// `textDocument/signatureHelp`.
pub fn help(
    workspace: &mut Workspace,
    params: SignatureHelpParams,
) -> Result<Option<SignatureHelp>, Refused> {
    let at = params.text_document_position_params;
    let path = workspace.path(&at.text_document.uri);
    let Some(document) = workspace.document(&path) else { return Ok(None) };
    let text = document.text.clone();
    let offset = LineIndex::new(&text).offset(&text, at.position, workspace.encoding);
    let Some((source, parsed)) = workspace.parsed(&path) else { return Ok(None) };
    let Some(open) = patch::open_bracket(&parsed, offset, &[TokenKind::LParen]) else { return Ok(None) };
    let Some((_, kind, callee)) = patch::before(&parsed, open) else { return Ok(None) };
    if kind != TokenKind::Ident {
        return Ok(None);
    }
    let active = argument_number(&parsed, open, offset);
    let found = describe(workspace, &path, &text, offset, callee.start);
    let plain = || {
        let row = harn_builtins::lookup(source.slice(callee)).and_then(harn_builtins::row)?;
        Some((format!("{}{}", row.name, bare(row.signature)), row.doc.to_owned()))
    };
    let Some((label, doc)) = found.or_else(plain) else { return Ok(None) };
    let parameters = parameters(&label);
    let last = parameters.len().saturating_sub(1) as u32;
    let rest = parameters.last().is_some_and(|p| p.starts_with("..."));
    let active = if rest { active.min(last) } else { active };
    Ok(Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label,
            documentation: (!doc.is_empty()).then_some(Documentation::MarkupContent(MarkupContent {
                kind: MarkupKind::Markdown,
                value: doc,
            })),
            parameters: Some(
                parameters
                    .into_iter()
                    .map(|p| ParameterInformation { label: ParameterLabel::Simple(p), documentation: None })
                    .collect(),
            ),
            active_parameter: Some(active),
        }],
        active_signature: Some(0),
        active_parameter: Some(active),
    }))
}

/// How many commas of the call stand before the cursor.
fn argument_number(parsed: &Parsed, open: usize, offset: u32) -> u32 {
    let (mut depth, mut count) = (0u32, 0);
    for token in parsed.tokens.iter().skip(open + 1).take_while(|t| t.span.start < offset) {
        match token.kind {
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => depth += 1,
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => depth = depth.saturating_sub(1),
            TokenKind::Comma if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

/// Signature and documentation of what is called by the name at `callee`.
fn describe(
    workspace: &mut Workspace,
    path: &str,
    text: &str,
    offset: u32,
    callee: u32,
) -> Option<(String, String)> {
    let analysis = workspace.analysis(path)?;
    let known = analysis.index.at(callee).filter(|o| o.span.start == callee).map(|o| o.target.clone());
    if let Some(target) = known {
        return of_target(&analysis.graph, &target);
    }
    // The call does not parse yet.
    let graph = patch::graph(workspace, path, text, offset, ARGUMENT)?;
    let (_, names) = index(&graph, graph.entry, Options::default());
    let target = &names.at(callee).filter(|o| o.span.start == callee)?.target;
    of_target(&graph, target)
}

fn of_target(graph: &harn_types::graph::ModuleGraph, target: &Target) -> Option<(String, String)> {
    match target {
        Target::Place(place) => {
            let (found, _) = declaration(graph, *place)?;
            let doc = found.doc.as_deref().map(doc_text).unwrap_or_default();
            let signature = found.signature.trim_start_matches("pub ");
            let words = ["gen fn ", "fn ", "tool ", "pipeline "];
            let label = words.iter().find_map(|w| signature.strip_prefix(w)).unwrap_or(signature);
            Some((label.to_owned(), doc))
        }
        Target::Builtin(name) => {
            let row = harn_builtins::lookup(name).and_then(harn_builtins::row)?;
            Some((format!("{}{}", row.name, bare(row.signature)), row.doc.to_owned()))
        }
        Target::Method { on, name } => {
            let row = harn_builtins::method(on, name)?;
            Some((format!("{}{}", row.name, bare(row.signature)), row.doc.to_owned()))
        }
        Target::Namespace(_) | Target::Key | Target::Module(_) => None,
    }
}

fn bare(signature: &str) -> &str {
    signature.strip_prefix("fn").unwrap_or(signature)
}

/// The texts of the parameters in a signature.
fn parameters(label: &str) -> Vec<String> {
    let Some(open) = label.find('(') else { return Vec::new() };
    let inner = label.get(open + 1..).unwrap_or("");
    let mut out = vec![String::new()];
    let mut depth = 0u32;
    for c in inner.chars() {
        match c {
            ')' if depth == 0 => break,
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                out.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_split_at_commas_of_their_own_level() {
        let label = "f(a: dict<string, int>, g: fn(int, int) -> int, ...rest: any) -> nil";
        assert_eq!(parameters(label), ["a: dict<string, int>", "g: fn(int, int) -> int", "...rest: any"]);
        assert!(parameters("f() -> nil").is_empty());
    }
}
