//! Chores of the repository that cargo itself does not do.
fn main() {}
