//! What no source may do: crash, hang, or end in a flood of errors.

use crate::{messages, parsed};
use std::time::{Duration, Instant};

/// One clear error or success, and a tree that can be dropped, soon.
fn ends_well(text: &str) -> usize {
    let start = Instant::now();
    let found = parsed(text);
    assert!(found.diagnostics.len() <= 1, "{} diagnostics", found.diagnostics.len());
    drop(found);
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    messages(text).len()
}

#[test]
fn nested_brackets_end_in_one_error() {
    for open in
        ["(", "[", "{a: ", "{ x -> ", "f(", "!", "-", "if a { ", "\"${", "x[", "match a { b -> { ", "a.b("]
    {
        assert_eq!(ends_well(&open.repeat(100_000)), 1, "{open}");
    }
}

#[test]
fn nested_types_end_in_one_error() {
    for open in ["list<", "[", "{a: ", "fn("] {
        assert_eq!(ends_well(&format!("let x: {}", open.repeat(100_000))), 1, "{open}");
    }
}

#[test]
fn closed_brackets_beyond_the_limit_end_in_one_error() {
    let text = format!("let x = {}1{}\nlet y = 2\n", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(messages(&text), ["1:265 nested too deeply"]);
}

#[test]
fn long_chains_end_in_one_error() {
    for link in [
        " + a", " |> a", ".b", "[0]", "()", " ** a", " ? a : b", " ?? a", " < a", "?", ".b()", " && a",
        " to a",
    ] {
        let text = format!("let x = a{}", link.repeat(100_000));
        assert_eq!(ends_well(&text), 1, "{link}");
    }
}

#[test]
fn long_else_if_chains_end_in_one_error() {
    assert_eq!(ends_well(&format!("if a {{ }}{}", " else if a { }".repeat(100_000))), 1);
}

#[test]
fn chains_and_brackets_below_the_limit_are_fine() {
    assert_eq!(messages(&format!("let x = a{}", " + a".repeat(900))), [""; 0]);
    assert_eq!(messages(&format!("let x = {}1{}", "(".repeat(200), ")".repeat(200))), [""; 0]);
}

#[test]
fn long_lists_are_fine() {
    assert_eq!(ends_well(&format!("let x = [{}]", "1, ".repeat(200_000))), 0);
    assert_eq!(ends_well(&"let x = 1\n".repeat(200_000)), 0);
    assert_eq!(ends_well(&format!("let x = \"{}\"", "${a}".repeat(100_000))), 0);
}

#[test]
fn look_ahead_stays_linear() {
    let hard = [
        "k ? ".to_string() + &"f()? - ".repeat(50_000) + "1 : z",
        "a < ".repeat(100_000) + "b",
        "a < b, ".repeat(100_000),
        "f(a < b, c > (d)) ; ".repeat(50_000),
        "a<b<c<d<e<f<g<h>>>>>>> + ".repeat(20_000) + "1",
        "a ? (".repeat(200) + "b" + &") : c".repeat(200),
        "{ a: ".repeat(200) + "1" + &" }".repeat(200),
    ];
    for text in hard {
        let start = Instant::now();
        drop(parsed(&text));
        assert!(start.elapsed() < Duration::from_secs(20), "{}", &text[..20]);
    }
}

#[test]
fn garbage_on_many_lines_is_read_in_linear_time() {
    let start = Instant::now();
    let found = parsed(&"let = ) 5 }\nfoo(,\n".repeat(50_000));
    assert!(!found.diagnostics.is_empty());
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_source_beyond_the_limit_is_refused() {
    let text = " ".repeat(harn_syntax::MAX_SOURCE_BYTES + 1);
    assert_eq!(messages(&text), ["1:1 source file is too large (the limit is 16 MiB)"]);
}
