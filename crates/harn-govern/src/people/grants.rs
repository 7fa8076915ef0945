//! Grants: a reviewer allows a key some further decisions ahead of time, bounded in number, in time or both. A grant is a
//! signed record, and can be revoked.

use harn_eventlog::{Event, Json, LogError, Tx};

use super::Book;
use super::consume::CONSUMPTIONS;
use crate::Moment;
use crate::identity::Keyring;
use crate::moment::parse_ms;

/// The topic of grants.
pub const GRANTS: &str = "hitl.grants";
pub(super) const GIVEN: &str = "hitl.grant_given";
pub(super) const REVOKED: &str = "hitl.grant_revoked";
pub(super) const USED: &str = "hitl.grant_used";

/// Allowance for a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Whose decisions it admits.
    pub key: String,
    /// How many; any number until it expires when absent.
    pub decisions: Option<i64>,
    /// When it ends, Unix milliseconds; never by time when absent.
    pub expires_at: Option<i64>,
    /// Who granted.
    pub reviewer: String,
    /// Why.
    pub reason: String,
    /// How many decisions it has admitted.
    pub used: i64,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl Grant {
    /// Whether it admits one more decision at that time.
    pub fn admits(&self, at_ms: i64) -> bool {
        !self.revoked
            && self.decisions.is_none_or(|most| self.used < most)
            && self.expires_at.is_none_or(|end| at_ms < end)
    }
}

/// The text that a grant's signature covers.
pub fn signed_text(grant: &Json) -> String {
    let mut signed = Json::object::<&str>([]);
    for field in ["grant_id", "key", "decisions", "expires_at", "granted_at", "reviewer", "reason"] {
        signed.set(field, grant.field(field).clone());
    }
    format!("harn hitl grant v1\n{}\n", signed.canonical())
}

/// Reads a grant that counts: one that is bounded, not given by the key to itself, and signed as the keyring asks.
pub(super) fn read(payload: &Json, keyring: &Keyring) -> Option<Grant> {
    let text = |name: &str| Some(payload.text(name).to_owned()).filter(|text| !text.is_empty());
    let grant = Grant {
        id: text("grant_id")?,
        key: text("key")?,
        decisions: payload.field("decisions").as_int(),
        expires_at: payload.field("expires_at").as_str().and_then(parse_ms),
        reviewer: text("reviewer")?,
        reason: payload.text("reason").to_owned(),
        used: 0,
        revoked: false,
    };
    let bounded = grant.decisions.is_some() || grant.expires_at.is_some();
    let signed = !keyring.asks(&grant.reviewer)
        || keyring.accepts(&grant.reviewer, &signed_text(payload), payload.text("signature"));
    (bounded && signed && grant.reviewer != grant.key).then_some(grant)
}

/// Appends a grant `{grant_id, key, decisions?, expires_at?, granted_at, reviewer, reason, signature?}`; the error says why it
/// would not count.
pub fn give(
    tx: &mut dyn Tx,
    book: &Book,
    grant: &Json,
    moment: &Moment<'_>,
) -> Result<Result<(), String>, LogError> {
    let Some(read) = read(grant, book.keyring()) else {
        let reviewer = grant.text("reviewer");
        return Ok(Err(if reviewer == grant.text("key") {
            format!("'{reviewer}' cannot grant to itself")
        } else if grant.field("decisions").is_null() && grant.field("expires_at").is_null() {
            "a grant needs --decisions, --for or both".to_owned()
        } else {
            format!("a grant by '{reviewer}' must carry the signature of '{reviewer}'")
        }));
    };
    tx.append(GRANTS, Event::new(GIVEN, grant.clone(), moment.now_ms).header("key", read.key))?;
    Ok(Ok(()))
}

/// Ends a grant. Whoever asks: authority only narrows.
pub fn revoke(
    tx: &mut dyn Tx,
    book: &mut Book,
    id: &str,
    reviewer: &str,
    reason: Option<&str>,
    moment: &Moment<'_>,
) -> Result<Result<(), String>, LogError> {
    book.refresh(tx)?;
    match book.grant(id) {
        None => return Ok(Err(format!("unknown grant '{id}'"))),
        Some(grant) if grant.revoked => return Ok(Err(format!("grant '{id}' is revoked already"))),
        Some(_) => {}
    }
    let payload = Json::object([
        ("grant_id", Json::from(id)),
        ("reviewer", reviewer.into()),
        ("reason", reason.map(str::to_owned).into()),
        ("revoked_at", moment.timestamp().into()),
    ]);
    tx.append(GRANTS, Event::new(REVOKED, payload, moment.now_ms))?;
    Ok(Ok(()))
}

/// Records that a grant admitted a decision, in the transaction of the decision.
pub(crate) fn use_up(
    tx: &mut dyn Tx,
    grant_id: &str,
    decision_id: &str,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    let payload = Json::object([
        ("grant_id", Json::from(grant_id)),
        ("consumed_by", decision_id.into()),
        ("consumed_at", moment.timestamp().into()),
    ]);
    tx.append(CONSUMPTIONS, Event::new(USED, payload, moment.now_ms))?;
    Ok(())
}
