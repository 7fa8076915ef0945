//! Reads the options of a model call (spec 07 section 1.4).

use harn_effect::Data;

use crate::budget::Budget;
use crate::capability::{self, Capability};
use crate::catalog::{AuthStyle, Catalog, Dialect, Provider, Wish};
use crate::content::{has_image, message, read_messages};
use crate::environment::Environment;
use crate::error::{Category, ModelError, Reason};
use crate::nudge::Nudge;
use crate::request::{ModelRequest, OllamaSettings, OutputFormat, Sampling};
use crate::route;
use crate::thinking::Thinking;
use crate::tools;
use crate::wire::{Timeouts, anthropic};

/// What to do when a structured answer stays invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Nothing.
    #[default]
    Off,
    /// Note it.
    Warn,
    /// Fail.
    Error,
}

/// Everything that the options of a call decide.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is asked.
    pub request: ModelRequest,
    /// Names of the tools that were passed, in whatever format; none when the option was absent.
    pub tool_names: Option<Vec<String>>,
    /// What the answer is validated against; nil without.
    pub output_schema: Data,
    /// What happens to an invalid answer.
    pub validation: Validation,
    /// Further attempts for an invalid answer.
    pub schema_retries: i64,
    /// How such an attempt speaks to the model.
    pub nudge: Nudge,
    /// Further attempts after a transient error.
    pub llm_retries: i64,
    /// Base of the backoff.
    pub backoff_ms: i64,
    /// Limits of cost.
    pub budget: Budget,
    /// Providers to try when the chosen one fails.
    pub fallbacks: Vec<String>,
    /// Limits of time.
    pub timeouts: Timeouts,
    /// Where the request goes, when the call says so.
    pub base_url: Option<String>,
    /// The decision of a route policy, for the log.
    pub route: Option<Data>,
    /// Things worth a warning.
    pub warnings: Vec<String>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect_ms: 10_000, first_byte_ms: 120_000, idle_ms: 30_000, total_ms: 120_000 }
    }
}

impl Plan {
    /// Whether the answer should be JSON.
    pub fn expects_data(&self) -> bool {
        self.request.output != OutputFormat::Text || !self.output_schema.is_nil()
    }
}

/// What options are read against.
#[derive(Clone, Copy)]
pub struct OptionCx<'a> {
    /// Providers and models.
    pub catalog: &'a Catalog,
    /// Variables.
    pub env: &'a Environment,
    /// Whether the mock answers whatever provider is asked.
    pub mock_active: bool,
}

