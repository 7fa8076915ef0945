//! The rules of governed autonomy as folds over the event log: who may decide, who must be asked, what is recorded
//! (spec 08 sections 1, 3, 4 and 5).
//!
//! Nothing here has a clock or a store. A rule is a function of a transaction (or of anything that reads), a projection
//! it keeps up to date, and a [`Moment`] that brings time and ids; what it decides it appends in that same
//! transaction. The caller commits, and only then acts.
//!
//! [`effects`] records every ruling on an effect; [`autonomy::reserve`] admits or refuses a decision; [`people`] files requests to people, takes their answers and
//! settles them; [`trust`] keeps the hash-chained record; [`waitpoint`] holds the named points programs wait for.
//!
//! Projections are refreshed at the beginning of a transaction, before anything is appended in it: what a transaction
//! that fails had appended is never folded.

pub mod autonomy;
pub mod effects;
pub mod identity;
pub mod moment;
pub mod people;
pub mod rules;
pub mod trust;
pub mod waitpoint;

pub use moment::Moment;
