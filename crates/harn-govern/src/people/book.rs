//! The projection of the `hitl.*` topics.

use std::collections::BTreeMap;

use harn_eventlog::{Event, Json, LogError, Read, provenance};

use super::{Grant, Kind, consume, grants};
use crate::identity::Keyring;
use crate::moment::{parse_ms, timestamp};

const PAGE: usize = 500;

/// How a request ended; the first event that ends it counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// A question has its answer.
    Answered {
        /// The answer, null when the response had none.
        answer: Json,
        /// Who gave it.
        reviewer: Option<String>,
    },
    /// The quorum approved.
    Approved {
        /// The ApprovalRecord.
        record: Json,
        /// Whether the quorum stands only by answers of host mocks.
        mocked: bool,
    },
    /// A reviewer denied.
    Denied {
        /// Who.
        reviewer: Option<String>,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody took an escalation.
    Accepted {
        /// `{accepted, reviewer, reason, responded_at}`.
        value: Json,
    },
    /// The deadline passed.
    TimedOut,
}

/// One approval of a reviewer.
#[derive(Clone, Debug, PartialEq)]
struct Signature {
    reviewer: String,
    signed_at: String,
    signature: String,
    reason: Option<String>,
    mocked: bool,
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// The id of its event.
    pub event_id: u64,
    /// The dispatch's agent, or empty.
    pub agent: String,
    /// Its trace.
    pub trace_id: String,
    /// When it was filed, as text.
    pub requested_at: String,
    /// When it was filed, Unix milliseconds.
    pub requested_ms: i64,
    /// The inner payload.
    pub payload: Json,
    /// How it ended.
    pub settled: Option<Settled>,
    /// The decision or dispatch that used the approval.
    pub consumed_by: Option<String>,
    /// What a `dual_control` closure returned.
    pub executed: Option<Json>,
    signatures: Vec<Signature>,
}

impl Request {
    /// On whose behalf it was made; empty when unknown.
    pub fn principal(&self) -> &str {
        self.payload.text("principal")
    }

    /// When it expires, Unix milliseconds.
    pub fn deadline_at(&self) -> Option<i64> {
        let field = if self.kind == Kind::Question { "timeout_ms" } else { "deadline_ms" };
        self.payload.field(field).as_int().map(|ms| self.requested_ms.saturating_add(ms))
    }

    /// Whether an answer that arrives now is too late.
    pub fn is_late(&self, now_ms: i64) -> bool {
        self.deadline_at().is_some_and(|deadline| now_ms > deadline)
    }

    /// The error for a late answer.
    pub fn expired_text(&self) -> String {
        let deadline = self.deadline_at().map(timestamp).unwrap_or_default();
        format!("HITL request '{}' expired at {deadline}", self.id)
    }

    /// How many approvals settle it.
    pub fn quorum(&self) -> i64 {
        let own = if self.kind == Kind::DualControl { "n" } else { "quorum" };
        let quorum =
            self.payload.field(own).as_int().or_else(|| self.payload.field("approvers_required").as_int());
        quorum.unwrap_or(1)
    }

    /// Who may answer; anyone when empty.
    pub fn reviewers(&self) -> Vec<String> {
        let own = if self.kind == Kind::DualControl { "approvers" } else { "reviewers" };
        self.payload.field(own).strings()
    }

    /// Whether this person made the request.
    pub fn is_requester(&self, reviewer: &str) -> bool {
        !reviewer.is_empty() && (reviewer == self.principal() || reviewer == self.agent)
    }

    /// The digest of the whole request as it was filed: what an answer is signed over.
    pub fn digest(&self) -> String {
        let filed = Json::object([
            ("request_id", Json::from(self.id.as_str())),
            ("kind", self.kind.name().into()),
            ("agent", self.agent.as_str().into()),
            ("payload", self.payload.clone()),
        ]);
        provenance::sha256(&filed.canonical())
    }

    /// The text that a reviewer signs: the request's digest and everything the answer says.
    pub fn signed_text(&self, response: &Json) -> String {
        let mut signed = Json::object([("digest", Json::from(self.digest()))]);
        for field in ["request_id", "reviewer", "answer", "approved", "accepted", "reason", "responded_at"] {
            signed.set(field, response.field(field).clone());
        }
        format!("harn hitl answer v1\n{}\n", signed.canonical())
    }

    /// Whether the answer is signed as the keyring asks of its reviewer.
    pub fn is_authentic(&self, response: &Json, keyring: &Keyring) -> bool {
        let reviewer = response.text("reviewer");
        !keyring.asks(reviewer)
            || keyring.accepts(reviewer, &self.signed_text(response), response.text("signature"))
    }

