use super::*;
use crate::graph::{InMemory, load_text};

/// No files and a library of two modules.
fn library() -> InMemory {
    InMemory::new(|name| {
        matches!(name, "a" | "b").then_some("pub fn one() { return 1 }\npub fn two() { return 2 }")
    })
}

fn findings(text: &str) -> Vec<Finding> {
    let graph = load_text("t.harn", text.to_owned(), &mut library());
    lint(&graph, graph.entry, &LintOptions::default())
}

fn rules(text: &str) -> Vec<&'static str> {
    findings(text).into_iter().map(|f| f.rule).collect()
}

fn fix(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        match fixed(&Source::new("t.harn", text.as_str()), &findings(&text)) {
            Some((next, _)) => text = next,
            None => return text,
        }
    }
    panic!("fixes do not settle: {text}");
}

#[test]
fn every_rule_is_found_in_its_program() {
    for (rule, text) in [
        (UNUSED_VARIABLE, "fn _f() { let x = 1 }\n"),
        (UNUSED_VARIABLE, "fn _f() { let x = 1 }\n\nfn _g(x) { return x }\n"),
        (UNUSED_PATTERN_BINDING, "fn _f(d) { let {a} = d }\n"),
        (UNUSED_PARAMETER, "fn _f(a) { return 1 }\n"),
        (UNUSED_IMPORT, "import { one } from \"std/a\"\n"),
        (UNUSED_FUNCTION, "fn f() { return 1 }\n"),
        (UNUSED_TYPE, "struct S { x: int }\n"),
        (NEVER_REASSIGNED, "fn _f() {\n  var x = 1\n  return [x]\n}\n"),
        (SHADOW, "fn _f(a) {\n  for a in a { println(a) }\n}\n"),
        (UNDEFINED_FUNCTION, "frobnicate()\n"),
        (DEAD_CODE, "fn _f() {\n  return 1\n  println(2)\n}\n"),
        (BREAK_OUTSIDE, "fn _f() { break }\n"),
        (COMPARISON_TO_BOOL, "fn _f(a) { return a == true }\n"),
        (POINTLESS_COMPARISON, "fn _f(a) { return a.b == a.b }\n"),
        (POINTLESS_COMPARISON, "if true { println(1) }\n"),
        (BINARY_LITERAL, "fn _f() { return \"a\" + nil }\n"),
        (NIL_TERNARY, "fn _f(x) { return x == nil ? 1 : x }\n"),
        (LET_THEN_RETURN, "fn _f() {\n  let x = 1\n  return x\n}\n"),
        (ELSE_RETURN, "fn _f(a) {\n  if a { return 1 } else { return 2 }\n}\n"),
        (EMPTY_BLOCK, "fn _f(a) {\n  while a { }\n}\n"),
        (
            DUPLICATE_ARM,
            "fn _f(a) {\n  match a {\n    1 -> { println(1) }\n    1 -> { println(2) }\n    _ -> { println(3) }\n  }\n}\n",
        ),
        (UNNECESSARY_CAST, "println(to_string(\"a\"))\n"),
        (REDUNDANT_CLONE, "fn _f(a) { println(a.clone()) }\n"),
        (EAGER_COLLECTION, "fn _f(a) {\n  let xs: list = a.iter().map({ x -> x })\n  return [xs]\n}\n"),
        (NAMING, "fn _Fun() { return 1 }\n"),
        (NAMING, "type my_type = int\n"),
        (MISSING_DOC, "pub fn f() { return 1 }\n"),
        (LEGACY_DOC, "/// says\npub fn f() { return 1 }\n"),
        (BLANK_LINE, "fn _f() { return 1 }\nfn _g() { return 1 }\n"),
        (TRAILING_COMMA, "println([\n  1,\n  2\n])\n"),
        (
            IMPORT_ORDER,
            "import { one } from \"std/b\"\nimport { two } from \"std/a\"\n\nprintln(one() + two())\n",
        ),
        (ASSERT_OUTSIDE, "assert(1 == 1 + 0)\n"),
        (REQUIRE_IN_TEST, "pipeline test_x() {\n  require 1 < 2, \"m\"\n}\n"),
        (PIPELINE_RETURN, "pub pipeline deploy() { println(1) }\n"),
        (UNTYPED_ACCESS, "println(json_parse(\"{}\").x)\n"),
        (PROMPT_INJECTION, "fn _f(a) { return llm_call(\"p\", \"sys ${a}\") }\n"),
        (APPROVAL_RESULT, "request_approval(\"deploy\", {})\n"),
    ] {
        assert!(rules(text).contains(&rule), "{rule} in {text}: {:?}", rules(text));
    }
    let mut options = LintOptions { require_file_header: true, ..LintOptions::default() };
    options.complexity_threshold = 1;
    let graph = load_text("t.harn", "fn _f(a) { return a && !a }\n".to_owned(), &mut library());
    let found: Vec<_> = lint(&graph, graph.entry, &options).into_iter().map(|f| f.rule).collect();
    assert!(found.contains(&FILE_HEADER) && found.contains(&COMPLEXITY), "{found:?}");
}

