//! Where inputs begin: the golden programs beside the repository if they are there, our own examples and benchmarks,
//! the prelude, and the programs in the table of diagnostics.

use std::path::Path;

/// The texts of the corpus, in a fixed order.
pub fn load() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    for folder in ["examples", "bench", "../shared/examples"] {
        collect(&root.join(folder), &mut texts);
    }
    let embedded = harn_stdlib::prelude_modules().iter().chain(harn_stdlib::std_modules());
    texts.extend(embedded.map(|(_, text)| (*text).to_owned()));
    let codes = harn_types::codes::TABLE.iter().chain(harn_syntax::codes::TABLE);
    texts.extend(codes.flat_map(|row| [row.wrong, row.right]).map(str::to_owned));
    texts
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "harn")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            texts.push(text);
        }
    }
}
