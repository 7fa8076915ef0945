//! What a call may cost, ruled before it leaves (spec 07 section 1.9.2).

use harn_effect::Data;

use crate::content::strings;
use crate::error::{Category, ModelError, Reason};
use crate::pricing::{self, Rates};
use crate::request::ModelRequest;

/// The limits of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// USD of this call.
    pub max_cost_usd: Option<f64>,
    /// USD of the session with this call.
    pub total_budget_usd: Option<f64>,
    /// Tokens of the request.
    pub max_input_tokens: Option<i64>,
    /// Tokens of the reply.
    pub max_output_tokens: Option<i64>,
}

/// What a call will cost at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// Tokens of the request, a quarter of its bytes.
    pub input_tokens: i64,
    /// The most tokens the reply may have.
    pub output_tokens: i64,
    /// USD.
    pub cost_usd: f64,
}

impl Budget {
    /// Reads `budget` and the four keys at top level, which win.
    pub fn read(options: &Data) -> Result<Self, String> {
        let nested = options.field("budget");
        if !matches!(nested, Data::Nil | Data::Dict(_)) {
            return Err("budget: expected a dict {max_cost_usd?, total_budget_usd?, max_input_tokens?, \
                        max_output_tokens?}"
                .to_owned());
        }
        let given = |key: &str| match options.field(key) {
            Data::Nil => nested.field(key),
            value => value,
        };
        let usd = |key: &str| match given(key) {
            Data::Nil => Ok(None),
            Data::Int(n) if *n >= 0 => Ok(Some(*n as f64)),
            Data::Float(x) if x.is_finite() && *x >= 0.0 => Ok(Some(*x)),
            Data::Float(_) => Err(format!("budget.{key}: expected a non-negative finite number")),
            _ => Err(format!("budget.{key}: expected a non-negative number")),
        };
        let tokens = |key: &str| match given(key) {
            Data::Nil => Ok(None),
            Data::Int(n) if *n >= 0 => Ok(Some(*n)),
            _ => Err(format!("budget.{key}: expected a non-negative integer")),
        };
        Ok(Budget {
            max_cost_usd: usd("max_cost_usd")?,
            total_budget_usd: usd("total_budget_usd")?,
            max_input_tokens: tokens("max_input_tokens")?,
            max_output_tokens: tokens("max_output_tokens")?,
        })
    }

    /// Refuses a call that would exceed a limit; `session_budget` is the limit set by `llm_budget`.
    pub fn check(
        &self,
        request: &ModelRequest,
        rates: Option<Rates>,
        session_cost: f64,
        session_budget: Option<f64>,
    ) -> Result<(), Box<ModelError>> {
        let projected = project(request, rates);
        let over = |value: f64, limit: Option<f64>| limit.filter(|limit| value > *limit);
        let count = |limit: Option<i64>| limit.map(|n| n as f64);
        let total = session_cost + projected.cost_usd;
        let checks = [
            ("max_input_tokens", projected.input_tokens as f64, count(self.max_input_tokens)),
            ("max_output_tokens", projected.output_tokens as f64, count(self.max_output_tokens)),
            ("max_cost_usd", projected.cost_usd, self.max_cost_usd),
            ("total_budget_usd", total, self.total_budget_usd),
            ("total_budget_usd", total, session_budget),
        ];
        for (key, value, limit) in checks {
            if let Some(limit) = over(value, limit) {
                return Err(Box::new(refusal(request, projected, session_cost, key, limit)));
            }
        }
        Ok(())
    }
}

/// What a request will cost at most.
pub fn project(request: &ModelRequest, rates: Option<Rates>) -> Projection {
    let mut input_tokens = request.system.as_deref().map_or(0, quarter);
    for message in &request.messages {
        keys(message, &mut |text| input_tokens += quarter(text));
        strings(message, &mut |text| input_tokens += quarter(text));
    }
    for tool in &request.tools {
        input_tokens += quarter(&tool.to_openai().to_json().to_string());
    }
    let output_tokens = request.max_tokens.max(0);
    Projection { input_tokens, output_tokens, cost_usd: pricing::cost(rates, input_tokens, output_tokens) }
}