/// Reads a call. Errors are those of the options: thrown as plain strings by `llm_call`.
pub fn read(
    prompt: &str,
    system: Option<&str>,
    options: &Data,
    cx: OptionCx<'_>,
) -> Result<Plan, Box<ModelError>> {
    let fail = |message: String| Box::new(ModelError::option(message));
    if !options.field("transcript").is_nil() {
        return Err(fail(
            "llm_call / agent_loop: the `transcript` option was removed. Open or open-and-resume a session with \
             agent_session_open(id) and pass `session_id: id` instead."
                .to_owned(),
        ));
    }
    let text = |key: &str| options.field(key).as_str().filter(|text| !text.is_empty());
    let wish = Wish { provider: text("provider"), model: text("model"), tier: text("model_tier") };
    let routed = route::decide(options.field("route_policy"), cx.catalog, cx.env).map_err(fail)?;
    let resolved = match &routed {
        Some(route) => route.chosen.clone(),
        None => cx.catalog.choose(cx.env, wish),
    };
    let (provider, model) = (resolved.provider.as_str(), resolved.id.as_str());
    let name_call = |error: ModelError| Box::new(error.at(provider, model));
    let fail = |message: String| name_call(ModelError::option(message));

    let can = capability::lookup(provider, model);
    let mut warnings = Vec::new();
    let messages = match options.field("messages").as_list() {
        Some(list) => read_messages(list, provider).map_err(fail)?,
        None => vec![message("user", prompt)],
    };
    let (output, output_schema) = read_output(options).map_err(fail)?;
    let thinking =
        Thinking::read(options.field("thinking"), options.field("reasoning_effort")).map_err(fail)?;
    let specs = tools::read(options.field("tools")).map_err(fail)?;
    let tool_format = text("tool_format").map_or_else(|| cx.catalog.tool_format(&resolved), str::to_owned);
    let tool_names =
        (!options.field("tools").is_nil()).then(|| specs.iter().map(|tool| tool.name.clone()).collect());
    let native = tool_format == "native";
    let cache = options.field("cache").as_bool().unwrap_or(false);
    if !cx.mock_active {
        gate(&can, options, provider, model, &messages, native, &output, thinking).map_err(fail)?;
    }
    let sampling = read_sampling(options, provider, cache, &mut warnings);
    let beta_features = read_beta_features(options).map_err(fail)?;
    let streamed = match options.field("stream") {
        Data::Bool(flag) => *flag,
        _ => !matches!(cx.env.get("HARN_LLM_STREAM"), Some("0" | "false")),
    };
    let request = ModelRequest {
        provider: provider.to_owned(),
        model: model.to_owned(),
        system: system.map(str::to_owned),
        messages,
        max_tokens: options.field("max_tokens").as_int().unwrap_or(DEFAULT_MAX_TOKENS),
        sampling,
        output,
        thinking,
        beta_features,
        tools: if native { specs } else { Vec::new() },
        tool_choice: options.field("tool_choice").clone(),
        cache,
        stream: streamed,
        prefill: text("prefill").map(str::to_owned),
        overrides: options.field(provider).clone(),
        ollama: read_ollama(options.field("ollama"), cx.env),
    };
    if request.prefill.is_some() && (can.no_prefill || provider == "openai") {
        warnings.push(format!("\"prefill\" is not supported by model \"{model}\", ignoring"));
    }
    let budget = Budget::read(options).map_err(fail)?;
    let count = |key: &str, default: i64| options.field(key).as_int().unwrap_or(default).max(0);
    let validation = match text("output_validation") {
        Some("error") => Validation::Error,
        Some("warn") => Validation::Warn,
        _ => Validation::Off,
    };
    let plan = Plan {
        tool_names,
        output_schema,
        validation,
        schema_retries: count("schema_retries", 1),
        nudge: Nudge::read(options.field("schema_retry_nudge")),
        llm_retries: count("llm_retries", 0),
        backoff_ms: duration_ms(options.field("llm_backoff_ms"), 1).unwrap_or(250),
        budget,
        fallbacks: read_fallbacks(options.field("fallback_chain")),
        timeouts: read_timeouts(options, cx.env),
        base_url: text("base_url").map(str::to_owned),
        route: routed.map(|route| route.decision),
        warnings,
        request,
    };
    if !cx.mock_active && provider != "mock" {
        reachable(&plan, cx).map_err(|error| name_call(*error))?;
    }
    Ok(plan)
}

/// Output limit without `max_tokens`.
const DEFAULT_MAX_TOKENS: i64 = 16_384;

/// Whether a real provider could be asked: known, allowed, with its key (spec 07 section 1.2).
pub fn reachable(plan: &Plan, cx: OptionCx<'_>) -> Result<(), Box<ModelError>> {
    let name = plan.request.provider.as_str();
    let Some(provider) = cx.catalog.providers.get(name) else {
        let known: Vec<&str> = cx.catalog.providers.keys().map(String::as_str).collect();
        let message = format!("unknown provider `{name}`; known providers: {}", known.join(", "));
        return Err(Box::new(ModelError::option(message)));
    };
    if cx.env.calls_disabled() {
        let message = format!(
            "LLM calls are disabled by HARN_LLM_CALLS_DISABLED; provider `{name}` would make a real LLM request"
        );
        return Err(Box::new(ModelError::new(Category::Generic, Reason::InvalidRequest, false, message)));
    }
    if !provider.available(cx.env) && sends_key(plan, provider, cx.env) {
        let message = missing_key(name, provider);
        return Err(Box::new(ModelError::new(Category::Auth, Reason::AuthFailure, false, message)));
    }
    if provider.dialect() == Dialect::Anthropic
        && let Some(message) = anthropic::budget_conflict(&plan.request)
    {
        return Err(Box::new(ModelError::option(message)));
    }
    Ok(())
}

fn missing_key(name: &str, provider: &Provider) -> String {
    let wanted = match provider.auth_env.as_slice() {
        [one] => format!("set {one} environment variable"),
        several => format!("set one of {} environment variables", several.join(", ")),
    };
    format!(
        "Missing API key: {wanted} (provider `{name}` selected, from the built-in configuration; \
         HARN_LLM_PROVIDER=mock works offline)"
    )
}

/// Whether the key goes along. A call may point a provider at another server by `base_url`; the key is for the
/// configured server only, so that no program can have it sent elsewhere. Servers on this machine may have it.
pub fn sends_key(plan: &Plan, provider: &Provider, env: &Environment) -> bool {
    if provider.auth_style == AuthStyle::None {
        return false;
    }
    let Some(base) = &plan.base_url else { return true };
    origin(base) == origin(&provider.base(env)) || is_loopback(base)
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{}://{}", scheme.to_lowercase(), authority.to_lowercase())
}

