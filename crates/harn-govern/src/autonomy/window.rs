//! Calendar windows in UTC.

/// Hour and day of a moment, counted from 1970-01-01 UTC (spec 08 section 1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// Whole hours.
    pub hour: i64,
    /// Whole days.
    pub day: i64,
}

impl Window {
    /// The windows that hold `ms`.
    pub fn at(ms: i64) -> Window {
        Window { hour: ms.div_euclid(3_600_000), day: ms.div_euclid(86_400_000) }
    }

    /// The later of each: a clock that steps back stays in the windows it had reached.
    pub fn not_before(self, other: Window) -> Window {
        Window { hour: self.hour.max(other.hour), day: self.day.max(other.day) }
    }
}
