//! Who a task is, and its task-local values (spec 04 section 4.12).

use super::Run;
use crate::schedule::TaskId;
use crate::schedule::scope::{Asker, text};
use harn_agent::stack::AgentStack;
use harn_vm::{Fiber, Value, VmError, display};

/// Fields of `runtime_context()` that a plain run has no value for, unless the task's context has one.
const FROM_CONTEXT: &[&str] = &[
    "scope_id",
    "workflow_id",
    "run_id",
    "stage_id",
    "worker_id",
    "parent_agent_session_id",
    "root_agent_session_id",
    "agent_name",
    "trigger_id",
    "trigger_event_id",
    "binding_key",
    "tenant_id",
    "provider",
    "trace_id",
    "span_id",
    "scheduler_key",
    "runner",
    "capacity_class",
];

fn session_of(fiber: &mut Fiber) -> Option<String> {
    fiber.task_state().peek::<AgentStack>()?.current().and_then(|frame| text(frame, "session_id"))
}

impl Run {
    /// The task as scopes see it.
    pub(super) fn asker(&self, id: TaskId, fiber: &mut Fiber) -> Asker {
        let Some(task) = self.tasks.get(&id) else { return Asker::default() };
        Asker {
            task_id: task.identity.task_id(),
            group_id: task.identity.group_id.as_deref().map(str::to_owned),
            session_id: session_of(fiber),
            tenant_id: task.context.get("tenant_id").filter(|v| !v.is_nil()).map(display),
        }
    }

    /// Performs one of the `runtime_context*` builtins.
    pub(super) fn context(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Box<VmError>> {
        if matches!(name, "runtime_context" | "task_current") {
            return Ok(self.runtime_context(id, fiber));
        }
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(Value::NIL) };
        if name == "runtime_context_values" {
            return Ok(Value::dict(task.context.clone()));
        }
        let Some(key) = args.first().and_then(Value::as_str) else {
            return Err(VmError::runtime(format!("{name}: first argument must be a string key")));
        };
        let given = args.get(1).cloned();
        Ok(match name {
            "runtime_context_set" => task.context.insert(key.to_owned(), given.unwrap_or_default()),
            "runtime_context_clear" => task.context.remove(key),
            _ => task.context.get(key).cloned().or(given),
        }
        .unwrap_or_default())
    }

    fn runtime_context(&self, id: TaskId, fiber: &mut Fiber) -> Value {
        let Some(task) = self.tasks.get(&id) else { return Value::NIL };
        let identity = &task.identity;
        let optional = |text: Option<&str>| text.map(Value::str).unwrap_or_default();
        let active = self.tasks.in_order().map(|(_, task)| Value::string(task.identity.task_id())).collect();
        let debug = Value::dict([
            ("active_task_ids", Value::list(active)),
            ("waiting_reason", Value::NIL),
            ("cancelled", Value::bool(task.flagged)),
            ("held_synchronization", Value::list(Vec::new())),
            ("supervisors", Value::list(self.supervisors.iter().map(|s| Value::str(&s.id)).collect())),
        ]);
        let session = session_of(fiber);
        let mut fields = vec![
            ("task_id", Value::string(identity.task_id())),
            ("parent_task_id", optional(identity.parent_id.as_deref())),
            ("root_task_id", Value::str("task_root")),
            ("task_name", Value::str(&identity.name)),
            ("task_group_id", optional(identity.group_id.as_deref())),
            ("agent_session_id", optional(session.as_deref())),
            ("context_values", Value::dict(task.context.clone())),
            ("cancelled", Value::bool(task.flagged)),
            ("debug", debug),
        ];
        fields.extend(
            FROM_CONTEXT.iter().map(|name| (*name, task.context.get(*name).cloned().unwrap_or_default())),
        );
        Value::dict(fields)
    }
}
