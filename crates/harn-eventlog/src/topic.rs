//! Rules of topic names: which are names at all, which belong to the runtime, which must be on disk at once.

use crate::{Durability, LogError};

/// The longest topic name, in bytes: the file store uses it as a file name.
const LONGEST: usize = 200;

/// Topics of the runtime: a program may read them but not append (spec 08 section 2.3). A name ending in `.` stands
/// for every topic that begins with it.
const RESERVED: &[&str] = &[
    "hitl.",
    "waitpoint.",
    "trust_graph",
    "trust_graph.",
    "trust.graph",
    "trust.graph.",
    "trigger.",
    "triggers.",
    "worker.",
    "autonomy.",
    "orchestrator.",
    "persona.runtime.",
    "tenant.",
    "monitor.",
    "connectors.egress.",
    "run.",
    "observability.",
    "supervisor.",
    "audit.",
    "agent.transcript.",
];

/// Topics whose events are synced before an append returns (spec 08 section 2.5): decisions, trust, people, dedupe
/// claims.
const SYNCED: &[&str] = &[
    "hitl.",
    "waitpoint.",
    "trust_graph",
    "trust_graph.",
    "trust.graph",
    "trust.graph.",
    "autonomy.",
    "triggers.lifecycle",
    "trigger.inbox.claims",
    "run.",
];

/// Whether `topic` is a topic name (spec 08 section 2.1).
pub fn check(topic: &str) -> Result<(), LogError> {
    if topic.is_empty() {
        return Err(LogError::Refused("topic cannot be empty".into()));
    }
    if !topic.chars().all(is_topic_char) {
        return Err(LogError::Refused(format!("topic '{topic}' contains unsupported characters")));
    }
    if topic.len() > LONGEST {
        return Err(LogError::Refused(format!("topic '{topic}' is too long")));
    }
    Ok(())
}

/// Whether only the runtime may append to `topic`.
pub fn is_reserved(topic: &str) -> bool {
    listed(RESERVED, topic)
}

/// How durable an append to `topic` must be.
pub fn durability(topic: &str) -> Durability {
    if listed(SYNCED, topic) { Durability::Synced } else { Durability::Grouped }
}

/// An id as part of a topic name: each other character becomes `_`, one for each Unicode scalar. Not injective: readers
/// compare the id in the payload too.
pub fn sanitise(id: &str) -> String {
    id.chars().map(|c| if is_topic_char(c) { c } else { '_' }).collect()
}

fn is_topic_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn listed(names: &[&str], topic: &str) -> bool {
    names.iter().any(|name| if name.ends_with('.') { topic.starts_with(name) } else { topic == *name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_with_the_texts_of_the_specification() {
        let text = |topic: &str| check(topic).err().map(|e| e.to_string());
        assert_eq!(text(""), Some("topic cannot be empty".into()));
        assert_eq!(text("a b"), Some("topic 'a b' contains unsupported characters".into()));
        assert_eq!(text("a/b"), Some("topic 'a/b' contains unsupported characters".into()));
        assert!(text(&"x".repeat(201)).is_some_and(|t| t.ends_with("is too long")));
        assert_eq!(text("A.b_c-9"), None);
    }

    #[test]
    fn runtime_topics_are_reserved_and_others_are_not() {
        for topic in [
            "hitl.approvals",
            "trust_graph",
            "trust_graph.bot",
            "trust.graph.bot",
            "run.x",
            "autonomy.decisions",
        ] {
            assert!(is_reserved(topic), "{topic}");
        }
        for topic in ["demo.x", "trust_graphs", "trust", "running", "hitl", "worker"] {
            assert!(!is_reserved(topic), "{topic}");
        }
    }

    #[test]
    fn sanitising_replaces_each_scalar() {
        assert_eq!(sanitise("team/bot 1 é"), "team_bot_1__");
    }
}
