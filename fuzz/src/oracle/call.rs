//! Calls of functions, and what a name in front of parentheses means (spec 02 section 8).

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use harn_syntax::ast::{Element, Expr, ExprKind};

use super::coroutine::Coroutine;
use super::scope::Scope;
use super::value::{Closure, Kind, Value};
use super::{Activation, DEEPEST, Flow, Oracle, builtins, type_error};

impl Activation {
    pub(super) fn call_expression(
        &self,
        callee: &Expr,
        args: &[Element],
        scope: &Scope,
    ) -> Result<Value, Flow> {
        let mut bare = callee;
        while let ExprKind::Paren(inner) = &bare.kind {
            bare = inner;
        }
        if let ExprKind::Name(name) = &bare.kind
            && self.oracle.scopes.read(scope, *name).is_none()
        {
            let text = self.oracle.names.text(*name);
            if let ("await", [Element { value, .. }]) = (text, args)
                && let ExprKind::Spawn(body) = &value.kind
            {
                return self.oracle.call(&self.task(None, body, scope), Vec::new());
            }
            let args = self.elements(args, scope)?;
            if self.oracle.structs.contains_key(text) {
                return match args.first() {
                    Some(Value::Dict(given)) => self.oracle.construct(text, (**given).clone()),
                    _ => Err(Flow::Unsure),
                };
            }
            return builtins::call(&self.oracle, text, args);
        }
        let callee = self.evaluate(callee, scope)?;
        let args = self.elements(args, scope)?;
        if !callee.callable() {
            return Err(type_error(format!("Cannot call {}", callee.display())));
        }
        self.oracle.call(&callee, args)
    }
}

impl Oracle {
    /// Calls a closure or builtin.
    pub(super) fn call(self: &Arc<Self>, callee: &Value, args: Vec<Value>) -> Result<Value, Flow> {
        self.step()?;
        match callee {
            Value::Closure(closure) => {
                let deep = self.depth.fetch_add(1, Ordering::Relaxed) > DEEPEST;
                let outcome = if deep { Err(Flow::Unsure) } else { self.call_closure(closure, args) };
                self.depth.fetch_sub(1, Ordering::Relaxed);
                outcome
            }
            Value::Builtin(name) => builtins::call(self, name, args),
            other => Err(type_error(format!("Cannot call {}", other.display()))),
        }
    }

    fn call_closure(self: &Arc<Self>, closure: &Arc<Closure>, args: Vec<Value>) -> Result<Value, Flow> {
        let code = closure.code.clone();
        // Each call has its own copy of what was captured.
        let captured = self.scopes.copy(&closure.captured, code.literal);
        let scope = self.scopes.make(Some(captured), Some(closure.home.clone()), false);
        let activation = Activation { oracle: self.clone(), port: None };
        let mut args = args.into_iter();
        for param in &code.params {
            let value = match (param.rest, args.next()) {
                (true, first) => Value::list(first.into_iter().chain(args.by_ref()).collect()),
                (false, Some(value)) => value,
                (false, None) => match &param.default {
                    Some(default) => activation.evaluate(default, &scope)?,
                    None => Value::Nil,
                },
            };
            activation.name(param.name.name, value, false, &scope)?;
        }
        for param in &code.params {
            if let (Some(ty), Some(value)) = (&param.ty, self.scopes.read(&scope, param.name.name)) {
                self.check_param(self.names.text(param.name.name), ty, &value)?;
            }
        }
        match code.kind {
            Kind::Named | Kind::Closure => match activation.block(&code.body, &scope) {
                Ok(last) if code.kind.answers_with_last() => Ok(last),
                Ok(_) => Ok(Value::Nil),
                Err(Flow::Return(value)) => Ok(value),
                Err(flow) => Err(flow),
            },
            Kind::Generator | Kind::Stream => {
                let oracle = self.clone();
                let stream = code.kind == Kind::Stream;
                Ok(Value::Generator(Arc::new(Coroutine::new(stream, move |port| {
                    let activation = Activation { oracle, port: Some(Rc::new(port)) };
                    match activation.block(&code.body, &scope) {
                        Ok(_) | Err(Flow::Return(_)) => Ok(()),
                        Err(flow) => Err(flow),
                    }
                }))))
            }
        }
    }
}
