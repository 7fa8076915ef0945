//! Timestamps, calendar parts and durations as plain numbers and text (spec 05 section 5.9).

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A timestamp of seconds since the epoch, to the microsecond.
pub fn instant(name: &str, seconds: f64) -> Result<Timestamp, String> {
    if !seconds.is_finite() {
        return Err(format!("{name}: timestamp must be finite"));
    }
    let micros = (seconds * 1e6).round();
    if micros.abs() > 4e17 {
        return Err(format!("{name}: timestamp out of range"));
    }
    Timestamp::from_microsecond(micros as i64).map_err(|_| format!("{name}: timestamp out of range"))
}

/// The time zone with an IANA name.
pub fn zone(name: &str, zone: &str) -> Result<TimeZone, String> {
    match zone {
        "UTC" | "utc" | "Z" => Ok(TimeZone::UTC),
        _ => TimeZone::get(zone).map_err(|_| format!("{name}: unknown timezone '{zone}'")),
    }
}

/// A timestamp as a number of seconds: whole, or with a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seconds {
    /// No fraction.
    Whole(i64),
    /// With a fraction.
    Part(f64),
}

/// The number of seconds of an instant.
pub fn seconds(at: Timestamp) -> Seconds {
    let micros = at.as_microsecond();
    if micros % 1_000_000 == 0 {
        Seconds::Whole(micros / 1_000_000)
    } else {
        Seconds::Part(micros as f64 / 1e6)
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub fn iso_millis(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::UTC);
    format!("{}.{:03}Z", zoned.strftime("%Y-%m-%dT%H:%M:%S"), zoned.millisecond())
}

/// RFC 3339 with the zone's offset; a fraction only when there is one.
pub fn rfc3339(at: &Zoned) -> String {
    let fraction = match at.subsec_nanosecond() {
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos => format!(".{:06}", nanos / 1000),
    };
    format!("{}{fraction}{}", at.strftime("%Y-%m-%dT%H:%M:%S"), at.strftime("%:z"))
}

/// Formats by strftime directives; a plain `%f` is the nine digits of the nanosecond.
pub fn format(format: &str, at: &Zoned) -> Result<String, String> {
    let mut nine = String::with_capacity(format.len());
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        nine.push(c);
        if c == '%' {
            match chars.next() {
                Some('f') => nine.push_str("9f"),
                other => nine.extend(other),
            }
        }
    }
    jiff::fmt::strtime::format(&nine, at).map_err(|_| format!("date_format: invalid format '{format}'"))
}

/// 0 for Sunday.
pub fn weekday_number(day: Weekday) -> i64 {
    i64::from(day.to_sunday_zero_offset())
}

/// Reads a date: RFC 3339, a date and time without zone, or the first three to six groups of digits.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let trimmed = text.trim();
    if let Ok(at) = trimmed.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(local) = trimmed.replacen(' ', "T", 1).parse::<DateTime>()
        && let Ok(at) = TimeZone::UTC.to_timestamp(local)
    {
        return Ok(at);
    }
    let groups: Vec<i64> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|g| !g.is_empty())
        .take(6)
        .filter_map(|g| g.parse().ok())
        .collect();
    let [year, month, day, rest @ ..] = groups.as_slice() else {
        return Err(format!("Cannot parse date: {text}"));
    };
    let part = |i: usize| rest.get(i).copied().unwrap_or(0);
    let local = civil(*year, *month, *day, part(0), part(1), part(2))?;
    TimeZone::UTC.to_timestamp(local).map_err(|_| format!("Cannot parse date: {text}"))
}

/// A date and time of checked parts.
pub fn civil(
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
) -> Result<DateTime, String> {
    let part = |what: &str, value: i64, low: i64, high: i64| {
        i8::try_from(value)
            .ok()
            .filter(|_| (low..=high).contains(&value))
            .ok_or_else(|| format!("Invalid {what}: {value} (must be {low}-{high})"))
    };
    let (month8, day8) = (part("month", month, 1, 12)?, part("day", day, 1, 31)?);
    let (hour, minute, second) =
        (part("hour", hour, 0, 23)?, part("minute", minute, 0, 59)?, part("second", second, 0, 59)?);
    let date = i16::try_from(year)
        .ok()
        .and_then(|year| Date::new(year, month8, day8).ok())
        .ok_or_else(|| format!("Invalid date: {year:04}-{month:02}-{day:02}"))?;
    Ok(date.at(hour, minute, second, 0))
}

/// The instant of a local time; the earlier one when the clock shows it twice.
pub fn local_instant(local: DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            Err("date_from_components: local time does not exist in that timezone".to_owned())
        }
        _ => ambiguous.earlier().map_err(|_| "date_from_components: timestamp out of range".to_owned()),
    }
}

/// Up to three of the largest non-zero units: `1d 2h 3m`.
pub fn humanise(ms: i64) -> String {
    const UNITS: &[(u64, &str)] =
        &[(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut left = ms.unsigned_abs();
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        if left >= *size {
            parts.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    parts.truncate(3);
    match (parts.is_empty(), ms < 0) {
        (true, _) => "0s".to_owned(),
        (_, true) => format!("-{}", parts.join(" ")),
        _ => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Seconds {
        seconds(parse(text).unwrap())
    }

    #[test]
    fn dates_are_read_in_many_forms() {
        assert_eq!(at("2024-02-29T12:30:00+02:00"), Seconds::Whole(1709202600));
        assert_eq!(at("2024-02-29 12:30"), Seconds::Whole(1709209800));
        assert_eq!(at("2024-02-29"), Seconds::Whole(1709164800));
        assert_eq!(at("2024-02-29T00:00:00.250Z"), Seconds::Part(1709164800.25));
        assert_eq!(at("2024/2/9 7h5"), Seconds::Whole(1707462300));
    }

    #[test]
    fn impossible_dates_are_named() {
        assert_eq!(parse("").unwrap_err(), "Cannot parse date: ");
        assert_eq!(parse("2024-13-01").unwrap_err(), "Invalid month: 13 (must be 1-12)");
        assert_eq!(parse("2023-02-30").unwrap_err(), "Invalid date: 2023-02-30");
    }

    #[test]
    fn a_repeated_hour_is_the_earlier_one() {
        let zone = zone("t", "America/New_York").unwrap();
        let local = civil(2024, 11, 3, 1, 30, 0).unwrap();
        assert_eq!(seconds(local_instant(local, &zone).unwrap()), Seconds::Whole(1730611800));
        let gap = civil(2024, 3, 10, 2, 30, 0).unwrap();
        assert!(local_instant(gap, &zone).is_err());
    }

    #[test]
    fn human_durations_have_three_units() {
        assert_eq!(humanise(93_784_005), "1d 2h 3m");
        assert_eq!(humanise(-61_000), "-1m 1s");
        assert_eq!(humanise(0), "0s");
        assert_eq!(humanise(1_500), "1s 500ms");
    }
}
