//! What is asked of a model, before any provider's wire format.

use harn_effect::Data;

use crate::thinking::Thinking;
use crate::tools::ToolSpec;

/// The form the answer must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OutputFormat {
    /// Free text.
    #[default]
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON of a schema.
    JsonSchema {
        /// The schema as written; JSON Schema or the language's own names.
        schema: Data,
        /// Whether the provider should enforce it.
        strict: bool,
    },
}

impl OutputFormat {
    /// `text`, `json_object` or `json_schema`.
    pub fn name(&self) -> &'static str {
        match self {
            OutputFormat::Text => "text",
            OutputFormat::JsonObject => "json_object",
            OutputFormat::JsonSchema { .. } => "json_schema",
        }
    }
}

/// Sampling parameters; what is not given is left to the provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// `temperature`.
    pub temperature: Option<f64>,
    /// `top_p`.
    pub top_p: Option<f64>,
    /// `top_k`.
    pub top_k: Option<i64>,
    /// `frequency_penalty`.
    pub frequency_penalty: Option<f64>,
    /// `presence_penalty`.
    pub presence_penalty: Option<f64>,
    /// `seed`.
    pub seed: Option<i64>,
    /// `stop`.
    pub stop: Vec<String>,
}

/// One request to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelRequest {
    /// The chosen provider.
    pub provider: String,
    /// The chosen model.
    pub model: String,
    /// The system text.
    pub system: Option<String>,
    /// The visible messages: dicts with `role` and `content`.
    pub messages: Vec<Data>,
    /// Most tokens of the reply.
    pub max_tokens: i64,
    /// Sampling.
    pub sampling: Sampling,
    /// The form of the answer.
    pub output: OutputFormat,
    /// How much to think.
    pub thinking: Thinking,
    /// Names for the `anthropic-beta` header.
    pub beta_features: Vec<String>,
    /// Native tools.
    pub tools: Vec<ToolSpec>,
    /// `tool_choice`, passed as it is.
    pub tool_choice: Data,
    /// Whether the prompt should be cached.
    pub cache: bool,
    /// Whether the reply should be streamed.
    pub stream: bool,
    /// Text put into the assistant's mouth.
    pub prefill: Option<String>,
    /// The provider-named option: merged into the body last.
    pub overrides: Data,
    /// Ollama's `num_ctx` and `keep_alive`.
    pub ollama: OllamaSettings,
}

/// Settings of Ollama that the environment may preset (spec 07 section 15.4).
#[derive(Clone, Debug, PartialEq)]
pub struct OllamaSettings {
    /// Context window.
    pub num_ctx: i64,
    /// How long the model stays loaded.
    pub keep_alive: Data,
}

impl Default for OllamaSettings {
    fn default() -> Self {
        OllamaSettings { num_ctx: 32_768, keep_alive: "30m".into() }
    }
}
