//! Providers, aliases, and how a call finds its provider and model (spec 07 sections 1.2, 15 and 16).

use std::collections::BTreeMap;

use harn_effect::Data;

use crate::environment::Environment;

/// How a provider wants the key.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthStyle {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// `<name>: <key>`.
    Header(String),
    /// No key.
    None,
}

/// The wire format of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI-compatible Chat Completions.
    OpenAi,
    /// Ollama's chat.
    Ollama,
}

impl Dialect {
    /// The name used in requests to the host.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Anthropic => "anthropic",
            Dialect::OpenAi => "openai",
            Dialect::Ollama => "ollama",
        }
    }

    /// The dialect of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Dialect::Anthropic, Dialect::OpenAi, Dialect::Ollama].into_iter().find(|one| one.name() == name)
    }
}

/// A provider's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Where requests go, without a trailing slash.
    pub base_url: String,
    /// The variable that replaces `base_url`.
    pub base_url_env: Option<String>,
    /// How the key is sent.
    pub auth_style: AuthStyle,
    /// The variables that may hold the key; the first non-empty one counts.
    pub auth_env: Vec<String>,
    /// Path of the chat endpoint, after the base URL.
    pub chat_endpoint: String,
    /// Path of the completion endpoint, when it has one.
    pub completion_endpoint: Option<String>,
    /// Headers sent with every request.
    pub extra_headers: BTreeMap<String, String>,
    /// What it can do beyond chat: `native_tools`.
    pub features: Vec<String>,
    /// The provider to try when this one fails.
    pub fallback: Option<String>,
    /// Requests a minute.
    pub rpm: Option<i64>,
    /// USD per thousand input tokens, when the model's price is not known.
    pub cost_per_1k_in: Option<f64>,
    /// USD per thousand output tokens.
    pub cost_per_1k_out: Option<f64>,
    /// Typical latency.
    pub latency_p50_ms: Option<i64>,
}

impl Provider {
    /// The wire format, from the endpoint (spec 07 section 15.1).
    pub fn dialect(&self) -> Dialect {
        if self.chat_endpoint.contains("/messages") {
            Dialect::Anthropic
        } else if self.chat_endpoint.contains("/api/chat") {
            Dialect::Ollama
        } else {
            Dialect::OpenAi
        }
    }

    /// The base URL that the environment leaves in force.
    pub fn base(&self, env: &Environment) -> String {
        let chosen = self.base_url_env.as_deref().and_then(|name| env.get(name)).unwrap_or(&self.base_url);
        let chosen = chosen.trim_end_matches('/');
        if chosen.contains("://") { chosen.to_owned() } else { format!("http://{chosen}") }
    }

    /// The full address of an endpoint under `base`; a version both sides name is written once.
    pub fn address(base: &str, endpoint: &str) -> String {
        let base = base.trim_end_matches('/');
        let endpoint =
            if base.ends_with("/v1") { endpoint.strip_prefix("/v1").unwrap_or(endpoint) } else { endpoint };
        format!("{base}{endpoint}")
    }

    /// Whether a call could be authenticated.
    pub fn available(&self, env: &Environment) -> bool {
        self.auth_style == AuthStyle::None || self.auth_env.iter().any(|name| env.has_secret(name))
    }

    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|one| one == feature)
    }
}

/// A short name of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The model id sent to the provider.
    pub id: String,
    /// The provider that serves it.
    pub provider: String,
    /// The tool format that suits it.
    pub tool_format: Option<String>,
}

/// What is known about one model id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelEntry {
    /// The provider that serves it.
    pub provider: Option<String>,
    /// USD per million tokens.
    pub pricing: Option<crate::pricing::Rates>,
    /// Everything that was configured, for `llm_model_info`.
    pub raw: Data,
}

/// Every provider, alias and model that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// By name.
    pub providers: BTreeMap<String, Provider>,
    /// By short name.
    pub aliases: BTreeMap<String, Alias>,
    /// By model id.
    pub models: BTreeMap<String, ModelEntry>,
    /// The provider of last resort, when configured.
    pub default_provider: Option<String>,
}

