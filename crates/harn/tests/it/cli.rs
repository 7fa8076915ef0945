//! The built binary as a user meets it: what it prints, where, and with which exit code.

use crate::place::{Done, Place};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};

#[test]
fn a_program_prints_and_leaves_nothing_behind() {
    let place = Place::new();
    let done = place.run("println(\"hello\")\n");
    assert_eq!((done.out().as_str(), done.err().as_str(), done.code()), ("hello\n", "", Some(0)));
    assert!(!place.dir.path().join(".harn").exists());
}

#[test]
fn a_bare_file_is_run_with_its_arguments() {
    let place = Place::new();
    place.file("main.harn", "println(argv)");
    assert_eq!(place.harn(&["main.harn", "a", "--b"]).out(), "[a, --b]\n");
    assert_eq!(place.harn(&["run", "main.harn", "--", "a", "--b"]).out(), "[a, --b]\n");
}

#[test]
fn files_that_are_no_programs_are_told_apart() {
    let place = Place::new();
    place.file("latin.harn", b"println(\"caf\xe9\")");
    for (name, text) in [
        ("nope.harn", "Error reading nope.harn: No such file or directory (os error 2)\n"),
        (".", "Error reading .: is a directory, not a program\n"),
        ("latin.harn", "Error reading latin.harn: not valid UTF-8 (first bad byte at offset 12)\n"),
    ] {
        let done = place.harn(&["run", name]);
        assert_eq!((done.err().as_str(), done.code()), (text, Some(1)));
    }
}

#[test]
fn an_empty_file_is_a_program() {
    let done = Place::new().run("");
    assert_eq!((done.out().as_str(), done.err().as_str(), done.code()), ("", "", Some(0)));
}

#[test]
fn a_huge_file_is_refused_in_words() {
    let place = Place::new();
    place.file("huge.harn", "let x = 1\n".repeat(5 << 20));
    let done = place.harn(&["run", "huge.harn"]);
    assert!(done.err().contains("source file is too large"), "{}", done.err());
    assert_eq!(done.code(), Some(1));
}

#[test]
fn usage_errors_exit_with_2() {
    let place = Place::new();
    let neither = place.harn(&["run"]);
    assert!(neither.err().starts_with("error: `harn run` requires either `-e <code>` or `<file.harn>`"));
    let both = place.harn(&["run", "-e", "1", "a.harn"]);
    assert!(
        both.err().starts_with("error: `harn run` accepts either `-e <code>` or `<file.harn>`, not both")
    );
    let unknown = place.harn(&["run", "--frobnicate"]);
    assert!(unknown.err().starts_with("error: "));
    assert_eq!([neither.code(), both.code(), unknown.code()], [Some(2); 3]);
    let alone = place.harn(&[]);
    assert!(alone.out().is_empty() && alone.err().contains("Usage"));
    assert_eq!(alone.code(), Some(2));
}

#[test]
fn the_version_is_printed_in_two_forms() {
    let place = Place::new();
    assert_eq!(place.harn(&["--version"]).out(), format!("harn {}\n", env!("CARGO_PKG_VERSION")));
    assert!(place.harn(&["version"]).out().contains(&format!("harn v{}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_result_of_the_entry_is_the_exit_code() {
    let place = Place::new();
    for (text, code) in [
        ("pipeline main(task) { 7 }", 7),
        ("pipeline main(task) { return 300 }", 255),
        ("return 4", 4),
        ("5", 0),
        ("exit(-1)", 255),
        ("pipeline main(task) { \"text\" }", 0),
    ] {
        assert_eq!(place.run(text).code(), Some(code), "{text}");
    }
}

#[test]
fn an_err_result_is_shown_and_fails() {
    let done = Place::new().run("pipeline main(task) { Err(\"no luck\") }");
    assert_eq!((done.err().as_str(), done.code()), ("no luck\n", Some(1)));
}

#[test]
fn an_uncaught_error_is_reported_after_the_output() {
    let done = Place::new().run("fn half(n) {\n  return n / 0\n}\nprintln(\"before\")\nhalf(4)\n");
    assert_eq!(done.out(), "before\n");
    assert_eq!(done.code(), Some(1));
    let err = done.err();
    for part in [
        "error: Runtime error: Division by zero (line 2)\n",
        "  --> main.harn:2:",
        " 2 |   return n / 0\n",
        "  = note: called from pipeline at main.harn:5\n",
    ] {
        assert!(err.contains(part), "{part:?} is missing in:\n{err}");
    }
}

#[test]
fn a_stack_overflow_is_an_ordinary_error_with_a_short_report() {
    let done = Place::new().run("fn f(n) { return 1 + f(n + 1) }\nf(0)\n");
    assert!(done.err().starts_with("error: Runtime error: Stack overflow: too many nested calls"));
    assert!(done.err().lines().count() < 30, "{}", done.err());
    assert_eq!(done.code(), Some(1));
}

#[test]
fn code_on_the_command_line_runs() {
    let done = Place::new().harn(&["run", "-e", "println(1 + 1)"]);
    assert_eq!((done.out().as_str(), done.code()), ("2\n", Some(0)));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let place = Place::new();
    place.file("main.harn", "while true { println(\"y\") }");
    let mut child =
        place.command(&["run", "main.harn"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let done = Done(child.wait_with_output().unwrap());
    assert_eq!(&first, b"y\ny\n");
    assert_eq!((done.err().as_str(), done.code()), ("", Some(0)));
}

/// Starts a program and returns once it has printed its first line.
fn started(place: &Place, file: &Path) -> Child {
    let path = file.to_string_lossy().into_owned();
    let mut child =
        place.command(&["run", &path]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut byte = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
    child
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// Waits for the end of a program that was interrupted; one that goes on for half a minute fails the test.
fn ended(mut child: Child) -> Done {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > end {
            child.kill().unwrap();
            panic!("the program did not end after the signal");
        }
        std::thread::yield_now();
    }
    Done(child.wait_with_output().unwrap())
}

#[test]
fn a_signal_lets_the_program_tidy_up_and_exits_with_124() {
    let place = Place::new();
    let text = "eprintln(\"up\")\nprintln(\"x\")\ntry { sleep(60s) } finally { eprintln(\"tidy\") }\n";
    let child = started(&place, &place.file("main.harn", text));
    interrupt(&child);
    let done = ended(child);
    assert!(done.err().contains("[harn] signal received, flushing state...\ntidy\n"), "{}", done.err());
    assert_eq!(done.code(), Some(124));
}

#[test]
fn a_signal_stops_a_program_that_computes() {
    let place = Place::new();
    let text = "println(\"x\")\nsleep(1ms)\nvar n = 0\nwhile true { n = n + 1 }\n";
    let child = started(&place, &place.file("main.harn", text));
    interrupt(&child);
    assert_eq!(ended(child).code(), Some(124));
}

#[test]
fn a_command_that_is_not_there_is_refused_by_name() {
    let done = Place::new().harn(&["add", "github.com/a/b"]);
    assert!(
        done.err().starts_with("error: `harn add` (adds a dependency) is not in this version"),
        "{}",
        done.err()
    );
    assert!(done.err().contains("\nInstead: import files by their paths"), "{}", done.err());
    assert_eq!(done.code(), Some(2));
}
