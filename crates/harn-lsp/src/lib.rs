//! The language server: what an editor shows of a program while it is written (`harn lsp`, spec 09 section 9.1).
//!
//! The main way through: [`serve`] reads messages one by one ([`server`]); edits go into the [`workspace`], whose
//! buffers stand before the files on disk; each request is answered from an analysis of the program that starts at the
//! file asked about. Diagnostics are published when no message is waiting, so that typing is never held up.
//!
//! One file of `features/` answers one kind of question. What a name means and what type it has comes from
//! [`harn_types::index`]: there is no second checker here.

#![forbid(unsafe_code)]

mod features;
mod files;
mod patch;
mod server;
mod text;
mod uri;
mod workspace;

pub use files::{Files, Settings};
pub use server::{run, serve};

use text::Encoding;
use workspace::Workspace;

/// What may be typed at a byte offset of a text that is known as `path`, the likeliest first: names and members as an
/// editor would be offered them.
pub fn completions(files: Box<dyn Files>, path: &str, text: &str, offset: u32) -> Vec<String> {
    let mut workspace = Workspace::new(files, Vec::new(), Encoding::Utf8);
    let Some(uri) = uri::of_path(path) else { return Vec::new() };
    let path = workspace.open(uri, 1, text.to_owned());
    let mut items =
        features::complete_at(&mut workspace, path, offset).map(|list| list.items).unwrap_or_default();
    items.sort_by(|a, b| a.sort_text.cmp(&b.sort_text));
    items.into_iter().map(|item| item.label).collect()
}
