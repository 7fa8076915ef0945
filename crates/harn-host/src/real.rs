//! [`RealHost`]: the operating system as a [`Host`].

use crate::clock_offset::ClockOffset;
use crate::completions::Completions;
use crate::locks::Locks;
use crate::model::Models;
use crate::network::Network;
use crate::pipes::Pipes;
use crate::process::Children;
use crate::sockets::Sockets;
use crate::store::Wake;
use crate::web::Web;
use crate::{environment, files, signals, stdio};
use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The operating system. Nothing is opened or started before it is needed.
pub struct RealHost {
    started: Instant,
    events: Receiver<HostEvent>,
    completions: Completions,
    children: Children,
    pipes: Pipes,
    locks: Locks,
    network: Network,
    models: Models,
    web: Web,
    sockets: Sockets,
    input: stdio::Input,
    offset: ClockOffset,
}

impl Default for RealHost {
    fn default() -> Self {
        Self::new()
    }
}

impl RealHost {
    /// A host whose monotonic clock starts now.
    pub fn new() -> Self {
        let (sender, events) = channel();
        let completions = Completions::new(sender);
        RealHost {
            started: Instant::now(),
            events,
            input: stdio::Input::new(completions.clone()),
            completions,
            children: Children::default(),
            pipes: Pipes::default(),
            locks: Locks::default(),
            network: Network::default(),
            models: Models::default(),
            web: Web::default(),
            sockets: Sockets::default(),
            offset: ClockOffset::read(environment::variable("HARN_CLOCK_OFFSET_MS").as_deref()),
        }
    }

    /// Turns SIGINT and SIGTERM into [`HostEvent::Signal`]; a second one ends the process.
    pub fn listen_for_signals(&self) {
        signals::listen(self.completions.clone());
    }

    /// Turns every SIGINT into [`HostEvent::Signal`]; none ends the process.
    pub fn listen_for_interrupts(&self) {
        signals::listen_for_interrupts(self.completions.clone());
    }

    /// The writing end of the queue, for parts of the host that work on threads of their own.
    pub fn completions(&self) -> Completions {
        self.completions.clone()
    }

    /// Makes [`Host::wait`] return with [`HostEvent::Woken`].
    pub fn waker(&self) -> Wake {
        // A sender is for one thread at a time; what wakes may be called from any.
        let completions = Mutex::new(self.completions.clone());
        Arc::new(move || {
            if let Ok(completions) = completions.lock() {
                completions.event(HostEvent::Woken);
            }
        })
    }

    /// The environment variable `name`.
    pub fn env(name: &str) -> Option<String> {
        environment::variable(name)
    }

    fn perform(&mut self, ticket: Ticket, request: &Request) -> Option<Outcome> {
        let args = &request.args;
        Some(match request.op {
            Op::StdoutWrite => stdio::write_out(args),
            Op::StderrWrite => stdio::write_err(args),
            Op::StdinRead => return self.input.read(ticket, args),
            Op::ClockNow => Ok(self.now_ms().into()),
            Op::ClockMonotonic => Ok(self.monotonic_ms().into()),
            Op::RandomBytes => random(args),
            Op::FileRead => files::read(args),
            Op::FileWrite => files::write(args),
            Op::FileStat => files::stat(args),
            Op::FileList => files::list(args),
            Op::FileDelete => files::delete(args),
            Op::TreeDelete => files::delete_tree(args),
            Op::DirCreate => files::create_dir(args),
            Op::DirWalk => files::walk(args),
            Op::FileRename => files::rename(args),
            Op::FileCopy => files::copy(args),
            Op::FileCanonical => files::canonical(args),
            Op::TempCreate => files::create_temp(args),
            Op::EnvGet => environment::get(args),
            Op::HostInfo => environment::info(),
            Op::ProcessExec => {
                let now = self.monotonic_ms();
                return self.children.start(ticket, args, now, &self.completions);
            }
            Op::ChildOpen | Op::ChildSend | Op::ChildReceive | Op::ChildClose => {
                return self.pipes.start(ticket, request.op, args, &self.completions);
            }
            Op::FileLock | Op::FileUnlock => {
                return self.locks.start(ticket, request.op, args, &self.completions);
            }
            Op::LlmSend => {
                return self.models.start(&mut self.network, ticket, args, &self.completions);
            }
            Op::HttpSend | Op::HttpOpen | Op::HttpRead | Op::HttpClose => {
                return self.web.start(&mut self.network, ticket, request, &self.completions);
            }
            Op::SocketOpen | Op::SocketSend | Op::SocketReceive | Op::SocketClose => {
                return self.sockets.start(&mut self.network, ticket, request, &self.completions);
            }
            other => Err(Raised::runtime(format!("this host cannot do {}", other.name()))),
        })
    }

