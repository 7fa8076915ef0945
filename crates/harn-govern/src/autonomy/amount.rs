//! What a decision spends besides being one: tokens, money, tool calls.

use std::collections::BTreeMap;

use harn_effect::Data;
use harn_eventlog::Json;

/// A kind of spending that can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Tokens of model calls, in and out.
    Tokens,
    /// Money of model calls.
    Cost,
    /// Calls of tools by a model.
    ToolCalls,
}

impl Resource {
    /// Every resource, in the order in which limits are checked.
    pub const ALL: [Resource; 3] = [Resource::Tokens, Resource::Cost, Resource::ToolCalls];

    /// The name of its limit.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Tokens => "tokens",
            Resource::Cost => "cost_usd",
            Resource::ToolCalls => "tool_calls",
        }
    }

    /// A number of its units in events: USD for money.
    pub fn json(self, units: i64) -> Json {
        match self {
            Resource::Cost => Json::Float(nano_to_usd(units)),
            _ => Json::Int(units),
        }
    }

    /// A number of its units as people write it: USD for money.
    pub fn shown(self, units: i64) -> String {
        match self {
            Resource::Cost => format!("${:.6}", nano_to_usd(units)),
            _ => units.to_string(),
        }
    }
}

/// An amount of each resource. Money is counted in nano-USD, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Tokens.
    pub tokens: i64,
    /// USD times 10^9.
    pub nano_usd: i64,
    /// Calls of tools.
    pub tool_calls: i64,
}

impl Amount {
    /// The amount of one resource, in its unit.
    pub fn of(&self, resource: Resource) -> i64 {
        match resource {
            Resource::Tokens => self.tokens,
            Resource::Cost => self.nano_usd,
            Resource::ToolCalls => self.tool_calls,
        }
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        *self == Amount::default()
    }

    /// Both together; a sum too large to count stays at the largest number, which no limit allows.
    #[must_use]
    pub fn plus(self, other: Amount) -> Amount {
        self.combine(other, i64::saturating_add)
    }

    /// What remains of this without the other; never less than nothing.
    #[must_use]
    pub fn minus(self, other: Amount) -> Amount {
        self.combine(other, |a, b| a.saturating_sub(b).max(0))
    }

    fn combine(self, other: Amount, with: impl Fn(i64, i64) -> i64) -> Amount {
        Amount {
            tokens: with(self.tokens, other.tokens),
            nano_usd: with(self.nano_usd, other.nano_usd),
            tool_calls: with(self.tool_calls, other.tool_calls),
        }
    }
}

/// Nano-USD of an amount of money, rounded up; what is no amount costs more than anybody allows.
pub fn usd_to_nano(usd: f64) -> i64 {
    if usd.is_nan() || usd < 0.0 { i64::MAX } else { (usd * 1e9).ceil() as i64 }
}

/// Nano-USD as it was written by [`nano_to_usd`].
pub(super) fn nano_of(usd: f64) -> i64 {
    if usd.is_nan() || usd < 0.0 { i64::MAX } else { (usd * 1e9).round() as i64 }
}

/// USD of nano-USD.
pub fn nano_to_usd(nano: i64) -> f64 {
    nano as f64 / 1e9
}

/// The most of one resource in a UTC hour and a UTC day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerWindow {
    /// Per UTC hour.
    pub per_hour: Option<i64>,
    /// Per UTC day.
    pub per_day: Option<i64>,
}

impl PerWindow {
    /// Whether neither window is limited.
    pub fn is_empty(&self) -> bool {
        *self == PerWindow::default()
    }

    /// What both of these allow.
    #[must_use]
    pub fn and(self, other: PerWindow) -> PerWindow {
        let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        PerWindow {
            per_hour: least(self.per_hour, other.per_hour),
            per_day: least(self.per_day, other.per_day),
        }
    }

    /// Reads `{per_hour?, per_day?}` of a resource; `prefix` stands before each error.
    pub(super) fn parse(
        prefix: &str,
        fields: &BTreeMap<String, Data>,
        resource: Resource,
    ) -> Result<PerWindow, String> {
        let name = resource.name();
        let windows = match fields.get(name) {
            None | Some(Data::Nil) => return Ok(PerWindow::default()),
            Some(Data::Dict(windows)) => windows,
            Some(_) => return Err(format!("{prefix}{name} must be a dict {{per_hour?, per_day?}}")),
        };
        if let Some(odd) = windows.keys().find(|key| !matches!(key.as_str(), "per_hour" | "per_day")) {
            return Err(format!("{prefix}{name}: unknown window '{odd}': per_hour, per_day are known"));
        }
        let cap = |window: &str| match (windows.get(window), resource) {
            (None | Some(Data::Nil), _) => Ok(None),
            (Some(Data::Int(n)), Resource::Cost) if *n > 0 => Ok(Some(n.saturating_mul(1_000_000_000))),
            (Some(Data::Float(x)), Resource::Cost) if x.is_finite() && *x > 0.0 => Ok(Some(nano_of(*x))),
            (_, Resource::Cost) => Err(format!("{prefix}{name}.{window} must be a positive number")),
            (Some(Data::Int(n)), _) if *n >= 1 => Ok(Some(*n)),
            _ => Err(format!("{prefix}{name}.{window} must be a positive int")),
        };
        Ok(PerWindow { per_hour: cap("per_hour")?, per_day: cap("per_day")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_survives_writing_and_reading_to_the_last_digit() {
        for nano in [0, 1, 3, 999_999_999, 1_234_567_890_123, 4_000_000_000_000_000] {
            assert_eq!(nano_of(nano_to_usd(nano)), nano);
        }
        assert_eq!(usd_to_nano(0.000_000_000_4), 1, "a cost is never rounded down");
        assert_eq!(usd_to_nano(f64::NAN), i64::MAX);
    }

    #[test]
    fn an_amount_too_large_to_count_fits_no_limit() {
        let most = Amount { tokens: i64::MAX, ..Amount::default() };
        assert_eq!(most.plus(most).tokens, i64::MAX);
        assert_eq!(Amount::default().minus(most), Amount::default());
    }
}
