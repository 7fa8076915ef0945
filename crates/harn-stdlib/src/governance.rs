//! The event log, autonomy, trust, people and waitpoints: each body checks its arguments and asks the runtime.
//!
//! What waits or takes a callback (`ask_user`, `dual_control`, `waitpoint_wait`, ...) is in the prelude and uses the
//! primitives here.

use std::collections::BTreeMap;

use harn_effect::{Data, Op, Outcome};
use harn_vm::{Flow, NativeCtx, NativeResult, Value, View, VmError, display, from_data, to_data};

use crate::arguments::{Body, done, effect, effect_then, get, runtime_error, text, thrown, type_error};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("event_log.emit", |_, a| emit(a)),
    ("event_log.latest", |_, a| {
        let topic = string_of("event_log.latest", a, 0, "topic")?;
        effect(Op::EventLatest, Data::dict([("topic", Data::from(topic))]))
    }),
    ("event_log_emit", |_, _| thrown("event_log_emit: no active Harn connector context")),
    ("connector_call", |_, a| connector_call(a)),
    ("metrics_inc", |_, _| thrown("metrics_inc: no active Harn connector context")),
    ("secret_get", |_, _| thrown("secret_get: no active Harn connector context")),
    ("__event_next", |_, a| {
        effect(Op::EventNext, Data::dict([("topic", plain(get(a, 0))), ("from", plain(get(a, 1)))]))
    }),
    ("__event_read", |_, a| {
        let args = [("topic", plain(get(a, 0))), ("from", plain(get(a, 1))), ("limit", plain(get(a, 2)))];
        effect(Op::EventRead, Data::dict(args))
    }),
    ("__autonomy_admit", |_, a| admit(a)),
    ("__autonomy_release", |_, a| {
        effect(
            Op::AutonomyRelease,
            Data::dict([("decision_id", plain(get(a, 0))), ("reason", plain(get(a, 1)))]),
        )
    }),
    ("trust_record", |_, a| {
        let args = a.iter().map(plain).collect();
        effect(
            Op::TrustRecord,
            Data::dict([("builtin", Data::from("trust_record")), ("args", Data::List(args))]),
        )
    }),
    ("trust_graph_record", |cx, a| decision(cx, a)),
    ("trust.record", |cx, a| decision(cx, a)),
    ("trust_query", |cx, a| query(cx, a)),
    ("trust.query", |cx, a| query(cx, a)),
    ("trust_graph_query", |cx, a| score(cx, a, Op::TrustScore, "agent")),
    ("trust.score", |cx, a| score(cx, a, Op::TrustScore, "actor_id")),
    ("trust_graph_policy_for", |cx, a| score(cx, a, Op::TrustPolicy, "agent")),
    ("trust.policy_for", |cx, a| score(cx, a, Op::TrustPolicy, "actor_id")),
    ("trust_graph_verify_chain", |_, _| effect(Op::TrustVerify, Data::dict::<&str>([]))),
    ("trust.verify_chain", |_, _| effect(Op::TrustVerify, Data::dict::<&str>([]))),
    ("hitl_pending", |_, a| effect(Op::HitlPending, Data::dict([("filters", plain(get(a, 0)))]))),
    ("__hitl_ask", |_, a| effect(Op::HitlAsk, plain(get(a, 0)))),
    ("__hitl_consume", |_, a| effect(Op::HitlConsume, plain(get(a, 0)))),
    ("__hitl_executed", |_, a| {
        effect(Op::HitlExecuted, Data::dict([("request_id", plain(get(a, 0))), ("result", plain(get(a, 1)))]))
    }),
    ("__hitl_convert", |_, a| convert(a)),
    ("__callable_name", |_, a| {
        done(Value::str(match get(a, 0).view() {
            View::Closure(closure) => closure.name(),
            _ => "",
        }))
    }),
    ("__millis", |_, a| millis(a)),
    ("__waitpoint_create", |_, a| effect(Op::WaitpointCreate, plain(get(a, 0)))),
    ("__waitpoint_resolve", |_, a| effect(Op::WaitpointResolve, plain(get(a, 0)))),
    ("__waitpoint_wait", |_, a| effect(Op::WaitpointWait, plain(get(a, 0)))),
];

