//! What an operator decides for a project, in `harn.toml`: whose answers must be signed, which budgets bind whom.
//!
//! ```toml
//! [reviewers]                     # public keys by name: answers of these people count only when signed
//! ada = "ed25519:..."
//!
//! [hitl]
//! require_signatures = true       # answers by anyone else do not count
//!
//! [[autonomy.budgets]]            # binds every agent whose key matches, whatever its program says
//! key = "support-*"
//! per_hour = 10
//! ```

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::autonomy::limits::{Declared, Limits, ancestors};
use crate::identity::Keyring;

/// The rules of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Whose signatures are asked for.
    pub keyring: Keyring,
    /// Budgets by key pattern.
    pub budgets: Vec<Declared>,
}

impl Rules {
    /// Reads the rules in a `harn.toml`; other sections are not looked at. The error names the entry.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let section = |name: &str| match table.get(name) {
            None => Ok(None),
            Some(Value::Table(section)) => Ok(Some(section)),
            Some(_) => Err(format!("[{name}] must be a table")),
        };
        let mut keys = BTreeMap::new();
        for (name, key) in section("reviewers")?.into_iter().flatten() {
            let key = key.as_str().ok_or_else(|| format!("[reviewers] {name} must be a public key"))?;
            keys.insert(name.clone(), key.to_owned());
        }
        let required = match section("hitl")?.and_then(|hitl| hitl.get("require_signatures")) {
            None => false,
            Some(Value::Boolean(required)) => *required,
            Some(_) => return Err("[hitl] require_signatures must be true or false".into()),
        };
        let mut budgets = Vec::new();
        if let Some(declared) = section("autonomy")?.and_then(|autonomy| autonomy.get("budgets")) {
            let rows = declared.as_array().ok_or("[[autonomy.budgets]] must be an array of tables")?;
            for row in rows {
                let row = row.as_table().ok_or("[[autonomy.budgets]] must be an array of tables")?;
                budgets.push(declared_budget(row)?);
            }
        }
        Ok(Rules { keyring: Keyring::new(keys, required)?, budgets })
    }
}

impl Rules {
    /// Whom a refusal of this key asks when the program names nobody: the reviewer of a declared budget that binds it, else
    /// `operator`.
    pub fn reviewer_of(&self, key: &str) -> String {
        reviewer_of(key, &self.budgets)
    }
}

/// [`Rules::reviewer_of`] over declared budgets.
pub fn reviewer_of(key: &str, declared: &[Declared]) -> String {
    let keys: Vec<&str> = std::iter::once(key).chain(ancestors(key)).collect();
    let mut binding = declared.iter().filter(|d| keys.iter().any(|key| d.binds(key)));
    binding.find_map(|d| d.reviewer.clone()).unwrap_or_else(|| "operator".to_owned())
}

fn declared_budget(row: &Table) -> Result<Declared, String> {
    let pattern = match row.get("key").and_then(Value::as_str) {
        Some(pattern) if !pattern.trim().is_empty() => pattern.to_owned(),
        _ => return Err("[[autonomy.budgets]] needs a key, for example key = \"support-*\"".into()),
    };
    let reviewer = match row.get("reviewer") {
        None => None,
        Some(Value::String(name)) if !name.trim().is_empty() => Some(name.clone()),
        Some(_) => return Err(format!("[[autonomy.budgets]] '{pattern}': reviewer must be a name")),
    };
    let mut fields = BTreeMap::new();
    for (name, value) in row.iter().filter(|(name, _)| !matches!(name.as_str(), "key" | "reviewer")) {
        fields.insert(name.clone(), plain(value));
    }
    let label = format!("[[autonomy.budgets]] '{pattern}': ");
    let limits = Limits::parse(&label, &fields, true)?;
    if limits.is_empty() {
        return Err(format!("{label}sets no limit"));
    }
    Ok(Declared { pattern, limits, reviewer })
}

fn plain(value: &Value) -> harn_effect::Data {
    use harn_effect::Data;
    match value {
        Value::Integer(n) => Data::Int(*n),
        Value::Float(x) => Data::Float(*x),
        Value::Boolean(b) => Data::Bool(*b),
        Value::String(text) => Data::from(text.as_str()),
        Value::Array(items) => Data::List(items.iter().map(plain).collect()),
        Value::Table(fields) => Data::dict(fields.iter().map(|(name, value)| (name.clone(), plain(value)))),
        Value::Datetime(at) => Data::from(at.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_without_rules_rules_nothing() {
        assert_eq!(Rules::parse("[package]\nname = \"x\"\n"), Ok(Rules::default()));
    }

    #[test]
    fn each_mistake_is_named() {
        let error = |text: &str| Rules::parse(text).unwrap_err();
        assert_eq!(
            error("[reviewers]\nada = \"x\""),
            "the key of reviewer 'ada' is no Ed25519 public key: 'x'"
        );
        assert!(error("[[autonomy.budgets]]\nper_hour = 1").contains("needs a key"));
        assert!(error("[[autonomy.budgets]]\nkey = \"a\"").contains("sets no limit"));
        assert!(error("[[autonomy.budgets]]\nkey = \"a\"\nper_hour = 0").contains("per_hour"));
        assert!(error("[[autonomy.budgets]]\nkey = \"a\"\nper_huor = 1").contains("per_huor"));
        assert!(error("[hitl]\nrequire_signatures = 1").contains("require_signatures"));
    }
}
