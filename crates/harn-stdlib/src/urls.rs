//! URLs and query strings (spec 05 section 5.12).

use harn_vm::{NativeResult, Value, View};
use url::{Url, form_urlencoded};

use crate::arguments::{Body, done, entry, get, text, text_of, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("url_parse", |_, a| match Url::parse(&text(a, 0)) {
        Ok(url) => done(parts(&url)),
        Err(e) => thrown(format!("url_parse: {e}")),
    }),
    ("url_build", |_, a| build(get(a, 0))),
    ("query_parse", |_, a| {
        let query = text(a, 0);
        let query = query.strip_prefix('?').unwrap_or(&query);
        let pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(k, v)| Value::dict([("key", Value::str(&k)), ("value", Value::str(&v))]));
        done(Value::list(pairs.collect()))
    }),
    ("query_stringify", |_, a| {
        let View::List(items) = get(a, 0).view() else {
            return thrown("query_stringify: expected a list of {key, value} dicts");
        };
        let mut out = form_urlencoded::Serializer::new(String::new());
        for item in items.as_slice() {
            let (Some(key), Some(value)) = (entry(item, "key"), entry(item, "value")) else {
                return thrown("query_stringify: each item must be a {key, value} dict");
            };
            out.append_pair(&text_of(&key), &text_of(&value));
        }
        done(out.finish())
    }),
];

fn parts(url: &Url) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Value::dict([
        ("scheme", Value::str(url.scheme())),
        ("host", url.host_str().map(str::to_owned).into()),
        ("port", url.port().map(i64::from).into()),
        ("path", Value::str(url.path())),
        ("query", url.query().map(str::to_owned).into()),
        ("fragment", url.fragment().map(str::to_owned).into()),
        ("username", some(url.username()).into()),
        ("password", url.password().map(str::to_owned).into()),
    ])
}

fn build(parts: &Value) -> NativeResult {
    let part = |key: &str| entry(parts, key).filter(|v| !v.is_nil()).map(|v| text_of(&v).into_owned());
    let Some(scheme) = part("scheme") else { return thrown("url_build: 'scheme' is required") };
    let mut text = format!("{scheme}:");
    if let Some(host) = part("host") {
        text.push_str("//");
        text.push_str(&host);
    }
    let path = part("path").unwrap_or_else(|| "/".to_owned());
    if part("host").is_some() && !path.starts_with('/') {
        text.push('/');
    }
    // A `?` or `#` in the path belongs to the path.
    text.push_str(&path.replace('?', "%3F").replace('#', "%23"));
    let mut url = match Url::parse(&text) {
        Ok(url) => url,
        Err(e) => return thrown(format!("url_build: {e}")),
    };
    if let Some(port) = entry(parts, "port").filter(|p| !p.is_nil()) {
        let number = port.as_int().and_then(|n| u16::try_from(n).ok());
        if number.is_none_or(|n| url.set_port(Some(n)).is_err()) {
            return thrown("url_build: invalid port");
        }
    }
    let named = part("username").is_none_or(|name| url.set_username(&name).is_ok())
        && part("password").is_none_or(|word| url.set_password(Some(&word)).is_ok());
    if !named {
        return thrown("url_build: this URL cannot have a user");
    }
    url.set_query(part("query").as_deref());
    url.set_fragment(part("fragment").as_deref());
    done(url.as_str())
}
