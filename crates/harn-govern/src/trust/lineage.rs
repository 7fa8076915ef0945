//! Records with a parent: effects that were granted, actors that descend (OpenTrustGraph v0.1).

use std::collections::{HashMap, HashSet};

use harn_eventlog::Json;
use sha2::{Digest, Sha256};

use super::record::Record;

/// What later records may refer to. Ids are kept in 16 bytes each; grants only of records that have any.
#[derive(Default)]
pub struct Lineage {
    ids: Vec<u128>,
    /// The ids as a set, from the first record on that names a parent; and how many of them.
    known: HashSet<u128>,
    indexed: usize,
    grants: HashMap<String, (Json, Json)>,
}

impl Lineage {
    /// Notes the id of a record without grants.
    pub fn note(&mut self, record_id: &str) {
        self.ids.push(short(record_id));
    }

    /// What breaks the lineage of the record; then notes it.
    pub fn check(&mut self, record: &Record) -> Vec<String> {
        let errors = self.errors(record);
        let id = record.text("record_id");
        let metadata = record.json().field("metadata");
        let (granted, chain) = (metadata.field("effects_grant"), metadata.field("actor_chain"));
        // Of two records with one id the first counts.
        let is_asked_for = !granted.is_null() || !chain.is_null();
        if is_asked_for && !self.holds(id) {
            self.grants.insert(id.to_owned(), (granted.clone(), chain.clone()));
        }
        self.note(id);
        errors
    }

    fn holds(&mut self, record_id: &str) -> bool {
        self.known.extend(self.ids.get(self.indexed..).unwrap_or_default());
        self.indexed = self.ids.len();
        self.known.contains(&short(record_id))
    }

    fn errors(&mut self, record: &Record) -> Vec<String> {
        let metadata = record.json().field("metadata");
        let Some(parent_id) = metadata.field("parent_record_id").as_str() else { return Vec::new() };
        let used = metadata.field("effects_used").as_array().unwrap_or_default();
        let chain = metadata.field("actor_chain");
        if used.is_empty() && chain.is_null() {
            return Vec::new();
        }
        if !self.holds(parent_id) {
            return vec![format!("parent_record_id \"{parent_id}\" not found in chain")];
        }
        let none = (Json::Null, Json::Null);
        let (granted, above) = self.grants.get(parent_id).unwrap_or(&none);
        let granted = granted.as_array().unwrap_or_default();
        let mut errors: Vec<String> = used
            .iter()
            .filter(|effect| !granted.contains(effect))
            .map(|effect| {
                format!("effects_used escaped grant from parent \"{parent_id}\": {}", effect.canonical())
            })
            .collect();
        if !chain.is_null() {
            if above.is_null() {
                errors.push(format!("actor_chain parent \"{parent_id}\" missing actor_chain"));
            } else {
                let (own, above) = (actors(chain), actors(above));
                let prepended = own.get(1..).is_some_and(|rest| rest == above.as_slice());
                if !prepended {
                    errors.push(format!("actor_chain escaped parentage from parent \"{parent_id}\""));
                }
            }
        }
        errors
    }
}

/// An id in 16 bytes: those of a UUID, else the first of the hash of the text.
fn short(id: &str) -> u128 {
    let hex = id.bytes().filter(|byte| *byte != b'-');
    if id.len() == 36 && hex.clone().count() == 32 && hex.clone().all(|byte| byte.is_ascii_hexdigit()) {
        return hex.fold(0, |sum, byte| sum << 4 | u128::from((byte as char).to_digit(16).unwrap_or(0)));
    }
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The subjects of a nested actor chain, outermost (the present actor) first; the last is the origin.
fn actors(chain: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = chain;
    while !at.is_null() {
        found.push(at.text("sub").to_owned());
        at = at.field("act");
    }
    found
}
