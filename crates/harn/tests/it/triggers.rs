//! Triggers from outside (spec 08 section 6): tiers, approvals, budgets, suspension, flow control.

use crate::place::Place;

/// Runs a program under the mock model (so that answers of host mocks count) and gives what it printed.
fn printed(program: &str) -> String {
    let place = Place::new();
    place.file("main.harn", program);
    let done = place.command(&["run", "main.harn"]).env("HARN_LLM_PROVIDER", "mock").output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{err}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

const FIRE: &str = r#"import { mock_host_response, clear_host_mocks } from "std/testing"
fn fire(id, handler, more = {}) {
  let t = trigger_register({id: id, kind: "k", provider: "webhook", handler: handler, retry: {max: 1}} + more)
  return trigger_fire(t, {provider: "webhook", kind: "k"})
}
"#;

#[test]
fn an_approval_raises_the_ceiling_to_what_it_named_and_no_further() {
    let out = printed(&format!(
        r#"{FIRE}fn write(event) {{
  let path = path_join(temp_dir(), uuid() + ".txt")
  let before = try {{ write_file(path, "x") }}
  request_approval("write", {{capabilities_requested: ["workspace.write_text"], reviewers: ["ann"]}})
  write_file(path, "x")
  return [before, try {{ exec("true") }}].map({{ r -> unwrap_err(r) }})
}}
mock_host_response("hitl", "approval", {{approved: true, reviewer: "ann"}})
let done = fire("t", write, {{tier: "act_with_approval"}})
println(done.status)
for refused in done.result {{ println(refused) }}
"#
    ));
    assert_eq!(
        out,
        "dispatched\nError [tool_rejected]: builtin 'write_file' exceeds workspace write ceiling\n\
         Error [tool_rejected]: builtin 'exec' exceeds process.exec ceiling\n"
    );
}

#[test]
fn a_replay_returns_what_dual_control_returned_without_running_it_again() {
    let out = printed(&format!(
        r#"{FIRE}let ran = atomic(0)
mock_host_response("hitl", "dual_control", {{approved: true, reviewer: "ann"}})
let first = fire("t", {{ event -> dual_control(1, 1, {{ -> atomic_add(ran, 1) + 100 }}) }})
let again = trigger_replay(first.event_id)
println("${{first.result}} ${{again.result}} ${{atomic_get(ran)}}")
"#
    ));
    assert_eq!(out, "100 100 1\n");
}

#[test]
fn no_handler_of_errors_sees_a_suspension() {
    let out = printed(&format!(
        r#"{FIRE}fn swallow(event) {{
  try {{ return request_approval("never") }} catch (e) {{ return "swallowed" }}
}}
let done = fire("t", swallow)
println("${{done.status}} ${{done.result.waiting}} ${{len(hitl_pending({{agent: "t"}}))}}")
"#
    ));
    assert_eq!(out, "waiting true 1\n");
}

#[test]
fn a_denial_ends_a_dispatch_without_another_attempt() {
    let out = printed(&format!(
        r#"{FIRE}mock_host_response("hitl", "approval", {{approved: false, reviewer: "ann", reason: "no"}})
let done = fire("t", {{ event -> request_approval("x") }}, {{retry: {{max: 5, backoff: "immediate"}}}})
println("${{done.status}} ${{done.error}} ${{trust_query({{agent: "t"}}).map({{ r -> r.outcome }})}}")
"#
    ));
    assert_eq!(out, "failed no [denied]\n");
}

#[test]
fn a_handler_cannot_promote_itself() {
    let out = printed(&format!(
        r#"{FIRE}let done = fire("t", {{ event -> trust_record("t", "trust.promote", "me", "success", "act_auto") }})
println(done.error)
"#
    ));
    assert_eq!(out, "Runtime error: trust_record: action 'trust.promote' requires an operator\n");
}

#[test]
fn a_suggesting_handler_may_look_but_not_append() {
    let out = printed(&format!(
        r#"{FIRE}println(fire("look", {{ event -> event_log.latest("mine") }}, {{tier: "suggest"}}).status)
println(fire("emit", {{ event -> event_log.emit("mine", "k") }}, {{tier: "suggest"}}).status)
println(event_log.latest("mine"))
"#
    ));
    assert_eq!(out, "dispatched\nfailed\nnil\n");
}

