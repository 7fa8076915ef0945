//! `harn lsp`: the language server on standard input and output (spec 09 section 9.1).

use super::{Command, fmt};
use crate::modules::DiskModules;
use crate::targets;
use clap::{Arg, ArgAction, ArgMatches};
use harn_lsp::{Files, Settings};
use harn_types::graph::SourceLoader;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "lsp",
    aliases: &[],
    about: "Serves an editor: the language server on standard input and output",
    args: |command| {
        // Some editors add it to every server they start.
        command.arg(
            Arg::new("stdio")
                .long("stdio")
                .action(ArgAction::SetTrue)
                .help("Standard input and output, which is the only way"),
        )
    },
    run,
};

fn run(_: &ArgMatches) -> ExitCode {
    ExitCode::from(harn_lsp::serve(Box::new(EditorFiles::new())))
}

/// The disk, with what projects configure.
pub(super) struct EditorFiles {
    disk: DiskModules,
}

impl EditorFiles {
    /// The files of this machine.
    pub(super) fn new() -> EditorFiles {
        EditorFiles { disk: DiskModules::new() }
    }
}

impl SourceLoader for EditorFiles {
    fn read(&mut self, path: &str) -> Result<String, String> {
        self.disk.read(path)
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        self.disk.canonical(path)
    }

    fn is_file(&mut self, path: &str) -> bool {
        self.disk.is_file(path)
    }

    fn exists(&mut self, path: &str) -> bool {
        self.disk.exists(path)
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        self.disk.std_module(name)
    }
}

impl Files for EditorFiles {
    fn programs(&mut self, directory: &str) -> Vec<String> {
        targets::programs(&[directory.to_owned()], &mut self.disk)
    }

    fn library(&self) -> Vec<&'static str> {
        harn_stdlib::std_modules().iter().map(|(name, _)| *name).collect()
    }

    fn settings(&mut self, path: &str) -> Settings {
        let project = targets::project(path, &mut self.disk);
        Settings {
            lint: project.lint_options(),
            strict_types: project.manifest.flag("check", "strict_types") == Some(true),
            format: fmt::configured(&targets::project(path, &mut self.disk)),
        }
    }
}