fn is_loopback(url: &str) -> bool {
    let origin = origin(url);
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    // User info would let `http://127.0.0.1@elsewhere` pass.
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    !authority.contains('@') && matches!(host, "127.0.0.1" | "localhost" | "::1")
}

#[expect(clippy::too_many_arguments, reason = "one check for each option, read above")]
fn gate(
    can: &Capability,
    options: &Data,
    provider: &str,
    model: &str,
    messages: &[Data],
    native: bool,
    output: &OutputFormat,
    thinking: Thinking,
) -> Result<(), String> {
    let require = |option: &str, ok: bool| can.require(option, ok, provider, model);
    let flag = |key: &str| options.field(key).as_bool().unwrap_or(false);
    if *output != OutputFormat::Text && provider != "mock" {
        require("output_format", can.structured.is_some())?;
    }
    if flag("vision") || has_image(messages) {
        require("vision", can.vision)?;
    }
    if flag("audio") {
        require("audio", can.audio)?;
    }
    if flag("pdf") {
        require("pdf", can.pdf)?;
    }
    if flag("cache") && !CACHE_IGNORED.contains(&provider) {
        require("cache", can.prompt_caching)?;
    }
    if native && !options.field("tools").is_nil() {
        require("tools", can.native_tools)?;
    }
    if !options.field("tool_choice").is_nil() {
        require("tool_choice", can.native_tools)?;
    }
    if thinking.is_on() && !options.field("thinking").is_nil() {
        require("thinking", !can.thinking_modes.is_empty())?;
    }
    if !options.field("reasoning_effort").is_nil() {
        require("reasoning_effort", can.reasoning_effort || can.thinking_modes.contains(&"adaptive"))?;
    }
    if flag("interleaved_thinking") {
        require("interleaved_thinking", can.interleaved_thinking)?;
    }
    Ok(())
}

/// Providers that ignore `cache` with a warning.
const CACHE_IGNORED: &[&str] = &["openai", "huggingface", "local", "openrouter", "ollama"];

/// A number option, int or float.
fn number(data: &Data) -> Option<f64> {
    match data {
        Data::Int(n) => Some(*n as f64),
        Data::Float(x) => Some(*x),
        _ => None,
    }
}

fn read_sampling(options: &Data, provider: &str, cache: bool, warnings: &mut Vec<String>) -> Sampling {
    let float = |key: &str| number(options.field(key));
    let int = |key: &str| options.field(key).as_int();
    let ignored: &[&str] = match provider {
        "anthropic" => &["seed", "frequency_penalty", "presence_penalty"],
        "openai" | "huggingface" | "local" | "openrouter" => &["top_k", "cache"],
        "ollama" => &["frequency_penalty", "presence_penalty", "cache"],
        _ => &[],
    };
    for key in ignored {
        if if *key == "cache" { cache } else { !options.field(key).is_nil() } {
            warnings.push(format!("\"{key}\" is not supported by provider \"{provider}\", ignoring"));
        }
    }
    let stop = match options.field("stop") {
        Data::Str(one) => vec![one.clone()],
        list => {
            list.as_list().unwrap_or_default().iter().filter_map(Data::as_str).map(str::to_owned).collect()
        }
    };
    Sampling {
        temperature: float("temperature"),
        top_p: float("top_p"),
        top_k: int("top_k"),
        frequency_penalty: float("frequency_penalty"),
        presence_penalty: float("presence_penalty"),
        seed: int("seed"),
        stop,
    }
}

