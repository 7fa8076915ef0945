//! The autonomy budget at run time (spec 08 section 1).

use std::collections::{BTreeMap, BTreeSet};

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::{Durability, LogError, Tx};
use harn_govern::autonomy::{
    self, Admission, Amount, Bound, Budget, Ledger, Limits, Refusal, Reservation, Spender, limits,
};
use harn_govern::{rules, trust};

use super::governance::Shared;
use super::hitl;
use super::spending::Account;
use crate::log_slot::LogSlot;
use crate::progress::ProgressEvent;
use crate::recorder::text_of;
use crate::service::{Service, ServiceCx, Started};

/// Admits, refuses, releases and ends decisions, and counts their tool calls.
///
/// Reservations that several tasks ask for at once are ruled on in one transaction: one write to the disk for all of them.
pub struct Autonomy {
    shared: Shared,
    queue: Vec<Queued>,
}

/// A reservation that will be ruled on as soon as no task is ready.
struct Queued {
    ticket: Ticket,
    budget: Budget,
    asked: Reservation,
}

impl Autonomy {
    /// A service on the active log.
    pub fn new(shared: Shared) -> Autonomy {
        Autonomy { shared, queue: Vec::new() }
    }

    /// Reads what a loop asks for; none when nothing limits it.
    fn read(&self, cx: &mut ServiceCx<'_>, args: &Data) -> Result<Option<(Budget, Reservation)>, Raised> {
        let label = args.field("label").as_str().unwrap_or("agent_loop");
        let session = args.field("session_id").as_str().unwrap_or_default();
        let odd: BTreeMap<String, String> = args
            .field("odd_types")
            .as_dict()
            .into_iter()
            .flatten()
            .filter_map(|(name, kind)| Some((name.clone(), kind.as_str()?.to_owned())))
            .collect();
        // A key made up for this call alone would never fill: a stable principal stands in for it.
        let stable = args.field("stable").as_bool().unwrap_or(true);
        let fallback = if stable { session.to_owned() } else { principal(cx) };
        let budget =
            autonomy::option::parse(label, args.field("option"), &odd, &fallback).map_err(Raised::Runtime)?;
        let named = budget.is_some();
        let Some((budget, bounds)) = self.binding(budget, &fallback) else { return Ok(None) };
        if named && !stable && budget.key == fallback && args.field("option").field("key").is_nil() {
            let text = format!("autonomy budget without key or session_id: counting for '{fallback}'");
            cx.progress.event(ProgressEvent::Note { text });
        }
        let mut asked = Reservation { bounds, ..reservation(cx, args, &budget, session) };
        if asked.is_concurrency_limited() {
            asked.holder = Some(cx.log.process()?);
        }
        Ok(Some((budget, asked)))
    }

    /// Rules on everything queued, in one transaction.
    fn rule(&mut self, cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        let mut queued = std::mem::take(&mut self.queue);
        let ruled = self.shared.transact(cx, |tx, projections, moment| {
            if queued.iter().any(|one| one.asked.holder.is_some()) {
                projections.ledger.refresh(tx)?;
                let dead = dead_of(&projections.ledger, cx.log);
                for one in &mut queued {
                    one.asked.dead.clone_from(&dead);
                }
            }
            let rule = |one: &Queued| {
                autonomy::reserve(tx, &mut projections.ledger, &mut projections.book, &one.asked, moment)
            };
            queued.iter().map(rule).collect::<Result<Vec<_>, _>>()
        });
        let admissions = match ruled {
            Ok(admissions) => admissions,
            Err(raised) => {
                return queued
                    .into_iter()
                    .map(|one| (one.ticket, Started::Done(Err(raised.clone()))))
                    .collect();
            }
        };
        let outcome = |(one, admission): (Queued, Admission)| {
            (one.ticket, Started::Done(self.ruled(cx, &one.budget, &one.asked, admission)))
        };
        queued.into_iter().zip(admissions).map(outcome).collect()
    }

    /// What a ruling means for the loop that asked.
    fn ruled(
        &self,
        cx: &mut ServiceCx<'_>,
        budget: &Budget,
        asked: &Reservation,
        admission: Admission,
    ) -> Outcome {
        match admission {
            Admission::Admitted { decision_id, approval_id } => {
                let spender = Spender {
                    decision_id: decision_id.clone(),
                    key: asked.key.clone(),
                    counted: approval_id.is_none(),
                    bounds: asked.all_bounds(),
                };
                self.shared.under_way().borrow_mut().insert(decision_id.clone(), spender);
                Ok(Data::dict([
                    ("admitted", Data::Bool(true)),
                    ("decision_id", decision_id.into()),
                    ("approval_id", approval_id.into()),
                ]))
            }
            Admission::Invalid(text) => Err(Raised::Runtime(text)),
            Admission::Refused(refusal) => {
                let result = self.refused(cx, budget, *refusal)?;
                Ok(Data::dict([("admitted", Data::Bool(false)), ("result", result)]))
            }
        }
    }

