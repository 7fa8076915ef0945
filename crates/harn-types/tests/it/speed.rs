//! How fast the front end is: `cargo test --release -p harn-types -- --ignored speed --nocapture`.

use crate::files::{Disk, programs};
use harn_types::graph::load_text;

#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn speed_of_checking() {
    let mut text = String::new();
    for path in programs().iter().filter(|p| p.with_extension("out").exists()) {
        let program = std::fs::read_to_string(path).unwrap();
        if program.contains("pipeline ") && !program.contains("import ") {
            // Names repeat from program to program; as bodies of functions they do not meet.
            let body = program.replacen("pipeline default(", &format!("pipeline p{}(", text.len()), 1);
            text.push_str(&body);
            text.push('\n');
        }
    }
    let text = text.repeat(100_000 / text.lines().count().max(1) + 1);
    let lines = text.lines().count();
    let start = std::time::Instant::now();
    let graph = load_text("big.harn", text, &mut Disk);
    let parsed = start.elapsed();
    let found = harn_types::check(&graph).len();
    let checked = start.elapsed() - parsed;
    println!(
        "{lines} lines: read in {parsed:?}, checked in {checked:?} ({:.0} lines/s), {found} diagnostics",
        lines as f64 / checked.as_secs_f64()
    );
}
