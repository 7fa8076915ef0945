//! What a program has spent on models, and how fast it may ask (spec 07 sections 1.9.3 and 1.10).

use std::collections::{BTreeMap, VecDeque};

use harn_effect::Data;

use crate::reply::{Reply, Usage};

/// The running account of one program.
#[derive(Clone, Debug, Default)]
pub struct Session {
    cost_usd: f64,
    usage: Usage,
    calls: i64,
    duration_ms: i64,
    budget_usd: Option<f64>,
    limiters: BTreeMap<String, Limiter>,
    /// The calls since tracing was turned on, as `trace_spans` gives them; none while it is off.
    spans: Option<Vec<Data>>,
}

impl Session {
    /// All of it, for a snapshot of the program. The windows of rate limits are not part of it: they are of a clock that
    /// the next process does not have, and a pause only makes room.
    pub fn save(&self) -> Data {
        let limits = self.limiters.iter().filter_map(|(name, limiter)| Some((name, limiter.rpm?)));
        let usage = self.usage;
        let counts = [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            self.calls,
            self.duration_ms,
        ];
        Data::dict([
            ("cost_usd", Data::Float(self.cost_usd)),
            ("counts", Data::List(counts.map(Data::Int).to_vec())),
            ("budget_usd", self.budget_usd.map_or(Data::Nil, Data::Float)),
            ("limits", Data::dict(limits.map(|(name, rpm)| (name.clone(), Data::Int(rpm))))),
        ])
    }

    /// Takes back what [`Session::save`] gave.
    pub fn load(&mut self, saved: &Data) {
        let counts = saved.field("counts").as_list().unwrap_or_default();
        let count = |i: usize| counts.get(i).and_then(Data::as_int).unwrap_or(0);
        let float = |name: &str| match saved.field(name) {
            Data::Float(x) => Some(*x),
            _ => None,
        };
        self.cost_usd = float("cost_usd").unwrap_or(0.0);
        self.budget_usd = float("budget_usd");
        self.usage = Usage {
            input_tokens: count(0),
            output_tokens: count(1),
            cache_read_tokens: count(2),
            cache_write_tokens: count(3),
        };
        (self.calls, self.duration_ms) = (count(4), count(5));
        for (name, rpm) in saved.field("limits").as_dict().into_iter().flatten() {
            self.set_rate_limit(name, rpm.as_int().unwrap_or(0));
        }
    }

    /// Adds a reply.
    pub fn add(&mut self, usage: Usage, cost_usd: f64, duration_ms: i64) {
        self.cost_usd += cost_usd;
        self.usage = self.usage.plus(usage);
        self.calls += 1;
        self.duration_ms += duration_ms;
    }

    /// Turns the recording of calls for `trace_spans` on, with none so far, or off (spec 06 section 5.5).
    pub fn trace(&mut self, on: bool) {
        self.spans = on.then(Vec::new);
    }

    /// Adds a reply to what is traced, with the milliseconds at which its request was sent and answered.
    pub fn add_span(&mut self, reply: &Reply, start_ms: i64, end_ms: i64) {
        let Some(spans) = &mut self.spans else { return };
        let metadata = Data::dict([
            ("provider", Data::from(reply.provider.as_str())),
            ("model", reply.model.as_str().into()),
            ("input_tokens", reply.usage.input_tokens.into()),
            ("output_tokens", reply.usage.output_tokens.into()),
        ]);
        spans.push(Data::dict([
            ("kind", Data::from("llm_call")),
            ("name", "llm_call".into()),
            ("start_ms", start_ms.into()),
            ("duration_ms", (end_ms - start_ms).max(0).into()),
            ("metadata", metadata),
        ]));
    }

    /// The calls that were traced.
    pub fn spans(&self) -> Data {
        Data::List(self.spans.clone().unwrap_or_default())
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
