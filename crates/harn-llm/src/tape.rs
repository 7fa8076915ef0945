//! Replies of real providers, kept under a hash of what was asked and given again (spec 07 section 2.5, 09 section 4.1).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

use harn_effect::Data;
use sha2::{Digest, Sha256};

use crate::error::{Category, ModelError, Reason};
use crate::reply::Reply;
use crate::request::ModelRequest;

/// A tape that the program's mock and whoever keeps the files share.
pub type SharedTape = Rc<RefCell<Tape>>;

/// Replies by what was asked: either taken down from real providers, or given instead of asking them.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Asked the same again, a provider may answer otherwise: the replies in their order.
    replies: BTreeMap<String, Vec<Reply>>,
    /// How many of them were given.
    given: BTreeMap<String, usize>,
    replays: bool,
}

impl Tape {
    /// A tape that takes replies down.
    pub fn recorder() -> Tape {
        Tape::default()
    }

    /// A tape that gives the replies of files `(hash, text)`; the error names the file that is none.
    pub fn player(files: impl IntoIterator<Item = (String, String)>) -> Result<Tape, String> {
        let mut tape = Tape { replays: true, ..Tape::default() };
        for (hash, text) in files {
            let list = serde_json::from_str(&text).map_err(|error| format!("{hash}.json: {error}"))?;
            let list = Data::from_json(&list);
            let replies = list.as_list().unwrap_or_default().iter().map(Reply::from_data);
            let Some(replies) = replies.collect::<Option<Vec<_>>>().filter(|list| !list.is_empty()) else {
                return Err(format!("{hash}.json: expected a list of recorded replies"));
            };
            tape.replies.insert(hash, replies);
        }
        Ok(tape)
    }

    /// Whether it answers instead of the providers.
    pub fn replays(&self) -> bool {
        self.replays
    }

    /// Takes a reply down.
    pub fn take(&mut self, request: &ModelRequest, reply: &Reply) {
        self.replies.entry(hash(request)).or_default().push(reply.clone());
    }

    /// The next reply to this request; the last one again when it is asked more often than it was.
    pub fn give(&mut self, request: &ModelRequest) -> Result<Reply, ModelError> {
        let hash = hash(request);
        let at = self.given.entry(hash.clone()).or_default();
        let replies = self.replies.get(&hash).map(Vec::as_slice).unwrap_or_default();
        let Some(reply) = replies.get(*at).or(replies.last()) else {
            let message = format!("No fixture found for LLM call (hash: {hash}). Run with --record first.");
            return Err(ModelError::new(Category::Generic, Reason::Unknown, false, message));
        };
        *at += 1;
        Ok(reply.clone())
    }

    /// The files to keep: `(hash, text)`.
    pub fn files(&self) -> impl Iterator<Item = (&str, String)> {
        self.replies.iter().map(|(hash, replies)| {
            let list = Data::List(replies.iter().map(Reply::to_data).collect());
            (hash.as_str(), format!("{:#}\n", list.to_json()))
        })
    }
}

/// What a reply is kept under: model, messages and system text.
fn hash(request: &ModelRequest) -> String {
    let asked = Data::List(vec![
        request.model.clone().into(),
        request.system.clone().into(),
        Data::List(request.messages.clone()),
    ]);
    let digest = Sha256::digest(asked.to_json().to_string().as_bytes());
    // Sixteen hexadecimal digits: enough to tell the calls of a project apart, short enough for a directory listing.
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::message;

    fn asking(text: &str) -> ModelRequest {
        ModelRequest {
            provider: "openai".into(),
            messages: vec![message("user", text.to_owned())],
            ..ModelRequest::default()
        }
    }

    fn saying(text: &str) -> Reply {
        Reply { text: text.into(), model: "m".into(), provider: "openai".into(), ..Reply::default() }
    }

    fn recorded() -> Vec<(String, String)> {
        let mut tape = Tape::recorder();
        tape.take(&asking("a"), &saying("one"));
        tape.take(&asking("a"), &saying("two"));
        tape.files().map(|(hash, text)| (hash.to_owned(), text)).collect()
    }

    #[test]
    fn replies_come_back_in_order_and_the_last_stays() {
        let mut tape = Tape::player(recorded()).unwrap();
        let texts: Vec<_> = (0..3).map(|_| tape.give(&asking("a")).unwrap().text).collect();
        assert_eq!(texts, ["one", "two", "two"]);
    }

    #[test]
    fn what_was_never_asked_has_no_reply() {
        let mut tape = Tape::player(recorded()).unwrap();
        insta::assert_snapshot!(
            tape.give(&asking("b")).unwrap_err().message,
            @"No fixture found for LLM call (hash: fb460f3599156244). Run with --record first."
        );
    }

    #[test]
    fn a_file_that_holds_no_replies_is_named() {
        let broken = Tape::player([("0f".to_owned(), "{}".to_owned())]).unwrap_err();
        assert_eq!(broken, "0f.json: expected a list of recorded replies");
    }
}
