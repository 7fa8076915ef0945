//! The builtins that programs of the generator name (spec 02 sections 3.2, 10.5, 11, 13.5, 14.4; spec 05).

use std::sync::Arc;

use super::access::range_length;
use super::compare::{equal, in_set, set_of};
use super::value::Value;
use super::{Flow, Oracle, runtime_error, texts, thrown, type_error};

/// Those that the oracle knows.
const KNOWN: &[&str] = &[
    "println",
    "print",
    "log",
    "len",
    "to_string",
    "to_int",
    "to_float",
    "to_list",
    "type_of",
    "range",
    "pair",
    "iter",
    "Ok",
    "Err",
    "is_ok",
    "is_err",
    "unwrap",
    "unwrap_or",
    "unwrap_err",
    "set",
    "set_add",
    "set_remove",
    "set_contains",
    "set_union",
    "set_intersect",
    "set_difference",
    "set_symmetric_difference",
    "set_is_subset",
    "set_is_superset",
    "set_is_disjoint",
    "chunk",
    "window",
    "group_by",
    "flat_map",
    "dedup_by",
    "partition",
    "split",
    "join",
    "substring",
    "trim",
    "lowercase",
    "uppercase",
    "replace",
    "starts_with",
    "ends_with",
    "contains",
    "abs",
    "min",
    "max",
    "sign",
    "throw_error",
    "assert",
    "unreachable",
    "keys",
    "values",
];

pub fn known(name: &str) -> bool {
    KNOWN.contains(&name)
}

pub fn call(oracle: &Arc<Oracle>, name: &str, args: Vec<Value>) -> Result<Value, Flow> {
    let first = args.first().cloned().unwrap_or(Value::Nil);
    let second = args.get(1).cloned().unwrap_or(Value::Nil);
    let shown = |at: usize| args.get(at).map(Value::display).unwrap_or_default();
    Ok(match name {
        "println" => nothing(oracle.print(&format!("{}\n", shown(0))))?,
        "print" => nothing(oracle.print(&shown(0)))?,
        "log" => nothing(oracle.print(&format!("[harn] {}\n", shown(0))))?,
        "len" => Value::Int(match &first {
            Value::Str(text) => text.chars().count() as i64,
            Value::List(items) | Value::Set(items) => items.len() as i64,
            Value::Dict(entries) => entries.len() as i64,
            Value::Range { start, end, exclusive } => {
                range_length(*start, *end, *exclusive).min(i128::from(i64::MAX)) as i64
            }
            _ => 0,
        }),
        "to_string" => Value::str(first.display()),
        "to_int" => match &first {
            Value::Int(_) => first,
            Value::Float(f) => Value::Int(*f as i64),
            Value::Str(text) => whole_number(text).map_or(Value::Nil, Value::Int),
            _ => Value::Nil,
        },
        "to_float" => match &first {
            Value::Int(i) => Value::Float(*i as f64),
            Value::Float(_) => first,
            Value::Str(text) => text.parse().map_or(Value::Nil, Value::Float),
            _ => Value::Nil,
        },
        "to_list" => match &first {
            Value::List(_) => first,
            Value::Set(items) => Value::List(items.clone()),
            Value::Range { .. } | Value::Iter(_) => match oracle.iter(&first)? {
                Value::Iter(iter) => Value::list(oracle.drain(&iter)?),
                _ => return Err(Flow::Unsure),
            },
            Value::Generator(_) => return Err(Flow::Unsure),
            _ => Value::list(vec![first]),
        },
        "type_of" => Value::str(first.type_of()),
        "range" => match args.as_slice() {
            [Value::Int(n)] => Value::Range { start: 0, end: *n, exclusive: true },
            [Value::Int(a), Value::Int(b)] => Value::Range { start: *a, end: *b, exclusive: true },
            [_] => return Err(type_error("range(n): expected integer argument")),
            [_, _] => return Err(type_error("range(a, b): expected integer arguments")),
            _ => {
                let n = args.len();
                return Err(type_error(format!("range expects 1 or 2 integer arguments, got {n}")));
            }
        },
        "pair" => match args.as_slice() {
            [a, b] => Value::pair(a.clone(), b.clone()),
            _ => return Err(type_error(format!("pair: expected 2 arguments, got {}", args.len()))),
        },
        "iter" if args.is_empty() => return Err(type_error("iter: expected 1 argument")),
        "iter" => oracle.iter(&first)?,
        "Ok" | "Err" => Value::result(name, first),
        "is_ok" => Value::Bool(result(&first).is_some_and(|(ok, _)| ok)),
        "is_err" => Value::Bool(result(&first).is_some_and(|(ok, _)| !ok)),
        "unwrap" => match result(&first) {
            Some((true, inner)) => inner,
            Some((false, error)) => {
                return Err(runtime_error(format!("unwrap called on Err: {}", error.display())));
            }
            None => first,
        },
        "unwrap_or" => match result(&first) {
            Some((true, inner)) => inner,
            Some((false, _)) => second,
            None => first,
        },
        "unwrap_err" => match result(&first) {
            Some((false, error)) => error,
            _ => return Err(runtime_error("unwrap_err called on non-Err")),
        },
        "set" => set_of(args.iter().flat_map(|arg| match arg {
            Value::List(items) | Value::Set(items) => (**items).clone(),
            other => vec![other.clone()],
        })),
        _ if name.starts_with("set_") => set_builtin(oracle, name, &args)?,
        "chunk" | "window" | "group_by" | "flat_map" | "dedup_by" | "partition" => {
            oracle.list_builtin(name, &args)?
        }
        "split" => texts::split(&shown(0), &args.get(1).map_or(" ".to_owned(), Value::display)),
        "join" => match &first {
            Value::List(items) => {
                Value::str(items.iter().map(Value::display).collect::<Vec<_>>().join(&shown(1)))
            }
            _ => Value::str(""),
        },
        "substring" => {
            let text = shown(0);
            let (Value::Int(start), Some(Value::Int(_)) | None) = (&second, args.get(2)) else {
                return Err(Flow::Unsure);
            };
            let start = usize::try_from(*start).unwrap_or(0);
            let left = text.chars().skip(start);
            match args.get(2) {
                Some(Value::Int(n)) => {
                    Value::str(left.take(usize::try_from(*n).unwrap_or(0)).collect::<String>())
                }
                _ => Value::str(left.collect::<String>()),
            }
        }
        "trim" | "lowercase" | "uppercase" | "starts_with" | "ends_with" => {
            oracle.text_method(&shown(0).into(), name, args.get(1..).unwrap_or_default())?
        }
        "replace" if args.len() >= 3 => oracle.text_method(&shown(0).into(), name, &args[1..])?,
        "contains" => Value::Bool(match &first {
            Value::Str(text) => text.contains(&second.display()),
            Value::List(items) => items.iter().any(|item| equal(item, &second)),
            _ => false,
        }),
        "abs" => match &first {
            Value::Int(i) => i.checked_abs().map_or(Value::Float(-(*i as f64)), Value::Int),
            Value::Float(f) => Value::Float(f.abs()),
            _ => Value::Nil,
        },
        "sign" => match &first {
            Value::Int(i) => Value::Int(i.signum()),
            _ => return Err(Flow::Unsure),
        },
        "min" | "max" => match (&first, &second) {
            (Value::Int(a), Value::Int(b)) if name == "min" => Value::Int(*a.min(b)),
            (Value::Int(a), Value::Int(b)) => Value::Int(*a.max(b)),
            _ => return Err(Flow::Unsure),
        },
        "throw_error" => return Err(Flow::Unsure),
        "assert" => match (first.truthy(), args.get(1)) {
            (true, _) => Value::Nil,
            (false, None) => return Err(thrown("Assertion failed")),
            (false, Some(message)) => return Err(thrown(message.display())),
        },
        "unreachable" if args.is_empty() => return Err(runtime_error("unreachable code was reached")),
        "unreachable" => {
            return Err(runtime_error(format!("unreachable code was reached: {}", first.display())));
        }
        "keys" | "values" => match &first {
            Value::Dict(_) => oracle.method(first, name, Vec::new())?,
            _ => Value::list(Vec::new()),
        },
        // The wording depends on what is spelt nearly alike.
        _ => return Err(Flow::Unsure),
    })
}

