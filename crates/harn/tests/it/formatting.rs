//! `harn fmt` from the command line.

use crate::place::{Done, Place};
use std::io::Write;
use std::process::Stdio;

const LOOSE: &str = "let a=[1,\n2]\nprintln( a )\n";
const NEAT: &str = "let a = [1, 2]\n\nprintln(a)\n";

fn through(place: &Place, text: &str, args: &[&str]) -> Done {
    let mut command = place.command(&[&["fmt"], args].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Done(child.wait_with_output().unwrap())
}

#[test]
fn standard_input_goes_to_standard_output() {
    let place = Place::new();
    for args in [&["-"], &["--stdin"]] {
        let done = through(&place, LOOSE, args);
        assert_eq!((done.out().as_str(), done.code()), (NEAT, Some(0)));
    }
    let broken = through(&place, "fn {\n", &["-"]);
    assert_eq!((broken.out().as_str(), broken.code()), ("", Some(1)));
    assert!(broken.err().starts_with("<stdin>: Expected function name"), "{}", broken.err());
    assert_eq!(through(&place, NEAT, &["-", "--check"]).code(), Some(0));
    assert_eq!(through(&place, LOOSE, &["-", "--check"]).code(), Some(1));
    place.file("harn.toml", "[fmt]\nline_width = 20\n");
    assert_eq!(through(&place, "println(\"some words\", 1, 2)\n", &["-"]).out().lines().count(), 5);
}

#[test]
fn a_difference_is_shown_and_nothing_written() {
    let place = Place::new();
    let path = place.file("a.harn", LOOSE);
    let done = place.harn(&["fmt", "--diff", "a.harn"]);
    assert!(done.out().starts_with("--- a/a.harn\n+++ b/a.harn\n@@"), "{}", done.out());
    assert!(done.out().contains("\n+let a = [1, 2]\n"), "{}", done.out());
    assert_eq!(done.code(), Some(1));
    assert_eq!(std::fs::read_to_string(path).unwrap(), LOOSE);
}

#[test]
fn each_file_has_the_widths_of_its_own_project() {
    let place = Place::new();
    let line = "println(\"a text that takes its place\", 1)\n";
    for (name, manifest) in [("narrow", "[fmt]\nline_width = 20\n"), ("wide", "")] {
        std::fs::create_dir(place.dir.path().join(name)).unwrap();
        place.file(&format!("{name}/harn.toml"), manifest);
        place.file(&format!("{name}/a.harn"), line);
    }
    assert_eq!(place.harn(&["fmt", "wide", "narrow"]).out(), "formatted narrow/a.harn\n");
}

#[test]
fn what_cannot_be_read_is_told_as_everywhere() {
    let place = Place::new();
    let done = place.harn(&["fmt", "nope.harn"]);
    assert_eq!(done.err(), "Error reading nope.harn: No such file or directory (os error 2)\n");
    assert_eq!(done.code(), Some(1));
}
