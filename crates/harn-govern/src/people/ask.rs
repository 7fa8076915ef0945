//! Filing a request.

use harn_eventlog::{Event, Json, LogError, Tx};

use super::{Book, Kind};
use crate::moment::timestamp;
use crate::{Moment, waitpoint};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A question with a free answer.
    Question {
        /// The text.
        prompt: String,
        /// The schema the answer must satisfy, or null.
        schema: Json,
        /// The answer when nobody answers, or null.
        default: Json,
        /// How long to wait.
        timeout_ms: i64,
    },
    /// An approval by a quorum.
    Approval(Approval),
    /// An approval by `n` of `m` that is spent on running a closure once.
    DualControl {
        /// How many must approve.
        n: i64,
        /// Of how many.
        m: i64,
        /// The action (the closure's name), the deadline and the principal; `reviewers` are the approvers.
        approval: Approval,
    },
    /// A call for somebody with a role; waits for ever.
    Escalation {
        /// Whom.
        role: String,
        /// Why.
        reason: String,
        /// The active capability ceiling, or null.
        capability_policy: Json,
    },
}

/// The terms of an approval (options of `request_approval`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approval {
    /// What is to be approved.
    pub action: String,
    /// Shown to the reviewers.
    pub detail: Json,
    /// The arguments of the action; the detail when absent.
    pub args: Option<Json>,
    /// How many must approve.
    pub quorum: i64,
    /// Who may; anyone when empty.
    pub reviewers: Vec<String>,
    /// How long the request stands.
    pub deadline_ms: i64,
    /// On whose behalf; may not approve.
    pub principal: String,
    /// Evidence for the reviewers.
    pub evidence_refs: Vec<Json>,
    /// How it could be undone.
    pub undo_metadata: Json,
    /// What the approval shall allow.
    pub capabilities_requested: Vec<String>,
}

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The dispatch's agent, else empty.
    pub agent: String,
    /// The dispatch's trace; a fresh one is made when empty.
    pub trace_id: String,
    /// The run.
    pub run_id: Option<String>,
    /// In a dispatch: the event's id and the number of the request in it, which make the request id.
    pub base: Option<(String, u64)>,
}

/// A request as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// Its id.
    pub request_id: String,
    /// Its kind.
    pub kind: Kind,
    /// The object that the event carries and the host is told.
    pub object: Json,
    /// When it expires, Unix milliseconds.
    pub deadline_at: Option<i64>,
}

impl Ask {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Ask::Question { .. } => Kind::Question,
            Ask::Approval(_) => Kind::Approval,
            Ask::DualControl { .. } => Kind::DualControl,
            Ask::Escalation { .. } => Kind::Escalation,
        }
    }

    /// How long it stands.
    pub fn deadline_ms(&self) -> Option<i64> {
        match self {
            Ask::Question { timeout_ms, .. } => Some(*timeout_ms),
            Ask::Approval(approval) | Ask::DualControl { approval, .. } => Some(approval.deadline_ms),
            Ask::Escalation { .. } => None,
        }
    }

    /// The inner payload (spec 08 section 4.2).
    fn payload(&self, id: &str, agent: &str, now_ms: i64) -> Json {
        match self {
            Ask::Question { prompt, schema, default, timeout_ms } => Json::object([
                ("prompt", Json::from(prompt.as_str())),
                ("schema", schema.clone()),
                ("default", default.clone()),
                ("timeout_ms", (*timeout_ms).into()),
            ]),
            Ask::Approval(approval) => {
                let args = approval.args.clone().unwrap_or_else(|| approval.detail.clone());
                approval
                    .payload(id, agent, now_ms, args, approval.quorum)
                    .with("detail", approval.detail.clone())
                    .with("quorum", approval.quorum)
                    .with("reviewers", approval.reviewers.clone())
            }
            Ask::DualControl { n, m, approval } => {
                let args = Json::object([
                    ("n", Json::Int(*n)),
                    ("m", Json::Int(*m)),
                    ("approvers", approval.reviewers.clone().into()),
                ]);
                approval
                    .payload(id, agent, now_ms, args, *n)
                    .with("n", *n)
                    .with("m", *m)
                    .with("approvers", approval.reviewers.clone())
            }
            Ask::Escalation { role, reason, capability_policy } => Json::object([
                ("role", Json::from(role.as_str())),
                ("reason", reason.as_str().into()),
                ("capability_policy", capability_policy.clone()),
            ]),
        }
    }
}

