//! The autonomy budget: how many decisions a key may take per UTC hour and day (spec 08 section 1).
//!
//! [`option::parse`] reads the option of an agent loop, [`reserve::reserve`] admits or refuses a decision in one
//! transaction against the [`ledger::Ledger`], [`reserve::release`] gives one back.

pub mod ledger;
pub mod limits;
pub mod option;
mod refusal;
pub mod reserve;
pub mod simulate;
pub mod window;

pub use ledger::Ledger;
pub use limits::{Bound, Declared, Limits, Rolling};
pub use option::Budget;
pub use reserve::{Admission, Refusal, Reservation, release, reserve};
pub use window::Window;
