//! A quick round of what `cargo fuzz-programs` does for hours, with seeds that never change.

use harn_fuzz::differ::{self, Verdict};
use harn_fuzz::oracle::{Answer, Ending};
use harn_fuzz::{compose, laws};

/// Composed programs of a quick round: some seconds in a debug build.
const ROUND: u64 = 150;

#[test]
fn composed_programs_mean_the_same_to_the_product_and_to_the_oracle() {
    let mut same = 0;
    for seed in 0..ROUND {
        let text = compose::program(seed);
        match differ::compare(&text) {
            Verdict::Same => same += 1,
            verdict if verdict.is_finding() => panic!("seed {seed}: {}\n{text}", differ::told(&verdict)),
            _ => {}
        }
    }
    assert!(same * 10 >= ROUND * 7, "only {same} of {ROUND} programs were compared");
}

#[test]
fn formatting_keeps_composed_programs_and_their_comments() {
    for seed in 0..15 {
        let text = laws::program(seed);
        assert_eq!(laws::hold(&text), Ok(()), "seed {seed}\n{text}");
    }
}

#[test]
fn a_seed_gives_one_program() {
    assert_eq!(compose::program(7), compose::program(7));
    assert_ne!(compose::program(7), compose::program(8));
}

#[test]
fn the_oracle_runs_a_generator_only_as_far_as_it_is_pulled() {
    let text = "fn g() {\n  println(\"one\")\n  yield 1\n  println(\"two\")\n  yield 2\n}\nlet it = g()\nprintln(it.next())\nprintln(\"between\")\nprintln(it.next())";
    let output = "one\n{done: false, value: 1}\nbetween\ntwo\n{done: false, value: 2}\n".to_owned();
    assert_eq!(differ::oracle(text), Answer { output, ending: Ending::Value("nil".to_owned()) });
}

#[test]
fn the_oracle_gives_up_on_a_text_that_doubles() {
    let text = "var t = \"ab\"\nwhile true { t = t.split(\"\").join(\"|\") }";
    assert_eq!(differ::oracle(text).ending, Ending::Unsure);
}
