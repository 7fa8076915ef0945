//! What is said of a program that cannot start, and of an error that nothing caught (spec 02 section 10.6).

use harn_runtime::program::Refusal;
use harn_syntax::{Diagnostic, Severity, Source};
use harn_types::graph::{ModuleGraph, ModuleIndex};
use harn_vm::{TraceFrame, VmError};
use std::fmt::Write;

/// More notes than this are abbreviated.
const NOTES: usize = 12;

/// More warnings than this are only counted: a generated file can have millions.
const WARNINGS_SHOWN: usize = 100;

/// Why a program cannot start.
pub fn refusal(refusal: &Refusal, colours: bool) -> String {
    match refusal {
        Refusal::Unreadable(text) => format!("error: {text}\n"),
        Refusal::Static(graph, found) => diagnostics(graph, found, colours),
        Refusal::Compile(graph, found) => found.iter().fold(String::new(), |mut out, (index, diagnostic)| {
            let line = graph.module(*index).map_or(0, |m| m.source.position(diagnostic.span.start).line);
            let _ =
                writeln!(out, "error: compile error: Compile error at line {line}: {}", diagnostic.message);
            out
        }),
        Refusal::Start(graph, error) => uncaught(error, graph),
    }
}

/// Renders diagnostics, each with its place.
pub fn diagnostics(graph: &ModuleGraph, found: &[(ModuleIndex, Diagnostic)], colours: bool) -> String {
    let mut out = String::new();
    let mut warnings = 0;
    for (index, diagnostic) in found {
        if diagnostic.severity == Severity::Warning {
            warnings += 1;
            if warnings > WARNINGS_SHOWN {
                continue;
            }
        }
        if let Some(module) = graph.module(*index) {
            out.push_str(&harn_syntax::render(diagnostic, &module.source, colours));
        }
    }
    if warnings > WARNINGS_SHOWN {
        let _ = writeln!(out, "warning: {} more warnings are not shown", warnings - WARNINGS_SHOWN);
    }
    out
}

/// The whole report, with a final newline.
pub fn uncaught(error: &VmError, graph: &ModuleGraph) -> String {
    uncaught_in(error, |frame| source_of(graph, frame))
}

/// [`uncaught`] where the sources are known to `source_of`.
pub fn uncaught_in<'a>(error: &VmError, source_of: impl FnOnce(&TraceFrame) -> Option<&'a Source>) -> String {
    let mut out = format!("error: {}\n", error.report_message());
    let Some(frame) = error.trace.first() else { return out };
    if frame.line > 0 {
        place(&mut out, frame, source_of(frame));
    }
    notes(&mut out, error.trace.get(1..).unwrap_or_default());
    out
}

fn source_of<'a>(graph: &'a ModuleGraph, frame: &TraceFrame) -> Option<&'a Source> {
    graph.modules.iter().find(|module| *module.key == *frame.module).map(|module| &module.source)
}

/// Arrow, excerpt and carets.
fn place(out: &mut String, frame: &TraceFrame, source: Option<&Source>) {
    let (line, column) = match source {
        Some(source) => {
            let position = source.position(frame.start);
            (position.line, position.column)
        }
        None => (frame.line, frame.column),
    };
    let margin = " ".repeat(line.to_string().len() + 1);
    let _ = writeln!(out, "{margin}--> {}:{line}:{column}", frame.path);
    let Some(text) = source.and_then(|source| source.line(line)) else { return };
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, " {line} | {text}");
    let before = column.saturating_sub(1) as usize;
    let carets = "^".repeat(caret_count(text, before));
    let indent: String = text.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let _ = writeln!(out, "{margin} | {indent}{carets}");
}

/// The identifier or number at a column, else one character.
fn caret_count(line: &str, before: usize) -> usize {
    let word = line.chars().skip(before).take_while(|c| c.is_alphanumeric() || *c == '_').count();
    word.max(1)
}

/// One line per outer frame, innermost first; runs of equal notes and very long lists are abbreviated.
fn notes(out: &mut String, frames: &[TraceFrame]) {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for frame in frames {
        let name = if frame.function.is_empty() { "pipeline" } else { &frame.function };
        let note = format!("called from {name} at {}:{}", frame.path, frame.line);
        match runs.last_mut() {
            Some((last, count)) if *last == note => *count += 1 + frame.omitted,
            _ => runs.push((note, 1 + frame.omitted)),
        }
    }
    let shown = if runs.len() > NOTES { NOTES - 2 } else { runs.len() };
    for (note, count) in runs.iter().take(shown) {
        let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        let _ = writeln!(out, "  = note: {note}{times}");
    }
    if runs.len() > shown {
        let left: usize = runs.iter().skip(shown).map(|(_, count)| count).sum();
        let _ = writeln!(out, "  = note: ... and {left} more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, line: u32) -> TraceFrame {
        TraceFrame { function: function.to_owned(), path: "a.harn".to_owned(), line, ..TraceFrame::default() }
    }

    #[test]
    fn a_run_of_equal_frames_is_one_note() {
        let mut out = String::new();
        notes(&mut out, &[frame("f", 2), frame("f", 2), frame("", 9)]);
        assert_eq!(
            out,
            "  = note: called from f at a.harn:2 (2 times)\n  = note: called from pipeline at a.harn:9\n"
        );
    }

    #[test]
    fn a_long_trace_is_cut() {
        let frames: Vec<TraceFrame> = (0..50).map(|i| frame("f", i)).collect();
        let mut out = String::new();
        notes(&mut out, &frames);
        assert!(out.ends_with("  = note: ... and 40 more\n"));
    }

    #[test]
    fn carets_cover_the_word() {
        assert_eq!(caret_count("let total = 1", 4), 5);
        assert_eq!(caret_count("a + b", 2), 1);
    }
}
