//! The machine without its standard output: for runs that are measured.

use harn_effect::{Data, Host, HostEvent, Op, Outcome, Request, Ticket};
use harn_host::RealHost;

/// Drops what the program prints.
pub struct Quiet(RealHost);

impl Quiet {
    /// A quiet machine.
    pub fn new() -> Quiet {
        Quiet(RealHost::new())
    }
}

impl Host for Quiet {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.monotonic_ms()
    }

    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome> {
        if request.op == Op::StdoutWrite { Some(Ok(Data::Nil)) } else { self.0.start(ticket, request) }
    }

    fn cancel(&mut self, ticket: Ticket) {
        self.0.cancel(ticket);
    }

    fn wait(&mut self, until: Option<i64>) -> HostEvent {
        self.0.wait(until)
    }
}
