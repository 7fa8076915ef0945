//! Limits on decisions: calendar windows, a rolling window, and what an operator declares by key pattern.

use std::collections::BTreeMap;

use harn_effect::Data;

use super::amount::{PerWindow, Resource};

/// At most so many decisions in any stretch of time of this length; exact, not bucketed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// How many.
    pub decisions: i64,
    /// How long, milliseconds.
    pub window_ms: i64,
}

/// The limits of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Decisions per UTC hour.
    pub per_hour: Option<i64>,
    /// Decisions per UTC day.
    pub per_day: Option<i64>,
    /// Decisions in a rolling window.
    pub rolling: Option<Rolling>,
    /// Tokens of the model calls of its decisions.
    pub tokens: PerWindow,
    /// Nano-USD of the model calls of its decisions.
    pub cost: PerWindow,
    /// Tool calls of its decisions.
    pub tool_calls: PerWindow,
    /// Decisions under way at once.
    pub max_concurrent: Option<i64>,
}

const KNOWN: [&str; 7] =
    ["per_hour", "per_day", "rolling", "tokens", "cost_usd", "tool_calls", "max_concurrent"];

impl Limits {
    /// Reads the limits among `fields`; `prefix` stands before each error. With `strict` a field that is no limit is an
    /// error.
    pub fn parse(prefix: &str, fields: &BTreeMap<String, Data>, strict: bool) -> Result<Limits, String> {
        if strict && let Some(odd) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(format!("{prefix}unknown limit '{odd}': {} are known", KNOWN.join(", ")));
        }
        let per_hour = cap(prefix, fields, "per_hour")?;
        let per_day = cap(prefix, fields, "per_day")?;
        for (name, cap) in [("per_hour", per_hour), ("per_day", per_day)] {
            if cap == Some(0) {
                return Err(format!("{prefix}{name} must be >= 1 (use nil to disable)"));
            }
        }
        let spent = |resource| PerWindow::parse(prefix, fields, resource);
        Ok(Limits {
            per_hour,
            per_day,
            rolling: rolling(prefix, fields.get("rolling"))?,
            tokens: spent(Resource::Tokens)?,
            cost: spent(Resource::Cost)?,
            tool_calls: spent(Resource::ToolCalls)?,
            max_concurrent: match fields.get("max_concurrent") {
                None | Some(Data::Nil) => None,
                Some(Data::Int(n)) if *n >= 1 => Some(*n),
                Some(_) => return Err(format!("{prefix}max_concurrent must be a positive int")),
            },
        })
    }

    /// The limits as [`Limits::parse`] reads them.
    pub fn to_data(&self) -> Data {
        let mut fields = BTreeMap::new();
        let mut set = |name: &str, value: Option<Data>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        set("per_hour", self.per_hour.map(Data::Int));
        set("per_day", self.per_day.map(Data::Int));
        set("max_concurrent", self.max_concurrent.map(Data::Int));
        set(
            "rolling",
            self.rolling.map(|rolling| {
                Data::dict([
                    ("decisions", Data::Int(rolling.decisions)),
                    ("window", Data::Int(rolling.window_ms)),
                ])
            }),
        );
        for resource in Resource::ALL {
            let caps = self.on(resource);
            let cap = |cap: Option<i64>| match (cap, resource) {
                (None, _) => Data::Nil,
                (Some(nano), Resource::Cost) => Data::Float(super::amount::nano_to_usd(nano)),
                (Some(n), _) => Data::Int(n),
            };
            let windows = Data::dict([("per_hour", cap(caps.per_hour)), ("per_day", cap(caps.per_day))]);
            set(resource.name(), Some(windows).filter(|_| !caps.is_empty()));
        }
        Data::Dict(fields)
    }

    /// The limits of one resource.
    pub fn on(&self, resource: Resource) -> PerWindow {
        match resource {
            Resource::Tokens => self.tokens,
            Resource::Cost => self.cost,
            Resource::ToolCalls => self.tool_calls,
        }
    }

    /// Whether what decisions spend is limited.
    pub fn limits_spending(&self) -> bool {
        Resource::ALL.iter().any(|resource| !self.on(*resource).is_empty())
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Limits::default()
    }

    /// The limits that both of these allow. Of two rolling windows the first stays and the second is given back: neither
    /// implies the other.
    pub fn and(self, other: Limits) -> (Limits, Option<Rolling>) {
        let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        let (rolling, more) = match (self.rolling, other.rolling) {
            (Some(own), Some(more)) if own != more => (Some(own), Some(more)),
            (own, more) => (own.or(more), None),
        };
        let both = Limits {
            per_hour: least(self.per_hour, other.per_hour),
            per_day: least(self.per_day, other.per_day),
            rolling,
            tokens: self.tokens.and(other.tokens),
            cost: self.cost.and(other.cost),
            tool_calls: self.tool_calls.and(other.tool_calls),
            max_concurrent: least(self.max_concurrent, other.max_concurrent),
        };
        (both, more)
    }
}