/// The form of the answer and what it is validated against.
fn read_output(options: &Data) -> Result<(OutputFormat, Data), String> {
    let schema = match (options.field("json_schema"), options.field("schema")) {
        (Data::Nil, other) => other,
        (given, _) => given,
    };
    if !matches!(schema, Data::Nil | Data::Dict(_)) {
        return Err("json_schema: expected a JSON Schema object".to_owned());
    }
    let given = |data: &Data| (!data.is_nil()).then(|| data.clone());
    let with = |schema: &Data, strict| OutputFormat::JsonSchema { schema: schema.clone(), strict };
    let by_response_format = match options.field("response_format") {
        Data::Nil => OutputFormat::Text,
        Data::Str(word) if word == "text" => OutputFormat::Text,
        Data::Str(word) if word == "json" || word == "json_object" => OutputFormat::JsonObject,
        other => {
            let got = other.as_str().unwrap_or(other.type_name());
            return Err(format!(
                r#"response_format: expected "json", "json_object", or "text", got "{got}""#
            ));
        }
    };
    let format_option = options.field("output_format");
    let kind = match format_option {
        Data::Dict(_) => format_option.field("kind").as_str().or(format_option.field("type").as_str()),
        other => other.as_str(),
    };
    let inner = match (format_option.field("schema"), format_option.field("json_schema")) {
        (Data::Nil, other) => other,
        (given, _) => given,
    };
    let output = match kind {
        Some("text" | "none" | "off") => OutputFormat::Text,
        Some("json_object" | "json") => OutputFormat::JsonObject,
        Some("json_schema" | "schema") => {
            let Some(schema) =
                given(inner).or_else(|| given(schema)).or_else(|| given(options.field("output_schema")))
            else {
                return Err("output_format: kind \"json_schema\" requires a `schema` field".to_owned());
            };
            with(&schema, format_option.field("strict").as_bool().unwrap_or(true))
        }
        Some(other) => {
            return Err(format!(
                r#"output_format: expected "text", "json_object", or "json_schema", got "{other}""#
            ));
        }
        None if !schema.is_nil() => with(schema, true),
        None => by_response_format,
    };
    let output_schema =
        given(options.field("output_schema")).or_else(|| given(schema)).or_else(|| given(inner));
    Ok((output, output_schema.unwrap_or_default()))
}

fn read_beta_features(options: &Data) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = match options.field("anthropic_beta_features") {
        Data::Str(one) => vec![one.clone()],
        list => {
            list.as_list().unwrap_or_default().iter().filter_map(Data::as_str).map(str::to_owned).collect()
        }
    };
    let plain = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if let Some(bad) = names.iter().find(|name| !plain(name)) {
        return Err(format!("anthropic_beta_features: invalid name \"{bad}\""));
    }
    if options.field("interleaved_thinking").as_bool() == Some(true) {
        names.push("interleaved-thinking-2025-05-14".to_owned());
    }
    names.dedup();
    Ok(names)
}

fn read_fallbacks(option: &Data) -> Vec<String> {
    let given: Vec<&str> = match option {
        Data::Str(text) => text.split(',').collect(),
        list => list.as_list().unwrap_or_default().iter().filter_map(Data::as_str).collect(),
    };
    let mut chain: Vec<String> = Vec::new();
    for name in given.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
        if !chain.iter().any(|known| known == name) {
            chain.push(name.to_owned());
        }
    }
    chain
}

/// A number of `unit_ms` each, or a duration.
fn duration_ms(data: &Data, unit_ms: i64) -> Option<i64> {
    match data {
        Data::Int(n) => Some(n.saturating_mul(unit_ms)),
        Data::Float(x) => Some((x * unit_ms as f64) as i64),
        Data::Duration(ms) => Some(*ms),
        _ => None,
    }
    .filter(|ms| *ms >= 0)
}

fn read_timeouts(options: &Data, env: &Environment) -> Timeouts {
    let defaults = Timeouts::default();
    let seconds = |name: &str| env.get(name).and_then(|text| text.parse::<i64>().ok()).map(|s| s * 1000);
    let option = |key: &str| duration_ms(options.field(key), 1000).filter(|ms| *ms > 0);
    let total_ms = option("timeout").or_else(|| seconds("HARN_LLM_TIMEOUT")).unwrap_or(defaults.total_ms);
    let idle_ms =
        option("idle_timeout").or_else(|| seconds("HARN_LLM_IDLE_TIMEOUT")).unwrap_or(defaults.idle_ms);
    Timeouts {
        connect_ms: option("connect_timeout").unwrap_or(defaults.connect_ms).min(total_ms),
        // A model may think long before its first word: only the total limits that, unless the call says more.
        first_byte_ms: option("first_byte_timeout").unwrap_or(total_ms).min(total_ms),
        idle_ms: idle_ms.min(total_ms),
        total_ms,
    }
}

