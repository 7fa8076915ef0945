//! What holds for every program.

use crate::formatted;
use harn_fmt::Refusal;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Every `.harn` file of the examples; none when the folder is absent.
fn programs() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = ["../../../shared/examples", "../../../../shared/examples"].map(|root| here.join(root));
    let mut folders: Vec<PathBuf> = roots.into_iter().filter(|root| root.is_dir()).take(1).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "harn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Formats as itself once formatted, is never unfaithful; what does not parse is refused.
fn obeys(text: &str) -> Result<(), String> {
    let once = match formatted(text) {
        Ok(once) => once,
        Err(Refusal::Syntax(_)) => return Ok(()),
        Err(Refusal::Unfaithful) => return Err(format!("unfaithful:\n{text}")),
    };
    match formatted(&once) {
        Ok(twice) if twice == once => {}
        other => return Err(format!("not idempotent:\n{text}\n--- once\n{once}\n--- then\n{other:?}")),
    }
    if once.lines().any(|line| line.ends_with([' ', '\t'])) && !once.contains("\"\"\"") {
        return Err(format!("trailing blanks:\n{once}"));
    }
    Ok(())
}

#[test]
fn the_examples_obey() {
    let mut broken = Vec::new();
    for path in programs() {
        if let Err(why) = obeys(&std::fs::read_to_string(&path).unwrap()) {
            broken.push(format!("{}: {why}", path.display()));
        }
    }
    assert!(broken.is_empty(), "{} files\n{}", broken.len(), broken.first().unwrap());
}

#[test]
fn the_examples_obey_in_narrow_lines() {
    use harn_fmt::{Options, format};
    use harn_syntax::Source;
    let narrow = Options { line_width: 30, separator_width: 40 };
    for path in programs() {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(once) = format(&Source::new("t.harn", text.as_str()), narrow) else {
            assert!(matches!(formatted(&text), Err(Refusal::Syntax(_))), "{} is unfaithful", path.display());
            continue;
        };
        let twice = format(&Source::new("t.harn", once.as_str()), narrow).unwrap();
        assert_eq!(twice, once, "{}", path.display());
    }
}

/// Expressions of every form, parenthesised at random.
fn expression() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "a",
        "B",
        "1",
        "2.5",
        "5s",
        "\"s\"",
        "r\"x\"",
        "nil",
        "-9223372036854775808",
        "[1]",
        "{}",
        "{k: 1}",
        "\"${a}\"",
        "{ x -> x }",
        "{ -> 1 }",
        "P {x: 1}",
        "fn(x) { x }",
        "_",
    ])
    .prop_map(str::to_string);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let ops = vec![
            "|>", "||", "&&", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "+", "-", "??", "*", "/", "%", "**", "to",
        ];
        let binary = (inner.clone(), proptest::sample::select(ops), inner.clone(), any::<bool>());
        prop_oneof![
            3 => binary.prop_map(|(a, op, b, wrap)| if wrap { format!("({a}) {op} ({b})") } else { format!("{a} {op} {b}") }),
            1 => (inner.clone(), any::<bool>()).prop_map(|(a, not)| format!("{}({a})", if not { "!" } else { "-" })),
            1 => inner.clone().prop_map(|a| format!("({a})?")),
            1 => inner.clone().prop_map(|a| format!("({a}).m")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).m({b}, ...c)")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[({b}):1]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})({b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("f({a}, ({b}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{k: ({a}), [b]: ({b})}}")),
            1 => inner.clone().prop_map(|a| format!("{{ x, y = 1 -> {a} }}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(if ({a}) {{ {b} }})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(match ({a}) {{ x if ({b}) -> {{ 1 }} }})")),
            1 => inner.clone().prop_map(|a| format!("(try* {a})")),
        ]
    })
}

/// Comments and line ends to strew between the tokens of a program.
fn strewn() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0u8..12, 0..60)
}

