//! Methods: which one a call means, and those of lists, dicts, sets and ranges (spec 02 section 14).

use std::sync::Arc;

use super::access::{clamped, part, range_length};
use super::compare::{equal, in_set, same_key, set_of, total};
use super::iterate::{extreme, step};
use super::value::Value;
use super::{Flow, Oracle, type_error};

impl Oracle {
    /// `receiver.method(args)`.
    pub(super) fn method(
        self: &Arc<Self>,
        receiver: Value,
        method: &str,
        args: Vec<Value>,
    ) -> Result<Value, Flow> {
        self.step()?;
        self.weigh(&receiver)?;
        match &receiver {
            Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Str(_) | Value::Generator(_)
                if method == "iter" =>
            {
                self.iter(&receiver)
            }
            Value::Str(text) => self.text_method(text, method, &args),
            Value::List(items) => self.list_method(items, method, &args),
            Value::Dict(entries) => {
                let known = self.dict_method(entries, method, &args)?;
                match (known, entries.get(method)) {
                    (Some(value), _) => Ok(value),
                    (None, Some(stored)) if stored.callable() => self.call(stored, args),
                    (None, _) => Ok(Value::Nil),
                }
            }
            Value::Set(items) => self.set_method(items, method, &args),
            Value::Range { start, end, exclusive } => {
                self.range_method(&receiver, (*start, *end, *exclusive), method, &args)
            }
            Value::Iter(iter) => self.iter_method(iter, method, &args),
            Value::Generator(coroutine) if method == "next" => Ok(step(coroutine.next()?)),
            Value::Struct { name, .. } | Value::Enum { name, .. } => {
                let key = (name.to_string(), method.to_owned());
                match self.methods.get(&key).cloned() {
                    Some(function) => self.call(&function, [vec![receiver], args].concat()),
                    None => Ok(Value::Nil),
                }
            }
            _ => Ok(Value::Nil),
        }
    }

