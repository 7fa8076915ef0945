//! One file for each kind of question; the table of requests.

mod actions;
mod complete;
mod diagnostics;
mod folding;
mod format;
mod hints;
mod hover;
mod navigate;
mod rename;
mod signature;
mod symbols;
mod tokens;

pub use complete::complete_at;
pub use diagnostics::diagnostics;
pub use tokens::legend;

use crate::server::Refused;
use crate::workspace::{Analysis, Workspace};
use lsp_server::ErrorCode;
use lsp_types::{TextDocumentIdentifier, TextDocumentPositionParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::rc::Rc;

/// Answers a request.
pub type Handler = fn(&mut Workspace, Json) -> Result<Json, Refused>;

/// The requests that are answered.
const HANDLERS: &[(&str, Handler)] = &[
    ("textDocument/hover", |w, p| answer(w, p, hover::hover)),
    ("textDocument/completion", |w, p| answer(w, p, complete::complete)),
    ("textDocument/signatureHelp", |w, p| answer(w, p, signature::help)),
    ("textDocument/definition", |w, p| answer(w, p, navigate::definition)),
    ("textDocument/references", |w, p| answer(w, p, navigate::references)),
    ("textDocument/documentHighlight", |w, p| answer(w, p, navigate::highlights)),
    ("textDocument/documentLink", |w, p| answer(w, p, navigate::links)),
    ("textDocument/prepareRename", |w, p| answer(w, p, rename::prepare)),
    ("textDocument/rename", |w, p| answer(w, p, rename::rename)),
    ("textDocument/documentSymbol", |w, p| answer(w, p, symbols::of_document)),
    ("workspace/symbol", |w, p| answer(w, p, symbols::of_workspace)),
    ("textDocument/codeAction", |w, p| answer(w, p, actions::actions)),
    ("textDocument/formatting", |w, p| answer(w, p, format::format)),
    ("textDocument/foldingRange", |w, p| answer(w, p, folding::ranges)),
    ("textDocument/inlayHint", |w, p| answer(w, p, hints::hints)),
    ("textDocument/semanticTokens/full", |w, p| answer(w, p, tokens::full)),
];

/// The handler of a method.
pub fn handler(method: &str) -> Option<Handler> {
    HANDLERS.iter().find(|(name, _)| *name == method).map(|(_, handler)| *handler)
}

fn answer<P: DeserializeOwned, R: Serialize>(
    workspace: &mut Workspace,
    params: Json,
    f: fn(&mut Workspace, P) -> Result<R, Refused>,
) -> Result<Json, Refused> {
    let params = serde_json::from_value(params)
        .map_err(|why| Refused { code: ErrorCode::InvalidParams, message: why.to_string() })?;
    let result = f(workspace, params)?;
    serde_json::to_value(result).map_err(|why| Refused::because(why.to_string()))
}

/// The analysis of a document.
fn analysed(workspace: &mut Workspace, document: &TextDocumentIdentifier) -> Option<(String, Rc<Analysis>)> {
    let path = workspace.path(&document.uri);
    let analysis = workspace.analysis(&path)?;
    Some((path, analysis))
}

/// The analysis of a document and the byte offset of a position in it.
fn located(
    workspace: &mut Workspace,
    params: &TextDocumentPositionParams,
) -> Option<(String, Rc<Analysis>, u32)> {
    let (path, analysis) = analysed(workspace, &params.text_document)?;
    let offset = analysis.lines.offset(analysis.text(), params.position, workspace.encoding);
    Some((path, analysis, offset))
}
