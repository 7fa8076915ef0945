//! Tokens to trees: spec 01 sections 4 to 7.

use crate::{line, messages, tree};

#[test]
fn operators_bind_as_the_table_says() {
    for (text, expected) in [
        ("a |> b |> c", "(|> (|> a b) c)"),
        ("a to b + 1 exclusive", "(to-exclusive a (+ b 1))"),
        ("a to b |> f", "(|> (to a b) f)"),
        ("c ? a : b to d", "(to (?: c a b) d)"),
        ("c || d ? a : b", "(?: (|| c d) a b)"),
        (
            "a || b && c == d < e + f ?? g * h ** -i",
            "(|| a (&& b (== c (< d (+ e (?? f (* g (** h (neg i)))))))))",
        ),
        ("a < b < c", "(< (< a b) c)"),
        ("a in b not in c", "(not-in (in a b) c)"),
        ("a ?? 0 + 1", "(+ (?? a 0) 1)"),
        ("a ** b ** c", "(** a (** b c))"),
        ("-2 ** 2", "(** (neg 2) 2)"),
        ("a - b - c", "(- (- a b) c)"),
        ("!a.b(c)[d]", "(! ([] (.call a b c) d))"),
        ("a % b / c", "(/ (% a b) c)"),
        ("not", "not"),
    ] {
        assert_eq!(line(text), expected, "{text}");
    }
}

#[test]
fn postfix_forms_chain() {
    for (text, expected) in [
        ("a?.b?[c].d(e)", "(.call (?[] (?. a b) c) d e)"),
        ("a?[1]", "(?[] a 1)"),
        ("a[1:2]", "([:] a 1 2)"),
        ("a[:]", "([:] a _ _)"),
        ("a[:b]", "([:] a _ b)"),
        ("a[b:]", "([:] a b _)"),
        ("f(x)(y)", "(call (call f x) y)"),
        ("xs[0](y)", "(call ([] xs 0) y)"),
        ("(g)(y)", "(call (paren g) y)"),
        ("f(...a, b)", "(call f (... a) b)"),
        ("id<int>(5)", "(call id (types int) 5)"),
        ("f<list<list<int>>>(x)", "(call f (types (list (list int))) x)"),
        ("Point {x: 1, \"y\": 2}", "(new Point (\"x\" 1) (\"y\" 2))"),
        ("Point {}", "(new Point)"),
    ] {
        assert_eq!(line(text), expected, "{text}");
    }
}

#[test]
fn less_than_is_generic_only_before_a_call() {
    assert_eq!(line("a < b > (c)"), "(call a (types b) c)");
    assert_eq!(line("f(a < b, c > (d))"), "(call f (call a (types b c) d))");
    assert_eq!(line("a < b > c"), "(> (< a b) c)");
    assert_eq!(line("f(a < b, c)"), "(call f (< a b) c)");
    assert_eq!(line("x\n < y"), "(< x y)");
}

#[test]
fn a_question_mark_is_a_ternary_when_it_can_be() {
    for (text, expected) in [
        ("c ? a : b", "(?: c a b)"),
        ("c ? -1 : +2", "error"),
        ("c ? r\"a\" : \"b\"", "(?: c \"a\" \"b\")"),
        ("c ? 5s : 1s", "(?: c 5000ms 1000ms)"),
        ("c ? ([1]) : x", "(?: c (paren (list 1)) x)"),
        ("f()? - 1", "(- (? (call f)) 1)"),
        ("f()?.g", "(?. (call f) g)"),
        ("g(f()?, b ? c : d)", "(call g (? (call f)) (?: b c d))"),
        ("c ? f()? : b", "(?: c (? (call f)) b)"),
        ("c\n? a : b", "error"),
        ("c ? a\n : b", "(?: c a b)"),
        ("c ? {a: 1} : {}", "(?: c (dict (\"a\" 1)) (dict))"),
        ("c ? if d { 1 } else { 2 } : 3", "(?: c (if d (block 1) (block 2)) 3)"),
        ("xs[c ? a : b]", "([] xs (?: c a b))"),
    ] {
        if expected == "error" {
            assert!(!messages(text).is_empty(), "{text}");
        } else {
            assert_eq!(line(text), expected, "{text}");
        }
    }
    assert_eq!(line("if ok()? { a }"), "(if (? (call ok)) (block a))");
    assert_eq!(line("match x? { a -> { 1 } }"), "(match (? x) (arm (bind a) (block 1)))");
}

#[test]
fn ternaries_do_not_chain() {
    assert!(!messages("let s = a ? 1 : b ? 2 : 3").is_empty());
    assert_eq!(line("a ? 1 : (b ? 2 : 3)"), "(?: a 1 (paren (?: b 2 3)))");
}

