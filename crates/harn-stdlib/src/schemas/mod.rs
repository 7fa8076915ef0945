//! Schemas (spec 05 section 5.13): dicts that describe values, in Harn's own spelling or that of JSON Schema.

mod canonical;
mod check;
mod export;

use harn_vm::{Flow, NativeCtx, NativeResult, Value, View};

use crate::arguments::{Body, done, done_or_thrown, entry, get, take, thrown};
use canonical::canonical;
use check::{Checked, check};
use export::{Dialect, export};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("schema_check", |cx, a| as_result(cx, a, false)),
    ("schema_parse", |cx, a| as_result(cx, a, true)),
    ("schema_is", is),
    ("is_type", is),
    ("schema_expect", |cx, a| {
        let defaults = get(a, 2).truthy();
        match checked(cx, a, defaults) {
            Ok(Checked { value, errors }) if errors.is_empty() => done(value),
            Ok(Checked { errors, .. }) => thrown(errors.join("; ")),
            Err(text) => thrown(text),
        }
    }),
    ("json_validate", |cx, a| match checked(cx, a, false) {
        Ok(Checked { errors, .. }) if errors.is_empty() => done(true),
        Ok(Checked { errors, .. }) => thrown(errors.join("; ")),
        Err(text) => thrown(text),
    }),
    ("schema_of", |_, a| match get(a, 0).is_dict() {
        true => done(take(a, 0)),
        false => {
            let kind = get(a, 0).type_name();
            thrown(format!("schema_of: expected a type alias or schema dict, got {kind}"))
        }
    }),
    ("schema_to_json_schema", |_, a| {
        done_or_thrown(canonical(get(a, 0)).map(|s| export(&s, Dialect::JsonSchema)))
    }),
    ("schema_to_openapi_schema", |_, a| {
        done_or_thrown(canonical(get(a, 0)).map(|s| export(&s, Dialect::OpenApi)))
    }),
    ("schema_from_json_schema", |_, a| done_or_thrown(canonical(get(a, 0)))),
    ("schema_from_openapi_schema", |_, a| done_or_thrown(canonical(get(a, 0)))),
    ("schema_extend", |_, a| {
        let both = canonical(get(a, 0)).and_then(|base| Ok((base, canonical(get(a, 1))?)));
        done_or_thrown(both.map(|(mut base, over)| {
            if let View::Dict(over) = over.view() {
                over.iter().for_each(|(key, value)| base.dict_set(key, value.clone()));
            }
            base
        }))
    }),
    ("schema_partial", |_, a| done_or_thrown(canonical(get(a, 0)).map(without_required))),
    ("schema_pick", |_, a| select("schema_pick", a, true)),
    ("schema_omit", |_, a| select("schema_omit", a, false)),
];

fn checked(cx: &mut NativeCtx<'_>, args: &mut [Value], defaults: bool) -> Result<Checked, String> {
    let schema = canonical(get(args, 1))?;
    Ok(check(cx, take(args, 0), &schema, defaults))
}

fn as_result(cx: &mut NativeCtx<'_>, args: &mut [Value], defaults: bool) -> NativeResult {
    let original = get(args, 0).clone();
    match checked(cx, args, defaults) {
        Ok(Checked { value, errors }) if errors.is_empty() => done(Value::ok(value)),
        Ok(Checked { errors, .. }) => {
            let message = errors.first().map(|e| Value::str(e)).unwrap_or_default();
            let errors = Value::list(errors.into_iter().map(Value::string).collect());
            done(Value::err(Value::dict([("message", message), ("errors", errors), ("value", original)])))
        }
        Err(text) => thrown(text),
    }
}

fn is(cx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    match checked(cx, args, false) {
        Ok(outcome) => Ok(Flow::Value(Value::bool(outcome.errors.is_empty()))),
        Err(text) => thrown(text),
    }
}

/// The schema without `required`, at every depth.
fn without_required(mut schema: Value) -> Value {
    schema.dict_remove("required");
    canonical::map_children(&schema, without_required)
}

/// The schema with only the named properties, or without them.
fn select(name: &str, args: &[Value], keep: bool) -> NativeResult {
    let View::List(keys) = get(args, 1).view() else { return thrown(format!("{name}: keys must be a list")) };
    let named = |key: &str| keys.as_slice().iter().any(|k| k.as_str() == Some(key)) == keep;
    let mut schema = match canonical(get(args, 0)) {
        Ok(schema) => schema,
        Err(text) => return thrown(text),
    };
    if let Some(properties) = entry(&schema, "properties")
        && let View::Dict(dict) = properties.view()
    {
        let kept = Value::dict(dict.iter().filter(|(key, _)| named(key)).map(|(k, v)| (k, v.clone())));
        schema.dict_set("properties", kept);
    }
    if let Some(required) = entry(&schema, "required")
        && let View::List(list) = required.view()
    {
        let kept = list.iter().filter(|key| key.as_str().is_some_and(named)).collect();
        schema.dict_set("required", Value::list(kept));
    }
    done(schema)
}
