//! The example programs: those that run get no error, those that must fail get the words they ask for.

use crate::files::{Disk, programs};
use harn_syntax::{Severity, render};
use harn_types::graph::{ModuleGraph, load};
use std::path::Path;

fn graph(path: &Path) -> ModuleGraph {
    load(&path.to_string_lossy(), &mut Disk).unwrap()
}

/// What `harn run` prints before it starts the program, and the start error it stops with.
fn said(graph: &ModuleGraph, least: Severity) -> String {
    let mut out = String::new();
    let entry = graph.module(graph.entry).unwrap();
    for diagnostic in entry.parsed.diagnostics.iter().filter(|d| d.severity <= least) {
        out.push_str(&render(diagnostic, &entry.source, false));
    }
    for (index, diagnostic) in harn_types::check(graph) {
        if diagnostic.severity <= least {
            out.push_str(&render(&diagnostic, &graph.module(index).unwrap().source, false));
        }
    }
    // A library module that is not written yet is nothing the front end can mend.
    let library = |text: &str| text.contains("std/");
    for error in graph.start_errors.iter().filter(|e| !library(&e.text)) {
        out.push_str(&format!("error: Runtime error: {}\n", error.text));
    }
    out
}

#[test]
fn programs_that_run_get_no_error() {
    let mut complaints = String::new();
    for path in programs().iter().filter(|p| p.with_extension("out").exists()) {
        let said = said(&graph(path), Severity::Error);
        if !said.is_empty() {
            complaints.push_str(&format!("{}\n{said}", path.display()));
        }
    }
    assert_eq!(complaints, "");
}

/// Lines that only running the program prints.
const AT_RUN_TIME: &[&str] = &["Cannot assign to immutable binding: fixed", "unsupported"];

#[test]
fn faulty_programs_show_their_lines() {
    let mut missing = String::new();
    for path in programs() {
        let area = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        let err = path.with_extension("err");
        let imports = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("import_"));
        let ours = matches!(area.as_deref(), Some("types" | "syntax")) || imports;
        if !ours || !err.exists() {
            continue;
        }
        let said = said(&graph(&path), Severity::Warning);
        for line in std::fs::read_to_string(err).unwrap().lines() {
            if !line.is_empty() && !AT_RUN_TIME.contains(&line) && !said.contains(line) {
                missing.push_str(&format!("{}: {line}\n{said}\n", path.display()));
            }
        }
    }
    assert_eq!(missing, "");
}
