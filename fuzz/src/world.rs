//! A world without effects: output is dropped, time passes when looked at, and after a while the program is told to end.

use std::cell::Cell;

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Raised, Request, Ticket};

/// Milliseconds of its own time after which a program is told to stop.
const LIFETIME_MS: i64 = 3_000;

/// What a look outside costs.
const LOOK_MS: i64 = 1_000;

/// The host.
#[derive(Default)]
pub struct Nowhere {
    now: Cell<i64>,
    told: bool,
}

impl Host for Nowhere {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.monotonic_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.now.get()
    }

    fn start(&mut self, _ticket: Ticket, request: Request) -> Option<Outcome> {
        Some(match request.op {
            Op::StdoutWrite | Op::StderrWrite | Op::StdinRead => Ok(Data::Nil),
            Op::RandomBytes => {
                let count = request.args.field("count").as_int().unwrap_or(0).clamp(0, 4096);
                Ok(Data::Bytes(vec![7; count as usize]))
            }
            Op::HostInfo => Ok(Data::dict([("cwd", Data::from("/")), ("temp_dir", Data::from("/tmp"))])),
            other => Err(Raised::runtime(format!("there is no {} here", other.name()))),
        })
    }

    fn cancel(&mut self, _ticket: Ticket) {}

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        // A look outside costs time, so that a program that only computes grows old too.
        let next =
            (self.now.get() + LOOK_MS).max(until.unwrap_or(i64::MIN).min(self.now.get() + LIFETIME_MS));
        self.now.set(next);
        if !self.told && (next > LIFETIME_MS || until.is_none()) {
            self.told = true;
            return HostEvent::Signal(15);
        }
        HostEvent::TimedOut
    }
}
