//! Numbers, statistics and randomness (spec 05 section 5.3).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Ambient;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native("abs", "fn(n: any) -> any", "The absolute value.", "abs(-3) // 3"),
    B::native("min", "fn(a: any, b: any) -> any", "The smaller of two numbers.", "min(2, 1.5) // 1.5"),
    B::native("max", "fn(a: any, b: any) -> any", "The larger of two numbers.", "max(2, 1) // 2"),
    B::native("floor", "fn(n: any) -> any", "The largest int not above a number.", "floor(-1.5) // -2"),
    B::native("ceil", "fn(n: any) -> any", "The smallest int not below a number.", "ceil(1.2) // 2"),
    B::native("round", "fn(n: any) -> any", "The nearest int, halves away from zero.", "round(-2.5) // -3"),
    B::native("sqrt", "fn(n: any) -> any", "The square root.", "sqrt(9) // 3.0"),
    B::native(
        "pow",
        "fn(base: any, exponent: any) -> any",
        "A power: an int for ints when it fits, otherwise a float.",
        "pow(2, 10) // 1024",
    ),
    B::native("sin", "fn(x: any) -> float", "The sine of an angle in radians.", "sin(0) // 0.0"),
    B::native("cos", "fn(x: any) -> float", "The cosine of an angle in radians.", "cos(0) // 1.0"),
    B::native("tan", "fn(x: any) -> float", "The tangent of an angle in radians.", "tan(0) // 0.0"),
    B::native("asin", "fn(x: any) -> float", "The arc sine, in radians.", "asin(0) // 0.0"),
    B::native("acos", "fn(x: any) -> float", "The arc cosine, in radians.", "acos(1) // 0.0"),
    B::native("atan", "fn(x: any) -> float", "The arc tangent, in radians.", "atan(0) // 0.0"),
    B::native(
        "atan2",
        "fn(y: any, x: any) -> float",
        "The angle of the point (x, y), in radians.",
        "atan2(0, 1) // 0.0",
    ),
    B::native("log2", "fn(x: any) -> float", "The logarithm to base 2.", "log2(8) // 3.0"),
    B::native("log10", "fn(x: any) -> float", "The logarithm to base 10.", "log10(1000) // 3.0"),
    B::native("ln", "fn(x: any) -> float", "The natural logarithm.", "ln(1) // 0.0"),
    B::native("exp", "fn(x: any) -> float", "The number e to a power.", "exp(0) // 1.0"),
    B::native("sign", "fn(n: any) -> int", "-1, 0 or 1; NaN for NaN.", "sign(-2.5) // -1"),
    B::native("is_nan", "fn(x: any) -> bool", "Whether a value is the float NaN.", "is_nan(0.0 / 0) // true"),
    B::native(
        "is_infinite",
        "fn(x: any) -> bool",
        "Whether a value is an infinite float.",
        "is_infinite(1.0 / 0) // true",
    ),
    B::native(
        "mean",
        "fn(items: list) -> float",
        "The arithmetic mean; 0.0 for an empty list.",
        "mean([1, 2]) // 1.5",
    ),
    B::native("median", "fn(items: list) -> float", "The median.", "median([3, 1, 2]) // 2.0"),
    B::native(
        "percentile",
        "fn(items: list, p: any) -> float",
        "The percentile by linear interpolation.",
        "percentile([1, 2, 3, 4, 5], 25) // 2.0",
    ),
    B::native(
        "variance",
        "fn(items: list, sample?: bool) -> float",
        "The variance, of a population or a sample.",
        "variance([1, 3]) // 1.0",
    ),
    B::native(
        "stddev",
        "fn(items: list, sample?: bool) -> float",
        "The standard deviation, of a population or a sample.",
        "stddev([1, 3]) // 1.0",
    ),
    B::native(
        "rng_seed",
        "fn(seed: int) -> any",
        "A random generator whose sequence the seed fixes.",
        "random_int(rng_seed(1), 5, 5) // 5",
    ),
    B::prelude(
        "time",
        "random",
        "fn(rng?: any) -> float",
        "A random float in [0, 1).",
        "random() < 1 // true",
    )
    .effect(Ambient),
    B::prelude(
        "time",
        "random_int",
        "fn(rng_or_min: any, min_or_max: any, max?: any) -> any",
        "A random int between two ints, both included; nil when they are out of order.",
        "random_int(3, 3) // 3",
    )
    .effect(Ambient),
    B::prelude(
        "time",
        "random_choice",
        "fn(rng_or_items: any, items?: any) -> any",
        "A random element of a list, nil when it is empty.",
        "random_choice([7]) // 7",
    )
    .effect(Ambient),
    B::prelude(
        "time",
        "random_shuffle",
        "fn(rng_or_items: any, items?: any) -> list",
        "The elements of a list in random order.",
        "random_shuffle([1, 1]) // [1, 1]",
    )
    .effect(Ambient),
];
