//! The one chain and its mirrors.

use harn_eventlog::{Event, Json, LogError, Read, Stored, Tx, provenance, topic};

use super::anchor;
use super::record::{Draft, Record, SCHEMA, hashed_text};
use crate::Moment;

/// The topic of the chain.
pub const GLOBAL: &str = "trust_graph";
/// Its mirror under the older name.
pub const LEGACY: &str = "trust.graph";
/// The topic of projections.
pub const PROJECTION: &str = "trust_graph.records";

const RECORDED: &str = "trust_recorded";
const PAGE: usize = 1000;

/// The topics of an agent's records, present and older name.
pub(super) fn agent_topics(agent: &str) -> [String; 2] {
    let mut name = topic::sanitise(agent);
    // An agent of these names must not write to the topics of projections and anchors.
    if name == "records" || name == "anchors" {
        name.push('_');
    }
    name.truncate(180);
    [format!("{GLOBAL}.{name}"), format!("{LEGACY}.{name}")]
}

/// Appends a record: the head is read and all mirrors are written in the one transaction of the caller. Every
/// [`anchor::EVERY`] records the chain is anchored, when there is a key to sign with.
pub fn append(tx: &mut dyn Tx, draft: &Draft, moment: &mut Moment<'_>) -> Result<Record, LogError> {
    let head = head(tx)?;
    let (index, previous) = match &head {
        Some(last) => (last.chain_index() + 1, Some(last.entry_hash().to_owned())),
        None => (1, None),
    };
    let mut json = Json::object([
        ("schema", Json::from(SCHEMA)),
        ("record_id", moment.uuid7().into()),
        ("agent", draft.agent.as_str().into()),
        ("action", draft.action.as_str().into()),
        ("approver", draft.approver.clone().into()),
        ("outcome", draft.outcome.name().into()),
        ("trace_id", draft.trace_id.as_str().into()),
        ("autonomy_tier", draft.tier.name().into()),
        ("timestamp", moment.timestamp().into()),
        ("cost_usd", draft.cost_usd.filter(|c| c.is_finite()).map_or(Json::Null, Json::Float)),
        ("chain_index", index.into()),
        ("previous_hash", previous.into()),
        ("metadata", draft.metadata.clone()),
    ]);
    let hash = provenance::sha256(&hashed_text(&json));
    json.set("entry_hash", hash.as_str().into());
    let record = Record::decode(&json).map_err(LogError::Refused)?;
    let event = Event::new(RECORDED, json, moment.now_ms)
        .header("trace_id", draft.trace_id.as_str())
        .header("agent", draft.agent.as_str())
        .header("autonomy_tier", draft.tier.name())
        .header("outcome", draft.outcome.name())
        .header("entry_hash", hash);
    let [own, own_legacy] = agent_topics(&draft.agent);
    for topic in [GLOBAL, LEGACY, own.as_str(), own_legacy.as_str()] {
        tx.append(topic, event.clone())?;
    }
    let projected = Event::new(RECORDED, super::projection(&record), moment.now_ms)
        .header("trace_id", draft.trace_id.as_str())
        .header("actor_id", draft.agent.as_str())
        .header("action", draft.action.as_str())
        .header("autonomy_tier_at_time", draft.tier.name())
        .header("outcome", draft.outcome.name());
    tx.append(PROJECTION, projected)?;
    if index % anchor::EVERY == 0
        && let Some(identity) = moment.signer
    {
        moment.anchored = anchor::anchor(tx, identity, moment)?;
    }
    Ok(record)
}

/// The last record of the chain; of the mirror under the older name when the chain holds none.
pub fn head(log: &mut (impl Read + ?Sized)) -> Result<Option<Record>, LogError> {
    for topic in [GLOBAL, LEGACY] {
        let mut upper = log.latest(topic)?.unwrap_or(0);
        let mut width = 1;
        while upper > 0 {
            let lower = upper.saturating_sub(width);
            let events = log.read_range(topic, Some(lower), (upper - lower) as usize)?;
            if let Some(record) = events.iter().rev().find_map(|s| Record::decode(&s.event.payload).ok()) {
                return Ok(Some(record));
            }
            upper = lower;
            width = 64;
        }
    }
    Ok(None)
}

/// Every event of a topic.
pub(super) fn read_all(log: &mut (impl Read + ?Sized), topic: &str) -> Result<Vec<Stored>, LogError> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let events = log.read_range(topic, all.last().map(|s| s.id), PAGE)?;
        let last = events.len() < PAGE;
        all.extend(events);
        if last {
            return Ok(all);
        }
    }
}

/// The records of an agent, or of all, in the order of the log; repetitions and what does not decode are dropped.
pub fn records(log: &mut (impl Read + ?Sized), agent: Option<&str>) -> Result<Vec<Record>, LogError> {
    let topics = match agent {
        Some(agent) => agent_topics(agent),
        None => [GLOBAL.to_owned(), LEGACY.to_owned()],
    };
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for topic in topics {
        for stored in read_all(log, &topic)? {
            let Ok(record) = Record::decode(&stored.event.payload) else { continue };
            // Two agents may share a sanitised topic.
            if agent.is_some_and(|agent| record.text("agent") != agent) {
                continue;
            }
            let identity = match record.entry_hash() {
                "" => record.text("record_id").to_owned(),
                hash => hash.to_owned(),
            };
            if seen.insert(identity) {
                found.push(record);
            }
        }
    }
    Ok(found)
}
