//! The canonical text of a document, as one edit. A document that does not parse stays as it is.

use crate::server::Refused;
use crate::text::{LineIndex, difference};
use crate::workspace::Workspace;
use harn_syntax::Source;
use lsp_types::{DocumentFormattingParams, TextEdit};

/// `textDocument/formatting`. The project decides on widths, not the editor.
pub fn format(
    workspace: &mut Workspace,
    params: DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refused> {
    let path = workspace.path(&params.text_document.uri);
    let options = workspace.settings(&path).format;
    let Some(document) = workspace.document(&path) else { return Ok(None) };
    let source = Source::new(path.as_str(), document.text.as_str());
    let Ok(formatted) = harn_fmt::format(&source, options) else { return Ok(None) };
    let lines = LineIndex::new(source.text());
    let edit = difference(source.text(), &formatted).map(|(span, new)| TextEdit {
        range: lines.range(source.text(), span, workspace.encoding),
        new_text: new.to_owned(),
    });
    Ok(Some(edit.into_iter().collect()))
}