/// The value as plain data; what has none (closures, handles) as its display.
fn plain(value: &Value) -> Data {
    if let Ok(data) = to_data(value) {
        return data;
    }
    match value.view() {
        View::List(items) => Data::List(items.iter().map(|item| plain(&item)).collect()),
        View::Dict(fields) => {
            Data::Dict(fields.iter().map(|(key, item)| (key.to_owned(), plain(item))).collect())
        }
        _ => Data::Str(display(value)),
    }
}

/// The string argument of an event log builtin.
fn string_of(builtin: &str, args: &[Value], i: usize, name: &str) -> Result<String, Box<VmError>> {
    match args.get(i) {
        None => Err(VmError::ty(format!("{builtin}: missing {name}"))),
        Some(value) => match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => {
                Err(VmError::ty(format!("{builtin}: {name} must be a string, got {}", value.type_name())))
            }
        },
    }
}

/// Outbound connectors are the orchestrator's: in a plain run none is active (spec 06 section 5.5).
fn connector_call(args: &[Value]) -> NativeResult {
    let name = |i: usize| args.get(i).filter(|v| !v.is_nil()).map(display).unwrap_or_default();
    let (provider, method) = (name(0), name(1));
    if provider.is_empty() {
        return thrown("connector_call: provider is required");
    }
    if method.is_empty() {
        return thrown("connector_call: method is required");
    }
    thrown(format!("connector_call: connector `{provider}` is not active"))
}

fn emit(args: &[Value]) -> NativeResult {
    const NAME: &str = "event_log.emit";
    let topic = string_of(NAME, args, 0, "topic")?;
    let kind = string_of(NAME, args, 1, "kind")?;
    let headers = get(args, 3);
    let mut texts = BTreeMap::new();
    match headers.view() {
        View::Nil => {}
        View::Dict(fields) => {
            for (name, value) in fields.iter() {
                let Some(text) = value.as_str() else {
                    return type_error(format!(
                        "{NAME}: header '{name}' must be a string, got {}",
                        value.type_name()
                    ));
                };
                texts.insert(name.to_owned(), Data::from(text));
            }
        }
        _ => return type_error(format!("{NAME}: headers must be a dict, got {}", headers.type_name())),
    }
    let event = [
        ("topic", Data::from(topic)),
        ("kind", Data::from(kind)),
        ("payload", plain(get(args, 2))),
        ("headers", Data::Dict(texts)),
    ];
    effect(Op::EventAppend, Data::dict(event))
}

/// `(option, session_id, stable, mock_model)`.
fn admit(args: &[Value]) -> NativeResult {
    // Without the option a budget that the operator declares may still bind.
    let option = get(args, 0);
    // Fields that are no plain data stand as bytes; messages name their types.
    let mut odd_types = BTreeMap::new();
    let option = match option.view() {
        View::Nil => Data::Nil,
        View::Dict(fields) => Data::Dict(
            fields
                .iter()
                .map(|(name, value)| {
                    let data = to_data(value).unwrap_or_else(|_| {
                        odd_types.insert(name.to_owned(), Data::from(value.type_name()));
                        Data::Bytes(Vec::new())
                    });
                    (name.to_owned(), data)
                })
                .collect(),
        ),
        // Whatever it is, it is no dict.
        _ => Data::Bool(false),
    };
    effect(
        Op::AutonomyReserve,
        Data::dict([
            ("label", Data::from("agent_loop")),
            ("option", option),
            ("odd_types", Data::Dict(odd_types)),
            ("session_id", text(args, 1).into_owned().into()),
            ("stable", get(args, 2).truthy().into()),
            ("mock_model", get(args, 3).truthy().into()),
        ]),
    )
}

fn decision(cx: &mut NativeCtx<'_>, args: &[Value]) -> NativeResult {
    let request = Data::dict([("builtin", Data::from(cx.builtin_name())), ("decision", plain(get(args, 0)))]);
    effect_then(Op::TrustRecord, request, |_: &mut NativeCtx<'_>, outcome: Outcome| {
        let record = outcome.map_err(VmError::raised)?;
        Ok(Flow::Value(from_data(record.field("record_id").clone())))
    })
}

