//! The chain under damage, and its export.

use harn_eventlog::{Event, Json, MemoryStore, Read, Store};
use harn_govern::trust::{self, Draft, HeadMark, Outcome, Tier, export};
use proptest::prelude::*;

use crate::transact;

const T0: i64 = 1_767_225_600_000;

fn draft(agent: &str, action: &str, tier: Tier) -> Draft {
    Draft {
        agent: agent.into(),
        action: action.into(),
        approver: None,
        outcome: Outcome::Success,
        trace_id: "t".into(),
        tier,
        cost_usd: Some(0.5),
        metadata: Json::object([("n", Json::Int(1))]),
    }
}

fn chain(length: i64) -> MemoryStore {
    let mut store = MemoryStore::new();
    for n in 0..length {
        transact(&mut store, T0 + n, |tx, moment| {
            trust::append(tx, &draft("bot", "act", Tier::Suggest), moment)
        });
    }
    store
}

/// The chain's payloads, each as text.
fn texts(store: &mut MemoryStore) -> Vec<String> {
    store
        .read_range(trust::GLOBAL, None, usize::MAX)
        .unwrap()
        .iter()
        .map(|s| s.event.payload.canonical())
        .collect()
}

fn verifies(payloads: &[Json], mark: Option<&HeadMark>) -> bool {
    let mut store = MemoryStore::new();
    for payload in payloads {
        store.append(trust::GLOBAL, Event::new("trust_recorded", payload.clone(), T0)).unwrap();
    }
    trust::verify(&mut store, trust::GLOBAL, mark).unwrap().verified
}

#[test]
fn records_are_linked_and_mirrored() {
    let mut store = chain(3);
    let report = trust::verify(&mut store, trust::GLOBAL, None).unwrap();
    assert!(report.verified, "{report:?}");
    assert_eq!(report.total, 3);
    for topic in ["trust.graph", "trust_graph.bot", "trust.graph.bot", "trust_graph.records"] {
        assert_eq!(store.latest(topic).unwrap(), Some(3), "{topic}");
    }
}

#[test]
fn every_flipped_byte_of_a_record_is_found() {
    let mut store = chain(3);
    let texts = texts(&mut store);
    let mark = HeadMark::of(&trust::head(&mut store).unwrap().unwrap());
    for (at, text) in texts.iter().enumerate() {
        for byte in 0..text.len() {
            for mask in [0x01, 0x20] {
                let mut bytes = text.clone().into_bytes();
                bytes[byte] ^= mask;
                // What is no JSON any more is an error of the log, not of the chain.
                let Some(payload) = String::from_utf8(bytes).ok().and_then(|t| Json::parse(&t).ok()) else {
                    continue;
                };
                let mut payloads: Vec<Json> = texts.iter().map(|t| Json::parse(t).unwrap()).collect();
                payloads[at] = payload;
                assert!(!verifies(&payloads, Some(&mark)), "record {at} byte {byte} mask {mask}");
            }
        }
    }
}

#[test]
fn every_dropped_suffix_is_found() {
    let mut store = chain(40);
    let payloads: Vec<Json> = texts(&mut store).iter().map(|t| Json::parse(t).unwrap()).collect();
    let mark = HeadMark::of(&trust::head(&mut store).unwrap().unwrap());
    assert!(verifies(&payloads, Some(&mark)));
    for kept in 0..payloads.len() {
        assert!(!verifies(&payloads[..kept], Some(&mark)), "{kept}");
        assert!(verifies(&payloads[..kept], None), "without a mark a prefix is a chain");
    }
}

#[test]
fn an_undecodable_record_is_reported() {
    let mut store = chain(2);
    store.append(trust::GLOBAL, Event::new("trust_recorded", Json::Int(1), T0)).unwrap();
    let report = trust::verify(&mut store, trust::GLOBAL, None).unwrap();
    assert_eq!((report.verified, report.broken_at_event_id), (false, Some(3)));
}

#[test]
fn the_messages_are_those_of_the_specification() {
    let mut store = chain(2);
    let mut payloads: Vec<Json> = texts(&mut store).iter().map(|t| Json::parse(t).unwrap()).collect();
    payloads.swap(0, 1);
    let mut store = MemoryStore::new();
    for payload in &payloads {
        store.append(trust::GLOBAL, Event::new("trust_recorded", payload.clone(), T0)).unwrap();
    }
    let errors = trust::verify(&mut store, trust::GLOBAL, None).unwrap().errors;
    let (first, second) = (payloads[1].text("entry_hash"), payloads[0].text("entry_hash"));
    assert_eq!(errors[0], "event 1: expected chain_index 1, found 2");
    assert_eq!(errors[1], format!("event 1: previous_hash mismatch; expected None, found Some(\"{first}\")"));
    assert_eq!(
        errors[3],
        format!("event 2: previous_hash mismatch; expected Some(\"{second}\"), found None")
    );
}

