//! Who accounts for what calls spend, beyond the program's own account: set aside before a call leaves, settled when its
//! reply is there (spec 08 section 1, spending).

use crate::budget::Projection;
use crate::error::{Category, ModelError, Reason};

/// What a call turned out to spend.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Actual {
    /// Tokens, in and out.
    pub tokens: i64,
    /// USD; 0 when the price is not known.
    pub cost_usd: f64,
    /// Whether the price is known.
    pub priced: bool,
}

/// An account that model calls are charged to.
pub trait Meter {
    /// Sets aside what a call may spend at most; the id of what is set aside, when anything had to be. The error refuses
    /// the call.
    fn set_aside(&mut self, worst: &Projection, priced: bool) -> Result<Option<String>, Box<ModelError>>;

    /// Replaces what was set aside by what the call spent. Of a call whose outcome is not known this is never called: then
    /// the worst case stands.
    fn settle(&mut self, aside: Option<String>, actual: Actual);
}

/// Nobody's account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn set_aside(&mut self, _: &Projection, _: bool) -> Result<Option<String>, Box<ModelError>> {
        Ok(None)
    }

    fn settle(&mut self, _: Option<String>, _: Actual) {}
}

/// Whether a failed call has certainly cost nothing: the provider answered that it did not do it. After a failure of the
/// provider, of the network or of patience nobody knows.
pub fn costs_nothing(error: &ModelError) -> bool {
    matches!(error.category, Category::Auth | Category::RateLimit | Category::Overloaded | Category::NotFound)
        || matches!(
            error.reason,
            Reason::AuthFailure
                | Reason::RateLimit
                | Reason::InvalidRequest
                | Reason::ContextOverflow
                | Reason::ModelUnavailable
        )
}
