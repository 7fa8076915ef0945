//! Event streams as a client reads them: opened once, then one event at a time.

use std::collections::{BTreeMap, VecDeque};

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_http::events::{Decoder, Event};
use harn_http::mock::Reply;
use harn_http::scripts::Scripts;

use super::{MOST_HANDLES, text};
use crate::service::{ServiceCx, Started};

struct EventStream {
    url: String,
    announced: bool,
    ready: VecDeque<Event>,
    /// Where more comes from; `None` when nothing more will come.
    source: Option<Source>,
    left: i64,
}

struct Source {
    /// The host's number of the body.
    number: i64,
    decoder: Decoder,
}

enum Pending {
    Opening { url: String, max_events: i64, max_bytes: usize },
    Reading { handle: String, until_ms: i64 },
}

/// The open event streams by handle.
#[derive(Default)]
pub(super) struct EventStreams {
    open: BTreeMap<String, EventStream>,
    pending: BTreeMap<Ticket, Pending>,
    opened: u64,
}

fn limits(args: &Data) -> (i64, usize) {
    let events = args.field("max_events").as_int().unwrap_or(10_000);
    let bytes = args.field("max_message_bytes").as_int().and_then(|n| usize::try_from(n).ok());
    (events, bytes.unwrap_or(1 << 20))
}

impl EventStreams {
    fn room(&self) -> Result<(), Raised> {
        if self.open.len() < MOST_HANDLES {
            return Ok(());
        }
        Err(Raised::thrown(format!("sse_connect: maximum open streams ({MOST_HANDLES}) reached")))
    }

    fn insert(&mut self, stream: EventStream) -> Data {
        self.opened += 1;
        let id = format!("sse-{}", self.opened);
        self.open.insert(id.clone(), stream);
        id.into()
    }

    /// Opens a stream that `sse_mock` has scripted.
    pub(super) fn open_scripted(
        &mut self,
        args: &Data,
        scripts: &mut Scripts,
    ) -> Result<Option<Data>, Raised> {
        let url = text(args, "url").to_owned();
        let Some(events) = scripts.events(&url) else { return Ok(None) };
        self.room()?;
        let (left, _) = limits(args);
        let stream =
            EventStream { url: url.clone(), announced: false, ready: events.into(), source: None, left };
        let handle = self.insert(stream);
        scripts.note("sse_connect", &url, handle.as_str().unwrap_or_default(), "", Data::Nil);
        Ok(Some(handle))
    }

    /// Opens a stream whose whole body an HTTP script has given.
    pub(super) fn open_replied(&mut self, args: &Data, reply: &Reply) -> Result<Data, Raised> {
        self.room()?;
        let (left, max_bytes) = limits(args);
        let url = text(args, "url").to_owned();
        let mut ready = Vec::new();
        let _ = Decoder::new(max_bytes).push(&reply.body, &mut ready);
        Ok(self.insert(EventStream { url, announced: false, ready: ready.into(), source: None, left }))
    }

    /// The host is opening a stream under this ticket.
    pub(super) fn expect(&mut self, ticket: Ticket, args: &Data) -> Result<(), Raised> {
        self.room()?;
        let (max_events, max_bytes) = limits(args);
        let url = text(args, "url").to_owned();
        self.pending.insert(ticket, Pending::Opening { url, max_events, max_bytes });
        Ok(())
    }

    pub(super) fn expects(&self, ticket: Ticket) -> bool {
        self.pending.contains_key(&ticket)
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.pending.remove(&ticket);
    }

    /// The next event of a stream: at once, or when the host has read one.
    pub(super) fn receive(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, args: &Data) -> Started {
        let handle = text(args, "stream");
        let wait = args.field("timeout_ms").as_int().unwrap_or(30_000);
        let Some(stream) = self.open.get_mut(handle) else { return Started::Done(Ok(Data::Nil)) };
        if !stream.announced {
            stream.announced = true;
            return Started::Done(Ok(Data::dict([("type", "open".into())])));
        }
        let handle = handle.to_owned();
        self.go_on(cx, ticket, handle, cx.monotonic_ms + wait)
    }

    /// Gives the next ready event, or reads on until `until_ms`.
    fn go_on(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, handle: String, until_ms: i64) -> Started {
        let Some(stream) = self.open.get_mut(&handle) else { return Started::Done(Ok(Data::Nil)) };
        if stream.left <= 0 {
            return Started::Done(Err(Raised::thrown(format!(
                "sse_receive: {} gave more than max_events",
                stream.url
            ))));
        }
        if let Some(event) = stream.ready.pop_front() {
            stream.left -= 1;
            return Started::Done(Ok(event.to_data()));
        }
        let Some(source) = &stream.source else { return Started::Done(Ok(Data::Nil)) };
        let read = Data::dict([
            ("stream", Data::Int(source.number)),
            ("max_bytes", Data::Int(64 << 10)),
            ("timeout_ms", Data::Int((until_ms - cx.monotonic_ms).max(0))),
        ]);
        self.pending.insert(ticket, Pending::Reading { handle, until_ms });
        Started::Forward(Request { op: Op::HttpRead, args: read })
    }

    /// The host has opened a stream or read from one.
    pub(super) fn host_done(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, outcome: Outcome) -> Started {
        match (self.pending.remove(&ticket), outcome) {
            (Some(Pending::Opening { url, max_events, max_bytes }), Ok(head)) => {
                let status = head.field("status").as_int().unwrap_or(0);
                if !(200..300).contains(&status) {
                    return Started::Done(Err(Raised::thrown(format!(
                        "sse_connect: the server answered with status {status}"
                    ))));
                }
                let number = head.field("stream").as_int().unwrap_or(0);
                let source = Some(Source { number, decoder: Decoder::new(max_bytes) });
                let stream =
                    EventStream { url, announced: false, ready: VecDeque::new(), source, left: max_events };
                Started::Done(Ok(self.insert(stream)))
            }
            (Some(Pending::Reading { handle, until_ms }), Ok(read)) => {
                self.take(cx, ticket, handle, until_ms, read)
            }
            (_, outcome) => Started::Done(outcome),
        }
    }

    fn take(
        &mut self,
        cx: &ServiceCx<'_>,
        ticket: Ticket,
        handle: String,
        until_ms: i64,
        read: Data,
    ) -> Started {
        let Some(stream) = self.open.get_mut(&handle) else { return Started::Done(Ok(Data::Nil)) };
        match read {
            Data::Bool(_) => return Started::Done(Ok(Data::dict([("type", "timeout".into())]))),
            Data::Bytes(bytes) => {
                let mut events = Vec::new();
                if let Some(source) = &mut stream.source
                    && source.decoder.push(&bytes, &mut events).is_err()
                {
                    stream.source = None;
                    return Started::Done(Err(Raised::thrown(
                        "sse_receive: message exceeded max_message_bytes",
                    )));
                }
                stream.ready.extend(events);
            }
            _ => stream.source = None,
        }
        self.go_on(cx, ticket, handle, until_ms)
    }

    /// Closes a stream: whether it was open.
    pub(super) fn close(&mut self, args: &Data) -> Started {
        match self.open.remove(text(args, "stream")) {
            None => Started::Done(Ok(false.into())),
            Some(EventStream { source: Some(source), .. }) => Started::Forward(Request {
                op: Op::HttpClose,
                args: Data::dict([("stream", Data::Int(source.number))]),
            }),
            Some(_) => Started::Done(Ok(true.into())),
        }
    }
}
