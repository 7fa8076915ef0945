//! What `harn test` prints: one line per test, failures with what the test wrote, a summary, and on a terminal what
//! runs just now.

use super::Wish;
use super::runner::Finished;
use crate::output;
use std::fmt::Write;
use std::io::IsTerminal;

/// Prints results as they come.
pub struct Printer {
    colours: bool,
    /// Whether a line that is overwritten tells what runs.
    live: bool,
    total: usize,
    over: usize,
    verbose: bool,
    timing: bool,
    seed: u64,
}

/// More captured output than this is cut in the middle.
const CAPTURED_LINES: usize = 200;

impl Printer {
    /// A printer for so many tests.
    pub fn new(wish: &Wish, total: usize) -> Printer {
        Printer {
            colours: output::stdout_colours(),
            live: std::io::stderr().is_terminal() && std::io::stdout().is_terminal(),
            total,
            over: 0,
            verbose: wish.verbose,
            timing: wish.timing,
            seed: wish.seed,
        }
    }

    fn paint(&self, code: u8, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A test began.
    pub fn started(&mut self, name: &str) {
        if self.live {
            let line = format!("{}/{} {name}", self.over, self.total);
            let short: String = line.chars().take(70).collect();
            output::err(&format!("\r\u{1b}[2K{short}"));
        }
    }

    /// A test is over (its result may still have to wait for those before it).
    pub fn counted(&mut self) {
        self.over += 1;
    }

    /// Clears the live line.
    pub fn quiet(&mut self) {
        if self.live {
            output::err("\r\u{1b}[2K");
        }
    }

    /// The line of a test, and all about its failure.
    pub fn result(&mut self, test: &Finished) {
        self.quiet();
        let mut out = String::new();
        match &test.failure {
            None => {
                let _ = writeln!(
                    out,
                    "  {}  {} [{}] ({} ms)",
                    self.paint(32, "PASS"),
                    test.name,
                    test.file,
                    test.ms
                );
            }
            Some(failure) => {
                let _ = writeln!(out, "  {}  {} [{}]", self.paint(31, "FAIL"), test.name, test.file);
                indented(&mut out, failure, "");
            }
        }
        if !test.output.is_empty() && (test.failure.is_some() || self.verbose) {
            let _ = writeln!(out, "        output:");
            indented(&mut out, &cut(&test.output), "  ");
        }
        output::out(&out);
    }

    /// The last lines.
    pub fn summary(&mut self, tests: &[Finished], ms: u128) {
        let failed = tests.iter().filter(|test| test.failure.is_some()).count();
        let passed = tests.len() - failed;
        let total = tests.len();
        let line = if failed > 0 {
            self.paint(31, &format!("{passed} passed, {failed} failed, {total} total ({ms} ms)"))
        } else {
            self.paint(32, &format!("{passed} passed, {total} total ({ms} ms)"))
        };
        output::outln(&format!("\n{line}"));
        if failed > 0 || self.verbose {
            output::outln(&format!("Seed: {} (the same again: --seed {})", self.seed, self.seed));
        }
        if self.timing {
            output::out(&timing(tests));
        }
    }
}

fn indented(out: &mut String, text: &str, more: &str) {
    for line in text.trim_end().lines() {
        let _ = writeln!(out, "        {more}{line}");
    }
}

/// The first and last lines of what is too long.
fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= CAPTURED_LINES {
        return text.to_owned();
    }
    let half = CAPTURED_LINES / 2;
    let (head, tail) =
        (lines.get(..half).unwrap_or_default(), lines.get(lines.len() - half..).unwrap_or_default());
    format!("{}\n... ({} lines omitted) ...\n{}", head.join("\n"), lines.len() - 2 * half, tail.join("\n"))
}

/// How long tests took.
fn timing(tests: &[Finished]) -> String {
    let mut times: Vec<u128> = tests.iter().map(|test| test.ms).collect();
    times.sort_unstable();
    let count = times.len().max(1);
    let at = |percent: usize| {
        let rank = (count * percent).div_ceil(100).clamp(1, count) - 1;
        times.get(rank).copied().unwrap_or(0)
    };
    let total: u128 = times.iter().sum();
    let mut out = format!(
        "Total time: {total} ms\nPer-test: avg={} ms  p50={} ms  p95={} ms  p99={} ms\n",
        total / count as u128,
        at(50),
        at(95),
        at(99)
    );
    let mut slowest: Vec<&Finished> = tests.iter().collect();
    slowest.sort_by_key(|test| std::cmp::Reverse(test.ms));
    slowest.truncate(10);
    let _ = writeln!(out, "Slowest {} tests:", slowest.len());
    for test in slowest {
        let _ = writeln!(out, "  {} ms  {} [{}]", test.ms, test.name, test.file);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timing_gives_percentiles_and_the_slowest() {
        let tests: Vec<Finished> = (1..=20)
            .map(|n| Finished { name: format!("t{n}"), file: "a".into(), ms: n, ..Finished::default() })
            .collect();
        let text = timing(&tests);
        assert!(text.contains("Per-test: avg=10 ms  p50=10 ms  p95=19 ms  p99=20 ms"), "{text}");
        assert!(text.contains("Slowest 10 tests:\n  20 ms  t20 [a]\n"), "{text}");
    }

    #[test]
    fn long_output_is_cut_in_the_middle() {
        let text = cut(&"x\n".repeat(1000));
        assert!(text.contains("... (800 lines omitted) ..."));
        assert_eq!(text.lines().count(), CAPTURED_LINES + 1);
    }
}
