//! Commands that work again when a file changes, as somebody at the keyboard sees them.

use crate::place::Place;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A command that does not end by itself.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(place: &Place, args: &[&str]) -> Watching {
        let mut command = place.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let err = sender.clone();
        let (out, told) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        std::thread::spawn(move || {
            BufReader::new(told).lines().map_while(Result::ok).try_for_each(|l| err.send(l))
        });
        Watching { child, lines }
    }

    /// Lines up to the one that holds `text`.
    fn until(&self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(30)) {
                Ok(line) => {
                    seen.push_str(&line);
                    seen.push('\n');
                    if line.contains(text) {
                        return seen;
                    }
                }
                Err(_) => panic!("{text:?} is not told, but {seen:?}"),
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PASSES: &str = "pipeline test_sum(task) { assert_eq(1 + 1, 2) }\n";
const FAILS: &str = "pipeline test_sum(task) { assert_eq(1 + 1, 3) }\n";

#[test]
fn tests_run_again_when_a_file_changes_comes_or_goes() {
    let place = Place::new();
    std::fs::create_dir(place.dir.path().join("tests")).unwrap();
    place.file("tests/test_a.harn", PASSES);
    let watching = Watching::start(&place, &["test", "--watch"]);
    assert!(watching.until("Watching for changes").contains("1 passed, 1 total"));
    place.file("tests/test_a.harn", FAILS);
    assert!(watching.until("Watching for changes").contains("1 failed"));
    // A module elsewhere in the project counts as well.
    place.file("helper.harn", "pub fn one() { return 1 }\n");
    assert!(watching.until("Watching for changes").contains("1 failed"));
    place.file("tests/test_a.harn", PASSES);
    place.file("tests/test_b.harn", PASSES.replace("test_sum", "test_more"));
    assert!(watching.until("2 passed, 2 total").contains("PASS  test_sum"));
    watching.until("Watching for changes");
    std::fs::remove_file(place.dir.path().join("tests/test_b.harn")).unwrap();
    watching.until("1 passed, 1 total");
}

#[test]
fn checks_are_made_again() {
    let place = Place::new();
    place.file("a.harn", "let a: int = \"x\"\nprintln(a)\n");
    let watching = Watching::start(&place, &["check", "--watch", "a.harn"]);
    watching.until("declared as int");
    watching.until("Watching for changes");
    place.file("a.harn", "println(1)\n");
    watching.until("a.harn: ok");
}

#[test]
fn a_program_that_runs_is_ended_and_started_anew() {
    let place = Place::new();
    place.file("a.harn", "println(argv)\nsleep(1h)\n");
    let watching = Watching::start(&place, &["watch", "--deny-net", "a.harn", "--", "x", "-y"]);
    // Its output comes when it waits.
    watching.until("[x, -y]");
    place.file("a.harn", "println(\"second\")\n");
    watching.until("second");
    watching.until("exit code 0");
    place.file("other.harn", "pub fn one() { return 1 }\n");
    watching.until("second");
}
