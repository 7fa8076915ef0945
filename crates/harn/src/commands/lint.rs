//! `harn lint`: what is better avoided, and `--fix` to mend what can be mended (spec 09 section 2.3).

use super::Command;
use super::check::{imported_names, load};
use crate::findings::{Findings, diff, format, format_arg};
use crate::modules::DiskModules;
use crate::{output, targets};
use clap::{Arg, ArgAction, ArgMatches};
use harn_syntax::Severity;
use harn_types::graph::load_text;
use harn_types::lint::{fixed, lint};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "lint",
    aliases: &[],
    about: "Points out what is better avoided, and mends it with --fix",
    args: |command| {
        command
            .arg(
                Arg::new("targets")
                    .value_name("TARGET")
                    .num_args(1..)
                    .required(true)
                    .help("Files and directories"),
            )
            .arg(
                Arg::new("fix").long("fix").action(ArgAction::SetTrue).help("Rewrites what can be rewritten"),
            )
            .arg(
                Arg::new("require-file-header")
                    .long("require-file-header")
                    .action(ArgAction::SetTrue)
                    .help("Files must begin with a `/** */` comment"),
            )
            .arg(
                Arg::new("dry-run")
                    .long("dry-run")
                    .action(ArgAction::SetTrue)
                    .requires("fix")
                    .help("Shows what --fix would change and writes nothing"),
            )
            .arg(format_arg())
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let mut disk = DiskModules::new();
    let wanted: Vec<String> =
        matches.get_many::<String>("targets").map(|t| t.cloned().collect()).unwrap_or_default();
    let paths = targets::programs(&wanted, &mut disk);
    if paths.is_empty() {
        return super::misuse("lint", "no .harn files found under the given target(s)");
    }
    let (fix, dry) = (matches.get_flag("fix"), matches.get_flag("dry-run"));
    let mut told = Findings::new(format(matches));
    let mut complaints = targets::Complaints::default();
    let (mut files, unreadable) = load(&paths, &mut disk);
    let used = imported_names(&files);
    let mut failed = unreadable > 0;
    for file in &mut files {
        let project = targets::project(&file.path, &mut disk);
        if !complaints.readable(&project) {
            failed = true;
            continue;
        }
        complaints.remarks(&project);
        let mut options = project.lint_options();
        options.require_file_header = matches.get_flag("require-file-header")
            || project.manifest.flag("lint", "require_file_header") == Some(true);
        if let Some(entry) = file.graph.module(file.graph.entry) {
            options.used_elsewhere = used.get(&*entry.key).cloned().unwrap_or_default();
        }
        let Some(entry) = file.graph.module(file.graph.entry) else { continue };
        if entry.parsed.has_errors() {
            for diagnostic in &entry.parsed.diagnostics {
                told.add(diagnostic, &entry.source);
            }
            failed = true;
            continue;
        }
        let mut found = lint(&file.graph, file.graph.entry, &options);
        let mended = if fix { fixed(&entry.source, &found) } else { None };
        if dry {
            if let Some((text, _)) = mended {
                output::out(&diff(&file.path, entry.source.text(), &text));
            }
            continue;
        }
        if let Some((text, count)) = mended {
            if let Err(problem) = disk.write(&file.path, &text) {
                output::error(&format!("cannot write {}: {problem}", file.path));
                failed = true;
                continue;
            }
            output::outln(&format!("{}: applied {count} fix(es)", file.path));
            file.graph = load_text(&file.path, text, &mut disk);
            found = lint(&file.graph, file.graph.entry, &options);
        }
        let Some(entry) = file.graph.module(file.graph.entry) else { continue };
        for finding in &found {
            told.add(&finding.diagnostic, &entry.source);
        }
        if found.is_empty() && !fix && told.is_text() {
            output::outln(&format!("{}: no issues found", file.path));
        }
        let errors = found.iter().any(|f| f.diagnostic.severity == Severity::Error);
        failed |= !fix && (errors || (project.strict() && !found.is_empty()));
    }
    told.finish();
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
