//! The limit on the memory of the process: one look that finds too much ends the growth.

use harn_runtime::program::{self, Options};
use harn_vm::{Limits, MemoryLimit};
use std::cell::RefCell;
use std::rc::Rc;

/// Counted bytes between two looks, and some for the step that is refused.
const FIRST_LOOK: usize = (32 << 20) + (4 << 20);

/// What a program prints in a process that holds more than it may, whenever somebody looks.
fn run_in_full_memory(text: &str) -> String {
    let memory = Some(MemoryLimit { bytes: 1 << 20, in_use: || 1 << 30 });
    let options = Options { limits: Limits { memory, ..Limits::default() }, ..Options::default() };
    let world = Rc::new(RefCell::new(harn_sim::World::default()));
    let Ok(program) = program::load("full.harn", text.to_owned(), &mut harn_sim::library(), options) else {
        panic!("the program is refused")
    };
    harn_sim::start(program.vm, program.root, &world).drive();
    world.borrow().stdout.clone()
}

/// Grows by steps until an error or 256 MiB; what the growing thing counts in bytes at the end, and the error.
fn grown(begin: &str, step: &str) -> (usize, String) {
    let out = run_in_full_memory(&format!(
        "fn grow() {{\n  {begin}\n  var grown = 0\n  try {{\n    while grown < 268435456 {{\n      {step}\n      grown += 65536\n    }}\n  }} catch (e) {{\n    println(e)\n  }}\n  println(grown)\n}}\ngrow()"
    ));
    let mut lines = out.lines().rev();
    let grown = lines.next().unwrap().parse().unwrap();
    (grown, lines.next().unwrap_or_default().to_owned())
}

#[track_caller]
fn stops(begin: &str, step: &str) {
    let (grown, error) = grown(begin, step);
    assert!(error.starts_with("Runtime error: out of memory: the process holds 1024 MiB"), "{error}");
    assert!(grown <= FIRST_LOOK, "grew to {grown} bytes");
}

#[test]
fn a_text_that_grows_in_place_stops_at_the_first_look_that_finds_too_much() {
    stops("let piece = \"x\".repeat(65536)\n  var text = \"\"", "text = text + piece");
    stops("let piece = \"x\".repeat(65536)\n  var text = \"\"", "text += piece");
}

#[test]
fn a_list_that_grows_by_lists_stops_at_the_first_look_that_finds_too_much() {
    stops("let piece = \"x\".repeat(4096).chars()\n  var list = []", "list = list + piece");
}

#[test]
fn copies_that_grow_stop_at_the_first_look_that_finds_too_much() {
    stops("let piece = \"x\".repeat(65535)\n  var kept = []", "kept = kept.push(piece + \"y\")");
}