fn read_ollama(option: &Data, env: &Environment) -> OllamaSettings {
    let defaults = OllamaSettings::default();
    let names = ["HARN_OLLAMA_NUM_CTX", "OLLAMA_CONTEXT_LENGTH", "OLLAMA_NUM_CTX"];
    let from_env = || names.iter().find_map(|name| env.get(name)?.parse::<i64>().ok());
    let keep_alive = match option.field("keep_alive") {
        Data::Nil => env.get("HARN_OLLAMA_KEEP_ALIVE").or(env.get("OLLAMA_KEEP_ALIVE")).map(Data::from),
        given => Some(given.clone()),
    };
    let keep_alive = match keep_alive {
        None => defaults.keep_alive,
        Some(given) => match given.as_str() {
            Some("forever" | "infinite" | "-1") => Data::Int(-1),
            Some("default") => defaults.keep_alive,
            _ => given,
        },
    };
    OllamaSettings {
        num_ctx: option.field("num_ctx").as_int().or_else(from_env).unwrap_or(defaults.num_ctx),
        keep_alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan_in(env: &Environment, mock_active: bool, options: serde_json::Value) -> Result<Plan, String> {
        let catalog = Catalog::builtin();
        let cx = OptionCx { catalog: &catalog, env, mock_active };
        read("hello", None, &Data::from_json(&options), cx).map_err(|error| error.message)
    }

    fn refused(options: serde_json::Value) -> String {
        plan_in(&Environment::default(), true, options).unwrap_err()
    }

    #[test]
    fn wrong_options_say_what_is_expected() {
        insta::assert_snapshot!(refused(json!({"response_format": "xml"})), @r#"response_format: expected "json", "json_object", or "text", got "xml""#);
        insta::assert_snapshot!(refused(json!({"output_format": "json_schema"})), @r#"output_format: kind "json_schema" requires a `schema` field"#);
        insta::assert_snapshot!(refused(json!({"schema": 1})), @"json_schema: expected a JSON Schema object");
    }

    #[test]
    fn a_missing_key_names_its_variables() {
        let refused = |options| plan_in(&Environment::default(), false, options).unwrap_err();
        insta::assert_snapshot!(refused(json!({"provider": "openai"})), @"Missing API key: set OPENAI_API_KEY environment variable (provider `openai` selected, from the built-in configuration; HARN_LLM_PROVIDER=mock works offline)");
        assert!(
            refused(json!({"provider": "huggingface"})).starts_with(
                "Missing API key: set one of HF_TOKEN, HUGGINGFACE_API_KEY environment variables"
            )
        );
    }

    #[test]
    fn disabled_calls_are_refused_but_the_mock_works() {
        let env = Environment::default().with("HARN_LLM_CALLS_DISABLED", "yes").with_secret("OPENAI_API_KEY");
        insta::assert_snapshot!(plan_in(&env, false, json!({"provider": "openai"})).unwrap_err(), @"LLM calls are disabled by HARN_LLM_CALLS_DISABLED; provider `openai` would make a real LLM request");
        assert!(plan_in(&env, false, json!({"provider": "mock"})).is_ok());
    }

    #[test]
    fn the_key_is_not_sent_to_a_server_that_only_the_call_names() {
        let env = Environment::default().with_secret("OPENAI_API_KEY");
        let catalog = Catalog::builtin();
        let provider = &catalog.providers["openai"];
        let sends = |base: &str| {
            let plan = plan_in(&env, false, json!({"provider": "openai", "base_url": base})).unwrap();
            sends_key(&plan, provider, &env)
        };
        assert!(!sends("https://evil.test/v1"));
        assert!(!sends("http://127.0.0.1@evil.test/v1"));
        assert!(!sends("http://localhost.evil.test/v1"));
        assert!(sends("http://127.0.0.1:9999/v1"));
        assert!(sends("https://API.openai.com/v2"));
    }

    #[test]
    fn ignored_parameters_are_warned_about() {
        let env = Environment::default().with_secret("ANTHROPIC_API_KEY");
        let plan = plan_in(&env, false, json!({"provider": "anthropic", "seed": 1})).unwrap();
        assert_eq!(plan.warnings, [r#""seed" is not supported by provider "anthropic", ignoring"#]);
    }

    #[test]
    fn the_capability_gate_is_open_while_the_mock_is_active() {
        let options = json!({"provider": "mock", "model": "tiny-1", "thinking": true});
        insta::assert_snapshot!(plan_in(&Environment::default(), false, options.clone()).unwrap_err(), @"option `thinking` is not supported by `tiny-1` (provider `mock`). See `harn check --provider-matrix` for compatibility.");
        assert!(plan_in(&Environment::default(), true, options).is_ok());
    }

    #[test]
    fn a_thinking_budget_must_fit_into_the_reply() {
        let env = Environment::default().with_secret("ANTHROPIC_API_KEY");
        let options = json!({"provider": "anthropic", "model": "claude-sonnet-4-0", "max_tokens": 512, "thinking": {"budget_tokens": 1024}});
        insta::assert_snapshot!(plan_in(&env, false, options).unwrap_err(), @r#"thinking.budget_tokens (1024) must be less than max_tokens (512) on provider "anthropic""#);
    }
}
