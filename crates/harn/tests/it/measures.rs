//! `harn bench` and `harn profile`.

use crate::place::Place;

const PROGRAM: &str = "fn busy(n) {\n  var total = 0\n  for i in 0 to n {\n    total = total + i\n  }\n  return total\n}\n\n\
                       println(busy(100000))\nsleep(30ms)\n";

#[test]
fn a_bench_tells_times_and_hides_the_output() {
    let place = Place::new();
    place.file("a.harn", PROGRAM);
    let done = place.harn(&["bench", "a.harn", "-n", "2"]);
    assert!(done.out().starts_with("Benchmark: a.harn\nIterations: 2\nWall time: min "), "{}", done.out());
    assert!(done.out().contains("\nLLM calls: 0\n"), "{}", done.out());
    let none = place.harn(&["bench", "a.harn", "-n", "0"]);
    assert_eq!(
        none.err(),
        "error: `harn bench` requires at least one iteration\nUsage: harn bench [OPTIONS] <FILE>\n"
    );
    assert_eq!(none.code(), Some(2));
}

#[test]
fn a_profile_finds_busy_functions_and_waiting_lines() {
    let place = Place::new();
    place.file("a.harn", PROGRAM);
    let done = place.harn(&["profile", "a.harn", "--flame", "f.svg"]);
    assert!(done.out().contains("  busy\n") && done.out().contains("  a.harn:10\n"), "{}", done.out());
    let svg = std::fs::read_to_string(place.dir.path().join("f.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("<title>busy: "), "{svg}");
}

#[test]
fn the_front_end_tells_lines_per_second_of_each_stage() {
    let place = Place::new();
    place.file("a.harn", PROGRAM);
    let done = place.harn(&["dev", "speed", "--turns", "1", "a.harn"]);
    let out = done.out();
    let stages: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(stages, ["read", "check", "compile", "verify", "read + compile"], "{out}");
    assert!(out.starts_with("10 lines\n") && out.ends_with(" lines/s\n"), "{out}");
}
