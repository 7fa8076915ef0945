//! WebSockets: of the host, or scripted.

use std::collections::BTreeMap;

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_http::scripts::{Scripts, SocketScript};

use super::{MOST_HANDLES, text};
use crate::service::Started;

enum Wire {
    /// The host's number of the connection.
    Host(i64),
    Scripted(SocketScript),
}

struct Socket {
    wire: Wire,
    url: String,
    /// How many messages it may still receive.
    left: i64,
}

/// The open sockets by handle.
#[derive(Default)]
pub(super) struct Sockets {
    open: BTreeMap<String, Socket>,
    expected: BTreeMap<Ticket, (String, i64)>,
    opened: u64,
}

impl Sockets {
    fn insert(&mut self, socket: Socket) -> String {
        self.opened += 1;
        let id = format!("websocket-{}", self.opened);
        self.open.insert(id.clone(), socket);
        id
    }

    /// Opens a socket: a scripted one at once.
    pub(super) fn open(
        &mut self,
        ticket: Ticket,
        args: &Data,
        scripts: &mut Scripts,
    ) -> Result<Started, Raised> {
        if self.open.len() + self.expected.len() >= MOST_HANDLES {
            return Err(Raised::thrown(format!(
                "websocket_connect: maximum open sockets ({MOST_HANDLES}) reached"
            )));
        }
        let url = text(args, "url").to_owned();
        let left = args.field("max_messages").as_int().unwrap_or(i64::MAX);
        if let Some(script) = scripts.socket(&url) {
            let id = self.insert(Socket { wire: Wire::Scripted(script), url: url.clone(), left });
            scripts.note("websocket_connect", &url, &id, "", Data::Nil);
            return Ok(Started::Done(Ok(id.into())));
        }
        self.expected.insert(ticket, (url, left));
        Ok(Started::Forward(Request { op: Op::SocketOpen, args: args.clone() }))
    }

    pub(super) fn expects(&self, ticket: Ticket) -> bool {
        self.expected.contains_key(&ticket)
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.expected.remove(&ticket);
    }

    /// The host has connected, or failed to.
    pub(super) fn opened(&mut self, ticket: Ticket, outcome: Outcome) -> Started {
        let (url, left) = self.expected.remove(&ticket).unwrap_or_default();
        Started::Done(outcome.map(|number| {
            let wire = Wire::Host(number.as_int().unwrap_or(0));
            self.insert(Socket { wire, url, left }).into()
        }))
    }

    fn forward(op: Op, number: i64, args: &Data) -> Started {
        let mut fields = args.as_dict().cloned().unwrap_or_default();
        fields.insert("socket".to_owned(), Data::Int(number));
        Started::Forward(Request { op, args: Data::Dict(fields) })
    }

    /// Sends a message; `false` when the socket is closed.
    pub(super) fn send(&mut self, args: &Data, scripts: &mut Scripts) -> Result<Started, Raised> {
        let id = text(args, "socket");
        let Some(socket) = self.open.get_mut(id) else { return Ok(Started::Done(Ok(false.into()))) };
        let script = match &mut socket.wire {
            Wire::Host(number) => return Ok(Self::forward(Op::SocketSend, *number, args)),
            Wire::Scripted(script) => script,
        };
        let (kind, data) = (text(args, "type"), args.field("data").clone());
        if script.echo && matches!(kind, "text" | "binary") {
            let field = if kind == "text" { "data" } else { "data_base64" };
            let shown = match &data {
                Data::Bytes(_) => data.to_json().as_str().unwrap_or_default().into(),
                other => other.clone(),
            };
            script.messages.push_back(Data::dict([("type", kind.into()), (field, shown)]));
        }
        scripts.note("websocket_send", &socket.url, id, kind, data);
        Ok(Started::Done(Ok(true.into())))
    }

    /// The next message of a socket.
    pub(super) fn receive(&mut self, args: &Data) -> Started {
        let Some(socket) = self.open.get_mut(text(args, "socket")) else {
            return Started::Done(Ok(Data::Nil));
        };
        if socket.left <= 0 {
            return Started::Done(Err(Raised::thrown("websocket_receive: max_messages reached")));
        }
        socket.left -= 1;
        match &mut socket.wire {
            Wire::Host(number) => Self::forward(Op::SocketReceive, *number, args),
            Wire::Scripted(script) => Started::Done(Ok(script
                .messages
                .pop_front()
                .unwrap_or_else(|| Data::dict([("type", "timeout".into())])))),
        }
    }

    /// Closes a socket: whether it was open.
    pub(super) fn close(&mut self, args: &Data, scripts: &mut Scripts) -> Started {
        let id = text(args, "socket");
        match self.open.remove(id) {
            None => Started::Done(Ok(false.into())),
            Some(Socket { wire: Wire::Host(number), .. }) => Self::forward(Op::SocketClose, number, args),
            Some(Socket { url, .. }) => {
                scripts.note("websocket_close", &url, id, "", Data::Nil);
                Started::Done(Ok(true.into()))
            }
        }
    }
}
