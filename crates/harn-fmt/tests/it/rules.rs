//! The rules of the canonical format, one by one.

use crate::{canonical, formatted};
use harn_fmt::{Options, Refusal, format};
use harn_syntax::{Source, one_line};

/// A text that is already canonical.
fn stays(text: &str) {
    assert_eq!(canonical(text), text);
}

/// The canonical form of one line, without the final newline.
fn line(text: &str) -> String {
    canonical(text).trim_end().to_string()
}

#[test]
fn a_text_with_faults_is_not_touched() {
    let Err(Refusal::Syntax(errors)) = formatted("let x 5") else { unreachable!() };
    assert_eq!(one_line(&errors[0], &Source::new("t.harn", "let x 5")), "Expected =, got int(5) at 1:7");
}

#[test]
fn an_empty_program_is_one_newline() {
    assert_eq!(canonical(""), "\n");
    assert_eq!(canonical("\n\n"), "\n");
}

#[test]
fn statements_get_lines_of_their_own() {
    assert_eq!(canonical("fn f() { a; b\n\n\n c }"), "fn f() {\n  a\n  b\n\n  c\n}\n");
}

#[test]
fn empty_blocks_are_two_lines() {
    assert_eq!(line("fn f() {}"), "fn f() {\n}");
}

#[test]
fn top_level_items_stand_apart() {
    assert_eq!(canonical("let a = 1\nlet b = 2\n\n\nlet c = 3"), "let a = 1\n\nlet b = 2\n\nlet c = 3\n");
}

#[test]
fn a_shebang_stays_first() {
    stays("#!/usr/bin/env harn\nlet a = 1\n");
}

#[test]
fn leading_imports_are_sorted_with_the_comments_above_them() {
    assert_eq!(
        canonical(
            "// top\nimport \"b\"\n// about a\nimport { z, y } from \"a\"\nimport \"std/x\"\nimport \"a\"\nf()\nimport \"c\"\n"
        ),
        "// top\nimport \"std/x\"\nimport \"a\"\n// about a\nimport { y, z } from \"a\"\nimport \"b\"\n\nf()\n\nimport \"c\"\n"
    );
}

#[test]
fn long_imports_list_one_name_a_line() {
    let names = [
        "alpha_alpha_alpha_alpha",
        "beta_beta_beta_beta_beta",
        "gamma_gamma_gamma_gamma",
        "delta_delta_delta",
    ];
    assert_eq!(
        canonical(&format!("import {{ {} }} from \"std/things\"", names.join(", "))),
        "import {\n  alpha_alpha_alpha_alpha,\n  beta_beta_beta_beta_beta,\n  delta_delta_delta,\n  gamma_gamma_gamma_gamma,\n} from \"std/things\"\n"
    );
}

#[test]
fn signs_are_spaced_as_the_manual_says() {
    for (text, expected) in [
        ("let x=1+2*-3", "let x = 1 + 2 * -3"),
        ("c?a:b", "c ? a : b"),
        ("a   to b exclusive", "a to b exclusive"),
        ("f( a,b , ...c )", "f(a, b, ...c)"),
        ("let d = { a:1,\"b c\":2,\"d\":3,[e]:4,...f }", "let d = {a: 1, \"b c\": 2, d: 3, [e]: 4, ...f}"),
        ("Point{x:1}", "Point {x: 1}"),
        ("let {a,b:c=1,...r}=v", "let {a, b: c = 1, ...r} = v"),
        ("let [x,y=2,...zs]=v", "let [x, y = 2, ...zs] = v"),
        (
            "type T=[int]|{a:int,b?:string}|fn(int)->nil",
            "type T = list<int> | {a: int, b?: string} | fn(int) -> nil",
        ),
        ("a?.b?[1][2:3]", "a?.b?[1][2:3]"),
        ("x|>f|>{v->v}", "x |> f |> { v -> v }"),
    ] {
        assert_eq!(line(text), expected);
    }
}

#[test]
fn literals_are_written_in_one_way() {
    for (text, expected) in [
        ("1d", "24h"),
        ("90s", "90s"),
        ("120s", "2m"),
        ("0s", "0ms"),
        ("1500ms", "1500ms"),
        ("1.50", "1.5"),
        ("9223372036854775808", "9223372036854776000.0"),
        ("\"\\d\\$x\t\"", "\"\\\\d$x\\t\""),
        ("\"\\${x} ${ a+b }\"", "\"\\${x} ${ a+b }\""),
        ("r\"\\d\"", "r\"\\d\""),
    ] {
        assert_eq!(line(text), expected);
    }
    stays("let s = \"\"\"\n  a\n   ${b}\n  \"\"\"\n");
}

#[test]
fn parentheses_are_regenerated() {
    for (text, expected) in [
        ("(a + b) * c", "(a + b) * c"),
        ("(a * b) + c", "a * b + c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a && b || c", "(a && b) || c"),
        ("(a ** b) ** c", "(a ** b) ** c"),
        ("-(a + b)", "-(a + b)"),
        ("(-a).b", "(-a).b"),
        ("((a)).b", "a.b"),
        ("(a.b)(c)", "(a.b)(c)"),
        ("(f()?).x", "(f()?).x"),
        ("(f()?) - 1", "(f()?) - 1"),
        ("c ? ([1]) : x", "c ? ([1]) : x"),
        ("a ? 1 : (b ? 2 : 3)", "a ? 1 : (b ? 2 : 3)"),
        ("(c ? a : b) + 1", "(c ? a : b) + 1"),
        ("(a < b) > (c || d)", "(a < b) > (c || d)"),
        ("let x = (if a { 1 } else { 2 }) + 1", "let x = (if a {\n  1\n} else {\n  2\n})\n  + 1"),
        ("if (ok()?) { a }", "if (ok()?) {\n  a\n}"),
        ("if (Ready) { }", "if (Ready) {\n}"),
        ("parallel (each) { 1 }", "parallel (each) {\n  1\n}"),
    ] {
        assert_eq!(line(text), expected);
    }
}