fn query(cx: &mut NativeCtx<'_>, args: &[Value]) -> NativeResult {
    let filters = args.first().map_or_else(|| Data::dict::<&str>([]), plain);
    effect(Op::TrustQuery, Data::dict([("builtin", Data::from(cx.builtin_name())), ("filters", filters)]))
}

/// `(agent, action?)`.
fn score(cx: &mut NativeCtx<'_>, args: &[Value], op: Op, name: &str) -> NativeResult {
    let builtin = cx.builtin_name();
    let agent = match args.first() {
        None => return runtime_error(format!("{builtin}: missing string argument `{name}`")),
        Some(value) => match value.as_str() {
            Some(text) => text,
            None => {
                let kind = value.type_name();
                return runtime_error(format!("{builtin}: argument `{name}` must be a string, got {kind}"));
            }
        },
    };
    let action = get(args, 1);
    if !action.is_nil() && action.as_str().is_none() {
        let kind = action.type_name();
        return runtime_error(format!("{builtin}: argument `action` must be a string, got {kind}"));
    }
    effect(op, Data::dict([("agent", Data::from(agent)), ("action", plain(action))]))
}

/// `(answer, default)`: the answer in the type of the default.
fn convert(args: &[Value]) -> NativeResult {
    let (answer, default) = (get(args, 0), get(args, 1));
    let Ok(plain_default) = to_data(default) else { return done(default.clone()) };
    let plain_answer = plain(answer);
    let display = display(answer);
    done(from_data(convert_data(plain_answer, &plain_default, &display)))
}

/// Spec 08 section 4.1: the default decides the type; an answer of no use gives the default.
fn convert_data(answer: Data, default: &Data, display: &str) -> Data {
    let converted = match (default, &answer) {
        (Data::Nil, _) => Some(answer),
        (Data::Int(_), Data::Int(_))
        | (Data::Float(_), Data::Float(_))
        | (Data::Bool(_), Data::Bool(_))
        | (Data::Duration(_), Data::Duration(_)) => Some(answer),
        (Data::Int(_), Data::Float(x)) if x.is_finite() => Some(Data::Int(*x as i64)),
        (Data::Int(_), Data::Str(text)) => text.trim().parse().ok().map(Data::Int),
        (Data::Float(_), Data::Int(n)) => Some(Data::Float(*n as f64)),
        (Data::Float(_), Data::Str(text)) => text.trim().parse().ok().map(Data::Float),
        (Data::Bool(_), Data::Str(text)) => match text.to_lowercase().as_str() {
            "true" => Some(Data::Bool(true)),
            "false" => Some(Data::Bool(false)),
            _ => None,
        },
        (Data::Str(_), _) => Some(Data::from(display)),
        (Data::Duration(_), Data::Int(ms)) => Some(Data::Duration(*ms)),
        (Data::Int(_) | Data::Float(_) | Data::Bool(_) | Data::Duration(_), _) => None,
        (other, _) if other.type_name() == answer.type_name() => Some(answer),
        _ => None,
    };
    converted.unwrap_or_else(|| default.clone())
}

/// `(time, message)`: a duration or a non-negative number of milliseconds, as an int.
fn millis(args: &[Value]) -> NativeResult {
    match get(args, 0).view() {
        View::Duration(ms) => done(ms),
        View::Int(ms) if ms >= 0 => done(ms),
        View::Float(ms) if ms >= 0.0 && ms.is_finite() => done(ms as i64),
        _ => runtime_error(text(args, 1).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_decides_the_type_of_an_answer() {
        let int = |answer: Data| convert_data(answer, &Data::Int(1), "");
        assert_eq!(int("42".into()), Data::Int(42));
        assert_eq!(int(Data::Float(3.9)), Data::Int(3));
        assert_eq!(int("many".into()), Data::Int(1));
        assert_eq!(int(Data::Bool(true)), Data::Int(1));
        assert_eq!(convert_data("TRUE".into(), &Data::Bool(false), ""), Data::Bool(true));
        assert_eq!(convert_data(Data::Int(7), &"seven".into(), "7"), "7".into());
        assert_eq!(convert_data(Data::Int(250), &Data::Duration(5000), ""), Data::Duration(250));
        assert_eq!(convert_data(Data::Int(250), &Data::List(vec![]), ""), Data::List(vec![]));
    }
}