#[test]
fn control_records_move_the_tier_in_chain_order() {
    let mut store = MemoryStore::new();
    // The clock steps back between demotion and the rest: the chain decides, not the time stamps.
    for (at, action, tier) in
        [(T0, "trust.promote", Tier::ActAuto), (T0 - 5000, "trust.demote", Tier::Shadow)]
    {
        transact(&mut store, at, |tx, moment| trust::append(tx, &draft("bot", action, tier), moment));
    }
    let score = trust::score(&mut store, "bot", None, T0).unwrap();
    assert_eq!(score.text("effective_tier"), "shadow");
    assert_eq!(score.field("policy").text("side_effect_level"), "none");
}

#[test]
fn an_export_verifies_offline_and_every_change_shows() {
    let mut store = chain(4);
    let document = export::export(&mut store, None, "2026-01-01T00:00:00Z", "0.8.2").unwrap();
    assert_eq!(export::verify_document(&document).errors, Vec::<String>::new());
    let broken = document.clone().with("chain", document.field("chain").clone().with("total", 5));
    assert_eq!(export::verify_document(&broken).errors[0], "chain total mismatch; expected 4, found 5");
    let Json::Array(mut records) = document.field("records").clone() else { panic!() };
    records.pop();
    let cut = document.clone().with("records", records);
    assert!(!export::verify_document(&cut).errors.is_empty());
    let Json::Array(mut records) = document.field("records").clone() else { panic!() };
    records[1] = records[1].clone().with("note", "x");
    let extra = document.with("records", records);
    assert!(export::verify_document(&extra).errors[0].starts_with("record 1: unexpected field 'note'"));
}

#[test]
fn missing_evidence_is_an_error_of_the_chain() {
    let mut store = MemoryStore::new();
    let mut record = draft("bot", "pay", Tier::ActWithApproval);
    record.approver = Some("ann".into());
    record.metadata = Json::parse(r#"{"approval":{"required":true,"quorum":2,"signatures":[{"reviewer":"ann","signed_at":"2026-01-01T00:00:00Z","signature":"s"}]}}"#).unwrap();
    transact(&mut store, T0, |tx, moment| trust::append(tx, &record, moment));
    let errors = trust::verify(&mut store, trust::GLOBAL, None).unwrap().errors;
    assert_eq!(errors, ["event 1: approval required by 2 reviewers but signed by 1"]);
}

#[test]
fn a_nested_record_stays_within_its_parents_grants() {
    let mut store = MemoryStore::new();
    let mut parent = draft("lead", "delegate", Tier::ActAuto);
    parent.metadata = Json::parse(
        r#"{"effects_grant":[{"kind":{"kind":"fs"},"scope":"read"}],"actor_chain":{"sub":"lead"}}"#,
    )
    .unwrap();
    let parent = transact(&mut store, T0, |tx, moment| trust::append(tx, &parent, moment));
    let mut child = draft("helper", "work", Tier::ActAuto);
    child.metadata = Json::parse(r#"{"effects_used":[{"kind":{"kind":"fs"},"scope":"read"}],"actor_chain":{"sub":"helper","act":{"sub":"lead"}}}"#)
        .unwrap()
        .with("parent_record_id", parent.text("record_id"));
    transact(&mut store, T0, |tx, moment| trust::append(tx, &child, moment));
    assert!(trust::verify(&mut store, trust::GLOBAL, None).unwrap().verified);
    child.metadata.set("effects_used", Json::parse(r#"[{"kind":{"kind":"net"},"scope":"write"}]"#).unwrap());
    transact(&mut store, T0, |tx, moment| trust::append(tx, &child, moment));
    let errors = trust::verify(&mut store, trust::GLOBAL, None).unwrap().errors;
    assert!(errors[0].contains("effects_used escaped grant from parent"), "{errors:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn random_damage_never_verifies(kind in 0..4u8, a in 0..12usize, b in 0..12usize, byte in 0..900usize, value: u8) {
        let mut store = chain(12);
        let texts = texts(&mut store);
        let mark = HeadMark::of(&trust::head(&mut store).unwrap().unwrap());
        let original: Vec<Json> = texts.iter().map(|t| Json::parse(t).unwrap()).collect();
        let mut damaged = original.clone();
        match kind {
            0 => { damaged.remove(a); }
            1 => damaged.swap(a, b),
            2 => { let copy = damaged[a].clone(); damaged.insert(b, copy); }
            _ => {
                let mut bytes = texts[a].clone().into_bytes();
                let at = byte % bytes.len();
                bytes[at] = value;
                match String::from_utf8(bytes).ok().and_then(|t| Json::parse(&t).ok()) {
                    Some(json) => damaged[a] = json,
                    None => return Ok(()),
                }
            }
        }
        // Compared as text: an int and a float of equal value are not the same record.
        let same = damaged.len() == original.len()
            && damaged.iter().zip(&original).all(|(d, o)| d.canonical() == o.canonical());
        prop_assert_eq!(verifies(&damaged, Some(&mark)), same);
    }
}
