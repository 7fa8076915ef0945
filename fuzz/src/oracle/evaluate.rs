//! Expressions (spec 02 sections 5, 6, 9 to 11).

use harn_syntax::ast::{
    BinaryOp, DictEntry, Element, Else, Expr, ExprKind, InterpPart, MatchArm, Symbol, Try,
};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::{index, property, slice};
use super::execute::yields;
use super::operate::{binary, unary};
use super::scope::Scope;
use super::value::{Code, Kind, Value};
use super::{Activation, Flow, thrown, type_error};

impl Activation {
    pub(super) fn evaluate(&self, expr: &Expr, scope: &Scope) -> Result<Value, Flow> {
        self.oracle.step()?;
        let value = |expr: &Expr| self.evaluate(expr, scope);
        Ok(match &expr.kind {
            ExprKind::Nil => Value::Nil,
            ExprKind::Bool(b) => Value::Bool(*b),
            ExprKind::Int(i) => Value::Int(*i),
            ExprKind::Float(f) => Value::Float(*f),
            ExprKind::Duration(ms) => Value::Duration(*ms),
            ExprKind::Str(text) => Value::Str(text.clone()),
            ExprKind::Interp(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        InterpPart::Text(literal) => text.push_str(literal),
                        InterpPart::Expr(expr) => text.push_str(&value(expr)?.display()),
                    }
                }
                let text = Value::str(text);
                self.oracle.weigh(&text)?;
                text
            }
            ExprKind::Name(name) => self.read(*name, scope)?,
            ExprKind::List(elements) => Value::list(self.elements(elements, scope)?),
            ExprKind::Dict(entries) => Value::Dict(Arc::new(self.entries(entries, scope)?)),
            ExprKind::StructLit { name, fields } => {
                let name = self.oracle.names.text(name.name);
                let given = self.entries(fields, scope)?;
                self.oracle.construct(name, given)?
            }
            ExprKind::Closure(closure) => {
                let kind = if yields(&closure.body.stmts) { Kind::Generator } else { Kind::Closure };
                let code = self.oracle.code(&closure.body, || Code {
                    name: String::new(),
                    shown: self.oracle.shown(&closure.params),
                    params: closure.params.clone(),
                    body: closure.body.clone(),
                    kind,
                    literal: true,
                });
                self.oracle.scopes.close(code, scope)
            }
            ExprKind::Paren(inner) => value(inner)?,
            ExprKind::Unary { op, operand } => unary(*op, &value(operand)?)?,
            ExprKind::Binary { op, left, right } => {
                let left = value(left)?;
                match op {
                    BinaryOp::And => Value::Bool(left.truthy() && value(right)?.truthy()),
                    BinaryOp::Or => Value::Bool(left.truthy() || value(right)?.truthy()),
                    BinaryOp::Coalesce if matches!(left, Value::Nil) => value(right)?,
                    BinaryOp::Coalesce => left,
                    _ => {
                        let result = binary(*op, &left, &value(right)?)?;
                        self.oracle.weigh(&result)?;
                        result
                    }
                }
            }
            ExprKind::Pipe { left, right } => self.pipe(left, right, scope)?,
            ExprKind::Range { start, end, exclusive } => {
                let (start, end) = (value(start)?, value(end)?);
                let bound = |v: &Value| match v {
                    Value::Int(i) => Ok(*i),
                    _ => Err(type_error(format!("range bounds must be int, got {}", v.type_of()))),
                };
                Value::Range { start: bound(&start)?, end: bound(&end)?, exclusive: *exclusive }
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                if value(condition)?.truthy() {
                    value(then)?
                } else {
                    value(otherwise)?
                }
            }
            ExprKind::Call { callee, args, .. } => self.call_expression(callee, args, scope)?,
            ExprKind::MethodCall { object, name, optional, args } => {
                let method = self.oracle.names.text(name.name);
                if let Some(of) = self.enum_named(object, scope) {
                    let fields = Arc::new(self.elements(args, scope)?);
                    return Ok(Value::Enum { name: of.into(), variant: method.into(), fields });
                }
                let receiver = value(object)?;
                let args = self.elements(args, scope)?;
                match receiver {
                    Value::Nil if *optional => Value::Nil,
                    receiver => self.oracle.method(receiver, method, args)?,
                }
            }
            ExprKind::Property { object, name, optional } => {
                let text = self.oracle.names.text(name.name);
                if let Some(of) = self.enum_named(object, scope) {
                    return Ok(Value::Enum { name: of.into(), variant: text.into(), fields: Arc::default() });
                }
                match property(&value(object)?, text) {
                    Err(Flow::Error(_)) if *optional => Value::Nil,
                    result => result?,
                }
            }
            ExprKind::Index { object, index: at, optional } => {
                let object = value(object)?;
                let at = value(at)?;
                match object {
                    Value::Nil if *optional => Value::Nil,
                    object => index(&object, &at)?,
                }
            }
            ExprKind::Slice { object, start, end } => {
                let object = value(object)?;
                let bound =
                    |bound: &Option<Box<Expr>>| bound.as_ref().map_or(Ok(Value::Nil), |bound| value(bound));
                let (start, end) = (bound(start)?, bound(end)?);
                slice(&object, &start, &end)?
            }
            ExprKind::Propagate(inner) => match value(inner)? {
                Value::Enum { name, variant, fields } if &*name == "Result" && &*variant == "Ok" => {
                    fields.first().cloned().unwrap_or(Value::Nil)
                }
                err @ Value::Enum { .. } if matches!(&err, Value::Enum { name, variant, .. } if &**name == "Result" && &**variant == "Err") =>
                {
                    return Err(Flow::Return(err));
                }
                other => {
                    return Err(type_error(format!(
                        "? operator requires a Result value, got {}",
                        other.type_of()
                    )));
                }
            },
            ExprKind::If(branch) => {
                if value(&branch.condition)?.truthy() {
                    return self.inner_block(&branch.then, scope);
                }
                match &branch.otherwise {
                    Some(Else::Block(block)) => self.inner_block(block, scope)?,
                    Some(Else::If(expr)) => value(expr)?,
                    None => Value::Nil,
                }
            }
            ExprKind::Match { value: matched, arms } => {
                let matched = value(matched)?;
                self.match_arms(&matched, arms, scope)?
            }
            ExprKind::Try(tried) => self.try_expression(tried, scope)?,
            ExprKind::TryStar(inner) => value(inner)?,
            ExprKind::Retry { attempts, body } => {
                let Value::Int(attempts) = value(attempts)? else { return Err(Flow::Unsure) };
                for _ in 1..attempts {
                    match self.inner_block(body, scope) {
                        Err(Flow::Error(_)) => {}
                        outcome => return outcome,
                    }
                }
                self.inner_block(body, scope)?
            }
            ExprKind::Deadline { duration, body } => {
                value(duration)?;
                self.inner_block(body, scope)?
            }
            ExprKind::Parallel(parallel) => self.parallel(parallel, scope)?,
            // Only where it is awaited at once: see `call_expression`.
            ExprKind::Spawn(_) | ExprKind::Error => return Err(Flow::Unsure),
        })
    }

    /// A name: a variable, a global, a builtin (spec 02 section 7.1).
    fn read(&self, name: Symbol, scope: &Scope) -> Result<Value, Flow> {
        if let Some(value) = self.oracle.scopes.read(scope, name) {
            return Ok(value);
        }
        match self.oracle.names.text(name) {
            "pi" => Ok(Value::Float(std::f64::consts::PI)),
            "e" => Ok(Value::Float(std::f64::consts::E)),
            text if super::builtins::known(text) => Ok(Value::Builtin(text.into())),
            // The wording depends on what is spelt nearly alike.
            _ => Err(Flow::Unsure),
        }
    }

    /// `E` of `E.Variant`, when it names an enum.
    fn enum_named(&self, object: &Expr, scope: &Scope) -> Option<&str> {
        let ExprKind::Name(name) = &object.kind else { return None };
        let text = self.oracle.names.text(*name);
        (self.oracle.enums.iter().any(|e| e == text) && !scope.knows(*name)).then_some(text)
    }

    /// Arguments or elements, spreads flattened.
    pub(super) fn elements(&self, elements: &[Element], scope: &Scope) -> Result<Vec<Value>, Flow> {
        let mut values = Vec::new();
        for element in elements {
            let value = self.evaluate(&element.value, scope)?;
            match value {
                Value::List(items) if element.spread => values.extend(items.iter().cloned()),
                other if element.spread => {
                    return Err(type_error(format!(
                        "cannot destructure {} with [...] pattern \u{2014} expected list",
                        other.type_of()
                    )));
                }
                value => values.push(value),
            }
        }
        Ok(values)
    }

    fn entries(&self, entries: &[DictEntry], scope: &Scope) -> Result<BTreeMap<String, Value>, Flow> {
        let mut all = BTreeMap::new();
        for entry in entries {
            match entry {
                DictEntry::Named { key, value, .. } => {
                    all.insert(key.to_string(), self.evaluate(value, scope)?);
                }
                DictEntry::Computed { key, value } => {
                    let key = self.evaluate(key, scope)?.display();
                    all.insert(key, self.evaluate(value, scope)?);
                }
                DictEntry::Spread(value) => match self.evaluate(value, scope)? {
                    Value::Dict(spread) => {
                        all.extend(spread.iter().map(|(k, v)| (k.clone(), v.clone())));
                    }
                    _ => return Err(Flow::Unsure),
                },
            }
        }
        Ok(all)
    }

    fn pipe(&self, left: &Expr, right: &Expr, scope: &Scope) -> Result<Value, Flow> {
        let piped = self.evaluate(left, scope)?;
        let placeholder = self.oracle.names.get("_").filter(|name| mentions(right, *name));
        if let Some(name) = placeholder {
            let scope = self.oracle.scopes.inside(scope);
            scope.declare(name, piped, false);
            return self.evaluate(right, &scope);
        }
        let callee = self.evaluate(right, scope)?;
        if !callee.callable() {
            return Err(type_error(format!("cannot pipe into {}", callee.type_of())));
        }
        self.oracle.call(&callee, vec![piped])
    }

    fn match_arms(&self, value: &Value, arms: &[MatchArm], scope: &Scope) -> Result<Value, Flow> {
        for arm in arms {
            let scope = self.oracle.scopes.inside(scope);
            if !self.matches(&arm.pattern, value, &scope)? {
                continue;
            }
            if let Some(guard) = &arm.guard
                && !self.evaluate(guard, &scope)?.truthy()
            {
                continue;
            }
            return self.block(&arm.body, &scope);
        }
        Err(thrown("No match arm matched the value"))
    }

    fn try_expression(&self, tried: &Try, scope: &Scope) -> Result<Value, Flow> {
        let mut outcome = self.inner_block(&tried.body, scope);
        if tried.catch.is_none() && tried.finally.is_none() {
            return match outcome {
                Ok(result @ Value::Enum { .. }) if matches!(&result, Value::Enum { name, .. } if &**name == "Result") => {
                    Ok(result)
                }
                Ok(value) => Ok(Value::result("Ok", value)),
                Err(Flow::Error(error)) => Ok(Value::result("Err", error)),
                Err(flow) => Err(flow),
            };
        }
        if let Some(catch) = &tried.catch
            && let Err(Flow::Error(error)) = &outcome
            && self.caught(catch.ty.as_ref(), error)
        {
            let handler = self.oracle.scopes.inside(scope);
            if let Some(name) = &catch.name {
                self.name(name.name, error.clone(), false, &handler)?;
            }
            outcome = self.inner_block(&catch.body, &handler);
        }
        if let Some(finally) = &tried.finally
            && !matches!(outcome, Err(Flow::Abandoned | Flow::Unsure))
        {
            self.inner_block(finally, scope)?;
        }
        outcome
    }

    /// A typed catch takes values of the enum it names, nothing else.
    fn caught(&self, ty: Option<&harn_syntax::ast::TypeExpr>, error: &Value) -> bool {
        use harn_syntax::ast::TypeKind;
        let Some(ty) = ty else { return true };
        match (&ty.kind, error) {
            (TypeKind::Named { name: wanted, .. }, Value::Enum { name, .. }) => {
                self.oracle.names.text(*wanted) == &**name
            }
            _ => false,
        }
    }
}

