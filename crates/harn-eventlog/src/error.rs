//! What can go wrong with a log. The text of each error follows `event_log: ` where a program sees it.

use std::fmt;

/// An error of the event log (spec 08 sections 2.1, 2.5, 11.1 G5). No variant ever means "go on without a log".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// A topic name, consumer id or payload that the rules refuse; the text says why.
    Refused(String),
    /// `append_if` came second: the topic's last id is now this.
    Conflict {
        /// The last id of the topic, none when nothing was ever written there.
        head: Option<u64>,
    },
    /// The disk has no room for the event.
    Full,
    /// The log may be read but not written.
    ReadOnly(String),
    /// What is stored cannot be understood.
    Corrupt(String),
    /// Another process held the log for longer than the busy timeout.
    Busy,
    /// The server that keeps the log does not answer; the text names it without its password.
    Unreachable(String),
    /// The connection to the server broke before the commit: nothing of the transaction was written.
    Lost(String),
    /// The connection broke during the commit, and it could not be found out whether it was done.
    Unknown(String),
    /// Any other failure of the storage.
    Storage(String),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Refused(text) | LogError::Storage(text) => f.write_str(text),
            LogError::Conflict { head: Some(id) } => write!(f, "append conflict: the topic is at event {id}"),
            LogError::Conflict { head: None } => f.write_str("append conflict: the topic is empty"),
            LogError::Full => f.write_str("no space left for the event log"),
            LogError::ReadOnly(place) => write!(f, "the event log {place} is read-only"),
            LogError::Corrupt(detail) => write!(f, "event log parse error: {detail}"),
            LogError::Busy => f.write_str("the event log is locked by another process"),
            LogError::Unreachable(detail) => write!(f, "the store cannot be reached: {detail}"),
            LogError::Lost(place) => {
                write!(f, "the connection to {place} was lost before the commit; nothing was written")
            }
            LogError::Unknown(place) => {
                write!(
                    f,
                    "the connection to {place} was lost during the commit; whether it was done is not known"
                )
            }
        }
    }
}

impl std::error::Error for LogError {}
