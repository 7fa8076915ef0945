//! What grows by one at a time costs the same at any size: the time of `n` steps is linear in `n`.

#![allow(clippy::disallowed_methods, reason = "this measures real time")]

use harn_sim::run;
use std::sync::OnceLock;
use std::time::Instant;

/// The sizes: up to a million in an optimised build, fewer in one with assertions.
const SIZES: &[u32] =
    if cfg!(debug_assertions) { &[1_000, 4_000, 64_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };

/// Seconds after which the system counts anew; less is not told apart.
const TICK: f64 = 0.004;

/// Linear is 1, quadratic 2; small sizes and a busy machine move it by a few tenths.
const LIMIT: f64 = 1.5;

/// Seconds that this thread has been on a processor, where the system tells; else the time of day, which other work
/// on the machine disturbs.
fn on_cpu() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

/// Prints the exponent `e` of time = c * n^e over the sizes, and holds it below the limit. `N` in the text is the
/// number of steps.
fn linear(name: &str, text: &str) {
    let seconds = |n: u32| {
        let program = text.replace('N', &n.to_string());
        let mut best = f64::MAX;
        for _ in 0..3 {
            let start = on_cpu();
            let ran = run(&program);
            best = best.min((on_cpu() - start).max(TICK));
            assert_eq!(ran.out(), format!("{n}\n"), "ended with {}", ran.ending);
        }
        best
    };
    let points: Vec<(f64, f64)> = SIZES.iter().map(|n| (f64::from(*n).ln(), seconds(*n).ln())).collect();
    let (Some(first), Some(last)) = (points.get(points.len() - 2), points.last()) else { return };
    let exponent = (last.1 - first.1) / (last.0 - first.0);
    println!("{name}: exponent {exponent:.2} up to {}", SIZES.last().unwrap());
    assert!(exponent < LIMIT, "{name}: time grows with exponent {exponent:.2}");
}

macro_rules! linear {
    ($($name:ident: $text:expr;)*) => { $(#[test] fn $name() { linear(stringify!($name), $text); })* };
}

linear! {
    pushing_onto_a_local_list: "fn f() { var xs = []\nfor i in 1 to N { xs = xs.push(i) }\nreturn xs.count }\nprintln(f())";
    pushing_onto_a_global_list: "var xs = []\nfn f(i) { xs = xs.push(i) }\nfor i in 1 to N { f(i) }\nprintln(xs.count)";
    pushing_onto_a_list_in_a_field: "fn f() { var d = {xs: []}\nfor i in 1 to N { d.xs = d.xs.push(i) }\nreturn d.xs.count }\nprintln(f())";
    pushing_onto_a_list_in_a_field_of_a_global: "var d = {in: {xs: []}}\nfn f(i) { d.in.xs = d.in.xs.push(i) }\nfor i in 1 to N { f(i) }\nprintln(d.in.xs.count)";
    pushing_onto_a_list_in_a_struct: "struct P { xs: list }\nfn f() { var p = P {xs: []}\nfor i in 1 to N { p.xs = p.xs.push(i) }\nreturn p.xs.count }\nprintln(f())";
    pushing_onto_a_list_in_a_list: "fn f() { var rows = [[], []]\nfor i in 1 to N { rows[1] = rows[1].push(i) }\nreturn rows[1].count }\nprintln(f())";
    adding_a_list_to_a_list: "fn f() { var xs = []\nfor i in 1 to N { xs += [i] }\nreturn xs.count }\nprintln(f())";
    setting_keys_of_a_dict: "fn f() { var d = {}\nfor i in 1 to N { d[\"k${i}\"] = i }\nreturn len(d) }\nprintln(f())";
    setting_keys_of_a_dict_in_a_field_of_a_global: "var d = {in: {}}\nfn f(i) { d.in[\"k${i}\"] = i }\nfor i in 1 to N { f(i) }\nprintln(len(d.in))";
    counting_in_a_dict: "fn f() { var d = {}\nfor i in 1 to N { let k = \"k${i % 97}\"\nd[k] = (d[k] ?? 0) + 1 }\nvar n = 0\nfor e in d { n += e.value }\nreturn n }\nprintln(f())";
    appending_to_a_local_text: "fn f() { var s = \"\"\nfor i in 1 to N { s = s + \"x\" }\nreturn len(s) }\nprintln(f())";
    appending_to_a_captured_text: "fn f() { var s = \"\"\nlet g = { -> for i in 1 to N { s += \"x\" }\nlen(s) }\nreturn g() }\nprintln(f())";
    appending_to_a_global_text: "var s = \"\"\nfn f() { s += \"x\" }\nfor i in 1 to N { f() }\nprintln(len(s))";
    appending_to_a_text_in_a_field: "fn f() { var d = {s: \"\"}\nfor i in 1 to N { d.s += \"x\" }\nreturn len(d.s) }\nprintln(f())";
    appending_to_a_text_under_a_key_of_a_global: "var d = {}\nfn f(k) { d[k] = d[k] + \"x\" }\nd[\"a\"] = \"\"\nfor i in 1 to N { f(\"a\") }\nprintln(len(d[\"a\"]))";
    looking_up_in_a_set: "fn f() { var s = set()\nfor i in 1 to N { s = s.add(i) }\nvar n = 0\nfor i in 1 to N { if s.contains(i) { n += 1 } }\nreturn n }\nprintln(f())";
    sending_through_a_channel: "fn f() { let c = channel(16)\nlet t = spawn { for i in 1 to N { send(c, i) }\nclose_channel(c) }\nvar n = 0\nfor x in c { n += 1 }\nreturn n }\nprintln(f())";
}
