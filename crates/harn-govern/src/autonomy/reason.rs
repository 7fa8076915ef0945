//! Why a budget is used up.

use super::amount::Resource;
use super::ledger::Taken;
use super::limits::Limits;

/// A calendar window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The UTC hour.
    Hour,
    /// The UTC day.
    Day,
}

/// Why a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The decisions of the hour.
    Hourly,
    /// The decisions of the day.
    Daily,
    /// The decisions of a rolling window.
    Rolling,
    /// What may be spent of a resource.
    Spent(Resource, Span),
    /// The decisions under way.
    Concurrent,
}

impl Reason {
    /// Every reason.
    pub fn all() -> impl Iterator<Item = Reason> {
        let spent = Resource::ALL.into_iter().flat_map(|resource| {
            [Span::Hour, Span::Day].into_iter().map(move |span| Reason::Spent(resource, span))
        });
        [Reason::Hourly, Reason::Daily, Reason::Rolling, Reason::Concurrent].into_iter().chain(spent)
    }

    /// The stable name (spec 08 section 1.3).
    pub fn code(self) -> &'static str {
        match self {
            Reason::Hourly => "hourly_autonomy_budget_exceeded",
            Reason::Daily => "daily_autonomy_budget_exceeded",
            Reason::Rolling => "rolling_autonomy_budget_exceeded",
            Reason::Concurrent => "concurrent_autonomy_budget_exceeded",
            Reason::Spent(Resource::Tokens, Span::Hour) => "hourly_tokens_budget_exceeded",
            Reason::Spent(Resource::Tokens, Span::Day) => "daily_tokens_budget_exceeded",
            Reason::Spent(Resource::Cost, Span::Hour) => "hourly_cost_budget_exceeded",
            Reason::Spent(Resource::Cost, Span::Day) => "daily_cost_budget_exceeded",
            Reason::Spent(Resource::ToolCalls, Span::Hour) => "hourly_tool_calls_budget_exceeded",
            Reason::Spent(Resource::ToolCalls, Span::Day) => "daily_tool_calls_budget_exceeded",
        }
    }
}

/// Which calendar limit one more decision would exceed: the decisions of the hour, those of the day, then what is already
/// spent of each resource.
pub fn exceeded(taken: Taken, limits: &Limits) -> Option<Reason> {
    let over = |count: i64, cap: Option<i64>| cap.is_some_and(|cap| count.saturating_add(1) > cap);
    if over(taken.hour, limits.per_hour) {
        return Some(Reason::Hourly);
    }
    if over(taken.day, limits.per_day) {
        return Some(Reason::Daily);
    }
    Resource::ALL.into_iter().find_map(|resource| {
        let caps = limits.on(resource);
        let used_up =
            [(Span::Hour, taken.spent_hour, caps.per_hour), (Span::Day, taken.spent_day, caps.per_day)];
        let found = used_up.into_iter().find(|(_, spent, cap)| over(spent.of(resource), *cap));
        found.map(|(span, ..)| Reason::Spent(resource, span))
    })
}
