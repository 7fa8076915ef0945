//! Agents of the binary against a provider: a server that judges each request with the official SDKs' own types.

use crate::place::{Done, Place};
use crate::server::{base_url, key, seen};

/// An agent with a tool that the provider's scripted reply asks for in each of two turns.
const AGENT: &str = r#"
let tools = tool_registry()
  |> tool_define(_, "get_weather", "The weather of the next days", {
    parameters: {city: {type: "string"}, days: {type: "integer"}},
    handler: { args -> "sunny in ${args.city} for ${args.days} days" },
  })
  |> tool_define(_, "get_time", "The time of day", {parameters: {}, handler: { _args -> "noon" }})
let run = agent_loop("How is the weather?", "Be brief.", {
  tools: tools, tool_format: "native", max_iterations: 2, autonomy_budget: {per_hour: 5, key: "weather"},
})
println("${run.status} ${run.llm.iterations} ${run.tools.successful}")
"#;

fn run_against(scenario: &str, provider: &str, extra: &[(&str, &str)]) -> Done {
    let place = Place::new();
    place.file("agent.harn", AGENT);
    let name = provider.to_uppercase();
    let mut command = place.command(&["run", "agent.harn"]);
    command
        .env(format!("{name}_API_KEY"), key())
        .env(format!("{name}_BASE_URL"), base_url(scenario, provider))
        .env("HARN_LLM_PROVIDER", provider)
        .envs(extra.iter().copied());
    Done(command.output().unwrap())
}

#[test]
fn an_agent_calls_tools_of_anthropic_and_sends_their_results_back() {
    let done = run_against("tools-cli", "anthropic", &[]);
    assert_eq!(done.out().trim(), "budget_exhausted 2 [get_weather, get_time]", "{}", done.err());
    let requests = seen("tools-cli");
    assert_eq!(requests.as_array().unwrap().len(), 2);
    assert!(requests[1].to_string().contains("sunny in Zürich for 3 days"), "{requests}");
}

#[test]
fn an_agent_calls_tools_of_openai_and_sends_their_results_back() {
    let done = run_against("tools-cli2", "openai", &[]);
    assert_eq!(done.out().trim(), "budget_exhausted 2 [get_weather, get_time]", "{}", done.err());
    assert!(seen("tools-cli2")[1].to_string().contains("sunny in Zürich for 3 days"));
}

#[test]
fn a_key_never_shows_in_what_a_failing_run_prints() {
    let done = run_against("plain-cli", "anthropic", &[("ANTHROPIC_API_KEY", "sk-secret-of-mine")]);
    assert_eq!(done.code(), Some(1));
    assert!(done.err().contains("anthropic"), "{}", done.err());
    assert!(!format!("{}{}", done.out(), done.err()).contains("sk-secret-of-mine"));
}