#[test]
fn clean_programs_get_no_finding() {
    for text in [
        "import { one, two } from \"std/a\"\n\n/** Adds. */\npub fn add(a, b) {\n  var sum = a\n  sum += b\n  return sum + one() + two()\n}\n",
        "pipeline base() {\n  let origin = 1\n}\n\npipeline default() extends base {\n  println(origin)\n}\n",
        "let later = { x -> helper(x) }\n\nfn helper(x) {\n  return x + 1\n}\n\nprintln(later(1))\n",
        "fn fact(n) {\n  if n < 2 { return 1 }\n  return n * fact(n - 1)\n}\n\nprintln(fact(3))\n",
        "struct P { x: int }\n\nimpl P {\n  fn get(self) { return self.x }\n}\n\nprintln(P { x: 1 }.get())\n",
        "pipeline test_sum() {\n  assert_eq(1 + 1, 2)\n}\n",
    ] {
        assert_eq!(rules(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn fixes_settle_and_keep_the_meaning() {
    for (before, after) in [
        ("fn _f() {\n  let x = 1\n  return x\n}\n", "fn _f() {\n  return 1\n}\n"),
        ("fn _f() {\n  var x = 1\n  return [x]\n}\n", "fn _f() {\n  let x = 1\n  return [x]\n}\n"),
        ("fn _f(a, b) {\n  return (a < b) == false\n}\n", "fn _f(a, b) {\n  return !(a < b)\n}\n"),
        // `a` may be anything: nothing to rewrite.
        ("fn _f(a) {\n  return a == true\n}\n", "fn _f(a) {\n  return a == true\n}\n"),
        ("fn _f(x) {\n  return x == nil ? 1 : x\n}\n", "fn _f(x) {\n  return (x ?? 1)\n}\n"),
        ("fn _f() { return 1 }\nfn _g() { return 1 }\n", "fn _f() { return 1 }\n\nfn _g() { return 1 }\n"),
        ("println([\n  1,\n  2\n])\n", "println([\n  1,\n  2,\n])\n"),
        ("/// one\n/// two\nfn _f() { return 1 }\n", "/**\n * one\n * two\n */\nfn _f() { return 1 }\n"),
        (
            "import { one } from \"std/b\"\nimport { two } from \"std/a\"\n\nprintln(one() + two())\n",
            "import { two } from \"std/a\"\nimport { one } from \"std/b\"\n\nprintln(one() + two())\n",
        ),
        (
            "import { one, two } from \"std/a\"\n\nprintln(two())\n",
            "import { two } from \"std/a\"\n\nprintln(two())\n",
        ),
        (
            "import { one, two } from \"std/a\"\n\nprintln(one())\n",
            "import { one } from \"std/a\"\n\nprintln(one())\n",
        ),
        (
            "fn _f(a) {\n  if a {\n    return 1\n  } else {\n    return 2\n  }\n}\n",
            "fn _f(a) {\n  if a {\n    return 1\n  }\n  return 2\n}\n",
        ),
        ("println(\"a\" + nil)\n", "println(\"a${nil}\")\n"),
    ] {
        assert_eq!(fix(before), after, "{before}");
    }
}

#[test]
fn comments_with_a_reason_silence_rules_on_their_line_and_the_next() {
    let none = Vec::<&str>::new();
    assert_eq!(
        rules("fn _f() {\n  // harn-lint: allow(unused-variable): seen in a debugger\n  let x = 1\n}\n"),
        none
    );
    assert_eq!(rules("fn _f() {\n  let x = 1 // harn-lint: allow(unused-variable) later\n}\n"), none);
    assert_eq!(
        rules("fn _f() {\n  // harn-lint: allow(shadow-variable): why not\n  let x = 1\n}\n"),
        [UNUSED_VARIABLE]
    );
}

#[test]
fn a_suppression_without_a_reason_or_of_no_rule_silences_nothing() {
    for comment in ["allow(unused-variable)", "allow(unused-varible): a reason", "unused-variable"] {
        let found = rules(&format!("fn _f() {{\n  // harn-lint: {comment}\n  let x = 1\n}}\n"));
        assert_eq!(found, [SUPPRESSION, UNUSED_VARIABLE], "{comment}");
    }
}

#[test]
fn each_rule_speaks_in_its_wrong_program_and_not_in_its_right_one() {
    for rule in RULES {
        let found = |text: &str| {
            let graph = load_text("main.harn", text.to_owned(), &mut library());
            let options =
                LintOptions { require_file_header: rule.name == FILE_HEADER, ..LintOptions::default() };
            assert!(graph.modules.iter().all(|module| !module.parsed.has_errors()), "{text}");
            lint(&graph, graph.entry, &options).iter().any(|finding| finding.rule == rule.name)
        };
        assert!(found(rule.wrong), "{}: {}", rule.name, rule.wrong);
        assert!(!found(rule.right), "{}: {}", rule.name, rule.right);
    }
}

#[test]
fn names_of_rules_are_unique() {
    let names: HashSet<&str> = RULES.iter().map(|r| r.name).collect();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn a_backslash_that_escapes_nothing_is_found_and_doubled() {
    assert_eq!(rules("println(\"\\d+ ${1} \\s\")\n"), ["unknown-escape", "unknown-escape"]);
    let fine = "println(\"\\n \\t \\\\d \\\" \\${1}\")\nprintln(r\"\\d\", \"\"\"\\d ${1} \\q\"\"\")\n";
    assert_eq!(rules(fine), Vec::<&str>::new());
    assert_eq!(fix("println(\"\\d \\w\")\n"), "println(\"\\\\d \\\\w\")\n");
}