    fn list_method(
        self: &Arc<Self>,
        items: &Arc<Vec<Value>>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Flow> {
        let whole = Value::List(items.clone());
        let int = |at: usize, default: i64| match args.get(at) {
            Some(Value::Int(n)) => *n,
            _ => default,
        };
        let count = |at: usize, default: i64| usize::try_from(int(at, default).max(0)).unwrap_or(usize::MAX);
        let length = items.len();
        Ok(match method {
            "count" => Value::Int(length as i64),
            "empty" => Value::Bool(items.is_empty()),
            "first" if args.is_empty() => items.first().cloned().unwrap_or(Value::Nil),
            "last" if args.is_empty() => items.last().cloned().unwrap_or(Value::Nil),
            "first" => part(&whole, 0, count(0, 0)),
            "last" => part(&whole, length - count(0, 0).min(length), length),
            "take" => part(&whole, 0, count(0, 0)),
            "skip" => part(&whole, count(0, 0), length),
            "slice" => part(&whole, clamped(int(0, 0), length), clamped(int(1, length as i64), length)),
            "reduce" => {
                let Some(f) = args.get(1).filter(|f| f.callable()) else { return Err(Flow::Unsure) };
                let mut folded = args.first().cloned().unwrap_or(Value::Nil);
                for item in items.iter() {
                    folded = self.call(f, vec![folded, item.clone()])?;
                }
                folded
            }
            "flatten" => {
                let mut flat = Vec::new();
                for item in items.iter() {
                    match item {
                        Value::List(inner) => flat.extend(inner.iter().cloned()),
                        other => flat.push(other.clone()),
                    }
                }
                Value::list(flat)
            }
            "sort" => {
                let mut sorted = (**items).clone();
                sorted.sort_by(total);
                Value::list(sorted)
            }
            "min" => extreme((**items).clone(), true),
            "max" => extreme((**items).clone(), false),
            "sum" => sum(items),
            "reverse" => Value::list(items.iter().rev().cloned().collect()),
            "join" => {
                let separator = args.first().map(Value::display).unwrap_or_default();
                Value::str(items.iter().map(Value::display).collect::<Vec<_>>().join(&separator))
            }
            "contains" => Value::Bool(args.first().is_some_and(|x| items.iter().any(|item| equal(item, x)))),
            "index_of" => {
                let found = args.first().and_then(|x| items.iter().position(|item| equal(item, x)));
                Value::Int(found.map_or(-1, |at| at as i64))
            }
            "enumerate" => {
                let entry = |(at, item): (usize, &Value)| {
                    Value::dict([("index", Value::Int(at as i64)), ("value", item.clone())])
                };
                Value::list(items.iter().enumerate().map(entry).collect())
            }
            "zip" => match args.first() {
                Some(Value::List(others)) => {
                    let pair = |(a, b): (&Value, &Value)| Value::list(vec![a.clone(), b.clone()]);
                    Value::list(items.iter().zip(others.iter()).map(pair).collect())
                }
                _ => Value::list(Vec::new()),
            },
            "push" => Value::list(items.iter().chain(args.first()).cloned().collect()),
            "pop" => part(&whole, 0, length.saturating_sub(1)),
            "unique" => Value::list(unique(items.iter().map(|item| (item.clone(), item.clone())))),
            "compact" => {
                Value::list(items.iter().filter(|item| !matches!(item, Value::Nil)).cloned().collect())
            }
            "tally" => {
                let mut counts = std::collections::BTreeMap::new();
                for item in items.iter() {
                    *counts.entry(item.display()).or_insert(0) += 1;
                }
                Value::dict(counts.into_iter().map(|(k, n)| (k, Value::Int(n))))
            }
            "chunk" | "each_slice" => {
                let size = count(0, 1).max(1);
                Value::list(items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect())
            }
            "window" | "each_cons" | "sliding_window" => {
                let (size, step) = (count(0, 2).max(1), count(1, 1).max(1));
                let windows = items.windows(size).step_by(step);
                Value::list(windows.map(|window| Value::list(window.to_vec())).collect())
            }
            "none" if args.is_empty() => Value::Bool(items.is_empty()),
            "map" | "filter" | "find" | "find_index" | "any" | "all" | "every" | "none" | "flat_map"
            | "sort_by" | "min_by" | "max_by" | "partition" | "group_by" => {
                // What a missing callback means has exceptions and amendments; programs give one.
                let Some(f) = args.first().filter(|f| f.callable()) else { return Err(Flow::Unsure) };
                self.with_callback(items, method, f)?
            }
            _ => Value::Nil,
        })
    }

    fn with_callback(self: &Arc<Self>, items: &[Value], method: &str, f: &Value) -> Result<Value, Flow> {
        let mut answers = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let answer = self.call(f, vec![item.clone()])?;
            match (method, answer.truthy()) {
                ("find", true) => return Ok(item.clone()),
                ("find_index", true) => return Ok(Value::Int(at as i64)),
                ("any", true) => return Ok(Value::Bool(true)),
                ("all" | "every", false) => return Ok(Value::Bool(false)),
                ("none", true) => return Ok(Value::Bool(false)),
                _ => answers.push(answer),
            }
        }
        let answered = items.iter().cloned().zip(answers);
        Ok(match method {
            "map" => Value::list(answered.map(|(_, answer)| answer).collect()),
            "filter" => Value::list(answered.filter(|(_, a)| a.truthy()).map(|(item, _)| item).collect()),
            "find" => Value::Nil,
            "find_index" => Value::Int(-1),
            "any" => Value::Bool(false),
            "all" | "every" | "none" => Value::Bool(true),
            "flat_map" => {
                let spliced = answered.flat_map(|(_, answer)| match answer {
                    Value::List(inner) => (*inner).clone(),
                    other => vec![other],
                });
                Value::list(spliced.collect())
            }
            "sort_by" => {
                let mut keyed: Vec<_> = answered.collect();
                keyed.sort_by(|(_, a), (_, b)| total(a, b));
                Value::list(keyed.into_iter().map(|(item, _)| item).collect())
            }
            "min_by" | "max_by" => {
                let mut best: Option<(Value, Value)> = None;
                for (item, key) in answered {
                    let better = best.as_ref().is_none_or(|(_, best)| match method {
                        "min_by" => total(&key, best).is_lt(),
                        _ => total(&key, best).is_gt(),
                    });
                    if better {
                        best = Some((item, key));
                    }
                }
                best.map_or(Value::Nil, |(item, _)| item)
            }
            "partition" => {
                let (yes, no): (Vec<_>, Vec<_>) = answered.partition(|(_, answer)| answer.truthy());
                let items =
                    |part: Vec<(Value, Value)>| Value::list(part.into_iter().map(|(i, _)| i).collect());
                Value::list(vec![items(yes), items(no)])
            }
            _ => {
                let mut groups: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
                for (item, key) in answered {
                    groups.entry(key.display()).or_default().push(item);
                }
                Value::dict(groups.into_iter().map(|(key, group)| (key, Value::list(group))))
            }
        })
    }

