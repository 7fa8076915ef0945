//! Children that a program talks to line by line over their standard streams (spec 07 section 11: MCP servers). A
//! reader thread for each child; what it writes on standard error goes to ours, each line marked.

use crate::completions::Completions;
use crate::process::describe;
use harn_effect::{Data, Op, Outcome, Raised, Ticket};
use rustix::process::{Pid, Signal};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many lines wait for their reader before the child is left to wait.
const MOST_LINES: usize = 1024;
/// The longest line that is taken, in bytes: what is longer ends the conversation.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// The children that are open.
#[derive(Default)]
pub struct Pipes {
    open: HashMap<i64, Pipe>,
    last: i64,
}

struct Pipe {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Lines>,
}

/// What a child has written and nobody has read.
#[derive(Default)]
struct Lines {
    state: Mutex<Unread>,
    taken: Condvar,
}

#[derive(Default)]
struct Unread {
    lines: VecDeque<String>,
    ended: bool,
    waiting: Option<Ticket>,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: String, report: &Completions) {
        let mut unread = self.lock();
        while unread.lines.len() >= MOST_LINES && !unread.ended {
            unread = self.taken.wait(unread).unwrap_or_else(PoisonError::into_inner);
        }
        match unread.waiting.take() {
            Some(ticket) => report.done(ticket, Ok(Data::Str(line))),
            None => unread.lines.push_back(line),
        }
    }

    fn end(&self, report: &Completions) {
        let mut unread = self.lock();
        unread.ended = true;
        if let Some(ticket) = unread.waiting.take() {
            report.done(ticket, Ok(Data::Nil));
        }
        self.taken.notify_all();
    }
}

impl Pipes {
    /// `child.open`, `child.send`, `child.receive` and `child.close`.
    pub fn start(&mut self, ticket: Ticket, op: Op, args: &Data, report: &Completions) -> Option<Outcome> {
        if op == Op::ChildOpen {
            return Some(self.open(args, report));
        }
        let id = args.field("child").as_int().unwrap_or(0);
        if op == Op::ChildClose {
            return Some(Ok(self.open.remove(&id).map(stop).is_some().into()));
        }
        let Some(pipe) = self.open.get_mut(&id) else {
            return Some(Err(Raised::runtime("the child is not open")));
        };
        if op == Op::ChildSend {
            let text = args.field("line").as_str().unwrap_or("");
            let sent = pipe.stdin.as_mut().map(|stdin| {
                stdin
                    .write_all(text.as_bytes())
                    .and_then(|()| stdin.write_all(b"\n"))
                    .and_then(|()| stdin.flush())
            });
            return Some(Ok(matches!(sent, Some(Ok(()))).into()));
        }
        let mut unread = pipe.lines.lock();
        if let Some(line) = unread.lines.pop_front() {
            pipe.lines.taken.notify_all();
            return Some(Ok(Data::Str(line)));
        }
        if unread.ended {
            return Some(Ok(Data::Nil));
        }
        unread.waiting = Some(ticket);
        None
    }

