//! What a person reads: spec 01 section 8.

use crate::{faults, messages};
use harn_syntax::{Diagnostic, Severity, Source, Span, codes, one_line, parse, render};

#[test]
fn the_layout_is_that_of_the_manual() {
    assert_eq!(
        faults("let x 5"),
        "error: expected =, found int(5)\n  --> t.harn:1:7\n   |\n 1 | let x 5\n   |       ^ unexpected token\n"
    );
}

#[test]
fn a_place_behind_the_last_line_shows_no_line() {
    insta::assert_snapshot!(faults("fn f() {\n  let a = 1\n"), @r#"
error: unexpected end of file, expected }
  --> t.harn:3:1
   |
   = help: add a closing `}` to finish this block; the one that begins at line 1 seems to be open
"#);
}

#[test]
fn line_numbers_are_aligned() {
    insta::assert_snapshot!(faults(&format!("{}let x 5", "\n".repeat(9))), @r#"
error: expected =, found int(5)
   --> t.harn:10:7
    |
 10 | let x 5
    |       ^ unexpected token
"#);
}

#[test]
fn tabs_and_control_characters_are_shown_as_blanks_and_signs() {
    insta::assert_snapshot!(faults("\tlet\tx 5 \u{1b}[2J"), @r#"
error: Unexpected character '�' at 1:10
  --> t.harn:1:10
   |
 1 |     let    x 5 �[2J
   |                ^ here
"#);
    insta::assert_snapshot!(faults("let\tx 5 // \u{1b}[2J"), @r#"
error: expected =, found int(5)
  --> t.harn:1:7
   |
 1 | let    x 5 // �[2J
   |          ^ unexpected token
"#);
}

#[test]
fn carets_end_with_the_line() {
    let source = Source::new("t.harn", "abc\ndef\n");
    let diagnostic = Diagnostic {
        severity: Severity::Warning,
        code: codes::UNEXPECTED_TOKEN,
        message: "several lines".into(),
        span: Span::new(1, 7),
        label: Some(String::new()),
        help: Some("none".into()),
    };
    insta::assert_snapshot!(render(&diagnostic, &source, false), @r#"
warning: several lines
  --> t.harn:1:2
   |
 1 | abc
   |  ^^
   = help: none
"#);
}

#[test]
fn colours_are_those_of_the_manual() {
    let source = Source::new("t.harn", "fn f(");
    insta::assert_snapshot!(render(&parse(&source).diagnostics[0], &source, true).escape_debug().to_string(), @r#"\u{1b}[1;31merror\u{1b}[0m: unexpected end of file, expected )\n  \u{1b}[34m-->\u{1b}[0m t.harn:1:6\n   \u{1b}[34m|\u{1b}[0m\n 1 \u{1b}[34m|\u{1b}[0m fn f(\n   \u{1b}[34m|\u{1b}[0m      \u{1b}[1;31m^ file ends here\u{1b}[0m\n   = \u{1b}[1;36mhelp\u{1b}[0m: add a closing `)` to finish this expression or parameter list\n"#);
}

#[test]
fn tokens_are_spelled_as_in_the_table() {
    for (token, spelling) in [
        ("b", "id(b)"),
        ("\"a\\tb\"", "str(a\\tb)"),
        ("r\"a\"", "rstr(a)"),
        ("\"${b}\"", "istr(...)"),
        ("5", "int(5)"),
        ("1.50", "float(1.5)"),
        ("5s", "duration(5000ms)"),
        ("let", "let"),
        ("+=", "+="),
        ("}", "}"),
    ] {
        assert_eq!(messages(&format!("let a {token}")), [format!("1:7 expected =, found {spelling}")]);
    }
    assert_eq!(messages("let a"), ["1:6 unexpected end of file, expected ="]);
}

#[test]
fn every_what_is_named() {
    for (text, what) in [
        ("let a = )", "expression"),
        ("pipeline 1", "pipeline name"),
        ("pipeline a() extends 1", "parent pipeline name"),
        ("import { 1 } from \"a\"", "import name"),
        ("import a", "import path string"),
        ("import \"a${b}\"", "import path string"),
        ("@1", "attribute name"),
        ("fn 1", "function name"),
        ("tool 1", "tool name"),
        ("skill 1", "skill name"),
        ("skill s { 1 }", "skill field name"),
        ("eval_pack 1", "eval_pack name or string id"),
        ("type 1", "type name"),
        ("type T = )", "type name"),
        ("enum 1", "enum name"),
        ("enum E { 1 }", "variant name"),
        ("struct 1", "struct name"),
        ("struct S { 1 }", "field name"),
        ("type T = { 1: int }", "field name"),
        ("let { 1 } = a", "field name"),
        ("interface 1", "interface name"),
        ("interface I { type 1 }", "associated type name"),
        ("interface I { fn 1 }", "method name"),
        ("fn f(1) { }", "parameter name"),
        ("fn f<1>() { }", "type parameter name"),
        ("fn f() where T: 1 { }", "type bound"),
        ("type T = list<1 | )>", "type name"),
        ("type T = list<)>", "type argument"),
        ("let 1 = a", "variable name or destructuring pattern"),
        ("for (1, b) in a { }", "pair pattern element"),
        ("let {a: 1} = b", "alias name"),
        ("let [1] = b", "element name"),
        ("let [...1] = b", "rest variable name"),
        ("override 1", "override name"),
        ("try { } catch (1) { }", "error variable"),
        ("select { 1 }", "select case variable"),
        ("a.1", "member name"),
        ("a = {1: 2}", "dict key"),
        ("@a(&&)\nfn f() { }", "attribute argument value (literal or identifier)"),
        ("guard a { }", "else"),
        ("for a b { }", "in"),
        ("import { a } \"b\"", "from"),
        ("select { }", "at least one select case"),
    ] {
        let found = messages(text);
        assert!(
            found.len() == 1 && found[0].contains(&format!(" expected {what}, found ")),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn closers_come_with_help() {
    for (text, help) in [
        (
            "fn f() {",
            "add a closing `}` to finish this block; the one that begins at line 1 seems to be open",
        ),
        ("f(1", "add a closing `)` to finish this expression or parameter list"),
        ("a[1", "add a closing `]` to finish this list or subscript"),
    ] {
        assert!(faults(text).contains(&format!("   = help: {help}\n")), "{}", faults(text));
    }
}

#[test]
fn rules_of_the_grammar_have_messages_of_their_own() {
    for (text, expected) in [
        (
            "fn f(a = 1, b) { }",
            "1:13 expected Required parameter cannot follow a parameter with a default value, found id(b)",
        ),
        ("fn f(...a, b) { }", "1:10 expected Rest parameter must be the last parameter, found ,"),
        (
            "pub let a = 1",
            "1:5 expected fn, tool, skill, eval_pack, struct, enum, pipeline, or import after pub, found let",
        ),
        (
            "pub impl A { }",
            "1:5 expected fn, tool, skill, eval_pack, struct, enum, pipeline, or import after pub, found impl",
        ),
        (
            "@a\nlet b = 1",
            "2:1 expected fn/tool/skill/eval_pack/pipeline/struct/enum/type/interface/impl declaration after `@attr`, found non-declaration statement",
        ),
        (
            "parallel each xs with { n: 2 } { x -> x }",
            "1:25 expected known option (only `max_concurrent` is supported in `parallel ... with { ... }`; got `n`), found n",
        ),
        (
            "parallel 3 { i -> i } as stream",
            "1:23 expected `as stream` is only valid after `parallel each ... { ... }`, found as stream",
        ),
        (
            "eval_pack p { summarize { 1 }\nsummarize { 2 } }",
            "2:1 expected one summarize block, found duplicate summarize block",
        ),
        ("let [...a, b] = c", "1:10 expected ], found ,"),
        ("let {...a, b} = c", "1:10 expected }, found ,"),
        ("}", "1:1 expected declaration or statement, found }"),
        ("a?.b = 1", "1:6 expected top-level item separator (`;` or newline), found ="),
        ("a[0:1] = x", "1:8 expected top-level item separator (`;` or newline), found ="),
        (
            "let a = <<EOF",
            "1:9 expected an expression — heredocs are only valid inside LLM tool-call argument JSON; for multiline strings in source code use triple-quoted `\"\"\"...\"\"\"`, found `<<` heredoc-like syntax",
        ),
    ] {
        assert_eq!(messages(text), [expected], "{text}");
    }
}

#[test]
fn the_one_line_form_says_got() {
    for (text, expected) in [
        ("let x 5", "Expected =, got int(5) at 1:7"),
        ("fn f() {", "Unexpected end of file, expected }"),
        ("let a = &", "Unexpected character '&' at 1:9"),
    ] {
        let source = Source::new("t.harn", text);
        assert_eq!(one_line(&parse(&source).diagnostics[0], &source), expected);
    }
}

#[test]
fn several_faults_are_reported_in_order_each_once() {
    assert_eq!(
        messages("let = 1\nfn ok() {\n  let a = 1 let b = 2\n  foo(,)\n  return a\n}\nlet y 2\nlet z = 3\n"),
        [
            "1:5 expected variable name or destructuring pattern, found =",
            "3:13 expected statement separator (`;` or newline), found let",
            "4:7 expected expression, found ,",
            "7:7 expected =, found int(2)",
        ]
    );
}

#[test]
fn a_failed_header_does_not_blame_its_body() {
    assert_eq!(
        messages("tool (a) {\n  let b = 1\n  if b { c() }\n}\nlet d = 1\n"),
        ["1:6 expected tool name, found ("]
    );
    assert_eq!(messages("fn f(a {\n  let b = 1\n}\nlet d = 1\n"), ["1:8 expected ), found {"]);
}

#[test]
fn a_fault_in_a_nested_literal_skips_to_its_end() {
    assert_eq!(
        messages("fn f() {\n  let d = {\n    a 1,\n    b: 2\n  }\n  g(d)\n}\n"),
        ["3:7 expected :, found int(1)"]
    );
}

#[test]
fn every_code_has_its_row() {
    let mut seen = std::collections::HashSet::new();
    for row in codes::TABLE {
        assert!(seen.insert(row.code), "{} twice", row.code);
        assert!(codes::lookup(row.code).is_some_and(|found| found.title == row.title));
        assert!(!row.title.is_empty() && !row.explanation.is_empty(), "{}", row.code);
    }
}

#[test]
fn the_programs_of_the_syntax_codes_show_what_they_say() {
    // Those whose fault is a matter of size cannot be printed in full.
    let unprintable = [codes::SOURCE_TOO_LARGE, codes::TOO_DEEP];
    for row in codes::TABLE.iter().filter(|row| row.code < "HARN0100" && !unprintable.contains(&row.code)) {
        let found = parse(&Source::new("t.harn", row.wrong)).diagnostics;
        assert!(found.iter().any(|d| d.code == row.code), "{}: {found:?}", row.code);
        assert_eq!(messages(row.right), [""; 0], "{}", row.code);
    }
}

/// The tree of an expression, in one line.
fn tree(text: &str) -> String {
    let parsed = harn_syntax::parse(&harn_syntax::Source::new("t.harn", text));
    assert!(!parsed.has_errors(), "{text}: {:?}", parsed.diagnostics);
    harn_syntax::dump_ast(&parsed.ast).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_as_first_branch_of_a_ternary_needs_no_parentheses() {
    for text in [
        "c ? [] : x",
        "c ? [1] : x",
        "c ? [1, 2] : x",
        "c ? [1][0] : x",
        "c ? [1] + y : x",
        "f(c ? [x] : [], 1)",
    ] {
        assert!(tree(text).contains("(?:"), "{text}: {}", tree(text));
    }
}

#[test]
fn an_optional_subscript_stays_one() {
    for text in ["c?[1]", "c ? [1]", "xs[c ? [1] : 3]", "xs[c?[1]:3]"] {
        assert!(!tree(text).contains("(?:"), "{text}: {}", tree(text));
    }
    assert_eq!(tree("a ? b ? [0] : d"), tree("a ? b?[0] : d"));
}

#[test]
fn of_a_very_long_line_the_part_around_the_place_is_shown() {
    let numbers = "1, ".repeat(400);
    let source = Source::new("t.harn", format!("let xs = [{numbers}\"a\" \"b\" ~ {numbers}]\n"));
    let shown = render(&parse(&source).diagnostics[0], &source, false);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], "  --> t.harn:1:1219");
    assert!(lines[3].starts_with(" 1 | … ") && lines[3].ends_with(" …"), "{shown}");
    assert!(lines[3].chars().count() < 220, "{shown}");
    // The caret stands under the sign.
    assert_eq!(lines[3].chars().position(|c| c == '~'), lines[4].chars().position(|c| c == '^'), "{shown}");
}
