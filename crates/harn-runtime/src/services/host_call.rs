//! Host calls (spec 06 section 10): scripted answers first, then what an attached host can be asked. What is left the
//! prelude answers itself.

use crate::host_mock::{HostMock, HostMocks};
use crate::service::{Service, ServiceCx, Started};
use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};

/// What the program that embeds the runtime can be asked. Its [`harn_effect::Host`] performs [`Op::HostCall`] and
/// [`Op::HostTool`] of what stands here, and nothing else of these two ever reaches it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bridge {
    /// Operations by capability.
    pub operations: Vec<Operation>,
    /// Tools.
    pub tools: Vec<HostTool>,
}

/// One operation of a capability: what `host_call("capability.name")` reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The part before the last dot.
    pub capability: String,
    /// The part after it.
    pub name: String,
    /// For `host_capabilities()`.
    pub description: String,
}

/// One tool: what `host_tool_call(name)` reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTool {
    /// Its name.
    pub name: String,
    /// For `host_tool_list()`.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Data,
}

impl Bridge {
    fn performs(&self, request: &Request) -> bool {
        let args = &request.args;
        match request.op {
            Op::HostCall => self.operations.iter().any(|operation| {
                operation.capability == text(args, "capability") && operation.name == text(args, "operation")
            }),
            _ => self.tools.iter().any(|tool| tool.name == text(args, "name")),
        }
    }

    /// As `host.bridge` tells it.
    fn described(&self) -> Data {
        let mut capabilities = std::collections::BTreeMap::new();
        for operation in &self.operations {
            let described = Data::dict([("description", Data::from(operation.description.as_str()))]);
            let operations = capabilities
                .entry(operation.capability.clone())
                .or_insert_with(std::collections::BTreeMap::<String, Data>::new);
            operations.insert(operation.name.clone(), described);
        }
        let tools = self.tools.iter().map(|tool| {
            Data::dict([
                ("name", Data::from(tool.name.as_str())),
                ("description", Data::from(tool.description.as_str())),
                ("schema", tool.schema.clone()),
                ("deprecated", Data::Bool(false)),
            ])
        });
        Data::dict([
            (
                "capabilities",
                Data::Dict(capabilities.into_iter().map(|(name, ops)| (name, Data::Dict(ops))).collect()),
            ),
            ("tools", Data::List(tools.collect())),
        ])
    }
}

/// Answers `host.*` effects from the table of scripted answers, or lets the attached host do so.
#[derive(Debug, Default)]
pub struct HostCallService {
    bridge: Option<Bridge>,
}

impl HostCallService {
    /// With an attached host, or without.
    pub fn new(bridge: Option<Bridge>) -> Self {
        HostCallService { bridge }
    }

    /// A call, by a scripted answer or by the attached host.
    fn call(&self, mocks: &mut HostMocks, request: Request) -> Started {
        let args = &request.args;
        match mocks.answer(text(args, "capability"), text(args, "operation"), args.field("params")) {
            Some(Ok(result)) => Started::Done(Ok(answered(result))),
            Some(Err(error)) => Started::Done(Ok(failed(error))),
            None if self.bridge.as_ref().is_some_and(|bridge| bridge.performs(&request)) => {
                Started::Forward(request)
            }
            None => Started::Done(Ok(Data::dict([("answered", Data::Bool(false))]))),
        }
    }

    fn tool(&self, request: Request) -> Started {
        match &self.bridge {
            Some(bridge) if bridge.performs(&request) => Started::Forward(request),
            bridge => Started::Done(Ok(failed(match bridge {
                Some(_) => format!("host_tool_call: the host has no tool '{}'", text(&request.args, "name")),
                None => "host_tool_call: no host bridge is attached".to_owned(),
            }))),
        }
    }
}

impl Service for HostCallService {
    fn ops(&self) -> &'static [Op] {
        &[
            Op::HostCall,
            Op::HostMock,
            Op::HostMockCalls,
            Op::HostMockScope,
            Op::HostMockList,
            Op::HostTool,
            Op::HostBridge,
        ]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        Started::Done(match request.op {
            Op::HostCall => return self.call(cx.mocks, request),
            Op::HostTool => return self.tool(request),
            Op::HostBridge => Ok(self.bridge.as_ref().map_or(Data::Nil, Bridge::described)),
            Op::HostMock => script(cx.mocks, args),
            Op::HostMockCalls => Ok(calls(cx.mocks)),
            Op::HostMockScope => scope(cx.mocks, text(args, "action")),
            Op::HostMockList => Ok(scripted(cx.mocks)),
            other => Err(Raised::runtime(format!("{} is not a host call", other.name()))),
        })
    }

    fn host_done(&mut self, _cx: &mut ServiceCx<'_>, _ticket: Ticket, outcome: Outcome) -> Started {
        Started::Done(Ok(match outcome {
            Ok(result) => answered(result),
            Err(Raised::Runtime(error)) => failed(error),
            Err(raised) => return Started::Done(Err(raised)),
        }))
    }
}

/// `{answered, result, error}`, as the prelude reads it; not answered means that nobody but the prelude can.
fn answered(result: Data) -> Data {
    Data::dict([("answered", Data::Bool(true)), ("result", result), ("error", Data::Nil)])
}

fn failed(error: String) -> Data {
    Data::dict([("answered", Data::Bool(true)), ("result", Data::Nil), ("error", Data::Str(error))])
}

fn text<'a>(args: &'a Data, key: &str) -> &'a str {
    args.field(key).as_str().unwrap_or_default()
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

    fn request(capability: &str, operation: &str) -> Request {
        let args = Data::dict([("capability", Data::from(capability)), ("operation", Data::from(operation))]);
        Request { op: Op::HostCall, args }
    }

    fn bridge() -> Option<Bridge> {
        let (capability, name) = ("ledger".to_owned(), "post".to_owned());
        let operations = vec![Operation { capability, name, description: "Books an amount".to_owned() }];
        Some(Bridge { operations, tools: Vec::new() })
    }

    #[test]
    fn a_scripted_answer_is_given_and_noted() {
        let mut mocks = HostMocks::default();
        let script_args = Data::dict([
            ("capability", Data::from("ledger")),
            ("operation", Data::from("post")),
            ("params", Data::dict::<&str>([])),
            ("result", Data::Int(3)),
        ]);
        assert_eq!(script(&mut mocks, &script_args), Ok(Data::Nil));
        let answer = HostCallService::new(bridge()).call(&mut mocks, request("ledger", "post"));
        assert_eq!(answer, Started::Done(Ok(answered(Data::Int(3)))));
        assert_eq!(calls(&mocks).as_list().map(<[Data]>::len), Some(1));
    }

    #[test]
    fn what_the_host_offers_is_forwarded_and_nothing_else() {
        let service = HostCallService::new(bridge());
        let known = service.call(&mut HostMocks::default(), request("ledger", "post"));
        assert_eq!(known, Started::Forward(request("ledger", "post")));
        let unknown = service.call(&mut HostMocks::default(), request("ledger", "burn"));
        assert_eq!(unknown, Started::Done(Ok(Data::dict([("answered", Data::Bool(false))]))));
    }

    #[test]
    fn nothing_scripted_and_no_host_means_not_answered() {
        let answer = HostCallService::default().call(&mut HostMocks::default(), request("a", "b"));
        assert_eq!(answer, Started::Done(Ok(Data::dict([("answered", Data::Bool(false))]))));
    }
}
