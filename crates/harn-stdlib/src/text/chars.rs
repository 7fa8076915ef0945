//! Positions in text, counted in Unicode scalar values.

/// The number of characters.
pub fn count(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The byte offset of the character at `index`; the length of the text when there is none.
pub fn offset(text: &str, index: usize) -> usize {
    if text.is_ascii() {
        return index.min(text.len());
    }
    text.char_indices().nth(index).map_or(text.len(), |(i, _)| i)
}

/// The characters `[start, end)`, clamped.
pub fn slice(text: &str, start: usize, end: usize) -> &str {
    if start >= end {
        return "";
    }
    let from = offset(text, start);
    let rest = text.get(from..).unwrap_or("");
    rest.get(..offset(rest, end - start)).unwrap_or(rest)
}

/// The character index of a byte offset.
pub fn index_at(text: &str, byte: usize) -> usize {
    count(text.get(..byte).unwrap_or(text))
}

/// `format("{} {}", a, b)`: each `{}` takes the next argument; surplus `{}` stay.
pub fn format_positional(template: &str, args: &[String]) -> String {
    let mut args = args.iter();
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("{}") {
        let Some(arg) = args.next() else { break };
        out.push_str(rest.get(..at).unwrap_or(""));
        out.push_str(arg);
        rest = rest.get(at + 2..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// `format("{a} {b}", {...})`: each `{key}` that `lookup` knows is replaced, in one pass.
pub fn format_named(template: &str, mut lookup: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, tail) = rest.split_at(open);
        out.push_str(before);
        let inner = tail.get(1..).unwrap_or("");
        let value = inner.find('}').and_then(|close| {
            let key = inner.get(..close)?;
            Some((lookup(key)?, close))
        });
        match value {
            Some((text, close)) => {
                out.push_str(&text);
                rest = inner.get(close + 1..).unwrap_or("");
            }
            None => {
                out.push('{');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_characters() {
        assert_eq!(slice("größe", 2, 4), "öß");
        assert_eq!(slice("abc", 1, 99), "bc");
        assert_eq!(slice("abc", 2, 1), "");
    }

    #[test]
    fn surplus_placeholders_stay() {
        assert_eq!(format_positional("{} {} {}", &["a".into()]), "a {} {}");
    }

    #[test]
    fn unknown_keys_stay() {
        let known = |k: &str| (k == "a").then(|| "{b}".to_owned());
        assert_eq!(format_named("{a} {b} {", known), "{b} {b} {");
    }
}
