//! Child processes (spec 06 section 3): each in a process group of its own, watched by a thread, killed as a group
//! when its time is up or nobody waits for it any more.

use crate::completions::Completions;
use harn_effect::{Data, Outcome, Raised, Ticket};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// The children that run now.
#[derive(Default)]
pub struct Children {
    running: HashMap<Ticket, Running>,
}

struct Running {
    leash: Leash,
    /// When to kill it, on the monotonic clock.
    until: Option<i64>,
}

/// The way to kill a child that may have ended: the group's id is gone once the child is about to be reaped, so a
/// number that the system has given to somebody else is never signalled.
#[derive(Clone, Default)]
struct Leash(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    group: Option<Pid>,
    timed_out: bool,
}

impl Leash {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kill(&self, timed_out: bool) {
        self.with(|state| {
            if let Some(group) = state.group {
                state.timed_out |= timed_out;
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
        });
    }
}

impl Children {
    /// `process.exec`.
    pub fn start(
        &mut self,
        ticket: Ticket,
        args: &Data,
        now: i64,
        completions: &Completions,
    ) -> Option<Outcome> {
        let mut command = match describe(args) {
            Ok(command) => command,
            Err(raised) => return Some(Err(raised)),
        };
        let stdin = args.field("stdin").as_str().map(|text| text.as_bytes().to_vec());
        let child = match command.spawn() {
            Ok(child) => child,
            Err(e) => return Some(Err(Raised::runtime(e.to_string()))),
        };
        let leash = Leash::default();
        let pid = child.id();
        leash.with(|state| state.group = i32::try_from(pid).ok().and_then(Pid::from_raw));
        let until = args.field("timeout_ms").as_int().filter(|ms| *ms > 0).map(|ms| now.saturating_add(ms));
        let (watch, report) = (leash.clone(), completions.clone());
        let watcher = std::thread::Builder::new()
            .name("process".into())
            .spawn(move || report.done(ticket, watch_over(child, stdin, &watch)));
        if let Err(e) = watcher {
            leash.kill(false);
            return Some(Err(Raised::runtime(e.to_string())));
        }
        self.running.insert(ticket, Running { leash, until });
        None
    }

    /// Nobody waits for this child any more.
    pub fn cancel(&mut self, ticket: Ticket) {
        if let Some(child) = self.running.get(&ticket) {
            child.leash.kill(false);
        }
    }

    /// The child has been reported.
    pub fn forget(&mut self, ticket: Ticket) {
        self.running.remove(&ticket);
    }

    /// When the next child runs out of time.
    pub fn next_timeout(&self) -> Option<i64> {
        self.running.values().filter_map(|child| child.until).min()
    }

    /// Kills every child whose time is up.
    pub fn kill_overdue(&mut self, now: i64) {
        for child in self.running.values_mut() {
            if child.until.is_some_and(|until| until <= now) {
                child.until = None;
                child.leash.kill(true);
            }
        }
    }
}

impl Drop for Children {
    /// No child outlives the run that started it.
    fn drop(&mut self) {
        for child in self.running.values() {
            child.leash.kill(false);
        }
    }
}

/// The command that `argv`, `cwd`, `env` and `env_clear` describe, in a process group of its own.
pub(crate) fn describe(args: &Data) -> Result<Command, Raised> {
    let argv: Vec<&str> =
        args.field("argv").as_list().unwrap_or_default().iter().filter_map(Data::as_str).collect();
    let Some((program, rest)) = argv.split_first() else {
        return Err(Raised::runtime("no program to run"));
    };
    let mut command = Command::new(program);
    command.args(rest).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.stdin(if args.field("stdin").is_nil() { Stdio::null() } else { Stdio::piped() });
    if let Some(cwd) = args.field("cwd").as_str() {
        command.current_dir(cwd);
    }
    if args.field("env_clear").as_bool() == Some(true) {
        command.env_clear();
    }
    for (name, value) in args.field("env").as_dict().into_iter().flatten() {
        command.env(name, value.as_str().unwrap_or(""));
    }
    Ok(command)
}

/// Collects what the child writes and waits for its end.
fn watch_over(mut child: Child, stdin: Option<Vec<u8>>, leash: &Leash) -> Outcome {
    let pid = i64::from(child.id());
    let (stdin_pipe, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (out, err) = std::thread::scope(|scope| {
        scope.spawn(move || {
            if let (Some(mut pipe), Some(bytes)) = (stdin_pipe, stdin) {
                // A child that does not read all of its input is no error.
                let _ = pipe.write_all(&bytes);
            }
        });
        let err = scope.spawn(move || collect(stderr));
        (collect(stdout), err.join().unwrap_or_default())
    });
    // Wait without reaping, take the leash away, then reap: see `Leash`.
    if let Some(waited) = leash.with(|state| state.group) {
        while matches!(
            rustix::process::waitid(WaitId::Pid(waited), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT),
            Err(rustix::io::Errno::INTR)
        ) {}
    }
    let timed_out = leash.with(|state| {
        state.group = None;
        state.timed_out
    });
    let status = child.wait().map_err(|e| Raised::runtime(e.to_string()))?;
    Ok(Data::dict([
        ("status", Data::Int(status.code().map_or(-1, i64::from))),
        ("signal", status.signal().map(i64::from).into()),
        ("stdout", Data::Bytes(out)),
        ("stderr", Data::Bytes(err)),
        ("timed_out", timed_out.into()),
        ("pid", pid.into()),
    ]))
}

fn collect(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What came before a read error is still the child's output.
        let _: io::Result<usize> = pipe.read_to_end(&mut bytes);
    }
    bytes
}
