//! Tasks, parallel, channels, locks, clocks: one behaviour each, in the host's time.

use harn_sim::run;

fn prints(text: &str, wanted: &str) {
    let ran = run(text);
    assert_eq!(ran.out(), wanted, "ended with {}", ran.ending);
}

#[test]
fn a_task_starts_when_its_creator_suspends() {
    prints("let t = spawn { eprintln(1)\n 5 }\nprintln(await(t))\nprintln(await(t))", "5\nnil\n");
}

#[test]
fn what_a_task_prints_comes_as_a_block_when_it_is_awaited() {
    prints(
        "let a = spawn { println(\"a1\")\nsleep(5ms)\nprintln(\"a2\") }\nlet b = spawn { println(\"b\") }\nsleep(20ms)\nprintln(\"main\")\nawait(b)\nawait(a)",
        "main\nb\na1\na2\n",
    );
}

#[test]
fn what_a_failing_task_printed_is_not_lost() {
    prints(
        "let t = spawn { println(\"said\")\nthrow \"bad\" }\ntry { await(t) } catch (e) { println(e) }",
        "said\nbad\n",
    );
}

#[test]
fn what_a_stopped_task_printed_is_not_lost() {
    prints(
        "let t = spawn { println(\"said\")\nsleep(1s) }\nsleep(1ms)\ncancel(t)\nprintln(await(t))",
        "said\nnil\n",
    );
}

#[test]
fn a_task_ends_with_its_owner() {
    prints(
        "let o = spawn { spawn { sleep(40ms)\neprintln(\"late\") }\n\"over\" }\nprintln(await(o))\nsleep(100ms)",
        "over\n",
    );
    let ran = run("let o = spawn { spawn { sleep(40ms)\neprintln(\"late\") }\n1 }\nawait(o)\nsleep(100ms)");
    assert_eq!(ran.world.borrow().stderr, "");
}

#[test]
fn a_sleeping_task_is_told_to_stop_at_once() {
    prints(
        "let t = spawn { try { sleep(30s) } catch (e) { \"caught ${e} at ${monotonic_ms()}\" } }\nsleep(5ms)\nprintln(cancel_graceful(t))",
        "Result.Ok(caught kind:cancelled:VM cancelled by host at 5)\n",
    );
}

#[test]
fn a_waiting_task_that_was_told_to_stop_gets_a_quarter_of_a_second() {
    prints(
        "let c = channel()\nlet t = spawn { try { receive(c) } catch (e) { monotonic_ms() } }\nsleep(5ms)\nprintln(cancel_graceful(t))",
        "Result.Ok(255)\n",
    );
}

#[test]
fn a_computing_task_may_see_the_request_to_stop() {
    prints(
        "let t = spawn { while !is_cancelled() { sleep(1ms) }\n\"left\" }\nlet u = spawn { var n = 0\nwhile !is_cancelled() { n = n + 1\nif n % 1000 == 0 { sleep(1ms) } }\n\"out\" }\nsleep(5ms)\nprintln(cancel_graceful(u))",
        "Result.Ok(out)\n",
    );
}

#[test]
fn a_task_that_will_not_stop_is_stopped_in_the_end() {
    prints(
        "let t = spawn { while true { try { sleep(1s) } catch (e) { exec(\"wait\", \"200\") } } }\nsleep(1ms)\nprintln(cancel_graceful(t, 500ms))",
        "Result.Err(cancel_graceful: timeout, task forcefully aborted)\n",
    );
}

#[test]
fn a_child_of_a_flagged_task_is_flagged() {
    prints(
        "let t = spawn { let c = spawn { try { sleep(9s) } catch (e) { \"child \" + e } }\nawait(c) }\nsleep(1ms)\nprintln(cancel_graceful(t))",
        "Result.Ok(child kind:cancelled:VM cancelled by host)\n",
    );
}

#[test]
fn parallel_results_are_in_order_and_take_the_time_of_the_longest() {
    prints(
        "println(parallel each [30, 10, 20] { ms -> sleep(ms)\nms })\nprintln(monotonic_ms())\nprintln(parallel 3 { i -> i * i })",
        "[30, 10, 20]\n30\n[0, 1, 4]\n",
    );
}

