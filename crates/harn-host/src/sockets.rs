//! WebSockets of programs (spec 06 section 6.2), as a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::completions::Completions;
use crate::network::Network;

type Wire = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The two halves of a connection: one may wait for a message while the other sends.
#[derive(Clone)]
struct Socket {
    outgoing: Arc<Mutex<SplitSink<Wire, Message>>>,
    incoming: Arc<Mutex<SplitStream<Wire>>>,
}

/// The connections that are open.
#[derive(Default)]
pub struct Sockets {
    open: Arc<std::sync::Mutex<HashMap<i64, Socket>>>,
    opened: i64,
}

impl Sockets {
    /// Starts a request of the family `socket.*`. `Some` when it is answered at once.
    pub fn start(
        &mut self,
        network: &mut Network,
        ticket: Ticket,
        request: &Request,
        completions: &Completions,
    ) -> Option<Outcome> {
        let (args, completions) = (request.args.clone(), completions.clone());
        if request.op == Op::SocketOpen {
            self.opened += 1;
            let (id, open) = (self.opened, self.open.clone());
            return network.run(ticket, async move {
                let limit = limit(&args);
                let outcome = match timeout(limit, connect(&args)).await {
                    Err(_) => Err(Raised::thrown(format!(
                        "websocket_connect: timed out after {} ms",
                        limit.as_millis()
                    ))),
                    Ok(Err(why)) => Err(Raised::thrown(format!("websocket_connect: {why}"))),
                    Ok(Ok(wire)) => {
                        let (outgoing, incoming) = wire.split();
                        let socket = Socket {
                            outgoing: Arc::new(Mutex::new(outgoing)),
                            incoming: Arc::new(Mutex::new(incoming)),
                        };
                        lock(&open).insert(id, socket);
                        Ok(Data::Int(id))
                    }
                };
                completions.done(ticket, outcome);
            });
        }
        let id = args.field("socket").as_int().unwrap_or(0);
        let socket = match request.op {
            Op::SocketClose => lock(&self.open).remove(&id),
            _ => lock(&self.open).get(&id).cloned(),
        };
        let Some(socket) = socket else {
            return Some(Ok(if request.op == Op::SocketReceive { Data::Nil } else { Data::Bool(false) }));
        };
        let op = request.op;
        network.run(ticket, async move {
            let outcome = match op {
                Op::SocketReceive => receive(&socket, limit(&args)).await,
                Op::SocketClose => {
                    // A peer that has gone cannot be told; the connection is closed either way.
                    let _ = timeout(limit(&args), socket.outgoing.lock().await.close()).await;
                    Ok(Data::Bool(true))
                }
                _ => send(&socket, &args).await,
            };
            completions.done(ticket, outcome);
        })
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while it was held cannot leave a map half changed.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn limit(args: &Data) -> Duration {
    let ms = args.field("timeout_ms").as_int().unwrap_or(30_000);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

async fn connect(args: &Data) -> Result<Wire, String> {
    let url = args.field("url").as_str().unwrap_or_default();
    let mut request = url.into_client_request().map_err(|error| error.to_string())?;
    for pair in args.field("headers").as_list().unwrap_or_default() {
        let [Data::Str(name), Data::Str(value)] = pair.as_list().unwrap_or_default() else { continue };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|why| format!("invalid header name '{name}': {why}"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|why| format!("invalid header value for '{name}': {why}"))?;
        request.headers_mut().append(key, value);
    }
    let most = args.field("max_message_bytes").as_int().and_then(|n| usize::try_from(n).ok());
    let config = WebSocketConfig::default().max_message_size(most.or(Some(1 << 20)));
    connect_async_with_config(request, Some(config), true)
        .await
        .map(|(wire, _)| wire)
        .map_err(|error| error.to_string())
}

async fn send(socket: &Socket, args: &Data) -> Outcome {
    let bytes = match args.field("data") {
        Data::Bytes(bytes) => bytes.clone(),
        Data::Str(text) => text.clone().into_bytes(),
        _ => Vec::new(),
    };
    let message = match args.field("type").as_str().unwrap_or("text") {
        "binary" => Message::Binary(bytes.into()),
        "ping" => Message::Ping(bytes.into()),
        "pong" => Message::Pong(bytes.into()),
        "close" => Message::Close(None),
        _ => Message::text(String::from_utf8_lossy(&bytes).into_owned()),
    };
    match socket.outgoing.lock().await.send(message).await {
        Ok(()) => Ok(Data::Bool(true)),
        Err(Error::ConnectionClosed | Error::AlreadyClosed) => Ok(Data::Bool(false)),
        Err(error) => Err(Raised::thrown(format!("websocket_send: {error}"))),
    }
}

async fn receive(socket: &Socket, limit: Duration) -> Outcome {
    let next = async { socket.incoming.lock().await.next().await };
    let Ok(next) = timeout(limit, next).await else {
        return Ok(Data::dict([("type", "timeout".into())]));
    };
    let binary = |kind: &str, bytes: &[u8]| {
        let text = Data::Bytes(bytes.to_vec()).to_json();
        Data::dict([("type", kind.into()), ("data_base64", text.as_str().unwrap_or_default().into())])
    };
    match next {
        None | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => Ok(Data::Nil),
        Some(Err(error)) => Err(Raised::thrown(format!("websocket_receive: {error}"))),
        Some(Ok(message)) => Ok(match message {
            Message::Text(text) => Data::dict([("type", "text".into()), ("data", text.as_str().into())]),
            Message::Binary(bytes) => binary("binary", &bytes),
            Message::Ping(bytes) => binary("ping", &bytes),
            Message::Pong(bytes) => binary("pong", &bytes),
            Message::Close(frame) => Data::dict([
                ("type", "close".into()),
                ("code", frame.as_ref().map_or(Data::Nil, |f| i64::from(u16::from(f.code)).into())),
                ("reason", frame.as_ref().map_or(Data::Nil, |f| f.reason.as_str().into())),
            ]),
            Message::Frame(_) => Data::Nil,
        }),
    }
}
