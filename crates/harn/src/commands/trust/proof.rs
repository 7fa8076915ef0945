//! Anchors and proofs of single records (spec 08 section 11.1 G6).

use super::{log_error, text};
use crate::{anchoring, identities, output, project_log};
use clap::ArgMatches;
use harn_eventlog::{Json, Store};
use harn_govern::identity::{Identity, Keyring};
use harn_govern::trust::{self, Anchor, proof};
use std::process::ExitCode;

/// Signs the end of the chain and writes the anchor to the log and to `HARN_TRUST_ANCHOR_FILE`.
pub fn sign_end(store: &mut dyn Store, identity: &Identity) -> Result<Option<Anchor>, String> {
    let anchor = project_log::transact(store, |tx, moment| trust::anchor::anchor(tx, identity, moment))?;
    if let Some(anchor) = &anchor {
        anchoring::mirror(anchor)?;
    }
    Ok(anchor)
}

/// Whether a key is known: to the project, or one of this user's own.
pub fn is_known(keyring: &Keyring, public_key: &str) -> bool {
    keyring.holds_key(public_key) || owner(public_key).is_some()
}

/// The identity of this user with that key.
fn owner(public_key: &str) -> Option<String> {
    let names = identities::names().ok()?;
    names.into_iter().find(|name| {
        identities::find(name).ok().flatten().is_some_and(|identity| identity.public_key() == public_key)
    })
}

pub fn anchor(given: &ArgMatches) -> Result<ExitCode, String> {
    let identity = identities::signer(text(given, "identity").as_deref())?;
    let mut store = project_log::require()?;
    let Some(anchor) = sign_end(&mut *store, &identity)? else {
        return Err("the trust graph is empty: there is nothing to sign".into());
    };
    if given.get_flag("json") {
        output::outln(&anchor.to_json().canonical());
    } else {
        let Anchor { chain_index, entry_hash, .. } = &anchor;
        output::outln(&format!(
            "anchored index={chain_index} entry_hash={entry_hash} as {}",
            identity.name()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn prove(given: &ArgMatches) -> Result<ExitCode, String> {
    let wanted = text(given, "record").unwrap_or_default();
    let mut store = project_log::require()?;
    let Some(proof) = proof::prove(&mut *store, &wanted).map_err(log_error)? else {
        return Err(format!(
            "there is no record '{wanted}' in the chain: `harn trust query --json` shows ids and chain indexes"
        ));
    };
    let shown = format!("{}\n", proof.canonical());
    match text(given, "output") {
        None => output::out(&shown),
        Some(path) => {
            #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
            std::fs::write(&path, shown).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    if proof.field("anchor").is_null() {
        output::err("warning: no anchor covers the record, so the root is not signed: harn trust anchor\n");
    }
    Ok(ExitCode::SUCCESS)
}

pub fn check(given: &ArgMatches) -> Result<ExitCode, String> {
    let path = text(given, "file").unwrap_or_default();
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let read = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let proof = Json::parse(read.trim()).map_err(|error| format!("{path}: {error}"))?;
    let wanted_key = text(given, "key");
    let checked = proof::check(&proof).and_then(|proved| {
        let signed_by = proved.anchor.as_ref().map(|anchor| anchor.public_key.clone());
        match &wanted_key {
            Some(key) if signed_by.as_ref() != Some(key) => Err(format!("the root is not signed by {key}")),
            _ => Ok(proved),
        }
    });
    if given.get_flag("json") {
        let shown = match &checked {
            Ok(proved) => Json::object([
                ("proved", Json::Bool(true)),
                ("record_id", proved.record.text("record_id").into()),
                ("tree_size", proved.tree_size.into()),
                ("root", proved.root.as_str().into()),
                ("signed_by", proved.anchor.as_ref().map(|a| a.public_key.clone()).into()),
            ]),
            Err(error) => Json::object([("proved", Json::Bool(false)), ("error", error.as_str().into())]),
        };
        output::outln(&shown.canonical());
        return Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let proved = checked.map_err(|error| format!("not proved: {error}"))?;
    let field = |name: &str| proved.record.text(name);
    output::outln(&format!("proved record={} index={}", field("record_id"), proved.record.chain_index()));
    output::outln(&format!(
        "  {} agent={} action={} outcome={}",
        field("timestamp"),
        field("agent"),
        field("action"),
        field("outcome")
    ));
    output::outln(&format!("  in a tree of {} records with root {}", proved.tree_size, proved.root));
    match &proved.anchor {
        None => output::outln("  unsigned: compare the root with one from a source you trust"),
        Some(anchor) => {
            let name = owner(&anchor.public_key).map_or_else(String::new, |name| format!(" ({name})"));
            output::outln(&format!("  signed {} by {}{name}", anchor.anchored_at, anchor.public_key));
        }
    }
    Ok(ExitCode::SUCCESS)
}
