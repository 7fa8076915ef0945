//! The account of a run's model calls: how many, how many tokens, how long.

use harn_runtime::progress::{Progress, ProgressEvent};
use std::cell::RefCell;
use std::rc::Rc;

/// Sums, shared between the run and the command.
#[derive(Clone, Default)]
pub struct Account(Rc<RefCell<Sums>>);

/// What the model calls of a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Answered calls.
    pub calls: u64,
    /// Tokens sent.
    pub input_tokens: i64,
    /// Tokens received.
    pub output_tokens: i64,
    /// Time spent waiting for models.
    pub ms: i64,
}

impl Account {
    /// The sums so far.
    pub fn sums(&self) -> Sums {
        *self.0.borrow()
    }

    /// The sums in one line.
    pub fn summary(&self) -> String {
        let Sums { calls, input_tokens, output_tokens, ms } = self.sums();
        format!("LLM trace: {calls} call(s), {input_tokens} tokens in, {output_tokens} tokens out, {ms} ms\n")
    }
}

/// Counts model calls on their way to the next watcher.
pub struct Counting {
    /// Where sums go.
    pub account: Account,
    /// Who else watches.
    pub next: Box<dyn Progress>,
}

impl Progress for Counting {
    fn event(&mut self, event: ProgressEvent) {
        if let ProgressEvent::ModelDone { input_tokens, output_tokens, duration_ms } = &event {
            let mut sums = self.account.0.borrow_mut();
            sums.calls += 1;
            sums.input_tokens += *input_tokens;
            sums.output_tokens += *output_tokens;
            sums.ms += *duration_ms;
        }
        self.next.event(event);
    }
}
