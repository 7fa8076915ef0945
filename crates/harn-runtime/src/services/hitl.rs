//! Requests to people at run time (spec 08 section 4).

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::Json;
use harn_govern::people::{self, Approval, Ask, Delivery, Filed, Filters, Kind, Origin, consume};
use harn_govern::waitpoint;

use super::governance::{Shared, Watch};
use crate::progress::ProgressEvent;
use crate::service::{Service, ServiceCx, Standing, Started};

/// Files requests and waits for their answers.
pub struct Hitl {
    shared: Shared,
    waiting: Vec<Waiting>,
    watch: Watch,
}

struct Waiting {
    ticket: Ticket,
    request_id: String,
    deadline_at: Option<i64>,
}

impl Hitl {
    /// A service on the active log.
    pub fn new(shared: Shared) -> Hitl {
        Hitl { shared, waiting: Vec::new(), watch: Watch::default() }
    }

    fn ask(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, args: &Data) -> Result<Option<Data>, Raised> {
        let ask = read_ask(args).map_err(Raised::Runtime)?;
        let kind = ask.kind();
        let explicit = args.field("explicit").as_bool().unwrap_or(false);
        let someone = cx.run.interactive || cx.run.durable_log || cx.mocks.has("hitl", Some(kind.name()));
        let dispatch = cx.task.dispatch.as_ref();
        if dispatch.is_none() && !explicit && !someone {
            let builtin = args.field("builtin").as_str().unwrap_or_default();
            return Err(Raised::Runtime(format!(
                "{builtin}: no one can answer: attach a host or use a durable event log"
            )));
        }
        let seq = args.field("seq").as_int().and_then(|seq| u64::try_from(seq).ok());
        let origin = Origin {
            agent: dispatch.map(|dispatch| dispatch.agent.clone()).unwrap_or_default(),
            trace_id: cx.task.trace_id().unwrap_or_default().to_owned(),
            run_id: Some(cx.run.run_id.clone()).filter(|id| !id.is_empty()),
            base: dispatch.zip(seq).map(|(dispatch, seq)| (dispatch.event_id.clone(), seq)),
        };
        if origin.base.is_some() {
            return self.ask_in_dispatch(cx, &ask, &origin);
        }
        let filed = self.shared.transact(cx, |tx, _, moment| people::file(tx, &ask, &origin, moment))?;
        answer_by_mock(&self.shared, cx, &filed)?;
        if let Some(outcome) = self.look(cx, &filed.request_id, filed.deadline_at)? {
            return outcome.map(Some);
        }
        cx.progress.event(ProgressEvent::Wait { what: what(&ask, &filed), hint: hint(&filed) });
        self.waiting.push(Waiting { ticket, request_id: filed.request_id, deadline_at: filed.deadline_at });
        self.watch.begin(cx);
        Ok(None)
    }

    /// In a dispatch a request has the same id at every attempt and replay: what is recorded is the answer, and what is open
    /// suspends the dispatch (spec 08 section 4.6).
    fn ask_in_dispatch(
        &self,
        cx: &mut ServiceCx<'_>,
        ask: &Ask,
        origin: &Origin,
    ) -> Result<Option<Data>, Raised> {
        let filing = self.shared.transact(cx, |tx, projections, moment| {
            people::file_once(tx, &mut projections.book, ask, origin, moment)
        })?;
        let (id, deadline_at) = match filing {
            people::Filing::Filed(filed) => {
                answer_by_mock(&self.shared, cx, &filed)?;
                (filed.request_id, filed.deadline_at)
            }
            people::Filing::Recorded { request_id, deadline_at } => (request_id, deadline_at),
            people::Filing::Mismatch(text) => return Err(Raised::Runtime(text)),
        };
        match self.look(cx, &id, deadline_at)? {
            Some(outcome) => outcome.map(|reply| Some(self.with_usable(cx, &id, reply))),
            None => Ok(Some(Data::dict([("request_id", Data::from(id)), ("waiting", Data::Bool(true))]))),
        }
    }

    /// The reply with `usable`: whether an approval may raise a ceiling. One by a host mock does in tests and with the mock
    /// model only (spec 08 section 4.5).
    fn with_usable(&self, cx: &ServiceCx<'_>, id: &str, reply: Data) -> Data {
        let Data::Dict(mut fields) = reply else { return reply };
        let accept_mocked =
            cx.run.test || (cx.env)("HARN_LLM_PROVIDER").is_some_and(|provider| provider == "mock");
        let usable = self.shared.read(cx, |_, projections| {
            let settled = projections.book.get(id).and_then(|request| request.settled.clone());
            Ok(matches!(settled, Some(people::Settled::Approved { mocked, .. }) if accept_mocked || !mocked))
        });
        fields.insert("usable".to_owned(), Data::Bool(usable.unwrap_or(false)));
        Data::Dict(fields)
    }

