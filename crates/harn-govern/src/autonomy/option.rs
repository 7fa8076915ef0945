//! The option `autonomy_budget` of an agent loop (spec 08 section 1.1).

use std::collections::BTreeMap;

use harn_effect::Data;

use super::limits::Limits;

/// A budget in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What it allows.
    pub limits: Limits,
    /// Whose decisions are counted.
    pub key: String,
    /// Whom a refusal asks.
    pub reviewer: String,
    /// An approval that the call names for the case that the budget is used up.
    pub approval: Option<String>,
}

/// Reads the option; `None` is "no budget". `odd_types` names the types of fields that are no plain data (a closure) and
/// stand as bytes in `option`; `session_id` is the key of a budget that names none. The error is the text of the runtime
/// error.
pub fn parse(
    label: &str,
    option: &Data,
    odd_types: &BTreeMap<String, String>,
    session_id: &str,
) -> Result<Option<Budget>, String> {
    let name = |label: &str, fields: &BTreeMap<String, Data>, field: &str| {
        name(label, fields, field, odd_types.get(field).map(String::as_str))
    };
    let fields = match option {
        Data::Nil => return Ok(None),
        Data::Dict(fields) => fields,
        _ => {
            return Err(format!(
                "{label}: autonomy_budget must be a dict {{per_hour, per_day, key?, reviewer?}}"
            ));
        }
    };
    // Unknown keys are ignored (spec 08 section 1.1).
    let limits = Limits::parse(&format!("{label}: autonomy_budget."), fields, false)?;
    if limits.is_empty() {
        return Ok(None);
    }
    let key = name(label, fields, "key")?.unwrap_or_else(|| session_id.to_owned());
    if key.trim().is_empty() {
        return Err(format!("{label}: autonomy_budget requires a non-empty `key` or session_id"));
    }
    let reviewer = name(label, fields, "reviewer")?.unwrap_or_else(|| "operator".to_owned());
    let approval = name(label, fields, "approval")?;
    Ok(Some(Budget { limits, key, reviewer, approval }))
}

fn name(
    label: &str,
    fields: &BTreeMap<String, Data>,
    name: &str,
    odd_type: Option<&str>,
) -> Result<Option<String>, String> {
    match fields.get(name) {
        None | Some(Data::Nil) => Ok(None),
        Some(Data::Str(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        Some(other) => Err(format!(
            "{label}: autonomy_budget.{name} must be a non-empty string, got {}",
            odd_type.unwrap_or(other.type_name())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(option: Data, session: &str) -> String {
        parse("agent_loop", &option, &BTreeMap::new(), session).unwrap_err()
    }

    fn dict<const N: usize>(fields: [(&str, Data); N]) -> Data {
        Data::dict(fields)
    }

    #[test]
    fn each_rule_has_its_text() {
        let s = "agent_loop: autonomy_budget";
        assert_eq!(
            error(Data::Int(5), "s"),
            format!("{s} must be a dict {{per_hour, per_day, key?, reviewer?}}")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Float(2.0))]), "s"),
            format!("{s}.per_hour must be a non-negative int")
        );
        assert_eq!(
            error(dict([("per_day", Data::Bool(true)), ("per_hour", Data::Int(0))]), "s"),
            format!("{s}.per_day must be a non-negative int")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Int(0))]), "s"),
            format!("{s}.per_hour must be >= 1 (use nil to disable)")
        );
        assert_eq!(
            error(dict([("per_day", Data::Int(0))]), "s"),
            format!("{s}.per_day must be >= 1 (use nil to disable)")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Int(1)), ("key", "  ".into())]), "s"),
            format!("{s}.key must be a non-empty string, got string")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Int(1)), ("tokens", Data::Int(9))]), "s"),
            format!("{s}.tokens must be a dict {{per_hour?, per_day?}}")
        );
        let cost = |window: &str, value| dict([("cost_usd", dict([(window, value)]))]);
        assert_eq!(
            error(cost("per_day", Data::Int(0)), "s"),
            format!("{s}.cost_usd.per_day must be a positive number")
        );
        assert_eq!(
            error(cost("per_week", Data::Int(1)), "s"),
            format!("{s}.cost_usd: unknown window 'per_week': per_hour, per_day are known")
        );
        assert_eq!(
            error(dict([("max_concurrent", Data::Int(0))]), "s"),
            format!("{s}.max_concurrent must be a positive int")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Int(1))]), " "),
            format!("{s} requires a non-empty `key` or session_id")
        );
        assert_eq!(
            error(dict([("per_hour", Data::Int(1)), ("reviewer", Data::List(vec![]))]), "s"),
            format!("{s}.reviewer must be a non-empty string, got list")
        );
    }

    #[test]
    fn without_a_cap_the_rest_is_not_looked_at() {
        assert_eq!(
            parse("x", &dict([("key", Data::Int(5)), ("reviewer", "".into())]), &BTreeMap::new(), ""),
            Ok(None)
        );
        assert_eq!(parse("x", &Data::Nil, &BTreeMap::new(), ""), Ok(None));
    }

    #[test]
    fn defaults_are_session_and_operator() {
        let budget =
            parse("x", &dict([("per_day", Data::Int(3))]), &BTreeMap::new(), "sess").unwrap().unwrap();
        assert_eq!(
            (budget.key.as_str(), budget.reviewer.as_str(), budget.limits.per_hour),
            ("sess", "operator", None)
        );
    }
}
