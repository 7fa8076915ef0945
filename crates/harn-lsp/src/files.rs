//! What the server needs of the world.

use harn_types::graph::SourceLoader;
use harn_types::lint::LintOptions;

/// What a project configures for one of its files.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Lint rules.
    pub lint: LintOptions,
    /// Values from outside must be validated before use.
    pub strict_types: bool,
    /// Widths of the formatter.
    pub format: harn_fmt::Options,
}

/// The file system, as far as an editor's questions reach.
pub trait Files: SourceLoader {
    /// The programs below a directory, sorted; hidden, dependency and build directories are left out.
    fn programs(&mut self, directory: &str) -> Vec<String>;
    /// The names of the library modules, without their `std/`.
    fn library(&self) -> Vec<&'static str>;
    /// What the project of a file configures.
    fn settings(&mut self, path: &str) -> Settings;
}
