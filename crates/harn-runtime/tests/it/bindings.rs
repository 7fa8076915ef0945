//! The language as programs see it: what compiler and machine once got wrong.

use harn_sim::run;

#[test]
fn a_closure_calls_one_that_is_bound_later() {
    let ran = run(
        "fn f() {\n  let a = { -> b(1) }\n  let b = { x -> x > 3 ? \"end\" : c(x) }\n  let c = { x -> b(x + 1) }\n  return a()\n}\nprintln(f())",
    );
    assert_eq!(ran.out(), "end\n");
}

#[test]
fn a_named_function_calls_a_closure_that_is_bound_later() {
    let ran =
        run("fn f() {\n  fn help() { return c() }\n  let c = { -> 5 }\n  return help()\n}\nprintln(f())");
    assert_eq!(ran.out(), "5\n");
}

#[test]
fn each_turn_of_a_loop_has_its_own_late_closures() {
    let ran = run(
        "pipeline default(t) {\n  var fs = []\n  for i in 0 to 2 {\n    let f = { -> g() }\n    let g = { -> i * 10 }\n    fs = fs.push(f)\n  }\n  println(fs.map({ f -> f() }))\n}",
    );
    assert_eq!(ran.out(), "[0, 10, 20]\n");
}

#[test]
fn a_late_closure_that_is_not_there_yet_is_undefined() {
    let ran = run(
        "fn f() {\n  let a = { -> b() }\n  let early = try { a() } catch (e) { e }\n  let b = { -> 1 }\n  return [early, a()]\n}\nprintln(f())",
    );
    assert_eq!(ran.out(), "[Undefined variable: b, 1]\n");
}

#[test]
fn a_closure_mentions_a_nested_function_whose_captures_come_later() {
    let ran = run(
        "fn outer() {\n  let f = { -> inner() }\n  let k = 5\n  fn inner() { return k }\n  return f()\n}\nprintln(outer())",
    );
    assert_eq!(ran.out(), "5\n");
}

#[test]
fn methods_of_an_enum_are_found() {
    let ran = run(
        "enum Color { Red, Rgb(r, g, b) }\nimpl Color { fn show(self) { return \"a \" + self.variant } }\nprintln(Color.Red.show() + \" and \" + Color.Rgb(1, 2, 3).show())",
    );
    assert_eq!(ran.out(), "a Red and a Rgb\n");
}

#[test]
fn an_unknown_method_of_nil_drops_its_arguments() {
    let ran = run("let x = nil\nfor i in 1 to 3 { println(x.nope([i], {a: [i]}) == nil) }");
    assert_eq!(ran.out(), "true\ntrue\ntrue\n");
}

#[test]
fn hundreds_of_elements_arguments_and_keys_are_fine() {
    let list = |piece: &dyn Fn(usize) -> String| (0..600).map(piece).collect::<Vec<_>>().join(", ");
    let text = format!(
        "let i = 1\nfn count(...xs) {{ return len(xs) }}\nenum E {{ V }}\nprintln([len([{0}]), count({0}), len({{{1}}}), len(E.V({0}).fields), len(E.V(...[1, 2], 3).fields)])",
        list(&|n| format!("i + {n}")),
        list(&|n| format!("k{n}: i")),
    );
    assert_eq!(run(&text).out(), "[600, 600, 600, 600, 3]\n");
}

#[test]
fn a_variable_that_is_given_its_own_value_before_it_ends_lets_go_of_it() {
    let ran =
        run("fn f(p) {\n  for v in 1 to 3 {\n    v = p\n    v = v\n  }\n  return p\n}\nprintln(f([1]))");
    assert_eq!(ran.out(), "[1]\n");
}

#[test]
fn an_immutable_variable_refuses_a_store_whatever_it_holds() {
    let ran = run(
        "for held in [5, \"text\", [1], {a: 1}, nil] {\n  let x = held\n  try { x[9] = 1 } catch (e) { println(e) }\n  try { x.a.b = 1 } catch (e) { println(e) }\n}",
    );
    assert_eq!(ran.out(), "Cannot assign to immutable binding: x\n".repeat(10));
}

#[test]
fn a_store_that_is_refused_comes_after_its_value_and_its_index() {
    let ran = run(
        "fn tell(x) {\n  println(x)\n  return x\n}\nlet xs = [1]\ntry { xs[tell(0)] = tell(\"value\") } catch (e) { println(e) }\ntry { xs[tell(0)] += tell(7) } catch (e) { println(e) }",
    );
    let refused = "Cannot assign to immutable binding: xs\n";
    assert_eq!(ran.out(), format!("value\n0\n{refused}0\n7\n{refused}"));
}

#[test]
fn what_a_compound_assignment_computes_may_fail_before_the_store_is_refused() {
    let ran = run(
        "let x = 1\ntry { x -= nil } catch (e) { println(e) }\nlet d = {n: 1}\ntry { d.n *= [] } catch (e) { println(e) }\ntry { d.n *= 2 } catch (e) { println(e) }",
    );
    assert!(ran.out().starts_with("Type error: "), "{}", ran.out());
    assert!(ran.out().ends_with("Cannot assign to immutable binding: d\n"), "{}", ran.out());
}

#[test]
fn an_argument_of_the_wrong_type_is_named_by_its_type_in_a_list_too() {
    let ran = run(
        "struct P { a: int }\nfn f(xs: list<int>) { return xs }\nfn hide(x) { return x }\ntry { f(hide([1, P({a: 1})])) } catch (e) { println(e) }",
    );
    assert_eq!(
        ran.out(),
        "Runtime error: TypeError: parameter 'xs': at root[1]: expected type 'int', got 'struct'\n"
    );
}
