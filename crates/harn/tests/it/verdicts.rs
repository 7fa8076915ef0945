//! What `harn check` says of programs that the chapters judge, a line a program (`tests/chapters/01-errors.txt`,
//! `03-types.txt`):
//!
//! ```text
//! program => ok                                     nothing but lint remarks
//! program => E message ;; W message                 errors and warnings, all of them, in order
//! program => @2:1 E message // help text            with the place, with the help
//! program => L rule: message                        a lint remark, among others
//! program => E message, as far as it goes…          ` ;; ` in a program is a line break
//! ```
//!
//! All programs of a file lie in one directory and are checked by one command.

use crate::place::Place;

#[derive(Debug)]
struct Said {
    /// `E message`, `W message`, or `L rule: message`.
    text: String,
    place: String,
    help: String,
}

struct Case<'a> {
    line: &'a str,
    program: String,
    expected: Vec<&'a str>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("# "))
        .map(|line| {
            let (program, expected) =
                line.rsplit_once(" => ").unwrap_or_else(|| panic!("no ` => ` in {line}"));
            let expected = expected.split(" ;; ").filter(|e| *e != "ok").collect();
            Case { line, program: program.replace(" ;; ", "\n") + "\n", expected }
        })
        .collect()
}

/// The number of the file and what was said, of each block of `harn check`.
fn said(output: &str) -> Vec<(usize, Said)> {
    let mut found = Vec::new();
    for line in output.lines() {
        if let Some((severity, message)) = line.split_once(": ")
            && let "error" | "warning" = severity
        {
            let letter = if severity == "error" { 'E' } else { 'W' };
            let text = format!("{letter} {message}");
            found.push((usize::MAX, Said { text, place: String::new(), help: String::new() }));
            continue;
        }
        let Some((file, last)) = found.last_mut() else { continue };
        if let Some((number, place)) =
            line.trim().strip_prefix("--> ./f").and_then(|at| at.split_once(".harn:"))
        {
            *file = number.parse().unwrap();
            last.place = place.to_owned();
        } else if let Some((_, help)) = line.split_once("= help: ") {
            last.help = help.to_owned();
        } else if let Some((_, rule)) = line.split_once("^ lint[") {
            last.text = format!("L {}: {}", rule.trim_end_matches(']'), &last.text[2..]);
        }
    }
    found
}

fn meets(expected: &str, said: &Said) -> bool {
    let (place, rest) = match expected.strip_prefix('@').and_then(|e| e.split_once(' ')) {
        Some((place, rest)) => (Some(place), rest),
        None => (None, expected),
    };
    let (text, help) = match rest.split_once(" // help ") {
        Some((text, help)) => (text, Some(help)),
        None => (rest, None),
    };
    let same = |expected: &str, got: &str| match expected.strip_suffix('…') {
        Some(part) => got.starts_with(part),
        None => got == expected,
    };
    place.is_none_or(|place| place == said.place)
        && same(text, &said.text)
        && help.is_none_or(|help| same(help, &said.help))
}

fn differences(text: &str) -> Vec<String> {
    let cases = cases(text);
    let place = Place::new();
    for (i, case) in cases.iter().enumerate() {
        place.file(&format!("f{i:04}.harn"), &case.program);
    }
    let done = place.command(&["check", "."]).output().unwrap();
    let mut by_file: Vec<Vec<Said>> = cases.iter().map(|_| Vec::new()).collect();
    for (file, remark) in said(&String::from_utf8_lossy(&done.stderr)) {
        by_file[file].push(remark);
    }
    let mut wrong = Vec::new();
    for (case, said) in cases.iter().zip(&by_file) {
        let is_lint = |text: &str| text.starts_with("L ");
        let (lints, findings): (Vec<&str>, Vec<&str>) = case.expected.iter().partition(|e| is_lint(e));
        let found: Vec<_> = said.iter().filter(|s| !is_lint(&s.text)).collect();
        let right = findings.len() == found.len()
            && findings.iter().zip(&found).all(|(expected, said)| meets(expected, said))
            && lints.iter().all(|expected| said.iter().any(|s| meets(expected, s)));
        if !right {
            wrong.push(format!("{}\n  got {said:#?}", case.line));
        }
    }
    wrong
}

fn assert_verdicts(text: &str) {
    let wrong = differences(text);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn syntax_errors_are_as_chapter_1_says() {
    assert_verdicts(include_str!("../chapters/01-errors.txt"));
}

#[test]
fn findings_are_as_chapter_3_says() {
    assert_verdicts(include_str!("../chapters/03-types.txt"));
}
