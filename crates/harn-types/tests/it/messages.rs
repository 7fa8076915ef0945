//! The words of the tables of spec 03, as they are printed.

use crate::files::Disk;
use harn_syntax::render;
use harn_types::graph::load_text;
use harn_types::{Options, check_module};

fn said(text: &str) -> String {
    let graph = load_text("t.harn", text.to_owned(), &mut Disk);
    let module = graph.module(graph.entry).unwrap();
    let mut out: String =
        module.parsed.diagnostics.iter().map(|d| render(d, &module.source, false)).collect();
    for diagnostic in check_module(&graph, graph.entry, Options::default()) {
        out.push_str(&render(&diagnostic, &module.source, false));
    }
    out
}

/// The first lines of the diagnostics only.
fn lines(text: &str) -> Vec<String> {
    let starts = |l: &&str| l.starts_with("error: ") || l.starts_with("warning: ");
    said(text).lines().filter(starts).map(str::to_owned).collect()
}

#[test]
fn a_diagnostic_is_printed_with_its_place() {
    insta::assert_snapshot!(said("fn compute(n: int) -> int { return n }\nfn main() {\n  let s: string = compute(3)\n  compite(s)\n}\n"), @r"
    error: 's' declared as string, but assigned int
      --> t.harn:3:3
       |
     3 |   let s: string = compute(3)
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: call target `compite` is not defined or imported — did you mean `compute`?
      --> t.harn:4:3
       |
     4 |   compite(s)
       |   ^^^^^^^^^^
       = help: did you mean `compute`?
    ");
}

#[test]
fn nothing_is_said_of_what_is_free() {
    for text in [
        "fn f(x) { return x + 1 }\nlet n: int = f(1)\n",
        "fn f(x: any) -> int { return x }\n",
        "fn f<T>(a: T, b: T) -> list<T> { return [a, b] }\nlet xs: list<float> = f(1, 2.5)\n",
        "let xs: list<float> = [1, 2.5, 3]\n",
        "let m: dict<string, list<int | nil>> = {a: [1, nil], b: []}\n",
        "type Tree = {kids: list<Tree>, name?: string}\nfn n(t: Tree) -> int { return len(t.kids) }\nn({kids: [{kids: []}]})\n",
        "struct P { x: int }\nfn f(s: {x: int}) { return s.x }\nf(P { x: 1 })\n",
        "fn f(x: duration) { return x + 1s }\nf(5s + 1s)\n",
        "fn f(xs: list<int>) -> list<int> { return xs.reverse() }\n",
        "fn f(v: int | nil) -> int {\n  if v == nil { return 0 }\n  return v\n}\n",
        "type Maybe = int | nil\nfn f(v: Maybe) -> int {\n  if v != nil { return v }\n  return 0\n}\n",
        "fn f(v: int | string | nil) -> string {\n  if v == nil || type_of(v) == \"int\" { return \"\" }\n  return v\n}\n",
        "fn f(v: list<int> | {a: int}) -> int {\n  if type_of(v) == \"list\" { return v[0] }\n  return v.a\n}\n",
        "fn f(n: int) -> int {\n  while true {\n    if n > 3 { return n }\n  }\n}\n",
        "fn f(n: int) -> int {\n  match n {\n    1 -> { return 1 }\n    _ -> { throw \"no\" }\n  }\n}\n",
        "fn f() -> Generator<int> { yield 1 }\nfn g() { yield 2 }\n",
        "var n = 1\nn += 2\nn = n * 2\n",
        "fn f(v: unknown) -> string {\n  if schema_is(v, {type: \"string\"}) { return v }\n  return \"\"\n}\n",
    ] {
        assert_eq!(said(text), "", "{text}");
    }
}

#[test]
fn what_the_definition_overlooks_is_a_warning() {
    for (text, line) in [
        ("let x: int = 5\nlet s: string = x\n", "warning: 's' declared as string, but assigned int"),
        ("fn f(n: int) {\n  var m = n\n  m += \"y\"\n}\n", "warning: can't add int and string"),
        (
            "fn f(xs: list<int>) -> string {\n  for x in xs { return x }\n  return \"\"\n}\n",
            "warning: return type doesn't match: expected string, got int",
        ),
        ("enum E { V(n: int) }\nlet v = E.V(\"x\")\n", "warning: E.V expects n: int, got string"),
        ("enum E { V(n: int) }\nlet v = E.V()\n", "warning: E.V expects 1 argument(s), got 0"),
        ("enum E { V }\nlet v = E.W\n", "warning: Unknown variant 'W' in enum 'E'"),
        (
            "fn f(r: Result<int, string>) {\n  match r {\n    Result.Ok(n) -> { println(n) }\n  }\n}\n",
            "warning: Non-exhaustive match on enum Result: missing variants \"Err\"",
        ),
        (
            "enum L { A, B }\nfn f(l: L, c: bool) {\n  match l {\n    L.A -> { println(1) }\n    L.B if c -> { println(2) }\n  }\n}\n",
            "warning: Non-exhaustive match on enum L: missing variants \"B\"",
        ),
        ("type L = \"a\" | \"b\"\nlet l: L = \"c\"\n", "warning: 'l' declared as L, but assigned \"c\""),
        (
            "fn f() {\n  let x = 1\n  let x = 2\n}\n",
            "warning: Cannot redeclare immutable variable 'x' in the same scope (use 'var' for mutable bindings)",
        ),
        (
            "let d = {a: 1}\nd.a = 2\n",
            "warning: Cannot assign to 'd': variable is immutable (declared with 'let')",
        ),
        ("println(distanse)\n", "warning: Undefined variable: distanse"),
        ("println(len())\n", "warning: Function 'len' expects 1 arguments, got 0"),
        (
            "struct P { x: int }\nfn f(p: P) -> string { return p.x }\n",
            "warning: return type doesn't match: expected string, got int",
        ),
    ] {
        assert_eq!(lines(text), [line], "{text}");
    }
}

#[test]
fn flow_follows_assignments_and_branches() {
    // A branch that goes on after assigning leaves only the declared type; one that leaves does not matter.
    let text = "fn f(v: int | nil, c: bool) {\n  var x: int | nil = 1\n  if x == nil { return nil }\n  let a: int = x\n  \
                if c { x = nil; return nil }\n  let b: int = x\n  if c { x = v }\n  let d: int = x\n}\n";
    assert_eq!(lines(text), ["error: 'd' declared as int, but assigned int | nil"]);
    // The branch that goes on has assigned: what the condition said no longer holds.
    let text = "fn f() {\n  var x: int | nil = 1\n  if x == nil { x = 5 } else { return nil }\n  let n: nil = x\n}\n";
    assert_eq!(lines(text), ["error: 'n' declared as nil, but assigned int | nil"]);
    // A narrowing made in a loop ends with it.
    let text = "fn f(v: int | nil) {\n  for i in 1 to 3 {\n    guard v != nil else { continue }\n    let a: int = v\n  }\n  \
                let b: int = v\n}\n";
    assert_eq!(lines(text), ["error: 'b' declared as int, but assigned int | nil"]);
}

#[test]
fn deprecations_come_first_and_once() {
    let text = "@deprecated\nfn old() { return 1 }\nlet s: int = \"x\"\nold()\n";
    assert_eq!(
        lines(text),
        ["warning: `old` is deprecated", "error: 's' declared as int, but assigned string"]
    );
}

#[test]
fn interfaces_bind_their_associated_types() {
    let text = "interface Box { type Item\n  fn get(self) -> Item\n  fn put(self, v: Item) }\n\
                struct A { v: int }\nimpl A { fn get(self) -> int { return self.v }\n  fn put(self, v: int) { return nil } }\n\
                struct B { v: int }\nimpl B { fn get(self) -> int { return self.v }\n  fn put(self, v: string) { return nil } }\n\
                fn use_box<T>(b: T) -> int where T: Box { return 1 }\nuse_box(A { v: 1 })\nuse_box(B { v: 1 })\n";
    assert_eq!(
        lines(text),
        [
            "error: Type 'B' does not satisfy interface 'Box': method 'put' parameter 1 has type 'string', expected 'int' \
          (required by constraint `where T: Box`)"
        ]
    );
}
