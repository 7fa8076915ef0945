//! The one gate for effects (law 3): every request of a program is ruled on here before anything happens.
//!
//! The order is total: a denial wins over a question, a question over a permission. Cheap classes pass by one test of a
//! mask; a rule that would touch them clears their bit.

use harn_agent::stack::AgentStack;
use harn_effect::{Data, EffectClass, Op, Raised, Request};
use harn_vm::{Fiber, to_data};

/// What the gate says of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// It may happen.
    Allow,
    /// It may not; the program gets this error.
    Deny(Raised),
}

/// The rules of a run.
#[derive(Clone, Debug)]
pub struct Gate {
    /// One bit per [`EffectClass`]: classes that pass unseen.
    free: u32,
    denied: Vec<Op>,
}

const fn bit(class: EffectClass) -> u32 {
    1 << class as u32
}

impl Default for Gate {
    fn default() -> Self {
        Gate { free: bit(EffectClass::Ambient), denied: Vec::new() }
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
        if self.denied.contains(&request.op) {
            return Ruling::Deny(refused(request.op, "the rules of this run"));
        }
        match ceiling(fiber) {
            Some(ceiling) if level(class) > ceiling => {
                let name = LEVELS.get(ceiling).copied().unwrap_or("none");
                Ruling::Deny(refused(request.op, &format!("side-effect ceiling: {name}")))
            }
            _ => Ruling::Allow,
        }
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
    let frame = fiber.task_state().get::<AgentStack>().current()?.clone();
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