    /// The budget in force and the limits that bind besides: what the program asks for, what the operator declares for the
    /// key, and for the keys above it. `None` when nothing limits the decision.
    fn binding(&self, budget: Option<Budget>, fallback: &str) -> Option<(Budget, Vec<Bound>)> {
        let declared = self.shared.declared();
        let key = budget.as_ref().map_or(fallback, |budget| budget.key.as_str());
        let bounds = limits::declared_for(key, declared);
        match budget {
            None if bounds.is_empty() => None,
            None => {
                let (key, reviewer) = (key.to_owned(), rules::reviewer_of(key, declared));
                // The declared caps of the key itself are shown as its caps.
                let own = bounds.iter().filter(|bound| bound.key == key);
                let caps = own.fold(Limits::default(), |caps, bound| caps.and(bound.limits).0);
                Some((Budget { limits: caps, key, reviewer, approval: None }, bounds))
            }
            Some(budget) => Some((budget, bounds)),
        }
    }

    /// Tells about the refusal and completes the call's result.
    fn refused(&self, cx: &mut ServiceCx<'_>, budget: &Budget, refusal: Refusal) -> Outcome {
        if let Some(record) = self.shared.read(cx, |store, _| trust::head(store))? {
            self.shared.note_head(cx, &record)?;
        }
        let request_id = refusal.result.text("request_id").to_owned();
        cx.progress.event(ProgressEvent::Decision {
            what: format!("agent loop of '{}'", budget.key),
            ruling: "denied".into(),
            reason: format!("{} (harn hitl approve {request_id})", refusal.result.text("reason")),
        });
        if let Some(filed) = &refusal.filed {
            hitl::answer_by_mock(&self.shared, cx, filed)?;
        }
        let Data::Dict(mut fields) = refusal.result.to_data() else { return Ok(Data::Nil) };
        let zeros = ["iterations", "duration_ms", "input_tokens", "output_tokens"];
        fields.insert("llm".into(), Data::dict(zeros.map(|name| (name, Data::Int(0)))));
        let empty = ["calls", "successful", "rejected"].map(|name| (name, Data::List(Vec::new())));
        fields.insert("tools".into(), Data::dict(empty.into_iter().chain([("mode", Data::from(""))])));
        Ok(Data::Dict(fields))
    }

    /// One tool call of the decisions that the task is in: nil, or why it must not happen.
    fn spend(&self, cx: &ServiceCx<'_>) -> Outcome {
        let spenders = self.shared.spenders(&cx.task.decisions)?;
        let mut account = Account::new(cx, &self.shared, &spenders);
        let amount = Amount { tool_calls: 1, ..Amount::default() };
        Ok(match account.spend("tool.call", amount)? {
            Ok(()) => Data::Nil,
            Err(over) => Data::dict([
                ("reason", Data::from(over.reason)),
                ("key", over.key.into()),
                ("text", over.text.into()),
            ]),
        })
    }

    fn end(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let id = args.field("decision_id").as_str().unwrap_or_default();
        self.shared.under_way().borrow_mut().remove(id);
        self.shared.transact_at(cx, Durability::Grouped, |tx, projections, moment| {
            autonomy::spend::finish(tx, &mut projections.ledger, id, moment)
        })?;
        Ok(Data::Nil)
    }

    fn release(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let text = |name: &str| args.field(name).as_str().unwrap_or_default();
        self.shared.under_way().borrow_mut().remove(text("decision_id"));
        self.shared.transact(cx, |tx, projections, moment| {
            autonomy::release(tx, &mut projections.ledger, text("decision_id"), text("reason"), moment)
        })?;
        Ok(Data::Nil)
    }
}

/// The processes taking decisions that are known to have died.
fn dead_of(ledger: &Ledger, log: &LogSlot) -> BTreeSet<String> {
    ledger.holders().into_iter().filter(|name| log.is_dead(name)).map(str::to_owned).collect()
}

