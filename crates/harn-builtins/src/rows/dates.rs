//! Dates, durations and UUIDs (spec 05 sections 5.9 and 5.10).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass::Ambient;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::native(
        "date_now",
        "fn() -> dict",
        "The present as a dict of its parts in UTC.",
        "date_now().year > 2000 // true",
    )
    .effect(Ambient),
    B::native(
        "date_now_iso",
        "fn() -> string",
        "The present as RFC 3339 text with milliseconds.",
        "len(date_now_iso()) // 24",
    )
    .effect(Ambient),
    B::native(
        "date_iso",
        "fn() -> string",
        "The present as RFC 3339 text with milliseconds.",
        "len(date_iso()) // 24",
    )
    .effect(Ambient),
    B::native(
        "date_parse",
        "fn(text: any) -> any",
        "The timestamp of a date text.",
        r#"date_parse("2024-01-02T03:04:05Z") // 1704164645"#,
    ),
    B::native(
        "date_format",
        "fn(date: any, format?: string, zone?: string) -> string",
        "A timestamp as text by strftime directives, in UTC or a zone.",
        r#"date_format(0, "%Y-%m-%d") // 1970-01-01"#,
    ),
    B::native(
        "date_in_zone",
        "fn(date: any, zone: string) -> dict",
        "The parts of a timestamp in a time zone.",
        r#"date_in_zone(0, "Europe/Berlin").hour // 1"#,
    ),
    B::native(
        "date_to_zone",
        "fn(date: any, zone: string) -> string",
        "A timestamp as RFC 3339 text in a time zone.",
        r#"date_to_zone(0, "Europe/Berlin") // 1970-01-01T01:00:00+01:00"#,
    ),
    B::native(
        "date_from_components",
        "fn(parts: dict, zone?: string) -> any",
        "The timestamp of year, month, day, hour, minute and second.",
        "date_from_components({year: 1970, month: 1, day: 2}) // 86400",
    ),
    B::native(
        "date_add",
        "fn(date: any, d: duration) -> any",
        "A timestamp moved by a duration.",
        "date_add(0, 1500ms) // 1.5",
    ),
    B::native(
        "date_diff",
        "fn(a: any, b: any) -> duration",
        "The duration from `b` to `a`.",
        "date_diff(90, 0) // 90s",
    ),
    B::native(
        "weekday_name",
        "fn(date: any, zone?: string) -> string",
        "The English name of the day of the week.",
        "weekday_name(0) // Thursday",
    ),
    B::native(
        "month_name",
        "fn(date: any, zone?: string) -> string",
        "The English name of the month.",
        "month_name(0) // January",
    ),
    B::native(
        "duration_ms",
        "fn(n: any) -> duration",
        "A duration of so many milliseconds.",
        "duration_ms(1500) // 1500ms",
    ),
    B::native(
        "duration_seconds",
        "fn(n: any) -> duration",
        "A duration of so many seconds.",
        "duration_seconds(1.5) // 1500ms",
    ),
    B::native(
        "duration_minutes",
        "fn(n: any) -> duration",
        "A duration of so many minutes.",
        "duration_minutes(2) // 2m",
    ),
    B::native(
        "duration_hours",
        "fn(n: any) -> duration",
        "A duration of so many hours.",
        "duration_hours(1) // 1h",
    ),
    B::native(
        "duration_days",
        "fn(n: any) -> duration",
        "A duration of so many days.",
        "duration_days(1) // 24h",
    ),
    B::native(
        "duration_to_seconds",
        "fn(d: duration) -> int",
        "The whole seconds of a duration.",
        "duration_to_seconds(1500ms) // 1",
    ),
    B::native(
        "duration_to_human",
        "fn(d: duration) -> string",
        "A duration in up to three units.",
        "duration_to_human(duration_seconds(93780)) // 1d 2h 3m",
    ),
    B::native("uuid", "fn() -> string", "A random UUID (version 4).", "len(uuid()) // 36").effect(Ambient),
    B::prelude(
        "time",
        "uuid_v7",
        "fn() -> string",
        "A UUID in time order (version 7).",
        "uuid_v7() < uuid_v7() // true",
    )
    .effect(Ambient),
    B::native(
        "uuid_v5",
        "fn(namespace: any, name: any) -> string",
        "The UUID of a name in a namespace (version 5).",
        r#"uuid_v5("dns", "example.com") // cfbff0d1-9375-5685-968c-48ce8b15ae17"#,
    ),
    B::native(
        "uuid_nil",
        "fn() -> string",
        "The UUID of zeros.",
        "uuid_nil() // 00000000-0000-0000-0000-000000000000",
    ),
    B::native(
        "uuid_parse",
        "fn(text: any) -> string | nil",
        "The canonical form of a UUID, nil when the text is none.",
        r#"uuid_parse("nope") // nil"#,
    ),
];
