//! Multipart forms taken apart (spec 05 section 5.17).

use harn_vm::{NativeResult, Value};

use crate::arguments::{Body, done, entry, get, runtime_error, text};
use crate::bytes::bytes;

/// The bodies.
pub const BODIES: &[Body] = &[("__multipart_split", |_, a| split(a))];

fn split(args: &mut [Value]) -> NativeResult {
    let body = match bytes("multipart_parse", args, 0) {
        Ok(body) => body,
        Err(error) => return error,
    };
    let limit = |key: &str, default: usize| {
        entry(get(args, 2), key).and_then(|v| usize::try_from(v.as_int()?).ok()).unwrap_or(default)
    };
    let limits = Limits {
        total: limit("max_total_bytes", 8 << 20),
        field: limit("max_field_bytes", 8 << 20),
        fields: limit("max_fields", 128),
    };
    match form(body, &text(args, 1), limits) {
        Ok(form) => done(form),
        Err(problem) => runtime_error(format!("multipart_parse: {problem}")),
    }
}

struct Limits {
    total: usize,
    field: usize,
    fields: usize,
}

fn form(body: &[u8], content_type: &str, limits: Limits) -> Result<Value, String> {
    if body.len() > limits.total {
        return Err(format!("body exceeds {} bytes", limits.total));
    }
    let boundary = parameter(content_type, "boundary").ok_or("content type has no boundary")?;
    let delimiter = format!("--{boundary}");
    let mut parts = pieces(body, delimiter.as_bytes()).into_iter();
    // What stands before the first delimiter is no field.
    parts.next();
    let mut fields = Vec::new();
    let mut closed = false;
    for part in parts {
        if part.starts_with(b"--") {
            closed = true;
            break;
        }
        if fields.len() == limits.fields {
            return Err(format!("more than {} fields", limits.fields));
        }
        let part = part.strip_prefix(b"\r\n").ok_or("malformed delimiter")?;
        let part = part.strip_suffix(b"\r\n").ok_or("malformed field")?;
        fields.push(field(part, &limits)?);
    }
    if !closed {
        return Err("missing final boundary".to_owned());
    }
    Ok(Value::dict([("boundary", Value::string(boundary)), ("fields", Value::list(fields))]))
}

fn field(part: &[u8], limits: &Limits) -> Result<Value, String> {
    let end = find(part, b"\r\n\r\n");
    let (head, content) = match end {
        Some(end) => (part.get(..end), part.get(end + 4..)),
        None => return Err("malformed field headers".to_owned()),
    };
    let (head, content) = (head.unwrap_or(&[]), content.unwrap_or(&[]));
    if content.len() > limits.field {
        return Err(format!("field exceeds {} bytes", limits.field));
    }
    let head = String::from_utf8_lossy(head);
    let mut headers = Value::dict::<&str>([]);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or("malformed field headers")?;
        headers.dict_set(&name.trim().to_lowercase(), Value::str(value.trim()));
    }
    let header = |name: &str| entry(&headers, name).and_then(|v| v.as_str().map(str::to_owned));
    let disposition = header("content-disposition").ok_or("field has no content-disposition")?;
    let name = parameter(&disposition, "name").ok_or("field has no name")?;
    let text = std::str::from_utf8(content).ok().map(str::to_owned);
    Ok(Value::dict([
        ("name", Value::string(name)),
        ("filename", parameter(&disposition, "filename").into()),
        ("content_type", header("content-type").into()),
        ("bytes", Value::bytes(content.to_vec())),
        ("text", text.into()),
        ("headers", headers),
    ]))
}

/// The value of a parameter of a header: `a=b` or `a="b"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (text, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value.get(..end)?.trim().to_owned(), value.get(end..)?)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((out, text.get(i + 1..)?)),
            '\\' => out.push(chars.next()?.1),
            _ => out.push(c),
        }
    }
    None
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The pieces between occurrences of a delimiter.
fn pieces<'a>(text: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, delimiter) {
        out.push(rest.get(..at).unwrap_or(&[]));
        rest = rest.get(at + delimiter.len()..).unwrap_or(&[]);
    }
    out.push(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_may_be_quoted() {
        assert_eq!(parameter("f; name=\"a\\\"b;\"; filename=c", "name").as_deref(), Some("a\"b;"));
        assert_eq!(parameter("f; name=\"a\"; filename=c", "filename").as_deref(), Some("c"));
        assert_eq!(parameter("f; name=\"a", "name"), None);
    }

    #[test]
    fn a_form_must_be_closed() {
        let limits = || Limits { total: 1000, field: 1000, fields: 2 };
        let open = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
        let kind = "multipart/form-data; boundary=B";
        assert_eq!(form(open, kind, limits()).err().as_deref(), Some("missing final boundary"));
        let mut closed = open.to_vec();
        closed.extend_from_slice(b"--B--\r\n");
        assert!(form(&closed, kind, limits()).is_ok());
    }
}
