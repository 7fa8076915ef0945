//! HTTP of programs (spec 06 section 6): one exchange at a time, redirects and retries are the caller's. Bodies come
//! whole or as a stream that is read piece by piece.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_http::egress::Policy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, Proxy, Response};
use tokio::time::timeout;

use crate::causes;
use crate::completions::Completions;
use crate::network::{self, Network};

/// The longest body that is read whole, in bytes.
const MAX_BODY_BYTES: usize = 256 << 20;

/// Clients and open streams.
#[derive(Default)]
pub struct Web {
    /// By what makes a client: timeouts, proxy, TLS, the networks it must not reach.
    clients: HashMap<String, Client>,
    streams: Arc<Mutex<HashMap<i64, Stream>>>,
    opened: i64,
}

/// An open body, shared with the read that is under way.
type Stream = Arc<tokio::sync::Mutex<Body>>;

struct Body {
    response: Response,
    /// Bytes that have arrived and nobody has read.
    rest: Vec<u8>,
}

impl Web {
    /// Starts a request of the family `http.*`. `Some` when it is answered at once.
    pub fn start(
        &mut self,
        network: &mut Network,
        ticket: Ticket,
        request: &Request,
        completions: &Completions,
    ) -> Option<Outcome> {
        let args = &request.args;
        match request.op {
            Op::HttpRead => self.read(network, ticket, args, completions),
            Op::HttpClose => Some(Ok(Data::Bool(self.take(args).is_some()))),
            op => self.exchange(network, ticket, op == Op::HttpOpen, args, completions),
        }
    }

    fn exchange(
        &mut self,
        network: &mut Network,
        ticket: Ticket,
        opens: bool,
        args: &Data,
        completions: &Completions,
    ) -> Option<Outcome> {
        let request = match self.client(args).and_then(|client| request(&client, args)) {
            Ok(request) => request,
            Err(why) => return Some(Err(Raised::thrown(why))),
        };
        self.opened += 1;
        let (id, streams, completions) = (self.opened, self.streams.clone(), completions.clone());
        let total = milliseconds(args, "timeout_ms").unwrap_or(Duration::from_secs(30));
        network.run(ticket, async move {
            let work = async {
                let response = request.send().await.map_err(|error| failed(error, total))?;
                if opens {
                    let head = head(&response, [("stream", Data::Int(id))]);
                    let body = Body { response, rest: Vec::new() };
                    lock(&streams).insert(id, Arc::new(tokio::sync::Mutex::new(body)));
                    return Ok(head);
                }
                whole(response).await
            };
            let outcome = timeout(total, work).await.unwrap_or_else(|_| Err(late(total)));
            completions.done(ticket, outcome);
        })
    }

    fn read(
        &mut self,
        network: &mut Network,
        ticket: Ticket,
        args: &Data,
        completions: &Completions,
    ) -> Option<Outcome> {
        let id = args.field("stream").as_int().unwrap_or(0);
        let Some(stream) = lock(&self.streams).get(&id).cloned() else { return Some(Ok(Data::Nil)) };
        let most = args.field("max_bytes").as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(1 << 20);
        let limit = milliseconds(args, "timeout_ms").unwrap_or(Duration::from_secs(30));
        let completions = completions.clone();
        network.run(ticket, async move {
            let outcome = match timeout(limit, next(&stream, most)).await {
                Ok(outcome) => outcome,
                Err(_) => Ok(Data::Bool(true)),
            };
            completions.done(ticket, outcome);
        })
    }

    fn take(&mut self, args: &Data) -> Option<Stream> {
        lock(&self.streams).remove(&args.field("stream").as_int()?)
    }

    fn client(&mut self, args: &Data) -> Result<Client, String> {
        let local = reqwest::Url::parse(text(args, "url"))
            .is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
        let parts = [
            "connect_timeout_ms",
            "read_timeout_ms",
            "proxy",
            "proxy_auth",
            "tls",
            "denied_networks",
            "port",
        ];
        let key = parts.map(|part| format!("{:?}", args.field(part))).join("\u{1}")
            + if local { "local" } else { "" };
        if let Some(client) = self.clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build(args, local)?;
        self.clients.insert(key, client.clone());
        Ok(client)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while it was held cannot leave a map half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text<'a>(args: &'a Data, key: &str) -> &'a str {
    args.field(key).as_str().unwrap_or_default()
}