#[test]
fn a_limit_on_parallel_bodies_is_kept() {
    prints(
        "parallel each [10, 10, 10, 10] with { max_concurrent: 2 } { ms -> sleep(ms) }\nprintln(monotonic_ms())",
        "20\n",
    );
}

#[test]
fn the_error_of_the_lowest_index_is_rethrown_after_all_have_run() {
    prints(
        "try { parallel each [20, 5] { ms -> sleep(ms)\nthrow \"failed ${ms}\" } } catch (e) { println(\"${e} at ${monotonic_ms()}\") }",
        "failed 20 at 20\n",
    );
}

#[test]
fn settle_counts_and_never_throws() {
    prints(
        "let r = parallel settle [1, 2] { n -> if n == 2 { throw \"bad\" }\nn }\nprintln(\"${r.succeeded} ${r.failed} ${r.results}\")",
        "1 1 [Result.Ok(1), Result.Err(Thrown: bad)]\n",
    );
}

#[test]
fn a_stream_of_results_comes_in_the_order_of_completion() {
    prints(
        "let s = parallel each [40, 5, 20] { ms -> sleep(ms)\nms } as stream\nfor ms in s { println(ms) }",
        "5\n20\n40\n",
    );
}

#[test]
fn a_race_is_won_by_the_first_success() {
    prints(
        "println(parallel_race([30, 10, 20], { ms -> sleep(ms)\nif ms == 10 { throw \"no\" }\nms }))\nprintln(monotonic_ms())",
        "20\n20\n",
    );
}

#[test]
fn a_deadline_interrupts_sleep_and_computation() {
    prints(
        "try { deadline 10ms { sleep(5s) } } catch (e) { println(\"${e} at ${monotonic_ms()}\") }",
        "Deadline exceeded at 10\n",
    );
}

#[test]
fn the_earliest_of_nested_deadlines_holds() {
    prints(
        "try { deadline 10ms { deadline 5s { sleep(9s) } } } catch (e) { println(monotonic_ms()) }\nsleep(20ms)\nprintln(\"disarmed\")",
        "10\ndisarmed\n",
    );
}

#[test]
fn a_deadline_stops_only_the_tasks_spawned_inside() {
    prints(
        "let a = spawn { sleep(50ms)\n\"outside\" }\nvar b = nil\ntry { deadline 10ms { b = spawn { sleep(50ms)\n\"inside\" }\nsleep(1s) } } catch (e) { }\nprintln(await(a))\nprintln(await(b))",
        "outside\nnil\n",
    );
}

#[test]
fn a_deadline_gives_up_the_bodies_of_parallel() {
    prints(
        "try { deadline 10ms { parallel each [1, 2] { n -> sleep(100ms) } } } catch (e) { println(e) }\nprintln(receive_late())\nfn receive_late() { sleep(200ms)\nreturn monotonic_ms() }",
        "Deadline exceeded\n210\n",
    );
}

#[test]
fn a_full_channel_makes_senders_wait_in_order() {
    prints(
        "let c = channel(\"c\", 1)\nlet s = spawn { for i in 1 to 4 { send(c, i) }\nclose_channel(c) }\nfor m in c { println(m) }\nprintln(receive(c))",
        "1\n2\n3\n4\nnil\n",
    );
}

#[test]
fn closing_wakes_everybody_who_waits() {
    prints(
        "let c = channel(\"c\", 1)\nlet full = channel(\"f\", 1)\nsend(full, 0)\nlet r = spawn { receive(c) }\nlet i = spawn { for m in c { println(m) }\n\"end\" }\nlet s = spawn { send(full, 1) }\nsleep(1ms)\nclose_channel(c)\nclose_channel(full)\nprintln(await(r))\nprintln(await(i))\nprintln(await(s))",
        "nil\nend\nfalse\n",
    );
}

#[test]
fn select_takes_the_first_ready_channel_in_order() {
    prints(
        "let a = channel(\"a\")\nlet b = channel(\"b\")\nsend(b, 2)\nsend(a, 1)\nselect { x from a { println(\"a${x}\") }\n y from b { println(\"b${y}\") } }\nselect { x from a { println(\"a${x}\") }\n y from b { println(\"b${y}\") } }\nselect { x from a { println(x) }\n timeout 10ms { println(\"late at ${monotonic_ms()}\") } }",
        "a1\nb2\nlate at 10\n",
    );
}

