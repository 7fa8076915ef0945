//! Regular expressions (spec 05 section 5.2).

use std::collections::HashMap;
use std::rc::Rc;

use harn_vm::{NativeCtx, NativeResult, Value};
use regex::{Regex, RegexBuilder};

use crate::arguments::{Body, done, given_text, text, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("regex_match", |cx, a| {
        with_regex(cx, &text(a, 0), &given_text(a, 2).unwrap_or_default(), |regex| {
            let subject = text(a, 1);
            let found: Vec<Value> = regex.find_iter(&subject).map(|m| Value::str(m.as_str())).collect();
            if found.is_empty() { Value::NIL } else { Value::list(found) }
        })
    }),
    ("regex_replace", |cx, a| replace(cx, a)),
    ("regex_replace_all", |cx, a| replace(cx, a)),
    ("regex_captures", |cx, a| {
        with_regex(cx, &text(a, 0), "", |regex| {
            let subject = text(a, 1);
            Value::list(regex.captures_iter(&subject).map(|found| captures(regex, &found)).collect())
        })
    }),
    ("regex_split", |cx, a| {
        with_regex(cx, &text(a, 1), &given_text(a, 2).unwrap_or_default(), |regex| {
            Value::list(regex.split(&text(a, 0)).map(Value::str).collect())
        })
    }),
];

fn replace(cx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    with_regex(cx, &text(args, 0), "", |regex| {
        let subject = text(args, 2);
        Value::str(&regex.replace_all(&subject, &*text(args, 1)))
    })
}

fn captures(regex: &Regex, found: &regex::Captures<'_>) -> Value {
    let group = |m: Option<regex::Match<'_>>| m.map_or(Value::NIL, |m| Value::str(m.as_str()));
    let groups = found.iter().skip(1).map(group).collect();
    let fixed = [("match", group(found.get(0))), ("groups", Value::list(groups))];
    let named = regex.capture_names().flatten().filter_map(|name| {
        let matched = found.name(name)?;
        Some((name, Value::str(matched.as_str())))
    });
    Value::dict(fixed.into_iter().chain(named))
}

/// How many compiled patterns a program keeps.
const CACHED: usize = 256;

/// Compiled patterns of a program, by pattern and flags.
#[derive(Default)]
struct Cache {
    compiled: HashMap<(String, String), Rc<Regex>>,
}

fn with_regex(
    cx: &mut NativeCtx<'_>,
    pattern: &str,
    flags: &str,
    use_it: impl FnOnce(&Regex) -> Value,
) -> NativeResult {
    match compiled(cx, pattern, flags) {
        Ok(regex) => done(use_it(&regex)),
        Err(text) => thrown(format!("Invalid regex: {text}")),
    }
}

/// The compiled pattern, from the cache of the program when it was used before.
pub fn compiled(cx: &mut NativeCtx<'_>, pattern: &str, flags: &str) -> Result<Rc<Regex>, String> {
    let cache = cx.cache::<Cache>();
    let key = (pattern.to_owned(), flags.to_owned());
    if let Some(regex) = cache.compiled.get(&key) {
        return Ok(regex.clone());
    }
    let regex = Rc::new(compile(pattern, flags)?);
    if cache.compiled.len() >= CACHED {
        cache.compiled.clear();
    }
    cache.compiled.insert(key, regex.clone());
    Ok(regex)
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            _ => return Err(format!("unsupported regex flag '{flag}', expected one of i/m/s/x")),
        };
    }
    builder.build().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_flag_is_refused() {
        assert_eq!(compile("a", "g").unwrap_err(), "unsupported regex flag 'g', expected one of i/m/s/x");
    }

    #[test]
    fn flags_change_the_match() {
        assert!(compile("A.", "is").unwrap().is_match("a\n"));
    }
}
