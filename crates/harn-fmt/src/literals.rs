//! Canonical text of literals and keys (spec 01 section 9.3).

/// A string token without interpolation: plain ones on one line are escaped anew, all others stay as written.
pub fn string(token: &str) -> String {
    if token.contains('\n') || token.starts_with('r') || token.starts_with("\"\"\"") {
        return token.to_string();
    }
    let inner = token.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(token);
    format!("\"{}\"", escaped_source(inner))
}

/// The literal part of a plain string as written in the source, in canonical escapes.
pub fn escaped_source(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => out.push_str("\\t"),
            '\\' => match chars.next() {
                Some('$') if chars.peek() != Some(&'{') => out.push('$'),
                Some(known @ ('n' | 't' | '\\' | '"' | '$')) => out.extend(['\\', known]),
                Some('\t') => out.push_str("\\\\\\t"),
                Some(other) => {
                    out.push_str("\\\\");
                    out.push(other);
                }
                None => out.push_str("\\\\"),
            },
            c => out.push(c),
        }
    }
    out
}

/// A value as a plain string.
pub fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A float: the shortest digits that give it back, with a point.
pub fn float(value: f64) -> String {
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// A duration in the largest of `h`, `m`, `s`, `ms` that divides it.
pub fn duration(ms: i64) -> String {
    for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms != 0 && ms % unit == 0 {
            return format!("{}{name}", ms / unit);
        }
    }
    format!("{ms}ms")
}

/// Whether a key can stand bare: an ASCII word.
pub fn is_bare_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
