//! Walking a chain record by record: what is kept of it is what later records and anchors can ask for, so a chain of any
//! length is walked in little memory.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;

use harn_eventlog::{Json, LogError, Read};

use super::anchor::Anchor;
use super::evidence;
use super::line::Line;
use super::lineage::Lineage;
use super::merkle::{self, Hash, Peaks};
use super::record::{Record, SCHEMA};
use super::verify::HeadMark;

/// Events read at a time.
const PAGE: usize = 2000;
/// A chain shorter than this is walked where it is read.
const SHORT: u64 = 4000;
/// So many signatures are worth a thread of their own.
const MANY: usize = 64;

/// What the chain holds at a place that an anchor names.
#[derive(Default)]
struct Place {
    /// The hash of the record with this index at this position.
    in_place: Option<String>,
    /// The hash of the first record with this index elsewhere.
    elsewhere: Option<String>,
    /// The root of the tree of so many records.
    root: Option<Hash>,
}

/// The state of a walk along a chain; also used for exported files.
#[derive(Default)]
pub(super) struct Walk {
    pub errors: Vec<String>,
    pub position: Option<u64>,
    pub broken_at: Option<u64>,
    /// Records walked.
    pub total: i64,
    /// Index and hash of the last.
    last: Option<(i64, String)>,
    lineage: Lineage,
    places: BTreeMap<i64, Place>,
    /// The tree, when an anchor asks for its roots.
    tree: Option<Peaks>,
}