fn quarter(text: &str) -> i64 {
    text.len().div_ceil(4) as i64
}

/// Calls `visit` with every key in `data`.
fn keys<'a>(data: &'a Data, visit: &mut dyn FnMut(&'a str)) {
    match data {
        Data::List(items) => items.iter().for_each(|item| keys(item, visit)),
        Data::Dict(fields) => {
            for (key, value) in fields {
                visit(key);
                keys(value, visit);
            }
        }
        _ => {}
    }
}

fn refusal(
    request: &ModelRequest,
    projected: Projection,
    session_cost: f64,
    key: &str,
    limit: f64,
) -> ModelError {
    let what = match key {
        "max_input_tokens" => format!("input tokens {}", projected.input_tokens),
        "max_output_tokens" => format!("output tokens {}", projected.output_tokens),
        "max_cost_usd" => format!("cost ${:.6}", projected.cost_usd),
        _ => format!("session cost ${:.6}", session_cost + projected.cost_usd),
    };
    let message = format!("LLM budget exceeded before provider call: projected {what} would exceed {key}");
    let mut error = ModelError::new(Category::BudgetExceeded, Reason::BudgetExceeded, false, message)
        .at(&request.provider, &request.model);
    error.extra.extend([
        ("limit".to_owned(), key.into()),
        ("limit_value".to_owned(), limit.into()),
        ("projected_cost_usd".to_owned(), projected.cost_usd.into()),
        ("session_cost_usd".to_owned(), session_cost.into()),
        ("projected_input_tokens".to_owned(), projected.input_tokens.into()),
        ("projected_output_tokens".to_owned(), projected.output_tokens.into()),
    ]);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::message;

    #[test]
    fn limits_are_checked_in_order_and_strictly() {
        let request = ModelRequest {
            provider: "mock".into(),
            model: "gpt-4o-mini".into(),
            max_tokens: 100,
            messages: vec![message("user", "abcdefghijklmnopqrstuvwxyz")],
            ..ModelRequest::default()
        };
        // content 7, "user" 1, the keys 1 + 2.
        assert_eq!(project(&request, None).input_tokens, 11);
        let exact = Budget { max_input_tokens: Some(11), max_output_tokens: Some(100), ..Budget::default() };
        assert_eq!(exact.check(&request, None, 0.0, None), Ok(()));
        let tight = Budget { max_input_tokens: Some(10), max_output_tokens: Some(1), ..Budget::default() };
        let error = tight.check(&request, None, 0.0, None).unwrap_err();
        insta::assert_snapshot!(error.message, @"LLM budget exceeded before provider call: projected input tokens 11 would exceed max_input_tokens");
        assert_eq!(error.to_data().field("limit_value"), &Data::Float(10.0));
    }

    #[test]
    fn the_session_budget_comes_last() {
        let request = ModelRequest { max_tokens: 1_000_000, ..ModelRequest::default() };
        let rates = Some(Rates { input: 1.0, output: 1.0, cache_read: None, cache_write: None });
        let error = Budget::default().check(&request, rates, 0.5, Some(1.0)).unwrap_err();
        insta::assert_snapshot!(error.message, @"LLM budget exceeded before provider call: projected session cost $1.500000 would exceed total_budget_usd");
    }

    #[test]
    fn wrong_values_say_what_is_expected() {
        let of = |key: &str, value: Data| {
            Budget::read(&Data::dict([("budget", Data::dict([(key, value)]))])).unwrap_err()
        };
        insta::assert_snapshot!(of("max_cost_usd", "x".into()), @"budget.max_cost_usd: expected a non-negative number");
        insta::assert_snapshot!(of("max_cost_usd", f64::NAN.into()), @"budget.max_cost_usd: expected a non-negative finite number");
        insta::assert_snapshot!(of("max_input_tokens", 1.5.into()), @"budget.max_input_tokens: expected a non-negative integer");
    }
}
