//! What the host does to the real world.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod model_faults;
mod model_server;
mod models;
mod stores;