#[test]
fn waiting_for_ever_on_each_other_is_an_error() {
    prints(
        "let c = channel(\"lonely\")\ntry { receive(c) } catch (e) { println(e) }",
        "Runtime error: receive on <channel:lonely> can never finish: every task of the program is waiting\n",
    );
}

#[test]
fn a_deadlock_is_raised_where_it_is_and_reaches_who_awaits() {
    let ran = run("let c = channel(\"c\")\nlet t = spawn { receive(c) }\nawait(t)");
    assert!(ran.ending.contains("receive on <channel:c> can never finish"), "{}", ran.ending);
}

#[test]
fn a_mutex_block_is_left_on_every_way_out() {
    prints(
        "fn f() { mutex { return 1 } }\nf()\ntry { mutex { throw \"x\" } } catch (e) { }\nfor i in 1 to 2 { mutex { break } }\nmutex { println(\"free\") }",
        "free\n",
    );
}

#[test]
fn a_mutex_block_inside_itself_is_an_error() {
    prints(
        "try { mutex { mutex { println(1) } } } catch (e) { println(e) }\nmutex { println(\"free\") }",
        "Runtime error: mutex '__default__' is already held by this task\nfree\n",
    );
}

#[test]
fn a_stopped_task_gives_its_mutex_back() {
    prints(
        "let t = spawn { mutex { sleep(9s) } }\nsleep(1ms)\ncancel(t)\nmutex { println(monotonic_ms()) }",
        "1\n",
    );
}

#[test]
fn a_large_request_is_not_overtaken() {
    prints(
        "let log = channel(\"log\")\nlet p = sync_semaphore_acquire(\"s\", 2, 1)\nlet big = spawn { let q = sync_semaphore_acquire(\"s\", 2, 2)\nsend(log, \"big\")\nsync_release(q) }\nlet small = spawn { let q = sync_semaphore_acquire(\"s\", 2, 1)\nsend(log, \"small\")\nsync_release(q) }\nsleep(5ms)\nsync_release(p)\nawait(big)\nawait(small)\nclose_channel(log)\nfor m in log { println(m) }",
        "big\nsmall\n",
    );
}

#[test]
fn a_dropped_permit_is_given_back() {
    prints("sync_mutex_acquire(\"m\")\nprintln(sync_mutex_acquire(\"m\", 0) != nil)", "true\n");
}

#[test]
fn under_a_mocked_clock_sleeping_takes_no_time_and_lets_others_run() {
    prints(
        "mock_time(1000)\nlet t = spawn { println(\"task at ${now_ms()}\")\n1 }\nsleep(90s)\nprintln(now_ms())\nawait(t)\nunmock_time()\nprintln(monotonic_ms())",
        "91000\ntask at 1000\n0\n",
    );
}

#[test]
fn sleepers_wake_in_the_order_of_the_mocked_clock() {
    prints(
        "mock_time(0)\nprintln(parallel each [300, 100, 200] { ms -> sleep(ms)\nnow_ms() })\nprintln(now_ms())",
        "[300, 100, 200]\n300\n",
    );
    prints(
        "mock_time(0)\nlet t = spawn { sleep(100)\nnow_ms() }\nsleep(10)\nadvance_time(500)\nprintln(await(t))",
        "510\n",
    );
    prints(
        "mock_time(0)\nlet t = spawn { sleep(20)\n7 }\nsleep(10)\nunmock_time()\nprintln(await(t))",
        "7\n",
    );
}

#[test]
fn tasks_know_who_they_are() {
    prints(
        "let t = await(spawn { runtime_context() })\nprintln(\"${t.task_id} ${t.parent_task_id} ${t.task_name}\")\nlet k = parallel each [1, 2] { n -> task_current().task_id }\nprintln(k)",
        "task_root:spawn:1 task_root spawn\n[task_root:parallel_each:1:0, task_root:parallel_each:1:1]\n",
    );
}

#[test]
fn ten_thousand_tasks_wait_at_once() {
    prints(
        "let ts = (0 to 10000 exclusive).to_list().map({ i -> spawn { sleep(10ms)\ni } })\nvar sum = 0\nfor t in ts { sum = sum + await(t) }\nprintln(\"${sum} at ${monotonic_ms()}\")",
        "49995000 at 10\n",
    );
}
