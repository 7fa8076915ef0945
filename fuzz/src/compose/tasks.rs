//! Expressions that are computed in tasks of their own. Their bodies meet nobody, so that the order in which they run
//! cannot be seen.

use super::{Composer, Ty};

/// What a task does beside what it is for. The soak makes it take long, so that tasks are placed on other threads.
pub const SPIN: &str = "fn spin() {\n  return 0\n}\n";

/// The same, taking long.
pub const SPIN_LONG: &str = "fn spin() {\n  var t = 0\n  for i in 0 to 60000 exclusive {\n    t = (t + i) % 1000003\n  }\n  return t\n}\n";

impl Composer<'_> {
    /// The body of a task as a block, its parameter in front.
    fn task(&mut self, params: &[Ty], gives: &Ty, depth: usize) -> Option<String> {
        let closure = self.closure(params, gives, depth);
        let (head, body) = closure.strip_prefix('{')?.split_once("->")?;
        let spin = if self.chance(70) { "\nspin()\n" } else { "" };
        let head = if params.is_empty() { String::new() } else { format!("{}->", head) };
        Some(format!("{{{head}{spin}{body}"))
    }

    /// `await(spawn { ... })`.
    pub(super) fn awaited(&mut self, ty: &Ty, depth: usize) -> String {
        match self.task(&[], ty, depth) {
            Some(body) => format!("await(spawn {body})"),
            None => self.leaf(ty),
        }
    }

    /// A list whose items are computed side by side.
    pub(super) fn parallel(&mut self, item: &Ty, depth: usize) -> String {
        if self.chance(30) {
            let count = self.random.below(4);
            return match self.task(&[Ty::Int], item, depth) {
                Some(body) => format!("(parallel {count} {body})"),
                None => self.leaf(&Ty::List(Box::new(item.clone()))),
            };
        }
        let of = self.ty(1);
        let source = self.operand(&Ty::List(Box::new(of.clone())));
        let most = if self.chance(30) { " with { max_concurrent: 2 }" } else { "" };
        match self.task(&[of], item, depth) {
            Some(body) => format!("(parallel each {source}{most} {body})"),
            None => self.leaf(&Ty::List(Box::new(item.clone()))),
        }
    }

    /// How many of some tasks succeeded or failed.
    pub(super) fn settled(&mut self, depth: usize) -> String {
        let (of, gives) = (self.ty(1), self.ty(1));
        let source = self.operand(&Ty::List(Box::new(of.clone())));
        let which = self.one(&["succeeded", "failed"]);
        match self.task(&[of], &gives, depth) {
            Some(body) => format!("(parallel settle {source} {body}).{which}"),
            None => self.leaf(&Ty::Int),
        }
    }
}