    /// The outcome of a request that is settled, cancelled or past its deadline.
    fn look(
        &self,
        cx: &ServiceCx<'_>,
        id: &str,
        deadline_at: Option<i64>,
    ) -> Result<Option<Outcome>, Raised> {
        if deadline_at.is_some_and(|deadline| cx.now_ms >= deadline) {
            let ids = [id.to_owned()];
            self.shared.transact(cx, |tx, projections, moment| {
                people::expire(tx, &mut projections.book, &ids, moment)
            })?;
        }
        self.shared.read(cx, |store, projections| {
            projections.book.refresh(store)?;
            let Some(request) = projections.book.get(id) else { return Ok(None) };
            // A question with a default has an answer even when nobody gives one.
            if request.settled == Some(people::Settled::TimedOut)
                && !request.payload.field("default").is_null()
            {
                let reply = [("request_id", Data::from(id)), ("timed_out", Data::Bool(true))];
                return Ok(Some(Ok(Data::dict(reply))));
            }
            if let Some(outcome) = people::outcome(request) {
                return Ok(Some(
                    outcome.map(|value| Data::dict([("request_id", Data::from(id)), ("value", value)])),
                ));
            }
            let state =
                waitpoint::valued::load(store, id)?.filter(|state| state.text("status") == "cancelled");
            Ok(state.map(|state| Err(people::cancelled(request, state.field("reason").as_str()))))
        })
    }

    fn pending(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let filters = Filters::parse(args.field("filters")).map_err(Raised::Runtime)?;
        let (rows, late) = self.shared.read(cx, |store, projections| {
            projections.book.refresh(store)?;
            let book = &projections.book;
            let late: Vec<String> = book
                .requests()
                .filter(|r| r.settled.is_none() && r.is_late(cx.now_ms))
                .map(|r| r.id.clone())
                .collect();
            Ok((people::pending(book, &filters, cx.now_ms), late))
        })?;
        // The first reader after a deadline writes the timeout.
        if !late.is_empty() {
            self.shared.transact(cx, |tx, projections, moment| {
                people::expire(tx, &mut projections.book, &late, moment)
            })?;
        }
        Ok(Data::List(rows.iter().map(Json::to_data).collect()))
    }

    fn consume(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let text = |name: &str| args.field(name).as_str().unwrap_or_default();
        let digest = consume::digest(text("action"), &Json::from(args.field("args")), text("principal"));
        let by = match cx.run.run_id.as_str() {
            "" => text("request_id"),
            run => run,
        };
        let used = self.shared.transact(cx, |tx, projections, moment| {
            consume::consume(tx, &mut projections.book, text("request_id"), &digest, by, moment)
        })?;
        match used {
            consume::Use::Granted => Ok(Data::dict([("granted", Data::Bool(true))])),
            consume::Use::Recorded(result) => {
                Ok(Data::dict([("granted", Data::Bool(false)), ("result", result.to_data())]))
            }
            consume::Use::Refused(text) => Err(Raised::Runtime(text)),
        }
    }

    fn executed(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let id = args.field("request_id").as_str().unwrap_or_default();
        let result = Json::from(args.field("result"));
        self.shared.transact(cx, |tx, projections, moment| {
            consume::executed(tx, &mut projections.book, id, result.clone(), moment)
        })?;
        Ok(Data::Nil)
    }
}

/// Delivers what a host mock scripts as answer to a request, in order (spec 08 section 4.5).
pub(super) fn answer_by_mock(shared: &Shared, cx: &mut ServiceCx<'_>, filed: &Filed) -> Result<(), Raised> {
    let kind = filed.kind.name();
    if !cx.mocks.has("hitl", Some(kind)) {
        return Ok(());
    }
    let params = filed.object.field("payload").clone().with("request_id", filed.request_id.as_str());
    let answers = match cx.mocks.answer("hitl", kind, &params.to_data()) {
        None => return Ok(()),
        Some(Err(text)) => return Err(Raised::thrown(text)),
        Some(Ok(Data::List(answers))) => answers,
        Some(Ok(answer)) => vec![answer],
    };
    if !answers.iter().all(|answer| matches!(answer, Data::Dict(_))) {
        return Err(Raised::Runtime(format!("mocked HITL {kind} response must be a dict or list<dict>")));
    }
    for answer in answers {
        let response = Json::from(&answer).with("request_id", filed.request_id.as_str());
        let delivery = shared.transact(cx, |tx, projections, moment| {
            people::deliver(tx, &mut projections.book, &response, "mock", moment)
        })?;
        if let Delivery::Rejected(text) = delivery {
            cx.progress.event(ProgressEvent::Note { text });
        }
    }
    Ok(())
}

