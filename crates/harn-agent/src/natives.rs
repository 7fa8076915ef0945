//! The primitives that the agent modules of the prelude are written with.

use crate::contract::tool_contract;
use crate::glob;
use crate::stack::AgentStack;
use harn_effect::{Data, Op, Request};
use harn_llm::text_protocol::{self, Reply};
use harn_vm::{Flow, NativeCtx, NativeFn, NativeResult, Value, VmError, display, from_data, to_data};

/// Name and body of every primitive of this crate, for the registry.
pub const NATIVES: &[(&str, NativeFn)] = &[
    ("__text_parse", text_parse),
    ("__tool_contract", contract),
    ("__glob_match", glob_match),
    ("__agent_push", push),
    ("__agent_pop", pop),
    ("__agent_current", current),
    ("__dispatch_current", dispatch),
    ("__dispatch_enter", enter),
    ("__dispatch_grant", grant),
    ("__dispatch_ungrant", ungrant),
    ("__tool_bind", bind_tools),
    ("__tool_bound", bound_tools),
    ("__progress", progress),
];

/// The text of argument `index` in display form; empty when it is missing.
fn text(args: &[Value], index: usize) -> String {
    args.get(index).map(display).unwrap_or_default()
}

/// Argument `index` as plain data; handles and closures have none.
fn data(args: &[Value], index: usize) -> Result<Data, Box<VmError>> {
    args.get(index).map_or(Ok(Data::Nil), |value| to_data(value).map_err(VmError::runtime))
}

fn take(args: &mut [Value], index: usize) -> Value {
    args.get_mut(index).map(std::mem::take).unwrap_or_default()
}

fn text_parse(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let tools = match data(args, 1)? {
        Data::List(names) => names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    Ok(from_data(reply_data(text_protocol::parse(&text(args, 0), &tools))).into())
}

fn reply_data(reply: Reply) -> Data {
    let calls: Vec<Data> = reply
        .calls
        .into_iter()
        .map(|call| {
            Data::dict([
                ("id", Data::Str(call.id)),
                ("name", Data::Str(call.name)),
                ("arguments", call.arguments),
            ])
        })
        .collect();
    Data::dict([
        ("calls", Data::List(calls)),
        ("errors", reply.errors.into()),
        ("violations", reply.violations.into()),
        ("prose", reply.prose.into()),
        ("user_response", reply.user_response.into()),
        ("done", reply.done.into()),
        ("canonical", reply.canonical.into()),
    ])
}

fn contract(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let tools = match data(args, 0)? {
        Data::List(tools) => tools,
        _ => Vec::new(),
    };
    let native = args.get(1).is_some_and(Value::truthy);
    let examples = args.get(3).and_then(Value::as_str);
    Ok(Value::string(tool_contract(&tools, native, &text(args, 2), examples)).into())
}

fn glob_match(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    Ok(Value::bool(glob::matches(&text(args, 0), &text(args, 1))).into())
}

fn push(ctx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let frame = take(args, 0);
    ctx.task_state::<AgentStack>().push(frame);
    Ok(Value::NIL.into())
}

fn pop(ctx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    ctx.task_state::<AgentStack>().pop();
    Ok(Value::NIL.into())
}

fn current(ctx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    let frame = ctx.task_state::<AgentStack>().current().cloned();
    Ok(frame.unwrap_or_else(|| from_data(Data::dict::<String>([]))).into())
}

fn dispatch(ctx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    Ok(ctx.task_state::<AgentStack>().dispatch().unwrap_or_default().into())
}

fn ungrant(ctx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    ctx.task_state::<AgentStack>().ungrant();
    Ok(Value::NIL.into())
}

/// Enters the dispatch that `frame` describes; nothing is granted in it yet.
fn enter(ctx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let frame = take(args, 0);
    ctx.task_state::<AgentStack>().enter_dispatch(frame);
    Ok(Value::NIL.into())
}

fn grant(ctx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let (request, capabilities) = (take(args, 0), take(args, 1));
    ctx.task_state::<AgentStack>().grant(request, capabilities);
    Ok(Value::NIL.into())
}

fn bind_tools(ctx: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let registry = take(args, 0);
    ctx.task_state::<AgentStack>().bind_tools(registry.clone());
    Ok(registry.into())
}

fn bound_tools(ctx: &mut NativeCtx<'_>, _: &mut [Value]) -> NativeResult {
    Ok(ctx.task_state::<AgentStack>().tools().into())
}

fn progress(_: &mut NativeCtx<'_>, args: &mut [Value]) -> NativeResult {
    let request = Request {
        op: Op::Progress,
        args: Data::dict([("kind", Data::Str(text(args, 0))), ("fields", data(args, 1)?)]),
    };
    Ok(Flow::effect(request))
}

#[cfg(test)]
mod tests {
    use super::*;
    use harn_vm::{ProgramState, TaskState};

    fn call(native: NativeFn, mut args: Vec<Value>) -> Value {
        let (mut program, mut task) = (ProgramState::default(), TaskState::default());
        let mut ctx = NativeCtx::detached(&mut program, &mut task);
        match native(&mut ctx, &mut args) {
            Ok(Flow::Value(value)) => value,
            _ => panic!("expected a value"),
        }
    }

    #[test]
    fn a_reply_becomes_a_dict_of_its_parts() {
        let reply =
            call(text_parse, vec![Value::str("<done>X</done>"), Value::list(vec![Value::str("look")])]);
        assert_eq!(
            display(&reply),
            "{calls: [], canonical: <done>X</done>, done: X, errors: [], prose: nil, user_response: nil, violations: []}"
        );
    }

    #[test]
    fn a_task_is_in_the_loop_it_entered_last() {
        let (mut program, mut task) = (ProgramState::default(), TaskState::default());
        let mut ctx = NativeCtx::detached(&mut program, &mut task);
        for id in ["outer", "inner"] {
            let frame = Value::dict([("session_id", Value::str(id))]);
            push(&mut ctx, &mut [frame]).unwrap_or_else(|_| panic!("push"));
        }
        let top = ctx.task_state::<AgentStack>().current().map(display);
        assert_eq!(top.as_deref(), Some("{session_id: inner}"));
        ctx.task_state::<AgentStack>().pop();
        assert_eq!(
            ctx.task_state::<AgentStack>().current().map(display).as_deref(),
            Some("{session_id: outer}")
        );
    }
}
