//! Proving a chain (spec 08 sections 3.4 and 11.1 G6).

use harn_eventlog::{Json, LogError, Read};

use super::anchor::{Anchor, anchors};
use super::chain::{GLOBAL, read_all};
use super::record::{Record, SCHEMA};
use super::{evidence, export, merkle};

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
    let mut walk = Walk::default();
    for stored in read_all(log, topic)? {
        let label = format!("event {}", stored.id);
        walk.position = Some(stored.id);
        match Record::take(stored.event.payload) {
            Ok(record) => walk.step(&label, record),
            Err(detail) => walk.wrong(format!("{label}: undecodable record: {detail}")),
        }
    }
    walk.position = None;
    if let Some(mark) = outside.mark {
        walk.check_mark(mark);
    }
    let mut anchored = false;
    if topic == GLOBAL {
        let (on_log, wrong) = anchors(log)?;
        wrong.into_iter().for_each(|error| walk.wrong(error));
        let all: Vec<&Anchor> = on_log.iter().chain(outside.anchors).collect();
        anchored = walk.check_anchors(&all, outside.trusted);
    }
    Ok(Report {
        topic: topic.to_owned(),
        total: walk.records.len() as i64,
        verified: walk.errors.is_empty(),
        root_hash: walk.records.last().map(|r| r.entry_hash().to_owned()),
        broken_at_event_id: walk.broken_at,
        errors: walk.errors,
        anchored,
    })
}

/// The state of a walk along a chain; also used for exported files.
#[derive(Default)]
pub(super) struct Walk {
    pub records: Vec<Record>,
    pub errors: Vec<String>,
    pub position: Option<u64>,
    pub broken_at: Option<u64>,
}

impl Walk {
    pub fn wrong(&mut self, error: String) {
        if self.broken_at.is_none() {
            self.broken_at = self.position;
        }
        self.errors.push(error);
    }

    /// Takes the next record; `label` names it in errors.
    pub fn step(&mut self, label: &str, record: Record) {
        let expected = self.records.last().map_or(1, |last| last.chain_index() + 1);
        let previous = self.records.last().map(|last| last.entry_hash().to_owned());
        if record.chain_index() != expected {
            self.wrong(format!("{label}: expected chain_index {expected}, found {}", record.chain_index()));
        }
        if record.previous_hash() != previous.as_deref() {
            let found = record.previous_hash().map(str::to_owned);
            self.wrong(format!("{label}: previous_hash mismatch; expected {previous:?}, found {found:?}"));
        }
        if !record.hash_holds() {
            let (expected, found) = (record.expected_hash(), record.entry_hash());
            self.wrong(format!("{label}: entry_hash mismatch; expected {expected}, found {found}"));
        }
        for error in evidence::missing(&record) {
            self.wrong(format!("{label}: {error}"));
        }
        for error in export::lineage(&record, &self.records) {
            self.wrong(format!("{label}: {error}"));
        }
        if record.text("schema") == SCHEMA && record.chain_index() < 1 {
            self.wrong(format!("{label}: chain_index must be positive"));
        }
        self.records.push(record);
    }

    /// Checks anchors against the chain; whether one of a trusted key vouches for it.
    pub fn check_anchors(&mut self, anchors: &[&Anchor], trusted: Option<&dyn Fn(&str) -> bool>) -> bool {
        if anchors.is_empty() {
            return false;
        }
        let leaves: Vec<_> = self.records.iter().map(|r| merkle::leaf(r.json())).collect();
        let mut anchored = false;
        for anchor in anchors {
            let at = anchor.chain_index;
            if !anchor.holds() {
                self.wrong(format!("anchor at index {at}: signature is wrong"));
                continue;
            }
            let before = self.errors.len();
            self.check_mark(&HeadMark { chain_index: at, entry_hash: anchor.entry_hash.clone() });
            let size = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(covered) = leaves.get(..size)
                && merkle::text_of(&merkle::root(covered)) != anchor.tree_root
            {
                self.wrong(format!("anchor at index {at}: tree root mismatch"));
            }
            if self.errors.len() == before && trusted.is_none_or(|trusts| trusts(&anchor.public_key)) {
                anchored = true;
            }
        }
        anchored
    }

    fn check_mark(&mut self, mark: &HeadMark) {
        let at = mark.chain_index;
        let position = usize::try_from(at).ok().and_then(|at| at.checked_sub(1));
        let in_place = position.and_then(|i| self.records.get(i)).filter(|r| r.chain_index() == at);
        let found = in_place.or_else(|| self.records.iter().find(|r| r.chain_index() == at));
        match found {
            None => self.wrong(format!("anchor at index {at}: record missing")),
            Some(record) if record.entry_hash() != mark.entry_hash => {
                self.wrong(format!("anchor at index {at}: entry_hash mismatch"));
            }
            Some(_) => {}
        }
    }
}
