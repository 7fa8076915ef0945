//! The `stream` namespace (spec 02 section 13.4).

use crate::Builtin;
use Builtin as B;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude(
        "stream",
        "stream.map",
        "fn(source: any, f: any) -> any",
        "An iter of the results of a callback.",
        "stream.map([1, 2], { n -> n * 2 }).to_list() // [2, 4]",
    ),
    B::prelude(
        "stream",
        "stream.filter",
        "fn(source: any, predicate: any) -> any",
        "An iter of the items that match.",
        "stream.filter([1, 2], { n -> n > 1 }).to_list() // [2]",
    ),
    B::prelude(
        "stream",
        "stream.tap",
        "fn(source: any, f: any) -> any",
        "An iter of the items, each shown to a callback first.",
        "stream.tap([1], { n -> nil }).to_list() // [1]",
    ),
    B::prelude(
        "stream",
        "stream.scan",
        "fn(source: any, init: any, f: any) -> any",
        "An iter of the running accumulators.",
        "stream.scan([1, 2, 3], 0, { a, n -> a + n }).to_list() // [1, 3, 6]",
    ),
    B::prelude(
        "stream",
        "stream.take",
        "fn(source: any, n: any) -> any",
        "An iter of the first items.",
        "stream.take([1, 2, 3], 2).to_list() // [1, 2]",
    ),
    B::prelude(
        "stream",
        "stream.take_until",
        "fn(source: any, predicate: any) -> any",
        "An iter of the items before the first match.",
        "stream.take_until([1, 2, 3], { n -> n == 2 }).to_list() // [1]",
    ),
    B::prelude(
        "stream",
        "stream.zip",
        "fn(a: any, b: any) -> any",
        "An iter of pairs, as long as the shorter source.",
        r#"stream.zip([1, 2], ["a"]).to_list() // [(1, a)]"#,
    ),
    B::prelude(
        "stream",
        "stream.interleave",
        "fn(...sources: any) -> any",
        "An iter that takes one item of each source in turn.",
        "stream.interleave([1, 3], [2]).to_list() // [1, 2, 3]",
    ),
    B::prelude(
        "stream",
        "stream.collect",
        "fn(source: any, max?: any) -> list",
        "The items as a list, at most `max`.",
        "stream.collect(1 to 3) // [1, 2, 3]",
    ),
    B::prelude(
        "stream",
        "stream.fold",
        "fn(source: any, init: any, f: any) -> any",
        "The last accumulator.",
        "stream.fold([1, 2], 0, { a, n -> a + n }) // 3",
    ),
    B::prelude(
        "stream",
        "stream.first",
        "fn(source: any) -> any",
        "The first item, nil when there is none.",
        "stream.first([7, 8]) // 7",
    ),
    B::prelude(
        "stream",
        "stream.broadcast",
        "fn(source: any, n: any) -> list",
        "So many iters, each seeing every item of the source.",
        "stream.broadcast([1, 2], 2).map({ s -> s.to_list() }) // [[1, 2], [1, 2]]",
    ),
    B::prelude(
        "stream",
        "stream.merge",
        "fn(...sources: any) -> any",
        "An iter of the items of several sources as they become ready, in turn when several are.",
        "stream.merge([1, 3], [2]).to_list() // [1, 2, 3]",
    ),
    B::prelude(
        "stream",
        "stream.race",
        "fn(...sources: any) -> any",
        "An iter over the source that is first to give an item; the others are dropped.",
        "stream.race([], [2, 3]).to_list() // [2, 3]",
    ),
    B::prelude(
        "stream",
        "stream.throttle",
        "fn(source: any, per_second: any) -> any",
        "An iter of the items, at most so many a second.",
        "stream.throttle([1, 2], 1000).to_list() // [1, 2]",
    ),
    B::prelude(
        "stream",
        "stream.debounce",
        "fn(source: any, window_ms: any) -> any",
        "An iter of the last item of each burst, once the source was silent for the window or ended.",
        "stream.debounce([1, 2, 3], 5).to_list() // [3]",
    ),
];