    /// Takes in a response that arrived at `at_ms`; what does not count changes nothing.
    pub(super) fn respond(&mut self, response: &Json, at_ms: i64, keyring: &Keyring) {
        let reviewer = response.field("reviewer").as_str().filter(|r| !r.is_empty()).map(str::to_owned);
        if self.settled.is_some()
            || self.is_late(at_ms)
            || reviewer.as_deref().is_some_and(|r| self.is_requester(r))
            || !self.is_authentic(response, keyring)
        {
            return;
        }
        let reason = response.field("reason").as_str().map(str::to_owned);
        match self.kind {
            Kind::Question => {
                self.settled = Some(Settled::Answered { answer: response.field("answer").clone(), reviewer });
            }
            Kind::Escalation => {
                if response.field("accepted").as_bool() == Some(true) {
                    let value = Json::object([
                        ("accepted", Json::Bool(true)),
                        ("reviewer", reviewer.into()),
                        ("reason", reason.into()),
                        ("responded_at", response.field("responded_at").clone()),
                    ]);
                    self.settled = Some(Settled::Accepted { value });
                }
            }
            Kind::Approval | Kind::DualControl => self.vote(response, reviewer, reason, at_ms),
        }
    }

    fn vote(&mut self, response: &Json, reviewer: Option<String>, reason: Option<String>, at_ms: i64) {
        let Some(approved) = response.field("approved").as_bool() else { return };
        let allowed = self.reviewers();
        if !allowed.is_empty() && !reviewer.as_ref().is_some_and(|r| allowed.contains(r)) {
            return;
        }
        if !approved {
            self.settled = Some(Settled::Denied { reviewer, reason });
            return;
        }
        let Some(reviewer) = reviewer else { return };
        if self.signatures.iter().any(|s| s.reviewer == reviewer) {
            return;
        }
        let signed_at =
            response.field("responded_at").as_str().map_or_else(|| timestamp(at_ms), str::to_owned);
        let signature = match response.field("signature").as_str() {
            Some(given) => given.to_owned(),
            None => receipt(&self.id, &reviewer, &signed_at, reason.as_deref()),
        };
        let mocked = response.field("metadata").text("channel") == "mock";
        self.signatures.push(Signature { reviewer, signed_at, signature, reason, mocked });
        if self.signatures.len() as i64 >= self.quorum() {
            self.settled = Some(Settled::Approved { record: self.record(), mocked: self.is_mocked() });
        }
    }

    fn is_mocked(&self) -> bool {
        (self.signatures.iter().filter(|s| !s.mocked).count() as i64) < self.quorum()
    }

    /// The ApprovalRecord of the signatures so far.
    fn record(&self) -> Json {
        let mut reviewers: Vec<String> = self.signatures.iter().map(|s| s.reviewer.clone()).collect();
        reviewers.sort();
        let last = self.signatures.last();
        let signatures = self.signatures.iter().map(|s| {
            Json::object([
                ("reviewer", Json::from(s.reviewer.as_str())),
                ("signed_at", s.signed_at.as_str().into()),
                ("signature", s.signature.as_str().into()),
            ])
        });
        Json::object([
            ("approved", Json::Bool(true)),
            ("reviewers", reviewers.into()),
            ("approved_at", last.map(|s| s.signed_at.clone()).into()),
            ("reason", last.and_then(|s| s.reason.clone()).into()),
            ("signatures", Json::Array(signatures.collect())),
        ])
    }
}

/// The signature of a receipt that the response did not sign itself.
fn receipt(id: &str, reviewer: &str, signed_at: &str, reason: Option<&str>) -> String {
    provenance::sha256(&format!(
        "harn-hitl-approval-v1\nrequest_id:{id}\nreviewer:{reviewer}\nsigned_at:{signed_at}\napproved:true\nreason:{}\n",
        reason.unwrap_or_default()
    ))
}

/// Every request on a log.
#[derive(Clone, Debug, Default)]
pub struct Book {
    cursors: BTreeMap<&'static str, u64>,
    requests: BTreeMap<String, Request>,
    by_principal: BTreeMap<String, Vec<String>>,
    grants: BTreeMap<String, Grant>,
    keyring: Keyring,
}

impl Book {
    /// A book that counts an answer only when it is signed as the keyring asks.
    pub fn with_keyring(keyring: Keyring) -> Book {
        Book { keyring, ..Book::default() }
    }