impl Walk {
    /// A walk that can be asked for a mark and for anchors afterwards.
    pub fn to<'a>(mark: Option<&HeadMark>, anchors: impl IntoIterator<Item = &'a Anchor>) -> Walk {
        let mut walk = Walk::default();
        for anchor in anchors {
            walk.places.entry(anchor.chain_index).or_default();
            walk.tree.get_or_insert_with(Peaks::default);
        }
        if let Some(mark) = mark {
            walk.places.entry(mark.chain_index).or_default();
        }
        walk
    }

    pub fn wrong(&mut self, error: String) {
        if self.broken_at.is_none() {
            self.broken_at = self.position;
        }
        self.errors.push(error);
    }

    /// The hash of the last record.
    pub fn root_hash(&self) -> Option<String> {
        self.last.as_ref().map(|(_, hash)| hash.clone())
    }

    /// Takes the next record; `label` names it in errors.
    pub fn step(&mut self, label: &str, record: &Record) {
        let (expected, previous) = match &self.last {
            Some((index, hash)) => (index.saturating_add(1), Some(hash.clone())),
            None => (1, None),
        };
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
        for error in evidence::missing(record) {
            self.wrong(format!("{label}: {error}"));
        }
        for error in self.lineage.check(record) {
            self.wrong(format!("{label}: {error}"));
        }
        if record.text("schema") == SCHEMA && record.chain_index() < 1 {
            self.wrong(format!("{label}: chain_index must be positive"));
        }
        let leaf = self.tree.is_some().then(|| merkle::leaf(record.json()));
        self.pass(record.chain_index(), record.entry_hash(), leaf);
    }

    /// Takes the next record as the text of its payload. What is no JSON is an error of the log, not of the chain.
    fn step_text(&mut self, topic: &str, id: u64, text: &str) -> Result<(), LogError> {
        self.position = Some(id);
        if let Some(line) = Line::read(text) {
            let follows = match &self.last {
                Some((index, hash)) => {
                    line.chain_index == index.saturating_add(1) && line.previous_hash == Some(hash)
                }
                None => line.chain_index == 1 && line.previous_hash.is_none(),
            };
            if follows && line.hash_holds() {
                self.lineage.note(line.record_id);
                let leaf = self.tree.is_some().then(|| line.leaf());
                self.pass(line.chain_index, line.entry_hash, leaf);
                return Ok(());
            }
        }
        let payload =
            Json::parse(text).map_err(|detail| LogError::Corrupt(format!("{topic} event {id}: {detail}")))?;
        match Record::take(payload) {
            Ok(record) => self.step(&format!("event {id}"), &record),
            Err(detail) => self.wrong(format!("event {id}: undecodable record: {detail}")),
        }
        Ok(())
    }

    /// The record is the last one now.
    fn pass(&mut self, index: i64, hash: &str, leaf: Option<Hash>) {
        self.total += 1;
        if let Some(place) = self.places.get_mut(&index) {
            let kept = if index == self.total { &mut place.in_place } else { &mut place.elsewhere };
            if kept.is_none() {
                *kept = Some(hash.to_owned());
            }
        }
        if let (Some(tree), Some(leaf)) = (&mut self.tree, leaf) {
            tree.push(leaf);
            if let Some(place) = self.places.get_mut(&self.total) {
                place.root = Some(tree.root());
            }
        }
        let last = self.last.get_or_insert_default();
        last.0 = index;
        last.1.clear();
        last.1.push_str(hash);
    }

    /// Walks a whole topic; of each anchor, whether its signatures hold, which for many is found out meanwhile on another
    /// thread.
    pub fn along_with(
        self,
        log: &mut (impl Read + ?Sized),
        topic: &str,
        anchors: &[&Anchor],
    ) -> Result<(Walk, Vec<bool>), LogError> {
        let check = || anchors.iter().map(|anchor| anchor.holds()).collect::<Vec<bool>>();
        if anchors.len() < MANY {
            return Ok((self.along(log, topic)?, check()));
        }
        std::thread::scope(|scope| {
            let checker = scope.spawn(check);
            let walk = self.along(log, topic)?;
            let hold =
                checker.join().map_err(|_| LogError::Corrupt(format!("{topic}: cannot be checked")))?;
            Ok((walk, hold))
        })
    }

    /// Walks a whole topic. A long one is read and checked on two threads.
    fn along(self, log: &mut (impl Read + ?Sized), topic: &str) -> Result<Walk, LogError> {
        let mut walk = self;
        if log.latest(topic)?.unwrap_or(0) < SHORT {
            for_each_page(log, topic, |page| page.walk(&mut walk, topic).map(|()| true))?;
            walk.position = None;
            return Ok(walk);
        }
        let mut walk = std::thread::scope(|scope| {
            let (sender, pages) = sync_channel::<Page>(4);
            let walker = scope.spawn(move || {
                for page in pages {
                    page.walk(&mut walk, topic)?;
                }
                Ok(walk)
            });
            // A walker that has met an error takes no more: its error is the one to tell.
            let read = for_each_page(log, topic, |page| Ok(sender.send(page).is_ok()));
            drop(sender);
            let walked =
                walker.join().map_err(|_| LogError::Corrupt(format!("{topic}: cannot be walked")))?;
            read.and(walked)
        })?;
        walk.position = None;
        Ok(walk)
    }

    /// Checks anchors against the chain, given whether their signatures hold; whether one of a trusted key vouches for it.
    pub fn check_anchors<'a>(
        &mut self,
        anchors: impl IntoIterator<Item = (&'a Anchor, bool)>,
        trusted: Option<&dyn Fn(&str) -> bool>,
    ) -> bool {
        let mut anchored = false;
        for (anchor, holds) in anchors {
            let at = anchor.chain_index;
            if !holds {
                self.wrong(format!("anchor at index {at}: signature is wrong"));
                continue;
            }
            let before = self.errors.len();
            self.check_mark(&HeadMark { chain_index: at, entry_hash: anchor.entry_hash.clone() });
            let root = self.places.get(&at).and_then(|place| place.root);
            if root.is_some_and(|root| merkle::text_of(&root) != anchor.tree_root) {
                self.wrong(format!("anchor at index {at}: tree root mismatch"));
            }
            if self.errors.len() == before && trusted.is_none_or(|trusts| trusts(&anchor.public_key)) {
                anchored = true;
            }
        }
        anchored
    }

    /// Checks that the chain holds the record of a mark.
    pub fn check_mark(&mut self, mark: &HeadMark) {
        let at = mark.chain_index;
        let found =
            self.places.get(&at).and_then(|place| place.in_place.as_ref().or(place.elsewhere.as_ref()));
        match found {
            None => self.wrong(format!("anchor at index {at}: record missing")),
            Some(hash) if *hash != mark.entry_hash => {
                self.wrong(format!("anchor at index {at}: entry_hash mismatch"));
            }
            Some(_) => {}
        }
    }
}

/// Payloads of some events, one after the other in one text.
#[derive(Default)]
struct Page {
    text: String,
    ends: Vec<(u64, usize)>,
}

impl Page {
    fn walk(&self, walk: &mut Walk, topic: &str) -> Result<(), LogError> {
        let mut from = 0;
        for (id, end) in &self.ends {
            walk.step_text(topic, *id, self.text.get(from..*end).unwrap_or_default())?;
            from = *end;
        }
        Ok(())
    }
}

/// Reads a topic in pages until it ends or `take` wants no more.
fn for_each_page(
    log: &mut (impl Read + ?Sized),
    topic: &str,
    mut take: impl FnMut(Page) -> Result<bool, LogError>,
) -> Result<(), LogError> {
    let mut from = None;
    loop {
        let mut page = Page::default();
        log.read_payloads(topic, from, PAGE, &mut |id, text| {
            page.text.push_str(text);
            page.ends.push((id, page.text.len()));
        })?;
        let (read, last) = (page.ends.len(), page.ends.last().map(|(id, _)| *id));
        from = last.or(from);
        if read > 0 && !take(page)? {
            return Ok(());
        }
        if read < PAGE {
            return Ok(());
        }
    }
}
