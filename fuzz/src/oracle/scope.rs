//! Scopes and what a function captures of them (spec 02 sections 7.1, 7.2 and 8.2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use harn_syntax::ast::Symbol;

use super::value::{Closure, Code, Kind, Value, lock};

/// A scope; a clone is the same scope.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

pub struct Inner {
    names: Mutex<HashMap<Symbol, Slot>>,
    parent: Option<Scope>,
    /// The top level of the file: named functions share it, closures copy it.
    top: bool,
    /// Where a function finds functions that were bound after it was made.
    home: Option<Scope>,
}

#[derive(Clone)]
struct Slot {
    content: Content,
    mutable: bool,
}

#[derive(Clone)]
enum Content {
    Value(Value),
    /// A named function of this block that nobody used yet: it captures when somebody does.
    Hoisted(Arc<Code>),
}

/// What became of an assignment.
pub enum Assigned {
    Done,
    Immutable,
    Unknown,
}

/// All scopes of a run: they hold functions that hold them, so somebody has to let go.
#[derive(Default)]
pub struct Register(Mutex<Vec<Weak<Inner>>>);

impl Register {
    pub fn make(&self, parent: Option<Scope>, home: Option<Scope>, top: bool) -> Scope {
        self.keep(Inner { names: Mutex::default(), parent, top, home })
    }

    fn keep(&self, inner: Inner) -> Scope {
        let scope = Scope(Arc::new(inner));
        lock(&self.0).push(Arc::downgrade(&scope.0));
        scope
    }

    pub fn inside(&self, parent: &Scope) -> Scope {
        self.make(Some(parent.clone()), None, false)
    }

    /// A copy of a scope and of those around it; the top level is shared by named functions, copied by closures.
    pub fn copy(&self, scope: &Scope, and_top: bool) -> Scope {
        if scope.0.top && !and_top {
            return scope.clone();
        }
        let names = lock(&scope.0.names).clone();
        let parent = scope.0.parent.as_ref().map(|parent| self.copy(parent, and_top));
        self.keep(Inner { names: Mutex::new(names), parent, top: false, home: scope.0.home.clone() })
    }

    /// Empties every scope.
    pub fn let_go(&self) {
        let scopes = std::mem::take(&mut *lock(&self.0));
        for scope in scopes.iter().filter_map(Weak::upgrade) {
            let held = std::mem::take(&mut *lock(&scope.names));
            drop(held);
        }
    }

    /// The value of a name: in this scope or around it, else a function bound later where the code was made.
    pub fn read(&self, scope: &Scope, name: Symbol) -> Option<Value> {
        let mut at = Some(scope);
        let mut homes = Vec::new();
        while let Some(scope) = at {
            if let Some(value) = self.own(scope, name) {
                return Some(value);
            }
            homes.extend(scope.0.home.as_ref());
            at = scope.0.parent.as_ref();
        }
        homes.into_iter().find_map(|home| self.read(home, name).filter(Value::callable))
    }

    fn own(&self, scope: &Scope, name: Symbol) -> Option<Value> {
        let code = match lock(&scope.0.names).get(&name)?.content.clone() {
            Content::Value(value) => return Some(value),
            Content::Hoisted(code) => code,
        };
        let value = self.close(code, scope);
        if let Some(slot) = lock(&scope.0.names).get_mut(&name) {
            slot.content = Content::Value(value.clone());
        }
        Some(value)
    }

    /// A function over what it sees now.
    pub fn close(&self, code: Arc<Code>, scope: &Scope) -> Value {
        let captured = self.copy(scope, code.literal);
        Value::Closure(Arc::new(Closure { code, captured, home: scope.clone() }))
    }
}

impl Scope {
    /// Declares a name; `false` when it is an immutable name declared again (spec 02 section 7.2).
    pub fn declare(&self, name: Symbol, value: Value, mutable: bool) -> bool {
        let mut names = lock(&self.0.names);
        if !mutable && names.get(&name).is_some_and(|slot| !slot.mutable) {
            return false;
        }
        names.insert(name, Slot { content: Content::Value(value), mutable });
        true
    }

    pub fn hoist(&self, name: Symbol, code: Arc<Code>) {
        lock(&self.0.names).insert(name, Slot { content: Content::Hoisted(code), mutable: false });
    }

    pub fn assign(&self, name: Symbol, value: Value) -> Assigned {
        let mut at = Some(self);
        while let Some(scope) = at {
            if let Some(slot) = lock(&scope.0.names).get_mut(&name) {
                if !slot.mutable {
                    return Assigned::Immutable;
                }
                slot.content = Content::Value(value);
                return Assigned::Done;
            }
            at = scope.0.parent.as_ref();
        }
        Assigned::Unknown
    }

    /// Whether a name is that of a mutable variable.
    pub fn mutable(&self, name: Symbol) -> bool {
        match lock(&self.0.names).get(&name) {
            Some(slot) => slot.mutable,
            None => self.0.parent.as_ref().is_some_and(|parent| parent.mutable(name)),
        }
    }

    /// Whether a name is declared here or around.
    pub fn knows(&self, name: Symbol) -> bool {
        lock(&self.0.names).contains_key(&name) || self.0.parent.as_ref().is_some_and(|p| p.knows(name))
    }
}

impl Kind {
    /// Whether the last expression of the body is the result.
    pub fn answers_with_last(self) -> bool {
        self == Kind::Closure
    }
}
