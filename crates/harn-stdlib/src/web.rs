//! What the HTTP modules of the prelude compute natively, and the table of values they keep for a program.

use std::collections::BTreeMap;

use harn_vm::Value;
use url::Url;

use crate::arguments::{Body, done, int, take, text};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("__url_join", |_, a| {
        let joined = Url::parse(&text(a, 0)).and_then(|base| base.join(&text(a, 1)));
        done(joined.ok().map(String::from))
    }),
    ("__retry_after_ms", |_, a| done(retry_after_ms(text(a, 0).trim(), int(a, 1).unwrap_or(0)))),
    ("__percent_decode", |_, a| done(percent_decode(&text(a, 0)))),
    ("__kept", |cx, a| {
        let key = (text(a, 0).into_owned(), text(a, 1).into_owned());
        done(cx.state::<Kept>().0.get(&key).cloned().unwrap_or_default())
    }),
    ("__keep", |cx, a| {
        let value = take(a, 2);
        let key = (text(a, 0).into_owned(), text(a, 1).into_owned());
        cx.state::<Kept>().0.insert(key, value);
        done(Value::NIL)
    }),
    ("__kept_count", |cx, a| {
        let kind = text(a, 0);
        let kept = &cx.state::<Kept>().0;
        done(crate::arguments::count(kept.keys().filter(|(of, _)| *of == kind).count()))
    }),
];

/// Values that a module keeps for the whole program, by kind and id. Unlike a variable of the module it is one for all
/// tasks.
#[derive(Default)]
pub(crate) struct Kept(pub BTreeMap<(String, String), Value>);

/// The pause a `retry-after` header asks for: seconds, or a date of HTTP (RFC 9110 section 10.2.3).
fn retry_after_ms(header: &str, now_ms: i64) -> Option<i64> {
    if let Ok(seconds) = header.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0) as i64);
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?;
    Some((date.timestamp().as_millisecond() - now_ms).max(0))
}

/// Percent-decoded text; what does not decode to UTF-8 is replaced.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_date() {
        assert_eq!(retry_after_ms("1.5", 0), Some(1500));
        assert_eq!(retry_after_ms("Thu, 01 Jan 1970 00:00:10 GMT", 4_000), Some(6_000));
        assert_eq!(retry_after_ms("soon", 0), None);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(percent_decode("a%20b%zz+%"), "a b%zz+%");
    }
}
