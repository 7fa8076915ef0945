//! Characters to tokens: spec 01 sections 1 to 4.

use crate::{line, messages, parsed, tree};
use harn_syntax::{Source, TokenKind, dump_tokens, parse};

fn kinds(text: &str) -> Vec<TokenKind> {
    parsed(text).tokens.iter().map(|t| t.kind).filter(|k| *k != TokenKind::Whitespace).collect()
}

#[test]
fn a_byte_order_mark_and_a_shebang_are_skipped() {
    use TokenKind::*;
    assert_eq!(kinds("\u{feff}#!/usr/bin/env harn\na"), [Bom, Shebang, Newline, Ident]);
    assert_eq!(messages("a\n#!x"), ["2:1 Unexpected character '#' at 2:1"]);
}

#[test]
fn comments_have_the_kinds_of_the_table() {
    use TokenKind::*;
    assert_eq!(kinds("// a"), [LineComment]);
    assert_eq!(kinds("/// a"), [DocLine]);
    assert_eq!(kinds("///"), [DocLine]);
    assert_eq!(kinds("//// a"), [LineComment]);
    assert_eq!(kinds("/* a /* b */ c */"), [BlockComment]);
    assert_eq!(kinds("/** a */"), [DocBlock]);
    assert_eq!(kinds("/*** a */"), [BlockComment]);
    assert_eq!(kinds("/**/"), [BlockComment]);
}

#[test]
fn an_unclosed_comment_is_reported_at_its_outermost_opening() {
    assert_eq!(messages("a\n /* /* */"), ["2:2 Unterminated block comment at 2:2"]);
}

#[test]
fn a_block_comment_joins_lines() {
    assert_eq!(line("let a = 1 /* x\n */ + 2"), "(let a (+ 1 2))");
}

#[test]
fn a_backslash_continues_a_line_with_either_line_end() {
    assert_eq!(line("let a = b \\\n - 1"), "(let a (- b 1))");
    assert_eq!(line("let a = b \\\r\n - 1"), "(let a (- b 1))");
    assert_eq!(messages("a \\ \n"), ["1:3 Unexpected character '\\' at 1:3"]);
}

#[test]
fn every_reserved_word_is_refused_as_a_name_and_welcome_as_a_member() {
    for (_, word) in TokenKind::KEYWORDS {
        assert_eq!(
            messages(&format!("let {word} = 1")),
            [format!(
                "1:5 expected variable name or destructuring pattern, found '{word}' (reserved keyword)"
            )]
        );
        tree(&format!(
            "let a = x.{word}\nlet b = x?.{word}(1)\nlet c = {{{word}: 1}}\ntype T = {{{word}: int}}\n"
        ));
    }
}

#[test]
fn every_sign_is_one_token() {
    for (kind, sign) in TokenKind::PUNCTUATION {
        assert_eq!(kinds(sign), [*kind], "{sign}");
    }
}

#[test]
fn the_longest_sign_wins() {
    use TokenKind::*;
    assert_eq!(kinds("a??b?.c"), [Ident, QuestionQuestion, Ident, QuestionDot, Ident]);
    assert_eq!(kinds("**="), [StarStar, Eq]);
    assert_eq!(kinds("..."), [Dot, Dot, Dot]);
}

#[test]
fn characters_outside_the_language_are_named() {
    for c in ["&", "^", "~", "#", "'", "`", "$", "\u{a0}", "€"] {
        assert_eq!(messages(&format!("a {c}")), [format!("1:3 Unexpected character '{c}' at 1:3")]);
    }
}

#[test]
fn identifiers_are_unicode_words() {
    use TokenKind::*;
    assert_eq!(kinds("größe _x π2 r rx"), [Ident, Ident, Ident, Ident, Ident]);
}

#[test]
fn a_point_belongs_to_a_number_only_between_digits() {
    use TokenKind::*;
    assert_eq!(kinds("42.abs"), [Int, Dot, Ident]);
    assert_eq!(kinds("1."), [Int, Dot]);
    assert_eq!(kinds(".5"), [Dot, Int]);
    assert_eq!(kinds("1.5.2"), [Float, Dot, Int]);
}

#[test]
fn integers_beyond_64_bits_are_floats() {
    assert_eq!(line("9223372036854775807"), "9223372036854775807");
    assert_eq!(line("9223372036854775808"), "9.223372036854776e18");
    assert_eq!(line("-9223372036854775808"), "-9223372036854775808");
    assert_eq!(line("- 9223372036854775809"), "(neg 9.223372036854776e18)");
}

#[test]
fn malformed_numbers_are_reported_at_their_start() {
    for number in ["0xFF", "1_000", "1e3", "5min", "1.5s", "5msx", "0b1", "5é"] {
        assert_eq!(messages(&format!("let a = {number}")), ["1:9 invalid number literal"], "{number}");
    }
    assert_eq!(line("1to 5"), "(to 1 5)");
}