#[test]
fn an_approved_budget_lets_the_waiting_event_through_once() {
    let out = printed(&format!(
        r#"{FIRE}let ran = atomic(0)
let t = trigger_register({{id: "t", kind: "k", provider: "webhook", handler: {{ event -> {{tier: handler_context().autonomy_tier, n: atomic_add(ran, 1)}} }}, budget: {{max_autonomous_decisions_per_hour: 1}}}})
let event = {{provider: "webhook", kind: "k"}}
trigger_fire(t, event)
mock_host_response("hitl", "approval", {{approved: true, reviewer: "operator"}})
println(trigger_fire(t, event).status)
trigger_list()
println(atomic_get(ran))
println(trust_query({{agent: "t"}}).map({{ r -> "${{r.action}}/${{r.outcome}}/${{r.autonomy_tier}}" }}))
"#
    ));
    assert_eq!(
        out,
        "waiting\n2\n[webhook.k/success/act_auto, autonomy.tier_transition/denied/act_with_approval, \
         webhook.k/denied/act_auto, webhook.k/success/act_with_approval]\n"
    );
}

#[test]
fn handlers_side_by_side_see_their_own_dispatch() {
    let out = printed(&format!(
        r#"{FIRE}let who = {{ event -> {{
  a: handler_context().agent, b: (parallel each [1, 2] {{ i -> handler_context().agent }}).unique(),
}} }}
println(parallel each ["x", "y", "z"] {{ id -> fire(id, who).result }})
println(handler_context())
"#
    ));
    assert_eq!(out, "[{a: x, b: [x]}, {a: y, b: [y]}, {a: z, b: [z]}]\nnil\n");
}

#[test]
fn the_gates_of_flow_control_hold_between_fires() {
    let out = printed(&format!(
        r#"{FIRE}fn twice(config) {{
  let t = trigger_register({{kind: "k", provider: "webhook", handler: {{ event -> len(event.batch ?? []) }}}} + config)
  return parallel each [1, 2] {{ i -> trigger_fire(t, {{provider: "webhook", kind: "k"}}).result }}
}}
println(twice({{rate_limit: {{period: "1h", max: 1}}}}))
println(twice({{batch: {{size: 2, timeout: "9s"}}}}))
println(unwrap_err(try {{ twice({{batch: {{size: 2, timeout: "1s"}}, singleton: {{}}}}) }}))
println(unwrap_err(try {{ twice({{throttle: {{period: "soon", max: 1}}}}) }}))
"#
    ));
    let batch = "trigger_register: batch cannot currently be combined with debounce, singleton, concurrency, priority, throttle, or rate_limit";
    let period = "trigger_register: throttle: invalid duration 'soon': expected a positive <int><s|m|h|d|w>";
    assert_eq!(
        out,
        format!(
            "[0, {{flow_control: rate_limited, skipped: true}}]\n[2, {{flow_control: batch_merged, skipped: true}}]\n\
             Runtime error: {batch}\nRuntime error: {period}\n"
        )
    );
}

#[test]
fn a_recorded_event_is_replayed_by_a_later_run() {
    let place = Place::new();
    let register = r#"let t = trigger_register({id: "t", kind: "k", provider: "webhook", retry: {max: 1}, handler: { event -> HANDLER }})
"#;
    let failing = register.replace("HANDLER", "throw \"down\"");
    place.file(
        "first.harn",
        format!(
            "{failing}println(trigger_fire(t, {{provider: \"webhook\", kind: \"k\", id: \"e1\"}}).status)\n"
        ),
    );
    let fixed = register.replace("HANDLER", "event.id");
    place.file(
        "second.harn",
        format!("{fixed}println(trigger_replay(\"e1\").result)\nprintln(len(trigger_inspect_dlq()))\n"),
    );
    assert_eq!(place.harn(&["run", "first.harn"]).out(), "dlq\n");
    assert_eq!(place.harn(&["run", "second.harn"]).out(), "e1\n0\n");
}
