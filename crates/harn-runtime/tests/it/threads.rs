//! Tasks on several threads: the same results as on one, whatever a task turns out to need (spec 04 section 4.1).

use harn_sim::{run, run_on};

const WORK: &str = "fn work(n) { var t = 0\nfor i in 0 to n exclusive { t = t + i % 7 }\nreturn t }\n";

/// Runs a program on one thread and on three, and compares.
fn same(text: &str) -> String {
    let text = format!("{WORK}{text}");
    let (one, many) = (run(&text), run_on(3, &text));
    assert_eq!(one.out(), many.out(), "ended with {} and {}", one.ending, many.ending);
    assert_eq!(one.ending, many.ending);
    one.out()
}

#[test]
fn results_and_output_are_in_order_wherever_bodies_run() {
    let out = same(
        "let r = parallel 9 { i -> println(\"body ${i}\")\nwork(200000 + i) }\nprintln(r[8] - r[0])\nprintln(len(r))",
    );
    assert!(out.starts_with("body 0\nbody 1\n") && out.ends_with("9\n"), "{out}");
}

#[test]
fn values_of_every_kind_cross_and_come_back() {
    same(
        "struct P { x: int, y: int }\nenum Shape { Circle(r), Dot }\nfn twice(n) { return n * 2 }\nlet k = [1, {z: set(3, 4), d: 5ms, r: 1 to 3, p: P {x: 1, y: 2}, e: Shape.Circle(2), f: twice, b: len}]\nlet r = parallel 6 { i -> let w = work(200000)\n{w: w, k: k, n: k[1].f(i), l: k[1].b(\"abc\"), g: { v -> v + i }, s: P {x: i, y: w}, t: 1.5, q: nil} }\nfor v in r { println(\"${v.w} ${v.k} ${v.n} ${v.l} ${v.g(1)} ${v.s} ${type_of(v.s)} ${v.t} ${v.q}\") }\nprintln(r[0].k == k)",
    );
}

#[test]
fn errors_come_back_as_they_were_thrown() {
    same(
        "let s = parallel settle [1, 2, 3, 4, 5, 6] { n -> let w = work(200000)\nif n == 2 { throw {code: n, w: w} }\nif n == 4 { return 1 / 0 }\nif n == 5 { return [1].no_such() }\nw }\nfor r in s.results { println(r) }\ntry { parallel 6 { i -> work(200000)\nthrow {code: i} } } catch (e) { println(e.code) }",
    );
}

#[test]
fn a_body_that_needs_the_home_thread_runs_there_from_its_start() {
    same(
        "let c = channel(\"c\", 100)\nlet cell = shared_cell(\"n\", 0)\nlet a = atomic(0)\nlet r = parallel 6 { i -> println(\"begin ${i}\")\nlet w = work(200000)\nsend(c, i)\nshared_set(cell, shared_get(cell) + 1)\natomic_add(a, 1)\nw }\nprintln(r)\nprintln(shared_get(cell))\nprintln(atomic_get(a))\nprintln(\"${receive(c)} ${receive(c)}\")",
    );
    // Only running it shows that this one asks the scheduler.
    same(
        "fn hidden(f) { return f(1ms) }\nlet r = parallel 6 { i -> println(\"begin ${i}\")\nlet w = work(200000)\nhidden(sleep)\nhidden({ _x -> is_cancelled() })\nw }\nprintln(r)",
    );
}

#[test]
fn module_variables_are_those_of_the_program() {
    same(
        "let table = {a: [1, 2, 3], b: { x -> x + 1 }}\nvar count = 0\nfn bump() { count = count + 1\nreturn count }\nlet r = parallel 6 { i -> work(200000) + table.a[i % 3] + table.b(i) }\nprintln(r)\nlet s = parallel 6 { i -> work(200000)\nbump() }\nprintln(\"${s} ${count}\")",
    );
}

#[test]
fn spawned_tasks_may_run_elsewhere_and_are_awaited_as_ever() {
    same(
        "let ts = [1, 2, 3, 4].map({ n -> spawn { println(\"task ${n}\")\nwork(200000 + n) } })\nfor t in ts { println(await(t)) }\nprintln(await(ts[0]))",
    );
}

#[test]
fn a_task_elsewhere_that_is_asked_to_stop_sees_it() {
    // The first keeps the home thread busy while the others start elsewhere.
    let text = format!(
        "{WORK}let a = spawn {{ work(2000000) }}\nlet b = spawn {{ try {{ work(100000000000) }} catch (e) {{ \"caught ${{e}}\" }} }}\nawait(a)\nprintln(cancel_graceful(b, 60s))",
    );
    assert_eq!(run_on(3, &text).out(), "Result.Ok(caught kind:cancelled:VM cancelled by host)\n");
}
