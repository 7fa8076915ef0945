//! Methods of generators, streams and channels (spec 02 section 14.6).

use crate::Method;
use Method as M;

/// The rows.
pub const ROWS: &[Method] = &[
    M::prelude(
        "generator",
        "next",
        "fn() -> dict",
        "Resumes the body; `{done, value}`.",
        "fn numbers() { yield 1 }\nnumbers().next() // {done: false, value: 1}",
    ),
    M::native(
        "generator",
        "iter",
        "fn() -> iter",
        "An iter over the remaining values.",
        "fn numbers() { yield 1 }\nnumbers().iter().to_list() // [1]",
    ),
    M::prelude(
        "stream",
        "next",
        "fn() -> dict",
        "Resumes the body; `{done, value}`.",
        "gen fn numbers() { emit 1 }\nnumbers().next() // {done: false, value: 1}",
    ),
    M::native(
        "stream",
        "iter",
        "fn() -> iter",
        "An iter over the remaining values.",
        "gen fn numbers() { emit 1 }\nnumbers().iter().to_list() // [1]",
    ),
    M::native(
        "channel",
        "iter",
        "fn() -> iter",
        "An iter over the messages until the channel is closed and drained.",
        "let ch = channel()\nsend(ch, 1)\nclose_channel(ch)\nch.iter().to_list() // [1]",
    ),
];
