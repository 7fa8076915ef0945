//! Supervisors as data: what a spec says, where each child is, when it is started again (spec 04 section 4.16).

use crate::schedule::TaskId;
use harn_vm::{TaskState, Value, View, VmError, display};
use std::collections::{BTreeMap, VecDeque};

/// What a failure of one child means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    OneForOne,
    OneForAll,
    RestForOne,
    Escalate,
}

/// When a child is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Never,
    OnFailure,
    Always,
}

/// A restart policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub mode: Mode,
    pub max: Option<i64>,
    pub window_ms: i64,
    backoff_ms: i64,
    max_backoff_ms: i64,
    factor: f64,
    jitter_ms: i64,
    pub circuit_open_ms: Option<i64>,
}

/// Where a supervisor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Draining,
    Stopped,
    Completed,
    Escalated,
}

/// Where a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildStatus {
    Pending,
    Running,
    Draining,
    Waiting,
    Stopped,
    Failed,
    Suppressed,
    CircuitOpen,
}

/// A child of a supervisor.
pub(crate) struct Ward {
    pub name: String,
    pub kind: String,
    pub body: Value,
    pub policy: Policy,
    pub lease: Value,
    pub status: ChildStatus,
    pub restarts: i64,
    pub attempt: i64,
    pub last_error: Option<String>,
    pub reason: Option<&'static str>,
    /// When it starts again: on the monotonic clock, and on the wall clock for programs.
    pub due: Option<(i64, i64)>,
    pub task: Option<TaskId>,
    /// Times of failures inside the window of the policy.
    pub failures: VecDeque<i64>,
}

/// Counts of a supervisor, by name.
pub(crate) type Counts = BTreeMap<&'static str, i64>;

/// A supervisor.
pub(crate) struct Supervisor {
    pub id: String,
    pub name: String,
    pub strategy: Strategy,
    pub shutdown_ms: i64,
    pub status: Status,
    pub wards: Vec<Ward>,
    pub counts: Counts,
    pub events: Vec<Value>,
    /// Tasks inside `supervisor_stop`.
    pub stoppers: Vec<TaskId>,
    /// The task ids that children of this supervisor start with.
    pub parent_id: String,
    /// What children inherit from the task that started the supervisor.
    pub state: TaskState,
    pub context: BTreeMap<String, Value>,
}

const NAMES: [&str; 6] = ["started", "stopped", "failed", "restarted", "suppressed", "escalated"];

fn field(value: &Value, names: &[&str]) -> Option<Value> {
    let View::Dict(dict) = value.view() else { return None };
    names.iter().find_map(|name| dict.get(name).filter(|v| !v.is_nil()))
}

fn int(value: &Value, names: &[&str]) -> Option<i64> {
    match field(value, names)?.view() {
        View::Int(n) | View::Duration(n) => Some(n.max(0)),
        View::Float(x) => Some(x.max(0.0) as i64),
        _ => None,
    }
}

impl Policy {
    fn parse(value: Option<Value>) -> Result<Policy, Box<VmError>> {
        let mut policy = Policy {
            mode: Mode::OnFailure,
            max: None,
            window_ms: 60_000,
            backoff_ms: 0,
            max_backoff_ms: 30_000,
            factor: 2.0,
            jitter_ms: 0,
            circuit_open_ms: None,
        };
        let Some(value) = value else { return Ok(policy) };
        if value.as_str().is_some() {
            policy.mode = Mode::parse(&display(&value))?;
            return Ok(policy);
        }
        if !value.is_dict() {
            let text = "supervisor_start: restart policy must be a string or dict, got";
            return Err(VmError::runtime(format!("{text} {}", value.type_name())));
        }
        if let Some(mode) = field(&value, &["mode", "policy"]) {
            policy.mode = Mode::parse(&display(&mode))?;
        }
        policy.max = int(&value, &["max_restarts", "max"]);
        policy.window_ms = int(&value, &["window_ms"]).unwrap_or(policy.window_ms);
        policy.backoff_ms = int(&value, &["backoff_ms", "backoff", "initial_backoff_ms"]).unwrap_or(0);
        policy.max_backoff_ms = int(&value, &["max_backoff_ms"]).unwrap_or(policy.max_backoff_ms);
        policy.factor =
            field(&value, &["factor"]).and_then(|f| f.as_number()).map_or(policy.factor, |f| f.max(1.0));
        policy.jitter_ms = int(&value, &["jitter_ms"]).unwrap_or(0);
        policy.circuit_open_ms = int(&value, &["circuit_open_ms"]);
        Ok(policy)
    }

