//! Law 4: a ruling is durable on the log before its effect starts, and its outcome follows (spec 08 section 11.1 G2, G5).

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::store::again;
use harn_eventlog::{Durability, Event, Json, LogError, Tx, provenance};
use harn_govern::Moment;
use harn_govern::effects::{self, Decision, Verdict};
use std::collections::BTreeMap;

use crate::gate::Acting;
use crate::service::ServiceCx;

/// Writes rulings and outcomes of one run.
#[derive(Debug, Default)]
pub struct Recorder {
    drawn: u64,
    /// Decisions whose effects are in flight.
    open: BTreeMap<u64, String>,
}

impl Recorder {
    /// What it needs to go on elsewhere, for a snapshot.
    pub fn save(&self) -> Data {
        let open = self
            .open
            .iter()
            .map(|(ticket, id)| Data::List(vec![Data::Int(ticket.cast_signed()), Data::from(id.as_str())]));
        Data::List(vec![Data::Int(self.drawn.cast_signed()), Data::List(open.collect())])
    }

    /// Takes back what [`Recorder::save`] gave.
    pub fn load(&mut self, saved: &Data) {
        let Some([Data::Int(drawn), Data::List(open)]) = saved.as_list() else { return };
        self.drawn = drawn.cast_unsigned();
        for entry in open {
            if let Some([Data::Int(ticket), Data::Str(id)]) = entry.as_list() {
                self.open.insert(ticket.cast_unsigned(), id.clone());
            }
        }
    }

    /// Makes a ruling durable; an error means that the effect must not happen.
    pub fn decide(
        &mut self,
        cx: &ServiceCx<'_>,
        request: &Request,
        acting: &Acting,
        verdict: Verdict,
        reason: Option<String>,
    ) -> Result<String, Raised> {
        let decision = Decision {
            op: request.op,
            args: &request.args,
            verdict,
            reason,
            session_id: &acting.session,
            tool: acting.tool.as_deref(),
            task_id: &cx.task.task_id,
            run_id: &cx.run.run_id,
            trace_id: cx.task.trace_id(),
        };
        self.transact(cx, Durability::Synced, |tx, moment| effects::decide(tx, &decision, moment))
    }

    /// What a dispatch was refused, as a proposal (spec 08 section 3.5).
    pub fn propose(&mut self, cx: &ServiceCx<'_>, proposal: &Data) -> Result<(), Raised> {
        self.transact(cx, Durability::Synced, |tx, moment| {
            let mut event = Event::new("dispatch_proposed", Json::from(proposal), moment.now_ms);
            for name in ["trace_id", "agent", "autonomy_tier"] {
                event = event.header(name, proposal.field(name).as_str().unwrap_or_default());
            }
            tx.append("trigger.outbox", event).map(|_| ())
        })
    }

    /// The tool call of a model: its ruling comes with it. The decision's id.
    pub fn tool_call(&mut self, cx: &ServiceCx<'_>, request: &Request) -> Outcome {
        let text = |name: &str| request.args.field(name).as_str().map(str::to_owned);
        let verdict = text("ruling").and_then(|name| Verdict::from_name(&name)).unwrap_or(Verdict::Deny);
        let acting = Acting {
            session: text("session_id").unwrap_or_default(),
            tool: text("tool"),
            ..Acting::default()
        };
        self.decide(cx, request, &acting, verdict, text("reason")).map(Data::Str)
    }

    /// How that tool call came out.
    pub fn tool_done(&mut self, cx: &ServiceCx<'_>, request: &Request) -> Outcome {
        let id = request.args.field("decision_id").as_str().unwrap_or_default();
        let category = request.args.field("category").as_str().unwrap_or("tool_error");
        let error = (request.args.field("ok").as_bool() != Some(true)).then_some(category);
        self.done(cx, id, error);
        Ok(Data::Nil)
    }

    /// The effect of a decision is under way.
    pub fn started(&mut self, ticket: Ticket, decision: String) {
        self.open.insert(ticket.0, decision);
    }

    /// An effect came out; those without a decision are none of ours.
    pub fn finished(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, outcome: &Outcome) {
        if let Some(decision) = self.open.remove(&ticket.0) {
            self.outcome(cx, &decision, outcome);
        }
    }

    /// Whether the effect of this ticket was decided on the log.
    pub fn holds(&self, ticket: Ticket) -> bool {
        self.open.contains_key(&ticket.0)
    }

    /// Notes an outcome.
    pub fn outcome(&mut self, cx: &ServiceCx<'_>, decision: &str, outcome: &Outcome) {
        let error = outcome.as_ref().err().map(kind_of);
        self.done(cx, decision, error);
    }

    /// The effect has happened whatever becomes of this note: that it cannot be written shows at the next decision.
    fn done(&mut self, cx: &ServiceCx<'_>, decision: &str, error: Option<&str>) {
        let _ =
            self.transact(cx, Durability::Grouped, |tx, moment| effects::done(tx, decision, error, moment));
    }

    fn transact<T>(
        &mut self,
        cx: &ServiceCx<'_>,
        durability: Durability,
        mut work: impl FnMut(&mut dyn Tx, &mut Moment<'_>) -> Result<T, LogError>,
    ) -> Result<T, Raised> {
        let failed = |error: LogError| Raised::runtime(format!("event_log: {error}"));
        let store = cx.log.get()?;
        let mut store = store.borrow_mut();
        let mut entropy = || self.random(cx);
        let mut moment = Moment::new(cx.now_ms, &mut entropy);
        let done = again(|| {
            let mut tx = store.begin(durability)?;
            let result = work(&mut *tx, &mut moment)?;
            tx.commit()?;
            Ok(result)
        });
        done.map_err(failed)
    }

    /// Ten bytes no other draw of any run gives.
    fn random(&mut self, cx: &ServiceCx<'_>) -> [u8; 10] {
        self.drawn += 1;
        let seed = format!("effects\n{}\n{}\n{}\n{}", cx.run.run_id, self.drawn, cx.now_ms, cx.monotonic_ms);
        let hex = provenance::sha256(&seed);
        let mut bytes = [0; 10];
        for (i, byte) in bytes.iter_mut().enumerate() {
            let digits = hex.get(7 + 2 * i..9 + 2 * i).unwrap_or("00");
            *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
        }
        bytes
    }
}

/// The text of a refusal.
pub fn text_of(raised: &Raised) -> String {
    match raised {
        Raised::Thrown(Data::Str(text)) | Raised::Runtime(text) | Raised::Type(text) => text.clone(),
        Raised::Categorised { text, .. } => text.clone(),
        Raised::Thrown(_) | Raised::Cancelled => kind_of(raised).to_owned(),
    }
}

/// A refusal that could not be written down says why besides.
pub fn with_cause(raised: Raised, cause: &Raised) -> Raised {
    match raised {
        Raised::Categorised { category, text } => {
            Raised::Categorised { category, text: format!("{text} ({})", text_of(cause)) }
        }
        other => other,
    }
}

/// The kind of an error, without its text: that may quote what was sent.
fn kind_of(raised: &Raised) -> &str {
    match raised {
        Raised::Categorised { category, .. } => category,
        Raised::Thrown(_) => "thrown",
        _ => "error",
    }
}

/// Whether the runtime itself performs this effect by recording it.
pub fn is_own(op: Op) -> bool {
    matches!(op, Op::ToolCall | Op::ToolDone)
}
