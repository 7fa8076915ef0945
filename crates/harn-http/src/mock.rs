//! Scripted replies of HTTP requests and the log of what was asked (spec 06 section 6.1).

use std::collections::BTreeMap;

use harn_effect::Data;

use crate::{fits, redact};

/// One scripted reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: i64,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// One request that reached the scripts.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Data,
}

#[derive(Clone, Debug)]
struct Rule {
    method: String,
    pattern: String,
    replies: Vec<Reply>,
    used: usize,
}

/// The scripts of a run.
#[derive(Clone, Debug, Default)]
pub struct Mocks {
    rules: Vec<Rule>,
    calls: Vec<Call>,
    /// Requests that no script answers may go to the network although scripts exist.
    pub passthrough: bool,
}

impl Mocks {
    /// Registers a script: `response` is one reply or `{responses: [...]}`. The same method and pattern replaces the
    /// earlier script and moves to the end.
    pub fn script(&mut self, method: &str, pattern: &str, response: &Data) {
        let replies = match response.field("responses") {
            Data::List(list) if !list.is_empty() => list.iter().map(reply).collect(),
            _ => vec![reply(response)],
        };
        let method = method.to_ascii_uppercase();
        self.rules.retain(|rule| rule.method != method || rule.pattern != pattern);
        self.rules.push(Rule { method, pattern: pattern.to_owned(), replies, used: 0 });
    }

    /// Drops scripts and the log.
    pub fn clear(&mut self) {
        *self = Mocks::default();
    }

    /// Whether any script is registered.
    pub fn is_active(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The scripted reply to a request, which is noted; `None` when no script fits.
    pub fn reply(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &Data,
    ) -> Option<Reply> {
        let rule = self
            .rules
            .iter_mut()
            .find(|rule| (rule.method == "*" || rule.method == method) && fits(&rule.pattern, url))?;
        let reply = rule.replies.get(rule.used.min(rule.replies.len() - 1))?.clone();
        rule.used += 1;
        self.calls.push(Call {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().cloned().collect(),
            body: match body {
                Data::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
                other => other.clone(),
            },
        });
        Some(reply)
    }

    /// What was asked, oldest first: `{method, url, headers, body}`; secrets only when `sensitive`.
    pub fn calls(&self, sensitive: bool) -> Data {
        let rows = self.calls.iter().map(|call| {
            let headers = call.headers.iter().map(|(name, value)| {
                let hide = !sensitive && redact::is_sensitive_header(name);
                (name.clone(), Data::from(if hide { redact::HIDDEN } else { value.as_str() }))
            });
            Data::dict([
                ("method", call.method.as_str().into()),
                ("url", if sensitive { call.url.clone() } else { redact::url(&call.url) }.into()),
                ("headers", Data::dict(headers)),
                ("body", call.body.clone()),
            ])
        });
        Data::List(rows.collect())
    }
}

fn reply(data: &Data) -> Reply {
    let headers = data.field("headers").as_dict().into_iter().flatten();
    Reply {
        status: data.field("status").as_int().unwrap_or(200),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), shown(value))).collect(),
        body: match data.field("body") {
            Data::Nil => Vec::new(),
            Data::Bytes(bytes) => bytes.clone(),
            other => shown(other).into_bytes(),
        },
    }
}

fn shown(data: &Data) -> String {
    match data {
        Data::Str(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(mocks: &mut Mocks, url: &str) -> Option<String> {
        mocks.reply("GET", url, &[], &Data::Nil).map(|reply| String::from_utf8(reply.body).unwrap())
    }

    #[test]
    fn the_first_script_that_fits_answers_and_the_last_reply_repeats() {
        let mut mocks = Mocks::default();
        let replies = ["a", "b"].map(|text| Data::dict([("body", text.into())]));
        mocks.script("get", "https://a.test/*", &Data::dict([("responses", Data::List(replies.to_vec()))]));
        let got: Vec<_> = (0..3).map(|_| body(&mut mocks, "https://a.test/x").unwrap()).collect();
        assert_eq!(got, ["a", "b", "b"]);
        assert_eq!(body(&mut mocks, "https://b.test/"), None);
    }

    #[test]
    fn the_log_hides_secrets_unless_asked() {
        let mut mocks = Mocks::default();
        mocks.script("*", "*", &Data::Nil);
        mocks.reply("GET", "https://a.test/", &[("authorization".into(), "Bearer x".into())], &Data::Nil);
        let shown = |sensitive| {
            let calls = mocks.calls(sensitive);
            calls.as_list().unwrap()[0].field("headers").field("authorization").as_str().unwrap().to_owned()
        };
        assert_eq!((shown(false), shown(true)), ("[redacted]".into(), "Bearer x".into()));
    }
}