    /// Milliseconds before restart number `k` (from 0) of the child that `seed` names.
    pub fn delay(&self, k: i64, seed: &str) -> i64 {
        let exponent = i32::try_from(k).unwrap_or(i32::MAX);
        let grown = (self.backoff_ms as f64) * self.factor.powi(exponent);
        let most = self.max_backoff_ms.max(self.backoff_ms);
        let base = if grown.is_finite() { (grown as i64).min(most) } else { most };
        if self.jitter_ms == 0 {
            return base;
        }
        // FNV-1a: the same child waits as long in every run.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in seed.bytes().chain(k.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        base.saturating_add((hash % (self.jitter_ms.unsigned_abs() + 1)) as i64)
    }
}

impl Mode {
    fn parse(text: &str) -> Result<Mode, Box<VmError>> {
        match text {
            "never" => Ok(Mode::Never),
            "on_failure" => Ok(Mode::OnFailure),
            "always" => Ok(Mode::Always),
            _ => Err(VmError::runtime(format!("supervisor_start: unknown restart mode '{text}'"))),
        }
    }
}

impl Strategy {
    fn parse(text: &str) -> Result<Strategy, Box<VmError>> {
        match text {
            "one_for_one" => Ok(Strategy::OneForOne),
            "one_for_all" => Ok(Strategy::OneForAll),
            "rest_for_one" => Ok(Strategy::RestForOne),
            "escalate_to_parent" | "escalate" => Ok(Strategy::Escalate),
            _ => Err(VmError::runtime(format!("supervisor_start: unknown strategy '{text}'"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Strategy::OneForOne => "one_for_one",
            Strategy::OneForAll => "one_for_all",
            Strategy::RestForOne => "rest_for_one",
            Strategy::Escalate => "escalate_to_parent",
        }
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Draining => "draining",
            Status::Stopped => "stopped",
            Status::Completed => "completed",
            Status::Escalated => "escalated",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Stopped | Status::Completed | Status::Escalated)
    }
}

impl ChildStatus {
    fn name(self) -> &'static str {
        match self {
            ChildStatus::Pending => "pending",
            ChildStatus::Running => "running",
            ChildStatus::Draining => "draining",
            ChildStatus::Waiting => "waiting",
            ChildStatus::Stopped => "stopped",
            ChildStatus::Failed => "failed",
            ChildStatus::Suppressed => "suppressed",
            ChildStatus::CircuitOpen => "circuit_open",
        }
    }
}

impl Ward {
    fn parse(spec: &Value, number: usize, default: Option<Value>) -> Result<Ward, Box<VmError>> {
        let name = field(spec, &["name"]).map_or_else(|| format!("child_{number}"), |name| display(&name));
        let body = field(spec, &["task", "handler"]).filter(Value::is_callable).ok_or_else(|| {
            VmError::runtime(format!("supervisor_start: child '{name}' requires a task closure"))
        })?;
        Ok(Ward {
            kind: field(spec, &["kind"]).map_or_else(|| "task".to_owned(), |kind| display(&kind)),
            body,
            policy: Policy::parse(field(spec, &["restart"]).or(default))?,
            lease: field(spec, &["active_lease", "lease"]).unwrap_or_default(),
            status: ChildStatus::Pending,
            restarts: 0,
            attempt: 0,
            last_error: None,
            reason: None,
            due: None,
            task: None,
            failures: VecDeque::new(),
            name,
        })
    }

    /// Whether it runs, or will run without anybody's doing.
    pub fn is_live(&self) -> bool {
        self.task.is_some() || self.due.is_some()
    }