#[test]
fn durations_are_milliseconds() {
    for (text, ms) in [
        ("7ms", 7),
        ("2s", 2_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("1w", 604_800_000),
    ] {
        assert_eq!(line(text), format!("{ms}ms"));
    }
    assert_eq!(messages("let d = 99999999999999999w"), ["1:9 duration literal is too large"]);
    assert_eq!(messages("9223372036854775808ms"), ["1:1 duration literal is too large"]);
    assert_eq!(line("9223372036854775807ms"), "9223372036854775807ms");
}

#[test]
fn raw_strings_have_no_escapes() {
    assert_eq!(line(r#"r"a\n${b}\""#), r#""a\\n${b}\\""#);
    assert_eq!(messages("r\"a\n\""), ["1:1 Unterminated string at 1:1"]);
}

#[test]
fn plain_strings_know_five_escapes() {
    assert_eq!(line(r#""\n\t\\\"\$""#), r#""\n\t\\\"$""#);
    assert_eq!(line(r#""\d\r\0\u{41}\${x}""#), r#""\\d\\r\\0\\u{41}${x}""#);
    assert_eq!(line(r#""$ $5 $""#), r#""$ $5 $""#);
}

#[test]
fn a_string_ends_on_its_line() {
    assert_eq!(messages("let s = \"a\nb\""), ["1:9 Unterminated string at 1:9"]);
    assert_eq!(messages("let s = \"a\\\nb\""), ["1:9 Unterminated string at 1:9"]);
    assert_eq!(messages("\"\"\"a"), ["1:1 Unterminated string at 1:1"]);
    assert_eq!(messages("\"a ${b"), ["1:1 Unterminated string at 1:1"]);
}

#[test]
fn interpolations_end_at_their_own_brace() {
    assert_eq!(line(r#""a${b}c""#), r#"(interp "a" b "c")"#);
    assert_eq!(line(r#""${b}""#), "(interp b)");
    assert_eq!(line(r#""n=${xs.join(", ")}""#), r#"(interp "n=" (.call xs join ", "))"#);
    assert_eq!(line(r#""${f("}")}""#), r#"(interp (call f "}"))"#);
    assert_eq!(line(r#""${ {a: 1}.a /* } */ }""#), r#"(interp (. (dict ("a" 1)) a))"#);
    assert_eq!(line(r#""${"x${y}"}""#), r#"(interp (interp "x" y))"#);
    assert_eq!(line("\"${\n  a +\n  b\n}\""), "(interp (+ a b))");
}

#[test]
fn an_empty_interpolation_is_a_fault_in_plain_strings_only() {
    assert_eq!(messages("\"a${}\""), ["1:5 Unexpected character '}' at 1:5"]);
    assert_eq!(messages("\"a${ }\""), ["1:6 Unexpected character '}' at 1:6"]);
    assert_eq!(line("\"\"\"a${}b\"\"\""), "\"ab\"");
}

#[test]
fn faults_inside_interpolations_stand_at_their_place() {
    assert_eq!(messages("\"${a b}\""), ["1:6 expected }, found id(b)"]);
    assert_eq!(messages("let x = 1\n\"${a +}\""), ["2:7 expected expression, found }"]);
}

#[test]
fn triple_quoted_text_loses_its_margin() {
    assert_eq!(line("\"\"\"\n  a\n    b\n\n  c\n  \"\"\""), "\"a\\n  b\\n\\nc\"");
    assert_eq!(line("\"\"\"\na\n  \"\"\""), "\"a\\n  \"");
    assert_eq!(line("\"\"\"a\nb\n\"\"\""), "\"a\\nb\"");
    assert_eq!(line("\"\"\"  \n  a\"\"\""), "\"\\na\"");
    assert_eq!(line("\"\"\"\n  \n\"\"\""), "\"  \\n\"");
    assert_eq!(line(r#""""a\n\"b""""#), r#""a\\n\\\"b""#);
}

#[test]
fn the_margin_of_interpolated_text_is_that_of_whole_lines() {
    assert_eq!(line("\"\"\"\n  ${a} ${b}\n  ${c}\n  \"\"\""), r#"(interp a " " b "\n" c)"#);
    assert_eq!(line("\"\"\"\n    x ${a}\n  ${b}\n\"\"\""), r#"(interp "  x " a "\n" b)"#);
    assert_eq!(line("\"\"\"\n${a}\nbye\n\"\"\""), r#"(interp a "\nbye\n")"#);
    assert_eq!(line("\"\"\"\n${a}\n\"\"\""), "(interp a)");
    assert_eq!(line("\"\"\"\n  a\\${b}\n\"\"\""), r#"(interp "a\\" b)"#);
}

#[test]
fn a_lexical_fault_is_the_only_diagnostic() {
    assert_eq!(messages("let = 1\nlet b = ~\nlet ="), ["2:9 Unexpected character '~' at 2:9"]);
    assert_eq!(kinds("a ~ b"), [TokenKind::Ident, TokenKind::Unlexed]);
}

#[test]
fn tokens_are_dumped_with_their_places() {
    let source = Source::new("t.harn", "let é = \"a${b}\" // c\n");
    insta::assert_snapshot!(dump_tokens(&parse(&source), &source), @r#"
1:1 let "let"
1:4 whitespace " "
1:5 identifier "é"
1:6 whitespace " "
1:7 = "="
1:8 whitespace " "
1:9 interpolation start "\"a${"
1:13 identifier "b"
1:14 interpolation end "}\""
1:16 whitespace " "
1:17 line comment "// c"
1:21 newline "\n"
"#);
}
