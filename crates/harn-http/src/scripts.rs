//! Scripted event streams and sockets, and the log of what was done with them (spec 06 section 6.2).

use std::collections::VecDeque;

use harn_effect::Data;

use crate::events::Event;
use crate::{fits, redact};

/// A scripted socket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SocketScript {
    /// What it will receive, as `websocket_receive` gives it.
    pub messages: VecDeque<Data>,
    /// Whether what is sent comes back.
    pub echo: bool,
}

/// The scripts by kind of transport, newest first, and the log.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    events: Vec<(String, Vec<Event>)>,
    sockets: Vec<(String, SocketScript)>,
    calls: Vec<Data>,
}

impl Scripts {
    /// Scripts the event streams of a URL pattern: a list of texts or event dicts, or `{events: [...]}`.
    pub fn script_events(&mut self, pattern: &str, events: &Data) {
        let list = events.as_list().or_else(|| events.field("events").as_list()).unwrap_or_default();
        let events = list.iter().map(event).collect();
        self.events.retain(|(known, _)| known != pattern);
        self.events.push((pattern.to_owned(), events));
    }

    /// Scripts the sockets of a URL pattern: a list of messages, or `{messages, echo}`.
    pub fn script_socket(&mut self, pattern: &str, script: &Data) {
        let list = script.as_list().or_else(|| script.field("messages").as_list()).unwrap_or_default();
        let socket = SocketScript {
            messages: list.iter().map(message).collect(),
            echo: script.field("echo").as_bool().unwrap_or(false),
        };
        self.sockets.retain(|(known, _)| known != pattern);
        self.sockets.push((pattern.to_owned(), socket));
    }

    /// The scripted events of a URL.
    pub fn events(&self, url: &str) -> Option<Vec<Event>> {
        self.events.iter().find(|(pattern, _)| fits(pattern, url)).map(|(_, events)| events.clone())
    }

    /// The script of a socket.
    pub fn socket(&self, url: &str) -> Option<SocketScript> {
        self.sockets.iter().find(|(pattern, _)| fits(pattern, url)).map(|(_, script)| script.clone())
    }

    /// Whether anything is scripted.
    pub fn is_active(&self) -> bool {
        !self.events.is_empty() || !self.sockets.is_empty()
    }

    /// Notes what was done with a scripted transport.
    pub fn note(&mut self, kind: &str, url: &str, handle: &str, of: &str, data: Data) {
        self.calls.push(Data::dict([
            ("kind", kind.into()),
            ("url", redact::url(url).into()),
            ("handle", handle.into()),
            ("type", if of.is_empty() { Data::Nil } else { of.into() }),
            ("data", data),
        ]));
    }

    /// The log: `{kind, url, handle, type, data}`.
    pub fn calls(&self) -> Data {
        Data::List(self.calls.clone())
    }

    /// Drops scripts and log.
    pub fn clear(&mut self) {
        *self = Scripts::default();
    }
}

fn event(data: &Data) -> Event {
    if let Some(text) = data.as_str() {
        return Event { event: "message".to_owned(), data: text.to_owned(), id: None, retry_ms: None };
    }
    let text = |key: &str| match data.field(key) {
        Data::Nil => None,
        Data::Str(text) => Some(text.clone()),
        other => Some(other.to_json().to_string()),
    };
    Event {
        event: text("event").unwrap_or_else(|| "message".to_owned()),
        data: text("data").unwrap_or_default(),
        id: text("id"),
        retry_ms: data.field("retry_ms").as_int(),
    }
}

/// A message as it is received: text, bytes, or a dict with a `type`.
fn message(data: &Data) -> Data {
    match data {
        Data::Dict(fields) if fields.contains_key("type") => data.clone(),
        Data::Bytes(_) => Data::dict([
            ("type", "binary".into()),
            ("data_base64", data.to_json().as_str().unwrap_or_default().into()),
        ]),
        Data::Str(text) => Data::dict([("type", "text".into()), ("data", text.as_str().into())]),
        other => Data::dict([("type", "text".into()), ("data", other.to_json().to_string().into())]),
    }
}