    fn state(&self) -> Value {
        let optional = |text: Option<&str>| text.map(Value::str).unwrap_or_default();
        Value::dict([
            ("name", Value::str(&self.name)),
            ("kind", Value::str(&self.kind)),
            ("status", Value::str(self.status.name())),
            ("restart_count", Value::int(self.restarts)),
            ("last_error", optional(self.last_error.as_deref())),
            ("current_wait_reason", optional(self.reason)),
            ("active_lease", self.lease.clone()),
            ("next_restart_time", self.due.map(|(_, wall)| Value::int(wall)).unwrap_or_default()),
        ])
    }
}

impl Supervisor {
    /// A supervisor as the spec describes it; nothing runs yet.
    pub fn parse(spec: &Value, number: usize) -> Result<Supervisor, Box<VmError>> {
        let children = field(spec, &["children"]);
        let Some(View::List(children)) = children.as_ref().map(Value::view) else {
            return Err(VmError::runtime("supervisor_start: children must be a list"));
        };
        if children.is_empty() {
            return Err(VmError::runtime("supervisor_start: children must include at least one child"));
        }
        let id = field(spec, &["id"]).map_or_else(|| format!("supervisor_{number}"), |id| display(&id));
        let strategy = match field(spec, &["strategy"]) {
            Some(strategy) => Strategy::parse(&display(&strategy))?,
            None => Strategy::OneForOne,
        };
        let default = field(spec, &["restart"]);
        let wards = children.iter().enumerate();
        let wards = wards.map(|(index, child)| Ward::parse(&child, index + 1, default.clone()));
        Ok(Supervisor {
            name: field(spec, &["name"]).map_or_else(|| id.clone(), |name| display(&name)),
            strategy,
            shutdown_ms: int(spec, &["shutdown_ms", "drain_ms"]).unwrap_or(5_000),
            status: Status::Running,
            wards: wards.collect::<Result<_, _>>()?,
            counts: NAMES.iter().map(|name| (*name, 0)).collect(),
            events: Vec::new(),
            stoppers: Vec::new(),
            parent_id: String::new(),
            state: TaskState::default(),
            context: BTreeMap::new(),
            id,
        })
    }

    /// Adds one to a count.
    pub fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// The result of `supervisor_metrics`.
    pub fn metrics(&self) -> Value {
        Value::dict(self.counts.iter().map(|(name, n)| (*name, Value::int(*n))))
    }

    /// The handle that `supervisor_start` returns.
    pub fn handle(&self) -> Value {
        Value::dict([
            ("_type", Value::str("supervisor")),
            ("id", Value::str(&self.id)),
            ("name", Value::str(&self.name)),
        ])
    }

    /// The result of `supervisor_state`.
    pub fn describe(&self) -> Value {
        Value::dict([
            ("_type", Value::str("supervisor_state")),
            ("id", Value::str(&self.id)),
            ("name", Value::str(&self.name)),
            ("status", Value::str(self.status.name())),
            ("strategy", Value::str(self.strategy.name())),
            ("metrics", self.metrics()),
            ("children", Value::list(self.wards.iter().map(Ward::state).collect())),
        ])
    }
}

/// The id in the first argument of an operation: a handle or an id.
pub(crate) fn id_of(argument: Option<&Value>) -> String {
    match argument {
        Some(value) => field(value, &["id"]).map_or_else(|| display(value), |id| display(&id)),
        None => "nil".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[(&str, i64)]) -> Policy {
        let dict = Value::dict(entries.iter().map(|(name, n)| (*name, Value::int(*n))));
        Policy::parse(Some(dict)).expect("a policy")
    }

    #[test]
    fn delays_grow_up_to_the_limit() {
        let policy = policy(&[("backoff_ms", 100), ("max_backoff_ms", 350)]);
        assert_eq!([0, 1, 2, 9_999].map(|k| policy.delay(k, "s")), [100, 200, 350, 350]);
    }

    #[test]
    fn jitter_is_bounded_and_the_same_each_time() {
        let policy = policy(&[("backoff_ms", 10), ("factor", 1), ("jitter_ms", 5)]);
        for k in 0..50 {
            let delay = policy.delay(k, "a");
            assert!((10..=15).contains(&delay));
            assert_eq!(delay, policy.delay(k, "a"));
        }
    }
}
