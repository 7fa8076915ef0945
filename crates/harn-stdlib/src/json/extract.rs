//! JSON inside prose (spec 05 section 5.4, `json_extract`).

/// The text that looks most like JSON: the content of the first fence, else the first balanced `{...}`, else the first
/// balanced `[...]`, else the trimmed text.
pub fn candidate(text: &str) -> &str {
    fenced(text)
        .or_else(|| balanced(text, b'{', b'}'))
        .or_else(|| balanced(text, b'[', b']'))
        .unwrap_or_else(|| text.trim())
}

fn fenced(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("```")?;
    let (_, body) = after.split_once('\n')?;
    let (content, _) = body.split_once("```")?;
    Some(content.trim())
}

fn balanced(text: &str, open: u8, close: u8) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(start) = bytes.iter().skip(from).position(|b| *b == open).map(|i| i + from) {
        if let Some(end) = closing(bytes, start, open, close) {
            return text.get(start..=end);
        }
        from = start + 1;
    }
    None
}

fn closing(bytes: &[u8], start: usize, open: u8, close: u8) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (i, b) in bytes.iter().enumerate().skip(start) {
        if in_string {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if *b == b'"' {
            in_string = true;
        } else if *b == open {
            depth += 1;
        } else if *b == close {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_wins() {
        assert_eq!(candidate("see {x}\n```json\n{\"a\": 1}\n```"), "{\"a\": 1}");
    }

    #[test]
    fn strings_hide_brackets() {
        assert_eq!(candidate("so {\"a\": \"}\"} yes"), "{\"a\": \"}\"}");
        assert_eq!(candidate("list [1, [2]] end"), "[1, [2]]");
    }

    #[test]
    fn an_unclosed_bracket_is_passed_over() {
        assert_eq!(candidate("{ [1] { \"a\" }"), "{ \"a\" }");
    }
}
