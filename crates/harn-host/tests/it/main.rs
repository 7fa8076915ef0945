//! What the host does to the real world.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod model_call;
mod model_faults;
mod models;
mod postgres;
#[path = "../../../../tests/postgres/server.rs"]
mod postgres_server;
#[path = "../../../../tests/model_server/server.rs"]
mod server;
mod stores;
mod torn;
