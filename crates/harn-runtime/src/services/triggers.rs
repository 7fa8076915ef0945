//! What the dispatcher of triggers asks of the log (spec 08 section 6). The dispatcher itself is Harn code in the prelude.

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::{Event, Json};
use harn_govern::autonomy::dispatch::{Dispatch, OPERATOR, Ruling, reserve_dispatch};
use harn_govern::autonomy::limits;
use harn_govern::trust::{self, Draft, Tier};

use super::governance::Shared;
use super::hitl;
use crate::progress::ProgressEvent;
use crate::service::{Service, ServiceCx, Started};

/// The topics that dispatches write to; a tenant's carry its prefix.
const TOPICS: &[&str] =
    &["trigger.", "triggers.", "worker.", "observability.", "monitor.", "waitpoint.waits"];

/// Records dispatches, resolves tiers, and reserves decisions.
pub struct Triggers {
    shared: Shared,
}

impl Triggers {
    /// A service on the active log.
    pub fn new(shared: Shared) -> Triggers {
        Triggers { shared }
    }

    fn append(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let mut events = Vec::new();
        for event in args.field("events").as_list().unwrap_or_default() {
            let text = |name: &str| event.field(name).as_str().unwrap_or_default();
            let topic = text("topic");
            let own =
                topic.strip_prefix("tenant.").and_then(|rest| rest.split_once('.')).map_or(topic, |(_, t)| t);
            if !TOPICS.iter().any(|prefix| own.starts_with(prefix)) {
                return Err(Raised::runtime(format!("'{topic}' is no topic of triggers")));
            }
            let mut made = Event::new(text("kind"), Json::from(event.field("payload")), cx.now_ms);
            for (name, value) in event.field("headers").as_dict().into_iter().flatten() {
                if let Some(value) = value.as_str() {
                    made = made.header(name.as_str(), value);
                }
            }
            events.push((topic.to_owned(), made));
        }
        let draft = match args.field("trust") {
            Data::Nil => None,
            trust => Some(draft(trust)?),
        };
        let (ids, record) = self.shared.transact(cx, |tx, _, moment| {
            let mut ids = Vec::new();
            for (topic, event) in &events {
                ids.push(Data::Int(tx.append(topic, event.clone())?.cast_signed()));
            }
            let record = draft.as_ref().map(|draft| trust::append(tx, draft, moment)).transpose()?;
            Ok((ids, record))
        })?;
        if let Some(record) = record {
            self.shared.note_head(cx, &record)?;
        }
        Ok(Data::List(ids))
    }

    /// The tier in force; the lowest when the records cannot be read (spec 08 section 11.1 G5).
    fn tier(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let agent = args.field("agent").as_str().unwrap_or_default();
        let manifest = trust::parse_tier(args.field("tier")).map_err(Raised::Runtime)?;
        let records = self.shared.read(cx, |store, _| trust::records(store, Some(agent)));
        let tier = records.map_or(Tier::Shadow, |records| trust::effective_tier(&records, manifest));
        Ok(Data::from(tier.name()))
    }

    fn reserve(&self, cx: &mut ServiceCx<'_>, args: &Data) -> Outcome {
        let text = |name: &str| args.field(name).as_str().unwrap_or_default().to_owned();
        let mock_model = (cx.env)("HARN_LLM_PROVIDER").is_some_and(|provider| provider == "mock");
        let headers = args.field("headers").as_dict().into_iter().flatten();
        let bounds = limits::declared_for(&text("trigger_id"), self.shared.declared());
        let caps = [args.field("per_hour"), args.field("per_day")];
        if bounds.is_empty() && caps.iter().all(|cap| cap.is_nil()) {
            // Nothing can refuse it: the record of its first attempt is its decision (spec 08 section 11.1 G2).
            return Ok(Data::dict([("ruling", Data::from("admitted"))]));
        }
        let asked = Dispatch {
            bounds,
            trigger_id: text("trigger_id"),
            binding_key: text("binding_key"),
            event_id: text("event_id"),
            trace_id: text("trace_id"),
            handler_kind: text("handler_kind"),
            target_uri: text("target_uri"),
            per_hour: args.field("per_hour").as_int(),
            per_day: args.field("per_day").as_int(),
            replay_of: args.field("replay_of_event_id").as_str().map(str::to_owned),
            run_id: Some(cx.run.run_id.clone()).filter(|id| !id.is_empty()),
            headers: headers
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            accept_mocked: cx.run.test || mock_model,
        };
        let ruling = self.shared.transact(cx, |tx, projections, moment| {
            reserve_dispatch(tx, &mut projections.ledger, &mut projections.book, &asked, moment)
        })?;
        Ok(match ruling {
            Ruling::Admitted { decision_id, approval_id } => Data::dict([
                ("ruling", Data::from("admitted")),
                ("decision_id", decision_id.into()),
                ("approval_id", approval_id.into()),
            ]),
            Ruling::Denied { request_id, reason } => Data::dict([
                ("ruling", Data::from("denied")),
                ("request_id", request_id.into()),
                ("reason", reason.into()),
            ]),
            Ruling::Waiting { request_id, reason, filed } => {
                if let Some(record) = self.shared.read(cx, |store, _| trust::head(store))? {
                    self.shared.note_head(cx, &record)?;
                }
                cx.progress.event(ProgressEvent::Decision {
                    what: format!("dispatch of trigger '{}'", asked.trigger_id),
                    ruling: "denied".into(),
                    reason: format!("{reason} (harn hitl approve {request_id})"),
                });
                if let Some(filed) = &filed {
                    hitl::answer_by_mock(&self.shared, cx, filed)?;
                }
                Data::dict([
                    ("ruling", Data::from("waiting")),
                    ("request_id", request_id.into()),
                    ("reason", reason.into()),
                    ("reviewers", Data::List(vec![OPERATOR.into()])),
                ])
            }
        })
    }
}

/// The trust record of a dispatch, as the dispatcher describes it.
fn draft(trust: &Data) -> Result<Draft, Raised> {
    let text = |name: &str| trust.field(name).as_str().unwrap_or_default().to_owned();
    let outcome = trust::parse_outcome("trigger", trust.field("outcome")).map_err(Raised::Runtime)?;
    let tier = trust::parse_tier(trust.field("autonomy_tier")).map_err(Raised::Runtime)?;
    Ok(Draft {
        agent: text("agent"),
        action: text("action"),
        approver: trust.field("approver").as_str().map(str::to_owned),
        outcome,
        trace_id: text("trace_id"),
        tier,
        cost_usd: None,
        metadata: Json::from(trust.field("metadata")),
    })
}

impl Service for Triggers {
    fn ops(&self) -> &'static [Op] {
        &[Op::TriggerAppend, Op::TriggerTier, Op::TriggerReserve]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::TriggerAppend => self.append(cx, args),
            Op::TriggerTier => self.tier(cx, args),
            _ => self.reserve(cx, args),
        })
    }
}
