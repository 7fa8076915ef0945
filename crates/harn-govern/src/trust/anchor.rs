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

/// Signs the present end of the chain and appends the anchor; `None` when the chain is empty.
pub fn anchor(tx: &mut dyn Tx, identity: &Identity, moment: &Moment<'_>) -> Result<Option<Anchor>, LogError> {
    let mut leaves = Vec::new();
    let mut last = None;
    for stored in read_all(tx, GLOBAL)? {
        // What is no record breaks the chain anyway: nothing is signed over it.
        let record = Record::decode(&stored.event.payload).map_err(LogError::Corrupt)?;
        leaves.push(merkle::leaf(record.json()));
        last = Some(record);
    }
    let Some(last) = last else { return Ok(None) };
    if last.chain_index() != leaves.len() as i64 {
        return Err(LogError::Corrupt(format!(
            "the chain has {} records but ends at index {}",
            leaves.len(),
            last.chain_index()
        )));
    }
    let mut anchor = Anchor {
        topic: GLOBAL.to_owned(),
        chain_index: last.chain_index(),
        entry_hash: last.entry_hash().to_owned(),
        tree_root: merkle::text_of(&merkle::root(&leaves)),
        anchored_at: moment.timestamp(),
        public_key: identity.public_key(),
        signature: String::new(),
        tree_signature: String::new(),
    };
    anchor.signature = identity.sign(&anchor.chain_text());
    anchor.tree_signature = identity.sign(&anchor.tree_text());
    tx.append(ANCHORS, Event::new(ANCHORED, anchor.to_json(), moment.now_ms))?;
    Ok(Some(anchor))
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
