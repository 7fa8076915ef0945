//! Scopes of shared state: whose cell, map or mailbox a name means (spec 04 section 4.9).

use harn_vm::{Value, View, VmError, display};

/// Who names something, as far as scopes care.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    pub task_id: String,
    pub group_id: Option<String>,
    pub session_id: Option<String>,
    pub tenant_id: Option<String>,
}

const ROOT: &str = "task_root";

/// What the first argument of the opening builtins says: an options dict or a bare key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Address {
    pub scope: String,
    pub key: String,
}

/// The field `name` of a dict as text; nothing when it is missing or nil.
pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    match value.view() {
        View::Dict(dict) => dict.get(name).filter(|v| !v.is_nil()).map(|v| display(&v)),
        _ => None,
    }
}

impl Asker {
    /// The resolved scope `NAME:ID`; aliases meet under one name.
    pub fn resolve(
        &self,
        builtin: &str,
        scope: Option<&str>,
        tenant: Option<String>,
    ) -> Result<String, Box<VmError>> {
        let written = scope.unwrap_or("task_group").replace('-', "_");
        let root = || ROOT.to_owned();
        let (name, id) = match written.as_str() {
            "task" | "task_local" => ("task", self.task_id.clone()),
            "root_task" => ("root_task", root()),
            "task_group" | "workflow" | "workflow_local" => {
                ("task_group", self.group_id.clone().unwrap_or_else(root))
            }
            "workflow_run" | "run" => ("workflow_run", self.group_id.clone().unwrap_or_else(root)),
            "agent_session" | "session" => ("agent_session", self.session_id.clone().unwrap_or_else(root)),
            "tenant" | "tenant_scoped" => match tenant.or_else(|| self.tenant_id.clone()) {
                Some(id) => ("tenant", id),
                None => {
                    let text = "tenant scope requires tenant_id in options or runtime context";
                    return Err(VmError::runtime(format!("{builtin}: {text}")));
                }
            },
            "process" | "global" => ("process", "process".to_owned()),
            "durable" | "event_log" => {
                let text = "durable shared state is explicit; use store_* or agent_state_* APIs";
                return Err(VmError::runtime(format!("{builtin}: {text}")));
            }
            "external" | "host" => {
                let text = "external shared state must be provided by a host/connector builtin";
                return Err(VmError::runtime(format!("{builtin}: {text}")));
            }
            other => (other, other.to_owned()),
        };
        Ok(format!("{name}:{id}"))
    }

    /// The address in the first argument of an opening builtin.
    pub fn address(&self, builtin: &str, argument: Option<&Value>) -> Result<Address, Box<VmError>> {
        let (scope, key, tenant) = match argument {
            Some(value) if value.is_dict() => (
                text(value, "scope"),
                text(value, "key").or_else(|| text(value, "name")),
                text(value, "tenant_id"),
            ),
            Some(value) if !value.is_nil() => (None, Some(display(value)), None),
            _ => (None, None, None),
        };
        let Some(key) = key else {
            return Err(VmError::runtime(format!("{builtin}: key/name is required")));
        };
        Ok(Address { scope: self.resolve(builtin, scope.as_deref(), tenant)?, key })
    }

    /// The address that a handle of this kind, or a bare key in the default scope, stands for.
    pub fn target(
        &self,
        builtin: &str,
        kind: &str,
        argument: Option<&Value>,
    ) -> Result<Address, Box<VmError>> {
        match argument {
            Some(value) if value.is_dict() => match text(value, "_type") {
                Some(found) if found == kind => Ok(Address {
                    scope: text(value, "scope").unwrap_or_default(),
                    key: text(value, "key").unwrap_or_default(),
                }),
                _ => Err(VmError::runtime(format!("{builtin}: expected {kind} handle"))),
            },
            other => self.address(builtin, other),
        }
    }
}

/// A handle: `{_type, scope, key}`.
pub(crate) fn handle(kind: &str, address: &Address) -> Value {
    Value::dict([
        ("_type", Value::str(kind)),
        ("scope", Value::str(&address.scope)),
        ("key", Value::str(&address.key)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_a_scope_meet() {
        let asker = Asker { task_id: "t".into(), ..Asker::default() };
        assert_eq!(asker.resolve("b", Some("global"), None).ok().as_deref(), Some("process:process"));
        assert_eq!(asker.resolve("b", Some("process"), None).ok().as_deref(), Some("process:process"));
        assert_eq!(asker.resolve("b", Some("task-local"), None).ok().as_deref(), Some("task:t"));
        assert_eq!(asker.resolve("b", None, None).ok().as_deref(), Some("task_group:task_root"));
    }
}
