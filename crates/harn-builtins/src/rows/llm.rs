//! Model calls (spec 07 sections 1 and 2).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::{Ambient, Model};

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "llm_call",
        "fn(prompt: any, system?: any, options?: any) -> dict",
        "Asks a model and gives the result: text, tool calls, usage, transcript, and data when JSON was asked for.",
        "llm_mock({text: \"hello\"})\nllm_call(\"greet\", nil, {provider: \"mock\"}).text // hello",
    )
    .effect(Model),
    B::native(
        "llm_call_safe",
        "fn(prompt: any, system?: any, options?: any) -> dict",
        "Like `llm_call`, but never throws: `{ok, response, error}`.",
        "llm_mock({error: {category: \"auth\", message: \"no\"}})\nllm_call_safe(\"x\", nil, {provider: \"mock\"}).error.category // auth",
    )
    .effect(Model),
    B::native(
        "llm_call_structured",
        "fn(prompt: any, schema?: any, options?: any) -> any",
        "Asks for JSON of a schema and gives the validated data.",
        "llm_mock({text: \"{\\\"n\\\": 1}\"})\nllm_call_structured(\"n?\", {type: \"object\", required: [\"n\"]}, {provider: \"mock\"}).n // 1",
    )
    .effect(Model),
    B::native(
        "llm_call_structured_safe",
        "fn(prompt: any, schema?: any, options?: any) -> dict",
        "Like `llm_call_structured`, but never throws: `{ok, data, error}`.",
        "llm_mock({text: \"[1]\"})\nllm_call_structured_safe(\"x\", {type: \"list\"}, {provider: \"mock\"}).data // [1]",
    )
    .effect(Model),
    B::native(
        "llm_call_structured_result",
        "fn(prompt: any, schema?: any, options?: any) -> dict",
        "Like `llm_call_structured`, with a diagnostic envelope: attempts, raw text, repair, error category.",
        "llm_mock({text: \"no\"})\nllm_call_structured_result(\"x\", {type: \"list\"}, {provider: \"mock\", schema_retries: 0}).error_category // missing_json",
    )
    .effect(Model),
    B::native(
        "llm_completion",
        "fn(prefix: any, suffix?: any, system?: any, options?: any) -> dict",
        "Lets a model continue a text, or fill the gap before a suffix.",
        "llm_completion(\"abc\", nil, nil, {provider: \"mock\"}).text // Mock completion after 3 chars",
    )
    .effect(Model),
    B::prelude(
        "llm",
        "llm_stream",
        "fn(prompt: any, system?: any, options?: any) -> channel",
        "Asks a model and gives a channel of the pieces of its text, closed at the end.",
        "let ch = llm_stream(\"one two\", nil, {provider: \"mock\"})\nlet first = receive(ch)\n\"${first} ${receive(ch)} ${receive(ch)}\" // one two nil",
    )
    .effect(Model),
    B::prelude(
        "llm",
        "with_rate_limit",
        "fn(provider: any, body: any, options?: any) -> any",
        "Calls a function under a provider's rate limit, again after errors that may pass.",
        "with_rate_limit(\"mock\", { -> 1 }) // 1",
    )
    .effect(Ambient),
    B::native(
        "llm_rate_limit",
        "fn(provider?: any, options?: any) -> any",
        "The requests a minute that a provider allows, or with `{rpm: N}` sets them.",
        "llm_rate_limit(\"mock\", {rpm: 7})\nllm_rate_limit(\"mock\") // 7",
    )
    .effect(Ambient),
    B::native(
        "llm_mock",
        "fn(response?: any) -> nil",
        "Scripts a reply of the mock provider, which then answers for every provider.",
        "llm_mock({text: \"offline\"})\nllm_call(\"hi\", nil, {provider: \"openai\"}).provider // mock",
    )
    .effect(Ambient),
    B::native(
        "llm_mock_calls",
        "fn() -> list<dict>",
        "Every request that reached the mock provider since the last clear.",
        "llm_call(\"hi\", nil, {provider: \"mock\"})\nllm_mock_calls()[0].messages[0].content // hi",
    )
    .effect(Ambient),
    B::native(
        "llm_mock_clear",
        "fn() -> nil",
        "Empties the mock's script, its log and its scopes.",
        "llm_mock({text: \"x\"})\nllm_mock_clear()\nlen(llm_mock_calls()) // 0",
    )
    .effect(Ambient),
    B::native(
        "llm_mock_push_scope",
        "fn() -> nil",
        "Sets the mock's script and log aside and starts with empty ones.",
        "llm_mock_push_scope()\nlen(llm_mock_calls()) // 0",
    )
    .effect(Ambient),
    B::native(
        "llm_mock_pop_scope",
        "fn() -> nil",
        "Brings back what `llm_mock_push_scope` set aside.",
        "llm_mock_push_scope()\nllm_mock_pop_scope() // nil",
    )
    .effect(Ambient),
    B::native(
        "llm_cost",
        "fn(model: any, input_tokens?: any, output_tokens?: any) -> float",
        "What tokens of a model cost in USD; 0 for a model whose price is not known.",
        "llm_cost(\"gpt-4o\", 1000000, 0) // 2.5",
    )
    .effect(Ambient),
    B::native(
        "llm_session_cost",
        "fn() -> dict",
        "What the program has spent on models: `{total_cost, input_tokens, output_tokens, call_count}`.",
        "llm_session_cost().call_count // 0",
    )
    .effect(Ambient),
    B::native(
        "llm_budget",
        "fn(max?: any) -> nil",
        "Limits what the program may spend on models, in USD.",
        "llm_budget(0.5)\nllm_budget_remaining() // 0.5",
    )
    .effect(Ambient),
    B::native(
        "llm_budget_remaining",
        "fn() -> float | nil",
        "What is left of `llm_budget`, nil without one.",
        "llm_budget_remaining() // nil",
    )
    .effect(Ambient),
    B::native(
        "llm_usage",
        "fn() -> dict",
        "Tokens, calls and time spent on models.",
        "llm_usage().total_calls // 0",
    )
    .effect(Ambient),
    B::native(
        "llm_info",
        "fn() -> dict",
        "The provider and model of a call without options, and whether its key is set.",
        "type_of(llm_info().provider) // string",
    )
    .effect(Ambient),
    B::native(
        "llm_infer_provider",
        "fn(model: any) -> string",
        "The provider that a model selector implies.",
        "llm_infer_provider(\"claude-x\") // anthropic",
    )
    .effect(Ambient),
    B::native(
        "llm_model_tier",
        "fn(model: any) -> string",
        "The tier of a model: small, mid or frontier.",
        "llm_model_tier(\"claude-x\") // frontier",
    )
    .effect(Ambient),
    B::native(
        "llm_resolve_model",
        "fn(selector: any) -> dict",
        "A model selector as `{id, provider, alias, tool_format, tier}`.",
        "llm_resolve_model(\"mid\").id // gpt-4o-mini",
    )
    .effect(Ambient),
    B::native(
        "llm_model_info",
        "fn(selector: any) -> dict",
        "Like `llm_resolve_model`, with capabilities and catalog entry.",
        "llm_model_info(\"mid\").capabilities.native_tools // true",
    )
    .effect(Ambient),
    B::native(
        "llm_pick_model",
        "fn(target: any, options?: any) -> dict",
        "The model of a tier or selector, of a provider if one is wanted.",
        "llm_pick_model(\"mid\", {provider: \"openai\"}).id // gpt-4o-mini",
    )
    .effect(Ambient),
    B::native(
        "llm_providers",
        "fn() -> list<string>",
        "The names of all known providers.",
        "llm_providers().contains(\"anthropic\") // true",
    )
    .effect(Ambient),
    B::native(
        "llm_available_providers",
        "fn() -> list<string>",
        "The names of the providers that could be asked.",
        "llm_available_providers().contains(\"mock\") // true",
    )
    .effect(Ambient),
    B::native(
        "llm_known_models",
        "fn() -> list<string>",
        "The ids of all known models.",
        "llm_known_models().contains(\"gpt-4o-mini\") // true",
    )
    .effect(Ambient),
    B::native(
        "llm_config",
        "fn(provider?: any) -> any",
        "The configuration of a provider, nil when it is not known; without argument of all.",
        "llm_config(\"nobody\") // nil",
    )
    .effect(Ambient),
    B::native(
        "llm_provider_catalog",
        "fn() -> dict",
        "Everything known about providers, aliases, models and prices.",
        "llm_provider_catalog().aliases.mid.provider // openai",
    )
    .effect(Ambient),
    B::native(
        "llm_qc_default_model",
        "fn(provider?: any) -> string | nil",
        "The model for quality checks of a provider.",
        "llm_qc_default_model(\"nobody\") == nil || true // true",
    )
    .effect(Ambient),
    B::native(
        "provider_capabilities",
        "fn(provider: any, model: any) -> dict",
        "What a model can do at a provider.",
        "provider_capabilities(\"openai\", \"gpt-4o\").native_tools // true",
    )
    .effect(Ambient),
    B::primitive(
        "__llm_stream_open",
        "fn(prompt: any, system: any, options: any) -> int",
        "Reads a call that will be streamed; the number of its stream.",
    )
    .effect(Model),
];
