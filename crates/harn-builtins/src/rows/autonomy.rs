//! Autonomy budget (spec 08 section 1).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Control;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::primitive(
        "__autonomy_admit",
        "fn(option: any, session_id: string, stable: bool, mock_model: bool) -> any",
        "Reserves a decision: nil without a budget, else whether it is admitted.",
    )
    .effect(Control),
    B::primitive(
        "__autonomy_release",
        "fn(decision_id: string, reason: string) -> nil",
        "Gives a decision back before anything was done.",
    )
    .effect(Control),
];
