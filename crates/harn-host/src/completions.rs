//! The queue on which threads report what effects came to.

use harn_effect::{HostEvent, Outcome, Ticket};
use std::sync::mpsc::Sender;

/// The writing end of the queue that [`harn_effect::Host::wait`] reads. Cheap to clone, one for each thread.
#[derive(Clone, Debug)]
pub struct Completions {
    events: Sender<HostEvent>,
}

impl Completions {
    /// Wraps the sending half of a channel.
    pub fn new(events: Sender<HostEvent>) -> Self {
        Completions { events }
    }

    /// Reports the outcome of an effect.
    pub fn done(&self, ticket: Ticket, outcome: Outcome) {
        self.event(HostEvent::Done(ticket, outcome));
    }

    /// Reports a piece of a streamed answer.
    pub fn chunk(&self, ticket: Ticket, text: String) {
        self.event(HostEvent::Chunk(ticket, text));
    }

    /// Reports anything else. After the host has gone nobody listens, which is fine.
    pub fn event(&self, event: HostEvent) {
        let _ = self.events.send(event);
    }
}
