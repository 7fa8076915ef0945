//! The network of a program (spec 06 sections 6 and 12): egress rules first, scripted replies second, the host last.
//!
//! A request is one exchange; redirects and retries are decided in the prelude (`prelude/http.harn`), so that each hop
//! passes here.

mod events;
mod sockets;
mod streams;

use std::collections::BTreeMap;

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::{Event, Json};
use harn_http::egress::Policy;
use harn_http::mock::{Mocks, Reply};
use harn_http::scripts::Scripts;

use crate::service::{Service, ServiceCx, Started};
use events::EventStreams;
use sockets::Sockets;
use streams::Streams;

/// Where refused requests are written.
const AUDIT_TOPIC: &str = "connectors.egress.audit";

/// Most sessions, streams, event streams and sockets that are open at a time (spec 06 section 6).
const MOST_HANDLES: usize = 64;

/// Performs `http.*`, `events.*`, `socket.*` and `egress.*`.
#[derive(Default)]
pub struct HttpService {
    egress: Egress,
    mocks: Mocks,
    scripts: Scripts,
    sessions: BTreeMap<String, Data>,
    sessions_opened: u64,
    streams: Streams,
    events: EventStreams,
    sockets: Sockets,
    /// The first effect that left something behind which a snapshot cannot hold (a connection, scripted replies, a
    /// policy).
    left_behind: Option<Op>,
}

/// The policy, which the environment may set before the program does.
#[derive(Default)]
struct Egress {
    policy: Option<Policy>,
    seeded: bool,
}

impl Egress {
    fn seed(&mut self, cx: &ServiceCx<'_>) -> Result<(), Raised> {
        if !self.seeded {
            self.policy = Policy::from_environment(cx.env).map_err(Raised::thrown)?;
            self.seeded = true;
        }
        Ok(())
    }

    fn set(&mut self, cx: &ServiceCx<'_>, config: &Data) -> Outcome {
        self.seed(cx)?;
        if let Some(policy) = &self.policy {
            let text = format!("egress_policy: policy already configured from {}", policy.source);
            return Err(Raised::thrown(text));
        }
        let policy = Policy::read(config).map_err(Raised::thrown)?;
        Ok(self.policy.insert(policy).to_data())
    }

    /// Refuses a URL that the policy forbids, and writes the refusal down.
    fn check(&mut self, cx: &ServiceCx<'_>, surface: &str, url: &str) -> Result<(), Raised> {
        self.seed(cx)?;
        let Some(Err(blocked)) = self.policy.as_ref().map(|policy| policy.check(url)) else { return Ok(()) };
        let thrown = blocked.thrown(surface);
        let event = Event::new("egress.blocked", Json::from(&thrown), cx.now_ms);
        // The request is refused whether or not the log can be written.
        if let Ok(log) = cx.log.get() {
            let _ = log.borrow_mut().append(AUDIT_TOPIC, event);
        }
        Err(Raised::Thrown(thrown))
    }

    /// The request with what the host must know of the policy.
    fn bind(&self, args: Data) -> Data {
        let denied = self.policy.as_ref().map(Policy::denied_networks);
        match (args, denied) {
            (Data::Dict(mut fields), Some(Data::List(rules))) if !rules.is_empty() => {
                let port = fields.get("url").and_then(Data::as_str).and_then(harn_http::port);
                fields.insert("denied_networks".to_owned(), Data::List(rules));
                fields.insert("port".to_owned(), port.map_or(Data::Nil, |port| i64::from(port).into()));
                Data::Dict(fields)
            }
            (args, _) => args,
        }
    }
}

fn text<'a>(args: &'a Data, key: &str) -> &'a str {
    args.field(key).as_str().unwrap_or_default()
}

/// The pairs of a `headers` list.
fn header_pairs(args: &Data) -> Vec<(String, String)> {
    let pairs = args.field("headers").as_list().unwrap_or_default();
    let read = |pair: &Data| match pair.as_list().unwrap_or_default() {
        [Data::Str(name), Data::Str(value)] => Some((name.clone(), value.clone())),
        _ => None,
    };
    pairs.iter().filter_map(read).collect()
}

