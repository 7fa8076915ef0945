//! Percent encoding (spec 05 section 5.6).

/// Everything but `A-Za-z0-9-_.~` as upper-case escapes.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// Decodes escapes and `+`; malformed escapes stay as they are, invalid UTF-8 becomes U+FFFD.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high * 16 + low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (b'+', _) => out.push(b' '),
            (other, _) => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_escapes_stay() {
        assert_eq!(decode("a%2"), "a%2");
        assert_eq!(decode("%zz%é"), "%zz%é");
        assert_eq!(decode("a+b%20c"), "a b c");
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("a-_.~ /é"), "a-_.~%20%2F%C3%A9");
    }
}
