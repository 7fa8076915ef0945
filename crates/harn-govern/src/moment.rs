//! Time, ids and the key of the installation as they are given to a rule.

use crate::identity::Identity;
use crate::trust::Anchor;

/// The present, and where fresh ids come from.
pub struct Moment<'a> {
    /// Wall clock of the system, Unix milliseconds; no mock of a script moves it.
    pub now_ms: i64,
    /// Ten random bytes at each call.
    pub entropy: &'a mut dyn FnMut() -> [u8; 10],
    /// Who signs for the installation; none when it has no key.
    pub signer: Option<&'a Identity>,
    /// The anchor that was signed in it: once committed it belongs into `HARN_TRUST_ANCHOR_FILE` too.
    pub anchored: Option<Anchor>,
}

impl<'a> Moment<'a> {
    /// A moment in which nobody signs.
    pub fn new(now_ms: i64, entropy: &'a mut dyn FnMut() -> [u8; 10]) -> Moment<'a> {
        Moment { now_ms, entropy, signer: None, anchored: None }
    }

    /// The moment with somebody who signs.
    #[must_use]
    pub fn signed_by(mut self, signer: Option<&'a Identity>) -> Moment<'a> {
        self.signer = signer;
        self
    }

    /// A fresh UUID of version 7, lower case with hyphens.
    pub fn uuid7(&mut self) -> String {
        uuid7(self.now_ms, (self.entropy)())
    }

    /// The present as a timestamp.
    pub fn timestamp(&self) -> String {
        timestamp(self.now_ms)
    }
}

/// The UUID of version 7 made of a time and ten random bytes (RFC 9562 section 5.7).
pub fn uuid7(now_ms: i64, random: [u8; 10]) -> String {
    let mut bytes = [0u8; 16];
    let [_, _, time @ ..] = (now_ms.max(0) as u64).to_be_bytes();
    bytes[..6].copy_from_slice(&time);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = data_encoding::HEXLOWER.encode(&bytes);
    let mut out = String::with_capacity(36);
    for (i, range) in [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().enumerate() {
        if i > 0 {
            out.push('-');
        }
        out.push_str(digits.get(range).unwrap_or_default());
    }
    out
}

/// RFC 3339 in UTC with a `Z`, as many fractional digits as needed.
pub fn timestamp(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let mut out = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if millis > 0 {
        out.push_str(format!(".{millis:03}").trim_end_matches('0'));
    }
    out.push('Z');
    out
}

/// The Unix time in nanoseconds of an RFC 3339 timestamp with any offset.
pub fn parse_timestamp(text: &str) -> Option<i128> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        text.get(range).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
    };
    let mark = |at: usize, marks: &str| text.get(at..at + 1).filter(|m| marks.contains(*m)).map(|_| ());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    mark(4, "-")?;
    mark(7, "-")?;
    mark(10, "Tt ")?;
    mark(13, ":")?;
    mark(16, ":")?;
    let days = days_from_civil(year, month, day);
    if civil(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos: i128 = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let padded = format!("{:0<9}", fraction.get(..digits.min(9))?);
        nanos = padded.parse().ok()?;
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let digits = rest.get(1..)?;
            let (hours, minutes) = digits.split_once(':')?;
            if hours.len() != 2 || minutes.len() != 2 {
                return None;
            }
            let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            match rest.get(..1)? {
                "+" => seconds,
                "-" => -seconds,
                _ => return None,
            }
        }
    };
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * 1_000_000_000 + nanos)
}

/// Filters also take Unix seconds (up to ten characters) or milliseconds (more) in a string.
pub fn parse_filter_time(text: &str) -> Option<i128> {
    if let Some(nanos) = parse_timestamp(text) {
        return Some(nanos);
    }
    let number: i64 = text.parse().ok()?;
    Some(i128::from(number) * if text.len() <= 10 { 1_000_000_000 } else { 1_000_000 })
}

/// Unix milliseconds of an RFC 3339 timestamp.
pub fn parse_ms(text: &str) -> Option<i64> {
    parse_timestamp(text).and_then(|nanos| i64::try_from(nanos.div_euclid(1_000_000)).ok())
}

/// Year, month and day of a day number since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_drop_trailing_zeros() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(1_776_624_131_100), "2026-04-19T18:42:11.1Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00Z");
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        assert_eq!(parse_ms("2020-01-01T00:00:00+02:00"), Some(1_577_829_600_000));
        assert_eq!(parse_timestamp("1970-01-01T00:00:00.000000001Z"), Some(1));
        for bad in [
            "yesterday",
            "2020-02-30T00:00:00Z",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01T00:00:00.Z",
            "",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn filters_take_seconds_and_milliseconds() {
        assert_eq!(parse_filter_time("1577836800"), parse_filter_time("1577836800000"));
        assert_eq!(parse_filter_time("yesterday"), None);
    }

    #[test]
    fn ids_carry_version_and_variant() {
        let id = uuid7(0x0123_4567_89ab, [0xff; 10]);
        assert_eq!(id, "01234567-89ab-7fff-bfff-ffffffffffff");
    }

    proptest! {
        #[test]
        fn timestamps_read_back(ms in -60_000_000_000_000i64..250_000_000_000_000) {
            prop_assert_eq!(parse_ms(&timestamp(ms)), Some(ms));
        }
    }
}
