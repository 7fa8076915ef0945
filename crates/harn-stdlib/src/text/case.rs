//! Words in snake_case, kebab-case, camelCase and PascalCase (spec 05 section 5.1), and capitalisation.

/// The non-empty words between separators, in lower case.
pub fn separated_words(text: &str, separator: char) -> Vec<String> {
    text.split(separator).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// The words of a camelCase or PascalCase text, in lower case. A word starts at an upper-case letter after a lower-case
/// letter or ASCII digit, and at the last capital of an acronym that a lower-case letter follows.
pub fn camel_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after_word = previous.is_some_and(|p| p.is_lowercase() || p.is_ascii_digit());
        let ends_acronym =
            previous.is_some_and(char::is_uppercase) && chars.peek().is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_word || ends_acronym) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
        previous = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `aB` of the words.
pub fn camel(words: &[String]) -> String {
    let capitalised =
        words.iter().enumerate().map(|(i, w)| if i == 0 { w.clone() } else { uppercase_first(w) });
    capitalised.collect()
}

/// `AB` of the words.
pub fn pascal(words: &[String]) -> String {
    words.iter().map(|w| uppercase_first(w)).collect()
}

/// The text with its first character in upper case.
pub fn uppercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The text with its first character in lower case.
pub fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Every word with its first character in upper case and the rest in lower case; white space stays.
pub fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at_start = true;
    for c in text.chars() {
        if c.is_whitespace() {
            out.push(c);
            at_start = true;
        } else if at_start {
            out.extend(c.to_uppercase());
            at_start = false;
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// The first character in upper case, the rest in lower case.
pub fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_are_one_word() {
        assert_eq!(camel_words("parseHTTPResponse"), ["parse", "http", "response"]);
        assert_eq!(camel_words("utf8Decoder"), ["utf8", "decoder"]);
    }

    #[test]
    fn empty_words_are_dropped() {
        assert_eq!(separated_words("__a__b_", '_'), ["a", "b"]);
        assert_eq!(camel(&separated_words("a-b-c", '-')), "aBC");
    }

    #[test]
    fn title_case_keeps_white_space() {
        assert_eq!(title_case("  the  qUICK"), "  The  Quick");
    }
}
