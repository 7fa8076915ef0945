//! Whole programs through the front end.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read the disk and may fail")]

mod codes;
mod examples;
mod files;
mod limits;
mod messages;
