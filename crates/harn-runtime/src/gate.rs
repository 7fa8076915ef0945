//! The one gate for effects (law 3): every request of a program is ruled on here before anything happens.
//!
//! The order is total: a denial wins over a question, a question over a permission. Cheap classes pass by one test of a
//! mask; a rule that would touch them clears their bit.

use crate::ceiling;
use crate::confinement;
use crate::service::Dispatch;
use harn_agent::stack::AgentStack;
use harn_effect::{Data, EffectClass, Op, Raised, Request};
use harn_govern::{effects, trust};
use harn_vm::Fiber;

/// On whose behalf a task acts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acting {
    /// The agent session; empty when the program itself acts.
    pub session: String,
    /// The tool call in which the task is.
    pub tool: Option<String>,
    /// The dispatch of a trigger in which the task is.
    pub dispatch: Option<Dispatch>,
    /// The approval of that dispatch which lets the effect through.
    pub cites: Option<String>,
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
    /// It may not at the tier of the dispatch; what was asked for is recorded as a proposal besides.
    Propose(Acting, Raised, Data),
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
        let is_agent = fiber.task_state().peek::<AgentStack>().is_some_and(|stack| stack.session().is_some());
        let mut acting = acting(fiber);
        if self.denied.contains(&request.op) {
            return Ruling::Deny(acting, refused(request.op, "the rules of this run"));
        }
        let level = if acting.dispatch.is_some() {
            ceiling::level_in_dispatch(request.op)
        } else {
            ceiling::level(class)
        };
        if let Some(ceiling) = ceiling(fiber).filter(|ceiling| level > *ceiling) {
            let builtin = ceiling::builtin(fiber, request);
            acting.cites = approved(fiber, &acting, ceiling, &builtin, request.op);
            if acting.cites.is_none() {
                let raised = ceiling::refusal(&builtin, request, ceiling);
                return match &acting.dispatch {
                    Some(dispatch) if matches!(dispatch.tier.as_str(), "shadow" | "suggest") => {
                        let proposal = ceiling::proposal(dispatch, &builtin, request);
                        Ruling::Propose(acting, raised, proposal)
                    }
                    _ => Ruling::Deny(acting, raised),
                };
            }
        }
        if (acting.tool.is_some() || acting.dispatch.is_some())
            && let Some(raised) = for_operators(request)
        {
            return Ruling::Deny(acting, raised);
        }
        if (is_agent || self.record_all || acting.cites.is_some()) && effects::is_recorded(request.op) {
            return Ruling::Record(acting);
        }
        Ruling::Allow
    }
}

/// What a tool or the handler of a trigger may never do, whatever its tier: steer trust, name an approver, answer requests to people (spec 08 sections
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

/// The dispatch that the task is in.
pub(crate) fn dispatch(fiber: &mut Fiber) -> Option<Dispatch> {
    let entered = fiber.task_state().peek::<AgentStack>()?.dispatch()?;
    let harn_vm::View::Dict(fields) = entered.view() else { return None };
    let text = |name: &str| fields.get(name).and_then(|value| value.as_str().map(str::to_owned));
    Some(Dispatch {
        agent: text("agent").unwrap_or_default(),
        action: text("action").unwrap_or_default(),
        trace_id: text("trace_id").unwrap_or_default(),
        tier: text("tier").unwrap_or_default(),
        event_id: text("event_id").unwrap_or_default(),
        replay_of: text("replay_of_event_id"),
    })
}

/// The approval that raises the ceiling of a dispatch at `act_with_approval` for this effect (spec 08 section 3.5). It does
/// not reach into an agent loop that asked for a narrower policy.
fn approved(fiber: &mut Fiber, acting: &Acting, ceiling: usize, builtin: &str, op: Op) -> Option<String> {
    let tier = acting.dispatch.as_ref()?.tier.as_str();
    if tier != "act_with_approval" || Some(ceiling) != ceiling::rank("read_only") {
        return None;
    }
    fiber.task_state().peek::<AgentStack>()?.granted(&["*", builtin, ceiling::capability(op)])
}

/// The side-effect level of the policy in force in the task, as a place on the ladder.
fn ceiling(fiber: &mut Fiber) -> Option<usize> {
    match confinement::policy(fiber)?.field("side_effect_level") {
        Data::Str(name) => ceiling::rank(name),
        _ => None,
    }
}

/// On whose behalf the task of a fiber acts.
pub fn acting(fiber: &mut Fiber) -> Acting {
    let stack = fiber.task_state().peek::<AgentStack>();
    let (session, tool) = stack.map(|stack| (stack.session(), stack.tool())).unwrap_or_default();
    Acting { session: session.unwrap_or_default(), tool, dispatch: dispatch(fiber), cites: None }
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
