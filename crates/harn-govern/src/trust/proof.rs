//! Proofs that one record is in the chain, checked without the chain.

use harn_eventlog::{Json, LogError, Read};

use super::anchor::{Anchor, anchors};
use super::chain::{GLOBAL, read_all};
use super::merkle;
use super::record::Record;

const SCHEMA: &str = "harn-trust-proof/v1";

/// The proof of the record with this record id or chain index: against the latest signed root when it covers the record,
/// else against the unsigned root of the whole chain. `None` when there is no such record.
pub fn prove(log: &mut (impl Read + ?Sized), wanted: &str) -> Result<Option<Json>, LogError> {
    let mut records = Vec::new();
    for stored in read_all(log, GLOBAL)? {
        records.push(Record::decode(&stored.event.payload).map_err(LogError::Corrupt)?);
    }
    let by_index = wanted.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let index = records.iter().position(|r| r.text("record_id") == wanted).or(by_index);
    let Some((index, record)) = index.and_then(|i| Some((i, records.get(i)?))) else { return Ok(None) };
    let covers = |anchor: &Anchor| {
        usize::try_from(anchor.chain_index).is_ok_and(|size| size > index && size <= records.len())
    };
    let anchor = anchors(log)?.0.into_iter().rev().find(|a| covers(a) && a.holds());
    let size = anchor.as_ref().map_or(records.len(), |a| a.chain_index as usize);
    let leaves: Vec<_> = records.iter().take(size).map(|r| merkle::leaf(r.json())).collect();
    let path = merkle::path(&leaves, index).unwrap_or_default();
    let path: Vec<String> = path.iter().map(merkle::text_of).collect();
    Ok(Some(Json::object([
        ("schema", Json::from(SCHEMA)),
        ("topic", GLOBAL.into()),
        ("leaf_index", (index as i64).into()),
        ("tree_size", (size as i64).into()),
        ("root", merkle::text_of(&merkle::root(&leaves)).into()),
        ("audit_path", path.into()),
        ("record", record.json().clone()),
        ("anchor", anchor.map_or(Json::Null, |anchor| anchor.to_json())),
    ])))
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// The record.
    pub record: Record,
    /// How many records the tree has.
    pub tree_size: i64,
    /// The root.
    pub root: String,
    /// The signed anchor over the root; without one the root is only as good as where it came from.
    pub anchor: Option<Anchor>,
}

/// Checks a proof; the error says what does not hold.
pub fn check(proof: &Json) -> Result<Proved, String> {
    if proof.text("schema") != SCHEMA {
        return Err(format!("unsupported proof schema '{}'", proof.text("schema")));
    }
    let record = Record::decode(proof.field("record"))?;
    if !record.hash_holds() {
        let (expected, found) = (record.expected_hash(), record.entry_hash());
        return Err(format!("entry_hash mismatch; expected {expected}, found {found}"));
    }
    let number = |name: &str| {
        let found = proof.field(name).as_int().and_then(|n| u64::try_from(n).ok());
        found.ok_or_else(|| format!("{name} is not a position"))
    };
    let (index, size) = (number("leaf_index")?, number("tree_size")?);
    if u64::try_from(record.chain_index()).ok() != index.checked_add(1) {
        return Err(format!("record at chain_index {} is no leaf {index}", record.chain_index()));
    }
    let path = proof.field("audit_path").as_array().unwrap_or_default().iter();
    let path: Option<Vec<_>> = path.map(|hash| merkle::parse(hash.as_str()?)).collect();
    let path = path.ok_or("audit_path holds something that is no hash")?;
    let reached = merkle::root_of_path(&merkle::leaf(record.json()), index, size, &path);
    let reached = reached.map(|root| merkle::text_of(&root));
    let root = proof.text("root").to_owned();
    if reached.as_deref() != Some(root.as_str()) {
        let reached = reached.unwrap_or_else(|| "nothing".to_owned());
        return Err(format!("the audit path leads to {reached}, not to the root {root}"));
    }
    let tree_size = proof.field("tree_size").as_int().unwrap_or(0);
    let anchor = match proof.field("anchor") {
        Json::Null => None,
        json => {
            let anchor = Anchor::parse(json).ok_or("the anchor is incomplete")?;
            if !anchor.holds() {
                return Err("the signature of the anchor is wrong".into());
            }
            if anchor.topic != proof.text("topic")
                || anchor.chain_index != tree_size
                || anchor.tree_root != root
            {
                return Err("the anchor is that of another tree".into());
            }
            Some(anchor)
        }
    };
    Ok(Proved { record, tree_size, root, anchor })
}
