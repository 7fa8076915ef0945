//! What the decisions of a run spend, charged to their budgets on the log (spec 08 section 1).

use harn_effect::{Data, Raised};
use harn_eventlog::Durability;
use harn_govern::autonomy::amount::usd_to_nano;
use harn_govern::autonomy::spend::{self, OverLimit};
use harn_govern::autonomy::{Amount, Spend, Spender};
use harn_llm::budget::Projection;
use harn_llm::error::{Category, ModelError, Reason};
use harn_llm::meter::{Actual, Meter};

use super::governance::Governance;
use crate::recorder::text_of;
use crate::service::ServiceCx;

/// The account of the decisions that a task is in.
pub struct Account<'a, 'c> {
    cx: &'a ServiceCx<'c>,
    shared: &'a Governance,
    spenders: &'a [Spender],
}

impl<'a, 'c> Account<'a, 'c> {
    /// The account of these decisions.
    pub fn new(cx: &'a ServiceCx<'c>, shared: &'a Governance, spenders: &'a [Spender]) -> Self {
        Account { cx, shared, spenders }
    }

    fn spend_of(&self, op: &'static str, worst: Amount, priced: bool) -> Spend<'a> {
        let trace_id = self.cx.task.context.field("trace_id").as_str();
        Spend { spenders: self.spenders, op, worst, priced, exact: false, trace_id }
    }

    /// Sets the worst case aside, durably; none when nothing limits it.
    fn hold(&self, asked: &Spend<'_>) -> Result<Result<Option<String>, OverLimit>, Raised> {
        if !asked.is_limited() {
            return Ok(Ok(None));
        }
        let ruled = self.shared.transact(self.cx, |tx, projections, moment| {
            spend::set_aside(tx, &mut projections.ledger, asked, moment)
        })?;
        Ok(ruled.map(Some))
    }

    /// Notes what was spent without having been set aside. It has happened: that this cannot be written shows at the next
    /// decision.
    fn note(&self, spent: &Spend<'_>, actual: Amount) {
        let _ = self.shared.transact_at(self.cx, Durability::Grouped, |tx, projections, moment| {
            spend::note(tx, &mut projections.ledger, spent, actual, moment)
        });
    }

    /// Spends an amount that is known beforehand; the error of the result refuses it.
    pub fn spend(&mut self, op: &'static str, amount: Amount) -> Result<Result<(), OverLimit>, Raised> {
        if self.spenders.is_empty() {
            return Ok(Ok(()));
        }
        let asked = Spend { exact: true, ..self.spend_of(op, amount, true) };
        Ok(match self.hold(&asked)? {
            Err(over) => Err(over),
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.note(&asked, amount);
                Ok(())
            }
        })
    }
}

impl Meter for Account<'_, '_> {
    fn set_aside(&mut self, worst: &Projection, priced: bool) -> Result<Option<String>, Box<ModelError>> {
        let amount = Amount {
            tokens: worst.input_tokens.saturating_add(worst.output_tokens),
            nano_usd: usd_to_nano(worst.cost_usd),
            tool_calls: 0,
        };
        let asked = self.spend_of("llm.call", amount, priced);
        match self.hold(&asked) {
            Ok(Ok(aside)) => Ok(aside),
            Ok(Err(over)) => Err(Box::new(refused(over))),
            Err(raised) => Err(Box::new(ModelError::of(Category::Generic, text_of(&raised)))),
        }
    }

    fn settle(&mut self, aside: Option<String>, actual: Actual) {
        let nano_usd = usd_to_nano(actual.cost_usd);
        let amount = Amount { tokens: actual.tokens, nano_usd, tool_calls: 0 };
        match aside {
            None => self.note(&self.spend_of("llm.call", amount, actual.priced), amount),
            // One that cannot be written leaves the worst case standing.
            Some(id) => {
                let _ = self.shared.transact_at(self.cx, Durability::Grouped, |tx, projections, moment| {
                    spend::settle(tx, &mut projections.ledger, &id, amount, moment)
                });
            }
        }
    }
}

/// The refusal as a program sees it: `budget_exceeded`, which ends an agent loop.
fn refused(over: OverLimit) -> ModelError {
    let mut error = ModelError::new(Category::BudgetExceeded, Reason::BudgetExceeded, false, over.text);
    error.extra.extend([
        ("limit".to_owned(), Data::from("autonomy_budget")),
        ("autonomy_reason".to_owned(), Data::from(over.reason)),
        ("agent_key".to_owned(), Data::from(over.key)),
    ]);
    error
}
