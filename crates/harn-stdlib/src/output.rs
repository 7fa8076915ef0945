//! Standard output and standard error (spec 02 section 3.2, 06 section 5). Structured log lines are put together by
//! `prelude/output.harn`, which reads the clock first.

use harn_effect::{Data, Op};
use harn_vm::{NativeCtx, NativeResult, Value, View};

use crate::arguments::{Body, done, effect, entry, get, int, text, thrown};
use crate::json::encode;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("println", |cx, a| print(cx, line(a, ""))),
    ("print", |cx, a| print(cx, text(a, 0).into_owned())),
    ("log", |cx, a| print(cx, line(a, "[harn] "))),
    ("progress", |cx, a| print(cx, progress(a))),
    ("__divert_output", |cx, a| {
        cx.task_state::<Diverted>().0 = get(a, 0).truthy();
        done(Value::NIL)
    }),
    ("log_set_level", |cx, a| {
        let name = text(a, 0);
        match LEVELS.iter().position(|l| *l == name) {
            Some(level) => {
                cx.state::<Threshold>().0 = level;
                done(Value::NIL)
            }
            None => {
                thrown(format!("log_set_level: invalid level '{name}'. Expected debug, info, warn, or error"))
            }
        }
    }),
    ("__log_line", |cx, a| {
        let level = text(a, 1);
        let rank = LEVELS.iter().position(|l| *l == level).unwrap_or(LEVELS.len());
        if rank < cx.state::<Threshold>().0 {
            return done(Value::NIL);
        }
        let line = log_line(&text(a, 0), &level, &text(a, 2), get(a, 3));
        print(cx, line)
    }),
];

const LEVELS: &[&str] = &["debug", "info", "warn", "error"];

/// The lowest level that is printed, as its position in [`LEVELS`].
#[derive(Default)]
pub(crate) struct Threshold(pub usize);

/// Whether what the task prints goes to standard error: hooks that no program output may come from.
#[derive(Clone, Default)]
pub(crate) struct Diverted(pub bool);

fn print(cx: &mut NativeCtx<'_>, text: String) -> NativeResult {
    let op = if cx.task_state::<Diverted>().0 { Op::StderrWrite } else { Op::StdoutWrite };
    effect(op, Data::dict([("text", Data::Str(text))]))
}

fn line(args: &[Value], prefix: &str) -> String {
    let text = text(args, 0);
    let mut out = String::with_capacity(prefix.len() + text.len() + 1);
    out.push_str(prefix);
    out.push_str(&text);
    out.push('\n');
    out
}

fn log_line(ts: &str, level: &str, message: &str, fields: &Value) -> String {
    let mut out = String::from("{\"ts\":");
    encode::string(&mut out, ts);
    out.push_str(",\"level\":");
    encode::string(&mut out, level);
    out.push_str(",\"msg\":");
    encode::string(&mut out, message);
    if let View::Dict(dict) = fields.view() {
        for (key, value) in dict.iter().filter(|(key, _)| !matches!(*key, "ts" | "level" | "msg")) {
            out.push(',');
            encode::string(&mut out, key);
            out.push(':');
            crate::json::write(&mut out, value);
        }
    }
    out.push_str("}\n");
    out
}

/// The forms of `progress`.
fn progress(args: &[Value]) -> String {
    let (phase, message) = (text(args, 0), text(args, 1));
    let plain = format!("[{phase}] {message}");
    let options = get(args, 2);
    let option = |key: &str| entry(options, key);
    let number = |key: &str| option(key).and_then(|v| v.as_int());
    let mode = option("mode").and_then(|m| m.as_str().map(str::to_owned));
    let line = match (int(args, 2), int(args, 3), mode.as_deref()) {
        (Some(done), Some(total), _) => format!("{plain} ({done}/{total})"),
        (Some(percent), None, _) => format!("{plain} ({percent}%)"),
        (None, _, Some("spinner")) => {
            let step = number("step").or(number("current")).unwrap_or(0);
            let frame = ['|', '/', '-', '\\'].get(step.rem_euclid(4) as usize).copied().unwrap_or('|');
            format!("[{phase}] {frame} {message}")
        }
        (None, _, Some("bar")) => {
            let (current, total) = (number("current").unwrap_or(0), number("total").unwrap_or(0));
            let width = number("width").unwrap_or(10).clamp(3, 40);
            let part = current.clamp(0, total.max(0));
            let filled = match total {
                1.. => (part as f64 / total as f64 * width as f64).round() as i64,
                _ => 0,
            };
            let bar: String = (0..width).map(|i| if i < filled { '#' } else { '-' }).collect();
            format!("[{phase}] [{bar}] {message} ({current}/{total})")
        }
        _ => plain,
    };
    line + "\n"
}
