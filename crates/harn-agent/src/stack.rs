//! The agent loops that a task is in, innermost last, and its current tool registry.
//!
//! Both belong to the task: a child task starts with a copy, so that what runs in parallel never sees another's session
//! or ceiling (spec 08 section 11, G8 and G9).

use harn_vm::{Value, View};

/// A text field of a frame.
fn field(frame: &Value, name: &str) -> Option<String> {
    let View::Dict(fields) = frame.view() else { return None };
    fields.get(name)?.as_str().map(str::to_owned)
}

/// Task state of the agent builtins.
#[derive(Clone, Default)]
pub struct AgentStack {
    frames: Vec<Value>,
    tools: Value,
    /// Pairs of a request and the capabilities that its approval named.
    granted: Vec<Value>,
}

impl AgentStack {
    /// All of it as a value, for a snapshot.
    pub fn to_value(&self) -> Value {
        let kept = Value::pair(self.tools.clone(), Value::list(self.granted.clone()));
        Value::pair(Value::list(self.frames.clone()), kept)
    }

    /// What [`AgentStack::to_value`] gave.
    pub fn from_value(value: &Value) -> AgentStack {
        match value.view() {
            View::Pair(frames, kept) => {
                let (tools, granted) = match kept.view() {
                    View::Pair(tools, granted) => (tools.clone(), granted.clone().into_list()),
                    _ => (Value::NIL, Vec::new()),
                };
                AgentStack { frames: frames.clone().into_list(), tools, granted }
            }
            _ => AgentStack::default(),
        }
    }

    /// Enters a loop; `frame` is the dict `{session_id, decisions, policy, approval, permissions}`. A tool call enters with the
    /// frame of its loop and `tool`, its name.
    pub fn push(&mut self, frame: Value) {
        self.frames.push(frame);
    }

    /// Leaves the innermost loop.
    pub fn pop(&mut self) {
        self.frames.pop();
    }

    /// The innermost loop.
    pub fn current(&self) -> Option<&Value> {
        self.frames.last()
    }

    /// The session of the innermost loop; `None` outside of agents.
    pub fn session(&self) -> Option<String> {
        field(self.current()?, "session_id").or(Some(String::new()))
    }

    /// The innermost tool call that the task is in, also through loops that the tool started.
    pub fn tool(&self) -> Option<String> {
        self.frames.iter().rev().find_map(|frame| field(frame, "tool"))
    }

    /// The budgeted decisions that the task is in, from the outermost.
    pub fn decisions(&self) -> Vec<String> {
        let Some(frame) = self.current() else { return Vec::new() };
        let View::Dict(fields) = frame.view() else { return Vec::new() };
        let Some(listed) = fields.get("decisions") else { return Vec::new() };
        let View::List(ids) = listed.view() else { return Vec::new() };
        ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
    }

    /// The dispatch of a trigger that the task is in (spec 08 section 6.4), also through loops and tools that its handler
    /// started: the dict that the dispatcher entered with.
    pub fn dispatch(&self) -> Option<Value> {
        self.frames.iter().rev().find_map(|frame| match frame.view() {
            View::Dict(fields) => fields.get("dispatch").filter(|dispatch| !dispatch.is_nil()),
            _ => None,
        })
    }

    /// Enters a dispatch; what was granted in one around it does not hold in it.
    pub fn enter_dispatch(&mut self, frame: Value) {
        self.granted.clear();
        self.frames.push(frame);
    }

    /// What an approval lets the rest of this task's dispatch do: `capabilities` by name, citing `request`.
    pub fn grant(&mut self, request: Value, capabilities: Value) {
        self.granted.push(Value::pair(request, capabilities));
    }

    /// Takes back what was granted last.
    pub fn ungrant(&mut self) {
        self.granted.pop();
    }

    /// The request that allows one of these names, if an approval of this dispatch did.
    pub fn granted(&self, names: &[&str]) -> Option<String> {
        self.granted.iter().find_map(|grant| {
            let View::Pair(request, capabilities) = grant.view() else { return None };
            let View::List(listed) = capabilities.view() else { return None };
            let allowed = listed.iter().any(|name| name.as_str().is_some_and(|name| names.contains(&name)));
            if allowed { request.as_str().map(str::to_owned) } else { None }
        })
    }

    /// Sets the current tool registry.
    pub fn bind_tools(&mut self, registry: Value) {
        self.tools = registry;
    }

    /// The current tool registry, nil when none is bound.
    pub fn tools(&self) -> Value {
        self.tools.clone()
    }
}
