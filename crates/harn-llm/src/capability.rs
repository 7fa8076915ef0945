//! What a model can do (spec 07 section 17), and the gate that refuses options it cannot honour.

use harn_effect::Data;

/// How a provider is made to answer in a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structured {
    /// `response_format` with a JSON schema.
    Native,
    /// A forced call of a tool with that schema.
    ToolUse,
    /// The `format` keyword.
    FormatKeyword,
}

/// The capabilities of one model at one provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capability {
    /// Takes tool schemas.
    pub native_tools: bool,
    /// Takes tools whose schema is loaded on demand.
    pub defer_loading: bool,
    /// Variants of tool search.
    pub tool_search: &'static [&'static str],
    /// Most tools of one request.
    pub max_tools: Option<i64>,
    /// Caches prompts on request.
    pub prompt_caching: bool,
    /// Sees images.
    pub vision: bool,
    /// Hears audio.
    pub audio: bool,
    /// Reads PDF.
    pub pdf: bool,
    /// Answers in a schema.
    pub structured: Option<Structured>,
    /// `enabled`, `adaptive`, `effort`.
    pub thinking_modes: &'static [&'static str],
    /// Thinks between tool calls.
    pub interleaved_thinking: bool,
    /// Keeps its reasoning in the history.
    pub preserve_thinking: bool,
    /// Wants `max_completion_tokens` instead of `max_tokens`.
    pub requires_completion_tokens: bool,
    /// Takes `reasoning_effort`.
    pub reasoning_effort: bool,
    /// Takes no sampling parameters.
    pub no_sampling: bool,
    /// Takes no prefilled assistant message.
    pub no_prefill: bool,
}

const NOTHING: Capability = Capability {
    native_tools: false,
    defer_loading: false,
    tool_search: &[],
    max_tools: None,
    prompt_caching: false,
    vision: false,
    audio: false,
    pdf: false,
    structured: None,
    thinking_modes: &[],
    interleaved_thinking: false,
    preserve_thinking: false,
    requires_completion_tokens: false,
    reasoning_effort: false,
    no_sampling: false,
    no_prefill: false,
};

const OLD_CLAUDE: Capability = Capability {
    native_tools: true,
    prompt_caching: true,
    vision: true,
    structured: Some(Structured::ToolUse),
    thinking_modes: &["enabled"],
    ..NOTHING
};

const CLAUDE_4: Capability = Capability {
    defer_loading: true,
    tool_search: &["bm25", "regex"],
    max_tools: Some(10_000),
    pdf: true,
    preserve_thinking: true,
    ..OLD_CLAUDE
};

const GPT: Capability = Capability { native_tools: true, structured: Some(Structured::Native), ..NOTHING };

/// Servers that speak OpenAI's format and serve models of many makers: requests are passed on and the server decides.
const OPENAI_LIKE: Capability = Capability { vision: true, ..GPT };

const OLLAMA: Capability = Capability {
    native_tools: true,
    vision: true,
    structured: Some(Structured::FormatKeyword),
    thinking_modes: &["enabled"],
    ..NOTHING
};

/// Providers whose models are looked up among OpenAI's first.
const OPENAI_FAMILY: &[&str] = &[
    "openrouter",
    "together",
    "groq",
    "deepseek",
    "fireworks",
    "huggingface",
    "dashscope",
    "local",
    "vllm",
    "tgi",
    "mlx",
];

/// The capabilities of a model; everything is false when no rule matches.
pub fn lookup(provider: &str, model: &str) -> Capability {
    let id = model.to_lowercase();
    match provider {
        "anthropic" => claude(&id),
        "openai" => gpt(&id),
        "mock" => claude(&id).or_else(|| gpt(&id)),
        "ollama" => Some(OLLAMA),
        other if OPENAI_FAMILY.contains(&other) => {
            let name = id.rsplit('/').next().unwrap_or(&id);
            gpt(name).or(Some(OPENAI_LIKE))
        }
        _ => None,
    }
    .unwrap_or(NOTHING)
}

fn claude(id: &str) -> Option<Capability> {
    if !id.starts_with("claude") {
        return None;
    }
    let opus = version(id, "opus");
    let version = [opus, version(id, "sonnet"), version(id, "haiku").filter(|v| *v >= (4, 5))];
    let Some(version) = version.into_iter().flatten().find(|v| *v >= (4, 0)) else {
        return Some(OLD_CLAUDE);
    };
    let newest = version >= (4, 7);
    Some(Capability {
        thinking_modes: if newest { &["adaptive"] } else { &["enabled"] },
        interleaved_thinking: opus.is_some_and(|v| v >= (4, 6)),
        no_sampling: newest,
        no_prefill: version >= (4, 6),
        ..CLAUDE_4
    })
}

