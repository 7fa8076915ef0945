//! Ranges (spec 02 sections 5.4 and 14.5).

use harn_vm::{Value, View, display};

use crate::arguments::{Body, done, get, int, type_error};

/// The number of elements, saturating.
pub fn length(start: i64, end: i64, exclusive: bool) -> i64 {
    let last = if exclusive { end.checked_sub(1) } else { Some(end) };
    match last {
        Some(last) if last >= start => last.saturating_sub(start).saturating_add(1),
        _ => 0,
    }
}

/// The bodies.
pub const BODIES: &[Body] = &[
    ("range", |_, a| match (a.len(), int(a, 0), int(a, 1)) {
        (1, Some(end), _) => done(Value::range(0, end, true)),
        (1, None, _) => type_error("range(n): expected integer argument"),
        (2, Some(start), Some(end)) => done(Value::range(start, end, true)),
        (2, ..) => type_error("range(a, b): expected integer arguments"),
        (n, ..) => type_error(format!("range expects 1 or 2 integer arguments, got {n}")),
    }),
    ("range.len", |_, a| done(bounds(a).map_or(0, |r| r.len()))),
    ("range.count", |_, a| done(bounds(a).map_or(0, |r| r.len()))),
    ("range.empty", |_, a| done(bounds(a).is_none_or(|r| r.len() == 0))),
    ("range.first", |_, a| done(bounds(a).filter(|r| r.len() > 0).map(|r| r.start))),
    ("range.last", |_, a| done(bounds(a).filter(|r| r.len() > 0).map(|r| r.last()))),
    ("range.contains", |_, a| {
        let inside = |r: Bounds| int(a, 1).is_some_and(|n| r.len() > 0 && (r.start..=r.last()).contains(&n));
        done(bounds(a).is_some_and(inside))
    }),
    ("range.to_string", |_, a| done(display(get(a, 0)))),
];

struct Bounds {
    start: i64,
    end: i64,
    exclusive: bool,
}

impl Bounds {
    fn len(&self) -> i64 {
        length(self.start, self.end, self.exclusive)
    }

    fn last(&self) -> i64 {
        if self.exclusive { self.end.saturating_sub(1) } else { self.end }
    }
}

fn bounds(args: &[Value]) -> Option<Bounds> {
    match get(args, 0).view() {
        View::Range { start, end, exclusive } => Some(Bounds { start, end, exclusive }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_saturate() {
        assert_eq!(length(1, 5, false), 5);
        assert_eq!(length(1, 5, true), 4);
        assert_eq!(length(3, 1, false), 0);
        assert_eq!(length(i64::MIN, i64::MAX, false), i64::MAX);
        assert_eq!(length(0, i64::MIN, true), 0);
    }
}
