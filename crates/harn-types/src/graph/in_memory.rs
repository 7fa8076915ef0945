//! Programs that are texts in memory: what a library, an embedder's buffer or a test loads from.

use super::SourceLoader;
use std::collections::BTreeMap;

/// A table of files and a library; nothing is read from the machine.
///
/// Paths are compared as written after `.` and `..` are taken out; relative ones stand beside each other in one
/// directory of their own.
pub struct InMemory {
    files: BTreeMap<String, String>,
    library: fn(&str) -> Option<&'static str>,
}

impl InMemory {
    /// No files. `library` gives the text of `std/<name>` for a name.
    pub fn new(library: fn(&str) -> Option<&'static str>) -> Self {
        Self { files: BTreeMap::new(), library }
    }

    /// The same with a file more; a second one of the same path replaces the first.
    #[must_use]
    pub fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(absolute(path), text.into());
        self
    }
}

/// Directory in which relative paths stand.
const HERE: &str = "/memory/";

fn absolute(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let start = if path.starts_with('/') { "/" } else { HERE };
    format!("{start}{}", parts.join("/"))
}

impl SourceLoader for InMemory {
    fn read(&mut self, path: &str) -> Result<String, String> {
        // The words of the operating system: a program cannot tell a missing entry from a missing file.
        self.files
            .get(&absolute(path))
            .cloned()
            .ok_or_else(|| "No such file or directory (os error 2)".to_owned())
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        self.exists(path).then(|| absolute(path).trim_end_matches('/').to_owned())
    }

    fn is_file(&mut self, path: &str) -> bool {
        self.files.contains_key(&absolute(path))
    }

    fn exists(&mut self, path: &str) -> bool {
        let full = absolute(path);
        let full = full.trim_end_matches('/');
        self.files
            .keys()
            .any(|file| file.strip_prefix(full).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        (self.library)(name)
    }
}
