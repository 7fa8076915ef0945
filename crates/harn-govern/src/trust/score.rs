//! What an agent's record earns it (spec 08 sections 3.5 and 3.6).

use harn_eventlog::{Json, LogError, Read};

use super::query::{Filters, query};
use super::record::{Outcome, Record, Tier};
use crate::moment::parse_timestamp;

const THIRTY_DAYS_NS: i128 = 30 * 86_400 * 1_000_000_000;
const CONTROL: [&str; 3] = ["trust.promote", "trust.demote", "autonomy.tier_transition"];

/// Whether only an operator may record this action.
pub fn is_control(action: &str) -> bool {
    CONTROL.contains(&action)
}

/// The tier in force: the manifest's, moved by successful promotions and demotions in the order of the chain.
pub fn effective_tier(records: &[Record], manifest: Tier) -> Tier {
    let mut control: Vec<&Record> = records
        .iter()
        .filter(|r| {
            matches!(r.text("action"), "trust.promote" | "trust.demote")
                && r.outcome() == Some(Outcome::Success)
        })
        .collect();
    control.sort_by_key(|r| r.chain_index());
    control.last().and_then(|r| r.tier()).unwrap_or(manifest)
}

/// A CapabilityPolicy with everything neutral but the level and the recursion limit.
fn policy(level: &str, recursion_limit: Option<i64>) -> Json {
    Json::object([
        ("tools", Json::Array(Vec::new())),
        ("capabilities", Json::object::<&str>([])),
        ("workspace_roots", Json::Array(Vec::new())),
        ("side_effect_level", level.into()),
        ("recursion_limit", recursion_limit.into()),
        ("tool_arg_constraints", Json::Array(Vec::new())),
        ("tool_annotations", Json::object::<&str>([])),
    ])
}

/// The ceiling of a tier.
pub fn policy_of(tier: Tier) -> Json {
    policy(tier.side_effect_level(), (tier == Tier::Shadow).then_some(0))
}

/// The TrustScore of an agent, overall or for one action.
pub fn score(
    log: &mut (impl Read + ?Sized),
    agent: &str,
    action: Option<&str>,
    now_ms: i64,
) -> Result<Json, LogError> {
    let all = query(log, &Filters { agent: Some(agent.to_owned()), ..Filters::default() })?;
    let tier = effective_tier(&all, Tier::ActAuto);
    let matching: Vec<&Record> =
        all.iter().filter(|r| action.is_none_or(|a| r.text("action") == a)).collect();
    let count = |outcome: Outcome| matching.iter().filter(|r| r.outcome() == Some(outcome)).count() as i64;
    let total = matching.len() as i64;
    let successes = count(Outcome::Success);
    let rate = if total == 0 { 0.0 } else { successes as f64 / total as f64 };
    let latest = matching.last();
    let earned = tier == Tier::ActWithApproval && has_earned(&all, now_ms);
    let bad_latest = latest.is_some_and(|r| r.outcome() != Some(Outcome::Success));
    let poor = total >= 3 && rate < 0.5 && !earned;
    let level = match tier.side_effect_level() {
        // A poor record only ever lowers the level.
        "none" => "none",
        _ if bad_latest || poor => "read_only",
        _ if earned => "network",
        own => own,
    };
    Ok(Json::object([
        ("agent", Json::from(agent)),
        ("action", action.map(str::to_owned).into()),
        ("total", total.into()),
        ("successes", successes.into()),
        ("failures", count(Outcome::Failure).into()),
        ("denied", count(Outcome::Denied).into()),
        ("timeouts", count(Outcome::Timeout).into()),
        ("success_rate", Json::Float(rate)),
        ("latest_outcome", latest.map(|r| r.text("outcome").to_owned()).into()),
        ("latest_timestamp", latest.map(|r| r.text("timestamp").to_owned()).into()),
        ("effective_tier", tier.name().into()),
        ("policy", policy(level, (tier == Tier::Shadow).then_some(0))),
    ]))
}

/// Ten successes of the last thirty days, with no other outcome and no rollback in that time.
fn has_earned(records: &[Record], now_ms: i64) -> bool {
    let since = i128::from(now_ms) * 1_000_000 - THIRTY_DAYS_NS;
    let recent: Vec<&Record> = records
        .iter()
        .filter(|r| !is_control(r.text("action")))
        .filter(|r| parse_timestamp(r.text("timestamp")).is_some_and(|at| at >= since))
        .collect();
    recent.len() >= 10
        && recent
            .iter()
            .all(|r| r.outcome() == Some(Outcome::Success) && !r.text("action").contains("rollback"))
}