#[test]
fn a_brace_is_a_dict_or_a_closure_by_its_arrow() {
    for (text, expected) in [
        ("{}", "(dict)"),
        ("{a: 1, \"b c\": 2, [k]: 3, ...d}", "(dict (\"a\" 1) (\"b c\" 2) ([] k 3) (... d))"),
        ("{ x -> x }", "(closure (params x) (block x))"),
        ("{ -> 1 }", "(closure (params) (block 1))"),
        ("{ x: int, y = 2, ...zs -> x }", "(closure (params (x int) (y (= 2)) (... zs)) (block x))"),
        ("{ f: fn(int) -> int -> f }", "(closure (params (f (fn (params int) int))) (block f))"),
        ("{a: { x -> x }}", "(dict (\"a\" (closure (params x) (block x))))"),
        ("{a: \"${ { x -> x } }\"}", "(dict (\"a\" (interp (closure (params x) (block x)))))"),
        ("fn(a, b = 1) { a }", "(fn-closure (params a (b (= 1))) (block a))"),
    ] {
        assert_eq!(line(text), expected.replace("(... zs)", "...zs"), "{text}");
    }
}

#[test]
fn lines_go_on_where_the_table_says() {
    for op in ["|>", "||", "&&", "==", "!=", "<", ">", "<=", ">=", "??", "+", "*", "/", "%", "**"] {
        assert_eq!(line(&format!("let x = a\n  {op} b")), line(&format!("let x = a {op} b")));
        assert_eq!(line(&format!("let x = a {op}\n\n  b")), line(&format!("let x = a {op} b")));
    }
    for op in ["-", "in", "not in"] {
        assert_eq!(line(&format!("let x = a {op}\n  b")), line(&format!("let x = a {op} b")));
    }
    assert_eq!(tree("a\n  .b()\n  ?.c"), "(?. (.call a b) c)\n");
    assert_eq!(tree("a\n-b\n[c]\n(d)"), "a\n(neg b)\n(list c)\n(paren d)\n");
}

#[test]
fn no_line_ends_inside_prefix_ternary_and_range_operands() {
    for text in ["!\na", "-\na", "a to\n b", "a ? b :\n c"] {
        assert_eq!(
            messages(text),
            [format!("1:{} expected expression, found \\n", text.find('\n').unwrap() + 1)],
            "{text}"
        );
    }
}

#[test]
fn statements_are_separated_by_lines_or_one_semicolon() {
    assert_eq!(tree("a; b\n\nc;\n"), "a\nb\nc\n");
    assert_eq!(messages("a;;b"), ["1:3 expected expression, found ;"]);
    assert_eq!(messages("; a"), ["1:1 expected expression, found ;"]);
    assert_eq!(
        messages("fn f() { a b }"),
        ["1:12 expected statement separator (`;` or newline), found id(b)"]
    );
    assert_eq!(
        messages("skill s { a 1 b 2 }"),
        ["1:15 expected skill field separator (`;` or newline), found id(b)"]
    );
    assert_eq!(
        messages("eval_pack p { a: 1 b: 2 }"),
        ["1:20 expected eval_pack field separator (`;` or newline), found id(b)"]
    );
    assert_eq!(
        messages("tool t() { description \"d\" a }"),
        ["1:28 expected tool body item separator (`;` or newline), found id(a)"]
    );
}

#[test]
fn lists_take_trailing_commas_and_line_ends() {
    assert_eq!(line("[1, 2,]"), "(list 1 2)");
    assert_eq!(line("[\n1\n2\n]"), "(list 1 2)");
    assert_eq!(line("fn f(a,\nb\n) { }"), "(fn f (params a b) (block))");
    assert_eq!(line("let {a,\nb\n} = c"), "(let (dict a b) c)");
    assert_eq!(line("let [a\n] = c"), "(let (list a) c)");
    assert_eq!(line("fn f<T,\nU\n>() { }"), "(fn f (types T U) (params) (block))");
}

#[test]
fn a_comma_missing_on_one_line_is_a_warning() {
    for text in ["[1 2]", "f(a b)", "{a: 1 b: 2}", "fn f(a b) { }", "enum E { A B }", "struct S { a b }"] {
        let found = messages(text);
        assert!(
            matches!(found.as_slice(), [only] if only.ends_with("missing `,` between items")),
            "{text} {found:?}"
        );
    }
}

