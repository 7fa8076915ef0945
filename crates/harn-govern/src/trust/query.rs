//! Reading the trust graph (spec 08 section 3.6).

use std::collections::BTreeMap;

use harn_effect::Data;
use harn_eventlog::{Json, LogError, Read};

use super::chain::records;
use super::record::{Outcome, Record, Tier};
use crate::moment::{parse_filter_time, parse_timestamp};

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Of this agent.
    pub agent: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// Not before, Unix nanoseconds.
    pub since: Option<i128>,
    /// Not after, Unix nanoseconds.
    pub until: Option<i128>,
    /// At this tier.
    pub tier: Option<Tier>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// The newest so many.
    pub limit: Option<usize>,
    /// Whether the result is grouped.
    pub grouped_by_trace: bool,
}

impl Filters {
    /// Reads the filters of a query builtin; the error is the text of the runtime error.
    pub fn parse(builtin: &str, filters: &Data) -> Result<Filters, String> {
        let Data::Dict(fields) = filters else { return Err(format!("{builtin}: filters must be a dict")) };
        let present = |names: &[&'static str]| {
            names.iter().find_map(|name| fields.get(*name).filter(|v| !v.is_nil()).map(|v| (*name, v)))
        };
        let text = |names: &[&'static str]| match present(names) {
            None => Ok(None),
            Some((_, Data::Str(text))) => Ok(Some(text.clone())),
            Some((name, other)) => {
                Err(format!("{builtin}: {name} must be a string, got {}", other.type_name()))
            }
        };
        let time = |name: &'static str| {
            text(&[name])?
                .map(|t| {
                    parse_filter_time(&t).ok_or_else(|| {
                        format!("{builtin}: invalid `{name}` timestamp '{t}', expected RFC3339 or unix seconds/milliseconds")
                    })
                })
                .transpose()
        };
        let mut wanted = Filters {
            agent: text(&["agent", "actor_id", "actor"])?,
            action: text(&["action"])?,
            since: time("since")?,
            until: time("until")?,
            ..Filters::default()
        };
        if let Some((_, tier)) = present(&["tier", "autonomy_tier_at_time"]) {
            wanted.tier = Some(parse_tier(tier)?);
        }
        if let Some((_, outcome)) = present(&["outcome"]) {
            wanted.outcome = Some(parse_outcome(builtin, outcome)?);
        }
        match present(&["limit"]) {
            None => {}
            Some((_, Data::Int(n))) if *n >= 0 => {
                wanted.limit = Some(usize::try_from(*n).unwrap_or(usize::MAX))
            }
            Some((_, Data::Int(n))) => return Err(format!("{builtin}: limit must be non-negative, got {n}")),
            Some((_, other)) => {
                return Err(format!("{builtin}: limit must be an int, got {}", other.type_name()));
            }
        }
        match present(&["grouped_by_trace"]) {
            None => {}
            Some((_, Data::Bool(grouped))) => wanted.grouped_by_trace = *grouped,
            Some((_, other)) => {
                return Err(format!("{builtin}: grouped_by_trace must be a bool, got {}", other.type_name()));
            }
        }
        Ok(wanted)
    }
}

/// Reads a tier; the error's prefix is the same for every builtin.
pub fn parse_tier(value: &Data) -> Result<Tier, String> {
    let Data::Str(name) = value else {
        return Err(format!("trigger_register: `autonomy_tier` must be a string, got {}", value.type_name()));
    };
    Tier::from_name(name).ok_or_else(|| {
        format!("trigger_register: unsupported autonomy_tier '{name}', expected shadow|suggest|act_with_approval|act_auto")
    })
}

/// Reads an outcome.
pub fn parse_outcome(builtin: &str, value: &Data) -> Result<Outcome, String> {
    let Data::Str(name) = value else {
        return Err(format!("{builtin}: outcome must be a string, got {}", value.type_name()));
    };
    Outcome::from_name(name).ok_or_else(|| {
        format!("{builtin}: unsupported outcome '{name}', expected success|failure|denied|timeout")
    })
}

