//! What a run shows on standard error while it works: turns, tool calls, decisions, waits.

use crate::output;
use harn_runtime::progress::{Progress, ProgressEvent};

/// Prints one line per event.
pub struct Live {
    colours: bool,
}

impl Live {
    /// A renderer; with colours when standard error may carry them.
    pub fn new() -> Self {
        Live { colours: output::stderr_colours() }
    }

    fn dim(&self, text: &str) -> String {
        if self.colours { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn strong(&self, text: &str) -> String {
        if self.colours { format!("\u{1b}[1;33m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The line for an event; none for events that would only flood the screen.
fn line(event: &ProgressEvent) -> Option<String> {
    Some(match event {
        ProgressEvent::Turn { turn, limit, .. } => format!("turn {turn} of at most {limit}"),
        ProgressEvent::ModelCall { provider, model } => format!("model {provider} {model}"),
        ProgressEvent::ModelDone { input_tokens, output_tokens, duration_ms } => {
            format!("model answered: {input_tokens} tokens in, {output_tokens} out, {duration_ms} ms")
        }
        ProgressEvent::ToolCall { summary, .. } => format!("tool {summary}"),
        ProgressEvent::ToolDone { name, ok, duration_ms } => {
            format!("tool {name} {} in {duration_ms} ms", if *ok { "done" } else { "failed" })
        }
        ProgressEvent::Decision { what, ruling, reason } => format!("decision: {what} {ruling} ({reason})"),
        ProgressEvent::Wait { what, hint } => format!("waiting for {what}: {hint}"),
        ProgressEvent::WaitOver { what } => format!("no longer waiting for {what}"),
        ProgressEvent::Note { text } => text.clone(),
        ProgressEvent::ModelChunk { .. } => return None,
    })
}

impl Progress for Live {
    fn event(&mut self, event: ProgressEvent) {
        let Some(line) = line(&event) else { return };
        let text = match event {
            ProgressEvent::Decision { .. } | ProgressEvent::Wait { .. } => self.strong(&line),
            _ => self.dim(&line),
        };
        output::err(&format!("[harn] {text}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_how_it_can_be_answered() {
        let event =
            ProgressEvent::Wait { what: "approval a".to_owned(), hint: "harn hitl approve a".to_owned() };
        assert_eq!(line(&event).as_deref(), Some("waiting for approval a: harn hitl approve a"));
    }

    #[test]
    fn pieces_of_a_reply_are_not_shown() {
        assert_eq!(line(&ProgressEvent::ModelChunk { text: "x".to_owned() }), None);
    }
}
