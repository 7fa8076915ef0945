//! What a project decides in its `harn.toml`, read in one way by every command and by embedding programs (spec 09
//! section 3).

use harn_govern::rules::Rules;
use harn_types::manifest::{self, Manifest};
use std::path::Path;

/// A manifest and the rules of governance in it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Sections and keys.
    pub manifest: Manifest,
    /// Budgets and reviewers.
    pub rules: Rules,
}

impl Settings {
    /// Reads the text of the `harn.toml` at `path`.
    ///
    /// # Errors
    /// One line that names the file, and the place or the entry.
    pub fn parse(path: &str, text: &str) -> Result<Settings, String> {
        let manifest = manifest::parse(path, text)?;
        let rules = Rules::parse(text).map_err(|error| format!("{path}: {error}"))?;
        Ok(Settings { manifest, rules })
    }

    /// What the `harn.toml` in a directory says; nothing when there is no such file.
    ///
    /// # Errors
    /// It cannot be read; as [`Settings::parse`].
    pub fn read(directory: &Path) -> Result<Settings, String> {
        let path = directory.join("harn.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Settings::parse(&path.to_string_lossy(), &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Whether silent misuse is an error at run time (spec 02 section 14).
    pub fn strict_runtime(&self) -> bool {
        self.manifest.flag("check", "strict_runtime") == Some(true)
    }
}