    fn dict_method(
        self: &Arc<Self>,
        entries: &Arc<std::collections::BTreeMap<String, Value>>,
        method: &str,
        args: &[Value],
    ) -> Result<Option<Value>, Flow> {
        let key = || args.first().map_or("nil".to_owned(), Value::display);
        let all = || entries.iter().map(|(k, v)| (k.clone(), v.clone()));
        let callback = || args.first().filter(|f| f.callable()).ok_or(Flow::Unsure);
        Ok(Some(match method {
            "keys" => Value::list(entries.keys().map(Value::str).collect()),
            "values" => Value::list(entries.values().cloned().collect()),
            "entries" => {
                let entry = |(k, v): (String, Value)| Value::dict([("key", Value::str(k)), ("value", v)]);
                Value::list(all().map(entry).collect())
            }
            "count" => Value::Int(entries.len() as i64),
            "has" => Value::Bool(entries.contains_key(&key())),
            "get" => match entries.get(&key()) {
                Some(value) => value.clone(),
                None => args.get(1).cloned().unwrap_or(Value::Nil),
            },
            "merge" => match args.first() {
                Some(Value::Dict(other)) => {
                    Value::dict(all().chain(other.iter().map(|(k, v)| (k.clone(), v.clone()))))
                }
                _ => Value::Dict(entries.clone()),
            },
            "remove" => {
                let gone = key();
                Value::dict(all().filter(|(k, _)| *k != gone))
            }
            "map_values" | "filter" => {
                let f = callback()?;
                let mut kept = Vec::new();
                for (k, v) in all() {
                    let answer = self.call(f, vec![v.clone()])?;
                    match method {
                        "map_values" => kept.push((k, answer)),
                        _ if answer.truthy() => kept.push((k, v)),
                        _ => {}
                    }
                }
                Value::dict(kept)
            }
            "rekey" | "map_keys" => {
                let f = callback()?;
                let mut kept = Vec::new();
                for (k, v) in all() {
                    kept.push((self.call(f, vec![Value::str(k)])?.display(), v));
                }
                Value::dict(kept)
            }
            _ => return Ok(None),
        }))
    }

