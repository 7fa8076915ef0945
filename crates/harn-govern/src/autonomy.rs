//! The autonomy budget: how many decisions a key may take per UTC hour and day (spec 08 section 1), what they may spend,
//! and how many may be under way at once.
//!
//! [`option::parse`] reads the option of an agent loop, [`reserve::reserve`] admits or refuses a decision in one
//! transaction against the [`ledger::Ledger`], [`reserve::release`] gives one back; [`dispatch`] does the same for triggers.
//! While it is under way, [`spend::set_aside`] and [`spend::settle`] account for what it spends; [`spend::finish`] ends it.

pub mod amount;
pub mod dispatch;
pub mod ledger;
pub mod limits;
pub mod option;
pub mod reason;
mod refusal;
pub mod reserve;
pub mod simulate;
pub mod slots;
pub mod spend;
pub mod window;

pub use amount::{Amount, PerWindow, Resource};
pub use dispatch::{Dispatch, reserve_dispatch};
pub use ledger::Ledger;
pub use limits::{Bound, Declared, Limits, Rolling};
pub use option::Budget;
pub use reserve::{Admission, Refusal, Reservation, release, reserve};
pub use slots::take_over;
pub use spend::{Spend, Spender};
pub use window::Window;
