//! `harn dev`: looks inside the front end, for people who work on Harn itself.

use super::Command;
use crate::output;
use clap::Arg;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "dev",
    aliases: &[],
    about: "Shows what the front end makes of a file",
    args: |command| {
        let file = || Arg::new("file").value_name("FILE").required(true);
        command
            .subcommand_required(true)
            .subcommand(clap::Command::new("lines").about("Counts bytes and lines").arg(file()))
    },
    run: |matches| match matches.subcommand() {
        Some((_, arguments)) => {
            let path = arguments.get_one::<String>("file").map_or("", String::as_str);
            output::outln(path);
            ExitCode::SUCCESS
        }
        None => ExitCode::from(super::USAGE),
    },
};
