//! The `harn` command line.
fn main() {}
