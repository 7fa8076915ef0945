//! A chain as one document, and proving such a document without the log (spec 08 sections 3.4 and 3.7).

use harn_eventlog::{Json, LogError, Read};

use super::anchor::{Anchor, anchors};
use super::chain::records;
use super::record::{Record, SCHEMA};
use super::verify::{HeadMark, verify};
use super::walk::Walk;
use super::{GLOBAL, LEGACY};
use crate::moment::parse_timestamp;

const CHAIN_SCHEMA: &str = "opentrustgraph-chain/v0";
const LINEAGE_SCHEMA: &str = "opentrustgraph/v0.1";

/// The fields of a record; more are invalid in an export.
const FIELDS: [&str; 14] = [
    "schema",
    "record_id",
    "agent",
    "action",
    "approver",
    "outcome",
    "trace_id",
    "autonomy_tier",
    "timestamp",
    "cost_usd",
    "chain_index",
    "previous_hash",
    "entry_hash",
    "metadata",
];

/// The chain of a log as a document.
pub fn export(
    log: &mut (impl Read + ?Sized),
    mark: Option<&HeadMark>,
    generated_at: &str,
    version: &str,
) -> Result<Json, LogError> {
    let topic = if log.latest(GLOBAL)?.is_none() && log.latest(LEGACY)?.is_some() { LEGACY } else { GLOBAL };
    let report = verify(log, topic, mark)?;
    let records = records(log, None)?;
    let chain = Json::object([
        ("topic", Json::from(topic)),
        ("total", (records.len() as i64).into()),
        ("root_hash", records.last().map(|r| r.entry_hash().to_owned()).into()),
        ("verified", report.verified.into()),
        ("generated_at", generated_at.into()),
        ("producer", Json::object([("name", Json::from("harn")), ("version", version.into())])),
    ]);
    let records = records.iter().map(|r| r.json().clone()).collect();
    let mut document = Json::object([
        ("schema", Json::from(CHAIN_SCHEMA)),
        ("chain", chain),
        ("records", Json::Array(records)),
    ]);
    let (anchors, _) = anchors(log)?;
    if !anchors.is_empty() {
        document.set("anchors", Json::Array(anchors.iter().map(Anchor::to_json).collect()));
    }
    Ok(document)
}

/// What a document's verification found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileReport {
    /// Records looked at.
    pub total: usize,
    /// What is wrong.
    pub errors: Vec<String>,
    /// Records that were skipped.
    pub warnings: Vec<String>,
    /// Public keys whose anchors hold.
    pub anchored_by: Vec<String>,
    /// How many anchors were checked.
    pub anchors: usize,
}

/// Proves an exported chain.
pub fn verify_document(document: &Json) -> FileReport {
    let anchors: Vec<Option<Anchor>> =
        document.field("anchors").as_array().unwrap_or_default().iter().map(Anchor::parse).collect();
    let mut walk = Walk::to(None, anchors.iter().flatten());
    let mut warnings = Vec::new();
    let chain = document.field("chain");
    if document.text("schema") != CHAIN_SCHEMA {
        walk.wrong(format!("unsupported chain schema '{}'", document.text("schema")));
    }
    for (field, text) in [
        ("chain topic", chain.text("topic")),
        ("chain producer name", chain.field("producer").text("name")),
        ("chain producer version", chain.field("producer").text("version")),
    ] {
        if text.is_empty() {
            walk.wrong(format!("{field} is empty"));
        }
    }
    if parse_timestamp(chain.text("generated_at")).is_none() {
        walk.wrong("chain generated_at is not an RFC 3339 timestamp".into());
    }
    let entries = document.field("records").as_array().unwrap_or_default();
    let mut last_hash = None;
    for (position, entry) in entries.iter().enumerate() {
        let label = format!("record {position}");
        last_hash = entry.field("entry_hash").as_str().map(str::to_owned);
        if ![SCHEMA, LINEAGE_SCHEMA].contains(&entry.text("schema")) {
            warnings.push(format!("{label}: unknown schema '{}', skipped", entry.text("schema")));
            continue;
        }
        if let Err(error) = check_fields(entry) {
            walk.wrong(format!("{label}: {error}"));
            continue;
        }
        match Record::decode(entry) {
            Ok(record) => walk.step(&label, &record),
            Err(error) => walk.wrong(format!("{label}: {error}")),
        }
    }
    let total = entries.len() as i64;
    let found = chain.field("total").as_int().unwrap_or(-1);
    if found != total {
        walk.wrong(format!("chain total mismatch; expected {total}, found {found}"));
    }
    let root = chain.field("root_hash").as_str().map(str::to_owned);
    if root != last_hash {
        walk.wrong(format!("chain root_hash mismatch; expected {last_hash:?}, found {root:?}"));
    }
    let mut anchored_by = Vec::new();
    for (position, anchor) in anchors.iter().enumerate() {
        match anchor {
            None => walk.wrong(format!("anchor {position}: undecodable anchor")),
            Some(anchor) => {
                if walk.check_anchors([(anchor, anchor.holds())], None)
                    && !anchored_by.contains(&anchor.public_key)
                {
                    anchored_by.push(anchor.public_key.clone());
                }
            }
        }
    }
    let holds = walk.errors.is_empty();
    if chain.field("verified").as_bool() != Some(holds) {
        walk.wrong(format!("chain verified mismatch; expected {holds}"));
    }
    FileReport { total: entries.len(), errors: walk.errors, warnings, anchored_by, anchors: anchors.len() }
}

fn check_fields(entry: &Json) -> Result<(), String> {
    let Json::Object(fields) = entry else { return Err("record is not an object".into()) };
    if let Some(extra) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("unexpected field '{extra}'"));
    }
    if let Some(absent) = FIELDS.iter().find(|name| !fields.contains_key(**name)) {
        return Err(format!("missing field '{absent}'"));
    }
    if entry.field("chain_index").as_int().is_none_or(|index| index < 1) {
        return Err("chain_index must be positive".into());
    }
    if entry.field("cost_usd").as_f64().is_some_and(|cost| cost < 0.0) {
        return Err("cost_usd is negative".into());
    }
    if parse_timestamp(entry.text("timestamp")).is_none() {
        return Err("timestamp is not RFC 3339".into());
    }
    Ok(())
}
