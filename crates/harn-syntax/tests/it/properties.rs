//! Laws over any text.

use harn_syntax::{Source, TokenKind, dump_ast, dump_tokens, one_line, parse, render};
use proptest::prelude::*;

fn obeys(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("t.harn", text);
    let parsed = parse(&source);
    let covered: String = parsed.tokens.iter().map(|t| source.slice(t.span)).collect();
    prop_assert_eq!(covered, text);
    let mut last = 0;
    for diagnostic in &parsed.diagnostics {
        prop_assert!(diagnostic.span.start >= last);
        last = diagnostic.span.start;
        prop_assert!(harn_syntax::codes::lookup(diagnostic.code).is_some());
        render(diagnostic, &source, true);
        one_line(diagnostic, &source);
    }
    dump_ast(&parsed.ast);
    dump_tokens(&parsed, &source);
    Ok(())
}

/// Texts of tokens and of pieces that go together.
fn piece() -> impl Strategy<Value = String> {
    let signs: Vec<&'static str> = TokenKind::PUNCTUATION.iter().map(|(_, text)| *text).collect();
    let words: Vec<&'static str> = TokenKind::KEYWORDS.iter().map(|(_, text)| *text).collect();
    prop_oneof![
        4 => proptest::sample::select(signs).prop_map(str::to_string),
        3 => proptest::sample::select(words).prop_map(|word| format!(" {word} ")),
        3 => proptest::sample::select(vec!["a", "Point", "_", "gen", "each", "with", "not", "out", "as", "stream"])
            .prop_map(|word| format!(" {word} ")),
        2 => proptest::sample::select(vec![
            "1", "2.5", "5s", "\"s\"", "r\"x\"", "\"a ${", "}\"", "\"\"\"", "\n", "\\\n", " // c\n", "/* b */", "/** d */\n", ";",
            "0x", "é", "\u{feff}", "\t", "\r\n", "'", "${"
        ]).prop_map(str::to_string),
        1 => proptest::sample::select(vec![
            "fn f(a, b = 1) {\n", "let {a, b: c} = ", "match x { 1 -> {", "parallel each xs { x -> ", "if a { b } else ",
            "enum E { A(x: int), B }\n", "select { x from c { } ", "tool t() { description \"d\"\n", "eval_pack \"p\" { a: 1\n"
        ]).prop_map(str::to_string),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        obeys(&text)?;
    }

    #[test]
    fn any_bytes_that_are_text_are_read(text in proptest::collection::vec(any::<char>(), 0..100)) {
        obeys(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn any_soup_of_tokens_is_read(pieces in proptest::collection::vec(piece(), 0..80)) {
        obeys(&pieces.concat())?;
    }
}
