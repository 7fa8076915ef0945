//! Measures how fast sources are read: `cargo run --release -p harn-syntax --example throughput -- FILE...`.
//!
//! The files are joined to one source, which is lexed and parsed (and the result dropped) for about two seconds. The
//! figures are per second of processor time of this thread (Linux), so that other load does not count.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measuring tool reads files and the clock"
)]

use harn_syntax::{Source, parse};

/// Nanoseconds that this thread has run.
fn spent() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

fn main() {
    let text: String =
        std::env::args().skip(1).map(|path| std::fs::read_to_string(path).unwrap() + "\n").collect();
    let (lines, bytes) = (text.lines().count() as f64, text.len() as f64);
    let source = Source::new("bench.harn", text);
    let mut best = f64::INFINITY;
    let begin = spent();
    while spent() < begin + 2e9 {
        let start = spent();
        let parsed = parse(&source);
        assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics.first());
        drop(parsed);
        best = best.min(spent() - start);
    }
    let million_lines = lines / best * 1e3;
    println!(
        "{million_lines:.2} million lines/s, {:.0} MB/s ({lines} lines, {bytes} bytes)",
        bytes / best * 1e3
    );
}
