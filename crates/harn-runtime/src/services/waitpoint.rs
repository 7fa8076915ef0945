//! Waitpoints of both families at run time (spec 08 section 5).

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::Json;
use harn_govern::waitpoint::{self, named, valued};

use super::governance::{Shared, Watch};
use crate::service::{Service, ServiceCx, Standing, Started};

/// Creates, ends and waits for waitpoints.
pub struct Waitpoints {
    shared: Shared,
    waiting: Vec<Waiting>,
    watch: Watch,
}

struct Waiting {
    ticket: Ticket,
    what: What,
    /// On the monotonic clock.
    deadline: Option<i64>,
}

enum What {
    Named(named::Wait),
    Valued { wait_id: String, ids: Vec<String> },
}

impl Waitpoints {
    /// A service on the active log.
    pub fn new(shared: Shared) -> Waitpoints {
        Waitpoints { shared, waiting: Vec::new(), watch: Watch::default() }
    }

    fn create(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let id = match text(args, "id") {
            Some(id) => id,
            None => format!("waitpoint_{}", self.shared.uuid7(cx)),
        };
        let metadata = match args.field("metadata") {
            Data::Nil => Json::object::<&str>([]),
            metadata => Json::from(metadata),
        };
        let made = self.shared.transact(cx, |tx, _, moment| {
            if is_named(args) {
                named::create(tx, &id, &actor(cx, args), metadata.clone(), moment)
            } else {
                valued::create(tx, &id, metadata.clone(), moment)
            }
        })?;
        Ok(made.to_data())
    }

    fn resolve(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let id = text(args, "id").unwrap_or_default();
        let completed = args.field("status").as_str() == Some("completed");
        let reason = text(args, "reason");
        let by = text(args, "by");
        // A script that could complete the waitpoint of a request would answer for a person; giving up is its right.
        if completed && id.starts_with("hitl_") {
            return Err(Raised::runtime(format!(
                "waitpoint.complete: waitpoint '{id}' belongs to a request to a person"
            )));
        }
        let ruled = self.shared.transact(cx, |tx, _, moment| {
            if is_named(args) {
                named::resolve(tx, &id, completed, &actor(cx, args), reason.as_deref(), moment).map(Ok)
            } else if completed {
                let value = Json::from(args.field("value"));
                valued::complete(tx, &id, value, by.as_deref(), reason.as_deref(), moment)
            } else {
                valued::cancel(tx, &id, by.as_deref(), reason.as_deref(), moment)
            }
        })?;
        ruled.map(|record| record.to_data()).map_err(Raised::Runtime)
    }

    fn wait(&mut self, cx: &ServiceCx<'_>, ticket: Ticket, args: &Data) -> Result<Option<Data>, Raised> {
        let ids = waitpoint::clean_ids(Json::from(args.field("ids")).strings());
        let given = text(args, "wait_id");
        let fresh = || format!("waitpoint_wait_{}", self.shared.uuid7(cx));
        let wait_id = given.clone().unwrap_or_else(fresh);
        let deadline = args.field("timeout_ms").as_int().map(|ms| cx.monotonic_ms.saturating_add(ms));
        let what = if is_named(args) {
            if let Some(wait_id) = &given {
                let ended =
                    self.shared.read(cx, |store, projections| projections.reports.find(store, wait_id))?;
                if let Some(report) = ended {
                    return Ok(Some(report.to_data()));
                }
                if (cx.env)("HARN_REPLAY").is_some_and(|v| !v.trim().is_empty() && v.trim() != "0") {
                    let text = format!("replay is missing a recorded waitpoint result for '{wait_id}'");
                    return Err(Raised::Runtime(text));
                }
            }
            let wait = named::Wait {
                wait_id,
                ids,
                started_at: harn_govern::moment::timestamp(cx.now_ms),
                trace_id: cx.task.trace_id().map(str::to_owned),
                replay_of_event_id: cx.task.dispatch.as_ref().and_then(|dispatch| dispatch.replay_of.clone()),
            };
            self.shared.transact(cx, |tx, _, moment| named::start(tx, &wait, moment))?;
            What::Named(wait)
        } else {
            let mut ids = ids;
            ids.sort();
            What::Valued { wait_id, ids }
        };
        let waiting = Waiting { ticket, what, deadline };
        match self.look(cx, &waiting)? {
            Some(outcome) => outcome.map(Some),
            None => {
                self.waiting.push(waiting);
                self.watch.begin(cx);
                Ok(None)
            }
        }
    }

