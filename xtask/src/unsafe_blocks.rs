//! The list of `unsafe` in the VM: `docs/unsafe.md` says why there is any; this module keeps its table true.

#![allow(clippy::disallowed_methods, reason = "a chore of the repository reads its files")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::tidy::{UNSAFE_ROOMS, sources};

/// Where the list stands.
pub const PAGE: &str = "docs/unsafe.md";

/// What is above this line of the page is written by hand.
const MARK: &str = "<!-- What follows is written by `cargo xtask unsafe`. -->\n";

/// An unsafe block, function or implementation.
struct Place {
    file: PathBuf,
    /// `block`, or the head of the function or implementation.
    what: String,
    /// The text after `SAFETY:`, or the `# Safety` section of a function.
    invariant: Option<String>,
}

/// The page as it should be, or why it cannot be: a block without an invariant.
pub fn page(root: &Path) -> Result<String, String> {
    let places: Vec<Place> = sources(root).iter().flat_map(|file| places(root, file)).collect();
    let bare: Vec<String> = places
        .iter()
        .filter(|place| place.invariant.is_none())
        .map(|place| format!("{}: {} states no invariant", place.file.display(), place.what))
        .collect();
    if !bare.is_empty() {
        return Err(bare.join("\n"));
    }
    let path = root.join(PAGE);
    let old = fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
    let (head, _) = old.split_once(MARK).ok_or_else(|| format!("{PAGE}: the line {MARK:?} is missing"))?;
    Ok(format!("{head}{MARK}{}", list(&places)))
}

fn list(places: &[Place]) -> String {
    let blocks = places.iter().filter(|place| place.what == "block").count();
    let mut text =
        format!("\n{blocks} blocks, {} unsafe functions and implementations.\n", places.len() - blocks);
    let mut file = Path::new("");
    for place in places {
        if place.file != file {
            file = &place.file;
            text.push_str(&format!("\n### `{}`\n\n", file.display()));
        }
        let invariant = place.invariant.as_deref().unwrap_or_default();
        text.push_str(&format!("- {}: {invariant}\n", place.what));
    }
    text
}

/// The unsafe places of a file, test modules left out.
fn places(root: &Path, file: &Path) -> Vec<Place> {
    let relative = file.strip_prefix(root).unwrap_or(file).to_path_buf();
    let shown = relative.to_string_lossy().replace('\\', "/");
    if !UNSAFE_ROOMS.iter().any(|room| shown.starts_with(room)) {
        return Vec::new();
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        let what = if let Some(rest) = code.split_once("unsafe fn ").map(|(_, rest)| rest) {
            format!("`fn {}`", rest.split(['(', '<']).next().unwrap_or(rest))
        } else if let Some((_, rest)) = code.split_once("unsafe impl") {
            format!("`impl{}`", rest.trim_end_matches(" {").trim_end_matches(" {}"))
        } else if code.contains("unsafe {") {
            "block".to_owned()
        } else {
            continue;
        };
        let invariant = invariant(&lines, at);
        found.push(Place { file: relative.clone(), what, invariant });
    }
    found
}

/// The invariant stated in the comments directly above a line, which may have attributes and the beginning of the
/// statement between.
fn invariant(lines: &[&str], at: usize) -> Option<String> {
    let mut comment = Vec::new();
    let mut between = 0;
    for line in lines.iter().take(at).rev().map(|line| line.trim()) {
        if let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//")) {
            comment.push(text.trim());
            if text.contains("SAFETY") || text.contains("# Safety") {
                break;
            }
        } else if comment.is_empty() && !line.is_empty() && between < 6 {
            between += 1;
        } else {
            break;
        }
    }
    comment.reverse();
    let text = comment.join(" ");
    let (_, stated) = text.split_once("SAFETY").or_else(|| text.split_once("# Safety"))?;
    let stated = stated.trim_start_matches(|c: char| c != ':' && !c.is_whitespace()).trim_start_matches(':');
    Some(stated.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_unsafe_is_true_and_each_block_states_its_invariant() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = page(&root).unwrap();
        let old = fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(page == old, "{PAGE} is not up to date: cargo xtask unsafe");
    }

    #[test]
    fn an_invariant_is_read_from_the_comment_above() {
        let lines = ["// SAFETY: the cell has", "// room.", "let x =", "    unsafe {"];
        assert_eq!(invariant(&lines, 3).as_deref(), Some("the cell has room."));
        assert_eq!(invariant(&["let y = 1;", "unsafe {"], 1), None);
    }
}
