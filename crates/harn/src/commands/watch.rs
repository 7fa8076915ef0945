//! `harn watch`: runs a program again whenever a file beside it changes (spec 09 section 2.10).

use super::Command;
use crate::watch::{PAUSE, Watch};
use crate::{output, run_options, session};
use clap::{Arg, ArgMatches};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, ExitCode};
use std::time::Duration;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "watch",
    aliases: &[],
    about: "Runs a program again whenever a program file in its directory changes",
    args: |command| {
        run_options::args(command)
            .arg(Arg::new("file").value_name("FILE").required(true).help("The program"))
            .arg(Arg::new("args").value_name("ARGS").num_args(0..).last(true).help("The program's `argv`"))
    },
    run,
};

/// How long a program that still runs may tidy up before it is started again.
const PATIENCE: Duration = Duration::from_secs(3);

fn run(matches: &ArgMatches) -> ExitCode {
    let file = matches.get_one::<String>("file").cloned().unwrap_or_default();
    if let Err(problem) = crate::source::read(&file) {
        output::err(&format!("{problem}\n"));
        return ExitCode::FAILURE;
    }
    let mut watch = Watch::of(&[file]);
    loop {
        let mut running = match start() {
            Ok(child) => Some(child),
            Err(problem) => {
                output::error(&format!("cannot start: {problem}"));
                return ExitCode::FAILURE;
            }
        };
        while !watch.changed() {
            session::pause(PAUSE);
            if let Some(Ok(Some(status))) = running.as_mut().map(Child::try_wait) {
                running = None;
                let how = status
                    .code()
                    .map_or_else(|| "ended by a signal".to_owned(), |c| format!("exit code {c}"));
                output::err(&format!("[harn] {how}; watching for changes, Ctrl-C ends\n"));
            }
        }
        if let Some(child) = running {
            end(child);
        }
        output::err("[harn] a file has changed\n");
    }
}

/// The program in a process of its own, which can be ended: `harn run` with what follows `watch`.
#[allow(clippy::disallowed_methods, reason = "the command is the host of the program it starts")]
fn start() -> std::io::Result<Child> {
    let rest = std::env::args_os().skip(2);
    std::process::Command::new(std::env::current_exe()?).arg("run").args(rest).spawn()
}

/// Asks the program to stop, and stops it.
fn end(mut child: Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself just now.
        let _ = kill_process(pid, Signal::TERM);
    }
    let asked = session::instant();
    while asked.elapsed() < PATIENCE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        session::pause(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}
