//! What a run is doing right now, for people who watch it. The runtime emits, the binary renders.

/// One thing worth showing while a program runs. Texts are short and complete in themselves.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum ProgressEvent {
    /// An agent begins turn `turn` (from 1) of its loop.
    Turn { agent: String, turn: i64, limit: i64 },
    /// A model call leaves.
    ModelCall { provider: String, model: String },
    /// A piece of a streamed reply arrived.
    ModelChunk { text: String },
    /// A model call came back.
    ModelDone { input_tokens: i64, output_tokens: i64, duration_ms: i64 },
    /// A tool call begins; `summary` is the name with its arguments, shortened.
    ToolCall { name: String, summary: String },
    /// A tool call ended.
    ToolDone { name: String, ok: bool, duration_ms: i64 },
    /// The gate or a policy ruled on something: `allowed`, `denied` or `asked`, and why.
    Decision { what: String, ruling: String, reason: String },
    /// The run waits for something that may take long (a person, a timer): what, and how it can be answered.
    Wait { what: String, hint: String },
    /// The wait for `what` is over.
    WaitOver { what: String },
    /// Anything else, one line.
    Note { text: String },
}

/// Receives progress events as they happen.
pub trait Progress {
    /// Takes one event. Must not block.
    fn event(&mut self, event: ProgressEvent);
}

/// Drops every event: for runs nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _event: ProgressEvent) {}
}

/// Keeps every event: for tests.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The events, oldest first.
    pub events: Vec<ProgressEvent>,
}

impl Progress for Recorded {
    fn event(&mut self, event: ProgressEvent) {
        self.events.push(event);
    }
}
