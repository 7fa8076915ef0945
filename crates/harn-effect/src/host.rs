//! What the world looks like to the runtime: effects are started, completions come back.

use crate::{Outcome, Request};

/// Identifies an effect in flight; unique within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a host reports to the runtime.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEvent {
    /// The effect with this ticket came to an end.
    Done(Ticket, Outcome),
    /// A piece of a streamed answer of an effect that goes on (text of a model's reply).
    Chunk(Ticket, String),
    /// The operating system asks the program to stop (SIGINT, SIGTERM), with the signal's number.
    Signal(i32),
    /// Something outside has changed: what waits should look again.
    Woken,
    /// The time that `wait` was given has passed.
    TimedOut,
}

/// The outside world. Production, tests, replay and the simulator each implement it.
///
/// No method blocks except [`Host::wait`].
pub trait Host {
    /// Wall clock, Unix milliseconds.
    fn now_ms(&self) -> i64;

    /// A clock that never steps back, in milliseconds since some start.
    fn monotonic_ms(&self) -> i64;

    /// Starts an effect. `Some` when it is already done (files, output, clocks); otherwise [`Host::wait`] will report
    /// [`HostEvent::Done`] with this ticket.
    fn start(&mut self, ticket: Ticket, request: Request) -> Option<Outcome>;

    /// Asks for an effect in flight to be given up; it may still report [`HostEvent::Done`].
    fn cancel(&mut self, ticket: Ticket);

    /// Blocks until something happens, at most until `monotonic_ms` reads `until` (`None`: for ever).
    fn wait(&mut self, until: Option<i64>) -> HostEvent;
}
