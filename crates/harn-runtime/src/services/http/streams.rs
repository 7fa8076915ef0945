//! Bodies that are read piece by piece: of the host, or scripted.

use std::collections::{BTreeMap, BTreeSet};

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_http::mock::Reply;

use super::{MOST_HANDLES, reply_head, text};
use crate::service::Started;

enum Source {
    /// The host's number of the body.
    Host(i64),
    /// What a script has left to give.
    Scripted(Vec<u8>),
}

/// An open body and the head it came with.
struct Stream {
    source: Source,
    head: Data,
}

/// The open bodies by handle.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<String, Stream>,
    expected: BTreeSet<Ticket>,
    opened: u64,
}

impl Streams {
    fn room(&self) -> Result<(), Raised> {
        if self.open.len() + self.expected.len() < MOST_HANDLES {
            return Ok(());
        }
        Err(Raised::thrown(format!("http_stream_open: maximum open streams ({MOST_HANDLES}) reached")))
    }

    fn insert(&mut self, source: Source, head: Data) -> String {
        self.opened += 1;
        let id = format!("http-stream-{}", self.opened);
        self.open.insert(id.clone(), Stream { source, head });
        id
    }

    /// Opens a scripted body: `{stream, status, headers}`.
    pub(super) fn open_scripted(&mut self, reply: &Reply) -> Result<Data, Raised> {
        self.room()?;
        let id = self.insert(Source::Scripted(reply.body.clone()), Data::dict(reply_head(reply)));
        Ok(Data::dict(reply_head(reply).into_iter().chain([("stream", id.into())])))
    }

    /// The host is opening a body under this ticket.
    pub(super) fn expect(&mut self, ticket: Ticket) -> Result<(), Raised> {
        self.room()?;
        self.expected.insert(ticket);
        Ok(())
    }

    pub(super) fn expects(&self, ticket: Ticket) -> bool {
        self.expected.contains(&ticket)
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.expected.remove(&ticket);
    }

    /// The host has opened a body, or failed to.
    pub(super) fn opened(&mut self, ticket: Ticket, outcome: Outcome) -> Started {
        self.expected.remove(&ticket);
        Started::Done(outcome.map(|head| match head {
            Data::Dict(mut fields) => {
                let number = fields.get("stream").and_then(Data::as_int).unwrap_or(0);
                fields.remove("stream");
                let id = self.insert(Source::Host(number), Data::Dict(fields.clone()));
                fields.insert("stream".to_owned(), id.into());
                Data::Dict(fields)
            }
            other => other,
        }))
    }

    /// Status and headers of an open body, or nil.
    pub(super) fn head(&self, id: &str) -> Data {
        self.open.get(id).map_or(Data::Nil, |stream| stream.head.clone())
    }

    /// The next bytes of a body.
    pub(super) fn read(&mut self, args: &Data) -> Result<Started, Raised> {
        let id = text(args, "stream");
        let most = args.field("max_bytes").as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(1 << 20);
        match self.open.get_mut(id).map(|stream| &mut stream.source) {
            None => Err(Raised::thrown(format!("http_stream_read: unknown stream '{id}'"))),
            Some(Source::Host(number)) => Ok(Started::Forward(Request {
                op: Op::HttpRead,
                args: Data::dict([
                    ("stream", Data::Int(*number)),
                    ("max_bytes", args.field("max_bytes").clone()),
                    ("timeout_ms", args.field("timeout_ms").clone()),
                ]),
            })),
            Some(Source::Scripted(rest)) => {
                let later = rest.split_off(most.max(1).min(rest.len()));
                let piece = std::mem::replace(rest, later);
                Ok(Started::Done(Ok(if piece.is_empty() { Data::Nil } else { Data::Bytes(piece) })))
            }
        }
    }

    /// Closes a body: whether it was open.
    pub(super) fn close(&mut self, args: &Data) -> Started {
        match self.open.remove(text(args, "stream")).map(|stream| stream.source) {
            None => Started::Done(Ok(false.into())),
            Some(Source::Scripted(_)) => Started::Done(Ok(true.into())),
            Some(Source::Host(number)) => Started::Forward(Request {
                op: Op::HttpClose,
                args: Data::dict([("stream", Data::Int(number))]),
            }),
        }
    }

    /// Closes what scripts have opened.
    pub(super) fn clear_scripted(&mut self) {
        self.open.retain(|_, stream| matches!(stream.source, Source::Host(_)));
    }
}
