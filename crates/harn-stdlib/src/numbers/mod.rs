//! Numbers and statistics (spec 05 section 5.3).

pub(crate) mod generator;
pub(crate) mod random;
mod statistics;

use harn_vm::{NativeResult, Value, View};

use crate::arguments::{Body, done, get, number, runtime_error, type_error};

pub use random::BODIES as RANDOM;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("abs", |_, a| {
        done(match get(a, 0).view() {
            View::Int(n) => n.checked_abs().map_or_else(|| Value::float((n as f64).abs()), Value::int),
            View::Float(x) => Value::float(x.abs()),
            _ => Value::NIL,
        })
    }),
    ("min", |_, a| done(least(a, |x, y| x < y))),
    ("max", |_, a| done(least(a, |x, y| x > y))),
    ("floor", |_, a| whole(get(a, 0), f64::floor)),
    ("ceil", |_, a| whole(get(a, 0), f64::ceil)),
    ("round", |_, a| whole(get(a, 0), f64::round)),
    ("sqrt", |_, a| real(a, f64::sqrt)),
    ("pow", |_, a| {
        let (base, exponent) = (get(a, 0), get(a, 1));
        if let (Some(b), Some(e)) = (base.as_int(), exponent.as_int())
            && let Ok(e) = u32::try_from(e)
            && let Some(power) = b.checked_pow(e)
        {
            return done(power);
        }
        done(base.as_number().zip(exponent.as_number()).map(|(b, e)| b.powf(e)))
    }),
    ("sin", |_, a| real(a, f64::sin)),
    ("cos", |_, a| real(a, f64::cos)),
    ("tan", |_, a| real(a, f64::tan)),
    ("asin", |_, a| real(a, f64::asin)),
    ("acos", |_, a| real(a, f64::acos)),
    ("atan", |_, a| real(a, f64::atan)),
    ("atan2", |_, a| done(number(a, 0).zip(number(a, 1)).map(|(y, x)| y.atan2(x)))),
    ("log2", |_, a| real(a, f64::log2)),
    ("log10", |_, a| real(a, f64::log10)),
    ("ln", |_, a| real(a, f64::ln)),
    ("exp", |_, a| real(a, f64::exp)),
    ("sign", |_, a| {
        done(match get(a, 0).view() {
            View::Int(n) => Value::int(n.signum()),
            View::Float(x) if x.is_nan() => Value::float(x),
            View::Float(x) => Value::int(i64::from(x > 0.0) - i64::from(x < 0.0)),
            _ => Value::NIL,
        })
    }),
    ("is_nan", |_, a| done(matches!(get(a, 0).view(), View::Float(x) if x.is_nan()))),
    ("is_infinite", |_, a| done(matches!(get(a, 0).view(), View::Float(x) if x.is_infinite()))),
    ("mean", |_, a| match numbers("mean", get(a, 0)) {
        Ok(xs) => done(statistics::mean(&xs)),
        Err(error) => error,
    }),
    ("median", |_, a| match some_numbers("median", get(a, 0)) {
        Ok(xs) => done(statistics::percentile(xs, 50.0)),
        Err(error) => error,
    }),
    ("percentile", |_, a| {
        let xs = match some_numbers("percentile", get(a, 0)) {
            Ok(xs) => xs,
            Err(error) => return error,
        };
        match number(a, 1) {
            None => type_error("percentile must be numeric"),
            Some(p) if !(0.0..=100.0).contains(&p) => runtime_error("percentile must be between 0 and 100"),
            Some(p) => done(statistics::percentile(xs, p)),
        }
    }),
    ("variance", |_, a| match spread("variance", a) {
        Ok(x) => done(x),
        Err(error) => error,
    }),
    ("stddev", |_, a| match spread("stddev", a) {
        Ok(x) => done(x.sqrt()),
        Err(error) => error,
    }),
];

fn real(args: &[Value], f: fn(f64) -> f64) -> NativeResult {
    done(number(args, 0).map(f))
}

/// The first of two numbers unless `better(second, first)`; NaN loses; an int of two ints, else a float.
fn least(args: &[Value], better: fn(f64, f64) -> bool) -> Value {
    let (a, b) = (get(args, 0), get(args, 1));
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        let second = if better(0.0, 1.0) { y < x } else { y > x };
        return Value::int(if second { y } else { x });
    }
    let picked =
        a.as_number().zip(b.as_number()).map(|(x, y)| if x.is_nan() || better(y, x) { y } else { x });
    picked.into()
}

fn whole(value: &Value, to_whole: fn(f64) -> f64) -> NativeResult {
    match value.view() {
        View::Int(n) => done(n),
        View::Float(x) if !x.is_finite() => runtime_error("cannot convert non-finite float to int"),
        View::Float(x) => match to_whole(x) {
            x if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) => done(x as i64),
            _ => runtime_error("float is outside the representable int range"),
        },
        _ => done(Value::NIL),
    }
}

fn numbers(name: &str, items: &Value) -> Result<Vec<f64>, NativeResult> {
    let View::List(list) = items.view() else {
        return Err(type_error(format!("{name}: items must be a list")));
    };
    let numbers: Option<Vec<f64>> = list.iter().map(|x| x.as_number()).collect();
    numbers.ok_or_else(|| type_error(format!("{name} must be numeric")))
}

fn some_numbers(name: &str, items: &Value) -> Result<Vec<f64>, NativeResult> {
    let xs = numbers(name, items)?;
    if xs.is_empty() {
        return Err(runtime_error(format!("{name}: items must not be empty")));
    }
    Ok(xs)
}

fn spread(name: &str, args: &[Value]) -> Result<f64, NativeResult> {
    let xs = some_numbers(name, get(args, 0))?;
    let sample = get(args, 1).truthy();
    if sample && xs.len() < 2 {
        return Err(runtime_error("sample variance requires at least 2 values"));
    }
    Ok(statistics::variance(&xs, sample))
}