#[test]
fn return_and_yield_may_stand_alone() {
    assert_eq!(line("fn f() { return\n1 }"), "(fn f (params) (block (return) 1))");
    assert_eq!(line("fn f() { yield; return }"), "(fn f (params) (block (yield) (return)))");
    assert_eq!(line("fn f() { return 1 }"), "(fn f (params) (block (return 1)))");
}

#[test]
fn declarations_have_all_their_parts() {
    insta::assert_snapshot!(tree(r#"
import "std/agents"
pub import { a, b } from "lib/x"
pipeline base(task) -> string { task }
pub pipeline child(a, b,) extends base { a }
override step(x) { x }
/** Adds. */
pub fn add<T, out U>(a: int, b: int = 2, ...rest: list<T>) -> int | nil where T: Show, U: Eq { a + b }
gen fn count(n) { emit n }
pub gen fn counted(n) { emit n }
tool search(q: string) -> {hits: [string]} {
  description "Searches."
  q
}
skill s { description "d"; tools [a] }
eval_pack "My Pack!" { version: 1
  summarize { 2 }
  log(3)
}
type Id<T> = "a" | -1 | fn(int, T) -> bool | {a: int, b?: string}
pub enum Shape { Circle(r: float), Dot, }
struct P<T> { x: int, y?: T, z }
interface Show { type Out = int
  fn show<T>(self, x: T) -> string
  fn other() }
impl P {
  fn len(self) -> int { 1 }
  @deprecated
  pub gen fn each(self) { emit 1 }
}
"#), @r#"
(import "std/agents")
(pub-import "lib/x" (names a b))
(pipeline base (params task) (-> string) (block task))
(pub-pipeline child (params a b) (extends base) (block a))
(override step (params x) (block x))
(pub-fn
  (doc "Adds.") add
  (types T (out U))
  (params (a int) (b int (= 2)) (...rest (list T)))
  (-> (| int nil))
  (where T Show)
  (where U Eq)
  (block (+ a b)))
(gen-fn count (params n) (block (emit n)))
(pub-gen-fn counted (params n) (block (emit n)))
(tool search
  (params (q string))
  (-> (shape (hits (list string))))
  (description "Searches.")
  (block q))
(skill s (description "d") (tools (list a)))
(eval_pack my_pack (id "My Pack!") (version 1) (call log 3) (summarize (block 2)))
(type Id (types T) (| "a" -1 (fn (params int T) (| bool (shape (a int) (b? string))))))
(pub-enum Shape (Circle (r float)) Dot)
(struct P (types T) (x int) (y? T) z)
(interface Show
  (type Out int)
  (fn show (types T) (params self (x T)) (-> string))
  (fn other (params)))
(impl P
  (fn len (params self) (-> int) (block 1))
  (pub-gen-fn @deprecated each (params self) (block (emit 1))))
"#);
}

#[test]
fn public_types_and_interfaces_are_welcome() {
    assert_eq!(line("pub type T = int"), "(pub-type T int)");
    assert_eq!(line("pub interface I { }"), "(pub-interface I)");
}

#[test]
fn an_eval_pack_id_becomes_a_name() {
    for (id, name) in [
        ("My Pack!", "my_pack"),
        ("", "eval_pack_"),
        ("1a", "eval_pack_1a"),
        ("let", "eval_pack_let"),
        ("a--b__c", "a_b__c"),
    ] {
        assert_eq!(line(&format!("eval_pack \"{id}\" {{ }}")), format!("(eval_pack {name} (id {id:?}))"));
    }
}

#[test]
fn attributes_carry_literals() {
    assert_eq!(
        line("@a @b(1, -2.5, \"s\", true, nil, name, [1, [x]], k: 2,)\npub fn f() { }"),
        "(pub-fn @a (@b 1 -2.5 \"s\" true nil name (list 1 (list x)) (k 2)) f (params) (block))"
    );
}

#[test]
fn doc_comments_belong_to_the_declaration_below() {
    let documented = "(fn (doc \"Adds\\n\\ntwo.\") f (params) (block))";
    assert_eq!(line("/**\n * Adds\n *\n * two.\n */\nfn f() { }"), documented);
    assert_eq!(line("/** Adds */\n\nfn f() { }"), "(fn f (params) (block))");
    assert_eq!(line("/** Adds */\n@a\nfn f() { }"), "(fn @a f (params) (block))");
    assert_eq!(line("@a\n/** Adds */\nfn f() { }"), "(fn @a (doc \"Adds\") f (params) (block))");
    assert_eq!(line("/* Adds */\nfn f() { }"), "(fn f (params) (block))");
}

#[test]
fn statements_have_all_their_parts() {
    insta::assert_snapshot!(tree(r#"
let x: int = 1
var {a, b: c = 1, ...rest} = v
let [p, q = 2, ...ps] = v
x = 1; x.y += 2; x[0] -= 3; (x) *= 4; x /= 5; x %= 6
for i in 1 to 3 { break }
for (k, v) in d { continue }
for {a} in xs { }
while (a) && b { }
while a { }
guard ok else { return }
require a, "b"
retry 3 { f() }
retry (n) + 1 { f() }
deadline cfg.timeout { f() }
mutex { 1 }
defer { 2 }
throw "e"
try { a } catch (e: E) { b } finally { c }
try { a } catch e { b }
try { a }
catch { b }
try* f().g + 1
if a { 1 } else if b { 2 }
else { 3 }
parallel 3 { i -> i }
parallel each xs with { max_concurrent: 2 } { x -> x } as stream
parallel settle xs { 1 }
spawn { 1 }
select {
  m from ch { m }
  timeout from other { 1 }
  timeout 1s { 2 }
}
"#), @r#"
(let x (type int) 1)
(var (dict a (b c (= 1)) (... rest)) v)
(let (list p (q (= 2)) (... ps)) v)
(= x 1)
(+= (. x y) 2)
(-= ([] x 0) 3)
(*= x 4)
(/= x 5)
(%= x 6)
(for i (to 1 3) (block (break)))
(for (pair k v) d (block (continue)))
(for (dict a) xs (block))
(while (&& (paren a) b) (block))
(while a (block))
(guard ok (block (return)))
(require a "b")
(retry 3 (block (call f)))
(retry (+ (paren n) 1) (block (call f)))
(deadline (. cfg timeout) (block (call f)))
(mutex (block 1))
(defer (block 2))
(throw "e")
(try (block a) (catch e E (block b)) (finally (block c)))
(try (block a) (catch e (block b)))
(try (block a) (catch (block b)))
(+ (try* (. (call f) g)) 1)
(if a (block 1) (if b (block 2) (block 3)))
(parallel 3 (param i) (block i))
(parallel-stream xs (max_concurrent 2) (param x) (block x))
(parallel-settle xs (block 1))
(spawn (block 1))
(select (from m ch (block m)) (from timeout other (block 1)) (timeout 1000ms (block 2)))
"#);
}

#[test]
fn patterns_are_read_by_structure() {
    for (pattern, expected) in [
        ("_", "_"),
        ("x", "(bind x)"),
        ("1", "1"),
        ("-1", "(neg 1)"),
        ("\"a\" | \"b\" |\n \"c\"", "(or \"a\" \"b\" \"c\")"),
        ("Shape.Dot", "(variant Shape Dot)"),
        ("Shape.Circle(r, _, 1)", "(variant Shape Circle (args (bind r) _ 1))"),
        (
            "{a: {b: x}, \"c d\": [y], ...rest}",
            "(dict (\"a\" (dict (\"b\" (bind x)))) (\"c d\" (list (bind y))) (... rest))",
        ),
        ("[a, 1, ...rest]", "(list (bind a) 1 (... rest))"),
        ("Point {x: 1, y: b}", "(struct Point (\"x\" 1) (\"y\" (bind b)))"),
        ("cfg.limit", "(. cfg limit)"),
        ("(x)", "(bind x)"),
        ("a + 1", "(+ a 1)"),
    ] {
        assert_eq!(
            line(&format!("match v {{ {pattern} -> {{ 1 }} }}")),
            format!("(match v (arm {expected} (block 1)))")
        );
    }
    assert_eq!(line("match v { x if x > 1 -> { } }"), "(match v (arm (bind x) (if (> x 1)) (block)))");
    assert_eq!(messages("match v { [...a, b] -> { } }").len(), 1);
}

#[test]
fn types_have_the_forms_of_the_grammar() {
    for (text, expected) in [
        ("[int]", "(list int)"),
        ("true | false | nil", "(| bool bool nil)"),
        ("dict<string, list<int>,>", "(dict string (list int))"),
        ("fn(int, string,) -> int |\n nil", "(fn (params int string) (| int nil))"),
        ("{a: int\n b?: string\n}", "(shape (a int) (b? string))"),
        ("\"x\" | r\"y\" | 1 | -2", "(| \"x\" \"y\" 1 -2)"),
    ] {
        assert_eq!(line(&format!("type T = {text}")), format!("(type T {expected})"));
    }
}

#[test]
fn contextual_words_are_names_elsewhere() {
    let words =
        "gen each settle with as stream not where out timeout default description summarize list dict iter";
    for word in words.split(' ') {
        assert_eq!(
            line(&format!("let {word} = {word}({word}.{word})")),
            format!("(let {word} (call {word} (. {word} {word})))")
        );
    }
}
