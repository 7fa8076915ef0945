//! Budgets of tokens, money, tool calls and decisions under way, from the command line.

use crate::place::Place;
use harn_eventlog::{Json, Read, Stored};
use harn_host::store::SqliteStore;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// An agent that calls a tool four times and is done; each of its five model calls takes 120 tokens.
const AGENT: &str = r#"
tool note(text: string) -> string {
  description "Write a note."
  return "noted ${text}"
}

pipeline main(task) {
  let usage = {model: "gpt-4o-mini", input_tokens: 100, output_tokens: 20}
  for i in range(4) { llm_mock(usage.merge({text: "<tool_call>\nnote({ text: 'x${i}' })\n</tool_call>"})) }
  llm_mock(usage.merge({text: "<done>##DONE##</done>"}))
  let r = agent_loop("Handle", nil, {
    provider: "mock", model: MODEL, max_tokens: 500, tools: note, persistent: true, session_id: "support/triage",
    autonomy_budget: BUDGET,
  })
  println("${r.status} ${r.stop_reason} ${r.reason} calls=${len(r.tools.calls)} rejected=${len(r.tools.rejected)}")
}
"#;

fn agent(budget: &str) -> String {
    AGENT.replace("BUDGET", budget).replace("MODEL", "\"gpt-4o-mini\"")
}

fn events(place: &Place, topic: &str) -> Vec<Stored> {
    let mut log = SqliteStore::new(place.dir.path().join(".harn/events.sqlite"));
    log.read_range(topic, None, usize::MAX).unwrap()
}

fn status(place: &Place, key: &str) -> Json {
    let done = place.harn(&["autonomy", "status", "--json"]);
    let shown = Json::parse(done.out().trim()).unwrap();
    let rows = shown.field("keys").as_array().unwrap().to_vec();
    rows.into_iter().find(|row| row.text("key") == key).unwrap()
}

#[test]
fn a_model_call_that_could_exceed_the_tokens_ends_the_loop() {
    let place = Place::new();
    // The third call could take what is left and more.
    let done = place.run(&agent("{tokens: {per_day: 1000}}"));
    assert_eq!(done.out(), "budget_exhausted autonomy_budget nil calls=2 rejected=0\n");
    let spent = status(&place, "support/triage");
    assert_eq!(spent.field("spent_day").field("tokens").as_int(), Some(240), "settled with the actual");
    let refusal = events(&place, "triggers.lifecycle");
    assert_eq!(refusal.len(), 1);
    assert_eq!(refusal[0].event.payload.text("reason"), "daily_tokens_budget_exceeded");
    // The next start has the rest.
    assert!(place.run(&agent("{tokens: {per_day: 1000}}")).out().starts_with("budget_exhausted"));
}

#[test]
fn a_model_without_a_known_price_is_not_asked_under_a_budget_of_money() {
    let place = Place::new();
    let program = AGENT.replace("MODEL", "\"nobody-knows\"").replace("BUDGET", "{cost_usd: {per_day: 5}}");
    assert_eq!(place.run(&program).out(), "budget_exhausted autonomy_budget nil calls=0 rejected=0\n");
    assert_eq!(events(&place, "autonomy.spending").len(), 1, "only the end of the decision");
    let capped = program.replace("{per_day: 5}", "{per_day: 5}, tokens: {per_day: 100000}");
    assert!(place.run(&capped).out().starts_with("done "));
}

#[test]
fn a_tool_call_beyond_the_budget_is_refused_and_the_next_start_asks() {
    let place = Place::new();
    place.file(
        "harn.toml",
        "[[autonomy.budgets]]\nkey = \"support\"\ntool_calls = {per_day = 3}\ncost_usd = {per_day = 1}\n",
    );
    let program = agent("nil");
    assert_eq!(place.run(&program).out(), "done sentinel nil calls=3 rejected=1\n");
    let done = place.run(&program).out();
    assert_eq!(done, "approval_required nil daily_tool_calls_budget_exceeded calls=0 rejected=0\n");
    assert_eq!(status(&place, "support").field("spent_day").field("cost_usd").as_f64(), Some(0.000_135));
    let shown = place.harn(&["autonomy", "status"]).out();
    assert!(shown.contains("tool_calls 3 of 3 this day"), "{shown}");
}

#[test]
fn a_nested_loop_spends_of_the_loop_around_it() {
    let place = Place::new();
    let program = r#"
tool ask(q: string) -> string {
  description "Ask another agent."
  llm_mock({text: "fine", input_tokens: 200, output_tokens: 0})
  return agent_loop(q, nil, {provider: "mock", max_tokens: 100}).status
}

pipeline main(task) {
  llm_mock({text: "<tool_call>\nask({ q: 'x' })\n</tool_call>", input_tokens: 10, output_tokens: 0})
  let r = agent_loop("Handle", nil, {
    provider: "mock", max_tokens: 100, tools: ask, persistent: true, max_iterations: 1,
    autonomy_budget: {tokens: {per_day: 9000}, key: "outer"},
  })
}
"#;
    place.run(program);
    assert_eq!(status(&place, "outer").field("spent_day").field("tokens").as_int(), Some(210));
}

/// Starts an agent that is under way until it is killed; returns when it is.
fn under_way(place: &Place) -> std::process::Child {
    let mut child = place.command(&["run", "--quiet", "hold.harn"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "under way\n");
    child
}

#[test]
fn no_more_decisions_are_under_way_than_allowed_and_the_dead_make_room() {
    let place = Place::new();
    place.file("harn.toml", "[[autonomy.budgets]]\nkey = \"desk\"\nmax_concurrent = 2\n");
    place.file(
        "hold.harn",
        r#"
tool hold() -> string {
  description "Hold."
  eprintln("under way")
  sleep(60s)
  return "ok"
}
pipeline main(task) {
  llm_mock({text: "<tool_call>\nhold({})\n</tool_call>"})
  agent_loop("t", nil, {provider: "mock", tools: hold, persistent: true, session_id: "desk/a"})
}
"#,
    );
    let quick = r#"
pipeline main(task) {
  llm_mock({text: "<done>##DONE##</done>"})
  let r = agent_loop("t", nil, {provider: "mock", session_id: "desk/b"})
  println("${r.status} ${r.reason}")
}
"#;
    let run = || place.run(quick).out();
    assert_eq!(run(), "done nil\n");
    let mut one = under_way(&place);
    assert_eq!(run(), "done nil\n");
    let mut two = under_way(&place);
    assert_eq!(run(), "approval_required concurrent_autonomy_budget_exceeded\n");
    one.kill().unwrap();
    one.wait().unwrap();
    assert_eq!(run(), "done nil\n");
    two.kill().unwrap();
    two.wait().unwrap();
    assert_eq!(run(), "done nil\n");
    let freed = events(&place, "autonomy.spending");
    assert_eq!(freed.iter().filter(|s| s.event.kind == "autonomy.slot_freed").count(), 2);
}
