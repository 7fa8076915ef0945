//! Every code of the checker: its wrong program shows it, its right program shows nothing.

use crate::files::Disk;
use harn_types::codes::TABLE;
use harn_types::graph::load_text;
use harn_types::{Options, check_module};

fn codes(text: &str, strict_types: bool) -> Vec<&'static str> {
    let graph = load_text("main.harn", text.to_owned(), &mut Disk);
    let module = graph.module(graph.entry).unwrap();
    let syntax: Vec<_> = module.parsed.diagnostics.iter().map(|d| d.code).collect();
    let types = check_module(&graph, graph.entry, Options { strict_types });
    syntax.into_iter().chain(types.iter().map(|d| d.code)).collect()
}

#[test]
fn wrong_programs_show_their_code_and_right_ones_show_nothing() {
    for row in TABLE {
        let strict = row.title.contains("unvalidated");
        assert!(codes(row.wrong, strict).contains(&row.code), "{} {}", row.code, row.wrong);
        assert!(codes(row.right, strict).is_empty(), "{} {}", row.code, row.right);
    }
}

#[test]
fn codes_are_unique_and_in_order() {
    let listed: Vec<&str> = TABLE.iter().map(|r| r.code).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(listed, sorted);
}