fn cap(prefix: &str, fields: &BTreeMap<String, Data>, name: &str) -> Result<Option<i64>, String> {
    match fields.get(name) {
        None | Some(Data::Nil) => Ok(None),
        Some(Data::Int(n)) if *n >= 0 => Ok(Some(*n)),
        Some(_) => Err(format!("{prefix}{name} must be a non-negative int")),
    }
}

fn rolling(prefix: &str, value: Option<&Data>) -> Result<Option<Rolling>, String> {
    let fields = match value {
        None | Some(Data::Nil) => return Ok(None),
        Some(Data::Dict(fields)) => fields,
        Some(_) => return Err(format!("{prefix}rolling must be a dict {{decisions, window}}")),
    };
    let decisions = match fields.get("decisions") {
        Some(Data::Int(n)) if *n >= 1 => *n,
        _ => return Err(format!("{prefix}rolling.decisions must be a positive int")),
    };
    let window_ms = fields.get("window").and_then(millis).filter(|ms| (1..=MOST_MS).contains(ms));
    let window_ms =
        window_ms.ok_or_else(|| format!("{prefix}rolling.window must be a duration of at most 31 days"))?;
    Ok(Some(Rolling { decisions, window_ms }))
}

/// A window that could be longer than a month would keep every decision in memory.
const MOST_MS: i64 = 31 * 86_400_000;

/// A duration, milliseconds, or text like `90m`.
fn millis(value: &Data) -> Option<i64> {
    match value {
        Data::Duration(ms) | Data::Int(ms) => Some(*ms),
        Data::Str(text) => parse_duration(text),
        _ => None,
    }
}

/// The milliseconds of `500ms`, `30s`, `90m`, `2h` or `7d`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

/// A budget that an operator declares for every key that matches (`[[autonomy.budgets]]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The pattern: `*` stands for any characters. Each matching key has its own count.
    pub pattern: String,
    /// The limits.
    pub limits: Limits,
    /// Whom a refusal asks when the program names nobody.
    pub reviewer: Option<String>,
}

impl Declared {
    /// Whether the budget binds this key.
    pub fn binds(&self, key: &str) -> bool {
        matches(&self.pattern, key)
    }
}

/// Whether the text has the form of the pattern, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The keys above a key: `team/triage/eu` is part of `team/triage` and of `team`.
pub fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('/').map(|(at, _)| &key[..at]).filter(|key| !key.is_empty())
}

/// One key whose limits a decision must keep, with those limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The key: the decision's own, or one above it.
    pub key: String,
    /// Its limits.
    pub limits: Limits,
}

/// Every limit that binds a decision of `key` by declaration: its own and those of the keys above it.
pub fn declared_for(key: &str, declared: &[Declared]) -> Vec<Bound> {
    let keys = std::iter::once(key).chain(ancestors(key));
    keys.flat_map(|key| {
        let binding = declared.iter().filter(|d| d.binds(key));
        binding.map(|d| Bound { key: key.to_owned(), limits: d.limits })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, key, holds) in [
            ("support", "support", true),
            ("support", "support-2", false),
            ("support-*", "support-2", true),
            ("*", "x", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("*ab", "aab", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, key), holds, "{pattern} {key}");
        }
    }

    #[test]
    fn a_key_is_part_of_every_key_above_it() {
        assert_eq!(ancestors("team/triage/eu").collect::<Vec<_>>(), ["team/triage", "team"]);
        assert_eq!(ancestors("team").count() + ancestors("/team").count(), 0);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("90m"), Some(5_400_000));
        assert_eq!(parse_duration("7d"), Some(604_800_000));
        for bad in ["", "h", "1", "1w", "-1h", "99999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn limits_survive_a_snapshot() {
        let limits = Limits {
            per_hour: Some(5),
            rolling: Some(Rolling { decisions: 2, window_ms: 60_000 }),
            tokens: PerWindow { per_hour: None, per_day: Some(9) },
            cost: PerWindow { per_hour: Some(1), per_day: Some(2_500_000_001) },
            max_concurrent: Some(3),
            ..Limits::default()
        };
        let Data::Dict(fields) = limits.to_data() else { panic!("no dict") };
        assert_eq!(Limits::parse("", &fields, true), Ok(limits));
    }

    #[test]
    fn the_stricter_cap_of_two_counts() {
        let a = Limits { per_hour: Some(5), ..Limits::default() };
        let b = Limits { per_hour: Some(3), per_day: Some(9), ..Limits::default() };
        assert_eq!(a.and(b).0, b);
    }
}
