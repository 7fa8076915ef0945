//! `harn resume`: goes on with runs that wait on the event log (spec 08 section 4.6).

use super::Command;
use super::run::{SUSPENDED, drive, plan};
use crate::modules::DiskModules;
use crate::run_options::{prepare, program_options};
use crate::session::Session;
use crate::{output, project_log, report, source};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::Store;
use harn_host::RealHost;
use harn_host::presence::Life;
use harn_runtime::program;
use harn_runtime::run::Run;
use harn_runtime::suspensions::{self, Suspension};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "resume",
    aliases: &[],
    about: "Goes on with suspended runs",
    args: |command| {
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        command
            .arg(Arg::new("run").value_name("RUN").help("The run, or the request that it waits for"))
            .arg(
                flag("ready", "Goes on with every run whose answer has arrived, until it waits again")
                    .conflicts_with("run"),
            )
            .arg(flag("list", "Lists the suspended runs").conflicts_with_all(["run", "ready"]))
            .arg(flag("suspend", "Ends with code 75 when the run waits again"))
            .arg(
                flag(
                    "force",
                    "Goes on once more from where a process went on that has died; may repeat effects",
                )
                .requires("run"),
            )
            .arg(
                Arg::new("program")
                    .long("program")
                    .value_name("FILE")
                    .help("Where the program stands here, when it has moved"),
            )
    },
    run: |matches| match run(matches) {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    },
};

/// What the command was asked for besides the run.
struct Wish {
    leave: bool,
    force: bool,
    program: Option<String>,
}

fn run(matches: &ArgMatches) -> Result<u8, String> {
    let failed = |error: harn_eventlog::LogError| format!("event_log: {error}");
    if !matches.contains_id("run") && !matches.get_flag("ready") && !matches.get_flag("list") {
        super::misuse("resume", "`harn resume` requires a run, a request, `--ready` or `--list`");
        return Ok(super::USAGE);
    }
    let mut store = match matches.contains_id("run") {
        true => project_log::require()?,
        false => project_log::look()?,
    };
    let suspended = suspensions::list(&mut *store).map_err(failed)?;
    let wish = Wish {
        leave: matches.get_flag("suspend") || matches.get_flag("ready"),
        force: matches.get_flag("force"),
        program: matches.get_one::<String>("program").cloned(),
    };
    if matches.get_flag("list") {
        suspended.iter().for_each(show);
        return Ok(0);
    }
    if matches.get_flag("ready") {
        return Ok(ready(&mut *store, &suspended, &wish));
    }
    let name = matches.get_one::<String>("run").cloned().unwrap_or_default();
    let found = suspended.iter().find(|s| s.run_id == name || s.waits_for.contains(&name));
    let Some(suspension) = found else {
        return Err(format!(
            "no suspended run '{name}' in {}: `harn resume --list` shows those there are; one that has ended is \
             none any more",
            project_log::place()
        ));
    };
    if let Some(by) = suspension.resumed_by.as_ref().filter(|_| !wish.force) {
        return Err(format!(
            "{} was resumed by {by} and has not ended; if that process has died, `--force` goes on once more \
             from the suspension and may repeat what it did",
            suspension.run_id
        ));
    }
    if let (Some(by), Some(holder)) = (&suspension.resumed_by, &suspension.holder)
        && project_log::processes()?.life(holder) == Life::Alive
    {
        return Err(format!("{} was resumed by {by}, which is alive: it goes on there", suspension.run_id));
    }
    resume(&mut *store, suspension, &wish)
}

/// One line for a run.
fn show(suspension: &Suspension) {
    let Suspension { run_id, launch, waits_for, resumed_by, .. } = suspension;
    let state = match resumed_by {
        Some(by) => format!("resumed by {by}"),
        None => format!("waiting for {}", waits_for.join(", ")),
    };
    output::outln(&format!("{run_id} {} {state}", launch.script));
}

/// Goes on with each run as far as it gets; what still waits is left as it is. The worst code of them.
fn ready(store: &mut dyn Store, suspended: &[Suspension], wish: &Wish) -> u8 {
    let mut worst = 0;
    for suspension in suspended.iter().filter(|s| s.resumed_by.is_none()) {
        let code = resume(store, suspension, wish).unwrap_or_else(|text| {
            output::error(&format!("{}: {text}", suspension.run_id));
            1
        });
        // That others still wait is no failure of this command.
        if code != SUSPENDED {
            worst = worst.max(code);
        }
    }
    worst
}

fn resume(store: &mut dyn Store, suspension: &Suspension, wish: &Wish) -> Result<u8, String> {
    let state = suspensions::state(store, suspension).map_err(|error| format!("event_log: {error}"))?;
    let mut launch = suspension.launch.clone();
    let (path, text) = match &launch.code {
        Some(code) => (launch.script.clone(), format!("pipeline main(task) {{ {code}\n}}")),
        None => {
            let moved = wish.program.clone();
            let known = launch.path.clone().unwrap_or_else(|| launch.script.clone());
            let path = moved.unwrap_or_else(|| {
                // Where it was called from before, so that reports name it in the same way.
                let same = std::path::absolute(&launch.script).is_ok_and(|p| p.to_string_lossy() == known);
                if same { launch.script.clone() } else { known }
            });
            let text = source::read(&path).map_err(|why| {
                format!("{why}\nIf the program has moved, `--program FILE` says where it is.")
            })?;
            (path, text)
        }
    };
    let absolute = std::path::absolute(&path).map_err(|error| error.to_string())?;
    if launch.code.is_none() {
        launch.path = Some(absolute.to_string_lossy().into_owned());
        launch.script.clone_from(&path);
    }
    let program = match program::load(&path, text, &mut DiskModules::new(), program_options(&launch)) {
        Ok(program) => program,
        Err(refusal) => {
            output::err(&report::refusal(&refusal));
            return Ok(1);
        }
    };
    let host = RealHost::new();
    host.listen_for_signals();
    let run_id = &suspension.run_id;
    let wake = Some(host.waker());
    let session = Session { run_id: run_id.clone(), wake, ..Session::new(&path, Box::new(host)) };
    let mut plan = plan(launch.clone(), &program.graph, wish.leave);
    plan.again = suspension.resumed_id.filter(|_| wish.force);
    // The root task of a fresh start is not wanted.
    drop(program.root);
    let resumed = Run::resume(program.vm, session.surroundings()?, suspension, &state, plan);
    let mut run = resumed.map_err(|unreadable| format!("{run_id} cannot go on: {unreadable}"))?;
    prepare(&mut run, &launch);
    Ok(drive(run, run_id, &program.graph, program.is_script, launch.print))
}
