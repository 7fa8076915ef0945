//! Methods of strings (spec 02 section 14.1). The receiver is argument 0.

use harn_vm::Value;

use super::{MAX_TEXT, chars, clamp, pieces, replaced};
use crate::arguments::{Body, count, done, given_text, int, runtime_error, take, text};

/// The bodies.
pub const METHODS: &[Body] = &[
    ("string.count", |_, a| done(count(chars::count(&text(a, 0))))),
    ("string.len", |_, a| done(count(chars::count(&text(a, 0))))),
    ("string.empty", |_, a| done(text(a, 0).is_empty())),
    ("string.contains", |_, a| done(text(a, 0).contains(&*text(a, 1)))),
    ("string.starts_with", |_, a| done(text(a, 0).starts_with(&*text(a, 1)))),
    ("string.ends_with", |_, a| done(text(a, 0).ends_with(&*text(a, 1)))),
    ("string.index_of", |_, a| {
        let whole = text(a, 0);
        done(whole.find(&*text(a, 1)).map_or(Value::int(-1), |at| count(chars::index_at(&whole, at))))
    }),
    ("string.last_index_of", |_, a| {
        let whole = text(a, 0);
        done(whole.rfind(&*text(a, 1)).map_or(Value::int(-1), |at| count(chars::index_at(&whole, at))))
    }),
    ("string.replace", |_, a| match a.len() {
        0..=2 => done(Value::NIL),
        _ => replaced(&text(a, 0), &text(a, 1), &text(a, 2)),
    }),
    ("string.split", |_, a| done(pieces(&text(a, 0), &given_text(a, 1).unwrap_or(",".into())))),
    ("string.trim", |_, a| done(text(a, 0).trim())),
    ("string.trim_start", |_, a| done(text(a, 0).trim_start())),
    ("string.trim_end", |_, a| done(text(a, 0).trim_end())),
    ("string.lowercase", |_, a| done(text(a, 0).to_lowercase())),
    ("string.lower", |_, a| done(text(a, 0).to_lowercase())),
    ("string.to_lower", |_, a| done(text(a, 0).to_lowercase())),
    ("string.uppercase", |_, a| done(text(a, 0).to_uppercase())),
    ("string.upper", |_, a| done(text(a, 0).to_uppercase())),
    ("string.to_upper", |_, a| done(text(a, 0).to_uppercase())),
    ("string.substring", |_, a| {
        let end = int(a, 2).map_or(usize::MAX, clamp);
        done(chars::slice(&text(a, 0), clamp(int(a, 1).unwrap_or(0)), end))
    }),
    ("string.char_at", |_, a| {
        let index = usize::try_from(int(a, 1).unwrap_or(0)).ok();
        let whole = text(a, 0);
        done(match index.map(|i| chars::slice(&whole, i, i.saturating_add(1))) {
            None | Some("") => Value::NIL,
            Some(one) => Value::str(one),
        })
    }),
    ("string.chars", |_, a| {
        let mut buffer = [0; 4];
        done(Value::list(text(a, 0).chars().map(|c| Value::str(c.encode_utf8(&mut buffer))).collect()))
    }),
    ("string.lines", |_, a| done(Value::list(text(a, 0).lines().map(Value::str).collect()))),
    ("string.repeat", |_, a| {
        let whole = text(a, 0);
        let times = clamp(int(a, 1).unwrap_or(1));
        if whole.len().saturating_mul(times) > MAX_TEXT {
            return runtime_error("repeat: the result is too long");
        }
        done(whole.repeat(times))
    }),
    ("string.reverse", |_, a| done(text(a, 0).chars().rev().collect::<String>())),
    ("string.pad_left", |_, a| pad(a, |fill, whole| format!("{fill}{whole}"))),
    ("string.pad_right", |_, a| pad(a, |fill, whole| format!("{whole}{fill}"))),
];

fn pad(args: &mut [Value], place: fn(&str, &str) -> String) -> harn_vm::NativeResult {
    let whole = text(args, 0);
    let missing = clamp(int(args, 1).unwrap_or(0)).saturating_sub(chars::count(&whole));
    if missing == 0 {
        drop(whole);
        return done(take(args, 0));
    }
    if missing > MAX_TEXT {
        return runtime_error("pad: the result is too long");
    }
    let fill = given_text(args, 2).and_then(|f| f.chars().next()).unwrap_or(' ');
    done(place(&String::from(fill).repeat(missing), &whole))
}
