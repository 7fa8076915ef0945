//! The active event log of a run: one, opened at its first use (spec 08 section 2.4).

use harn_effect::Raised;
use harn_eventlog::{MemoryStore, Store};
use std::cell::RefCell;
use std::rc::Rc;

/// The active log, shared by the services of a run.
pub type SharedStore = Rc<RefCell<dyn Store>>;

/// Opens the configured log; the error is the text a program sees after `event_log: `.
pub type Opener = Box<dyn FnOnce() -> Result<SharedStore, String>>;

/// The processes that share a log, as far as one of them can tell.
pub trait Presence {
    /// The name of this process, under which the others know it as long as it lives; made when it is first asked for. The
    /// error says why it cannot be known.
    fn own(&mut self) -> Result<String, String>;

    /// Whether the process of that name has certainly died. Of one on another machine nobody knows: it has not.
    fn is_dead(&mut self, name: &str) -> bool;
}

/// A log that ends with its process has no other.
struct Alone;

impl Presence for Alone {
    fn own(&mut self) -> Result<String, String> {
        Ok("here".to_owned())
    }

    fn is_dead(&mut self, _: &str) -> bool {
        false
    }
}

enum State {
    Closed(Option<Opener>),
    Open(SharedStore),
    Failed(String),
}

/// The place of the active log. Nothing is opened, and no file is made, before somebody asks.
pub struct LogSlot {
    state: RefCell<State>,
    presence: RefCell<Box<dyn Presence>>,
}

impl LogSlot {
    /// A log that `open` opens at the first use.
    pub fn new(open: Opener) -> Self {
        LogSlot { state: RefCell::new(State::Closed(Some(open))), presence: RefCell::new(Box::new(Alone)) }
    }

    /// The slot of a log that other processes use too.
    #[must_use]
    pub fn shared_by(mut self, presence: Box<dyn Presence>) -> Self {
        self.presence = RefCell::new(presence);
        self
    }

    /// The name of this process among those that share the log.
    pub fn process(&self) -> Result<String, Raised> {
        let named = self.presence.borrow_mut().own();
        named.map_err(|detail| Raised::runtime(format!("event_log: {detail}")))
    }

    /// Whether a process that shares the log has certainly died.
    pub fn is_dead(&self, process: &str) -> bool {
        self.presence.borrow_mut().is_dead(process)
    }

    /// A log in memory.
    pub fn memory() -> Self {
        Self::new(Box::new(|| Ok(Rc::new(RefCell::new(MemoryStore::new())))))
    }

    /// The log. One that cannot be opened is an error for whoever needs it, never silently another log.
    pub fn get(&self) -> Result<SharedStore, Raised> {
        let mut state = self.state.borrow_mut();
        if let State::Closed(open) = &mut *state {
            let opened = open.take().map_or_else(|| Err("closed".to_owned()), |open| open());
            *state = match opened {
                Ok(store) => State::Open(store),
                Err(detail) => State::Failed(detail),
            };
        }
        match &*state {
            State::Open(store) => Ok(store.clone()),
            State::Failed(detail) => Err(Raised::runtime(format!("event_log: {detail}"))),
            State::Closed(_) => Err(Raised::runtime("event_log: closed")),
        }
    }

    /// The log when somebody has already opened it.
    pub fn opened(&self) -> Option<SharedStore> {
        match &*self.state.borrow() {
            State::Open(store) => Some(store.clone()),
            _ => None,
        }
    }
}
