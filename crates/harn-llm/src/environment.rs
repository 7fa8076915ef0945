//! What the environment says about models, without its secrets.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;

/// Variables that choose providers, models and transport and hold nothing secret. Base URLs are added from the catalog.
const PLAIN: &[&str] = &[
    "HARN_LLM_PROVIDER",
    "HARN_LLM_MODEL",
    "HARN_DEFAULT_PROVIDER",
    "HARN_LLM_CALLS_DISABLED",
    "HARN_LLM_STREAM",
    "HARN_LLM_TIMEOUT",
    "HARN_LLM_IDLE_TIMEOUT",
    "LOCAL_LLM_MODEL",
    "MLX_MODEL_ID",
    "HARN_OLLAMA_NUM_CTX",
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_NUM_CTX",
    "HARN_OLLAMA_KEEP_ALIVE",
    "OLLAMA_KEEP_ALIVE",
    "BURIN_QC_MODEL",
];

/// A snapshot of the variables that matter: values of the plain ones, of the secret ones only that they are set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    plain: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
}

impl Environment {
    /// Reads through `lookup` every variable that the catalog and this crate know. Secret values are dropped at once.
    pub fn read(catalog: &Catalog, mut lookup: impl FnMut(&str) -> Option<String>) -> Self {
        let mut environment = Environment::default();
        let bases = catalog.providers.values().filter_map(|provider| provider.base_url_env.as_deref());
        let rates = catalog.providers.keys().map(|name| rate_limit_variable(name));
        let names = PLAIN.iter().map(|name| (*name).to_owned()).chain(bases.map(str::to_owned)).chain(rates);
        for name in names.collect::<BTreeSet<_>>() {
            if let Some(value) = lookup(&name) {
                environment.plain.insert(name, value);
            }
        }
        for name in catalog.providers.values().flat_map(|provider| &provider.auth_env) {
            if lookup(name).is_some_and(|value| !value.trim().is_empty()) {
                environment.secrets.insert(name.clone());
            }
        }
        environment
    }

    /// The same with a plain variable set.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.plain.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with a secret known to be set.
    pub fn with_secret(mut self, name: &str) -> Self {
        self.secrets.insert(name.to_owned());
        self
    }

    /// The value of a plain variable, nothing when it is unset or blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.plain.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a variable that holds a secret is set.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains(name)
    }

    /// Whether real model calls are switched off.
    pub fn calls_disabled(&self) -> bool {
        let value = self.get("HARN_LLM_CALLS_DISABLED").map(str::to_lowercase);
        matches!(value.as_deref(), Some("1" | "true" | "yes" | "on"))
    }
}

/// The variable that presets a provider's requests a minute.
pub fn rate_limit_variable(provider: &str) -> String {
    format!("HARN_RATE_LIMIT_{}", provider.to_uppercase().replace('-', "_"))
}
