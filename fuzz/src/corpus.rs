//! Where inputs begin: the golden programs beside the repository if they are there, our own examples and benchmarks,
//! the prelude, and the programs in the table of diagnostics.

use std::path::Path;

/// A program and where it is from.
pub struct Piece {
    pub name: String,
    pub text: String,
}

/// The texts of the corpus, in a fixed order.
pub fn load() -> Vec<String> {
    let pieces = examples().into_iter().chain(library()).chain(diagnostics());
    pieces.map(|piece| piece.text).collect()
}

/// Programs in files.
pub fn examples() -> Vec<Piece> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pieces = Vec::new();
    for folder in ["examples", "bench", "../shared/examples"] {
        collect(&root.join(folder), &mut pieces);
    }
    pieces
}

/// The modules that are written in Harn.
pub fn library() -> Vec<Piece> {
    let embedded = harn_stdlib::prelude_modules().iter().chain(harn_stdlib::std_modules());
    embedded.map(|(name, text)| Piece { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}

/// The wrong and the right programs of the diagnostics.
pub fn diagnostics() -> Vec<Piece> {
    let codes = harn_types::codes::TABLE.iter().chain(harn_syntax::codes::TABLE);
    let both = codes.flat_map(|row| [(row.code, row.wrong), (row.code, row.right)]);
    both.map(|(code, text)| Piece { name: code.to_owned(), text: text.to_owned() }).collect()
}

fn collect(folder: &Path, pieces: &mut Vec<Piece>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, pieces);
        } else if path.extension().is_some_and(|extension| extension == "harn")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            pieces.push(Piece { name: path.display().to_string(), text });
        }
    }
}
