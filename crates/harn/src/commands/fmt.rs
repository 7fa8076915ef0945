//! `harn fmt`: programs in their canonical form (spec 01 section 9, 09 section 2.4).

use super::Command;
use crate::modules::DiskModules;
use crate::{output, targets};
use clap::{Arg, ArgAction, ArgMatches};
use harn_fmt::{Options, Refusal, format};
use harn_syntax::{Source, one_line};
use harn_types::graph::SourceLoader;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "fmt",
    aliases: &[],
    about: "Rewrites programs in their canonical form",
    args: |command| {
        let width = |name: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(20..))
                .help(help)
        };
        command
            .arg(
                Arg::new("targets")
                    .value_name("TARGET")
                    .num_args(1..)
                    .required(true)
                    .help("Files and directories"),
            )
            .arg(
                Arg::new("check")
                    .long("check")
                    .action(ArgAction::SetTrue)
                    .help("Writes nothing; exit 1 if any file would change"),
            )
            .arg(width("line-width", "Columns that a line should not exceed (100)"))
            .arg(width("separator-width", "Columns of a section header's bar (80)"))
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let mut disk = DiskModules::new();
    let wanted: Vec<String> =
        matches.get_many::<String>("targets").map(|t| t.cloned().collect()).unwrap_or_default();
    let paths = targets::programs(&wanted, &mut disk);
    if paths.is_empty() {
        output::err("No .harn files found\n");
        return ExitCode::FAILURE;
    }
    let mut options = configured(&paths, &mut disk);
    if let Some(width) = matches.get_one::<u16>("line-width") {
        options.line_width = usize::from(*width);
    }
    if let Some(width) = matches.get_one::<u16>("separator-width") {
        options.separator_width = usize::from(*width);
    }
    let check = matches.get_flag("check");
    let failed = paths.iter().filter(|path| !one_file(path, check, options, &mut disk)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The widths that the project of the first file sets, else the defaults.
pub(super) fn configured(paths: &[String], disk: &mut DiskModules) -> Options {
    let mut options = Options::default();
    let Some(first) = paths.first() else { return options };
    let manifest = targets::project(first, disk).manifest;
    let width = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| manifest.number("fmt", name));
        found.and_then(|n| usize::try_from(n).ok()).filter(|n| *n >= 20)
    };
    options.line_width = width(["line_width", "line-width"]).unwrap_or(options.line_width);
    options.separator_width =
        width(["separator_width", "separator-width"]).unwrap_or(options.separator_width);
    options
}

/// Formats one file; false when it failed or, with `check`, would change.
fn one_file(path: &str, check: bool, options: Options, disk: &mut DiskModules) -> bool {
    let problem = |text: &str| {
        output::err(&format!("{path}: {text}\n"));
        false
    };
    let text = match disk.read(path) {
        Ok(text) => text,
        Err(why) => return problem(&why),
    };
    let source = Source::new(path, text);
    match format(&source, options) {
        Ok(formatted) if formatted == source.text() => true,
        Ok(_) if check => problem("would be reformatted"),
        Ok(formatted) => match disk.write(path, &formatted) {
            Ok(()) => {
                output::outln(&format!("formatted {path}"));
                true
            }
            Err(why) => problem(&why),
        },
        Err(Refusal::Syntax(diagnostics)) => {
            let first = diagnostics.first().map(|d| one_line(d, &source)).unwrap_or_default();
            problem(&first)
        }
        Err(Refusal::Unfaithful) => {
            problem("left as it is: formatting would have changed the program (please report this)")
        }
    }
}