/// The program with comments between its tokens.
fn with_comments(text: &str, places: &[u8]) -> String {
    let source = harn_syntax::Source::new("t.harn", text);
    let mut out = String::new();
    let mut depth = 0u32;
    for (index, token) in harn_syntax::parse(&source).tokens.iter().enumerate() {
        use harn_syntax::TokenKind::*;
        match token.kind {
            InterpStart => depth += 1,
            InterpEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.push_str(source.slice(token.span));
        if depth == 0 {
            match places.get(index % places.len().max(1)) {
                Some(0) => out.push_str(&format!(" /* c{index} */ ")),
                Some(1) => out.push_str(&format!(" // d{index}\n")),
                Some(2) => out.push_str(&format!("\n/** e{index} */\n")),
                _ => {}
            }
        }
    }
    out
}

/// Pieces of programs, comments and line ends among them.
fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "a ",
        "B ",
        "1 ",
        "\"s\" ",
        "+ ",
        "- ",
        "= ",
        "( ",
        ") ",
        "{ ",
        "} ",
        "[ ",
        "] ",
        ", ",
        ": ",
        "? ",
        ".",
        "-> ",
        "\n",
        "\n",
        "\n",
        "\n\n",
        "; ",
        "// c\n",
        "/* d */ ",
        "/** e */\n",
        "/// f\n",
        "// ---- g\n",
        "if a { ",
        "else { ",
        "fn f() {\n",
        "let x = ",
        "import \"m\"\n",
        "import { q, p } from \"std/n\"\n",
        "@t ",
        "pub ",
        "enum E { A, ",
        "struct S { x: int\n",
        "match a { ",
        "return ",
        "f(",
        "a.b(",
        "\n.c(",
        "\"\"\"\n x ${a}\n \"\"\" ",
        "{ x -> ",
        "x\n",
        "|> ",
        "in ",
        "\\\n",
        "#!s\n",
    ])
}

const PROGRAM: &str = r#"import { b, a } from "std/x"
import "y"
@test(1, k: "v")
pub fn f<T>(a: int, b = {k: [1, 2]}, ...c) -> int where T: U {
  let {x, y: z = 1, ...r} = g(a, { q -> q + 1 }, [1, 2])
  if x { return 1 } else if y { z } else { 2 }
  match x { 1 | 2 if a -> { b } E.V(q) -> { let s = 1
    s } }
  for (k, v) in d { println("${k}: ${v}") }
  a.b(1)
    .c({ x -> x })
  parallel each xs with { max_concurrent: 2 } { x -> x } as stream
  try { a } catch (e: E) { b } finally { c }
}
enum E { V(a: int), W }
struct S { x: int, y?: string }
interface I { type A = int
  fn m(a: int) -> int }
impl S { fn m(self) { 1 } pub fn n(self) { 2 } }
tool t(a: int) -> string { description "d"
  a }
skill s { a 1
  b [1] }
eval_pack "p" { a: 1
  summarize { 2 }
  f() }
type T = {a: int} | nil
select { x from c { 1 } timeout 5s { 2 } }
let v = a - b in c
"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn expressions_stay_themselves(text in expression()) {
        obeys(&format!("let v = {text}")).map_err(TestCaseError::fail)?;
        obeys(&text).map_err(TestCaseError::fail)?;
        obeys(&format!("if ({text}) {{ }}\nwhile ({text}) {{ 1 }}")).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn comments_anywhere_survive(places in strewn()) {
        obeys(&with_comments(PROGRAM, &places)).map_err(TestCaseError::fail)?;
        let blocks: Vec<u8> = places.iter().map(|place| if *place < 3 { 0 } else { 9 }).collect();
        let text = with_comments(PROGRAM, &blocks);
        prop_assert!(formatted(&text).is_ok(), "{}", text);
        obeys(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_soup_that_parses_obeys(words in proptest::collection::vec(word(), 0..30)) {
        obeys(&words.concat()).map_err(TestCaseError::fail)?;
    }
}