    fn open(&mut self, args: &Data, report: &Completions) -> Outcome {
        let mut command = describe(args)?;
        command.stdin(Stdio::piped());
        let mut child = command.spawn().map_err(|e| Raised::runtime(e.to_string()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let lines = Arc::new(Lines::default());
        let label = args.field("label").as_str().unwrap_or("child").to_owned();
        let (unread, report) = (lines.clone(), report.clone());
        let reader = move || {
            if let Some(stdout) = stdout {
                each_line(stdout, |line| unread.push(line, &report));
            }
            unread.end(&report);
        };
        let errors = move || {
            if let Some(stderr) = stderr {
                each_line(stderr, |line| {
                    let _ = writeln!(std::io::stderr(), "[{label}] {line}");
                });
            }
        };
        let started = std::thread::Builder::new()
            .name("child".into())
            .spawn(reader)
            .and_then(|_| std::thread::Builder::new().name("child errors".into()).spawn(errors));
        let pipe = Pipe { child, stdin, lines };
        if let Err(e) = started {
            stop(pipe);
            return Err(Raised::runtime(e.to_string()));
        }
        self.last += 1;
        self.open.insert(self.last, pipe);
        Ok(Data::dict([("child", Data::Int(self.last))]))
    }

    /// Nobody waits for the line any more; it stays for the next who asks.
    pub fn cancel(&mut self, ticket: Ticket) {
        for pipe in self.open.values() {
            let mut unread = pipe.lines.lock();
            if unread.waiting == Some(ticket) {
                unread.waiting = None;
            }
        }
    }
}

impl Drop for Pipes {
    /// No child outlives the run that started it.
    fn drop(&mut self) {
        self.open.drain().for_each(|(_, pipe)| stop(pipe));
    }
}

/// Closes the child's input, ends its process group and reaps it.
fn stop(mut pipe: Pipe) {
    drop(pipe.stdin.take());
    pipe.lines.lock().ended = true;
    pipe.lines.taken.notify_all();
    // The child has not been reaped, so its number is still its own.
    if let Some(group) = i32::try_from(pipe.child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = pipe.child.wait();
}

fn each_line(from: impl Read, mut take: impl FnMut(String)) {
    let mut reader = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if line.pop_if(|last| *last == b'\n').is_none() && line.len() as u64 >= LONGEST_LINE {
                    return;
                }
                line.pop_if(|last| *last == b'\r');
                take(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::RealHost;
    use harn_effect::{Data, Host, HostEvent, Op, Outcome, Request, Ticket};

    fn ask(host: &mut RealHost, op: Op, fields: &[(&str, Data)]) -> Outcome {
        let args = Data::dict(fields.iter().map(|(k, v)| (*k, v.clone())));
        match host.start(Ticket(1), Request { op, args }) {
            Some(outcome) => outcome,
            None => match host.wait(Some(host.monotonic_ms() + 20_000)) {
                HostEvent::Done(_, outcome) => outcome,
                other => panic!("an outcome was expected, got {other:?}"),
            },
        }
    }

    fn shell(host: &mut RealHost, script: &str) -> Data {
        let argv = Data::List(["sh", "-c", script].iter().map(|a| Data::from(*a)).collect());
        match ask(host, Op::ChildOpen, &[("argv", argv)]) {
            Ok(opened) => opened.field("child").clone(),
            Err(e) => panic!("the child should start: {e:?}"),
        }
    }

    #[test]
    fn a_child_answers_line_by_line() {
        let mut host = RealHost::new();
        let child = shell(&mut host, "while read -r l; do echo \"<$l>\"; done");
        for word in ["one", "two"] {
            let sent = ask(&mut host, Op::ChildSend, &[("child", child.clone()), ("line", word.into())]);
            assert_eq!(sent, Ok(true.into()));
            let line = ask(&mut host, Op::ChildReceive, &[("child", child.clone())]);
            assert_eq!(line, Ok(Data::Str(format!("<{word}>"))));
        }
        assert_eq!(ask(&mut host, Op::ChildClose, &[("child", child.clone())]), Ok(true.into()));
        assert_eq!(ask(&mut host, Op::ChildClose, &[("child", child)]), Ok(false.into()));
    }

    #[test]
    fn the_end_of_a_child_is_nil() {
        let mut host = RealHost::new();
        let child = shell(&mut host, "echo last");
        let receive = [("child", child)];
        assert_eq!(ask(&mut host, Op::ChildReceive, &receive), Ok("last".into()));
        assert_eq!(ask(&mut host, Op::ChildReceive, &receive), Ok(Data::Nil));
    }

    #[test]
    fn a_line_whose_reader_was_cancelled_waits_for_the_next() {
        let mut host = RealHost::new();
        let child = shell(&mut host, "read -r l; echo \"$l\"");
        let args = Data::dict([("child", child.clone())]);
        assert_eq!(host.start(Ticket(9), Request { op: Op::ChildReceive, args }), None);
        host.cancel(Ticket(9));
        let _ = ask(&mut host, Op::ChildSend, &[("child", child.clone()), ("line", "kept".into())]);
        assert_eq!(ask(&mut host, Op::ChildReceive, &[("child", child)]), Ok("kept".into()));
    }
}
