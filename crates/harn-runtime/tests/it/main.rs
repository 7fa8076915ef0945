//! Whole programs on a scripted host with its own time: nothing here sleeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bindings;
mod cache;
mod concurrency;
mod effects;
mod fused;
mod growth;
mod language;
mod memory;
mod supervisors;
mod threads;
