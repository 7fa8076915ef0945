//! Coverage by line: what the tests reached together, as lcov and as a table.

use super::runner::Finished;
use std::collections::BTreeMap;
use std::fmt::Write;

/// For each file, how often each line with code was reached.
pub type Covered = BTreeMap<String, BTreeMap<u32, u64>>;

/// Adds the counts of all tests; paths below the working directory become relative.
pub fn merge(tests: &[Finished]) -> Covered {
    let here = std::env::current_dir().map(|d| format!("{}/", d.to_string_lossy())).unwrap_or_default();
    let mut covered = Covered::new();
    for (file, lines) in tests.iter().flat_map(|test| &test.lines) {
        let whole = straight(file);
        let name = whole.strip_prefix(&here).unwrap_or(&whole).to_owned();
        let counts = covered.entry(name).or_default();
        for (line, count) in lines {
            *counts.entry(*line).or_default() += count;
        }
    }
    covered
}

/// A path without `.` and `..`: imports name files relative to each other.
fn straight(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The lcov trace file.
pub fn lcov(covered: &Covered) -> String {
    let mut out = String::new();
    for (file, lines) in covered {
        let _ = writeln!(out, "TN:\nSF:{file}");
        for (line, count) in lines {
            let _ = writeln!(out, "DA:{line},{count}");
        }
        let hit = lines.values().filter(|count| **count > 0).count();
        let _ = writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
    }
    out
}

/// The summary for a terminal: share, counts, file, and the lines that were not reached.
pub fn table(covered: &Covered) -> String {
    let mut out = String::from("\nCoverage by line:\n");
    let (mut all_hit, mut all) = (0, 0);
    for (file, lines) in covered {
        let hit = lines.values().filter(|count| **count > 0).count();
        all_hit += hit;
        all += lines.len();
        let missed = missed(lines);
        let rest = if missed.is_empty() { String::new() } else { format!("  not reached: {missed}") };
        let _ = writeln!(out, "  {}  {hit}/{}  {file}{rest}", percent(hit, lines.len()), lines.len());
    }
    let _ = writeln!(out, "  {}  {all_hit}/{all}  total", percent(all_hit, all));
    out
}

fn percent(hit: usize, of: usize) -> String {
    let share = if of == 0 { 100.0 } else { hit as f64 * 100.0 / of as f64 };
    format!("{share:5.1} %")
}

/// Lines without a hit; neighbours among the lines with code are joined.
fn missed(lines: &BTreeMap<u32, u64>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut open = false;
    for (line, count) in lines {
        match runs.last_mut() {
            _ if *count > 0 => open = false,
            Some(last) if open => last.1 = *line,
            _ => {
                runs.push((*line, *line));
                open = true;
            }
        }
    }
    let shown = runs.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered() -> Covered {
        let lines = [(1, 2), (2, 0), (4, 0), (5, 1), (9, 0)].into_iter().collect();
        Covered::from([("a.harn".to_owned(), lines)])
    }

    #[test]
    fn lines_that_were_not_reached_are_named_in_runs() {
        insta::assert_snapshot!(table(&covered()), @r"
        Coverage by line:
           40.0 %  2/5  a.harn  not reached: 2-4, 9
           40.0 %  2/5  total
        ");
    }

    #[test]
    fn a_path_through_another_directory_is_straightened() {
        assert_eq!(straight("/p/tests/../lib/./a.harn"), "/p/lib/a.harn");
        assert_eq!(straight("../a"), "../a");
    }

    #[test]
    fn lcov_lists_every_line_with_code() {
        insta::assert_snapshot!(lcov(&covered()), @r"
        TN:
        SF:a.harn
        DA:1,2
        DA:2,0
        DA:4,0
        DA:5,1
        DA:9,0
        LF:5
        LH:2
        end_of_record
        ");
    }
}
