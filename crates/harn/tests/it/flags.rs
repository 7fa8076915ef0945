//! Flags of `run`, `check`, `lint` and the command `doc`.

use crate::place::Place;

#[test]
fn denied_builtins_are_refused_also_as_values() {
    let place = Place::new();
    place.file(
        "a.harn",
        "println(try { env(\"HOME\") } catch (e) { error_category(e) })\nlet f = env\nf(\"HOME\")\n",
    );
    let done = place.harn(&["run", "--deny", "env,exec", "a.harn"]);
    assert_eq!(done.out(), "tool_rejected\n");
    assert!(done.err().contains("Tool 'env' is not permitted."), "{}", done.err());
    assert!(place.harn(&["run", "--allow", "exec", "a.harn"]).err().contains("Tool 'error_category' is not"));
    let typo = place.harn(&["run", "--deny", "exce", "a.harn"]);
    assert!(typo.err().starts_with("error: no builtin is called `exce`, did you mean `exec`?\nUsage: "));
    assert_eq!(typo.code(), Some(2));
}

#[test]
fn effects_are_denied_whatever_builtin_asks_for_them() {
    let place = Place::new();
    place.file("a.harn", "write_file(\"x\", \"y\")\n");
    assert_eq!(place.harn(&["run", "--deny-write", "a.harn"]).code(), Some(1));
    assert!(!place.dir.path().join("x").exists());
    place.file("b.harn", "shell(\"touch x\")\n");
    assert_eq!(place.harn(&["run", "--deny-exec", "b.harn"]).code(), Some(1));
    assert!(!place.dir.path().join("x").exists());
}

#[test]
fn replies_are_recorded_and_replayed() {
    let place = Place::new();
    place.file(
        "a.harn",
        "llm_mock({text: \"four\"})\nprintln(llm_call(\"2+2?\", nil, {provider: \"mock\"}).text)\n",
    );
    assert_eq!(place.harn(&["run", "--llm-mock-record", "r.jsonl", "a.harn"]).out(), "four\n");
    place.file("b.harn", "println(llm_call(\"2+2?\", nil, {provider: \"openai\"}).text)\n");
    let replayed = place.harn(&["run", "--llm-mock", "r.jsonl", "--trace", "b.harn"]);
    assert_eq!(replayed.out(), "four\n");
    assert!(replayed.err().starts_with("LLM trace: 1 call(s), "), "{}", replayed.err());
    place.file("bad.jsonl", "{oops\n");
    let bad = place.harn(&["run", "--llm-mock", "bad.jsonl", "b.harn"]);
    assert!(bad.err().starts_with("error: invalid JSON in bad.jsonl line 1:"), "{}", bad.err());
    assert_eq!(bad.code(), Some(1));
}

#[test]
fn a_value_is_printed_on_request() {
    let done = Place::new().harn(&["run", "-p", "-e", "6 * 7"]);
    assert_eq!((done.out().as_str(), done.code()), ("42\n", Some(0)));
}

const FAULTY: &str =
    "fn f(a) {\n  let x = 1\n  return a\n}\n\npipeline default(task) {\n  println(f(task))\n}\n";

#[test]
fn diagnostics_come_in_forms_for_machines() {
    let place = Place::new();
    place.file("a.harn", FAULTY);
    assert_eq!(
        place.harn(&["lint", "--format", "short", "a.harn"]).out(),
        "a.harn:2:7: warning[unused-variable]: variable `x` is declared but never used\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&place.harn(&["check", "--format", "json", "a.harn"]).out()).unwrap();
    assert_eq!(json[0]["start"]["line"], 2);
    let sarif: serde_json::Value =
        serde_json::from_str(&place.harn(&["check", "--format", "sarif", "a.harn"]).out()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "unused-variable");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][0]["id"], "unused-variable");
}

#[test]
fn fixes_can_be_looked_at_first() {
    let place = Place::new();
    place.file("a.harn", FAULTY);
    let done = place.harn(&["lint", "--fix", "--dry-run", "a.harn"]);
    assert!(done.out().contains("-  let x = 1\n+  let _x = 1\n"), "{}", done.out());
    assert_eq!(std::fs::read_to_string(place.dir.path().join("a.harn")).unwrap(), FAULTY);
}

#[test]
fn doc_shows_a_row_and_what_was_meant() {
    let place = Place::new();
    insta::assert_snapshot!(place.harn(&["doc", "assert_eq"]).out(), @r"
    assert_eq(actual: any, expected: any, message?: any) -> nil

        Throws when two values are not equal.

        example:
            assert_eq(1, 2) // error: Assertion failed: expected 2, got 1
    ");
    assert!(place.harn(&["doc", "list.map"]).out().starts_with("list.map("));
    assert!(place.harn(&["doc", "set"]).out().contains("set"));
    let typo = place.harn(&["doc", "asert_eq"]);
    assert_eq!(typo.err(), "error: no builtin or method is called `asert_eq`, did you mean `assert_eq`?\n");
    assert_eq!(typo.code(), Some(1));
}

#[test]
fn the_reference_page_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/builtins.md");
    let kept = std::fs::read_to_string(page).unwrap_or_default();
    let made = Place::new().harn(&["doc", "--markdown"]).out();
    assert!(kept == made, "docs/builtins.md is out of date: harn doc --markdown > docs/builtins.md");
}

/// Grows a list without end.
const GROWS: &str = "var xs = []\nvar i = 0\nwhile true {\n  xs = xs.push(\"item number ${i} of a list that grows\")\n  i = i + 1\n}\n";

#[test]
fn memory_beyond_the_limit_is_an_error_with_its_place() {
    let place = Place::new();
    place.file("grow.harn", GROWS);
    let done = place.harn(&["run", "--max-memory", "150M", "grow.harn"]);
    assert!(
        done.err().starts_with("error: Runtime error: out of memory: the process holds"),
        "{}",
        done.err()
    );
    assert!(done.err().contains("of 150 MiB that it may (--max-memory)"), "{}", done.err());
    assert!(done.err().contains("--> grow.harn:"), "{}", done.err());
    assert_eq!(done.code(), Some(1));
}

#[test]
fn memory_is_looked_at_while_large_texts_double() {
    let place = Place::new();
    place.file("double.harn", "var text = \"x\"\nwhile true { text = text + text }\n");
    let done = place.harn(&["run", "--max-memory", "200M", "double.harn"]);
    assert!(done.err().contains("of 200 MiB that it may"), "{}", done.err());
}

#[test]
fn a_program_goes_on_after_it_caught_the_lack_of_memory() {
    let place = Place::new();
    let text = GROWS.replace("while true {", "fn grow() {\n  var xs = []\n  var i = 0\n  while true {");
    place.file("catch.harn", format!("{text}}}\nprintln(is_err(try {{ grow() }}))\nprintln(\"goes on\")\n"));
    let done = place.harn(&["run", "--max-memory", "150M", "catch.harn"]);
    assert_eq!(done.out(), "true\ngoes on\n", "{}", done.err());
}
