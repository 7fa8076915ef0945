//! Model calls, the mock, accounts and information (spec 07 sections 1 and 2). The work is the runtime's; here the
//! arguments become plain data.

use std::collections::BTreeMap;

use harn_effect::{Data, Op, Outcome};
use harn_vm::{Flow, NativeCtx, NativeResult, Value, View, VmError, display, from_data, to_data};

use crate::arguments::{self, Body, effect, get, text_of, thrown};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("llm_call", |_, args| call("call", args)),
    ("llm_call_safe", |_, args| call("safe", args)),
    ("llm_call_structured", |_, args| structured("structured", args)),
    ("llm_call_structured_safe", |_, args| structured("structured_safe", args)),
    ("llm_call_structured_result", |_, args| structured("structured_result", args)),
    ("llm_completion", completion),
    ("__llm_stream_open", stream_open),
    ("llm_mock", mock),
    ("llm_mock_calls", |_, _| effect(Op::LlmMockCalls, Data::Nil)),
    ("llm_mock_clear", |_, _| scope("clear")),
    ("llm_mock_push_scope", |_, _| scope("push")),
    ("llm_mock_pop_scope", |_, _| scope("pop")),
    ("llm_session_cost", |_, _| account("cost", [])),
    ("llm_usage", |_, _| account("usage", [])),
    ("llm_budget_remaining", |_, _| account("remaining", [])),
    ("llm_budget", budget),
    ("llm_rate_limit", rate_limit),
    ("llm_cost", info),
    ("llm_info", info),
    ("llm_infer_provider", info),
    ("llm_model_tier", info),
    ("llm_resolve_model", info),
    ("llm_model_info", info),
    ("llm_pick_model", info),
    ("llm_providers", info),
    ("llm_available_providers", info),
    ("llm_known_models", info),
    ("llm_config", info),
    ("llm_provider_catalog", info),
    ("llm_qc_default_model", info),
    ("provider_capabilities", info),
];

/// Deepest nesting of options that is read.
const MAX_DEPTH: usize = 64;

/// A value as plain data, without what has no plain form: options hold tool handlers and other closures.
fn plain(value: &Value, depth: usize) -> Data {
    if depth > MAX_DEPTH {
        return Data::Nil;
    }
    match value.view() {
        View::Dict(fields) => {
            let fields = fields.iter().filter(|(_, one)| has_plain_form(one));
            Data::Dict(fields.map(|(key, one)| (key.to_owned(), plain(one, depth + 1))).collect())
        }
        View::List(items) => {
            Data::List(items.iter().filter(has_plain_form).map(|one| plain(&one, depth + 1)).collect())
        }
        _ => to_data(value).unwrap_or_default(),
    }
}

fn has_plain_form(value: &Value) -> bool {
    !matches!(
        value.view(),
        View::Closure(_)
            | View::Builtin(_)
            | View::Generator(_)
            | View::Stream(_)
            | View::Iter(_)
            | View::Handle(_)
    )
}

/// The display of an argument; nil stays nil.
fn shown(args: &[Value], index: usize) -> Data {
    match get(args, index) {
        nil if nil.is_nil() => Data::Nil,
        value => text_of(value).into_owned().into(),
    }
}

fn prompt(args: &[Value]) -> Data {
    args.first().map_or_else(String::new, display).into()
}

fn request<const N: usize>(mode: &str, fields: [(&str, Data); N]) -> Data {
    let mut dict: BTreeMap<String, Data> =
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    dict.insert("mode".to_owned(), mode.into());
    Data::Dict(dict)
}

fn call(mode: &str, args: &[Value]) -> NativeResult {
    let fields = [("prompt", prompt(args)), ("system", shown(args, 1)), ("options", plain(get(args, 2), 0))];
    effect(Op::LlmCall, request(mode, fields))
}

fn structured(mode: &str, args: &[Value]) -> NativeResult {
    let fields =
        [("prompt", prompt(args)), ("schema", plain(get(args, 1), 0)), ("options", plain(get(args, 2), 0))];
    effect(Op::LlmCall, request(mode, fields))
}

fn completion(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let fields = [
        ("prompt", prompt(args)),
        ("suffix", shown(args, 1)),
        ("system", shown(args, 2)),
        ("options", plain(get(args, 3), 0)),
    ];
    effect(Op::LlmCall, request("completion", fields))
}

fn stream_open(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let fields = [("prompt", prompt(args)), ("system", shown(args, 1)), ("options", plain(get(args, 2), 0))];
    arguments::effect_then(Op::LlmStreamOpen, request("call", fields), stream_opened)
}

fn stream_opened(_: &mut NativeCtx<'_>, outcome: Outcome) -> NativeResult {
    let record = outcome.map_err(VmError::raised)?;
    Ok(Flow::Value(from_data(record.field("stream").clone())))
}

fn mock(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let given = get(args, 0);
    let mut response = plain(given, 0);
    if let (Data::Dict(fields), Some(text)) = (&mut response, arguments::entry(given, "text")) {
        fields.insert("text".to_owned(), display(&text).into());
    }
    effect(Op::LlmMockPush, Data::dict([("response", response)]))
}

fn scope(action: &str) -> NativeResult {
    effect(Op::LlmMockScope, Data::dict([("action", Data::from(action))]))
}

fn account<const N: usize>(action: &str, fields: [(&str, Data); N]) -> NativeResult {
    let mut dict: BTreeMap<String, Data> =
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    dict.insert("action".to_owned(), action.into());
    effect(Op::LlmSession, Data::Dict(dict))
}

fn budget(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    match arguments::number(args, 0) {
        Some(usd) => account("budget", [("usd", usd.into())]),
        None => thrown("llm_budget: requires a numeric argument"),
    }
}

fn rate_limit(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let provider = arguments::text(args, 0).into_owned();
    if get(args, 0).is_nil() || provider.trim().is_empty() {
        return thrown("llm_rate_limit: provider name is required");
    }
    if get(args, 1).is_nil() {
        return account("rate_limit", [("provider", provider.into())]);
    }
    match arguments::entry(get(args, 1), "rpm").and_then(|rpm| rpm.as_int()) {
        Some(rpm) => account("set_rate_limit", [("provider", provider.into()), ("rpm", rpm.into())]),
        None => thrown("llm_rate_limit: options must include 'rpm' (integer)"),
    }
}

/// A question that the runtime answers from the catalog and the environment.
fn info(ctx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let args = args.iter().map(|arg| plain(arg, 0)).collect();
    let request = [("what", Data::from(ctx.builtin_name())), ("args", Data::List(args))];
    effect(Op::LlmInfo, Data::dict(request))
}
