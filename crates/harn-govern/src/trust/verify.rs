//! Proving a chain (spec 08 sections 3.4 and 11.1 G6).

use harn_eventlog::{Json, LogError, Read};

use super::anchor::{Anchor, anchors};
use super::chain::GLOBAL;
use super::record::Record;
use super::walk::Walk;

/// The last record known to have existed, kept outside of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadMark {
    /// Its position.
    pub chain_index: i64,
    /// Its hash.
    pub entry_hash: String,
}

impl HeadMark {
    /// The mark of a record.
    pub fn of(record: &Record) -> HeadMark {
        HeadMark { chain_index: record.chain_index(), entry_hash: record.entry_hash().to_owned() }
    }

    /// The text of the file `trust_graph_head`.
    pub fn text(&self) -> String {
        Json::object([
            ("chain_index", Json::Int(self.chain_index)),
            ("entry_hash", self.entry_hash.as_str().into()),
        ])
        .canonical()
    }

    /// Reads that text.
    pub fn parse(text: &str) -> Option<HeadMark> {
        let json = Json::parse(text).ok()?;
        Some(HeadMark {
            chain_index: json.field("chain_index").as_int()?,
            entry_hash: json.field("entry_hash").as_str()?.to_owned(),
        })
    }
}

/// What verification found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The topic.
    pub topic: String,
    /// Records in it.
    pub total: i64,
    /// Whether nothing is wrong.
    pub verified: bool,
    /// The hash of the last record.
    pub root_hash: Option<String>,
    /// The event where the first error appeared.
    pub broken_at_event_id: Option<u64>,
    /// What is wrong.
    pub errors: Vec<String>,
    /// Whether a signed anchor vouches for the end of the chain; the head mark alone does not.
    pub anchored: bool,
    /// How many anchors were checked.
    pub anchors: usize,
    /// The index that the last of them covers.
    pub anchored_up_to: Option<i64>,
}

impl Report {
    /// The report as the dict of `trust_graph_verify_chain`.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("topic", Json::from(self.topic.as_str())),
            ("total", self.total.into()),
            ("verified", self.verified.into()),
            ("root_hash", self.root_hash.clone().into()),
            ("broken_at_event_id", self.broken_at_event_id.map(|id| id as i64).into()),
            ("errors", self.errors.clone().into()),
            ("anchored", self.anchored.into()),
        ])
    }
}

/// What is known of the chain from outside of the log.
#[derive(Default)]
pub struct Outside<'a> {
    /// The last record known to have existed.
    pub mark: Option<&'a HeadMark>,
    /// Anchors kept elsewhere (`HARN_TRUST_ANCHOR_FILE`).
    pub anchors: &'a [Anchor],
    /// The public keys whose anchors vouch for the chain; any when absent.
    pub trusted: Option<&'a dyn Fn(&str) -> bool>,
}

/// Walks the records in event order; checks positions, links, hashes, evidence, lineage, the head mark and the anchors of
/// the log.
pub fn verify(
    log: &mut (impl Read + ?Sized),
    topic: &str,
    mark: Option<&HeadMark>,
) -> Result<Report, LogError> {
    verify_with(log, topic, &Outside { mark, ..Outside::default() })
}

/// [`verify`], with everything that is known from outside.
pub fn verify_with(
    log: &mut (impl Read + ?Sized),
    topic: &str,
    outside: &Outside<'_>,
) -> Result<Report, LogError> {
    let (on_log, wrong) = if topic == GLOBAL { anchors(log)? } else { Default::default() };
    let all: Vec<&Anchor> = match topic {
        GLOBAL => on_log.iter().chain(outside.anchors).collect(),
        _ => Vec::new(),
    };
    let (mut walk, hold) = Walk::to(outside.mark, all.iter().copied()).along_with(log, topic, &all)?;
    if let Some(mark) = outside.mark {
        walk.check_mark(mark);
    }
    wrong.into_iter().for_each(|error| walk.wrong(error));
    let anchored = walk.check_anchors(all.iter().copied().zip(hold), outside.trusted);
    Ok(Report {
        topic: topic.to_owned(),
        total: walk.total,
        verified: walk.errors.is_empty(),
        root_hash: walk.root_hash(),
        broken_at_event_id: walk.broken_at,
        errors: walk.errors,
        anchored,
        anchors: all.len(),
        anchored_up_to: all.iter().map(|anchor| anchor.chain_index).max(),
    })
}
