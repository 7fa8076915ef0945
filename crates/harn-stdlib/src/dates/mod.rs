//! Dates and durations (spec 05 section 5.9).

mod calendar;

use calendar::Seconds;
use harn_vm::{Flow, NativeResult, Value, View};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::arguments::{Body, done, done_or_thrown, entry, get, given_text, text, thrown};
use crate::clock;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("date_now", |_, _| {
        clock::now(|_, outcome| {
            let at = from_millis(clock::millis(outcome)?);
            let mut parts = parts(&at.to_zoned(TimeZone::UTC));
            parts.dict_set("timestamp", Value::float(at.as_microsecond() as f64 / 1e6));
            parts.dict_set("iso8601", Value::string(calendar::iso_millis(at)));
            Ok(Flow::Value(parts))
        })
    }),
    ("date_now_iso", |_, _| clock::now(iso)),
    ("date_iso", |_, _| clock::now(iso)),
    ("date_parse", |_, a| done_or_thrown(calendar::parse(&text(a, 0)).map(timestamp))),
    ("date_format", |_, a| {
        let format = given_text(a, 1).unwrap_or("%Y-%m-%d %H:%M:%S".into());
        done_or_thrown(zoned("date_format", a, 2).and_then(|at| calendar::format(&format, &at)))
    }),
    ("date_in_zone", |_, a| {
        done_or_thrown(zoned("date_in_zone", a, 1).map(|at| {
            let mut parts = parts(&at);
            parts.dict_set("timestamp", timestamp(at.timestamp()));
            parts.dict_set("iso8601", Value::string(calendar::rfc3339(&at)));
            parts.dict_set("offset_seconds", Value::int(i64::from(at.offset().seconds())));
            parts.dict_set("zone", Value::str(&text(a, 1)));
            parts
        }))
    }),
    ("date_to_zone", |_, a| done_or_thrown(zoned("date_to_zone", a, 1).map(|at| calendar::rfc3339(&at)))),
    ("date_from_components", |_, a| done_or_thrown(from_components(a).map(timestamp))),
    ("date_add", |_, a| {
        let moved = instant("date_add", get(a, 0)).and_then(|at| match get(a, 1).view() {
            View::Duration(ms) => at
                .checked_add(jiff::SignedDuration::from_millis(ms))
                .map_err(|_| "date_add: timestamp out of range".to_owned()),
            _ => Err(format!("date_add: expected duration, got {}", get(a, 1).type_name())),
        });
        done_or_thrown(moved.map(timestamp))
    }),
    ("date_diff", |_, a| {
        let ends = instant("date_diff", get(a, 0)).and_then(|x| Ok((x, instant("date_diff", get(a, 1))?)));
        done_or_thrown(ends.map(|(x, y)| {
            let micros = x.as_microsecond() - y.as_microsecond();
            Value::duration((micros as f64 / 1000.0).round() as i64)
        }))
    }),
    ("weekday_name", |_, a| done_or_thrown(named("weekday_name", a, "%A"))),
    ("month_name", |_, a| done_or_thrown(named("month_name", a, "%B"))),
    ("duration_ms", |_, a| duration("duration_ms", get(a, 0), 1.0)),
    ("duration_seconds", |_, a| duration("duration_seconds", get(a, 0), 1e3)),
    ("duration_minutes", |_, a| duration("duration_minutes", get(a, 0), 6e4)),
    ("duration_hours", |_, a| duration("duration_hours", get(a, 0), 3.6e6)),
    ("duration_days", |_, a| duration("duration_days", get(a, 0), 8.64e7)),
    ("duration_to_seconds", |_, a| {
        done_or_thrown(length("duration_to_seconds", get(a, 0)).map(|ms| ms / 1000))
    }),
    ("duration_to_human", |_, a| {
        done_or_thrown(length("duration_to_human", get(a, 0)).map(calendar::humanise))
    }),
];

fn iso(_: &mut harn_vm::NativeCtx<'_>, outcome: harn_effect::Outcome) -> NativeResult {
    Ok(Flow::Value(Value::string(calendar::iso_millis(from_millis(clock::millis(outcome)?)))))
}

fn from_millis(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn timestamp(at: Timestamp) -> Value {
    match calendar::seconds(at) {
        Seconds::Whole(n) => Value::int(n),
        Seconds::Part(x) => Value::float(x),
    }
}

/// The instant of a number of seconds, or of a dict with a `timestamp`.
fn instant(name: &str, value: &Value) -> Result<Timestamp, String> {
    let inner = entry(value, "timestamp");
    let seconds = inner.as_ref().unwrap_or(value).as_number().ok_or_else(|| {
        format!("{name}: expected timestamp number or date dict, got {}", value.type_name())
    })?;
    calendar::instant(name, seconds)
}

/// The instant of argument 0 in the zone of argument `zone`, UTC when that is missing.
fn zoned(name: &str, args: &[Value], zone: usize) -> Result<Zoned, String> {
    let at = instant(name, get(args, 0))?;
    let zone = given_text(args, zone).map_or(Ok(TimeZone::UTC), |z| calendar::zone(name, &z))?;
    Ok(at.to_zoned(zone))
}

fn named(name: &str, args: &[Value], directive: &str) -> Result<String, String> {
    zoned(name, args, 1).map(|at| at.strftime(directive).to_string())
}

fn parts(at: &Zoned) -> Value {
    let parts = [
        ("year", i64::from(at.year())),
        ("month", i64::from(at.month())),
        ("day", i64::from(at.day())),
        ("hour", i64::from(at.hour())),
        ("minute", i64::from(at.minute())),
        ("second", i64::from(at.second())),
        ("weekday", calendar::weekday_number(at.weekday())),
    ];
    Value::dict(parts.map(|(name, n)| (name, Value::int(n))))
}

fn from_components(args: &[Value]) -> Result<Timestamp, String> {
    let part = |key: &str, default: Option<i64>| match entry(get(args, 0), key) {
        Some(value) => value.as_int().ok_or_else(|| {
            format!("date_from_components: {key} must be an integer, got {}", value.type_name())
        }),
        None => default.ok_or_else(|| format!("date_from_components: missing {key}")),
    };
    let local = calendar::civil(
        part("year", None)?,
        part("month", None)?,
        part("day", None)?,
        part("hour", Some(0))?,
        part("minute", Some(0))?,
        part("second", Some(0))?,
    )?;
    let zone = given_text(args, 1)
        .map_or(Ok(TimeZone::UTC), |zone| calendar::zone("date_from_components", &zone))?;
    calendar::local_instant(local, &zone)
}

fn duration(name: &str, value: &Value, unit_ms: f64) -> NativeResult {
    let ms = match value.view() {
        View::Int(n) => n.checked_mul(unit_ms as i64),
        View::Float(x) => {
            let ms = (x * unit_ms).round();
            (ms.abs() < 9.2e18).then_some(ms as i64)
        }
        _ => return thrown(format!("{name}: expected number, got {}", value.type_name())),
    };
    match ms {
        Some(ms) => done(Value::duration(ms)),
        None => thrown(format!("{name}: duration overflow")),
    }
}

fn length(name: &str, value: &Value) -> Result<i64, String> {
    match value.view() {
        View::Duration(ms) => Ok(ms),
        _ => Err(format!("{name}: expected duration, got {}", value.type_name())),
    }
}
