//! What the network of a program may do and what it is told instead: egress rules, scripted replies, redaction, event
//! streams. Pure: the runtime asks [`egress::Policy::check`], then [`mock::Mocks::reply`], and only then the host.
//!
//! Source: spec 06 sections 6 and 12.

pub mod egress;
pub mod events;
pub mod mock;
pub mod redact;
pub mod scripts;

/// Whether `text` fits `pattern`, in which each `*` spans any text, the empty one included (spec 06 section 6.1).
///
/// Linear in the product of the lengths at worst; pieces never overlap, so `a*a` does not fit `a`.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_suffix(tail) else { return false };
    for piece in middle.split('*') {
        match text.find(piece) {
            Some(at) => text = text.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// The port of a URL, of its scheme when none is given.
pub fn port(url: &str) -> Option<u16> {
    url::Url::parse(url).ok()?.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_spans_any_text_and_pieces_do_not_overlap() {
        assert!(fits("https://h.test/*/items/*", "https://h.test/a/items/1"));
        assert!(fits("*", "") && fits("a*", "a") && fits("a*b*c", "a-b-b-c"));
        assert!(!fits("a*a", "a") && !fits("a*b*c", "a-c") && !fits("ab", "abc"));
    }
}
