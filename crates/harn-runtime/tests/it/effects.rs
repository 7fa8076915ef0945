//! The drive loop: output, the host, signals, endings.

use harn_sim::{World, run, run_in};

#[test]
fn output_is_collected_and_written_before_the_run_waits() {
    let ran = run("println(1)\nprintln(2)\nsleep(5ms)\nprintln(3)");
    assert_eq!(ran.world.borrow().writes, ["1\n2\n", "3\n"]);
}

#[test]
fn output_comes_before_what_goes_to_standard_error() {
    let ran = run("println(1)\neprintln(2)\nprintln(3)");
    assert_eq!(ran.world.borrow().writes, ["1\n", "3\n"]);
}

#[test]
fn output_is_written_when_the_program_fails() {
    let ran = run("println(1)\nthrow \"bad\"");
    assert_eq!((ran.out().as_str(), ran.ending.as_str()), ("1\n", "failed bad"));
}

#[test]
fn exit_ends_at_once_with_its_code() {
    let ran = run("println(1)\nexit(3)\nprintln(2)");
    assert_eq!((ran.out().as_str(), ran.ending.as_str()), ("1\n", "exit 3"));
}

#[test]
fn an_effect_that_takes_time_lets_other_tasks_run() {
    let ran = run(
        "let other = spawn { println(\"other at ${monotonic_ms()}\") }\nexec(\"wait\", \"50\")\nprintln(\"done at ${monotonic_ms()}\")\nawait(other)",
    );
    assert_eq!(ran.out(), "done at 50\nother at 0\n");
}

#[test]
fn a_signal_interrupts_a_sleep_and_runs_finally() {
    let world = World { signal_at: Some(40), ..World::default() };
    let ran = run_in(world, "try { sleep(10s) } finally { println(\"tidy at ${monotonic_ms()}\") }");
    assert_eq!((ran.out().as_str(), ran.ending.as_str()), ("tidy at 40\n", "signal 2"));
    assert_eq!(ran.world.borrow().stderr, "[harn] signal received, flushing state...\n");
}

#[test]
fn a_program_that_ignores_a_signal_is_ended_after_two_seconds() {
    let world = World { signal_at: Some(40), ..World::default() };
    let ran = run_in(world, "while true { try { sleep(1s) } catch (e) { exec(\"wait\", \"100\") } }");
    assert_eq!(ran.ending, "signal 2");
    assert!(ran.world.borrow().now <= 2_200, "{}", ran.world.borrow().now);
}

#[test]
fn a_deadline_gives_up_the_effect_in_flight() {
    let ran = run(
        "try { deadline 20ms { exec(\"wait\", \"500\") } } catch (e) { println(\"${e} at ${monotonic_ms()}\") }",
    );
    assert_eq!(ran.out(), "Deadline exceeded at 20\n");
    assert_eq!(ran.world.borrow().cancelled.len(), 1);
}
