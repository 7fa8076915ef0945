//! Programs that once broke an invariant of the VM. Debug builds assert that no register is overwritten or left while it
//! holds a counted value, so it is enough that these run.

use harn_sim::{World, run, run_in};

#[test]
fn a_method_that_nil_does_not_have_drops_its_arguments() {
    assert_eq!(run("let k = 2\nprintln(nil.map({ x -> x + k }))\nprintln(nil.any([1], \"long enough to be counted\"))").out(), "nil\nnil\n");
}

#[test]
fn a_spread_call_that_loads_its_module_first_keeps_its_arguments() {
    // `host_call` calls `exec(...argv)` of a module that nothing has loaded yet.
    let program = r#"let text = "long enough to be counted"
println(try { host_call("process.exec", {argv: [[], "-c", text]}) } catch (e) { "caught" })
println([3, 1, 2].sort_by(...[{ x -> x }]))"#;
    assert_eq!(run(program).out().lines().last(), Some("[1, 2, 3]"));
}

#[test]
fn a_program_that_prints_for_ever_is_told_of_a_signal() {
    let world = World { signal_at: Some(0), ..World::default() };
    assert_eq!(run_in(world, "while true { println(1) }").ending, "signal 2");
}

#[test]
fn two_finally_blocks_around_a_call_do_not_share_what_is_pending() {
    let program =
        "fn g() {}\ntry { 1 } finally {}\ng()\nprintln(try { v = try {} finally {} } catch (e) { e })";
    assert_eq!(run(program).out(), "Undefined variable: v\n");
}