    fn received(&mut self, event: HostEvent) -> HostEvent {
        if let HostEvent::Done(ticket, _) = &event {
            self.children.forget(*ticket);
        }
        event
    }
}

fn random(args: &Data) -> Outcome {
    let count = args.field("count").as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|e| Raised::runtime(e.to_string()))?;
    Ok(Data::Bytes(bytes))
}

impl Host for RealHost {
    fn now_ms(&self) -> i64 {
        let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after).saturating_add(self.offset.now()),
            Err(before) => self.offset.now() - millis(before.duration()),
        }
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        self.perform(ticket, &request)
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.children.cancel(ticket);
        self.pipes.cancel(ticket);
        self.locks.cancel(ticket);
        self.network.cancel(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        loop {
            match self.events.try_recv() {
                Ok(event) => return self.received(event),
                // The host itself holds a sender, so the queue is never closed.
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
            let now = self.monotonic_ms();
            self.children.kill_overdue(now);
            if until.is_some_and(|until| until <= now) {
                return HostEvent::TimedOut;
            }
            let wake = [until, self.children.next_timeout()].into_iter().flatten().min();
            let event = match wake {
                // Clocks count whole milliseconds: sleeping to the start of the wanted one is sleeping enough.
                Some(wake) => {
                    let due = Duration::from_millis(u64::try_from(wake).unwrap_or(0));
                    self.events.recv_timeout(due.saturating_sub(self.started.elapsed()))
                }
                None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            if let Ok(event) = event {
                return self.received(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(host: &mut RealHost, ticket: u64, argv: &[&str], more: &[(&str, Data)]) {
        let argv = Data::List(argv.iter().map(|a| Data::from(*a)).collect());
        let fields = more.iter().map(|(k, v)| (*k, v.clone()));
        let args = Data::dict(fields.chain([("argv", argv)]));
        assert_eq!(host.start(Ticket(ticket), Request { op: Op::ProcessExec, args }), None);
    }

    fn finished(host: &mut RealHost) -> (u64, Data) {
        match host.wait(Some(host.monotonic_ms() + 20_000)) {
            HostEvent::Done(ticket, Ok(data)) => (ticket.0, data),
            other => panic!("a finished process was expected, got {other:?}"),
        }
    }

    #[test]
    fn a_process_reports_its_output_and_status() {
        let mut host = RealHost::new();
        exec(&mut host, 1, &["sh", "-c", "cat; echo err >&2; exit 3"], &[("stdin", "hi".into())]);
        let (ticket, data) = finished(&mut host);
        assert_eq!(ticket, 1);
        assert_eq!(data.field("status"), &Data::Int(3));
        assert_eq!(data.field("stdout"), &Data::Bytes(b"hi".to_vec()));
        assert_eq!(data.field("stderr"), &Data::Bytes(b"err\n".to_vec()));
    }

    #[test]
    fn an_overdue_process_dies_with_its_group_and_keeps_its_output() {
        let mut host = RealHost::new();
        exec(&mut host, 1, &["sh", "-c", "echo early; sleep 60 & wait"], &[("timeout_ms", Data::Int(300))]);
        let (_, data) = finished(&mut host);
        assert_eq!(data.field("timed_out"), &Data::Bool(true));
        assert_eq!(data.field("stdout"), &Data::Bytes(b"early\n".to_vec()));
    }

    #[test]
    fn a_cancelled_process_ends() {
        let mut host = RealHost::new();
        exec(&mut host, 7, &["sleep", "60"], &[]);
        host.cancel(Ticket(7));
        let (_, data) = finished(&mut host);
        assert_eq!(data.field("signal"), &Data::Int(9));
    }

    #[test]
    fn a_program_that_does_not_exist_fails_at_once() {
        let mut host = RealHost::new();
        let args = Data::dict([("argv", Data::List(vec!["/no/such/program".into()]))]);
        let outcome = host.start(Ticket(1), Request { op: Op::ProcessExec, args });
        assert_eq!(outcome, Some(Err(Raised::runtime("No such file or directory (os error 2)"))));
    }

    #[test]
    fn waiting_until_the_past_only_looks() {
        let mut host = RealHost::new();
        assert_eq!(host.wait(Some(0)), HostEvent::TimedOut);
    }

    #[test]
    fn random_bytes_have_the_wanted_length() {
        let mut host = RealHost::new();
        let args = Data::dict([("count", Data::Int(16))]);
        let Some(Ok(Data::Bytes(bytes))) = host.start(Ticket(1), Request { op: Op::RandomBytes, args })
        else {
            panic!("bytes were expected")
        };
        assert_eq!(bytes.len(), 16);
    }
}
