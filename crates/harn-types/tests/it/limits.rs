//! No input makes the front end panic or hang.

use crate::files::{Disk, programs};
use harn_types::graph::load_text;
use harn_types::lint::{LintOptions, fixed, lint};
use proptest::prelude::*;

fn check_text(text: &str) {
    let graph = load_text("main.harn", text.to_owned(), &mut Disk);
    let _ = harn_types::check(&graph);
    let found = lint(&graph, graph.entry, &LintOptions::default());
    if let Some(module) = graph.module(graph.entry) {
        let _ = fixed(&module.source, &found);
    }
}

#[test]
fn truncated_programs_are_checked_to_the_end() {
    for (n, path) in programs().iter().enumerate() {
        let text = std::fs::read_to_string(path).unwrap();
        // Every prefix of some programs, a few of the others.
        let step = if n % 64 == 0 { 1 } else { text.len() / 12 + 1 };
        for end in (0..text.len()).step_by(step) {
            if let Some(prefix) = text.get(..end) {
                check_text(prefix);
            }
        }
    }
}

#[test]
fn recursive_aliases_are_compared_to_the_end() {
    for text in [
        "type A = A\nfn f(a: A) -> A { return a }\nlet x: A = 1\n",
        "type A = B\ntype B = A\nlet x: A = 1\n",
        "type A = A | A\nlet x: A = 1\n",
        "type T<X> = {next: T<list<X>>, other: T<[X]>, x: X}\ntype U<X> = {next: U<list<X>>, other: U<[X]>, x: X}\n\
         fn f(a: T<int>) { let b: U<int> = a }\n",
        "type T<X> = T<T<X>>\nlet x: T<int> = 1\n",
        "type T<X> = {a: T<X | nil>, b: X}\nfn f(a: T<int>, b: T<string>) { let c: T<int> = b }\n",
        "type Tree = {kids: list<Tree>}\nlet t: Tree = {kids: [{kids: []}]}\n",
    ] {
        check_text(text);
    }
}

#[test]
fn wide_unions_and_deep_nesting_are_checked_in_time() {
    let members: Vec<String> = (0..2000).map(|i| format!("\"m{i}\"")).collect();
    let fields: Vec<String> = (0..2000).map(|i| format!("f{i}: {i}")).collect();
    check_text(&format!("type L = {}\nlet l: L = \"m7\"\n", members.join(" | ")));
    check_text(&format!("let d = {{{}}}\nlet e: dict<string, int> = d\n", fields.join(", ")));
    let sum: Vec<String> = (0..900).map(|i| format!("v{i}")).collect();
    check_text(&format!("let s = {}\n", sum.join(" + ")));
    check_text(&format!("let s = {}\n", sum.join(" && ")));
    check_text(&format!("let s = {}1{}\n", "[".repeat(200), "]".repeat(200)));
    let ifs: String = (0..100).map(|i| format!("if x == {i} {{ ")).collect();
    check_text(&format!("fn f(x: int | nil) {{ {ifs} {} }}\n", "}".repeat(100)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order_never_panic(words in proptest::collection::vec(0usize..WORDS.len(), 0..60)) {
        let text: Vec<&str> = words.iter().filter_map(|w| WORDS.get(*w).copied()).collect();
        check_text(&text.join(" "));
    }
}

const WORDS: &[&str] = &[
    "fn",
    "f",
    "(",
    ")",
    "{",
    "}",
    "let",
    "var",
    "x",
    "=",
    ":",
    "int",
    "|",
    "nil",
    "==",
    "if",
    "else",
    "match",
    "->",
    "return",
    "type",
    "struct",
    "enum",
    "interface",
    "impl",
    "<",
    ">",
    "T",
    "[",
    "]",
    ",",
    "1",
    "\"s\"",
    "?",
    ".",
    "try",
    "for",
    "in",
    "\n",
    "while",
    "gen",
    "emit",
    "yield",
    "import",
    "where",
    "unknown",
    "&&",
    "||",
    "!",
    "+",
    "type_of",
    "_",
    "...",
    "guard",
    "throw",
    "break",
    "parallel",
    "each",
    "dict",
    "list",
    "Result",
    "Ok",
    "unreachable",
];

#[test]
fn fixes_of_programs_settle() {
    for path in programs() {
        let mut text = std::fs::read_to_string(&path).unwrap();
        for turn in 0.. {
            let graph = load_text("main.harn", text.clone(), &mut Disk);
            let module = graph.module(graph.entry).unwrap();
            if module.parsed.has_errors() {
                break;
            }
            let found = lint(&graph, graph.entry, &LintOptions::default());
            match fixed(&module.source, &found) {
                Some((next, _)) => text = next,
                None => break,
            }
            assert!(turn < 8, "{} does not settle:\n{text}", path.display());
        }
    }
}
