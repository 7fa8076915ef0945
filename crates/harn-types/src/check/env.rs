//! Variables in scope: what each is declared as and what the flow of control has narrowed it to.

use super::decls::Sig;
use crate::types::Ty;
use harn_syntax::ast::Symbol;
use std::rc::Rc;

/// How a name came into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VarKind {
    Let,
    Var,
    Param,
    Loop,
    /// `catch`, patterns, `select`, `parallel`.
    Bound,
    Function,
}

/// A variable.
#[derive(Clone)]
pub(super) struct Var {
    pub(super) name: Symbol,
    pub(super) kind: VarKind,
    /// Declared or inferred at the declaration.
    pub(super) declared: Ty,
    /// What is known here, when more than `declared`.
    pub(super) narrowed: Option<Ty>,
    /// The type is an improvement's knowledge.
    pub(super) weak: bool,
    /// A `var x = nil` that no value has widened yet.
    pub(super) widenable: bool,
    /// `type_of` names ruled out for a value of type `unknown`.
    pub(super) ruled_out: u16,
    /// Counts assignments, so that leaving a branch does not restore a narrowing that an assignment ended.
    pub(super) assigned: u32,
    /// The type that a schema literal bound to the variable describes.
    pub(super) schema: Ty,
    /// The boundary builtin whose unvalidated result the variable holds (strict types).
    pub(super) boundary: Option<&'static str>,
    /// For functions.
    pub(super) sig: Option<Rc<Sig>>,
    shadowed: u32,
}

impl Var {
    /// The type the variable has here.
    pub(super) fn now(&self) -> Ty {
        self.narrowed.unwrap_or(self.declared)
    }
}

/// Position of a variable in the stack of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VarId(u32);

/// A change of what is known about a variable, to be undone at the end of a branch.
struct Change {
    var: VarId,
    narrowed: Option<Ty>,
    ruled_out: u16,
    assigned: u32,
}

/// Where a branch began.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

/// The scopes of a file.
pub(super) struct Env {
    vars: Vec<Var>,
    /// By symbol: one more than the index of the innermost variable, 0 for none.
    by_name: Vec<u32>,
    /// Where each scope's variables and changes begin.
    scopes: Vec<(usize, usize)>,
    changes: Vec<Change>,
    /// How many variables of type `unknown` are in scope.
    pub(super) unknowns: u32,
}

impl Env {
    pub(super) fn new(symbols: usize) -> Env {
        Env {
            vars: Vec::new(),
            by_name: vec![0; symbols],
            scopes: Vec::new(),
            changes: Vec::new(),
            unknowns: 0,
        }
    }

    pub(super) fn open(&mut self) {
        self.scopes.push((self.vars.len(), self.changes.len()));
    }

    pub(super) fn close(&mut self) {
        let (start, changes) = self.scopes.pop().unwrap_or((0, 0));
        // Changes of variables that end here must not meet the variables that take their places.
        let first = changes.min(self.changes.len());
        let mut kept = first;
        for at in first..self.changes.len() {
            if self.changes.get(at).is_some_and(|c| (c.var.0 as usize) < start) {
                self.changes.swap(kept, at);
                kept += 1;
            }
        }
        self.changes.truncate(kept);
        while self.vars.len() > start {
            if let Some(var) = self.vars.pop() {
                if var.declared == Ty::UNKNOWN {
                    self.unknowns = self.unknowns.saturating_sub(1);
                }
                if let Some(slot) = self.by_name.get_mut(var.name.0 as usize) {
                    *slot = var.shadowed;
                }
            }
        }
    }

    pub(super) fn declare(&mut self, name: Symbol, kind: VarKind, declared: Ty, weak: bool) -> VarId {
        let id = self.vars.len() as u32;
        let shadowed = match self.by_name.get_mut(name.0 as usize) {
            Some(slot) => std::mem::replace(slot, id + 1),
            None => 0,
        };
        if declared == Ty::UNKNOWN {
            self.unknowns += 1;
        }
        self.vars.push(Var {
            name,
            kind,
            declared,
            narrowed: None,
            weak,
            widenable: false,
            ruled_out: 0,
            assigned: 0,
            schema: Ty::FREE,
            boundary: None,
            sig: None,
            shadowed,
        });
        VarId(id)
    }

    pub(super) fn find(&self, name: Symbol) -> Option<VarId> {
        let slot = self.by_name.get(name.0 as usize)?;
        slot.checked_sub(1).map(VarId)
    }

    /// The variable of this name declared in the innermost scope.
    pub(super) fn find_here(&self, name: Symbol) -> Option<VarId> {
        let id = self.find(name)?;
        (id.0 as usize >= self.scopes.last().map_or(0, |s| s.0)).then_some(id)
    }

    pub(super) fn get(&self, id: VarId) -> Option<&Var> {
        self.vars.get(id.0 as usize)
    }

    pub(super) fn get_mut(&mut self, id: VarId) -> Option<&mut Var> {
        self.vars.get_mut(id.0 as usize)
    }

    /// Begins a branch.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.changes.len())
    }

    /// Narrows a variable until the branch ends, unless it was assigned since the fact was learnt.
    pub(super) fn narrow(&mut self, id: VarId, to: Ty, ruled_out: u16, assigned: u32) {
        let Some(var) = self.vars.get_mut(id.0 as usize) else { return };
        if var.assigned != assigned {
            return;
        }
        self.changes.push(Change {
            var: id,
            narrowed: var.narrowed,
            ruled_out: var.ruled_out,
            assigned: var.assigned,
        });
        var.narrowed = Some(to);
        var.ruled_out |= ruled_out;
    }

    /// Ends a branch: what it narrowed is as before, except for variables it assigned, of which only the declared type
    /// is known. With `exits` the branch never reaches what follows, so its assignments do not count.
    pub(super) fn restore(&mut self, mark: Mark, exits: bool) {
        while self.changes.len() > mark.0 {
            let Some(change) = self.changes.pop() else { return };
            let Some(var) = self.vars.get_mut(change.var.0 as usize) else { continue };
            if exits || var.assigned == change.assigned {
                var.narrowed = change.narrowed;
                var.ruled_out = change.ruled_out;
                var.assigned = change.assigned;
            }
        }
    }

    /// Records an assignment: only the declared type is known afterwards.
    pub(super) fn assign(&mut self, id: VarId) {
        let Some(var) = self.vars.get_mut(id.0 as usize) else { return };
        if var.narrowed.is_some() || var.ruled_out != 0 {
            self.changes.push(Change {
                var: id,
                narrowed: var.narrowed,
                ruled_out: var.ruled_out,
                assigned: var.assigned,
            });
        }
        var.narrowed = None;
        var.ruled_out = 0;
        var.assigned += 1;
        var.boundary = None;
    }

    /// The variables of type `unknown` of which something but not everything is ruled out.
    pub(super) fn half_narrowed(&self) -> Vec<(Symbol, u16)> {
        if self.unknowns == 0 {
            return Vec::new();
        }
        let visible = |(i, v): (usize, &Var)| self.by_name.get(v.name.0 as usize) == Some(&(i as u32 + 1));
        self.vars
            .iter()
            .enumerate()
            .filter(|(i, v)| visible((*i, v)) && v.now() == Ty::UNKNOWN && v.ruled_out != 0)
            .map(|(_, v)| (v.name, v.ruled_out))
            .collect()
    }

    /// How many scopes are open.
    pub(super) fn depth(&self) -> usize {
        self.scopes.len()
    }
}