    /// Forgets what was read of a log; the next [`Book::refresh`] reads it again.
    pub fn forget(&mut self) {
        *self = Book::with_keyring(std::mem::take(&mut self.keyring));
    }

    /// Whose signatures are asked for.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Folds what was appended since the last call.
    pub fn refresh(&mut self, log: &mut (impl Read + ?Sized)) -> Result<(), LogError> {
        for topic in Kind::ALL.map(Kind::topic).into_iter().chain([grants::GRANTS, consume::CONSUMPTIONS]) {
            let mut cursor = self.cursors.get(topic).copied().unwrap_or(0);
            loop {
                let events = log.read_range(topic, Some(cursor), PAGE)?;
                for stored in &events {
                    self.fold(stored.id, &stored.event);
                    cursor = stored.id;
                }
                self.cursors.insert(topic, cursor);
                if events.len() < PAGE {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The request with this id.
    pub fn get(&self, id: &str) -> Option<&Request> {
        self.requests.get(id)
    }

    /// Every request, in the order of ids.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    /// The requests made on behalf of a principal, oldest first.
    pub fn of_principal(&self, principal: &str) -> impl Iterator<Item = &Request> {
        self.by_principal.get(principal).into_iter().flatten().filter_map(|id| self.requests.get(id))
    }

    /// The grant with this id.
    pub fn grant(&self, id: &str) -> Option<&Grant> {
        self.grants.get(id)
    }

    /// Every grant that counts, in the order of ids.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values()
    }

    fn fold_grant(&mut self, kind: &str, payload: &Json) {
        if kind == grants::GIVEN {
            if let Some(grant) = grants::read(payload, &self.keyring) {
                self.grants.entry(grant.id.clone()).or_insert(grant);
            }
        } else if let Some(grant) = self.grants.get_mut(payload.text("grant_id")) {
            match kind {
                grants::REVOKED => grant.revoked = true,
                _ => grant.used += 1,
            }
        }
    }

    fn fold(&mut self, event_id: u64, event: &Event) {
        let payload = &event.payload;
        if [grants::GIVEN, grants::REVOKED, grants::USED].contains(&event.kind.as_str()) {
            self.fold_grant(&event.kind, payload);
            return;
        }
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.request_event() == event.kind) {
            self.open(kind, event_id, event);
            return;
        }
        let Some(request) = self.requests.get_mut(payload.text("request_id")) else { return };
        let settled = match event.kind.as_str() {
            "hitl.response_received" | "hitl.escalation_accepted" => {
                request.respond(payload, event.occurred_at_ms, &self.keyring);
                return;
            }
            "hitl.dual_control_executed" => {
                request.executed = Some(payload.field("result").clone());
                return;
            }
            consume::CONSUMED => {
                // At most one exists; the first one stands.
                request.consumed_by.get_or_insert_with(|| payload.text("consumed_by").to_owned());
                return;
            }
            "hitl.timeout" => Settled::TimedOut,
            // Where signatures are asked for, only the signed answers decide: whoever can write to the log could have
            // added these events.
            _ if self.keyring.is_strict() => return,
            kind => match request.kind.decision_events() {
                Some((approved, _)) if approved == kind => {
                    Settled::Approved { record: payload.field("record").clone(), mocked: request.is_mocked() }
                }
                Some((_, denied)) if denied == kind => Settled::Denied {
                    reviewer: payload.field("reviewer").as_str().map(str::to_owned),
                    reason: payload.field("reason").as_str().map(str::to_owned),
                },
                _ => return,
            },
        };
        request.settled.get_or_insert(settled);
    }

    fn open(&mut self, kind: Kind, event_id: u64, event: &Event) {
        let object = &event.payload;
        let id = object.text("request_id").to_owned();
        // A dispatch that is replayed finds its request on the log: the first event of an id is the request.
        if id.is_empty() || self.requests.contains_key(&id) {
            return;
        }
        let request = Request {
            id: id.clone(),
            kind,
            event_id,
            agent: object.text("agent").to_owned(),
            trace_id: object.text("trace_id").to_owned(),
            requested_at: object.text("requested_at").to_owned(),
            requested_ms: parse_ms(object.text("requested_at")).unwrap_or(event.occurred_at_ms),
            payload: object.field("payload").clone(),
            settled: None,
            consumed_by: None,
            executed: None,
            signatures: Vec::new(),
        };
        self.by_principal.entry(request.principal().to_owned()).or_default().push(id.clone());
        self.requests.insert(id, request);
    }
}
