//! Sequences of instructions that the VM runs as one give what they give one by one, for operands of every kind at one
//! place of the code.

use harn_sim::run;

/// Calls `as_one` and `apart` with every combination of operands, and compares results and errors.
fn same(as_one: &str, apart: &str, parameters: usize, operands: &str) {
    let names = ["a", "b", "c", "d"].get(..parameters).unwrap_or_default().join(", ");
    let mut calls = format!("check({names})");
    for name in names.split(", ") {
        calls = format!("for {name} in operands {{ {calls} }}");
    }
    let text = format!(
        "var differ = 0\nvar count = 0\n\
         fn one({names}) {{ {as_one} }}\nfn apart({names}) {{ {apart} }}\n\
         fn check({names}) {{\n\
           let x = try {{ \"${{one({names})}}\" }} catch (e) {{ \"error ${{e}}\" }}\n\
           let y = try {{ \"${{apart({names})}}\" }} catch (e) {{ \"error ${{e}}\" }}\n\
           count += 1\n\
           if x != y {{ differ += 1\nprintln(\"${{[{names}]}}: ${{x}}, apart ${{y}}\") }}\n\
         }}\n\
         let operands = [{operands}]\n{calls}\nprintln(differ)\nprintln(count > 9)"
    );
    assert_eq!(run(&text).out(), "0\ntrue\n");
}

const NUMBERS: &str = "0, 7, -3, 9223372036854775807, 0.5, -1.25, nil, true, \"ab\", \"a text that is counted\", [1, 2], {x: 1}, 3s";

#[test]
fn an_item_of_an_item() {
    let operands = "0, 1, -1, 9, \"x\", nil, 1.5, [[1, [2]], [\"counted because it is long\"]], [\"text\", {x: [3]}], {x: {x: 4}}, \"word\", 1 to 3";
    same("return a[b][c]", "let row = a[b]\nlet pad = 1\nreturn row[c]", 3, operands);
}

#[test]
fn a_field_of_an_item() {
    let operands = "0, 1, -1, 9, \"x\", nil, [{x: 1}, {y: 2, x: \"counted because it is long\"}], [[1], \"ab\"], {x: {x: 5}}, [nil]";
    same("return a[b].x", "let item = a[b]\nlet pad = 1\nreturn item.x", 2, operands);
    same(
        "let list = a\nreturn list[b].count",
        "let list = a\nlet item = list[b]\nlet pad = 1\nreturn item.count",
        2,
        operands,
    );
}

#[test]
fn a_product_of_fields() {
    let operands = "{x: 2, y: 3}, {y: 0.5, x: 4.0}, {x: \"ab\", y: 2}, {y: 1}, nil, [1, 2], \"text\", 5";
    same("return a.x * b.y", "let x = a.x\nlet pad = 1\nlet y = b.y\nreturn x * y", 2, operands);
}

#[test]
fn a_product_in_a_sum() {
    same("return a + b * c", "let m = b * c\nlet pad = 1\nreturn a + m", 3, NUMBERS);
    same("return a * b + c", "let m = a * b\nlet pad = 1\nreturn m + c", 3, NUMBERS);
    same("return a + b * 3", "let m = b * 3\nlet pad = 1\nreturn a + m", 2, NUMBERS);
    same(
        "let m = a * b\nlet s = m + b\nreturn [m, s]",
        "let m = a * b\nlet pad = 1\nlet s = m + b\nreturn [m, s]",
        2,
        NUMBERS,
    );
    same(
        "var s = a\ns += b * 3\ns += b * b\nreturn s",
        "var s = a\nlet m = b * 3\nlet pad = 1\ns = s + m\nlet k = b * b\nlet more = 1\ns = s + k\nreturn s",
        2,
        NUMBERS,
    );
}

#[test]
fn a_sum_modulo_a_constant() {
    same("return (a + b) % 7", "let s = a + b\nlet pad = 1\nreturn s % 7", 2, NUMBERS);
    same(
        "let s = a + b\nlet r = s % 1000003\nreturn [s, r]",
        "let s = a + b\nlet pad = 1\nlet r = s % 1000003\nreturn [s, r]",
        2,
        NUMBERS,
    );
}

#[test]
fn adding_to_a_field() {
    same(
        "var d = {x: a}\nd.x += b\nreturn d.x",
        "let s = a + b\nlet pad = 1\nvar d = {x: s}\nreturn d.x",
        2,
        NUMBERS,
    );
}

#[test]
fn an_error_in_the_middle_has_its_own_place() {
    let ran = run(
        "fn f(a, b) { return a[b][0] }\nfn g(a) { return f(a, 0) }\nprintln(g([[1]]))\nprintln(g([nil]))",
    );
    let apart = run(
        "fn f(a, b) {\nlet row = a[b]\nlet pad = 1\nreturn row[0] }\nfn g(a) { return f(a, 0) }\nprintln(g([[1]]))\nprintln(g([nil]))",
    );
    assert_eq!(ran.out(), apart.out());
    assert_eq!(ran.ending.lines().next(), apart.ending.lines().next());
}
