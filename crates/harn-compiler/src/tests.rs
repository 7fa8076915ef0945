//! Snapshots of the code of key constructs.
#![allow(clippy::disallowed_methods, reason = "tests read the golden programs")]

use crate::compile;
use harn_bytecode::{Module, disassemble};
use harn_types::graph::{InMemory, load_text};

/// No files: every test is one text.
fn module(text: &str) -> Module {
    let graph = load_text("test.harn", text.to_owned(), &mut InMemory::new(|_| None));
    let parsed = &graph.modules[graph.entry.0 as usize].parsed;
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    compile(&graph, graph.entry).unwrap()
}

/// The code of all functions, after the verifier has passed it.
fn code(text: &str) -> String {
    let module = module(text);
    harn_bytecode::verify(&module).unwrap();
    disassemble(&module)
}

/// The messages of the compile errors.
fn errors(text: &str) -> Vec<String> {
    let graph = load_text("test.harn", text.to_owned(), &mut InMemory::new(|_| None));
    compile(&graph, graph.entry).unwrap_err().into_iter().map(|error| error.message).collect()
}

macro_rules! snapshots {
    ($($name:ident: $text:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(code($text));
        })*
    };
}

snapshots! {
    recursion_compares_and_calls_without_copies: "fn fib(n) { if n < 2 { return n }\n return fib(n - 1) + fib(n - 2) }";
    a_literal_range_is_a_counting_loop: "fn f(t) { var s = t\n for i in 1 to 10 exclusive { s = (s + i * 3) % 7 }\n return s }";
    other_loops_are_tested_at_the_bottom: "fn f(xs) { for x in xs { if x == 2 { continue }\n if x == nil { break } }\n var i = 0\n while i < 9 && !xs { i += 1 } }";
    the_last_use_of_a_variable_moves_it: "fn f(a) { let b = a\n return [b, b] }\nfn g(c, d) { if c { return d }\n return 1 }";
    a_push_onto_its_own_variable_is_in_place: "fn f(n) { var xs = []\n var i = 0\n while i < n { xs = xs.push(i)\n i += 1 }\n return xs }";
    nested_targets_are_changed_in_place: "fn f(d) { var e = d\n e.x = 1\n e[\"k\"] = 2\n e.x.y[3] = 4\n e.n += 1\n return e }";
    finally_exists_once: "fn f(x) { try { if x { return 1 }\n g() } catch (e) { return e } finally { g() } }\nfn g() {}";
    deferred_code_runs_on_every_exit: "fn f(x) { for i in 1 to 3 { defer { g(i) }\n if x { break } } }\nfn g(i) {}";
    a_variable_read_by_a_handler_survives_a_failing_store: "fn f(x) { var s = x\n try { s = s + x } catch { return s }\n return s }";
    match_tests_before_it_binds: "fn f(v) { return match v { {a: 1, b: c} if c > 2 -> { c } [x, ...r] -> { r } 3 | 4 -> { v } E.A(n) -> { n } _ -> { nil } } }\nenum E { A(n) }";
    closures_capture_values: "fn f(n) { var k = n\n return [{ x -> x + k }, { -> k = k + 1 }] }";
    sibling_functions_share_one_list_of_captures: "fn f(n) { fn even(x) { return x == n || odd(x - 1) }\n fn odd(x) { return x != n && even(x - 1) }\n return even(9) }";
    tail_calls_replace_the_frame: "fn f(n, g) { if n { return f(n - 1, g) }\n return g(n) }\nfn h(x) { try { return h(x) } finally { x } }";
    defaults_and_checks_stand_at_the_entry: "fn f(a: int, b: string = \"x\", ...rest) { return [a + 1, b, rest] }";
    script_variables_that_no_function_mentions_live_in_registers: "var a = 1\nvar b = 2\nfn f() { return b }\na = a + b\nb = a";
    enclosing_try_regions_have_gaps_where_an_exit_leaves: "fn f(xs) { for x in xs { mutex { if x { return x } } } }";
}

#[test]
fn compile_errors_have_the_words_of_the_manual() {
    assert_eq!(errors("break"), ["break outside of loop"]);
    assert_eq!(errors("if true { continue }"), ["continue outside of loop"]);
    assert_eq!(
        errors("@acp_tool()\nstruct P { x: int }"),
        ["@acp_tool can only be applied to function declarations"]
    );
    assert_eq!(errors("pipeline a() extends b { }"), ["pipeline 'a' extends unknown pipeline 'b'"]);
}

#[test]
fn very_many_variables_are_spilled() {
    let lets: String = (0..400).map(|i| format!("  var v{i} = {i}\n")).collect();
    let sums: String = (0..400).map(|i| format!("  v{i} += v{}\n", (i + 7) % 400)).collect();
    code(&format!("fn f() {{\n{lets}{sums}  return v399\n}}"));
    code(&format!("{lets}{sums}"));
}

#[test]
fn long_literals_and_argument_lists_are_built_in_pieces() {
    let items = (0..3000).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    let entries = (0..3000).map(|i| format!("k{i}: {i}")).collect::<Vec<_>>().join(", ");
    let parts = (0..300).map(|i| format!("${{x}} {i} ")).collect::<String>();
    code(&format!("fn f(x) {{ return [[{items}], {{{entries}}}, f({items}), \"{parts}\"] }}"));
}

#[test]
fn every_example_compiles() {
    let Ok(root) = std::env::var("HARN_EXAMPLES") else { return };
    for path in files(std::path::Path::new(&root)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let graph = load_text("test.harn", text, &mut InMemory::new(|_| None));
        let parsed = &graph.modules[graph.entry.0 as usize].parsed;
        if !parsed.diagnostics.is_empty() {
            println!("{}: does not parse", path.display());
            continue;
        }
        match compile(&graph, graph.entry) {
            Ok(module) => {
                let _ = disassemble(&module);
                if let Err(refusal) = harn_bytecode::verify(&module) {
                    println!("{}: {refusal}", path.display());
                }
            }
            Err(errors) => {
                println!("{}: {:?}", path.display(), errors.iter().map(|e| &e.message).collect::<Vec<_>>())
            }
        }
    }
}

fn files(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
    } else if path.extension().is_some_and(|extension| extension == "harn") {
        vec![path.to_path_buf()]
    } else {
        Vec::new()
    }
}

#[test]
fn code_of_a_file() {
    if let Ok(path) = std::env::var("HARN_SCRATCH") {
        println!("{}", code(&std::fs::read_to_string(path).unwrap()));
    }
}
