//! What the policy in force of an agent opens: its capabilities, and the folders that its files must lie in (spec 06
//! sections 13.2 and 13.3).

use crate::ceiling::{self, rejected};
use harn_agent::stack::AgentStack;
use harn_effect::{Data, Host, Op, Raised, Request, Ticket};
use harn_vm::{Fiber, View, to_data};
use std::path::{Component, Path, PathBuf};

/// The policy that is in force for a task; `None` outside of agents and where nothing is restricted.
pub fn policy(fiber: &mut Fiber) -> Option<Data> {
    let frame = fiber.task_state().peek::<AgentStack>()?.current()?.clone();
    let View::Dict(frame) = frame.view() else { return None };
    to_data(&frame.get("policy")?).ok().filter(|policy| !matches!(policy, Data::Nil))
}

/// Why a policy does not let a builtin have an effect, when it does not. `own` is the folder of the run's own state: what
/// the runtime keeps there for the program is no access of the program to a file.
pub fn refusal(
    policy: &Data,
    builtin: &str,
    request: &Request,
    own: &str,
    host: &mut dyn Host,
) -> Option<Raised> {
    if let Some(raised) = capability_refusal(policy, builtin, request) {
        return Some(raised);
    }
    root_refusal(policy, builtin, request, Path::new(own), host).map(rejected)
}

fn capability_refusal(policy: &Data, builtin: &str, request: &Request) -> Option<Raised> {
    let Data::Dict(capabilities) = policy.field("capabilities") else { return None };
    if capabilities.is_empty() {
        return None;
    }
    let opens = |capability: &str, operation: &str| match capabilities.get(capability) {
        Some(Data::List(operations)) => {
            operations.is_empty() || operations.iter().any(|o| o.as_str() == Some(operation))
        }
        _ => false,
    };
    if request.op == Op::HostCall {
        let text = |name: &str| request.args.field(name).as_str().unwrap_or_default();
        let (capability, operation) = (text("capability"), text("operation"));
        return (!opens(capability, operation))
            .then(|| rejected(format!("host_call {capability}.{operation} exceeds capability ceiling")));
    }
    let (capability, operation) = ceiling::capability(request.op).split_once('.')?;
    let governed = ["workspace", "process", "llm"].contains(&capability);
    (governed && !opens(capability, operation)).then(|| ceiling::refusal(builtin, request, 0))
}

/// The builtins that name a file of the program's; others keep state.
const FILE_BUILTINS: [&str; 20] = [
    "read_file",
    "read_file_result",
    "read_file_bytes",
    "read_lines",
    "write_file",
    "write_file_bytes",
    "append_file",
    "file_exists",
    "stat",
    "list_dir",
    "mkdir",
    "copy_file",
    "move_file",
    "delete_file",
    "walk_dir",
    "glob",
    "render",
    "render_prompt",
    "render_with_provenance",
    "http_download",
];

/// The paths that an effect touches, and what it does with each.
fn accesses(request: &Request) -> Vec<(&'static str, &'static str)> {
    match request.op {
        Op::FileRead | Op::FileStat | Op::FileList | Op::DirWalk | Op::FileCanonical => {
            vec![("read", "path")]
        }
        Op::FileWrite | Op::DirCreate => vec![("write", "path")],
        Op::FileCopy => vec![("read", "from"), ("write", "to")],
        Op::FileRename => vec![("delete", "from"), ("write", "to")],
        Op::FileDelete | Op::TreeDelete => vec![("delete", "path")],
        _ => Vec::new(),
    }
}

fn root_refusal(
    policy: &Data,
    builtin: &str,
    request: &Request,
    own: &Path,
    host: &mut dyn Host,
) -> Option<String> {
    let roots: Vec<&str> =
        policy.field("workspace_roots").as_list()?.iter().filter_map(Data::as_str).collect();
    if roots.is_empty() {
        return None;
    }
    let listed = roots.join(", ");
    let inside = |path: &Path, host: &mut dyn Host| {
        let real = real_path(path, host);
        let own = !FILE_BUILTINS.contains(&builtin) && real.starts_with(real_path(own, host));
        own || roots.iter().any(|root| real.starts_with(real_path(Path::new(root), host)))
    };
    if matches!(request.op, Op::ProcessExec | Op::ChildOpen) {
        let cwd = request.args.field("cwd").as_str().unwrap_or(".");
        return (!inside(Path::new(cwd), host)).then(|| {
            format!("sandbox violation: process cwd '{cwd}' is outside workspace_roots [{listed}]")
        });
    }
    for (verb, field) in accesses(request) {
        let path = request.args.field(field).as_str().unwrap_or_default();
        if !inside(Path::new(path), host) {
            return Some(format!(
                "sandbox violation: builtin '{builtin}' attempted to {verb} '{path}' outside workspace_roots [{listed}]"
            ));
        }
    }
    None
}

/// The path without links: its nearest existing ancestor as the host knows it, and the rest as text.
fn real_path(path: &Path, host: &mut dyn Host) -> PathBuf {
    let mut rest = Vec::new();
    let mut at = path.to_path_buf();
    loop {
        let text = if at.as_os_str().is_empty() { ".".to_owned() } else { at.to_string_lossy().into_owned() };
        let asked = Request { op: Op::FileCanonical, args: Data::dict([("path", Data::from(text))]) };
        if let Some(Ok(Data::Str(real))) = host.start(Ticket(u64::MAX), asked) {
            return lexical(PathBuf::from(real), rest);
        }
        match at.components().next_back() {
            Some(last @ (Component::Normal(_) | Component::ParentDir)) => {
                rest.push(last.as_os_str().to_owned());
                at.pop();
            }
            _ => return lexical(at, rest),
        }
    }
}

/// Appends segments, given from the last, and folds `..`.
fn lexical(mut base: PathBuf, rest: Vec<std::ffi::OsString>) -> PathBuf {
    for segment in rest.into_iter().rev() {
        if segment == ".." {
            base.pop();
        } else {
            base.push(segment);
        }
    }
    base
}