fn nothing(done: Result<(), Flow>) -> Result<Value, Flow> {
    done.map(|()| Value::Nil)
}

/// Whether a `Result` is `Ok`, and what it holds.
fn result(value: &Value) -> Option<(bool, Value)> {
    match value {
        Value::Enum { name, variant, fields } if &**name == "Result" => {
            Some((&**variant == "Ok", fields.first().cloned().unwrap_or(Value::Nil)))
        }
        _ => None,
    }
}

/// Exactly an optional sign and digits.
fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn set_builtin(oracle: &Arc<Oracle>, name: &str, args: &[Value]) -> Result<Value, Flow> {
    let method = name.strip_prefix("set_").unwrap_or(name);
    let first = args.first().cloned().unwrap_or(Value::Nil);
    match (&first, args.get(1)) {
        (Value::Set(items), Some(x)) if method == "contains" => Ok(Value::Bool(in_set(items, x))),
        (_, _) if method == "contains" => Ok(Value::Bool(false)),
        (Value::Set(_), Some(_)) if matches!(method, "add" | "remove") => {
            oracle.method(first.clone(), method, args.get(1..).unwrap_or_default().to_vec())
        }
        (Value::Set(_), Some(Value::Set(_))) => {
            oracle.method(first.clone(), method, args.get(1..).unwrap_or_default().to_vec())
        }
        (_, _) if matches!(method, "add" | "remove") => {
            Err(thrown(format!("{name}: first argument must be a set")))
        }
        _ => Err(thrown(format!("{name}: arguments must be sets"))),
    }
}
