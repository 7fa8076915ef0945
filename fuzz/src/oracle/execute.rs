//! Statements and blocks (spec 02 sections 7 and 9).

use std::sync::Arc;

use harn_syntax::ast::{Assign, Block, DeclKind, Expr, ExprKind, FnDecl, For, Let, Stmt, StmtKind, Symbol};

use super::access::{Step, stored};
use super::operate::binary;
use super::scope::{Assigned, Scope};
use super::value::{Code, Kind, Value, lock};
use super::{Activation, Flow, Oracle, runtime_error, thrown};

impl Oracle {
    pub(super) fn code_of_fn(&self, decl: &FnDecl) -> Arc<Code> {
        let kind = match () {
            () if decl.is_gen => Kind::Stream,
            () if yields(&decl.body.stmts) => Kind::Generator,
            () => Kind::Named,
        };
        let name = self.names.text(decl.name.name);
        self.code(&decl.body, || Code {
            name: name.to_owned(),
            shown: self.shown(&decl.params),
            params: decl.params.clone(),
            body: decl.body.clone(),
            kind,
            literal: false,
        })
    }

    /// The one copy of a function's code.
    pub(super) fn code(&self, body: &Block, make: impl FnOnce() -> Code) -> Arc<Code> {
        let address = std::ptr::from_ref(body) as usize;
        lock(&self.codes).entry(address).or_insert_with(|| Arc::new(make())).clone()
    }

    pub(super) fn shown(&self, params: &[harn_syntax::ast::Param]) -> String {
        params.iter().map(|param| self.names.text(param.name.name)).collect::<Vec<_>>().join(", ")
    }
}

/// Whether a body is a generator's: a `yield` in it, but not in functions inside it.
pub(super) fn yields(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Yield(_) | StmtKind::Emit(_) => true,
        StmtKind::Let(binding) => yields_in(&binding.value),
        StmtKind::Assign(assign) => yields_in(&assign.value),
        StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) => yields_in(expr),
        StmtKind::For(looped) => yields(&looped.body.stmts),
        StmtKind::While { body, .. } => yields(&body.stmts),
        StmtKind::Guard { otherwise, .. } => yields(&otherwise.stmts),
        StmtKind::Defer(block) | StmtKind::Mutex(block) => yields(&block.stmts),
        _ => false,
    })
}

fn yields_in(expr: &Expr) -> bool {
    use harn_syntax::ast::Else;
    match &expr.kind {
        ExprKind::Paren(inner) => yields_in(inner),
        ExprKind::If(branch) => {
            yields(&branch.then.stmts)
                || match &branch.otherwise {
                    Some(Else::Block(block)) => yields(&block.stmts),
                    Some(Else::If(expr)) => yields_in(expr),
                    None => false,
                }
        }
        ExprKind::Match { arms, .. } => arms.iter().any(|arm| yields(&arm.body.stmts)),
        ExprKind::Try(tried) => {
            let blocks = [Some(&tried.body), tried.catch.as_ref().map(|c| &c.body), tried.finally.as_ref()];
            blocks.into_iter().flatten().any(|block| yields(&block.stmts))
        }
        ExprKind::Retry { body, .. } | ExprKind::Deadline { body, .. } => yields(&body.stmts),
        _ => false,
    }
}

impl Activation {
    /// A block in a scope of its own inside `around`.
    pub(super) fn inner_block(&self, block: &Block, around: &Scope) -> Result<Value, Flow> {
        self.block(block, &self.oracle.scopes.inside(around))
    }

    /// A block in this very scope: its value is that of its last expression.
    pub(super) fn block(&self, block: &Block, scope: &Scope) -> Result<Value, Flow> {
        self.hoist(&block.stmts, scope);
        let mut deferred: Vec<&Block> = Vec::new();
        let mut outcome = Ok(Value::Nil);
        for stmt in &block.stmts {
            outcome = self.statement(stmt, scope, &mut deferred);
            if outcome.is_err() {
                break;
            }
        }
        for block in deferred.into_iter().rev() {
            if matches!(outcome, Err(Flow::Abandoned | Flow::Unsure)) {
                break;
            }
            if let Err(flow) = self.inner_block(block, scope) {
                outcome = Err(flow);
            }
        }
        outcome
    }

    /// Named functions exist from the top of their block (spec 02 section 8.3).
    pub(super) fn hoist(&self, stmts: &[Stmt], scope: &Scope) {
        for stmt in stmts {
            if let StmtKind::Decl(decl) = &stmt.kind
                && let DeclKind::Fn(function) = &decl.kind
            {
                scope.hoist(function.name.name, self.oracle.code_of_fn(function));
            }
        }
    }

