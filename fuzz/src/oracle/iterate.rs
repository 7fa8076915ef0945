//! What can be iterated, lazy iterators, generators (spec 02 sections 9.3 and 13).

use std::sync::Arc;

use super::compare::{set_of, total};
use super::value::{Iter, Value};
use super::{Flow, Oracle, type_error};

impl Oracle {
    /// The items of a `for` loop, a snapshot of the collection.
    pub(super) fn for_items(&self, source: &Value) -> Result<Arc<Iter>, Flow> {
        let Value::Dict(entries) = source else {
            return match source {
                Value::Nil => Ok(over(std::iter::empty())),
                _ => lift(source).ok_or_else(|| type_error(format!("cannot iterate {}", source.type_of()))),
            };
        };
        let entries: Vec<_> = entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let entry = |(k, v): (String, Value)| Value::dict([("key", Value::str(k)), ("value", v)]);
        Ok(over(entries.into_iter().map(entry)))
    }

    /// `iter(x)`.
    pub(super) fn iter(&self, source: &Value) -> Result<Value, Flow> {
        lift(source)
            .map(Value::Iter)
            .ok_or_else(|| type_error(format!("iter: value of type {} is not iterable", source.type_of())))
    }

    pub(super) fn drain(&self, iter: &Iter) -> Result<Vec<Value>, Flow> {
        let mut items = Vec::new();
        while let Some(item) = iter.next()? {
            self.step()?;
            items.push(item);
        }
        Ok(items)
    }