impl Approval {
    fn payload(&self, id: &str, agent: &str, now_ms: i64, args: Json, required: i64) -> Json {
        let principal = if self.principal.is_empty() { agent } else { &self.principal };
        let request = Json::object([
            ("id", Json::from(id)),
            ("action", self.action.as_str().into()),
            ("args", args),
            ("principal", principal.into()),
            ("requested_at", timestamp(now_ms).into()),
            ("deadline", timestamp(now_ms.saturating_add(self.deadline_ms)).into()),
            ("approvers_required", required.into()),
            ("evidence_refs", Json::Array(self.evidence_refs.clone())),
            ("undo_metadata", self.undo_metadata.clone()),
            ("capabilities_requested", self.capabilities_requested.clone().into()),
        ]);
        request.clone().with("approval_request", request).with("deadline_ms", self.deadline_ms)
    }
}

/// What filing a request of a dispatch comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Filing {
    /// It was written now.
    Filed(Filed),
    /// An earlier attempt of the dispatch wrote it.
    Recorded {
        /// Its id.
        request_id: String,
        /// When it expires, Unix milliseconds.
        deadline_at: Option<i64>,
    },
    /// The id is that of another request; the text of a runtime error.
    Mismatch(String),
}

/// [`file`] for a request of a dispatch, whose id is the same at every attempt and replay: one that is on the log stands,
/// provided it asks for the same (spec 08 sections 4.2 and 11.1 G3).
pub fn file_once(
    tx: &mut dyn Tx,
    book: &mut Book,
    ask: &Ask,
    origin: &Origin,
    moment: &mut Moment<'_>,
) -> Result<Filing, LogError> {
    book.refresh(tx)?;
    let Some(id) = origin.base.as_ref().map(|(base, seq)| id_in_dispatch(ask.kind(), base, *seq)) else {
        return file(tx, ask, origin, moment).map(Filing::Filed);
    };
    let Some(request) = book.get(&id) else { return file(tx, ask, origin, moment).map(Filing::Filed) };
    let wanted = ask.payload(&id, &origin.agent, moment.now_ms);
    let same = |field: &str| wanted.field(field) == request.payload.field(field);
    if request.agent != origin.agent {
        return Ok(Filing::Mismatch(format!("HITL request '{id}' belongs to another dispatch")));
    }
    if !["prompt", "action", "args", "principal", "role"].into_iter().all(same) {
        return Ok(Filing::Mismatch(format!("HITL request '{id}' was recorded for something else")));
    }
    Ok(Filing::Recorded { deadline_at: request.deadline_at(), request_id: id })
}

fn id_in_dispatch(kind: Kind, base: &str, seq: u64) -> String {
    format!("hitl_{}_{base}_{seq}", kind.name())
}

/// Writes the waitpoint and the request. The caller commits, then tells the host [`Filed::object`].
pub fn file(tx: &mut dyn Tx, ask: &Ask, origin: &Origin, moment: &mut Moment<'_>) -> Result<Filed, LogError> {
    let kind = ask.kind();
    let request_id = match &origin.base {
        Some((base, seq)) => id_in_dispatch(kind, base, *seq),
        None => format!("hitl_{}_{}", kind.name(), moment.uuid7()),
    };
    let trace_id = if origin.trace_id.is_empty() {
        format!("trace_{}", moment.uuid7())
    } else {
        origin.trace_id.clone()
    };
    let now_ms = moment.now_ms;
    let payload = ask.payload(&request_id, &origin.agent, now_ms);
    let mut metadata = Json::object([
        ("kind", Json::from(kind.name())),
        ("agent", origin.agent.as_str().into()),
        ("trace_id", trace_id.as_str().into()),
        ("requested_at", timestamp(now_ms).into()),
        ("payload", payload),
    ]);
    waitpoint::valued::create(tx, &request_id, metadata.clone(), moment)?;
    metadata.set("request_id", request_id.as_str().into());
    let mut event = Event::new(kind.request_event(), Json::Null, now_ms)
        .header("request_id", request_id.as_str())
        .header("trace_id", trace_id.as_str());
    if let Some(run_id) = &origin.run_id {
        metadata.set("run_id", run_id.as_str().into());
        event = event.header("run_id", run_id.as_str());
    }
    event.payload = metadata.clone();
    tx.append(kind.topic(), event)?;
    let deadline_at = ask.deadline_ms().map(|ms| now_ms.saturating_add(ms));
    Ok(Filed { request_id, kind, object: metadata, deadline_at })
}
