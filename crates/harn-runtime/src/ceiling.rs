//! What a side-effect ceiling refuses, and in which words (spec 06 section 13.2, spec 08 sections 3.5 and 7.1).

use crate::service::Dispatch;
use harn_effect::{Data, EffectClass, Op, Raised, Request};
use harn_vm::Fiber;

/// The ladder of side effects (spec 08 section 3.5); an effect above the level in force is refused.
const LEVELS: [&str; 5] = ["none", "read_only", "workspace_write", "process_exec", "network"];

/// The place of a level on the ladder.
pub fn rank(level: &str) -> Option<usize> {
    LEVELS.iter().position(|name| *name == level)
}

/// Where an effect stands on the ladder. Model calls are allowed up from `read_only`: what the model asks for is ruled
/// call by call.
pub fn level(class: EffectClass) -> usize {
    match class {
        EffectClass::Ambient | EffectClass::Control => 0,
        EffectClass::Read | EffectClass::Model => 1,
        EffectClass::Write => 2,
        EffectClass::Process => 3,
        EffectClass::Network => 4,
    }
}

/// Where an effect stands in a dispatch: a handler may look at everything, and what changes governance or another's
/// waiting is a write.
pub fn level_in_dispatch(op: Op) -> usize {
    match op {
        Op::TrustRecord | Op::HostMock | Op::TriggerAppend | Op::TriggerReserve | Op::WaitpointResolve => 2,
        _ if op.class() == EffectClass::Read => 0,
        _ => level(op.class()),
    }
}

/// The builtin in which the program asks for an effect.
pub fn builtin(fiber: &Fiber, request: &Request) -> String {
    if let Some(name) = fiber.library_call() {
        return name;
    }
    match request.op {
        Op::EventAppend => "event_log.emit".to_owned(),
        Op::EventLatest => "event_log.latest".to_owned(),
        Op::EnvGet => "env".to_owned(),
        op => match request.args.field("builtin").as_str() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => op.name().to_owned(),
        },
    }
}

/// The capability that an effect needs, as approvals name it.
pub fn capability(op: Op) -> &'static str {
    match op {
        Op::FileRead => "workspace.read_text",
        Op::FileList | Op::DirWalk => "workspace.list",
        Op::FileStat => "workspace.exists",
        Op::FileWrite | Op::DirCreate | Op::FileCopy | Op::FileRename | Op::TempCreate => {
            "workspace.write_text"
        }
        Op::FileDelete | Op::TreeDelete => "workspace.delete",
        Op::ProcessExec | Op::ChildOpen => "process.exec",
        Op::EventAppend => "event_log.emit",
        _ => match op.class() {
            EffectClass::Model => "llm.call",
            EffectClass::Network => "network",
            _ => op.name(),
        },
    }
}

/// The error of a refused effect.
pub fn refusal(builtin: &str, request: &Request, ceiling: usize) -> Raised {
    let text = |name: &str| request.args.field(name).as_str().unwrap_or_default();
    let exceeded = match request.op {
        Op::HostCall => {
            let (capability, operation) = (text("capability"), text("operation"));
            return rejected(format!("host_call {capability}.{operation} exceeds side-effect ceiling"));
        }
        Op::FileWrite | Op::DirCreate | Op::FileCopy | Op::FileRename | Op::TempCreate => {
            "workspace write ceiling".to_owned()
        }
        Op::FileRead
        | Op::FileList
        | Op::DirWalk
        | Op::FileStat
        | Op::FileDelete
        | Op::TreeDelete
        | Op::ProcessExec
        | Op::ChildOpen => format!("{} ceiling", capability(request.op)),
        op => match op.class() {
            EffectClass::Model => "LLM/network ceiling".to_owned(),
            EffectClass::Network => "network ceiling".to_owned(),
            _ => format!("side-effect ceiling: {}", LEVELS.get(ceiling).copied().unwrap_or("none")),
        },
    };
    rejected(format!("builtin '{builtin}' exceeds {exceeded}"))
}

/// A refusal of the gate, with its category.
pub(crate) fn rejected(text: String) -> Raised {
    Raised::Categorised { category: "tool_rejected".to_owned(), text }
}

/// What a refused call in a dispatch would have done, for the event `dispatch_proposed`.
pub fn proposal(dispatch: &Dispatch, builtin: &str, request: &Request) -> Data {
    let optional = |text: &Option<String>| text.clone().map_or(Data::Nil, Data::Str);
    Data::dict([
        ("agent", Data::from(dispatch.agent.as_str())),
        ("action", dispatch.action.as_str().into()),
        ("builtin", builtin.into()),
        ("args", Data::List(arguments(request))),
        ("trace_id", dispatch.trace_id.as_str().into()),
        ("replay_of_event_id", optional(&dispatch.replay_of)),
        ("autonomy_tier", dispatch.tier.as_str().into()),
        ("proposal", Data::Bool(true)),
    ])
}

/// The arguments of the call as the builtins of the effect take them; where they have none of that form, all in one dict.
fn arguments(request: &Request) -> Vec<Data> {
    let names: &[&str] = match request.op {
        Op::FileWrite => &["path", "bytes"],
        Op::FileRead | Op::FileDelete | Op::TreeDelete | Op::DirCreate => &["path"],
        Op::FileCopy | Op::FileRename => &["from", "to"],
        Op::EventAppend => &["topic", "kind", "payload"],
        Op::WaitpointResolve => &["id", "value"],
        Op::HttpSend | Op::HttpOpen | Op::EventsOpen | Op::SocketOpen => &["url"],
        Op::ProcessExec | Op::ChildOpen => {
            return request.args.field("argv").as_list().unwrap_or_default().to_vec();
        }
        _ => return vec![request.args.clone()],
    };
    names.iter().map(|name| request.args.field(name).clone()).collect()
}