/// The matching records in query order: timestamp, chain index, agent, record id.
pub fn query(log: &mut (impl Read + ?Sized), filters: &Filters) -> Result<Vec<Record>, LogError> {
    let mut found: Vec<(i128, Record)> = records(log, filters.agent.as_deref())?
        .into_iter()
        .map(|record| (parse_timestamp(record.text("timestamp")).unwrap_or(0), record))
        .filter(|(at, record)| {
            filters.action.as_ref().is_none_or(|action| record.text("action") == action)
                && filters.since.is_none_or(|since| *at >= since)
                && filters.until.is_none_or(|until| *at <= until)
                && filters.tier.is_none_or(|tier| record.tier() == Some(tier))
                && filters.outcome.is_none_or(|outcome| record.outcome() == Some(outcome))
        })
        .collect();
    found.sort_by(|(at, a), (bt, b)| {
        (at, a.chain_index(), a.text("agent"), a.text("record_id")).cmp(&(
            bt,
            b.chain_index(),
            b.text("agent"),
            b.text("record_id"),
        ))
    });
    let skip = filters.limit.map_or(0, |limit| found.len().saturating_sub(limit));
    Ok(found.into_iter().skip(skip).map(|(_, record)| record).collect())
}

/// The records by trace, in the order of each trace's first record.
pub fn group_by_trace(records: &[Record]) -> Vec<(String, Vec<Record>)> {
    let mut groups: Vec<(String, Vec<Record>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        let trace = record.text("trace_id");
        let place = *places.entry(trace.to_owned()).or_insert_with(|| {
            groups.push((trace.to_owned(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(place) {
            group.push(record.clone());
        }
    }
    groups
}

/// The projection of a record (spec 08 section 3.2).
pub fn projection(record: &Record) -> Json {
    let metadata = record.json().field("metadata");
    let evidence = [
        metadata.field("evidence_refs"),
        metadata.field("evidenceRefs"),
        metadata.field("approval").field("evidence_refs"),
    ];
    let evidence = evidence.into_iter().find(|e| e.as_array().is_some()).cloned();
    let field = |name: &str| record.json().field(name).clone();
    Json::object([
        ("actor_id", field("agent")),
        ("action", field("action")),
        ("approver", field("approver")),
        ("outcome", field("outcome")),
        ("evidence_refs", evidence.unwrap_or_else(|| Json::Array(Vec::new()))),
        ("trace_id", field("trace_id")),
        ("timestamp", field("timestamp")),
        ("autonomy_tier_at_time", field("autonomy_tier")),
    ])
}

/// What the records say about one agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The agent.
    pub agent: String,
    /// Its records.
    pub total: usize,
    /// Its successes.
    pub successes: usize,
    /// The mean of the known costs.
    pub mean_cost_usd: Option<f64>,
    /// Records by tier.
    pub tiers: BTreeMap<String, usize>,
    /// Records by outcome.
    pub outcomes: BTreeMap<String, usize>,
}

impl Summary {
    /// Successes of all, 0 when there are none.
    pub fn success_rate(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.successes as f64 / self.total as f64 }
    }

    /// As JSON.
    pub fn to_json(&self) -> Json {
        let counts = |of: &BTreeMap<String, usize>| {
            Json::object(of.iter().map(|(k, n)| (k.clone(), Json::Int(*n as i64))))
        };
        Json::object([
            ("agent", Json::from(self.agent.as_str())),
            ("total", Json::Int(self.total as i64)),
            ("success_rate", Json::Float(self.success_rate())),
            ("mean_cost_usd", self.mean_cost_usd.map_or(Json::Null, Json::Float)),
            ("tier_distribution", counts(&self.tiers)),
            ("outcome_distribution", counts(&self.outcomes)),
        ])
    }
}

/// A summary per agent, sorted by name.
pub fn summarise(records: &[Record]) -> Vec<Summary> {
    let mut agents: BTreeMap<String, (Summary, Vec<f64>)> = BTreeMap::new();
    for record in records {
        let agent = record.text("agent").to_owned();
        let (summary, costs) = agents.entry(agent.clone()).or_default();
        summary.agent = agent;
        summary.total += 1;
        summary.successes += usize::from(record.outcome() == Some(Outcome::Success));
        *summary.tiers.entry(record.text("autonomy_tier").to_owned()).or_default() += 1;
        *summary.outcomes.entry(record.text("outcome").to_owned()).or_default() += 1;
        costs.extend(record.json().field("cost_usd").as_f64());
    }
    agents
        .into_values()
        .map(|(mut summary, costs)| {
            summary.mean_cost_usd =
                (!costs.is_empty()).then(|| costs.iter().sum::<f64>() / costs.len() as f64);
            summary
        })
        .collect()
}