impl super::Oracle {
    /// A struct with the declared ones of these fields.
    pub(super) fn construct(&self, name: &str, mut given: BTreeMap<String, Value>) -> Result<Value, Flow> {
        let Some(declared) = self.structs.get(name) else { return Err(Flow::Unsure) };
        given.retain(|field, _| declared.contains(field));
        Ok(Value::Struct { name: name.into(), fields: Arc::new(given) })
    }
}

/// Whether the right side of a pipe names its placeholder: not in closures, not in pipes inside.
fn mentions(expr: &Expr, name: Symbol) -> bool {
    let m = |expr: &Expr| mentions(expr, name);
    let any = |elements: &[Element]| elements.iter().any(|e| m(&e.value));
    match &expr.kind {
        ExprKind::Name(n) => *n == name,
        ExprKind::Paren(e)
        | ExprKind::Propagate(e)
        | ExprKind::TryStar(e)
        | ExprKind::Unary { operand: e, .. } => m(e),
        ExprKind::Property { object, .. } => m(object),
        ExprKind::Binary { left, right, .. } | ExprKind::Range { start: left, end: right, .. } => {
            m(left) || m(right)
        }
        ExprKind::Ternary { condition, then, otherwise } => m(condition) || m(then) || m(otherwise),
        ExprKind::Call { callee, args, .. } => m(callee) || any(args),
        ExprKind::MethodCall { object, args, .. } => m(object) || any(args),
        ExprKind::Index { object, index, .. } => m(object) || m(index),
        ExprKind::Slice { object, start, end } => {
            m(object) || [start, end].into_iter().flatten().any(|e| m(e))
        }
        ExprKind::List(elements) => any(elements),
        ExprKind::Dict(entries) | ExprKind::StructLit { fields: entries, .. } => {
            entries.iter().any(|entry| match entry {
                DictEntry::Named { value, .. } | DictEntry::Spread(value) => m(value),
                DictEntry::Computed { key, value } => m(key) || m(value),
            })
        }
        ExprKind::Interp(parts) => parts.iter().any(|part| matches!(part, InterpPart::Expr(e) if m(e))),
        _ => false,
    }
}
