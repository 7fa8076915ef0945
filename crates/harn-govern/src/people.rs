//! Requests to people: filed before anyone waits, answered by events, settled by the first that decides (spec 08
//! section 4).
//!
//! [`file()`] writes a request, [`deliver`] takes an answer in, [`expire`] ends what nobody answered. The [`Book`] is the
//! projection of it all: every request, what was answered, how it was settled, whether its approval was used.

mod ask;
mod book;
pub mod consume;
mod deliver;
pub mod grants;
mod kind;
mod pending;
mod raised;

pub use ask::{Approval, Ask, Filed, Filing, Origin, file, file_once};
pub use book::{Book, Request, Settled};
pub use deliver::{Delivery, deliver, expire};
pub use grants::Grant;
pub use kind::Kind;
pub use pending::{Filters, pending};
pub use raised::{cancelled, outcome};
