//! What a program has spent on models, and how fast it may ask (spec 07 sections 1.9.3 and 1.10).

use std::collections::{BTreeMap, VecDeque};

use harn_effect::Data;

use crate::reply::Usage;

/// The running account of one program.
#[derive(Clone, Debug, Default)]
pub struct Session {
    cost_usd: f64,
    usage: Usage,
    calls: i64,
    duration_ms: i64,
    budget_usd: Option<f64>,
    limiters: BTreeMap<String, Limiter>,
}

impl Session {
    /// Adds a reply.
    pub fn add(&mut self, usage: Usage, cost_usd: f64, duration_ms: i64) {
        self.cost_usd += cost_usd;
        self.usage = self.usage.plus(usage);
        self.calls += 1;
        self.duration_ms += duration_ms;
    }

    /// USD so far.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// The limit of `llm_budget`.
    pub fn budget_usd(&self) -> Option<f64> {
        self.budget_usd
    }

    /// `llm_budget`.
    pub fn set_budget(&mut self, usd: f64) {
        self.budget_usd = Some(usd);
    }

    /// `llm_budget_remaining`.
    pub fn remaining(&self) -> Data {
        self.budget_usd.map(|budget| budget - self.cost_usd).into()
    }

    /// `llm_session_cost`.
    pub fn cost_record(&self) -> Data {
        Data::dict([
            ("total_cost", Data::from(self.cost_usd)),
            ("input_tokens", self.usage.input_tokens.into()),
            ("output_tokens", self.usage.output_tokens.into()),
            ("call_count", self.calls.into()),
        ])
    }

    /// `llm_usage`.
    pub fn usage_record(&self) -> Data {
        Data::dict([
            ("input_tokens", Data::from(self.usage.input_tokens)),
            ("output_tokens", self.usage.output_tokens.into()),
            ("total_duration_ms", self.duration_ms.into()),
            ("call_count", self.calls.into()),
            ("total_calls", self.calls.into()),
        ])
    }

    /// The requests a minute that a provider allows; `preset` counts until the program sets its own.
    pub fn rate_limit(&self, provider: &str, preset: Option<i64>) -> Option<i64> {
        self.limiters.get(provider).map_or(preset, |limiter| limiter.rpm).filter(|rpm| *rpm > 0)
    }

    /// Sets (or with N ≤ 0 clears) the requests a minute of a provider.
    pub fn set_rate_limit(&mut self, provider: &str, rpm: i64) {
        self.limiters.entry(provider.to_owned()).or_default().rpm = Some(rpm);
    }

    /// Takes a permit of the 60 s window, or tells in how many milliseconds there will be one.
    pub fn permit(&mut self, provider: &str, preset: Option<i64>, now_ms: i64) -> Result<(), i64> {
        let Some(rpm) = self.rate_limit(provider, preset) else { return Ok(()) };
        let limiter = self
            .limiters
            .entry(provider.to_owned())
            .or_insert_with(|| Limiter { rpm: preset, ..Limiter::default() });
        limiter.permit(rpm, now_ms)
    }
}

/// A sliding window of a minute.
#[derive(Clone, Debug, Default)]
struct Limiter {
    rpm: Option<i64>,
    taken: VecDeque<i64>,
}

/// Length of the window.
const WINDOW_MS: i64 = 60_000;

impl Limiter {
    fn permit(&mut self, rpm: i64, now_ms: i64) -> Result<(), i64> {
        while self.taken.front().is_some_and(|at| *at + WINDOW_MS <= now_ms) {
            self.taken.pop_front();
        }
        let count = self.taken.len() as i64;
        if count < rpm {
            self.taken.push_back(now_ms);
            return Ok(());
        }
        // The permit that makes room is the one `rpm` before the newest.
        let at = self.taken.get((count - rpm) as usize).copied().unwrap_or(now_ms);
        Err((at + WINDOW_MS - now_ms).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let mut session = Session::default();
        session.set_rate_limit("p", 2);
        assert_eq!(session.permit("p", None, 0), Ok(()));
        assert_eq!(session.permit("p", None, 10_000), Ok(()));
        assert_eq!(session.permit("p", None, 20_000), Err(40_000));
        assert_eq!(session.permit("p", None, 60_000), Ok(()));
        assert_eq!(session.permit("p", None, 60_001), Err(9_999));
    }

    #[test]
    fn clearing_wins_over_the_preset() {
        let mut session = Session::default();
        assert_eq!(session.rate_limit("p", Some(5)), Some(5));
        session.set_rate_limit("p", 0);
        assert_eq!(session.rate_limit("p", Some(5)), None);
    }
}
