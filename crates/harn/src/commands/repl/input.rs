//! Whether what was typed is a whole entry or goes on in the next line.

use harn_syntax::codes::{UNTERMINATED_COMMENT, UNTERMINATED_STRING};
use harn_syntax::{Source, TokenKind, parse};

/// Whether an entry is whole: brackets and quotes are closed, and nothing is missing at its end. An empty line ends
/// what only might go on.
pub fn is_complete(text: &str) -> bool {
    let source = Source::new("<repl>", text);
    let parsed = parse(&source);
    let Some(first) = parsed.diagnostics.first() else { return true };
    if first.code == UNTERMINATED_COMMENT {
        return false;
    }
    if first.code == UNTERMINATED_STRING {
        // Only the long form may hold line ends; another is wrong however it goes on.
        let from = text.get(first.span.start as usize..).unwrap_or_default();
        return !from.contains("\"\"\"");
    }
    let depth = |open: bool| {
        let kinds: &[TokenKind] = match open {
            true => &[TokenKind::LBrace, TokenKind::LParen, TokenKind::LBracket],
            false => &[TokenKind::RBrace, TokenKind::RParen, TokenKind::RBracket],
        };
        parsed.tokens.iter().filter(|token| kinds.contains(&token.kind)).count()
    };
    let end = text.trim_end().len() as u32;
    let open = depth(true) > depth(false);
    let missing = first.span.end >= end && first.message.contains("end of file");
    let given_up = text.trim_end_matches([' ', '\t']).ends_with("\n\n");
    !(open || missing && !given_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_on_until_brackets_and_quotes_are_closed() {
        for text in
            ["fn f() {", "f(1,", "let a = [1,\n2", "\"\"\"long", "/* note", "1 +", "let x =", "if a {\n"]
        {
            assert!(!is_complete(text), "{text}");
        }
        for text in
            ["1 + 2", "fn f() {\n}\n", "", "// note", "\"short", "f(1))", "let = 3", "\"\"\"a\nb\"\"\""]
        {
            assert!(is_complete(text), "{text}");
        }
    }

    #[test]
    fn an_empty_line_ends_what_only_might_go_on() {
        assert!(!is_complete("1 +\n"));
        assert!(is_complete("1 +\n\n"));
        assert!(!is_complete("fn f() {\n\n"));
    }
}
