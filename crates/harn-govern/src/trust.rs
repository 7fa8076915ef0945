//! The trust graph: which agent did what, at which tier, with whose approval and with what outcome (spec 08 section 3).
//!
//! [`append`] adds a record to the one chain and all its mirrors, [`verify()`] proves a chain, [`export`] carries one
//! elsewhere, [`anchor`] signs its end, [`proof`] proves one record of it, [`query()`] and [`score()`] read it.

pub mod anchor;
mod chain;
pub mod evidence;
pub mod export;
mod line;
mod lineage;
pub mod merkle;
pub mod proof;
mod query;
mod record;
mod score;
mod verify;
mod walk;

pub use anchor::Anchor;
pub use chain::{GLOBAL, LEGACY, PROJECTION, append, head, records};
pub use query::{Filters, Summary, group_by_trace, parse_outcome, parse_tier, projection, query, summarise};
pub use record::{Draft, Outcome, Record, SCHEMA, Tier};
pub use score::{effective_tier, is_control, policy_of, score};
pub use verify::{HeadMark, Outside, Report, verify, verify_with};
