//! The example programs, where they are at hand.

use harn_syntax::{Source, one_line, parse, render};
use std::path::{Path, PathBuf};

/// Every `.harn` file of the examples; none when the folder is absent.
fn programs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/examples");
    let root = if root.is_dir() {
        root
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/examples")
    };
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "harn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn source(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Source::new(name, std::fs::read_to_string(path).unwrap())
}

fn rendered(source: &Source) -> String {
    parse(source).diagnostics.iter().map(|d| render(d, source, false)).collect()
}

#[test]
fn programs_that_run_parse_without_a_word() {
    let mut complaints = String::new();
    for path in programs() {
        if path.with_extension("out").exists() {
            let said = rendered(&source(&path));
            if !said.is_empty() {
                complaints.push_str(&format!("{}\n{said}", path.display()));
            }
        }
    }
    assert_eq!(complaints, "");
}

#[test]
fn faulty_programs_of_the_syntax_area_show_their_lines() {
    let mut missing = String::new();
    for path in programs() {
        let in_area = path.parent().is_some_and(|p| p.ends_with("syntax"));
        let err = path.with_extension("err");
        // What only the checker can see.
        let later = path.file_stem().is_some_and(|s| s == "break_outside_loop");
        if !in_area || !err.exists() || later {
            continue;
        }
        let said = rendered(&source(&path));
        for line in std::fs::read_to_string(err).unwrap().lines().filter(|l| !said.contains(l)) {
            missing.push_str(&format!("{}: no {line:?} in\n{said}", path.display()));
        }
    }
    assert_eq!(missing, "");
}

#[test]
fn programs_of_other_areas_fail_later_than_here() {
    let mut complaints = String::new();
    for path in programs() {
        let in_area = path.parent().is_some_and(|p| p.ends_with("syntax"));
        if path.with_extension("err").exists() && !in_area {
            complaints.push_str(&rendered(&source(&path)));
        }
    }
    assert_eq!(complaints, "");
}

#[test]
fn every_prefix_of_every_program_is_read_and_covered() {
    for path in programs() {
        let text = std::fs::read_to_string(&path).unwrap();
        let step = 1 + text.len() / 200;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)).step_by(step) {
            let source = Source::new("prefix.harn", &text[..end]);
            let parsed = parse(&source);
            let covered: String = parsed.tokens.iter().map(|t| source.slice(t.span)).collect();
            assert_eq!(covered, source.text());
            for diagnostic in &parsed.diagnostics {
                render(diagnostic, &source, true);
                one_line(diagnostic, &source);
            }
        }
    }
}
