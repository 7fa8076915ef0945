//! `harn version`: which Harn this is.

use super::Command;
use crate::output;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "version",
    aliases: &[],
    about: "Prints the version",
    args: |command| command,
    run: |_| {
        output::outln(&format!("harn v{}", env!("CARGO_PKG_VERSION")));
        ExitCode::SUCCESS
    },
};
