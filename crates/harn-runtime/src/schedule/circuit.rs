//! Circuit breakers of a program (spec 04 section 4.13), by name, on the program's clock.

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
