//! The server over a connection in memory, with a table for a disk.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod editor;
mod edits;
mod robust;
