//! Named points that programs wait for (spec 08 section 5). Two families share the topics and are kept apart by the
//! kinds of their events.

pub mod named;
pub mod valued;

use harn_eventlog::{Json, LogError, Read, topic};

/// A rule's answer: a value, or the text of a runtime error.
pub type Ruled<T> = Result<Result<T, String>, LogError>;

/// The topic of waits of both families.
pub const WAITS: &str = "waitpoint.waits";

/// The topic of one waitpoint.
pub fn state_topic(id: &str) -> String {
    let mut topic = format!("waitpoint.state.{}", topic::sanitise(id));
    // A topic's name is bounded, an id is not; readers compare the id in the payload.
    topic.truncate(200);
    topic
}

/// The last payload of the given kinds about this very id: sanitised ids may share a topic.
fn last_state(log: &mut (impl Read + ?Sized), id: &str, kinds: &[&str]) -> Result<Option<Json>, LogError> {
    let events = log.read_range(&state_topic(id), None, usize::MAX)?;
    let mut found = events
        .into_iter()
        .filter(|s| kinds.contains(&s.event.kind.as_str()) && s.event.payload.text("id") == id);
    Ok(found.next_back().map(|s| s.event.payload))
}

/// Ids trimmed, blanks and repetitions dropped, in order of appearance.
pub fn clean_ids(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    for id in ids {
        let id = id.trim();
        if !id.is_empty() && !clean.iter().any(|c| c == id) {
            clean.push(id.to_owned());
        }
    }
    clean
}
