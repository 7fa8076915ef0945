//! Streamed calls: their text waits here for the task that reads it (`llm_stream`, spec 07 section 1.10).

use std::collections::{BTreeMap, VecDeque};

use harn_effect::{Data, Outcome, Raised, Ticket};
use harn_llm::call::Call;

use crate::service::Started;

/// The open streams of a program.
#[derive(Default)]
pub struct Streams {
    open: BTreeMap<i64, Stream>,
    last: i64,
}

struct Stream {
    /// The call, until it runs.
    call: Option<Box<Call>>,
    /// Streamed instead of the reply: the words of the prompt.
    echo: Option<String>,
    pieces: VecDeque<String>,
    /// Whether any text came from the host.
    flowing: bool,
    ended: bool,
    waiter: Option<Ticket>,
}

impl Streams {
    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The number of the newest stream.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Numbers of later streams are greater than this.
    pub fn count_from(&mut self, last: i64) {
        self.last = last;
    }

    /// A new stream for a call that has not left.
    pub fn open(&mut self, call: Call, echo: Option<String>) -> i64 {
        self.last += 1;
        let stream = Stream {
            call: Some(Box::new(call)),
            echo,
            pieces: VecDeque::new(),
            flowing: false,
            ended: false,
            waiter: None,
        };
        self.open.insert(self.last, stream);
        self.last
    }

    /// The call of a stream, once.
    pub fn take_call(&mut self, id: i64) -> Option<Call> {
        self.open.get_mut(&id)?.call.take().map(|call| *call)
    }

    /// A run of text arrived.
    pub fn push(&mut self, id: i64, text: &str) {
        if let Some(stream) = self.open.get_mut(&id) {
            stream.flowing = true;
            stream.pieces.push_back(text.to_owned());
        }
    }

    /// The call of a stream is over. What did not flow is cut into words; a failure is the last piece.
    pub fn end(&mut self, id: i64, outcome: &Outcome) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        stream.ended = true;
        match outcome {
            Err(raised) => stream.pieces.push_back(format!("error: {}", message(raised))),
            Ok(_) if stream.flowing => {}
            Ok(result) => match &stream.echo {
                Some(prompt) => stream.pieces.extend(prompt.split_whitespace().map(str::to_owned)),
                None => stream.pieces.extend(words(result.field("text").as_str().unwrap_or_default())),
            },
        }
    }

    /// The call was given up: nothing more comes.
    pub fn close(&mut self, id: i64) {
        if let Some(stream) = self.open.get_mut(&id) {
            stream.ended = true;
        }
    }

    /// The next piece; nil at the end. Waits when there is none yet.
    pub fn next(&mut self, ticket: Ticket, id: i64) -> Started {
        let Some(stream) = self.open.get_mut(&id) else { return Started::Done(Ok(Data::Nil)) };
        match stream.pieces.pop_front() {
            Some(piece) => Started::Done(Ok(piece.into())),
            None if stream.ended => {
                self.open.remove(&id);
                Started::Done(Ok(Data::Nil))
            }
            None => {
                stream.waiter = Some(ticket);
                Started::Pending
            }
        }
    }

    /// What can now be told to readers that wait.
    pub fn ready(&mut self) -> Vec<(Ticket, Started)> {
        let mut ready = Vec::new();
        let mut over = Vec::new();
        for (id, stream) in &mut self.open {
            let Some(ticket) = stream.waiter else { continue };
            let piece = match stream.pieces.pop_front() {
                Some(piece) => Data::Str(piece),
                None if stream.ended => {
                    over.push(*id);
                    Data::Nil
                }
                None => continue,
            };
            stream.waiter = None;
            ready.push((ticket, Started::Done(Ok(piece))));
        }
        for id in over {
            self.open.remove(&id);
        }
        ready
    }

    /// A reader no longer waits.
    pub fn forget(&mut self, ticket: Ticket) {
        for stream in self.open.values_mut() {
            if stream.waiter == Some(ticket) {
                stream.waiter = None;
            }
        }
    }
}

/// The text of an error.
fn message(raised: &Raised) -> String {
    match raised {
        Raised::Thrown(data) => match data.field("message").as_str().or(data.as_str()) {
            Some(text) => text.to_owned(),
            None => data.to_json().to_string(),
        },
        Raised::Runtime(text) | Raised::Type(text) | Raised::Categorised { text, .. } => text.clone(),
        Raised::Cancelled => "the call was cancelled".to_owned(),
    }
}

/// A text cut before each word, so that the pieces joined are the text.
fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut after_space = true;
    for c in text.chars() {
        let starts = after_space && !c.is_whitespace();
        match pieces.last_mut() {
            Some(last) if !starts || last.trim().is_empty() => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        after_space = c.is_whitespace();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_joined_are_the_text() {
        for text in ["", " a", "one two  three\n", "é 🌍 x"] {
            assert_eq!(words(text).concat(), text);
        }
        assert_eq!(words("one two"), ["one ", "two"]);
    }
}
