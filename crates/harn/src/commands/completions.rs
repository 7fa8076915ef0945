//! `harn completions` and `harn man`: what shells and `man` know of the command line, made from the table of commands.

use super::Command;
use crate::output;
use clap::{Arg, ArgMatches};
use clap_complete::Shell;
use std::process::ExitCode;

/// The row of `harn completions`.
pub const COMPLETIONS: Command = Command {
    name: "completions",
    aliases: &[],
    about: "Prints the completion script of a shell",
    args: |command| {
        command
            .arg(
                Arg::new("shell")
                    .value_name("SHELL")
                    .required(true)
                    .value_parser(clap::value_parser!(Shell))
                    .help("bash, zsh, fish, elvish or powershell"),
            )
            .after_help(
                "bash: harn completions bash > ~/.local/share/bash-completion/completions/harn\n\
                 zsh:  harn completions zsh > DIRECTORY-OF-fpath/_harn\n\
                 fish: harn completions fish > ~/.config/fish/completions/harn.fish",
            )
    },
    run: |matches| {
        let Some(shell) = matches.get_one::<Shell>("shell") else { return ExitCode::from(super::USAGE) };
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut super::cli(), "harn", &mut script);
        output::out(&String::from_utf8_lossy(&script));
        ExitCode::SUCCESS
    },
};

/// The row of `harn man`.
pub const MAN: Command = Command {
    name: "man",
    aliases: &[],
    about: "Prints a manual page, or writes all of them",
    args: |command| {
        command
            .arg(Arg::new("command").value_name("COMMAND").help("The command; without one `harn` itself"))
            .arg(
                Arg::new("dir")
                    .long("dir")
                    .value_name("DIR")
                    .conflicts_with("command")
                    .help("Writes harn.1 and harn-COMMAND.1 into a directory"),
            )
            .after_help("Read one: harn man run | man -l -")
    },
    run: man,
};

fn man(matches: &ArgMatches) -> ExitCode {
    let mut cli = super::cli();
    cli.build();
    if let Some(directory) = matches.get_one::<String>("dir") {
        let written = std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(super::cli(), directory));
        return match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::error(&format!("cannot write manual pages to {directory}: {error}"));
                ExitCode::FAILURE
            }
        };
    }
    let described = match matches.get_one::<String>("command") {
        None => Some(cli),
        Some(name) => cli.find_subcommand(name).cloned(),
    };
    let Some(described) = described else {
        output::error("no such command; `harn --help` lists them");
        return ExitCode::FAILURE;
    };
    let mut page = Vec::new();
    if let Err(error) = clap_mangen::Man::new(described).render(&mut page) {
        output::error(&error.to_string());
        return ExitCode::FAILURE;
    }
    output::out(&String::from_utf8_lossy(&page));
    ExitCode::SUCCESS
}
