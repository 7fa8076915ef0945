//! Passes what the prelude says about its work on to whoever watches the run.

use crate::progress::ProgressEvent;
use crate::service::{Service, ServiceCx, Started};
use harn_effect::{Data, Op, Request, Ticket};

/// Turns `progress.event` effects into [`ProgressEvent`]s.
#[derive(Debug, Default)]
pub struct ProgressService;

impl Service for ProgressService {
    fn ops(&self) -> &'static [Op] {
        &[Op::Progress]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _ticket: Ticket, request: Request) -> Started {
        let kind = request.args.field("kind").as_str().unwrap_or_default();
        if let Some(event) = event(kind, request.args.field("fields")) {
            cx.progress.event(event);
        }
        Started::Done(Ok(Data::Nil))
    }
}

/// The event of a kind that the prelude names; none for a kind that nobody shows.
fn event(kind: &str, fields: &Data) -> Option<ProgressEvent> {
    let text = |key: &str| fields.field(key).as_str().unwrap_or_default().to_owned();
    let int = |key: &str| fields.field(key).as_int().unwrap_or_default();
    match kind {
        "turn" => Some(ProgressEvent::Turn { agent: text("agent"), turn: int("turn"), limit: int("limit") }),
        "tool_call" => {
            Some(ProgressEvent::ToolCall { name: text("name"), summary: shorten(&text("summary")) })
        }
        "tool_done" => Some(ProgressEvent::ToolDone {
            name: text("name"),
            ok: fields.field("ok").as_bool().unwrap_or(false),
            duration_ms: int("duration_ms"),
        }),
        "note" => Some(ProgressEvent::Note { text: text("text") }),
        _ => None,
    }
}

/// One line of at most 120 characters.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    let line = text.replace('\n', " ");
    match line.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_shown_with_its_limit() {
        let fields =
            Data::dict([("agent", Data::from("s")), ("turn", Data::Int(2)), ("limit", Data::Int(50))]);
        let expected = ProgressEvent::Turn { agent: "s".to_owned(), turn: 2, limit: 50 };
        assert_eq!(event("turn", &fields), Some(expected));
    }

    #[test]
    fn long_arguments_are_cut_on_a_character() {
        assert_eq!(shorten(&"é".repeat(200)).chars().count(), 121);
    }
}
