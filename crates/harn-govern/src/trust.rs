//! The trust graph: which agent did what, at which tier, with whose approval and with what outcome (spec 08 section 3).
//!
//! [`append`] adds a record to the one chain and all its mirrors, [`verify()`] proves a chain, [`export`] carries one
//! elsewhere, [`query()`] and [`score()`] read it.

mod chain;
pub mod evidence;
pub mod export;
mod query;
mod record;
mod score;
mod verify;

pub use chain::{GLOBAL, LEGACY, PROJECTION, append, head, records};
pub use query::{Filters, Summary, group_by_trace, parse_outcome, parse_tier, projection, query, summarise};
pub use record::{Draft, Outcome, Record, SCHEMA, Tier};
pub use score::{effective_tier, is_control, policy_of, score};
pub use verify::{HeadMark, Report, verify};
