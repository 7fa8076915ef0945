//! `harn run`: loads a program and runs it (spec 09 section 2.1, 02 section 15).

use super::Command;
use crate::output;
use clap::{Arg, ArgAction, ArgMatches};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "run",
    aliases: &[],
    about: "Runs a program",
    args: |command| {
        command
            .arg(Arg::new("file").value_name("FILE").help("The program"))
            .arg(Arg::new("code").short('e').value_name("CODE").help("Runs CODE instead of a file"))
            .arg(
                Arg::new("quiet")
                    .long("quiet")
                    .short('q')
                    .action(ArgAction::SetTrue)
                    .help("Shows no progress on standard error"),
            )
            .arg(
                Arg::new("progress")
                    .long("progress")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("quiet")
                    .help("Shows progress on standard error even when it is no terminal"),
            )
            .arg(
                Arg::new("strict")
                    .long("strict")
                    .action(ArgAction::SetTrue)
                    .help("Turns silent misuse into errors at run time"),
            )
            .arg(
                Arg::new("max-depth")
                    .long("max-depth")
                    .value_name("N")
                    .value_parser(clap::value_parser!(u32).range(1..))
                    .help("Limits the depth of nested calls"),
            )
            .arg(Arg::new("args").value_name("ARGS").num_args(0..).last(true).help("The program's `argv`"))
    },
    run,
};

fn run(matches: &ArgMatches) -> ExitCode {
    let file = matches.get_one::<String>("file");
    let code = matches.get_one::<String>("code");
    match (file, code) {
        (Some(_), Some(_)) => {
            output::error("`harn run` accepts either `-e <code>` or `<file.harn>`, not both");
            ExitCode::from(super::USAGE)
        }
        (None, None) => {
            output::error("`harn run` requires either `-e <code>` or `<file.harn>`");
            ExitCode::from(super::USAGE)
        }
        _ => {
            output::error("this build cannot execute programs yet: the virtual machine is not linked in");
            ExitCode::FAILURE
        }
    }
}
