//! What the host does to the real world.

mod model_faults;
mod model_server;
mod models;
mod stores;