    fn set_method(
        self: &Arc<Self>,
        items: &Arc<Vec<Value>>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Flow> {
        let other = match args.first() {
            Some(Value::Set(other)) => Some(other.clone()),
            _ => None,
        };
        let own = || items.iter().cloned();
        let whole = Value::Set(items.clone());
        Ok(match (method, args.first()) {
            ("count" | "len", _) => Value::Int(items.len() as i64),
            ("empty", _) => Value::Bool(items.is_empty()),
            ("to_list", _) => Value::List(items.clone()),
            ("contains", Some(x)) => Value::Bool(in_set(items, x)),
            ("add", Some(x)) => set_of(own().chain([x.clone()])),
            ("remove" | "delete", Some(x)) => {
                set_of(own().filter(|item| !in_set(std::slice::from_ref(x), item)))
            }
            ("union", _) => match other {
                Some(other) => set_of(own().chain(other.iter().cloned())),
                None => whole,
            },
            ("intersect" | "intersection" | "difference", _) => match (other, method) {
                (Some(other), "difference") => set_of(own().filter(|item| !in_set(&other, item))),
                (Some(other), _) => set_of(own().filter(|item| in_set(&other, item))),
                (None, "intersect") => set_of([]),
                (None, _) => whole,
            },
            ("symmetric_difference", _) => match other {
                Some(other) => {
                    let theirs = other.iter().filter(|item| !in_set(items, item)).cloned();
                    set_of(own().filter(|item| !in_set(&other, item)).chain(theirs))
                }
                None => whole,
            },
            ("is_subset", _) => Value::Bool(other.is_some_and(|other| own().all(|x| in_set(&other, &x)))),
            ("is_superset", _) => {
                Value::Bool(other.is_some_and(|other| other.iter().all(|x| in_set(items, x))))
            }
            ("is_disjoint", _) => Value::Bool(other.is_none_or(|other| !own().any(|x| in_set(&other, &x)))),
            ("map", Some(f)) if f.callable() => {
                let mut mapped = Vec::new();
                for item in own() {
                    mapped.push(self.call(f, vec![item])?);
                }
                set_of(mapped)
            }
            ("filter", Some(f)) if f.callable() => match self.with_callback(items, "filter", f)? {
                Value::List(kept) => Value::Set(kept),
                _ => return Err(Flow::Unsure),
            },
            ("any" | "all" | "every", Some(f)) if f.callable() => self.with_callback(items, method, f)?,
            ("map" | "filter" | "any" | "all" | "every" | "contains" | "add" | "remove" | "delete", _) => {
                return Err(Flow::Unsure);
            }
            _ => Value::Nil,
        })
    }

    fn range_method(
        self: &Arc<Self>,
        range: &Value,
        (start, end, exclusive): (i64, i64, bool),
        method: &str,
        args: &[Value],
    ) -> Result<Value, Flow> {
        let length = range_length(start, end, exclusive);
        Ok(match method {
            "len" | "count" => Value::Int(length.min(i128::from(i64::MAX)) as i64),
            "empty" => Value::Bool(length == 0),
            "first" if length == 0 => Value::Nil,
            "last" if length == 0 => Value::Nil,
            "first" => Value::Int(start),
            "last" => Value::Int(end - i64::from(exclusive)),
            "contains" => Value::Bool(match args.first() {
                Some(Value::Int(i)) => {
                    length > 0 && start <= *i && i128::from(*i) < i128::from(start) + length
                }
                _ => false,
            }),
            "to_string" => Value::str(range.display()),
            _ => match self.iter(range)? {
                Value::Iter(iter) => self.iter_method(&iter, method, args)?,
                _ => return Err(Flow::Unsure),
            },
        })
    }

    /// Builtins over lists (spec 02 section 13.5).
    pub(super) fn list_builtin(self: &Arc<Self>, name: &str, args: &[Value]) -> Result<Value, Flow> {
        let Some(Value::List(items)) = args.first() else {
            let got = args.first().map_or("nil", Value::type_of);
            return Err(type_error(format!("{name}: first argument must be a list, got {got}")));
        };
        if matches!(name, "chunk" | "window") {
            return self.list_method(items, name, args.get(1..).unwrap_or_default());
        }
        let Some(f) = args.get(1) else {
            return Err(super::runtime_error(format!("{name}: callback is required")));
        };
        if !f.callable() {
            return Err(type_error(format!("{name}: callback must be callable, got {}", f.type_of())));
        }
        match name {
            "dedup_by" => {
                let mut keyed = Vec::new();
                for item in items.iter() {
                    keyed.push((item.clone(), self.call(f, vec![item.clone()])?));
                }
                Ok(Value::list(unique(keyed.into_iter())))
            }
            "partition" => match self.with_callback(items, "partition", f)? {
                Value::List(parts) => {
                    Ok(Value::dict([("match", parts[0].clone()), ("no_match", parts[1].clone())]))
                }
                _ => Err(Flow::Unsure),
            },
            _ => self.with_callback(items, name, f),
        }
    }
}

/// The first item of each key.
fn unique(keyed: impl Iterator<Item = (Value, Value)>) -> Vec<Value> {
    let mut kept: Vec<(Value, Value)> = Vec::new();
    for (item, key) in keyed {
        if !kept.iter().any(|(_, known)| same_key(known, &key)) {
            kept.push((item, key));
        }
    }
    kept.into_iter().map(|(item, _)| item).collect()
}

fn sum(items: &[Value]) -> Value {
    if items.iter().any(|item| matches!(item, Value::Float(_))) {
        let floats = items.iter().filter_map(|item| match item {
            Value::Int(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            _ => None,
        });
        return Value::Float(floats.fold(0.0, |sum, x| sum + x));
    }
    let ints = items.iter().filter_map(|item| match item {
        Value::Int(i) => Some(*i),
        _ => None,
    });
    Value::Int(ints.fold(0, i64::wrapping_add))
}
