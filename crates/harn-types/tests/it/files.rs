//! The file system of these tests, and the example programs where they are at hand.

use harn_types::graph::SourceLoader;
use std::path::{Path, PathBuf};

/// Reads the disk; library modules come from the folder of `harn-stdlib`.
pub struct Disk;

impl SourceLoader for Disk {
    fn read(&mut self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|e| e.to_string())
    }
    fn canonical(&mut self, path: &str) -> Option<String> {
        std::fs::canonicalize(path).ok().map(|p| p.to_string_lossy().into_owned())
    }
    fn is_file(&mut self, path: &str) -> bool {
        Path::new(path).is_file()
    }
    fn exists(&mut self, path: &str) -> bool {
        Path::new(path).exists()
    }
    fn std_module(&self, name: &str) -> Option<&'static str> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harn-stdlib/std");
        let text = std::fs::read_to_string(root.join(name).with_extension("harn")).ok()?;
        Some(Box::leak(text.into_boxed_str()))
    }
}

/// Every `.harn` file of the examples; none when the folder is absent.
pub fn programs() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = ["../../../shared/examples", "../../../../shared/examples"];
    let mut folders: Vec<PathBuf> =
        roots.iter().map(|r| here.join(r)).filter(|p| p.is_dir()).take(1).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "harn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
