//! JSON pointers (RFC 6901) over dicts and lists.

use harn_vm::{Value, View};

use crate::arguments::entry;

/// The segments of a pointer.
pub fn parse(name: &str, pointer: &str) -> Result<Vec<String>, String> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest = pointer
        .strip_prefix('/')
        .ok_or_else(|| format!("{name}: pointer must be empty or start with '/'"))?;
    rest.split('/').map(|segment| unescape(name, segment)).collect()
}

fn unescape(name: &str, segment: &str) -> Result<String, String> {
    let mut out = String::with_capacity(segment.len());
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => out.push('~'),
                Some('1') => out.push('/'),
                Some(other) => return Err(format!("{name}: invalid escape '~{other}' in pointer")),
                None => return Err(format!("{name}: dangling '~' in pointer")),
            },
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// A list index: digits without leading zeros.
fn index(segment: &str) -> Option<usize> {
    let plain = segment == "0" || !segment.starts_with('0');
    let digits = segment.bytes().all(|b| b.is_ascii_digit());
    (plain && digits).then(|| segment.parse().ok()).flatten()
}

fn child(value: &Value, segment: &str) -> Option<Value> {
    match value.view() {
        View::Dict(_) => entry(value, segment),
        View::List(list) => list.get(index(segment)?),
        _ => None,
    }
}

/// The value at a pointer, nil when there is none.
pub fn get(value: &Value, path: &[String]) -> Value {
    let found = path.iter().try_fold(value.clone(), |value, segment| child(&value, segment));
    found.unwrap_or_default()
}

/// A copy with the value at a pointer set; unchanged when its parent does not exist.
pub fn set(value: Value, path: &[String], new: Value) -> Value {
    let [segment, rest @ ..] = path else { return new };
    let mut value = value;
    let inner = match (rest, child(&value, segment)) {
        ([], _) => new,
        (_, Some(child)) => set(child, rest, new),
        (_, None) => return value,
    };
    put(&mut value, segment, inner);
    value
}

fn put(value: &mut Value, segment: &str, inner: Value) {
    if value.is_dict() {
        value.dict_set(segment, inner);
    } else if let Some(items) = value.list_mut() {
        let at = if segment == "-" { Some(items.len()) } else { index(segment) };
        match at {
            Some(at) if at == items.len() => items.push(inner),
            Some(at) => {
                if let Some(slot) = items.get_mut(at) {
                    *slot = inner;
                }
            }
            None => {}
        }
    }
}

/// A copy without the value at a pointer.
pub fn delete(value: Value, path: &[String]) -> Value {
    let [segment, rest @ ..] = path else { return Value::NIL };
    let mut value = value;
    let Some(inner) = child(&value, segment) else { return value };
    if !rest.is_empty() {
        put(&mut value, segment, delete(inner, rest));
    } else if value.is_dict() {
        value.dict_remove(segment);
    } else if let (Some(items), Some(at)) = (value.list_mut(), index(segment))
        && at < items.len()
    {
        items.remove(at);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_checked() {
        assert_eq!(parse("p", "/a~1b/~0").unwrap(), ["a/b", "~"]);
        assert_eq!(parse("p", "a").unwrap_err(), "p: pointer must be empty or start with '/'");
        assert_eq!(parse("p", "/~2").unwrap_err(), "p: invalid escape '~2' in pointer");
        assert_eq!(parse("p", "/~").unwrap_err(), "p: dangling '~' in pointer");
    }

    #[test]
    fn indices_have_no_leading_zeros() {
        assert_eq!((index("0"), index("10"), index("01"), index("-")), (Some(0), Some(10), None, None));
    }
}
