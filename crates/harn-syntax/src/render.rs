//! The one renderer of diagnostics (spec 01 section 8).

use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use std::borrow::Cow;
use std::fmt::Write;

/// Blanks that a tab of the source is shown as.
const TAB: &str = "    ";

/// Characters of the longest line that is shown whole; of a longer one (generated text) a part around the place is.
const LONGEST_LINE: usize = 400;

/// Characters shown of a longer line, and how many of them come before the place.
const PART: usize = 200;
const LEAD: usize = 80;

/// The block that describes a diagnostic, with a final newline; with terminal colours if asked for.
pub fn render(diagnostic: &Diagnostic, source: &Source, colours: bool) -> String {
    let paint = Paint { colours };
    let (severity, colour) = match diagnostic.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let place = source.position(diagnostic.span.start);
    let width = place.line.to_string().len() + 1;
    let margin = " ".repeat(width);
    let bar = paint.with("34", "|");
    let mut out = String::new();
    let _ = writeln!(out, "{}: {}", paint.with(colour, severity), printable(&diagnostic.message));
    let arrow = paint.with("34", "-->");
    let _ = writeln!(out, "{margin}{arrow} {}:{}:{}", source.path(), place.line, place.column);
    let _ = writeln!(out, "{margin} {bar}");
    if let Some(line) = source.line(place.line) {
        let (line, before) = excerpt(line, place.column as usize - 1);
        let _ = writeln!(out, "{:>width$} {bar} {}", place.line, printable(&line));
        if let Some(label) = &diagnostic.label {
            let indent: usize = line.chars().take(before).map(shown_width).sum();
            let carets = "^".repeat(caret_count(&line, before, source.slice(diagnostic.span)));
            let mark = format!("{carets} {}", printable(label));
            let _ =
                writeln!(out, "{margin} {bar} {}{}", " ".repeat(indent), paint.with(colour, mark.trim_end()));
        }
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "{margin} = {}: {}", paint.with("1;36", "help"), printable(help));
    }
    out
}

/// The form of one line (spec 01 section 8.4), without the path.
pub fn one_line(diagnostic: &Diagnostic, source: &Source) -> String {
    let message = &diagnostic.message;
    if diagnostic.code == codes::UNEXPECTED_END {
        return printable(&capitalised(message));
    }
    if let Some(rest) = message.strip_prefix("expected ")
        && let Some((what, found)) = rest.split_once(", found ")
    {
        let place = source.position(diagnostic.span.start);
        return printable(&format!("Expected {what}, got {found} at {}:{}", place.line, place.column));
    }
    printable(message)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// What is shown of a line, and the number of its characters before the place that has `before` of the line's.
fn excerpt(line: &str, before: usize) -> (Cow<'_, str>, usize) {
    if line.chars().nth(LONGEST_LINE).is_none() {
        return (Cow::Borrowed(line), before);
    }
    let from = before.saturating_sub(LEAD);
    let opening = if from > 0 { "… " } else { "" };
    let mut rest = line.chars().skip(from);
    let part: String = rest.by_ref().take(PART).collect();
    let ending = if rest.next().is_some() { " …" } else { "" };
    (Cow::Owned(format!("{opening}{part}{ending}")), before - from + opening.chars().count())
}

/// As many carets as the span has characters on its first line, at least one.
fn caret_count(line: &str, before: usize, spanned: &str) -> usize {
    let rest = line.chars().skip(before).count();
    let length = spanned.chars().take_while(|c| *c != '\n').count().min(rest);
    line.chars().skip(before).take(length).map(shown_width).sum::<usize>().max(1)
}

fn shown_width(c: char) -> usize {
    if c == '\t' { TAB.len() } else { 1 }
}

/// Text that cannot steer a terminal: tabs become blanks, other control characters a sign.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.push_str(TAB),
            '\n' => shown.push('\n'),
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

struct Paint {
    colours: bool,
}

impl Paint {
    fn with(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}
