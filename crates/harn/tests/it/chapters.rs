//! What the chapters of the specification say about builtins, a line a fact (`tests/chapters/*.txt`):
//!
//! ```text
//! # 4.5                                              a heading, or any remark
//! expr => display of its value
//! expr => !display of what it throws
//! expr => ~a part of either
//! let c = channel() ;; receive(c) => 1               ` ;; ` is a line break; what follows is the value
//! pre: import "std/math"                             a line before all checks of the group
//! reset:                                             ends the group: the next is a program of its own
//! ```
//!
//! The checks of a group run in order in one program, so later ones see what earlier ones stored. A line break in a
//! result is written `\n`.

use crate::place::Place;
use std::fmt::Write as _;

/// A program of checks: the lines before them, and expression and expected text of each.
#[derive(Default)]
struct Group<'a> {
    before: String,
    checks: Vec<(&'a str, &'a str)>,
}

fn groups(text: &str) -> Vec<Group<'_>> {
    let mut groups = vec![Group::default()];
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        if line.starts_with("reset:") {
            groups.push(Group::default());
            continue;
        }
        let group = groups.last_mut().unwrap();
        if let Some(code) = line.strip_prefix("pre: ") {
            writeln!(group.before, "{}", lines_of(code)).unwrap();
        } else {
            group.checks.push(line.rsplit_once(" => ").unwrap_or_else(|| panic!("no ` => ` in {line}")));
        }
    }
    groups
}

fn lines_of(code: &str) -> String {
    code.replace(" ;; ", "\n")
}

/// Runs each check in a closure that prints its number and its result.
fn program(group: &Group<'_>) -> String {
    let mut code = group.before.clone();
    code.push_str(
        r#"fn __line(i, mark, v) { println("@@${i}|${mark}" + to_string(v).replace("\n", "\\n")) }
fn __check(i, f) {
  try { __line(i, "", f()) } catch (e) { __line(i, "!", e) }
}
"#,
    );
    for (i, (expression, _)) in group.checks.iter().enumerate() {
        writeln!(code, "__check({i}, {{ -> {} }})", lines_of(expression)).unwrap();
    }
    code
}

fn differences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for group in groups(text) {
        let place = Place::new();
        place.file("checks.harn", program(&group));
        let state = place.dir.path().join("state");
        let done = place
            .command(&["run", "checks.harn"])
            .env("HARN_LLM_PROVIDER", "mock")
            .env("HARN_STATE_DIR", state)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        for (i, (expression, expected)) in group.checks.iter().enumerate() {
            let mark = format!("@@{i}|");
            let Some(got) = printed.lines().find_map(|l| l.split_once(&mark).map(|(_, result)| result))
            else {
                let said = String::from_utf8_lossy(&done.stderr).into_owned();
                let errors: Vec<_> = said.lines().skip_while(|l| !l.starts_with("error")).collect();
                out.push(format!("{expression}\n  did not run: {}", errors.join("\n")));
                break;
            };
            let right = match expected.strip_prefix('~') {
                Some(part) => got.contains(part),
                None => got == *expected,
            };
            if !right {
                out.push(format!("{expression}\n  expected {expected}\n  got      {got}"));
            }
        }
    }
    out
}

/// One test a chapter.
macro_rules! chapters {
    ($($name:ident: $file:literal;)*) => {$(
        #[test]
        fn $name() {
            let wrong = differences(include_str!(concat!("../chapters/", $file)));
            assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
        }
    )*};
}

chapters! {
    syntax_is_as_chapter_1_says: "01-syntax.txt";
    evaluation_is_as_chapter_2_says: "02-semantics.txt";
    concurrency_is_as_chapter_4_says: "04-concurrency.txt";
    data_is_as_chapter_5_says: "05-data.txt";
    the_system_is_as_chapter_6_says: "06-system.txt";
    the_network_is_as_chapter_6_says: "06-network.txt";
    models_and_tools_are_as_chapter_7_says: "07-agents.txt";
    autonomy_is_as_chapter_8_says: "08-autonomy.txt";
}
