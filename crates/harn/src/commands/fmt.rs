//! `harn fmt`: programs in their canonical form (spec 01 section 9, 09 section 2.4).

use super::Command;
use crate::findings::diff;
use crate::modules::DiskModules;
use crate::targets::Project;
use crate::{output, source, targets};
use clap::{Arg, ArgAction, ArgMatches};
use harn_fmt::{Options, Refusal, format};
use harn_syntax::{Source, one_line};
use std::io::Read;
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
                    .required_unless_present("stdin")
                    .help("Files and directories; `-` is standard input"),
            )
            .arg(
                Arg::new("stdin")
                    .long("stdin")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("targets")
                    .help("Reads a program from standard input and writes it to standard output"),
            )
            .arg(
                Arg::new("diff")
                    .long("diff")
                    .action(ArgAction::SetTrue)
                    .help("Writes no file but the changes, as a unified diff; exit 1 if there are any"),
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
    let how = match (matches.get_flag("check"), matches.get_flag("diff")) {
        (_, true) => How::Diff,
        (true, _) => How::Check,
        _ => How::Write,
    };
    let widths = |mut options: Options| {
        if let Some(width) = matches.get_one::<u16>("line-width") {
            options.line_width = usize::from(*width);
        }
        if let Some(width) = matches.get_one::<u16>("separator-width") {
            options.separator_width = usize::from(*width);
        }
        options
    };
    if matches.get_flag("stdin") || wanted.iter().any(|target| target == "-") {
        if wanted.len() > 1 {
            return super::misuse("fmt", "`-` stands for standard input and takes no other target beside it");
        }
        // The project is that of the working directory.
        let project = targets::project("stdin.harn", &mut disk);
        if !targets::Complaints::default().readable(&project) {
            return ExitCode::FAILURE;
        }
        return standard_input(how, widths(configured(&project)));
    }
    let paths = targets::programs(&wanted, &mut disk);
    if paths.is_empty() {
        output::err("No .harn files found\n");
        return ExitCode::FAILURE;
    }
    let mut complaints = targets::Complaints::default();
    let mut failed = false;
    for path in &paths {
        let project = targets::project(path, &mut disk);
        failed |=
            !complaints.readable(&project) || !one_file(path, how, widths(configured(&project)), &mut disk);
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What becomes of a program that is not in its canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Write,
    Check,
    Diff,
}

/// Formats standard input to standard output. A text with errors gives none.
fn standard_input(how: How, options: Options) -> ExitCode {
    let mut text = String::new();
    if let Err(problem) = std::io::stdin().read_to_string(&mut text) {
        output::err(&format!("Error reading standard input: {problem}\n"));
        return ExitCode::FAILURE;
    }
    let source = Source::new("<stdin>", text);
    let formatted = match format(&source, options) {
        Ok(formatted) => formatted,
        Err(refusal) => {
            output::err(&format!("<stdin>: {}\n", reason(&refusal, &source)));
            return ExitCode::FAILURE;
        }
    };
    let changed = formatted != source.text();
    match how {
        How::Write => output::out(&formatted),
        How::Check if changed => output::err("<stdin>: would be reformatted\n"),
        How::Diff if changed => output::out(&diff("stdin", source.text(), &formatted)),
        How::Check | How::Diff => {}
    }
    if changed && how != How::Write { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The widths that a project sets, else the defaults.
pub(super) fn configured(project: &Project) -> Options {
    let mut options = Options::default();
    let manifest = &project.manifest;
    let width = |name: &str| manifest.number("fmt", name).and_then(|n| usize::try_from(n).ok());
    options.line_width = width("line_width").unwrap_or(options.line_width);
    options.separator_width = width("separator_width").unwrap_or(options.separator_width);
    options
}

/// Formats one file; false when it failed or, unless it is written, would change.
fn one_file(path: &str, how: How, options: Options, disk: &mut DiskModules) -> bool {
    let problem = |text: &str| {
        output::err(&format!("{path}: {text}\n"));
        false
    };
    let text = match source::read(path) {
        Ok(text) => text,
        Err(why) => {
            output::err(&format!("{why}\n"));
            return false;
        }
    };
    let source = Source::new(path, text);
    match format(&source, options) {
        Ok(formatted) if formatted == source.text() => true,
        Ok(_) if how == How::Check => problem("would be reformatted"),
        Ok(formatted) if how == How::Diff => {
            output::out(&diff(path, source.text(), &formatted));
            false
        }
        Ok(formatted) => match disk.write(path, &formatted) {
            Ok(()) => {
                output::outln(&format!("formatted {path}"));
                true
            }
            Err(why) => problem(&why),
        },
        Err(refusal) => problem(&reason(&refusal, &source)),
    }
}

/// Why a program is left as it is.
fn reason(refusal: &Refusal, source: &Source) -> String {
    match refusal {
        Refusal::Syntax(diagnostics) => diagnostics.first().map(|d| one_line(d, source)).unwrap_or_default(),
        Refusal::Unfaithful => {
            "left as it is: formatting would have changed the program (please report this)".to_owned()
        }
    }
}