fn reply_head(reply: &Reply) -> [(&'static str, Data); 2] {
    let pair =
        |(name, value): &(String, String)| Data::List(vec![name.as_str().into(), value.as_str().into()]);
    [("status", reply.status.into()), ("headers", Data::List(reply.headers.iter().map(pair).collect()))]
}

impl HttpService {
    /// The scripted reply to a request; an error when scripts exist, none fits, and the network is not allowed.
    fn scripted(&mut self, args: &Data) -> Result<Option<Reply>, Raised> {
        let (method, url) = (text(args, "method"), text(args, "url"));
        let reply = self.mocks.reply(method, url, &header_pairs(args), args.field("body"));
        if reply.is_none() && self.mocks.is_active() && !self.mocks.passthrough {
            return Err(Raised::thrown(format!(
                "http: no mock answers {method} {}; add one, or let it through with http_mock_passthrough(true)",
                harn_http::redact::url(url)
            )));
        }
        Ok(reply)
    }

    fn exchange(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, request: Request) -> Result<Started, Raised> {
        let Request { op, args } = request;
        let surface = match text(&args, "surface") {
            "" => "http_request",
            name => name,
        }
        .to_owned();
        self.egress.check(cx, &surface, text(&args, "url"))?;
        if op == Op::EventsOpen
            && let Some(handle) = self.events.open_scripted(&args, &mut self.scripts)?
        {
            return Ok(Started::Done(Ok(handle)));
        }
        let reply = self.scripted(&args)?;
        match (op, reply) {
            (Op::HttpSend, Some(reply)) => {
                let body = ("body", Data::Bytes(reply.body.clone()));
                Ok(Started::Done(Ok(Data::dict(reply_head(&reply).into_iter().chain([body])))))
            }
            (Op::HttpOpen, Some(reply)) => {
                self.streams.open_scripted(&reply).map(|data| Started::Done(Ok(data)))
            }
            (Op::EventsOpen, Some(reply)) => {
                self.events.open_replied(&args, &reply).map(|data| Started::Done(Ok(data)))
            }
            (op, None) => {
                let args = self.egress.bind(args);
                let op = match op {
                    Op::HttpOpen => {
                        self.streams.expect(ticket)?;
                        Op::HttpOpen
                    }
                    Op::EventsOpen => {
                        self.events.expect(ticket, &args)?;
                        Op::HttpOpen
                    }
                    other => other,
                };
                Ok(Started::Forward(Request { op, args }))
            }
            (op, Some(_)) => Err(Raised::runtime(format!("{} has no scripted reply", op.name()))),
        }
    }

    fn session(&mut self, args: &Data) -> Outcome {
        let id = text(args, "id");
        match text(args, "action") {
            "open" if self.sessions.len() >= MOST_HANDLES => {
                Err(Raised::thrown(format!("http_session: maximum open sessions ({MOST_HANDLES}) reached")))
            }
            "open" => {
                self.sessions_opened += 1;
                let id = format!("http-session-{}", self.sessions_opened);
                self.sessions.insert(id.clone(), args.field("options").clone());
                Ok(id.into())
            }
            "close" => Ok(self.sessions.remove(id).is_some().into()),
            _ => match self.sessions.get(id) {
                Some(options) => Ok(options.clone()),
                None => Err(Raised::thrown(format!("http_session_request: unknown HTTP session '{id}'"))),
            },
        }
    }

    fn script(&mut self, args: &Data) -> Outcome {
        let (pattern, script) = (text(args, "pattern"), args.field("script"));
        match text(args, "action") {
            "script" => self.mocks.script(text(args, "method"), pattern, script),
            "clear" => {
                self.mocks.clear();
                self.streams.clear_scripted();
            }
            "calls" => return Ok(self.mocks.calls(args.field("sensitive").as_bool().unwrap_or(false))),
            "active" => return Ok(self.mocks.is_active().into()),
            "passthrough" => self.mocks.passthrough = args.field("allow").as_bool().unwrap_or(true),
            "script_events" => self.scripts.script_events(pattern, script),
            "script_socket" => self.scripts.script_socket(pattern, script),
            "transport_calls" => return Ok(self.scripts.calls()),
            "transport_clear" => self.scripts.clear(),
            other => return Err(Raised::runtime(format!("http.mock has no action '{other}'"))),
        }
        Ok(Data::Nil)
    }

    fn dispatch(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, request: Request) -> Result<Started, Raised> {
        let args = &request.args;
        match request.op {
            Op::HttpSend | Op::HttpOpen | Op::EventsOpen => self.exchange(cx, ticket, request),
            Op::HttpRead => self.streams.read(args),
            Op::HttpClose => Ok(self.streams.close(args)),
            Op::HttpInfo => Ok(Started::Done(Ok(self.streams.head(text(args, "stream"))))),
            Op::HttpSession => self.session(args).map(|data| Started::Done(Ok(data))),
            Op::HttpMock => self.script(args).map(|data| Started::Done(Ok(data))),
            Op::EgressPolicy => self.egress.set(cx, args.field("config")).map(|data| Started::Done(Ok(data))),
            Op::EventsReceive => Ok(self.events.receive(cx, ticket, args)),
            Op::EventsClose => Ok(self.events.close(args)),
            Op::SocketOpen => {
                self.egress.check(cx, "websocket_connect", text(args, "url"))?;
                self.sockets.open(ticket, args, &mut self.scripts)
            }
            Op::SocketSend => self.sockets.send(args, &mut self.scripts),
            Op::SocketReceive => Ok(self.sockets.receive(args)),
            Op::SocketClose => Ok(self.sockets.close(args, &mut self.scripts)),
            other => Err(Raised::runtime(format!("{} is no effect of the network", other.name()))),
        }
    }
}

impl Service for HttpService {
    fn ops(&self) -> &'static [Op] {
        &[
            Op::HttpSend,
            Op::HttpOpen,
            Op::HttpRead,
            Op::HttpClose,
            Op::HttpInfo,
            Op::HttpSession,
            Op::HttpMock,
            Op::EgressPolicy,
            Op::EventsOpen,
            Op::EventsReceive,
            Op::EventsClose,
            Op::SocketOpen,
            Op::SocketSend,
            Op::SocketReceive,
            Op::SocketClose,
        ]
    }

    fn save(&self) -> Result<Data, String> {
        match self.left_behind {
            Some(op) => Err(format!("what `{}` set up lives in this process only", op.name())),
            None => Ok(Data::Nil),
        }
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        if request.op != Op::HttpSend {
            self.left_behind.get_or_insert(request.op);
        }
        self.dispatch(cx, ticket, request).unwrap_or_else(|raised| Started::Done(Err(raised)))
    }

    fn host_done(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, outcome: Outcome) -> Started {
        if self.streams.expects(ticket) {
            return self.streams.opened(ticket, outcome);
        }
        if self.events.expects(ticket) {
            return self.events.host_done(cx, ticket, outcome);
        }
        if self.sockets.expects(ticket) {
            return self.sockets.opened(ticket, outcome);
        }
        Started::Done(outcome)
    }

    fn cancel(&mut self, _cx: &mut ServiceCx<'_>, ticket: Ticket) {
        self.streams.forget(ticket);
        self.events.forget(ticket);
        self.sockets.forget(ticket);
    }
}