fn milliseconds(args: &Data, key: &str) -> Option<Duration> {
    args.field(key).as_int().map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

fn build(args: &Data, local: bool) -> Result<Client, String> {
    let mut builder = network::client();
    if let Some(limit) = milliseconds(args, "connect_timeout_ms") {
        builder = builder.connect_timeout(limit);
    }
    if let Some(limit) = milliseconds(args, "read_timeout_ms") {
        builder = builder.read_timeout(limit);
    }
    if local && args.field("proxy").is_nil() {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = proxy(args)? {
        builder = builder.proxy(proxy);
    }
    let denied = args.field("denied_networks");
    if denied.as_list().is_some_and(|rules| !rules.is_empty()) {
        let port = args.field("port").as_int().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        builder = builder.dns_resolver(Arc::new(Checked { policy: Policy::denying(denied), port }));
    }
    let tls = args.field("tls");
    if let Some(path) = tls.field("ca_bundle_path").as_str() {
        for certificate in certificates(&file(path)?).map_err(|why| format!("http: tls: {path}: {why}"))? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(pem) = identity(tls)? {
        builder = builder.identity(Identity::from_pem(&pem).map_err(|why| format!("http: tls: {why}"))?);
    }
    builder
        .build()
        .map_err(|error| format!("http: the client cannot be made: {}", causes::in_one_line(&error)))
}

fn proxy(args: &Data) -> Result<Option<Proxy>, String> {
    let given = args.field("proxy");
    let Some(url) = given.as_str().or_else(|| given.field("url").as_str()) else { return Ok(None) };
    let mut proxy = Proxy::all(url)
        .map_err(|error| format!("http: invalid proxy: {}", causes::in_one_line(&error.without_url())))?;
    if let Some(hosts) = given.field("no_proxy").as_str() {
        proxy = proxy.no_proxy(reqwest::NoProxy::from_string(hosts));
    }
    let auth = args.field("proxy_auth");
    if let Some(user) = auth.field("user").as_str() {
        proxy = proxy.basic_auth(user, text(auth, "pass"));
    }
    Ok(Some(proxy))
}

fn file(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("http: tls: cannot read {path}: {error}"))
}

fn certificates(bytes: &[u8]) -> reqwest::Result<Vec<Certificate>> {
    if bytes.starts_with(b"-----") || bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        return Certificate::from_pem_bundle(bytes);
    }
    Ok(vec![Certificate::from_der(bytes)?])
}

/// The client certificate and its key as one PEM text.
fn identity(tls: &Data) -> Result<Option<Vec<u8>>, String> {
    let path = |key: &str| tls.field(key).as_str();
    let mut pem = Vec::new();
    for path in ["client_identity_path", "client_cert_path", "client_key_path"].into_iter().filter_map(path) {
        pem.extend(file(path)?);
        pem.push(b'\n');
    }
    Ok((!pem.is_empty()).then_some(pem))
}

fn request(client: &Client, args: &Data) -> Result<reqwest::RequestBuilder, String> {
    let method = Method::from_bytes(text(args, "method").as_bytes())
        .map_err(|_| format!("http: invalid method '{}'", text(args, "method")))?;
    let mut headers = HeaderMap::new();
    for pair in args.field("headers").as_list().unwrap_or_default() {
        let [Data::Str(name), Data::Str(value)] = pair.as_list().unwrap_or_default() else { continue };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|error| format!("http: invalid header name '{name}': {error}"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|error| format!("http: invalid header value for '{name}': {error}"))?;
        headers.append(key, value);
    }
    let request = client.request(method, text(args, "url")).headers(headers);
    Ok(match args.field("body") {
        Data::Bytes(bytes) => request.body(bytes.clone()),
        _ => request,
    })
}

fn head(response: &Response, more: [(&str, Data); 1]) -> Data {
    let headers = response.headers().iter().map(|(name, value)| {
        Data::List(vec![name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()])
    });
    let status = Data::Int(response.status().as_u16().into());
    Data::dict([("status", status), ("headers", Data::List(headers.collect()))].into_iter().chain(more))
}

async fn whole(mut response: Response) -> Outcome {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| cut(&error))? {
        if bytes.len() + piece.len() > MAX_BODY_BYTES {
            return Err(Raised::thrown(format!("http: response body exceeds {MAX_BODY_BYTES} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(head(&response, [("body", Data::Bytes(bytes))]))
}

async fn next(stream: &Stream, most: usize) -> Outcome {
    let mut body = stream.lock().await;
    while body.rest.is_empty() {
        match body.response.chunk().await.map_err(|error| cut(&error))? {
            Some(piece) => body.rest = piece.to_vec(),
            None => return Ok(Data::Nil),
        }
    }
    let take = most.max(1).min(body.rest.len());
    let later = body.rest.split_off(take);
    Ok(Data::Bytes(std::mem::replace(&mut body.rest, later)))
}

fn late(limit: Duration) -> Raised {
    Raised::thrown(format!("http: request failed: timed out after {} ms", limit.as_millis()))
}

fn failed(error: reqwest::Error, limit: Duration) -> Raised {
    match error.is_timeout() && !error.is_connect() {
        true => late(limit),
        false => {
            Raised::thrown(format!("http: request failed: {}", causes::in_one_line(&error.without_url())))
        }
    }
}

fn cut(error: &dyn Error) -> Raised {
    Raised::thrown(format!("http: request failed: {}", causes::in_one_line(error)))
}

/// Resolves names and leaves out the addresses that the egress policy denies, so that a name cannot lead into a network
/// its address could not be named for.
struct Checked {
    policy: Policy,
    port: u16,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, port) = (self.policy.clone(), self.port);
        Box::pin(async move {
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), port)).await?.collect();
            let mut refusal = None;
            let mut kept = Vec::new();
            for address in all {
                match policy.check_address(address.ip(), port) {
                    Ok(()) => kept.push(address),
                    Err(reason) => refusal = Some(format!("egress to {} blocked: {reason}", address.ip())),
                }
            }
            match refusal {
                Some(reason) if kept.is_empty() => Err(reason.into()),
                _ => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}