fn what(ask: &Ask, filed: &Filed) -> String {
    let text = match ask {
        Ask::Question { prompt, .. } => format!("an answer to \"{prompt}\""),
        Ask::Approval(approval) => format!("approval of \"{}\"", approval.action),
        Ask::DualControl { n, approval, .. } => format!("{n} approvals of \"{}\"", approval.action),
        Ask::Escalation { role, reason, .. } => format!("{role} to take \"{reason}\""),
    };
    format!("{text} ({})", filed.request_id)
}

fn hint(filed: &Filed) -> String {
    let id = &filed.request_id;
    match filed.kind {
        Kind::Question => format!("harn hitl answer {id} ANSWER"),
        _ => format!("harn hitl approve {id}"),
    }
}

/// The request that the arguments of the effect describe.
fn read_ask(args: &Data) -> Result<Ask, String> {
    let text = |name: &str| args.field(name).as_str().unwrap_or_default().to_owned();
    let int = |name: &str| args.field(name).as_int().unwrap_or_default();
    let json = |name: &str| Json::from(args.field(name));
    let texts = |name: &str| json(name).strings();
    let approval = || Approval {
        action: text("action"),
        detail: json("detail"),
        args: Some(args.field("args")).filter(|a| !a.is_nil()).map(Json::from),
        quorum: int("quorum").max(1),
        reviewers: texts("reviewers"),
        deadline_ms: int("deadline_ms"),
        principal: text("principal"),
        evidence_refs: json("evidence_refs").as_array().unwrap_or_default().to_vec(),
        undo_metadata: json("undo_metadata"),
        capabilities_requested: texts("capabilities_requested"),
    };
    match Kind::from_name(&text("kind")) {
        Some(Kind::Question) => Ok(Ask::Question {
            prompt: text("prompt"),
            schema: json("schema"),
            default: json("default"),
            timeout_ms: int("timeout_ms"),
        }),
        Some(Kind::Approval) => Ok(Ask::Approval(approval())),
        Some(Kind::DualControl) => Ok(Ask::DualControl { n: int("n"), m: int("m"), approval: approval() }),
        Some(Kind::Escalation) => Ok(Ask::Escalation {
            role: text("role"),
            reason: text("reason"),
            capability_policy: json("capability_policy"),
        }),
        None => Err(format!("unknown kind of request '{}'", text("kind"))),
    }
}

impl Service for Hitl {
    fn ops(&self) -> &'static [Op] {
        &[Op::HitlAsk, Op::HitlPending, Op::HitlConsume, Op::HitlExecuted]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::HitlAsk => match self.ask(cx, ticket, args) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => return Started::Pending,
                Err(raised) => Err(raised),
            },
            Op::HitlPending => self.pending(cx, args),
            Op::HitlConsume => self.consume(cx, args),
            _ => self.executed(cx, args),
        })
    }

    fn poll(&mut self, cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        if self.waiting.is_empty() {
            self.watch.rest();
            return Vec::new();
        }
        let changed = self.watch.changed(cx, &self.shared);
        let mut done = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let due = waiting.deadline_at.is_some_and(|deadline| cx.now_ms >= deadline);
            let outcome = match &changed {
                Ok(false) if !due => Ok(None),
                Ok(_) => self.look(cx, &waiting.request_id, waiting.deadline_at),
                Err(raised) => Err(raised.clone()),
            };
            match outcome {
                Ok(None) => self.waiting.push(waiting),
                Ok(Some(outcome)) => {
                    cx.progress.event(ProgressEvent::WaitOver { what: waiting.request_id });
                    done.push((waiting.ticket, Started::Done(outcome)));
                }
                Err(raised) => done.push((waiting.ticket, Started::Done(Err(raised)))),
            }
        }
        done
    }

    fn next_poll_ms(&self) -> Option<i64> {
        if self.waiting.is_empty() { None } else { self.watch.due(&self.shared) }
    }

    fn standing(&self, ticket: Ticket) -> Option<Standing> {
        let waiting = self.waiting.iter().find(|waiting| waiting.ticket == ticket)?;
        let deadline = waiting.deadline_at.map_or(Data::Nil, Data::Int);
        let id = waiting.request_id.clone();
        let data = Data::dict([("request_id", Data::Str(id.clone())), ("deadline_at", deadline)]);
        Some(Standing { data, waits_for: id })
    }

    fn stand(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, data: &Data, _shift_ms: i64) -> bool {
        let Some(request_id) = data.field("request_id").as_str().map(str::to_owned) else { return false };
        // The deadline is a time of the wall clock.
        let deadline_at = data.field("deadline_at").as_int();
        self.waiting.push(Waiting { ticket, request_id, deadline_at });
        self.watch.begin(cx);
        true
    }

    fn cancel(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket) {
        for waiting in self.waiting.extract_if(.., |w| w.ticket == ticket) {
            cx.progress.event(ProgressEvent::WaitOver { what: waiting.request_id });
        }
    }
}
