//! `harn test`: what it finds, how it isolates, bounds and reports.

use crate::place::{Done, Place};
use crate::server::{base_url, key, seen};

/// Runs `harn test` on one file of tests.
fn tested(text: &str, args: &[&str]) -> (Place, Done) {
    let place = Place::new();
    place.file("tests.harn", text);
    let done = place.harn(&[&["test", "tests.harn"], args].concat());
    (place, done)
}

/// Output without times.
fn timeless(text: &str) -> String {
    regex::Regex::new(r"\(\d+ ms\)").unwrap().replace_all(text, "(T ms)").into_owned()
}

#[test]
fn tests_run_and_failures_show_both_values_the_line_and_the_output() {
    let text = "pipeline test_good(task) { println(\"unseen\") }\n\
                pipeline test_bad(task) {\n  println(\"seen\")\n  let total = 1 + 2\n  assert_eq(total, 4)\n}\n\
                pipeline not_a_test(task) { assert(false) }\n\
                @test\npipeline marked(task) { assert(true) }\n";
    let (_place, done) = tested(text, &["--seed", "7"]);
    assert_eq!(done.code(), Some(1));
    insta::assert_snapshot!(timeless(&done.out()), @r"
    Running 3 tests from 1 files...

      PASS  test_good [tests.harn] (T ms)
      FAIL  test_bad [tests.harn]
            error: Thrown: Assertion failed: expected 4, got 3
              --> tests.harn:5:3
               |
             5 |   assert_eq(total, 4)
               |   ^^^^^^^^^
            output:
              seen
      PASS  marked [tests.harn] (T ms)

    2 passed, 1 failed, 3 total (T ms)
    Seed: 7 (the same again: --seed 7)
    ");
}

#[test]
fn a_loop_that_computes_is_ended_and_placed() {
    let (_place, done) = tested(
        "pipeline test_loop(task) {\n  var n = 0\n  while true {\n    n = n + 1\n  }\n}\n",
        &["--timeout", "200"],
    );
    assert!(done.out().contains("timed out after 200ms\n          --> tests.harn:"), "{}", done.out());
    assert_eq!(done.code(), Some(1));
}

#[test]
fn a_test_that_catches_everything_still_ends() {
    let text = "pipeline test_stubborn(task) { while true { try { sleep(1s) } catch (e) { } } }";
    let (_place, done) = tested(text, &["--timeout", "200"]);
    assert!(done.out().contains("timed out after 200ms"), "{}", done.out());
}

#[test]
fn every_test_has_its_own_globals_and_event_log() {
    let one = "var seen = 0\n\
               fn look() {\n  seen = seen + 1\n  assert_eq(seen, 1)\n  \
               event_log.emit(\"t\", \"k\", {})\n  assert_eq(event_log.latest(\"t\"), 1)\n}\n\
               pipeline test_a(task) { look() }\npipeline test_b(task) { look() }\n";
    let (place, done) = tested(one, &[]);
    assert!(done.out().contains("2 passed, 2 total"), "{}", done.out());
    assert!(!place.dir.path().join(".harn").exists());
}

#[test]
fn the_seed_decides_what_is_random() {
    let text = "pipeline test_a(task) { println(random_int(0, 1000000000)) }";
    let drawn = |seed: &str| timeless(&tested(text, &["-v", "--seed", seed]).1.out());
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1").replace("Seed: 1", ""), drawn("2").replace("Seed: 2", ""));
}

#[test]
fn models_are_mocked_and_never_reached() {
    let text = "pipeline test_mock(task) { assert(llm_call(\"hello\").text.contains(\"Mock response\")) }\n\
                pipeline test_real(task) { llm_call(\"hello\", nil, {provider: \"openai\"}) }\n";
    let (_place, done) = tested(text, &[]);
    assert!(done.out().contains("PASS  test_mock"), "{}", done.out());
    assert!(done.out().contains("LLM calls are disabled"), "{}", done.out());
}

#[test]
fn a_file_that_does_not_check_is_one_failed_test() {
    let (_place, done) = tested("pipeline test_a(task) { nosuch(1) }\n", &[]);
    assert!(done.out().contains("FAIL  <file error> [tests.harn]\n"), "{}", done.out());
    assert!(done.out().contains("call target `nosuch` is not defined or imported"), "{}", done.out());
    assert!(done.out().contains("0 passed, 1 failed, 1 total"), "{}", done.out());
}

#[test]
fn an_err_result_and_a_bad_exit_fail() {
    let text = "pipeline test_err(task) { return Err(\"no\") }\npipeline test_exit(task) { exit(3) }\n";
    let (_place, done) = tested(text, &[]);
    assert!(done.out().contains("returned Err: no") && done.out().contains("exit(3)"), "{}", done.out());
}

#[test]
fn the_default_target_is_the_tests_directory() {
    let place = Place::new();
    let none = place.harn(&["test"]);
    assert_eq!(
        none.err(),
        "error: no path specified and no tests/ directory found\nUsage: harn test [OPTIONS] [TARGET]...\n"
    );
    assert_eq!(none.code(), Some(2));
    let missing = place.harn(&["test", "nope"]);
    assert_eq!((missing.err().as_str(), missing.code()), ("error: Path not found: nope\n", Some(1)));
    std::fs::create_dir(place.dir.path().join("tests")).unwrap();
    place.file("tests/a.harn", "pipeline test_a(task) { assert(true) }");
    place.file("tests/b.harn", "pipeline helper(task) { 1 }");
    assert!(place.harn(&["test"]).out().starts_with("Running 1 tests from 1 files...\n"));
    let nothing = place.harn(&["test", "tests/b.harn"]);
    assert_eq!((nothing.out().as_str(), nothing.code()), ("No test pipelines found\n", Some(0)));
}

#[test]
fn a_filter_chooses_tests() {
    let text = "pipeline test_a(task) { 1 }\npipeline test_b(task) { 1 }\n";
    let (_place, done) = tested(text, &["--filter", "*_b"]);
    assert!(done.out().contains("PASS  test_b") && !done.out().contains("test_a"), "{}", done.out());
}

#[test]
fn coverage_counts_lines_of_imported_files() {
    let place = Place::new();
    place.file("lib.harn", "pub fn sign(n) {\n  if n < 0 {\n    return -1\n  }\n  return 1\n}\n");
    place.file("t.harn", "import \"lib\"\npipeline test_a(task) {\n  assert_eq(sign(5), 1)\n}\n");
    let done = place.harn(&["test", "t.harn", "--coverage"]);
    assert!(done.out().contains("   66.7 %  2/3  lib.harn  not reached: 3\n"), "{}", done.out());
    let lcov = std::fs::read_to_string(place.dir.path().join("lcov.info")).unwrap();
    assert!(lcov.contains("SF:lib.harn\nDA:2,1\nDA:3,0\nDA:5,1\nLF:3\nLH:2\nend_of_record\n"), "{lcov}");
}

#[test]
fn junit_is_written_where_asked() {
    let (place, done) = tested("pipeline test_a(task) { assert(true) }", &["--junit", "r.xml"]);
    assert!(done.out().contains("JUnit XML written to r.xml\n"), "{}", done.out());
    let xml = std::fs::read_to_string(place.dir.path().join("r.xml")).unwrap();
    assert!(xml.contains("<testcase classname=\"tests.harn\" name=\"test_a\""), "{xml}");
}

#[test]
fn a_snapshot_is_kept_on_request_and_compared_ever_after() {
    let place = Place::new();
    let test = |value: &str| {
        place.file("t.harn", format!("pipeline test_s(task) {{ assert_snapshot({value}, \"shape\") }}"));
    };
    test("\"a\\nb\\nc\"");
    let first = place.harn(&["test", "t.harn"]);
    assert!(first.out().contains("run `harn test --update` to keep it"), "{}", first.out());
    assert_eq!(place.harn(&["test", "t.harn", "--update"]).code(), Some(0));
    assert_eq!(place.harn(&["test", "t.harn"]).code(), Some(0));
    test("\"a\\nX\\nc\"");
    let changed = place.harn(&["test", "t.harn"]);
    assert!(changed.out().contains("line 2:\n        - b\n        + X\n"), "{}", changed.out());
    assert_eq!(changed.code(), Some(1));
}

/// Runs `harn test` on a file with further variables.
fn tested_with(place: &Place, args: &[&str], variables: &[(&str, String)]) -> Done {
    let mut command = place.command(&[&["test", "tests.harn"], args].concat());
    Done(command.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap())
}

#[test]
fn replies_of_real_models_are_kept_and_given_again_without_a_key() {
    let place = Place::new();
    place.file(
        "tests.harn",
        "pipeline test_real(task) {\n  let reply = llm_call(\"How is it?\", nil, {provider: \"openai\"})\n  \
         println(reply.text)\n  assert(len(reply.text) > 0)\n}\n",
    );
    let server =
        [("OPENAI_BASE_URL", base_url("plain-tape", "openai")), ("OPENAI_API_KEY", key().to_owned())];
    let recorded = tested_with(&place, &["-v", "--record"], &server);
    assert!(recorded.out().contains("The replies to 1 call are in .harn-fixtures/"), "{}", recorded.out());
    let asked = seen("plain-tape").as_array().unwrap().len();
    let replayed = tested_with(&place, &["-v", "--replay"], &[]);
    let said = |done: &Done| done.out().split("output:").nth(1).unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!(said(&replayed), said(&recorded));
    assert_eq!(seen("plain-tape").as_array().unwrap().len(), asked);
}

#[test]
fn a_call_that_was_never_recorded_says_so() {
    let place = Place::new();
    place.file("tests.harn", "pipeline test_a(task) { llm_call(\"x\", nil, {provider: \"openai\"}) }\n");
    let done = tested_with(&place, &["--replay"], &[]);
    assert_eq!(done.code(), Some(1));
    assert!(done.out().contains("No fixture found for LLM call (hash: "), "{}", done.out());
    assert!(done.out().contains("Run with --record first."), "{}", done.out());
}

#[test]
fn fixtures_beside_a_test_file_answer_its_calls() {
    let place = Place::new();
    place.file("tests.llm-mock.jsonl", "{\"text\": \"from the file\"}\n");
    place.file(
        "tests.harn",
        "pipeline test_a(task) { assert_eq(llm_call(\"x\", nil, {provider: \"openai\"}).text, \"from the file\") }\n",
    );
    assert!(tested_with(&place, &[], &[]).out().contains("1 passed, 1 total"));
}

#[test]
fn determinism_runs_twice_and_shows_what_differs() {
    let text = "pipeline test_clock(task) { println(uuid()) }\n\
                pipeline test_same(task) { println(llm_call(\"x\").text) }\n\
                pipeline test_elapsed(task) { println(monotonic_ms() + now_ms()) }\n";
    let (_place, done) = tested(text, &["--determinism"]);
    assert!(done.out().contains("PASS  test_same"), "{}", done.out());
    assert!(done.out().contains("FAIL  test_elapsed"), "{}", done.out());
    assert!(done.out().contains("not deterministic: the output of two runs"), "{}", done.out());
    let (_place, done) = tested(text, &["--determinism", "--replay"]);
    assert_eq!(done.code(), Some(2));
}

#[test]
fn a_choice_that_leaves_no_test_is_warned_of() {
    let (_place, done) = tested("pipeline test_a(task) {}\n", &["--filter", "nosuch"]);
    assert_eq!(done.code(), Some(0));
    assert_eq!(done.err(), "warning: the targets and the filter leave no test to run\n");
}
