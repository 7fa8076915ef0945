//! What an agent loop is offered, refused and told; state between runs; commands and MCP servers.

use crate::place::Place;

/// Runs the statements of a pipeline and gives its lines.
fn lines(body: &str) -> Vec<String> {
    let place = Place::new();
    let done = place.run(&format!(
        "fn tools() {{\n  return tool_define(tool_registry(), \"look\", \"Look\", {{parameters: {{}}, handler: {{ _a -> return \"seen\" }}}})\n}}\npipeline main(task) {{\n{body}\n}}\n"
    ));
    assert_eq!(done.code(), Some(0), "{}{}", done.out(), done.err());
    done.out().lines().map(str::to_owned).collect()
}

#[test]
fn a_context_callback_changes_what_is_sent_and_not_what_is_kept() {
    let got = lines(
        r#"  llm_mock({text: "fine"})
  let r = agent_loop("the plan", "Base", {provider: "mock", context_callback: { c ->
    return {messages: [{role: "user", content: "${c.iteration} redacted"}], system: "Other"}
  }})
  println("${llm_mock_calls()[0].messages[0].content} ${llm_mock_calls()[0].system}")
  println(r.transcript.messages[0].content)"#,
    );
    assert_eq!(got, ["0 redacted Other", "the plan"]);
}

#[test]
fn options_that_cannot_be_honoured_are_refused_before_the_model_is_asked() {
    let got = lines(
        r#"  for o in [{persist_path: "x"}, {skills: skill_registry(), skill_match: {strategy: "embedding"}}, {mcp_servers: [{name: "a", command: "no-such-program"}]}, {tools: tools(), tool_search: {mode: "native"}}] {
    println(is_err(try { agent_loop("x", nil, o.merge({provider: "mock"})) }))
  }
  println(len(llm_mock_calls()))"#,
    );
    assert_eq!(got, ["true", "true", "true", "true", "0"]);
}

#[test]
fn a_tool_outside_the_active_skills_is_refused_and_not_run() {
    let got = lines(
        r###"  let s = skill_define(skill_registry(), "bread", {short: "Bake", prompt: "Slowly.", allowed_tools: []})
  llm_mock({tool_calls: [{name: "load_skill", arguments: {name: "bread"}}]})
  llm_mock({tool_calls: [{name: "look", arguments: {}}]})
  llm_mock({text: "##DONE##"})
  let r = agent_loop("go", nil, {provider: "mock", tool_format: "native", tools: tools(), skills: s, persistent: true})
  println("${r.tools.successful} ${r.tools.rejected}")"###,
    );
    assert_eq!(got, ["[load_skill] [look]"]);
}

#[test]
fn a_daemon_that_nothing_wakes_ends_by_its_watchdog() {
    let got = lines(
        r#"  llm_mock({text: "watching"})
  let f = temp_file()
  let d = agent_loop("watch", nil, {provider: "mock", daemon: true, watch_paths: f, idle_watchdog_attempts: 1})
  println("${d.status} ${d.llm.iterations}")"#,
    );
    assert_eq!(got, ["watchdog 1"]);
}

#[test]
fn a_closed_worker_is_cancelled_and_can_be_waited_for() {
    let got = lines(
        r#"  llm_mock({text: "<tool_call>\nnap({})\n</tool_call>"})
  let t = tool_define(tool_registry(), "nap", "n", {parameters: {}, handler: { _a -> sleep_ms(600000) }})
  let h = sub_agent_run("sleep", {provider: "mock", tools: t, background: true})
  sleep_ms(50)
  close_agent(h)
  let w = wait_agent(h)
  println("${w.status} ${w.error}")"#,
    );
    assert_eq!(got, ["cancelled worker cancelled"]);
}

#[test]
fn a_command_policy_of_a_loop_binds_what_its_tools_run() {
    let got = lines(
        r#"  llm_mock({tool_calls: [{name: "run_it", arguments: {}}]})
  let t = tool_define(tool_registry(), "run_it", "r", {parameters: {}, handler: { _a -> return exec("touch", "made").error }})
  let r = agent_loop("go", nil, {provider: "mock", tool_format: "native", tools: t, max_iterations: 1, command_policy: {deny_patterns: ["touch*"]}})
  println(transcript_events_by_kind(r.transcript, "tool_execution")[0].text)
  println("${file_exists("made")} ${exec("touch", "made").success}")"#,
    );
    assert_eq!(got, ["permission_denied", "false true"]);
}

#[test]
fn a_store_that_cannot_be_read_is_set_aside() {
    let place = Place::new();
    std::fs::create_dir(place.dir.path().join(".harn")).unwrap();
    place.file(".harn/store.json", "{ torn");
    let done = place.run("pipeline main(task) {\n  store_set(\"k\", 1)\n  println(store_get(\"k\"))\n}\n");
    assert_eq!(done.out(), "1\n", "{}", done.err());
    let kept = std::fs::read_dir(place.dir.path().join(".harn")).unwrap();
    assert!(kept.filter_map(Result::ok).any(|e| e.file_name().to_string_lossy().contains("corrupt-")));
}

#[test]
fn changes_of_the_store_by_several_processes_and_tasks_are_all_kept() {
    let place = Place::new();
    place.file(
        "main.harn",
        r#"
pipeline main(task) {
  let me = uuid()
  parallel each [1, 2, 3] { t ->
    for i in range(8) {
      store_set("${me}-${t}-${i}", i)
      checkpoint("${me}-${t}-${i}", i)
      checkpoint_delete("${me}-${t}-${i - 1}")
    }
  }
}
"#,
    );
    let runs: Vec<_> = (0..4).map(|_| place.command(&["run", "main.harn"]).spawn().unwrap()).collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    place.file(
        "main.harn",
        "pipeline main(task) { println(\"${len(store_list())} ${len(checkpoint_list())}\") }",
    );
    assert_eq!(place.harn(&["run", "main.harn"]).out(), "96 12\n");
}

#[test]
fn an_mcp_server_that_ends_is_an_error_and_not_a_hang() {
    let got = lines(
        r#"  println(try { mcp_connect("true") })
  println(try { mcp_connect("no-such-program") })"#,
    );
    assert_eq!(got[0], "Result.Err(MCP: server closed connection)");
    assert!(got[1].starts_with("Result.Err(MCP: failed to start 'no-such-program'"), "{}", got[1]);
}

#[test]
fn retries_without_end_hear_a_deadline() {
    let done = Place::new().run(
        r#"llm_mock({text: "never json", match: "*"})
let schema = {type: "object", required: ["ok"], properties: {ok: {type: "boolean"}}}
let late = try {
  deadline 50ms { llm_call_structured("p", schema, {provider: "mock", retries: 9223372036854775807}) }
}
println(is_err(late))
"#,
    );
    assert_eq!((done.out().as_str(), done.err().as_str()), ("true\n", ""));
}
