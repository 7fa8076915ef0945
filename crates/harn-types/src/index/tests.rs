use super::*;
use crate::graph::{InMemory, load_text};

fn indexed(text: &str, files: &'static [(&'static str, &'static str)]) -> (ModuleGraph, Index) {
    let nothing = InMemory::new(|_| None);
    let mut loader = files.iter().fold(nothing, |loader, (path, text)| loader.with(path, *text));
    let graph = load_text("/main.harn", text.to_owned(), &mut loader);
    let index = index(&graph, graph.entry, Options::default()).1;
    (graph, index)
}

/// The texts and lines of what shares its target with the `nth` mention of `name`.
fn group(text: &str, name: &str, nth: usize) -> Vec<u32> {
    let (graph, index) = indexed(text, &[]);
    let source = &graph.module(graph.entry).unwrap().source;
    let all: Vec<&Occurrence> = index.occurrences.iter().filter(|o| source.slice(o.span) == name).collect();
    let target = &all[nth].target;
    all.iter().filter(|o| o.target == *target).map(|o| source.line_number(o.span.start)).collect()
}

#[test]
fn a_shadowing_variable_is_another_variable() {
    let text = "fn f(x) {\n  let y = x\n  if y {\n    let x = 2\n    println(x)\n  }\n  return x\n}\n";
    assert_eq!(group(text, "x", 0), [1, 2, 7]);
    assert_eq!(group(text, "x", 2), [4, 5]);
}

#[test]
fn a_function_may_read_a_variable_that_the_file_declares_later() {
    assert_eq!(group("fn f() {\n  return limit\n}\nlet limit = 3\n", "limit", 0), [2, 4]);
}

#[test]
fn alternatives_of_a_pattern_bind_one_variable() {
    let text = "fn f(v) {\n  match v {\n    {a: x} | {b: x} -> { println(x) }\n  }\n}\n";
    assert_eq!(group(text, "x", 0), [3, 3, 3]);
}

#[test]
fn the_key_of_a_short_binding_is_marked() {
    let (_, index) = indexed("let {a, b: c} = {a: 1, b: 2}\nprintln(a + c)\n", &[]);
    let keyed: Vec<bool> =
        index.occurrences.iter().filter(|o| o.role == Role::Declare).map(|o| o.keyed).collect();
    assert_eq!(keyed, [true, false]);
}

#[test]
fn an_imported_name_means_its_declaration() {
    let text = "import { area } from \"lib\"\nprintln(area(2))\n";
    let (graph, index) = indexed(text, &[("/lib.harn", "pub fn area(r) { return r * r }\n")]);
    let places: Vec<&Target> = index
        .occurrences
        .iter()
        .filter(|o| matches!(&o.target, Target::Place(p) if p.module != graph.entry))
        .map(|o| &o.target)
        .collect();
    assert_eq!(places.len(), 2, "the import and the call");
    assert_eq!(places[0], places[1]);
}

#[test]
fn members_have_places_and_types() {
    let text = "struct P { x: int, y: string }\nimpl P { fn sum(self) -> int { return self.x } }\n\
                fn f(p: P) { return p.y + p.sum() }\n";
    assert_eq!(group(text, "x", 0), [1, 2]);
    assert_eq!(group(text, "y", 0), [1, 3]);
    assert_eq!(group(text, "sum", 0), [2, 3]);
}

#[test]
fn a_variable_has_the_type_that_the_flow_of_control_leaves() {
    let text = "fn f(x: int | nil) {\n  if x != nil {\n    println(x)\n  }\n}\n";
    let (graph, index) = indexed(text, &[]);
    let source = &graph.module(graph.entry).unwrap().source;
    let types: Vec<Option<&str>> =
        index.occurrences.iter().filter(|o| source.slice(o.span) == "x").map(|o| o.ty.as_deref()).collect();
    assert_eq!(types, [Some("int | nil"), Some("int | nil"), Some("int")]);
}

fn members(text: &str) -> Vec<String> {
    let at = text.find("HERE").unwrap() as u32;
    let graph = load_text("/main.harn", text.to_owned(), &mut InMemory::new(|_| None));
    let found = members_at(&graph, graph.entry, Span::new(at, at + 4)).unwrap();
    found.iter().map(|m| m.name.to_string()).collect()
}

#[test]
fn a_struct_offers_its_fields_before_its_methods() {
    let text =
        "struct P { x: int, y: string }\nimpl P { fn sum(self) { return 1 } }\nfn f(p: P) { p.HERE }\n";
    assert_eq!(members(text), ["x", "y", "sum"]);
}

#[test]
fn a_shape_offers_its_fields_and_the_methods_of_dicts() {
    let found = members("let d = {name: \"a\", age: 3}\nprintln(d.HERE)\n");
    assert_eq!(found[..2], ["name", "age"]);
    assert!(found.contains(&"keys".to_owned()));
}

#[test]
fn an_enum_offers_its_variants_and_a_namespace_its_functions() {
    assert_eq!(members("enum E { A, B(n) }\nlet e = E.HERE\n"), ["A", "B"]);
    assert!(members("let q = trust.HERE\n").contains(&"query".to_owned()));
}

#[test]
fn an_outline_holds_declarations_with_their_parts() {
    let (graph, _) = indexed(
        "/** Squares. */\npub fn sq(n: int) -> int { return n * n }\nenum E { A, B(n: int) }\nimpl P { fn m(self) {} }\n",
        &[],
    );
    let module = graph.module(graph.entry).unwrap();
    let all = outline(&module.source, module.ast());
    let heads: Vec<&str> = all.iter().map(|o| o.signature.as_str()).collect();
    assert_eq!(heads, ["pub fn sq(n: int) -> int", "enum E { A, B(n: int) }", "impl P"]);
    assert!(all[0].doc.as_deref().unwrap().contains("Squares."));
    assert_eq!(all[1].children[1].signature, "B(n: int)");
    assert_eq!(all[2].children[0].signature, "fn m(self)");
}
