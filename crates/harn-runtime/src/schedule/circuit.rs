//! Circuit breakers of a program (spec 04 section 4.13), by name, on the program's clock.

use harn_effect::Data;
use std::collections::HashMap;

/// A circuit breaker.
#[derive(Clone, Debug)]
struct Circuit {
    threshold: i64,
    reset_ms: i64,
    failures: i64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        since: i64,
    },
    /// Its time is over: the next result decides.
    HalfOpen,
}

/// The circuit breakers of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circuits {
    by_name: HashMap<String, Circuit>,
}

impl Circuits {
    /// All of them, for a snapshot.
    pub fn save(&self) -> Data {
        Data::dict(self.by_name.iter().map(|(name, circuit)| {
            let (state, since) = match circuit.state {
                State::Closed => (0, 0),
                State::Open { since } => (1, since),
                State::HalfOpen => (2, 0),
            };
            let row = [circuit.threshold, circuit.reset_ms, circuit.failures, state, since];
            (name.clone(), Data::List(row.map(Data::Int).to_vec()))
        }))
    }

    /// What [`Circuits::save`] gave, on a clock that is `shift` ahead of the one then.
    pub fn load(&mut self, saved: &Data, shift: i64) {
        for (name, row) in saved.as_dict().into_iter().flatten() {
            let number = |i: usize| row.as_list().and_then(|row| row.get(i)?.as_int()).unwrap_or(0);
            let state = match number(3) {
                0 => State::Closed,
                1 => State::Open { since: number(4).saturating_add(shift) },
                _ => State::HalfOpen,
            };
            let circuit = Circuit { threshold: number(0), reset_ms: number(1), failures: number(2), state };
            self.by_name.insert(name.clone(), circuit);
        }
    }

    /// `circuit_breaker`: creates or resets.
    pub fn create(&mut self, name: &str, threshold: i64, reset_ms: i64) {
        let circuit = Circuit { threshold: threshold.max(1), reset_ms, failures: 0, state: State::Closed };
        self.by_name.insert(name.to_owned(), circuit);
    }

    /// `circuit_check`: `closed`, `open`, or `half_open` once an open circuit's time is over.
    pub fn check(&mut self, name: &str, now: i64) -> &'static str {
        let Some(circuit) = self.by_name.get_mut(name) else { return "closed" };
        match circuit.state {
            State::Closed => "closed",
            State::Open { since } if now - since >= circuit.reset_ms => {
                circuit.state = State::HalfOpen;
                "half_open"
            }
            State::Open { .. } => "open",
            State::HalfOpen => "half_open",
        }
    }

    /// `circuit_record_failure`: whether this failure opened the circuit.
    pub fn fail(&mut self, name: &str, now: i64) -> bool {
        let Some(circuit) = self.by_name.get_mut(name) else { return false };
        circuit.failures += 1;
        let opens = match circuit.state {
            State::Closed => circuit.failures >= circuit.threshold,
            State::HalfOpen => true,
            State::Open { .. } => false,
        };
        if opens {
            circuit.state = State::Open { since: now };
        }
        opens
    }

    /// `circuit_record_success` and `circuit_reset`.
    pub fn close(&mut self, name: &str) {
        if let Some(circuit) = self.by_name.get_mut(name) {
            circuit.failures = 0;
            circuit.state = State::Closed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_probe_opens_the_circuit_again() {
        let mut circuits = Circuits::default();
        circuits.create("api", 2, 100);
        assert!(!circuits.fail("api", 0));
        assert!(circuits.fail("api", 0));
        assert_eq!(circuits.check("api", 50), "open");
        assert_eq!(circuits.check("api", 100), "half_open");
        assert!(circuits.fail("api", 100));
        assert_eq!(circuits.check("api", 150), "open");
        circuits.close("api");
        assert_eq!(circuits.check("api", 150), "closed");
    }
}
