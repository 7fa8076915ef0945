//! The clocks as a program sees them: the host's, until `mock_time` pins them (spec 04 section 4.11).

use harn_effect::{Data, Host};

/// The program's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramClock {
    mock: Option<Mock>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mock {
    wall_ms: i64,
    monotonic_ms: i64,
}

impl ProgramClock {
    /// Wall clock, Unix milliseconds.
    pub fn now_ms(&self, host: &dyn Host) -> i64 {
        self.mock.map_or_else(|| host.now_ms(), |mock| mock.wall_ms)
    }

    /// Milliseconds since the start, or since the clock was pinned.
    pub fn monotonic_ms(&self, host: &dyn Host) -> i64 {
        self.mock.map_or_else(|| host.monotonic_ms(), |mock| mock.monotonic_ms)
    }

    /// The monotonic half of a pinned clock.
    pub fn mocked_monotonic_ms(&self) -> Option<i64> {
        self.mock.map(|mock| mock.monotonic_ms)
    }

    /// Whether the clock is pinned.
    pub fn is_mocked(&self) -> bool {
        self.mock.is_some()
    }

    /// `mock_time`.
    pub fn pin(&mut self, wall_ms: i64) {
        self.mock = Some(Mock { wall_ms, monotonic_ms: 0 });
    }

    /// `advance_time`: moves both clocks; the new wall time, or `None` when the clock is not pinned.
    pub fn advance(&mut self, ms: i64) -> Option<i64> {
        let mock = self.mock.as_mut()?;
        mock.wall_ms = mock.wall_ms.saturating_add(ms);
        mock.monotonic_ms = mock.monotonic_ms.saturating_add(ms.max(0));
        Some(mock.wall_ms)
    }

    /// Where it is pinned, for a snapshot; nil when it is not.
    pub fn save(&self) -> Data {
        self.mock
            .map_or(Data::Nil, |mock| Data::List(vec![Data::Int(mock.wall_ms), Data::Int(mock.monotonic_ms)]))
    }

    /// What [`ProgramClock::save`] gave.
    pub fn load(&mut self, saved: &Data) {
        self.mock = match saved.as_list() {
            Some([Data::Int(wall_ms), Data::Int(monotonic_ms)]) => {
                Some(Mock { wall_ms: *wall_ms, monotonic_ms: *monotonic_ms })
            }
            _ => None,
        };
    }

    /// `unmock_time`.
    pub fn release(&mut self) {
        self.mock = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advance_moves_both_clocks_and_never_the_monotonic_one_back() {
        let mut clock = ProgramClock::default();
        assert_eq!(clock.advance(5), None);
        clock.pin(1000);
        assert_eq!(clock.advance(500), Some(1500));
        assert_eq!(clock.advance(-2000), Some(-500));
        assert_eq!(clock.mock, Some(Mock { wall_ms: -500, monotonic_ms: 500 }));
    }
}
