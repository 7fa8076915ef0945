//! Tasks that meet nobody: one after the other (spec 04 sections 4.2 and 4.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use harn_syntax::ast::{Block, Ident, Parallel, ParallelKind, Param};

use super::execute::yields;
use super::scope::Scope;
use super::value::{Code, Kind, Value};
use super::{Activation, Flow};

impl Activation {
    /// The body of a task: a closure.
    pub(super) fn task(&self, param: Option<Ident>, body: &Block, scope: &Scope) -> Value {
        let params: Vec<Param> =
            param.into_iter().map(|name| Param { name, ty: None, default: None, rest: false }).collect();
        let kind = if yields(&body.stmts) { Kind::Generator } else { Kind::Closure };
        let code = self.oracle.code(body, || Code {
            name: String::new(),
            shown: self.oracle.shown(&params),
            params,
            body: body.clone(),
            kind,
            literal: true,
        });
        self.oracle.scopes.close(code, scope)
    }

    /// All bodies run; then the error of the first that failed is raised, but not by `settle`.
    pub(super) fn parallel(&self, parallel: &Parallel, scope: &Scope) -> Result<Value, Flow> {
        let operand = self.evaluate(&parallel.operand, scope)?;
        if let Some(most) = &parallel.max_concurrent {
            self.evaluate(most, scope)?;
        }
        let items = match (parallel.kind, operand) {
            (ParallelKind::Count, Value::Int(count)) => (0..count.max(0)).map(Value::Int).collect(),
            (ParallelKind::Each | ParallelKind::Settle, Value::List(items)) => items.to_vec(),
            _ => return Err(Flow::Unsure),
        };
        let body = self.task(parallel.param, &parallel.body, scope);
        let mut results = Vec::new();
        for item in items {
            results.push(match self.oracle.call(&body, vec![item]) {
                outcome @ (Ok(_) | Err(Flow::Error(_))) => outcome,
                Err(flow) => return Err(flow),
            });
        }
        if parallel.kind != ParallelKind::Settle {
            return Ok(Value::list(results.into_iter().collect::<Result<_, _>>()?));
        }
        let failed = results.iter().filter(|result| result.is_err()).count() as i64;
        let succeeded = results.len() as i64 - failed;
        // How an error is told there is left out.
        let shown = results.into_iter().map(|result| match result {
            Ok(value) => Value::result("Ok", value),
            Err(_) => Value::result("Err", Value::str("")),
        });
        let fields = [
            ("results", Value::list(shown.collect())),
            ("succeeded", Value::Int(succeeded)),
            ("failed", Value::Int(failed)),
        ];
        Ok(Value::Dict(Arc::new(
            fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>(),
        )))
    }
}