    /// Methods of iters (spec 02 section 13.2).
    pub(super) fn iter_method(
        self: &Arc<Self>,
        iter: &Arc<Iter>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Flow> {
        let argument = |at: usize| args.get(at).cloned().unwrap_or(Value::Nil);
        let callback = || match args.first() {
            Some(f) if f.callable() => Ok(f.clone()),
            _ => Err(type_error(format!("iter.{method}: expected callable"))),
        };
        let count = || match args.first() {
            Some(Value::Int(n)) if *n >= 0 => Ok(*n),
            _ => Err(type_error(format!("iter.{method}: expected non-negative int"))),
        };
        let source = iter.clone();
        let oracle = self.clone();
        Ok(match method {
            "iter" => Value::Iter(source),
            "map" => {
                let f = callback()?;
                Iter::lazy(move || match source.next()? {
                    Some(item) => oracle.call(&f, vec![item]).map(Some),
                    None => Ok(None),
                })
            }
            "filter" => {
                let f = callback()?;
                Iter::lazy(move || {
                    while let Some(item) = source.next()? {
                        if oracle.call(&f, vec![item.clone()])?.truthy() {
                            return Ok(Some(item));
                        }
                    }
                    Ok(None)
                })
            }
            "flat_map" => {
                let f = callback()?;
                let mut inner: Option<Arc<Iter>> = None;
                Iter::lazy(move || {
                    loop {
                        if let Some(item) = inner.as_ref().map_or(Ok(None), |inner| inner.next())? {
                            return Ok(Some(item));
                        }
                        let Some(item) = source.next()? else { return Ok(None) };
                        match oracle.iter(&oracle.call(&f, vec![item])?)? {
                            Value::Iter(next) => inner = Some(next),
                            _ => return Err(Flow::Unsure),
                        }
                    }
                })
            }
            "take" => {
                let mut left = count()?;
                Iter::lazy(move || {
                    if left == 0 {
                        return Ok(None);
                    }
                    left -= 1;
                    source.next()
                })
            }
            "skip" => {
                let mut left = count()?;
                Iter::lazy(move || {
                    while left > 0 {
                        left -= 1;
                        if source.next()?.is_none() {
                            return Ok(None);
                        }
                    }
                    source.next()
                })
            }
            "take_while" => {
                let f = callback()?;
                Iter::lazy(move || match source.next()? {
                    Some(item) if oracle.call(&f, vec![item.clone()])?.truthy() => Ok(Some(item)),
                    _ => Ok(None),
                })
            }
            "skip_while" => {
                let f = callback()?;
                let mut skipping = true;
                Iter::lazy(move || {
                    while let Some(item) = source.next()? {
                        if !skipping || !oracle.call(&f, vec![item.clone()])?.truthy() {
                            skipping = false;
                            return Ok(Some(item));
                        }
                    }
                    Ok(None)
                })
            }
            "zip" | "chain" => {
                let Some(other) = args.first().and_then(lift) else {
                    return Err(type_error(format!("iter.{method}: expected iterable argument")));
                };
                if method == "zip" {
                    return Ok(Iter::lazy(move || match source.next()? {
                        Some(left) => Ok(other.next()?.map(|right| Value::pair(left, right))),
                        None => Ok(None),
                    }));
                }
                Iter::lazy(move || match source.next()? {
                    Some(item) => Ok(Some(item)),
                    None => other.next(),
                })
            }
            "enumerate" => {
                let mut at = 0;
                Iter::lazy(move || {
                    let item = source.next()?;
                    at += 1;
                    Ok(item.map(|item| Value::pair(Value::Int(at - 1), item)))
                })
            }
            "chunks" => {
                let Value::Int(n @ 1..) = argument(0) else {
                    return Err(type_error("iter.chunks: chunk size must be positive"));
                };
                Iter::lazy(move || {
                    let mut chunk = Vec::new();
                    while (chunk.len() as i64) < n {
                        match source.next()? {
                            Some(item) => chunk.push(item),
                            None => break,
                        }
                    }
                    Ok((!chunk.is_empty()).then(|| Value::list(chunk)))
                })
            }
            "windows" => {
                let Value::Int(n @ 1..) = argument(0) else {
                    return Err(type_error("iter.windows: window size must be positive"));
                };
                let mut window: Vec<Value> = Vec::new();
                Iter::lazy(move || {
                    if window.len() as i64 == n {
                        window.remove(0);
                    }
                    while (window.len() as i64) < n {
                        match source.next()? {
                            Some(item) => window.push(item),
                            None => return Ok(None),
                        }
                    }
                    Ok(Some(Value::list(window.clone())))
                })
            }
            "to_list" => Value::list(self.drain(iter)?),
            "to_set" => set_of(self.drain(iter)?),
            "to_dict" => {
                let mut entries = Vec::new();
                while let Some(item) = iter.next()? {
                    let Value::Pair(pair) = &item else {
                        return Err(type_error(format!(
                            "iter.to_dict: expected pair, got {}",
                            item.type_of()
                        )));
                    };
                    let Value::Str(key) = &pair.0 else {
                        return Err(type_error(format!(
                            "iter.to_dict: expected string key, got {}",
                            pair.0.type_of()
                        )));
                    };
                    entries.push((key.to_string(), pair.1.clone()));
                }
                Value::dict(entries)
            }
            "count" => Value::Int(self.drain(iter)?.len() as i64),
            "sum" => {
                let (mut ints, mut floats, mut any_float) = (0_i64, 0.0, false);
                while let Some(item) = iter.next()? {
                    match item {
                        Value::Int(i) if !any_float => ints = ints.wrapping_add(i),
                        Value::Int(i) => floats += i as f64,
                        Value::Float(f) => {
                            if !any_float {
                                floats = ints as f64;
                            }
                            any_float = true;
                            floats += f;
                        }
                        other => {
                            return Err(type_error(format!(
                                "iter.sum: expected number, got {}",
                                other.type_of()
                            )));
                        }
                    }
                }
                if any_float { Value::Float(floats) } else { Value::Int(ints) }
            }
            "min" | "max" => extreme(self.drain(iter)?, method == "min"),
            "reduce" => {
                if args.len() < 2 {
                    return Err(type_error("iter.reduce: expected (init, fn)"));
                }
                let f = argument(1);
                if !f.callable() {
                    return Err(type_error("iter.reduce: second arg must be callable"));
                }
                let mut folded = argument(0);
                while let Some(item) = iter.next()? {
                    folded = self.call(&f, vec![folded, item])?;
                }
                folded
            }
            "first" => iter.next()?.unwrap_or(Value::Nil),
            "last" => self.drain(iter)?.pop().unwrap_or(Value::Nil),
            "any" | "all" | "find" => {
                let f = callback()?;
                while let Some(item) = iter.next()? {
                    let holds = self.call(&f, vec![item.clone()])?.truthy();
                    match method {
                        "any" if holds => return Ok(Value::Bool(true)),
                        "all" if !holds => return Ok(Value::Bool(false)),
                        "find" if holds => return Ok(item),
                        _ => {}
                    }
                }
                match method {
                    "any" => Value::Bool(false),
                    "all" => Value::Bool(true),
                    _ => Value::Nil,
                }
            }
            "for_each" => {
                let f = callback()?;
                while let Some(item) = iter.next()? {
                    self.call(&f, vec![item])?;
                }
                Value::Nil
            }
            "next" => step(iter.next()?),
            _ => Value::Nil,
        })
    }
}

/// `{done, value}`.
pub fn step(item: Option<Value>) -> Value {
    let done = Value::Bool(item.is_none());
    Value::dict([("done", done), ("value", item.unwrap_or(Value::Nil))])
}

/// The least or greatest item; the first of equal ones.
pub fn extreme(items: Vec<Value>, least: bool) -> Value {
    let better = |a: &Value, b: &Value| if least { total(a, b).is_lt() } else { total(a, b).is_gt() };
    let mut best: Option<Value> = None;
    for item in items {
        if best.as_ref().is_none_or(|best| better(&item, best)) {
            best = Some(item);
        }
    }
    best.unwrap_or(Value::Nil)
}

/// The iterator over a value, if it has one.
fn lift(source: &Value) -> Option<Arc<Iter>> {
    let iter = match source {
        Value::Iter(iter) => return Some(iter.clone()),
        Value::List(items) | Value::Set(items) => over((**items).clone().into_iter()),
        Value::Dict(entries) => {
            let entries: Vec<_> = entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            over(entries.into_iter().map(|(k, v)| Value::pair(Value::str(k), v)))
        }
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            over(chars.into_iter().map(|c| Value::str(c.to_string())))
        }
        Value::Range { start, end, exclusive } => {
            let (start, end) = (i128::from(*start), i128::from(*end) + i128::from(!exclusive));
            over((start..end).map(|i| Value::Int(i as i64)))
        }
        Value::Generator(coroutine) => {
            let coroutine = coroutine.clone();
            Iter::over(move || coroutine.next())
        }
        _ => return None,
    };
    Some(iter)
}

fn over(mut items: impl Iterator<Item = Value> + Send + 'static) -> Arc<Iter> {
    Iter::over(move || Ok(items.next()))
}
