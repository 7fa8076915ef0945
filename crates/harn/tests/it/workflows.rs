//! Workflows from outside (spec 09 section 7): retries, joins, failures, the mailbox.

use crate::place::Place;

fn printed(program: &str) -> String {
    let place = Place::new();
    place.file("main.harn", program);
    let done = place.command(&["run", "main.harn"]).env("HARN_LLM_PROVIDER", "mock").output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{err}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn a_failing_stage_is_tried_as_often_as_its_policy_says() {
    let out = printed(
        r#"let count = path_join(temp_dir(), uuid())
let run = workflow_execute("t", {entry: "v", nodes: {v: {
  kind: "verify", retry_policy: {max_attempts: 3}, verify: {command: "echo x >> ${count}; test $(wc -l < ${count}) -eq 2"},
}}}, [], {persist_path: "run.json"})
println("${run.run.stages[0].outcome} ${run.run.stages[0].attempts.map({ a -> a.status })}")
delete_file(count)
"#,
    );
    assert_eq!(out, "verified [failed, completed]\n");
}

#[test]
fn a_join_waits_for_every_branch() {
    let out = printed(
        r#"let run = workflow_execute("t", {entry: "f", nodes: {
  f: {kind: "fork"}, a: {kind: "escalation", escalation_policy: {reason: "a"}}, b: {kind: "escalation", escalation_policy: {reason: "b"}},
  j: {kind: "join"}, r: {kind: "reduce", input_contract: {input_kinds: ["plan"]}, reduce_policy: {separator: "+"}},
}, edges: [{from: "f", to: "a"}, {from: "f", to: "b"}, {from: "a", to: "j"}, {from: "b", to: "j"}, {from: "j", to: "r"}]}, [], {persist_path: "run.json"})
println("${run.status} ${run.run.completed_nodes} ${run.run.stages.last.visible_text}")
"#,
    );
    assert_eq!(out, "completed [f, a, b, j, r] a+b\n");
}

#[test]
fn a_join_that_can_never_be_satisfied_is_found_and_recorded() {
    let out = printed(
        r#"let graph = {entry: "c", nodes: {
  c: {kind: "condition"}, a: {kind: "escalation"}, b: {kind: "escalation"}, j: {kind: "join"},
}, edges: [{from: "c", to: "a", branch: "true"}, {from: "c", to: "b", branch: "false"}, {from: "a", to: "j"}, {from: "b", to: "j"}]}
println(unwrap_err(try { workflow_execute("t", graph, [], {persist_path: "run.json"}) }))
println(run_record_load("run.json").status)
"#,
    );
    assert_eq!(out, "workflow_execute: join j can never be satisfied\nfailed\n");
}

#[test]
fn a_stage_asks_the_model_with_task_and_artifacts() {
    let out = printed(
        r#"llm_mock({text: "the answer"})
let run = workflow_execute("Sum up", {nodes: {s: {prompt: "Be brief."}}}, [artifact({kind: "resource", text: "long text"})], {persist_path: "run.json"})
println("${run.run.stages[0].visible_text} ${run.artifacts.map({ a -> a.kind })}")
let asked = to_string(llm_mock_calls()[0].messages)
println("${asked.contains("Be brief.")} ${asked.contains("Sum up")} ${asked.contains("long text")}")
"#,
    );
    assert_eq!(out, "the answer [resource, artifact]\ntrue true true\n");
}

#[test]
fn a_node_works_under_its_capability_policy() {
    let out = printed(
        r#"let graph = {nodes: {v: {kind: "verify", verify: {command: "true"}, capability_policy: {side_effect_level: "read_only"}}}}
println(unwrap_err(try { workflow_execute("t", graph, [], {persist_path: "run.json"}) }))
"#,
    );
    assert_eq!(out, "Error [tool_rejected]: builtin 'workflow_execute' exceeds process.exec ceiling\n");
}

#[test]
fn an_update_waits_for_its_answer() {
    let out = printed(
        r#"let asker = spawn { workflow.update("w", "limit", {n: 1}) }
var message = nil
while message == nil {
  sleep(5ms)
  message = workflow.receive("w")
}
workflow.respond_update("w", message.request_id, message.payload.n + 1)
println("${message.kind} ${message.name} ${await(asker)}")
println(error_category(unwrap_err(try { workflow.update("w", "late", nil, {timeout_ms: 30}) })))
println("${workflow.continue_as_new("w").generation} ${workflow.status("w").response_count}")
"#,
    );
    assert_eq!(out, "update limit 2\ntimeout\n1 0\n");
}

#[test]
fn a_run_that_visits_a_node_twice_passes_its_own_fixture() {
    let out = printed(
        r#"let stage = { n, status -> {node_id: n, status: status, outcome: status, branch: nil, artifacts: []} }
let run = run_record({id: "r", stages: [stage("verify", "failed"), stage("repair", "completed"), stage("verify", "completed")]})
println(run_record_eval(run, run_record_fixture(run)))
println(run_record_eval(run).failures)
println(unwrap_err(try { run_record({format_version: 99}) }))
"#,
    );
    assert_eq!(
        out,
        "{failures: [], pass: true, stage_count: 3}\n[no fixture]\n\
         run_record: format version 99 is newer than this program understands (1)\n"
    );
}

#[test]
fn what_a_worker_cannot_honour_is_refused() {
    let out = printed(
        r#"let graph = {nodes: {s: {prompt: "p"}}}
for more in [{execution: {cwd: "/tmp"}}, {execution: {env: {A: "1"}}}, {permissions: {}}, {tools: ["t"]}] {
  println(unwrap_err(try { spawn_agent({task: "t", graph: graph} + more) }))
}
"#,
    );
    assert_eq!(
        out,
        "spawn_agent: execution.cwd is not supported\n\
         spawn_agent: execution.env is not supported\n\
         spawn_agent: `permissions` of a workflow worker is not supported: set it on its nodes, or limit all of them with `policy`\n\
         spawn_agent: `tools` of a workflow worker is not supported: set it on its nodes, or limit all of them with `policy`\n"
    );
}