#[test]
fn simple_bodies_stay_on_one_line() {
    stays("let f = { x -> x + 1 }\n");
    stays("let f = { -> 1 }\n");
    stays("let f = fn(x) { x }\n");
    stays("match x {\n  1 -> { a }\n  2 if b -> { c }\n  _ -> {\n  }\n}\n");
    assert_eq!(line("let f = { x -> let y = x\n y }"), "let f = { x ->\n  let y = x\n  y\n}");
}

#[test]
fn sequences_wrap_with_a_trailing_comma() {
    let narrow = Options { line_width: 20, ..Options::default() };
    let text =
        format(&Source::new("t.harn", "call(alpha, beta, gamma)\nfn f(alpha, beta, gamma) { }"), narrow)
            .unwrap();
    assert_eq!(text, "call(\n  alpha,\n  beta,\n  gamma,\n)\n\nfn f(\n  alpha,\n  beta,\n  gamma,\n) {\n}\n");
}

#[test]
fn a_last_closure_dict_or_list_shares_the_line() {
    stays("items.map({ x ->\n  let y = x\n  y\n})\n");
    let narrow = Options { line_width: 20, ..Options::default() };
    let text = format(&Source::new("t.harn", "f(a, {alpha: 1, beta: 2})"), narrow).unwrap();
    assert_eq!(text, "f(a, {\n  alpha: 1,\n  beta: 2,\n})\n");
}

#[test]
fn operators_begin_the_next_line() {
    let narrow = Options { line_width: 16, ..Options::default() };
    let of = |text: &str| format(&Source::new("t.harn", text), narrow).unwrap();
    assert_eq!(of("let x = alpha + beta"), "let x = alpha\n  + beta\n");
    assert_eq!(of("let x = alpha - beta"), "let x = alpha \\\n  - beta\n");
    stays("let x = a\n  && b\n");
    assert_eq!(canonical("let x = a &&\n b"), "let x = a\n  && b\n");
}

#[test]
fn chains_break_where_the_source_did() {
    stays("let x = a\n  .b(1)\n  .c\n");
    stays("let x = a.b(1).c\n");
}

#[test]
fn documentation_becomes_blocks() {
    assert_eq!(canonical("/// Adds.\nfn f() { }"), "/** Adds. */\nfn f() {\n}\n");
    assert_eq!(canonical("/// A\n///\n/// B\nfn f() { }"), "/**\n * A\n *\n * B\n */\nfn f() {\n}\n");
    assert_eq!(
        canonical("/**\n   * A\n*/\n@test\n/** B */\nfn f() { }"),
        "/** A */\n@test\n/** B */\nfn f() {\n}\n"
    );
    assert_eq!(canonical("/** */\nfn f() { }"), "/** */\nfn f() {\n}\n");
}

#[test]
fn section_headers_get_their_bars() {
    let bar = format!("// {}", "-".repeat(77));
    assert_eq!(
        canonical("let a = 1\n// ---- Part ----\nlet b = 2"),
        format!("let a = 1\n\n{bar}\n// Part\n{bar}\n\nlet b = 2\n")
    );
    assert_eq!(
        canonical("// -----\n// Part\n// -----\nlet b = 2"),
        format!("{bar}\n// Part\n{bar}\n\nlet b = 2\n")
    );
    assert_eq!(canonical("let a = 1\n// ------\nlet b = 2"), format!("let a = 1\n\n{bar}\n\nlet b = 2\n"));
}

#[test]
fn comments_keep_their_places() {
    stays("fn f() {\n  // first\n  a() // behind\n  // last\n}\n");
    stays("let xs = [\n  // one\n  1,\n  2, // two\n  // end\n]\n");
    stays("match x {\n  // arm\n  1 -> { a } // behind\n  // end\n}\n");
    stays("enum E {\n  // a\n  A, // behind a\n  B(x: int),\n}\n");
    stays("struct S {\n  /** x */\n  x: int,\n}\n");
    stays("f({ x ->\n  // why\n  x\n})\n");
    assert_eq!(canonical("let a = 1 + /* one */ 2"), "/* one */\nlet a = 1 + 2\n");
}

/// Formatting `text` gives what formatting again leaves alone.
fn settles(text: &str) {
    let once = canonical(text);
    assert_eq!(canonical(&once), once);
}

#[test]
fn a_comparison_before_a_parenthesis_is_judged_by_the_tree_not_by_what_was_written() {
    settles("println /* why */ ((true || ((a ?? 0) > (((9 + 0) % (b ?? 5)) + 0))))");
}

#[test]
fn a_receiver_stays_on_one_line_when_the_arguments_behind_it_can_break() {
    settles(
        "println(hide([[\"b\", \"tab q\"], []].reduce(len((([[set(\"1.5\", \"abcdefg\"), set(\"line\", \"\")], [set(\"Hello, World\", \"x y  z\"), set(\"ABC abc\", \"xx\")]].flatten() |> _[1]) ?? (set(\"12\", \"a,b,,c\") |> { x -> set(\"a,b,,c\", \"-7\") }))), { x, y -> (({}).key ?? len(set(0, 7))) })))",
    );
}
