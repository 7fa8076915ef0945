//! The trust graph at run time (spec 08 section 3).

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::Json;
use harn_govern::trust::{self, Draft, Filters, HeadMark, Tier};

use super::governance::{HEAD_NOTE, Shared};
use crate::service::{Service, ServiceCx, Started};

/// Records, reads and proves the trust graph.
pub struct Trust {
    shared: Shared,
}

impl Trust {
    /// A service on the active log.
    pub fn new(shared: Shared) -> Trust {
        Trust { shared }
    }

    fn record(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let builtin = args.field("builtin").as_str().unwrap_or_default();
        let draft = match builtin {
            "trust_record" => positional(args)?,
            _ => decision(builtin, args.field("decision"))?,
        };
        let trace_id = match cx.task.trace_id() {
            _ if !draft.trace_id.is_empty() => draft.trace_id.clone(),
            Some(trace) => trace.to_owned(),
            None => format!("trace-{}", self.shared.uuid7(cx)),
        };
        let draft = Draft { trace_id, ..draft };
        let record = self.shared.transact(cx, |tx, _, moment| trust::append(tx, &draft, moment))?;
        self.shared.note_head(cx, &record)?;
        Ok(record.json().to_data())
    }

    fn query(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let builtin = args.field("builtin").as_str().unwrap_or("trust_query");
        let filters = Filters::parse(builtin, args.field("filters")).map_err(Raised::Runtime)?;
        let records = self.shared.read(cx, |store, _| trust::query(store, &filters))?;
        if builtin == "trust.query" {
            return Ok(Data::List(records.iter().map(|r| trust::projection(r).to_data()).collect()));
        }
        let all =
            |records: &[trust::Record]| Data::List(records.iter().map(|r| r.json().to_data()).collect());
        if !filters.grouped_by_trace {
            return Ok(all(&records));
        }
        let groups = trust::group_by_trace(&records).into_iter().map(|(trace_id, records)| {
            Data::dict([("trace_id", Data::from(trace_id)), ("records", all(&records))])
        });
        Ok(Data::List(groups.collect()))
    }

    fn score(&self, cx: &ServiceCx<'_>, args: &Data) -> Result<Json, Raised> {
        let agent = args.field("agent").as_str().unwrap_or_default();
        let action = args.field("action").as_str();
        self.shared.read(cx, |store, _| trust::score(store, agent, action, cx.now_ms))
    }

    fn verify(&self, cx: &ServiceCx<'_>) -> Outcome {
        let report = self.shared.read(cx, |store, _| {
            let mark = store.read_note(HEAD_NOTE)?.and_then(|text| HeadMark::parse(&text));
            trust::verify(store, trust::GLOBAL, mark.as_ref())
        })?;
        Ok(report.to_json().to_data())
    }
}

/// The arguments of `trust_record(agent, action, approver, outcome, tier)`.
fn positional(args: &Data) -> Result<Draft, Raised> {
    let given = args.field("args").as_list().unwrap_or_default();
    let text = |i: usize, name: &str| match given.get(i) {
        None => Err(Raised::runtime(format!("trust_record: missing string argument `{name}`"))),
        Some(Data::Str(text)) => Ok(text.clone()),
        Some(other) => {
            let kind = other.type_name();
            Err(Raised::runtime(format!("trust_record: argument `{name}` must be a string, got {kind}")))
        }
    };
    let agent = named("trust_record", "agent", text(0, "agent")?)?;
    let action = named("trust_record", "action", text(1, "action")?)?;
    let outcome = given.get(3).ok_or_else(|| Raised::runtime("trust_record: expected outcome"))?;
    let outcome = trust::parse_outcome("trust_record", outcome).map_err(Raised::Runtime)?;
    let tier = given.get(4).ok_or_else(|| Raised::runtime("trust_record: expected autonomy tier"))?;
    let tier = trust::parse_tier(tier).map_err(Raised::Runtime)?;
    let approver = given.get(2).and_then(Data::as_str).filter(|a| !a.is_empty()).map(str::to_owned);
    let metadata = Json::object::<&str>([]);
    Ok(Draft { agent, action, approver, outcome, trace_id: String::new(), tier, cost_usd: None, metadata })
}

/// The fields of a decision dict.
fn decision(builtin: &str, decision: &Data) -> Result<Draft, Raised> {
    let Data::Dict(fields) = decision else {
        return Err(Raised::runtime(format!("{builtin}: expected decision dict")));
    };
    let present = |name: &str| fields.get(name).filter(|v| !v.is_nil());
    let text = |name: &str| {
        let found = present(name).and_then(Data::as_str).map(str::to_owned);
        found.ok_or_else(|| Raised::runtime(format!("{builtin}: missing string field `{name}`")))
    };
    let agent = named(builtin, "agent", text("agent")?)?;
    let action = named(builtin, "action", text("action")?)?;
    let outcome = present("outcome").ok_or_else(|| Raised::runtime(format!("{builtin}: missing outcome")))?;
    let outcome = trust::parse_outcome(builtin, outcome).map_err(Raised::Runtime)?;
    let tier = present("autonomy_tier").or_else(|| present("tier"));
    let tier = tier.ok_or_else(|| Raised::runtime(format!("{builtin}: missing autonomy_tier")))?;
    let tier: Tier = trust::parse_tier(tier).map_err(Raised::Runtime)?;
    let metadata = match present("metadata") {
        None => Json::object::<&str>([]),
        Some(metadata @ Data::Dict(_)) => Json::from(metadata),
        Some(_) => return Err(Raised::runtime(format!("{builtin}: metadata must be a dict"))),
    };
    let cost_usd = match present("cost_usd") {
        Some(Data::Int(n)) => Some(*n as f64),
        Some(Data::Float(x)) => Some(*x),
        _ => None,
    };
    if cost_usd.is_some_and(|cost| cost < 0.0) {
        return Err(Raised::runtime(format!("{builtin}: cost_usd must not be negative")));
    }
    let optional =
        |name: &str| present(name).and_then(Data::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let trace_id = optional("trace_id").unwrap_or_default();
    Ok(Draft { agent, action, approver: optional("approver"), outcome, trace_id, tier, cost_usd, metadata })
}

/// A record's agent and action are never empty.
fn named(builtin: &str, field: &str, text: String) -> Result<String, Raised> {
    if text.is_empty() {
        return Err(Raised::runtime(format!("{builtin}: `{field}` must not be empty")));
    }
    Ok(text)
}

impl Service for Trust {
    fn ops(&self) -> &'static [Op] {
        &[Op::TrustRecord, Op::TrustQuery, Op::TrustScore, Op::TrustPolicy, Op::TrustVerify]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::TrustRecord => self.record(cx, args),
            Op::TrustQuery => self.query(cx, args),
            Op::TrustScore => self.score(cx, args).map(|score| score.to_data()),
            Op::TrustPolicy => self.score(cx, args).map(|score| score.field("policy").to_data()),
            _ => self.verify(cx),
        })
    }
}
