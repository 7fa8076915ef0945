//! Generators: the body runs on a thread of its own, but only while somebody waits for its next value.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::value::{Value, lock};
use super::{Flow, STACK};

/// A generator or stream (spec 02 section 13.3).
pub struct Coroutine {
    stream: bool,
    state: Mutex<State>,
}

type Body = Box<dyn FnOnce(Port) -> Result<(), Flow> + Send>;

enum State {
    Fresh(Body),
    Suspended {
        wake: Sender<()>,
        steps: Receiver<Step>,
    },
    /// Exhausted, or running just now.
    Done,
}

enum Step {
    Yielded(Value),
    Ended(Result<(), Flow>),
}

/// The side of the body.
pub struct Port {
    steps: Sender<Step>,
    wake: Receiver<()>,
}

impl Port {
    /// Hands a value over and waits until the next one is wanted.
    pub fn give(&self, value: Value) -> Result<(), Flow> {
        self.steps.send(Step::Yielded(value)).map_err(|_| Flow::Abandoned)?;
        self.wake.recv().map_err(|_| Flow::Abandoned)
    }
}

impl Coroutine {
    pub fn new(stream: bool, body: impl FnOnce(Port) -> Result<(), Flow> + Send + 'static) -> Coroutine {
        Coroutine { stream, state: Mutex::new(State::Fresh(Box::new(body))) }
    }

    pub fn is_stream(&self) -> bool {
        self.stream
    }

    pub fn is_done(&self) -> bool {
        matches!(*lock(&self.state), State::Done)
    }

    /// The next value; `None` at the end and for ever after. An error of the body ends it.
    pub fn next(&self) -> Result<Option<Value>, Flow> {
        let state = std::mem::replace(&mut *lock(&self.state), State::Done);
        let (wake, steps) = match state {
            State::Done => return Ok(None),
            State::Suspended { wake, steps } => {
                let _ = wake.send(());
                (wake, steps)
            }
            State::Fresh(body) => {
                let (give, steps) = channel();
                let (wake, woken) = channel();
                let ends = give.clone();
                let run = move || {
                    let outcome = body(Port { steps: give, wake: woken });
                    let _ = ends.send(Step::Ended(outcome));
                };
                if std::thread::Builder::new().stack_size(STACK).spawn(run).is_err() {
                    return Err(Flow::Unsure);
                }
                (wake, steps)
            }
        };
        match steps.recv() {
            Ok(Step::Yielded(value)) => {
                *lock(&self.state) = State::Suspended { wake, steps };
                Ok(Some(value))
            }
            Ok(Step::Ended(outcome)) => outcome.map(|()| None),
            Err(_) => Err(Flow::Unsure),
        }
    }
}