/// Who acts when nothing names it: the program (spec 08 section 1.2).
fn principal(cx: &ServiceCx<'_>) -> String {
    let base = cx.run.base_dir.trim_end_matches('/');
    let script =
        cx.run.script.strip_prefix(base).map_or(cx.run.script.as_str(), |rest| rest.trim_start_matches('/'));
    format!("pipeline:{script}")
}

fn reservation(cx: &ServiceCx<'_>, args: &Data, budget: &Budget, session: &str) -> Reservation {
    let mock_model = args.field("mock_model").as_bool().unwrap_or(false)
        || (cx.env)("HARN_LLM_PROVIDER").is_some_and(|provider| provider == "mock");
    Reservation {
        source: "agent_loop".into(),
        key: budget.key.clone(),
        session_id: Some(session.to_owned()),
        event_id: None,
        binding_key: None,
        trace_id: cx.task.trace_id().map(str::to_owned),
        run_id: Some(cx.run.run_id.clone()).filter(|id| !id.is_empty()),
        limits: budget.limits,
        bounds: Vec::new(),
        reviewer: budget.reviewer.clone(),
        approval: budget.approval.clone(),
        accept_mocked: cx.run.test || mock_model,
        holder: None,
        dead: BTreeSet::new(),
    }
}

impl Service for Autonomy {
    fn ops(&self) -> &'static [Op] {
        &[Op::AutonomyReserve, Op::AutonomyRelease, Op::AutonomySpend, Op::AutonomyFinish]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        Started::Done(match request.op {
            Op::AutonomyReserve => match self.read(cx, &request.args) {
                Ok(Some((budget, asked))) => {
                    self.queue.push(Queued { ticket, budget, asked });
                    return Started::Pending;
                }
                Ok(None) => Ok(Data::Nil),
                Err(raised) => Err(raised),
            },
            Op::AutonomySpend => self.spend(cx),
            Op::AutonomyFinish => self.end(cx, &request.args),
            _ => self.release(cx, &request.args),
        })
    }

    fn poll(&mut self, cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        if self.queue.is_empty() { Vec::new() } else { self.rule(cx) }
    }

    fn next_poll_ms(&self) -> Option<i64> {
        (!self.queue.is_empty()).then_some(0)
    }

    fn cancel(&mut self, _: &mut ServiceCx<'_>, ticket: Ticket) {
        self.queue.retain(|one| one.ticket != ticket);
    }

    fn go_on(&mut self, tx: &mut dyn Tx, log: &LogSlot, now_ms: i64) -> Result<Result<(), String>, LogError> {
        let limited: Vec<Spender> = self
            .shared
            .under_way()
            .borrow()
            .values()
            .filter(|spender| spender.needs_slot())
            .cloned()
            .collect();
        if limited.is_empty() {
            return Ok(Ok(()));
        }
        let holder = match log.process() {
            Ok(name) => name,
            Err(raised) => return Ok(Err(text_of(&raised))),
        };
        self.shared.within(|projections| {
            projections.ledger.refresh(tx)?;
            let dead = dead_of(&projections.ledger, log);
            autonomy::take_over(tx, &mut projections.ledger, &limited, &holder, &dead, now_ms)
        })
    }

    fn save(&self) -> Result<Data, String> {
        let under_way = self.shared.under_way().borrow();
        let saved = under_way.values().map(|spender| {
            let own = spender.bounds.first().map(|bound| bound.limits).unwrap_or_default();
            Data::dict([
                ("decision_id", Data::from(spender.decision_id.as_str())),
                ("key", spender.key.as_str().into()),
                ("counted", spender.counted.into()),
                ("limits", own.to_data()),
            ])
        });
        Ok(Data::List(saved.collect()))
    }

    fn load(&mut self, saved: &Data, _shift_ms: i64) -> Result<(), String> {
        for entry in saved.as_list().unwrap_or_default() {
            let text = |name: &str| entry.field(name).as_str().unwrap_or_default().to_owned();
            let fields = entry.field("limits").as_dict().cloned().unwrap_or_default();
            let (key, decision_id) = (text("key"), text("decision_id"));
            // What the operator declares now binds also who has waited since.
            let own = Bound { key: key.clone(), limits: Limits::parse("", &fields, true)? };
            let declared = limits::declared_for(&key, self.shared.declared());
            let bounds = std::iter::once(own).chain(declared).collect();
            let counted = entry.field("counted").as_bool().unwrap_or(true);
            let spender = Spender { decision_id: decision_id.clone(), key, counted, bounds };
            self.shared.under_way().borrow_mut().insert(decision_id, spender);
        }
        Ok(())
    }
}