/// What a model selector means.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The model id without selector prefix.
    pub id: String,
    /// The provider that serves it.
    pub provider: String,
    /// The alias that was used.
    pub alias: Option<String>,
    /// The alias's tool format.
    pub tool_format: Option<String>,
}

/// What the options of a call say about provider and model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// `options.provider`.
    pub provider: Option<&'a str>,
    /// `options.model`.
    pub model: Option<&'a str>,
    /// `options.model_tier`.
    pub tier: Option<&'a str>,
}

/// One row of the built-in providers: name, base, its variable, auth, key variables, endpoint, native tools.
struct Row(
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    &'static [&'static str],
    &'static str,
    bool,
);

const BEARER: Option<&str> = Some("bearer");

const BUILTIN: &[Row] = &[
    Row(
        "anthropic",
        "https://api.anthropic.com/v1",
        Some("ANTHROPIC_BASE_URL"),
        Some("x-api-key"),
        &["ANTHROPIC_API_KEY"],
        "/messages",
        true,
    ),
    Row(
        "openai",
        "https://api.openai.com/v1",
        Some("OPENAI_BASE_URL"),
        BEARER,
        &["OPENAI_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "openrouter",
        "https://openrouter.ai/api/v1",
        Some("OPENROUTER_BASE_URL"),
        BEARER,
        &["OPENROUTER_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "huggingface",
        "https://router.huggingface.co/v1",
        Some("HUGGINGFACE_BASE_URL"),
        BEARER,
        &["HF_TOKEN", "HUGGINGFACE_API_KEY"],
        "/chat/completions",
        false,
    ),
    Row("ollama", "http://localhost:11434", Some("OLLAMA_HOST"), None, &[], "/api/chat", false),
    Row(
        "local",
        "http://localhost:8000",
        Some("LOCAL_LLM_BASE_URL"),
        None,
        &[],
        "/v1/chat/completions",
        false,
    ),
    Row("mlx", "http://127.0.0.1:8002", Some("MLX_BASE_URL"), None, &[], "/v1/chat/completions", false),
    Row("vllm", "http://localhost:8000", Some("VLLM_BASE_URL"), None, &[], "/v1/chat/completions", false),
    Row("tgi", "http://localhost:8080", Some("TGI_BASE_URL"), None, &[], "/v1/chat/completions", false),
    Row(
        "together",
        "https://api.together.xyz/v1",
        Some("TOGETHER_BASE_URL"),
        BEARER,
        &["TOGETHER_AI_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "groq",
        "https://api.groq.com/openai/v1",
        Some("GROQ_BASE_URL"),
        BEARER,
        &["GROQ_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "deepseek",
        "https://api.deepseek.com/v1",
        Some("DEEPSEEK_BASE_URL"),
        BEARER,
        &["DEEPSEEK_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        Some("FIREWORKS_BASE_URL"),
        BEARER,
        &["FIREWORKS_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        Some("DASHSCOPE_BASE_URL"),
        BEARER,
        &["DASHSCOPE_API_KEY"],
        "/chat/completions",
        true,
    ),
    Row("mock", "mock:", None, None, &[], "/chat/completions", true),
];

/// Built-in aliases: name, provider, model.
const ALIASES: &[(&str, &str, &str)] = &[
    ("frontier", "anthropic", "claude-sonnet-4-20250514"),
    ("tier/frontier", "anthropic", "claude-sonnet-4-20250514"),
    ("mid", "openai", "gpt-4o-mini"),
    ("tier/mid", "openai", "gpt-4o-mini"),
    ("small", "openrouter", "Qwen/Qwen3.5-9B"),
    ("tier/small", "openrouter", "Qwen/Qwen3.5-9B"),
    ("mlx-qwen36-27b", "mlx", "unsloth/Qwen3.6-27B-UD-MLX-4bit"),
];

/// The model of providers without one of their own.
const DEFAULT_MODEL: &str = "claude-sonnet-4-20250514";

impl Default for Catalog {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Catalog {
    /// What is known without configuration.
    pub fn builtin() -> Self {
        let providers = BUILTIN.iter().map(|Row(name, base, base_env, auth, keys, endpoint, native)| {
            let anthropic = *name == "anthropic";
            let provider = Provider {
                base_url: (*base).to_owned(),
                base_url_env: base_env.map(str::to_owned),
                auth_style: match auth {
                    None => AuthStyle::None,
                    Some("bearer") => AuthStyle::Bearer,
                    Some(header) => AuthStyle::Header((*header).to_owned()),
                },
                auth_env: keys.iter().map(|key| (*key).to_owned()).collect(),
                chat_endpoint: (*endpoint).to_owned(),
                completion_endpoint: (*name == "ollama").then(|| "/api/generate".to_owned()),
                extra_headers: anthropic
                    .then(|| ("anthropic-version".to_owned(), "2023-06-01".to_owned()))
                    .into_iter()
                    .collect(),
                features: if *native { vec!["native_tools".to_owned()] } else { Vec::new() },
                fallback: None,
                rpm: None,
                cost_per_1k_in: None,
                cost_per_1k_out: None,
                latency_p50_ms: None,
            };
            ((*name).to_owned(), provider)
        });
        let aliases = ALIASES.iter().map(|(name, provider, id)| {
            let alias = Alias { id: (*id).to_owned(), provider: (*provider).to_owned(), tool_format: None };
            ((*name).to_owned(), alias)
        });
        Catalog {
            providers: providers.collect(),
            aliases: aliases.collect(),
            models: BTreeMap::new(),
            default_provider: None,
        }
    }

    /// The provider that a model selector implies (spec 07 section 1.2).
    pub fn infer(&self, env: &Environment, selector: &str) -> String {
        if let Some(alias) = self.aliases.get(selector) {
            return alias.provider.clone();
        }
        if let Some(provider) = self.models.get(selector).and_then(|entry| entry.provider.clone()) {
            return provider;
        }
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| selector.starts_with(prefix));
        let known = if starts(&["local:", "ollama:"]) {
            "ollama"
        } else if starts(&["huggingface:", "hf:"]) {
            "huggingface"
        } else if selector.matches('/').count() == 1 {
            "openrouter"
        } else if starts(&["claude-"]) {
            "anthropic"
        } else if starts(&["gpt-", "o1", "o3", "o4"]) {
            "openai"
        } else if starts(&["gemini-"]) {
            "gemini"
        } else if selector.contains(':') {
            "ollama"
        } else {
            return self.default_provider(env);
        };
        known.to_owned()
    }

    /// A selector as model id, provider and alias.
    pub fn resolve(&self, env: &Environment, selector: &str) -> Resolved {
        match self.aliases.get(selector) {
            Some(alias) => Resolved {
                id: alias.id.clone(),
                provider: alias.provider.clone(),
                alias: Some(selector.to_owned()),
                tool_format: alias.tool_format.clone(),
            },
            None => Resolved {
                id: strip_prefix(selector).to_owned(),
                provider: self.infer(env, selector),
                alias: None,
                tool_format: None,
            },
        }
    }

    /// The provider of last resort: variable, configuration, `anthropic`.
    pub fn default_provider(&self, env: &Environment) -> String {
        let named = env.get("HARN_DEFAULT_PROVIDER").or(self.default_provider.as_deref());
        named.filter(|name| !name.eq_ignore_ascii_case("auto")).unwrap_or("anthropic").to_owned()
    }

    /// Whether a call to a provider could be authenticated.
    pub fn available(&self, env: &Environment, provider: &str) -> bool {
        self.providers.get(provider).is_some_and(|known| known.available(env))
    }

    /// Provider and model of a call (spec 07 section 1.2).
    pub fn choose(&self, env: &Environment, wish: Wish<'_>) -> Resolved {
        let tier = wish.tier.and_then(|tier| self.tier(env, tier, wish.provider));
        let provider = self.choose_provider(env, wish, tier.as_ref());
        let (id, alias, tool_format) = self.choose_model(env, wish, &provider, tier);
        Resolved { id, provider, alias, tool_format }
    }

    fn choose_provider(&self, env: &Environment, wish: Wish<'_>, tier: Option<&Resolved>) -> String {
        let auto = wish.provider.is_some_and(|name| name.eq_ignore_ascii_case("auto"));
        if let Some(name) = wish.provider.filter(|_| !auto) {
            return name.to_owned();
        }
        if let Some(model) = wish.model.filter(|_| auto) {
            return self.infer(env, model);
        }
        if let Some(name) = env.get("HARN_LLM_PROVIDER").filter(|name| !name.eq_ignore_ascii_case("auto")) {
            return name.to_owned();
        }
        let model_given = wish.model.or(env.get("HARN_LLM_MODEL")).or(env.get("LOCAL_LLM_MODEL")).is_some();
        if env.get("LOCAL_LLM_BASE_URL").is_some() && model_given {
            return "local".to_owned();
        }
        if let Some(model) = wish.model {
            return self.infer(env, model);
        }
        if let Some(tier) = tier {
            return tier.provider.clone();
        }
        if let Some(model) = env.get("HARN_LLM_MODEL") {
            return self.infer(env, model);
        }
        let last = self.default_provider(env);
        if self.available(env, &last) {
            return last;
        }
        // Servers on this machine need no key, so the chain ends at the first of them.
        ["ollama", "local"].into_iter().find(|name| self.available(env, name)).map_or(last, str::to_owned)
    }

    fn choose_model(
        &self,
        env: &Environment,
        wish: Wish<'_>,
        provider: &str,
        tier: Option<Resolved>,
    ) -> (String, Option<String>, Option<String>) {
        let plain = |id: &str| (id.to_owned(), None, None);
        if let Some(selector) = wish.model {
            let resolved = self.resolve(env, selector);
            return (resolved.id, resolved.alias, resolved.tool_format);
        }
        if let Some(tier) = tier.filter(|tier| tier.provider == provider || wish.provider.is_none()) {
            return (tier.id, tier.alias, tier.tool_format);
        }
        if let Some(selector) = env.get("HARN_LLM_MODEL") {
            let owner = match self.aliases.get(selector) {
                Some(alias) => Some(alias.provider.as_str()),
                None => env.get("HARN_LLM_PROVIDER"),
            };
            if owner == Some(provider) {
                let resolved = self.resolve(env, selector);
                return (resolved.id, resolved.alias, resolved.tool_format);
            }
        }
        match provider {
            "local" => plain(env.get("LOCAL_LLM_MODEL").or(env.get("HARN_LLM_MODEL")).unwrap_or("gpt-4o")),
            "openai" => plain("gpt-4o"),
            "ollama" => plain("llama3.2"),
            "openrouter" => plain("anthropic/claude-sonnet-4.6"),
            "mlx" => plain(env.get("MLX_MODEL_ID").unwrap_or("unsloth/Qwen3.6-27B-UD-MLX-4bit")),
            _ => plain(DEFAULT_MODEL),
        }
    }

    /// The model of a tier (spec 07 section 16, point 4): the alias, or one of a reachable provider of the same tier.
    pub fn tier(&self, env: &Environment, tier: &str, provider: Option<&str>) -> Option<Resolved> {
        let mut names = vec![tier.to_owned()];
        if let Some(provider) = provider {
            names.push(format!("{provider}/{tier}"));
            names.push(format!("{provider}:{tier}"));
        }
        names.push(format!("tier/{tier}"));
        let fits = |name: &&String| {
            self.aliases
                .get(*name)
                .is_some_and(|alias| provider.is_none_or(|wanted| wanted == alias.provider))
        };
        let first =
            names.iter().find(fits).or_else(|| names.iter().find(|name| self.aliases.contains_key(*name)))?;
        let resolved = self.resolve(env, first);
        if provider.is_some() || self.available(env, &resolved.provider) {
            return Some(resolved);
        }
        let reachable = self
            .aliases
            .iter()
            .find(|(_, alias)| model_tier(&alias.id) == tier && self.available(env, &alias.provider));
        Some(reachable.map_or(resolved, |(name, _)| self.resolve(env, name)))
    }

    /// Distinct (model, provider) pairs of the alias table.
    pub fn candidates(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> =
            self.aliases.values().map(|alias| (alias.provider.clone(), alias.id.clone())).collect();
        pairs.sort();
        pairs.dedup();
        pairs.into_iter().map(|(provider, id)| (id, provider)).collect()
    }

    /// `native` or `text` (spec 07 section 16, point 3).
    pub fn tool_format(&self, resolved: &Resolved) -> String {
        let native = self.providers.get(&resolved.provider).is_some_and(|known| known.has("native_tools"));
        let by_provider = if native { "native" } else { "text" };
        resolved.tool_format.clone().unwrap_or_else(|| by_provider.to_owned())
    }
}

/// The selector without `local:`, `ollama:`, `huggingface:`, `hf:`.
fn strip_prefix(selector: &str) -> &str {
    ["local:", "ollama:", "huggingface:", "hf:"]
        .iter()
        .find_map(|prefix| selector.strip_prefix(prefix))
        .unwrap_or(selector)
}

/// `small`, `mid` or `frontier` (spec 07 section 16, point 4).
pub fn model_tier(model: &str) -> &'static str {
    let id = model.to_lowercase();
    if ALIASES.iter().any(|(name, ..)| *name == id && id == "small")
        || id.contains("9b")
        || id.contains("a3b")
    {
        "small"
    } else if id.starts_with("claude-") || id == "gpt-4o" || id == "frontier" {
        "frontier"
    } else {
        "mid"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(env: &Environment, wish: Wish<'_>) -> (String, String) {
        let chosen = Catalog::builtin().choose(env, wish);
        (chosen.provider, chosen.id)
    }

    fn pair(provider: &str, model: &str) -> (String, String) {
        (provider.to_owned(), model.to_owned())
    }

    #[test]
    fn the_option_wins_unless_it_says_auto() {
        let env = Environment::default().with("HARN_LLM_PROVIDER", "openai");
        let wish = Wish { provider: Some("ollama"), model: Some("gpt-5"), tier: None };
        assert_eq!(choose(&env, wish), pair("ollama", "gpt-5"));
        let wish = Wish { provider: Some("Auto"), model: Some("claude-x"), tier: None };
        assert_eq!(choose(&env, wish), pair("anthropic", "claude-x"));
    }

    #[test]
    fn the_environment_chooses_next() {
        let env = Environment::default().with("HARN_LLM_PROVIDER", "mock");
        assert_eq!(choose(&env, Wish { model: Some("gpt-4o"), ..Wish::default() }), pair("mock", "gpt-4o"));
        let env =
            Environment::default().with("LOCAL_LLM_BASE_URL", "http://h:1").with("LOCAL_LLM_MODEL", "q");
        assert_eq!(choose(&env, Wish::default()), pair("local", "q"));
    }

    #[test]
    fn without_any_hint_the_default_needs_its_key() {
        let keyed = Environment::default().with_secret("ANTHROPIC_API_KEY");
        assert_eq!(choose(&keyed, Wish::default()), pair("anthropic", DEFAULT_MODEL));
        assert_eq!(choose(&Environment::default(), Wish::default()), pair("ollama", "llama3.2"));
    }

    #[test]
    fn a_tier_names_an_alias() {
        let env = Environment::default().with_secret("OPENAI_API_KEY");
        assert_eq!(
            choose(&env, Wish { tier: Some("mid"), ..Wish::default() }),
            pair("openai", "gpt-4o-mini")
        );
    }

    #[test]
    fn selector_prefixes_leave_the_model_id() {
        let resolved = Catalog::builtin().resolve(&Environment::default(), "ollama:qwen:7b");
        assert_eq!((resolved.provider.as_str(), resolved.id.as_str()), ("ollama", "qwen:7b"));
    }

    #[test]
    fn a_base_url_may_or_may_not_name_the_version() {
        assert_eq!(
            Provider::address("http://h:1/v1/", "/v1/chat/completions"),
            "http://h:1/v1/chat/completions"
        );
        assert_eq!(Provider::address("http://h:1", "/v1/chat/completions"), "http://h:1/v1/chat/completions");
    }
}