    pub(super) fn statement<'a>(
        &self,
        stmt: &'a Stmt,
        scope: &Scope,
        deferred: &mut Vec<&'a Block>,
    ) -> Result<Value, Flow> {
        self.oracle.step()?;
        match &stmt.kind {
            StmtKind::Expr(expr) => return self.evaluate(expr, scope),
            StmtKind::Let(binding) => self.declare(binding, scope)?,
            StmtKind::Assign(assign) => self.assign(assign, scope)?,
            StmtKind::For(looped) => self.for_loop(looped, scope)?,
            StmtKind::While { condition, body } => {
                while self.evaluate(condition, scope)?.truthy() {
                    self.oracle.step()?;
                    match self.inner_block(body, scope) {
                        Ok(_) | Err(Flow::Continue) => {}
                        Err(Flow::Break) => break,
                        Err(flow) => return Err(flow),
                    }
                }
            }
            StmtKind::Guard { condition, otherwise } => {
                if !self.evaluate(condition, scope)?.truthy() {
                    self.inner_block(otherwise, scope)?;
                }
            }
            StmtKind::Require { condition, message } => {
                if !self.evaluate(condition, scope)?.truthy() {
                    return Err(match message {
                        Some(message) => Flow::Error(self.evaluate(message, scope)?),
                        None => thrown("require condition failed"),
                    });
                }
            }
            StmtKind::Return(value) => {
                let value = match value {
                    Some(value) => self.evaluate(value, scope)?,
                    None => Value::Nil,
                };
                return Err(Flow::Return(value));
            }
            StmtKind::Throw(value) => return Err(Flow::Error(self.evaluate(value, scope)?)),
            StmtKind::Yield(value) => {
                let value = match value {
                    Some(value) => self.evaluate(value, scope)?,
                    None => Value::Nil,
                };
                self.give(value)?;
            }
            StmtKind::Emit(value) => {
                let value = self.evaluate(value, scope)?;
                self.give(value)?;
            }
            StmtKind::Break => return Err(Flow::Break),
            StmtKind::Continue => return Err(Flow::Continue),
            StmtKind::Defer(block) => deferred.push(block),
            StmtKind::Mutex(block) => return self.inner_block(block, scope),
            StmtKind::Decl(decl) => {
                if let DeclKind::Fn(function) = &decl.kind {
                    // Reading it makes it capture, if nobody did before.
                    self.oracle.scopes.read(scope, function.name.name);
                }
            }
            StmtKind::Import(_) | StmtKind::Select(_) | StmtKind::Error => return Err(Flow::Unsure),
        }
        Ok(Value::Nil)
    }

    fn give(&self, value: Value) -> Result<(), Flow> {
        match &self.port {
            Some(port) => port.give(value),
            None => Err(Flow::Unsure),
        }
    }

    fn declare(&self, binding: &Let, scope: &Scope) -> Result<(), Flow> {
        let value = self.evaluate(&binding.value, scope)?;
        self.bind(&binding.binding, value, binding.mutable, scope)
    }

    /// Declares one name.
    pub(super) fn name(&self, name: Symbol, value: Value, mutable: bool, scope: &Scope) -> Result<(), Flow> {
        let text = self.oracle.names.text(name);
        if text == "_" || scope.declare(name, value, mutable) {
            return Ok(());
        }
        Err(runtime_error(format!(
            "Cannot redeclare immutable variable '{text}' in the same scope (use 'var' for mutable bindings)"
        )))
    }

    fn assign(&self, assign: &Assign, scope: &Scope) -> Result<(), Flow> {
        let mut target = &assign.target;
        // From the outside in: what is stored into, part of part.
        let mut parts = Vec::new();
        let root = loop {
            match &target.kind {
                ExprKind::Name(name) => break *name,
                ExprKind::Property { object, .. } | ExprKind::Index { object, .. } => {
                    parts.push(target);
                    target = object;
                }
                ExprKind::Paren(inner) => target = inner,
                _ => return Err(Flow::Unsure),
            }
        };
        parts.reverse();
        let text = self.oracle.names.text(root);
        // The wording of an unknown name depends on what is spelt nearly alike.
        let read_root = || self.oracle.scopes.read(scope, root).ok_or(Flow::Unsure);
        let steps = || {
            let step = |part: &&Expr| match &part.kind {
                ExprKind::Property { name, .. } => {
                    Ok(Step::Field(self.oracle.names.text(name.name).to_owned()))
                }
                ExprKind::Index { index, .. } => Ok(Step::Index(self.evaluate(index, scope)?)),
                _ => Err(Flow::Unsure),
            };
            parts.iter().map(step).collect::<Result<Vec<_>, Flow>>()
        };
        let (path, value) = match assign.op {
            None => {
                let value = self.evaluate(&assign.value, scope)?;
                (steps()?, value)
            }
            Some(op) => {
                let path = steps()?;
                let mut old = read_root()?;
                for step in &path {
                    old = step.read(&old)?;
                }
                let operand = self.evaluate(&assign.value, scope)?;
                (path, binary(op, &old, &operand)?)
            }
        };
        // Storing begins with the variable (spec 03 section 5): what it holds does not matter when it is immutable.
        let whole = match path.is_empty() || !scope.mutable(root) {
            true => value,
            false => stored(&read_root()?, &path, value)?,
        };
        match scope.assign(root, whole) {
            Assigned::Done => Ok(()),
            Assigned::Immutable => Err(thrown(format!("Cannot assign to immutable binding: {text}"))),
            Assigned::Unknown => Err(Flow::Unsure),
        }
    }

    fn for_loop(&self, looped: &For, scope: &Scope) -> Result<(), Flow> {
        let source = self.evaluate(&looped.iterable, scope)?;
        let items = self.oracle.for_items(&source)?;
        while let Some(item) = items.next()? {
            self.oracle.step()?;
            let turn = self.oracle.scopes.inside(scope);
            self.bind(&looped.binding, item, true, &turn)?;
            match self.block(&looped.body, &turn) {
                Ok(_) | Err(Flow::Continue) => {}
                Err(Flow::Break) => break,
                Err(flow) => return Err(flow),
            }
        }
        Ok(())
    }
}
