//! Evidence that an approval was given, inside a record (spec 08 section 3.4).

use std::collections::BTreeSet;

use super::record::{Outcome, Record, Tier};
use crate::moment::parse_timestamp;

/// What is missing of the approval that the record says it needed; texts without the label of the record.
pub fn missing(record: &Record) -> Vec<String> {
    let approval = record.json().field("metadata").field("approval");
    let needed = record.outcome() == Some(Outcome::Success)
        && record.tier() == Some(Tier::ActWithApproval)
        && approval.field("required").as_bool() == Some(true);
    if !needed {
        return Vec::new();
    }
    let mut errors = Vec::new();
    if record.approver().is_none_or(|approver| approver.trim().is_empty()) {
        errors.push("approval required but approver is empty".to_owned());
    }
    let quorum = approval.field("quorum").as_int().unwrap_or(0);
    if quorum < 1 {
        errors.push("approval required but quorum is not positive".to_owned());
    }
    let signatures = approval.field("signatures").as_array().unwrap_or_default();
    if signatures.is_empty() {
        errors.push("approval required but signatures are empty".to_owned());
        return errors;
    }
    let mut reviewers = BTreeSet::new();
    for signature in signatures {
        let reviewer = signature.text("reviewer");
        let whole = !reviewer.is_empty()
            && !signature.text("signature").is_empty()
            && parse_timestamp(signature.text("signed_at")).is_some();
        if whole {
            reviewers.insert(reviewer);
        } else {
            errors.push("approval required but a signature is incomplete".to_owned());
        }
    }
    if (reviewers.len() as i64) < quorum {
        errors.push(format!("approval required by {quorum} reviewers but signed by {}", reviewers.len()));
    }
    errors
}