    fn look(&self, cx: &ServiceCx<'_>, waiting: &Waiting) -> Result<Option<Outcome>, Raised> {
        let due = waiting.deadline.is_some_and(|deadline| cx.monotonic_ms >= deadline);
        match &waiting.what {
            What::Named(wait) => {
                let end = self.shared.read(cx, |store, _| named::look(store, wait))?;
                let Some(end) = end.or(due.then_some(named::End::TimedOut)) else { return Ok(None) };
                let report =
                    self.shared.transact(cx, |tx, _, moment| named::finish(tx, wait, end, moment))?;
                Ok(Some(Ok(report.to_data())))
            }
            What::Valued { wait_id, ids } => {
                let stands = self.shared.read(cx, |store, _| valued::wait(store, ids))?;
                Ok(match stands {
                    valued::Wait::Completed(records) => {
                        Some(Ok(Data::List(records.iter().map(Json::to_data).collect())))
                    }
                    valued::Wait::Cancelled(record) => Some(Err(valued::cancelled(wait_id, ids, &record))),
                    valued::Wait::Unknown(id) => {
                        Some(Err(Raised::Runtime(format!("waitpoint.wait: unknown waitpoint '{id}'"))))
                    }
                    valued::Wait::Open => due.then(|| Err(valued::timed_out(wait_id))),
                })
            }
        }
    }
}

fn text(args: &Data, name: &str) -> Option<String> {
    args.field(name).as_str().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
}

fn is_named(args: &Data) -> bool {
    args.field("family").as_str() == Some("named")
}

/// Who acts: whoever the call names, else the agent of the dispatch, else the system.
fn actor(cx: &ServiceCx<'_>, args: &Data) -> String {
    let agent = || cx.task.dispatch.as_ref().map(|dispatch| dispatch.agent.clone());
    text(args, "by").or_else(agent).unwrap_or_else(|| "system".to_owned())
}

impl Service for Waitpoints {
    fn ops(&self) -> &'static [Op] {
        &[Op::WaitpointCreate, Op::WaitpointResolve, Op::WaitpointWait]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::WaitpointCreate => self.create(cx, args),
            Op::WaitpointResolve => self.resolve(cx, args),
            _ => match self.wait(cx, ticket, args) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => return Started::Pending,
                Err(raised) => Err(raised),
            },
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
            let due = waiting.deadline.is_some_and(|deadline| cx.monotonic_ms >= deadline);
            let outcome = match &changed {
                Ok(false) if !due => Ok(None),
                Ok(_) => self.look(cx, &waiting),
                Err(raised) => Err(raised.clone()),
            };
            match outcome {
                Ok(None) => self.waiting.push(waiting),
                Ok(Some(outcome)) => done.push((waiting.ticket, Started::Done(outcome))),
                Err(raised) => done.push((waiting.ticket, Started::Done(Err(raised)))),
            }
        }
        done
    }

    fn next_poll_ms(&self) -> Option<i64> {
        let look = if self.waiting.is_empty() { None } else { self.watch.due(&self.shared) };
        let deadline = self.waiting.iter().filter_map(|w| w.deadline).min();
        look.into_iter().chain(deadline).min()
    }

    fn standing(&self, ticket: Ticket) -> Option<Standing> {
        let waiting = self.waiting.iter().find(|waiting| waiting.ticket == ticket)?;
        let (what, ids) = match &waiting.what {
            What::Named(wait) => {
                let optional = |text: &Option<String>| text.clone().map_or(Data::Nil, Data::Str);
                let fields = [
                    ("wait_id", Data::from(wait.wait_id.as_str())),
                    ("started_at", wait.started_at.as_str().into()),
                    ("trace_id", optional(&wait.trace_id)),
                    ("replay_of_event_id", optional(&wait.replay_of_event_id)),
                    ("named", Data::Bool(true)),
                ];
                (fields.to_vec(), &wait.ids)
            }
            What::Valued { wait_id, ids } => (vec![("wait_id", Data::from(wait_id.as_str()))], ids),
        };
        let list = ids.iter().map(|id| Data::from(id.as_str())).collect();
        let deadline = waiting.deadline.map_or(Data::Nil, Data::Int);
        let more = [("ids", Data::List(list)), ("deadline", deadline)];
        Some(Standing { data: Data::dict(what.into_iter().chain(more)), waits_for: ids.join(", ") })
    }

    fn stand(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, data: &Data, shift_ms: i64) -> bool {
        let text = |name: &str| data.field(name).as_str().map(str::to_owned);
        let Some(wait_id) = text("wait_id") else { return false };
        let ids = data.field("ids").as_list().unwrap_or_default();
        let ids = ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        let what = if data.field("named").as_bool() == Some(true) {
            What::Named(named::Wait {
                wait_id,
                ids,
                started_at: text("started_at").unwrap_or_default(),
                trace_id: text("trace_id"),
                replay_of_event_id: text("replay_of_event_id"),
            })
        } else {
            What::Valued { wait_id, ids }
        };
        let deadline = data.field("deadline").as_int().map(|at| at.saturating_add(shift_ms));
        self.waiting.push(Waiting { ticket, what, deadline });
        self.watch.begin(cx);
        true
    }

    fn cancel(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket) {
        let gone: Vec<Waiting> = self.waiting.extract_if(.., |w| w.ticket == ticket).collect();
        for waiting in gone {
            if let What::Named(wait) = waiting.what {
                // The run ends: what cannot be recorded now is seen as unfinished on the log.
                let _ = self
                    .shared
                    .transact(cx, |tx, _, moment| named::finish(tx, &wait, named::End::Interrupted, moment));
            }
        }
    }
}
