//! Host calls and their scripted stand-in (spec 06 section 10). Without an attached host only scripted answers exist;
//! what is left the prelude answers itself.

use crate::host_mock::{HostMock, HostMocks};
use crate::service::{Service, ServiceCx, Started};
use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};

/// Answers `host.*` effects from the table of scripted answers.
#[derive(Debug, Default)]
pub struct HostCallService;

impl Service for HostCallService {
    fn ops(&self) -> &'static [Op] {
        &[Op::HostCall, Op::HostMock, Op::HostMockCalls, Op::HostMockScope, Op::HostMockList]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::HostCall => Ok(call(cx.mocks, args)),
            Op::HostMock => script(cx.mocks, args),
            Op::HostMockCalls => Ok(calls(cx.mocks)),
            Op::HostMockScope => scope(cx.mocks, text(args, "action")),
            Op::HostMockList => Ok(scripted(cx.mocks)),
            other => Err(Raised::runtime(format!("{} is not a host call", other.name()))),
        })
    }
}

fn text<'a>(args: &'a Data, key: &str) -> &'a str {
    args.field(key).as_str().unwrap_or_default()
}

/// `{answered, result, error}`: not answered means that nothing is scripted for the call.
fn call(mocks: &mut HostMocks, args: &Data) -> Data {
    let (result, error, answered) =
        match mocks.answer(text(args, "capability"), text(args, "operation"), args.field("params")) {
            Some(Ok(result)) => (result, Data::Nil, true),
            Some(Err(error)) => (Data::Nil, Data::Str(error), true),
            None => (Data::Nil, Data::Nil, false),
        };
    Data::dict([("answered", Data::Bool(answered)), ("result", result), ("error", error)])
}

fn script(mocks: &mut HostMocks, args: &Data) -> Outcome {
    let answer = match args.field("error") {
        Data::Str(error) => Err(error.clone()),
        _ => Ok(args.field("result").clone()),
    };
    mocks.push(HostMock {
        capability: text(args, "capability").to_owned(),
        operation: text(args, "operation").to_owned(),
        params: args.field("params").as_dict().cloned().unwrap_or_default(),
        answer,
    });
    Ok(Data::Nil)
}

fn calls(mocks: &HostMocks) -> Data {
    let rows = mocks.calls().iter().map(|call| {
        Data::dict([
            ("capability", Data::Str(call.capability.clone())),
            ("operation", Data::Str(call.operation.clone())),
            ("params", call.params.clone()),
            ("matched", Data::Bool(call.matched)),
        ])
    });
    Data::List(rows.collect())
}

fn scope(mocks: &mut HostMocks, action: &str) -> Outcome {
    match action {
        "push" => mocks.push_scope(),
        "pop" => return Ok(Data::Bool(mocks.pop_scope())),
        _ => mocks.clear(),
    }
    Ok(Data::Nil)
}

fn scripted(mocks: &HostMocks) -> Data {
    let rows = mocks.scripted().map(|(capability, operation)| {
        Data::dict([("capability", Data::from(capability)), ("operation", Data::from(operation))])
    });
    Data::List(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripted_answer_is_given_and_noted() {
        let mut mocks = HostMocks::default();
        let script_args = Data::dict([
            ("capability", Data::from("project")),
            ("operation", Data::from("scan")),
            ("params", Data::dict::<&str>([])),
            ("result", Data::Int(3)),
        ]);
        assert_eq!(script(&mut mocks, &script_args), Ok(Data::Nil));
        let call_args =
            Data::dict([("capability", Data::from("project")), ("operation", Data::from("scan"))]);
        assert_eq!(call(&mut mocks, &call_args).field("result"), &Data::Int(3));
        assert_eq!(calls(&mocks).as_list().map(<[Data]>::len), Some(1));
    }

    #[test]
    fn nothing_scripted_means_not_answered() {
        let args = Data::dict([("capability", Data::from("a")), ("operation", Data::from("b"))]);
        assert_eq!(call(&mut HostMocks::default(), &args).field("answered"), &Data::Bool(false));
    }
}