fn gpt(id: &str) -> Option<Capability> {
    if ["o1", "o3", "o4"].iter().any(|family| id.starts_with(family)) {
        return Some(Capability {
            thinking_modes: &["effort"],
            requires_completion_tokens: true,
            reasoning_effort: true,
            ..GPT
        });
    }
    if !id.starts_with("gpt-") {
        return None;
    }
    if id.starts_with("gpt-4o") {
        return Some(Capability { vision: true, audio: true, ..GPT });
    }
    if id.starts_with("gpt-4.1") {
        return Some(Capability { vision: true, ..GPT });
    }
    let version = version(id, "gpt").unwrap_or((0, 0));
    let reasons = version >= (5, 0);
    let searches = version >= (5, 4);
    Some(Capability {
        defer_loading: searches,
        tool_search: if searches { &["hosted", "client"] } else { &[] },
        vision: reasons,
        thinking_modes: if reasons { &["effort"] } else { &[] },
        requires_completion_tokens: reasons,
        reasoning_effort: reasons,
        ..GPT
    })
}

/// `family-MAJOR[-.]MINOR` in a model id; a date after the major counts as minor 0.
fn version(id: &str, family: &str) -> Option<(u32, u32)> {
    let after = id.split_once(&format!("{family}-"))?.1;
    let mut numbers = after.split(['-', '.']);
    let mut number = || numbers.next().filter(|text| text.len() <= 2)?.parse().ok();
    let major = number()?;
    let minor = number();
    Some((major, minor.unwrap_or(0)))
}

impl Capability {
    /// The dict of `provider_capabilities`.
    pub fn to_data(&self, provider: &str, model: &str) -> Data {
        let list = |names: &[&str]| Data::List(names.iter().map(|name| Data::from(*name)).collect());
        Data::dict([
            ("provider", Data::from(provider)),
            ("model", model.into()),
            ("native_tools", self.native_tools.into()),
            ("defer_loading", self.defer_loading.into()),
            ("tool_search", list(self.tool_search)),
            ("max_tools", self.max_tools.into()),
            ("prompt_caching", self.prompt_caching.into()),
            ("thinking", (!self.thinking_modes.is_empty()).into()),
            ("thinking_modes", list(self.thinking_modes)),
            ("interleaved_thinking_supported", self.interleaved_thinking.into()),
            ("anthropic_beta_features", list(&[])),
            ("vision_supported", self.vision.into()),
            ("audio", self.audio.into()),
            ("pdf", self.pdf.into()),
            ("preserve_thinking", self.preserve_thinking.into()),
            ("requires_completion_tokens", self.requires_completion_tokens.into()),
            ("reasoning_effort_supported", self.reasoning_effort.into()),
        ])
    }

    /// Refuses an option the model does not support (spec 07 section 1.4).
    pub fn require(&self, option: &str, supported: bool, provider: &str, model: &str) -> Result<(), String> {
        if supported {
            return Ok(());
        }
        Err(format!(
            "option `{option}` is not supported by `{model}` (provider `{provider}`). See `harn check \
             --provider-matrix` for compatibility."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claude_versions_read_dashes_dots_and_dates() {
        assert_eq!(version("claude-sonnet-4-20250514", "sonnet"), Some((4, 0)));
        assert_eq!(version("claude-opus-4-7", "opus"), Some((4, 7)));
        assert_eq!(version("claude-sonnet-4.6", "sonnet"), Some((4, 6)));
        assert_eq!(version("gpt-5.4", "gpt"), Some((5, 4)));
    }

    #[test]
    fn newest_claude_thinks_adaptively() {
        assert_eq!(lookup("anthropic", "claude-opus-4-7").thinking_modes, ["adaptive"]);
        assert_eq!(lookup("anthropic", "claude-haiku-4-5").thinking_modes, ["enabled"]);
        assert_eq!(lookup("anthropic", "claude-3-5-haiku-20241022"), OLD_CLAUDE);
    }

    #[test]
    fn an_unknown_pair_supports_nothing() {
        assert_eq!(lookup("nobody", "m"), NOTHING);
        assert_eq!(lookup("mock", "tiny-1"), NOTHING);
    }

    #[test]
    fn routers_look_up_the_model_behind_the_vendor() {
        assert_eq!(lookup("openrouter", "openai/gpt-5.4").tool_search, ["hosted", "client"]);
    }
}
