//! `harn hitl grant`, `grants` and `revoke`.

use crate::{identities, output, project_log};
use harn_eventlog::{Json, Store};
use harn_govern::autonomy::limits::parse_duration;
use harn_govern::moment::timestamp;
use harn_govern::people::{Book, grants};

/// What is granted.
pub struct Terms {
    /// Whose decisions.
    pub key: String,
    /// How many.
    pub decisions: Option<i64>,
    /// For how long, as given.
    pub lasts: Option<String>,
    /// Who grants.
    pub reviewer: String,
    /// Why.
    pub reason: String,
}

pub fn give(store: &mut dyn Store, book: &Book, terms: &Terms) -> Result<(), String> {
    let now_ms = project_log::now_ms();
    let expires_at = match &terms.lasts {
        None => None,
        Some(text) => {
            let lasts = parse_duration(text).filter(|ms| *ms > 0);
            let lasts = lasts.ok_or_else(|| format!("'{text}' is no duration: write 30m, 2h or 1d"))?;
            Some(timestamp(now_ms.saturating_add(lasts)))
        }
    };
    let id = format!("grant_{}", uuid::Uuid::now_v7());
    let mut grant = Json::object([
        ("grant_id", Json::from(id.as_str())),
        ("key", terms.key.as_str().into()),
        ("decisions", terms.decisions.into()),
        ("expires_at", expires_at.clone().into()),
        ("granted_at", timestamp(now_ms).into()),
        ("reviewer", terms.reviewer.as_str().into()),
        ("reason", terms.reason.as_str().into()),
        ("os_user", project_log::os_user().into()),
    ]);
    if let Some(identity) = identities::find(&terms.reviewer)? {
        let signature = identity.sign(&grants::signed_text(&grant));
        grant.set("signature", signature.into());
    }
    project_log::transact(store, |tx, moment| grants::give(tx, book, &grant, moment))??;
    let number = terms.decisions.map_or("any number of".to_owned(), |n| n.to_string());
    let until = expires_at.map_or_else(String::new, |end| format!(" until {end}"));
    output::outln(&format!("granted {id}: '{}' may take {number} decisions{until}", terms.key));
    Ok(())
}

pub fn revoke(
    store: &mut dyn Store,
    book: &mut Book,
    id: &str,
    reviewer: &str,
    reason: Option<&str>,
) -> Result<(), String> {
    let done =
        project_log::transact(store, |tx, moment| grants::revoke(tx, book, id, reviewer, reason, moment))?;
    done.map_err(|why| format!("{why}: `harn hitl grants` lists those there are"))?;
    output::outln(&format!("revoked {id} as {reviewer}"));
    Ok(())
}

pub fn list(book: &Book, json: bool) {
    let now_ms = project_log::now_ms();
    let mut rows = Vec::new();
    for grant in book.grants() {
        let state = match () {
            () if grant.revoked => "revoked",
            () if grant.admits(now_ms) => "open",
            () => "used up or over",
        };
        rows.push(Json::object([
            ("grant_id", Json::from(grant.id.as_str())),
            ("key", grant.key.as_str().into()),
            ("state", state.into()),
            ("used", grant.used.into()),
            ("decisions", grant.decisions.into()),
            ("expires_at", grant.expires_at.map(timestamp).into()),
            ("reviewer", grant.reviewer.as_str().into()),
            ("reason", grant.reason.as_str().into()),
        ]));
    }
    if json {
        output::outln(&Json::Array(rows).canonical());
        return;
    }
    for row in rows {
        let most = row.field("decisions").as_int().map_or("-".to_owned(), |n| n.to_string());
        let end = row.field("expires_at").as_str().unwrap_or("-");
        output::outln(&format!(
            "{} key={} {} used={} of {most} until={end} by={} reason={}",
            row.text("grant_id"),
            row.text("key"),
            row.text("state"),
            row.field("used").as_int().unwrap_or(0),
            row.text("reviewer"),
            row.text("reason")
        ));
    }
}
