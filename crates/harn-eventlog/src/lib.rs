//! The event log: an append-only, topic-partitioned record that everything governed is a projection of (spec 08
//! section 2).
//!
//! An [`Event`] goes to a topic and gets the next id there; [`provenance`] links each event to the one before by a hash
//! over its [canonical JSON](json). A [`Store`] keeps the events: [`MemoryStore`] here, SQLite and files in the host
//! crate. All of them pass the same `contract`. What several writers must decide together happens in one
//! [`Tx`]: it reads and appends over any number of topics, and either all of it is stored or nothing.
//!
//! The way through: [`Store::begin`] → [`Read::read_range`] → [`Tx::append`] → [`Tx::commit`].

#[cfg(feature = "contract")]
pub mod contract;
pub mod error;
pub mod event;
pub mod json;
mod json_text;
pub mod memory;
pub mod provenance;
pub mod store;
pub mod topic;

pub use error::LogError;
pub use event::{Event, Stored};
pub use json::Json;
pub use memory::MemoryStore;
pub use store::{Checkpoint, Compaction, Description, Durability, Mark, Read, Store, Tx};
