//! Supervisors: restart rules, strategies, stopping (spec 04 section 4.16).

use harn_sim::run;

fn prints(text: &str, wanted: &str) {
    let ran = run(text);
    assert_eq!(ran.out(), wanted, "ended with {}", ran.ending);
}

#[test]
fn one_for_all_restarts_the_siblings_of_a_failed_child_until_the_cap() {
    prints(
        "let s = supervisor_start({strategy: \"one_for_all\", restart: {max_restarts: 1, backoff_ms: 5}, children: [\n{name: \"a\", task: { _c -> sleep(3s) }},\n{name: \"b\", task: { c -> sleep(5ms)\nthrow \"no ${c.attempt}\" }}]})\nsleep(100ms)\nfor c in supervisor_state(s).children { println(\"${c.name} ${c.status} ${c.restart_count} ${c.current_wait_reason} ${c.last_error}\") }",
        "a running 1 nil nil\nb suppressed 1 restart_cap_exceeded Thrown: no 2\n",
    );
}

#[test]
fn a_stop_that_takes_too_long_is_forced() {
    prints(
        "let s = supervisor_start({children: [{task: { _c -> while true { try { receive(channel()) } catch (e) { } } }}]})\nsleep(1ms)\nprintln(supervisor_stop(s, 50ms).status)\nprintln(supervisor_events(s).last().message)",
        "stopped\nforced\n",
    );
}

#[test]
fn escalation_stops_every_child() {
    prints(
        "let s = supervisor_start({strategy: \"escalate\", children: [{task: { _c -> throw \"x\" }}, {task: { _c -> sleep(10s) }}]})\nsleep(5ms)\nlet st = supervisor_state(s)\nprintln(\"${st.status} ${st.children[0].status} ${st.children[1].status}\")",
        "escalated failed stopped\n",
    );
}

#[test]
fn an_open_circuit_is_tried_again_with_cleared_counts() {
    prints(
        "let s = supervisor_start({restart: {max_restarts: 0, circuit_open_ms: 50}, children: [{task: { c -> if c.attempt == 1 { throw \"x\" }\nsleep(1s) }}]})\nsleep(10ms)\nprintln(supervisor_state(s).children[0].status)\nsleep(60ms)\nprintln(supervisor_state(s).children[0].status)",
        "circuit_open\nrunning\n",
    );
}

#[test]
fn the_text_of_a_child_is_an_event_and_its_id_is_free_after_the_end() {
    prints(
        "let spec = {id: \"s\", children: [{task: { _c -> println(\"said\") }}]}\nlet s = supervisor_start(spec)\nsleep(1ms)\nprintln(supervisor_events(s).filter({ e -> e.kind == \"child_output\" }).map({ e -> e.message }))\nprintln(supervisor_state(s).status)\nprintln(supervisor_start(spec).id)",
        "[said\n]\ncompleted\ns\n",
    );
}
