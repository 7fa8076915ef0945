//! The one gate for effects (law 3): every request of a program is ruled on here before anything happens.
//!
//! The order is total: a denial wins over a question, a question over a permission. Cheap classes pass by one test of a
//! mask; a rule that would touch them clears their bit.

use harn_agent::stack::AgentStack;
use harn_effect::{Data, EffectClass, Op, Raised, Request};
use harn_govern::{effects, trust};
use harn_vm::{Fiber, to_data};

/// On whose behalf a task acts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acting {
    /// The agent session; empty when the program itself acts.
    pub session: String,
    /// The tool call in which the task is.
    pub tool: Option<String>,
}

/// What the gate says of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// It may happen; nothing is recorded.
    Allow,
    /// It may happen once this ruling is durable.
    Record(Acting),
    /// It may not; the refusal is recorded and the program gets this error.
    Deny(Acting, Raised),
}

/// The rules of a run.
#[derive(Clone, Debug)]
pub struct Gate {
    /// One bit per [`EffectClass`]: classes that pass unseen.
    free: u32,
    denied: Vec<Op>,
    /// Whether the program's own effects are recorded like those of its agents.
    record_all: bool,
}

const fn bit(class: EffectClass) -> u32 {
    1 << class as u32
}

impl Default for Gate {
    fn default() -> Self {
        Gate { free: bit(EffectClass::Ambient), denied: Vec::new(), record_all: false }
    }
}

/// The ladder of side effects (spec 08 section 3.5); an effect above the level in force is refused.
const LEVELS: [&str; 5] = ["none", "read_only", "workspace_write", "process_exec", "network"];

/// Where an effect stands on the ladder. Model calls are allowed up from `read_only`: what the model asks for is ruled
/// call by call.
fn level(class: EffectClass) -> usize {
    match class {
        EffectClass::Ambient | EffectClass::Control => 0,
        EffectClass::Read | EffectClass::Model => 1,
        EffectClass::Write => 2,
        EffectClass::Process => 3,
        EffectClass::Network => 4,
    }
}

impl Gate {
    /// Refuses an operation for the whole run, whatever else allows it.
    pub fn deny(&mut self, op: Op) {
        self.denied.push(op);
        self.free &= !bit(op.class());
    }

    /// Records every governed effect of the run, not only what is done for an agent.
    pub fn record_all(&mut self) {
        self.record_all = true;
    }

    /// Refuses every operation of a class for the whole run.
    pub fn deny_class(&mut self, class: EffectClass) {
        Op::ALL.iter().filter(|op| op.class() == class).for_each(|op| self.deny(*op));
    }

    /// Whether a class needs no further look.
    pub fn passes(&self, class: EffectClass) -> bool {
        self.free & bit(class) != 0
    }

    /// Rules on a request of the task whose fiber this is.
    pub fn decide(&self, fiber: &mut Fiber, request: &Request) -> Ruling {
        let class = request.op.class();
        if self.passes(class) {
            return Ruling::Allow;
        }
        let stack = fiber.task_state().peek::<AgentStack>();
        let (session, tool) = stack.map(|stack| (stack.session(), stack.tool())).unwrap_or_default();
        let is_agent = session.is_some();
        let acting = Acting { session: session.unwrap_or_default(), tool };
        if self.denied.contains(&request.op) {
            return Ruling::Deny(acting, refused(request.op, "the rules of this run"));
        }
        if let Some(ceiling) = ceiling(fiber).filter(|ceiling| level(class) > *ceiling) {
            let name = LEVELS.get(ceiling).copied().unwrap_or("none");
            return Ruling::Deny(acting, refused(request.op, &format!("side-effect ceiling: {name}")));
        }
        if acting.tool.is_some()
            && let Some(raised) = for_operators(request)
        {
            return Ruling::Deny(acting, raised);
        }
        if (is_agent || self.record_all) && effects::is_recorded(request.op) {
            return Ruling::Record(acting);
        }
        Ruling::Allow
    }
}

/// What a tool may never do, whatever its tier: steer trust, name an approver, answer requests to people (spec 08 sections
/// 3.6 and 4.5).
fn for_operators(request: &Request) -> Option<Raised> {
    let args = &request.args;
    match request.op {
        Op::TrustRecord => {
            let builtin = args.field("builtin").as_str().unwrap_or_default();
            let given = args.field("args").as_list().unwrap_or_default();
            let named = args.field("decision");
            let action = given.get(1).unwrap_or(named.field("action")).as_str().unwrap_or_default();
            let approver = given.get(2).unwrap_or(named.field("approver")).as_str().unwrap_or_default();
            (trust::is_control(action) || !approver.is_empty())
                .then(|| Raised::runtime(format!("{builtin}: action '{action}' requires an operator")))
        }
        Op::HostMock if args.field("capability").as_str() == Some("hitl") => {
            Some(Raised::thrown("host_mock: capability 'hitl' is reserved".to_owned()))
        }
        _ => None,
    }
}

fn refused(op: Op, by: &str) -> Raised {
    Raised::Categorised {
        category: "tool_rejected".to_owned(),
        text: format!("'{}' exceeds {by}", op.name()),
    }
}

/// The side-effect level of the policy in force in the task, as a place on the ladder.
fn ceiling(fiber: &mut Fiber) -> Option<usize> {
    let frame = fiber.task_state().peek::<AgentStack>()?.current()?.clone();
    let harn_vm::View::Dict(frame) = frame.view() else { return None };
    let policy = to_data(&frame.get("policy")?).ok()?;
    match policy.field("side_effect_level") {
        Data::Str(name) => LEVELS.iter().position(|level| level == name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambient_effects_pass_until_a_rule_names_one() {
        let mut gate = Gate::default();
        assert!(gate.passes(EffectClass::Ambient) && !gate.passes(EffectClass::Model));
        gate.deny(Op::StdinRead);
        assert!(!gate.passes(EffectClass::Ambient));
    }
}
