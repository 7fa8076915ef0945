//! Signed anchors: what the chain was at a time, in a form that whoever edits the log cannot make again (spec 08 section
//! 11.1 G6).

use harn_eventlog::{Event, Json, LogError, Read, Tx};

use super::chain::{GLOBAL, read_all};
use super::merkle;
use super::record::Record;
use crate::Moment;
use crate::identity::{self, Identity};

/// The topic of anchors.
pub const ANCHORS: &str = "trust_graph.anchors";
const ANCHORED: &str = "trust_anchored";
/// The field of an anchor's event with the subtrees of its tree.
const PEAKS: &str = "tree_peaks";
const PAGE: usize = 1000;

/// The end of a chain, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The chain.
    pub topic: String,
    /// The position of the last record, which is also the size of the Merkle tree.
    pub chain_index: i64,
    /// The hash of the last record.
    pub entry_hash: String,
    /// The root of the Merkle tree of all records up to it.
    pub tree_root: String,
    /// When it was signed.
    pub anchored_at: String,
    /// The public key.
    pub public_key: String,
    /// The signature of the chain's end.
    pub signature: String,
    /// The signature of the tree's root.
    pub tree_signature: String,
}

impl Anchor {
    fn chain_text(&self) -> String {
        let Anchor { topic, chain_index, entry_hash, anchored_at, .. } = self;
        format!("harn trust anchor v1\n{topic}\n{chain_index}\n{entry_hash}\n{anchored_at}\n")
    }

    fn tree_text(&self) -> String {
        let Anchor { topic, chain_index, tree_root, anchored_at, .. } = self;
        format!("harn trust tree v1\n{topic}\n{chain_index}\n{tree_root}\n{anchored_at}\n")
    }

    /// Whether both signatures are those of its key.
    pub fn holds(&self) -> bool {
        identity::verifies(&self.public_key, &self.chain_text(), &self.signature)
            && identity::verifies(&self.public_key, &self.tree_text(), &self.tree_signature)
    }

    /// The anchor as JSON.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("topic", Json::from(self.topic.as_str())),
            ("chain_index", self.chain_index.into()),
            ("entry_hash", self.entry_hash.as_str().into()),
            ("tree_root", self.tree_root.as_str().into()),
            ("anchored_at", self.anchored_at.as_str().into()),
            ("key_id", identity::key_id(&self.public_key).into()),
            ("public_key", self.public_key.as_str().into()),
            ("signature", self.signature.as_str().into()),
            ("tree_signature", self.tree_signature.as_str().into()),
        ])
    }

    /// Reads an anchor; `None` when a field is missing.
    pub fn parse(json: &Json) -> Option<Anchor> {
        let text = |name: &str| Some(json.text(name).to_owned()).filter(|text| !text.is_empty());
        Some(Anchor {
            topic: text("topic")?,
            chain_index: json.field("chain_index").as_int().filter(|index| *index > 0)?,
            entry_hash: text("entry_hash")?,
            tree_root: text("tree_root")?,
            anchored_at: text("anchored_at")?,
            public_key: text("public_key")?,
            signature: text("signature")?,
            tree_signature: text("tree_signature")?,
        })
    }
}

/// How many records there are between two anchors that are made unasked (spec 08 section 11.1 G6).
pub const EVERY: i64 = 64;

/// Signs the present end of the chain and appends the anchor; `None` when the chain is empty. The tree goes on from the last
/// anchor of the same key when that one holds, so the work is that of the records since.
pub fn anchor(tx: &mut dyn Tx, identity: &Identity, moment: &Moment<'_>) -> Result<Option<Anchor>, LogError> {
    let (mut tree, mut last) = known_tree(tx, identity)?.unwrap_or_default();
    loop {
        let events = tx.read_range(GLOBAL, Some(tree.size()), PAGE)?;
        for stored in &events {
            // What is no record breaks the chain anyway: nothing is signed over it.
            let record = Record::decode(&stored.event.payload).map_err(LogError::Corrupt)?;
            tree.push(merkle::leaf(record.json()));
            last = Some((record.chain_index(), record.entry_hash().to_owned()));
        }
        if events.len() < PAGE {
            break;
        }
    }
    let Some((chain_index, entry_hash)) = last else { return Ok(None) };
    if u64::try_from(chain_index) != Ok(tree.size()) {
        let records = tree.size();
        return Err(LogError::Corrupt(format!(
            "the chain has {records} records but ends at index {chain_index}"
        )));
    }
    let mut anchor = Anchor {
        topic: GLOBAL.to_owned(),
        chain_index,
        entry_hash,
        tree_root: merkle::text_of(&tree.root()),
        anchored_at: moment.timestamp(),
        public_key: identity.public_key(),
        signature: String::new(),
        tree_signature: String::new(),
    };
    anchor.signature = identity.sign(&anchor.chain_text());
    anchor.tree_signature = identity.sign(&anchor.tree_text());
    let payload = anchor.to_json().with(PEAKS, tree.texts());
    tx.append(ANCHORS, Event::new(ANCHORED, payload, moment.now_ms))?;
    Ok(Some(anchor))
}

/// A tree, and index and hash of its last record.
type KnownTree = (merkle::Peaks, Option<(i64, String)>);

/// The tree of the last anchor, when this identity signed it and the chain still holds what it covers at its place.
fn known_tree(tx: &mut dyn Tx, identity: &Identity) -> Result<Option<KnownTree>, LogError> {
    let Some(latest) = tx.latest(ANCHORS)?.and_then(|id| id.checked_sub(1)) else { return Ok(None) };
    let Some(stored) = tx.read_range(ANCHORS, Some(latest), 1)?.pop() else { return Ok(None) };
    let payload = &stored.event.payload;
    let Some(anchor) = Anchor::parse(payload) else { return Ok(None) };
    let size = u64::try_from(anchor.chain_index).unwrap_or(0);
    let Some(tree) = merkle::Peaks::parse(size, &payload.field(PEAKS).strings()) else { return Ok(None) };
    // The subtrees are not signed themselves: they count when they make the root that is.
    let signed = anchor.topic == GLOBAL
        && anchor.public_key == identity.public_key()
        && merkle::text_of(&tree.root()) == anchor.tree_root
        && anchor.holds();
    let in_place = tx.read_range(GLOBAL, Some(size - 1), 1)?.pop().filter(|stored| stored.id == size);
    let in_place =
        in_place.is_some_and(|stored| stored.event.payload.text("entry_hash") == anchor.entry_hash);
    Ok((signed && in_place).then_some((tree, Some((anchor.chain_index, anchor.entry_hash)))))
}

/// The anchors on a log; the second list says which events are none.
pub fn anchors(log: &mut (impl Read + ?Sized)) -> Result<(Vec<Anchor>, Vec<String>), LogError> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for stored in read_all(log, ANCHORS)? {
        match Anchor::parse(&stored.event.payload) {
            Some(anchor) => found.push(anchor),
            None => wrong.push(format!("anchor event {}: undecodable anchor", stored.id)),
        }
    }
    Ok((found, wrong))
}
