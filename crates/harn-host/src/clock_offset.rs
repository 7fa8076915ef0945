//! A wall clock that runs ahead or behind: `HARN_CLOCK_OFFSET_MS`, for trying what clocks that jump do.
//!
//! The value is a number of milliseconds, or `@FILE`, a file that holds one and is read anew each time: whoever writes it
//! moves the clock of a process that runs.

use std::cell::Cell;

/// By how much the clock is off.
pub(crate) enum ClockOffset {
    /// By so many milliseconds.
    Fixed(i64),
    /// As a file says; what it said last while it cannot be read.
    File(String, Cell<i64>),
}

impl ClockOffset {
    /// The offset that the variable asks for.
    pub fn read(variable: Option<&str>) -> ClockOffset {
        match variable.map(str::trim).and_then(|value| value.strip_prefix('@').ok_or(value).into()) {
            Some(Ok(path)) => ClockOffset::File(path.to_owned(), Cell::new(0)),
            Some(Err(number)) => ClockOffset::Fixed(number.parse().unwrap_or(0)),
            None => ClockOffset::Fixed(0),
        }
    }

    /// The milliseconds to add now.
    pub fn now(&self) -> i64 {
        match self {
            ClockOffset::Fixed(ms) => *ms,
            ClockOffset::File(path, last) => {
                #[allow(clippy::disallowed_methods, reason = "the host's own clock")]
                let text = std::fs::read_to_string(path);
                if let Some(ms) = text.ok().and_then(|text| text.trim().parse().ok()) {
                    last.set(ms);
                }
                last.get()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_a_number_or_as_a_file_says() {
        assert_eq!(ClockOffset::read(None).now(), 0);
        assert_eq!(ClockOffset::read(Some("-3600000")).now(), -3_600_000);
        let file = tempfile::NamedTempFile::new().unwrap();
        let offset = ClockOffset::read(Some(&format!("@{}", file.path().display())));
        assert_eq!(offset.now(), 0);
        std::fs::write(file.path(), "60000\n").unwrap();
        assert_eq!(offset.now(), 60_000);
        file.close().unwrap();
        assert_eq!(offset.now(), 60_000, "the last that it said");
    }
}
