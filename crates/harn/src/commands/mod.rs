//! The table of commands. A command is one file with one `pub const COMMAND`, and one row here.

mod absent;
mod autonomy;
mod bench;
mod check;
mod completions;
mod dev;
mod doc;
mod doctor;
mod explain;
mod fmt;
mod hitl;
mod identity;
mod lint;
mod lsp;
mod new;
mod profile;
mod repl;
mod resume;
mod run;
mod test;
mod trust;
mod version;
mod watch;

use crate::output;
use clap::ArgMatches;
use std::process::ExitCode;

/// One command of the command line.
pub struct Command {
    /// Its name on the command line.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// One line for `harn --help`.
    pub about: &'static str,
    /// Adds the arguments to clap's description of the command.
    pub args: fn(clap::Command) -> clap::Command,
    /// Does the work.
    pub run: fn(&ArgMatches) -> ExitCode,
}

/// Every command, in the order of `harn --help`.
pub const COMMANDS: &[Command] = &[
    run::COMMAND,
    resume::COMMAND,
    repl::COMMAND,
    watch::COMMAND,
    check::COMMAND,
    lint::COMMAND,
    fmt::COMMAND,
    test::COMMAND,
    new::NEW,
    new::INIT,
    explain::COMMAND,
    doc::COMMAND,
    lsp::COMMAND,
    hitl::COMMAND,
    identity::COMMAND,
    autonomy::COMMAND,
    trust::COMMAND,
    bench::COMMAND,
    profile::COMMAND,
    doctor::COMMAND,
    completions::COMPLETIONS,
    completions::MAN,
    version::COMMAND,
    dev::COMMAND,
];

/// What a command line usage error ends with.
pub const USAGE: u8 = 2;

fn cli() -> clap::Command {
    let mut cli = clap::Command::new("harn")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs and checks Harn programs: governed AI agents")
        .after_help("`harn FILE.harn [ARGS]...` is short for `harn run FILE.harn -- [ARGS]...`.")
        .subcommand_required(true);
    for command in COMMANDS {
        let described = clap::Command::new(command.name)
            .about(command.about)
            .visible_aliases(command.aliases.iter().copied());
        cli = cli.subcommand((command.args)(described));
    }
    cli
}

/// Reads the command line and runs the command it names.
pub fn dispatch() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if args.len() <= 1 {
        output::err(&cli().render_help().to_string());
        return ExitCode::from(USAGE);
    }
    let matches = match cli().try_get_matches_from(with_run_spelled_out(args)) {
        Ok(matches) => matches,
        Err(problem) => {
            if let Some(text) = absent::refusal(&problem) {
                return misuse("", &text);
            }
            // Help and version are "errors" of clap that belong on standard output.
            let code = if problem.use_stderr() { USAGE } else { 0 };
            let _ = problem.print();
            return ExitCode::from(code);
        }
    };
    let Some((name, arguments)) = matches.subcommand() else { return ExitCode::from(USAGE) };
    match COMMANDS.iter().find(|c| c.name == name) {
        Some(command) => (command.run)(arguments),
        None => ExitCode::from(USAGE),
    }
}

/// Says what is wrong with a command line, and how the command is used; the exit code.
pub fn misuse(command: &str, text: &str) -> ExitCode {
    output::error(text);
    let mut cli = cli();
    cli.build();
    let usage = match cli.find_subcommand_mut(command) {
        Some(command) => command.render_usage(),
        None => cli.render_usage(),
    };
    output::err(&format!("{usage}\n"));
    ExitCode::from(USAGE)
}

/// `harn FILE.harn ARGS...` becomes `harn run FILE.harn -- ARGS...`.
fn with_run_spelled_out(mut args: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let is_program = args.get(1).and_then(|a| a.to_str()).is_some_and(|a| {
        !a.starts_with('-') && std::path::Path::new(a).extension().is_some_and(|e| e == "harn")
    });
    if is_program {
        if args.len() > 2 && args.get(2).is_none_or(|a| a != "--") {
            args.insert(2, "--".into());
        }
        args.insert(1, "run".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(args: &[&str]) -> Vec<String> {
        let args = args.iter().map(std::ffi::OsString::from).collect();
        with_run_spelled_out(args).into_iter().map(|a| a.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_table_makes_a_valid_command_line() {
        cli().debug_assert();
    }

    #[test]
    fn a_bare_program_is_run_with_its_arguments() {
        assert_eq!(spelled(&["harn", "a.harn", "-x", "1"]), ["harn", "run", "a.harn", "--", "-x", "1"]);
        assert_eq!(spelled(&["harn", "a.harn"]), ["harn", "run", "a.harn"]);
        assert_eq!(spelled(&["harn", "run", "a.harn"]), ["harn", "run", "a.harn"]);
    }
}
