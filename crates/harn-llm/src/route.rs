//! `route_policy`: letting quality, price or speed choose the model (spec 07 section 1.3).

use harn_effect::Data;

use crate::catalog::{Catalog, Resolved, model_tier};
use crate::environment::Environment;
use crate::pricing;

/// What a policy chose, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The chosen model.
    pub chosen: Resolved,
    /// The record for the log.
    pub decision: Data,
}

enum Policy {
    Always(String),
    Cheapest(String),
    Fastest(String),
}

/// The route of a policy; none for `manual`.
pub fn decide(policy: &Data, catalog: &Catalog, env: &Environment) -> Result<Option<Route>, String> {
    let Some(policy) = read(policy)? else { return Ok(None) };
    let (name, quality, by_price) = match &policy {
        Policy::Always(target) => {
            let chosen = target_of(target, catalog, env);
            let decision = record(&format!("always({target})"), Data::Nil, &chosen, Vec::new());
            return Ok(Some(Route { chosen, decision }));
        }
        Policy::Cheapest(quality) => (format!("cheapest_over_quality({quality})"), quality, true),
        Policy::Fastest(quality) => (format!("fastest_over_quality({quality})"), quality, false),
    };
    let least = rank(quality);
    let candidates: Vec<Candidate> = catalog
        .candidates()
        .into_iter()
        .filter(|(model, _)| rank(model_tier(model)) >= least)
        .map(|(model, provider)| Candidate::new(catalog, env, model, provider))
        .collect();
    let score = |candidate: &Candidate| if by_price { candidate.price() } else { candidate.latency() };
    let reachable = candidates.iter().filter(|candidate| candidate.available);
    let best = reachable.min_by(|a, b| {
        let by_score = score(a).total_cmp(&score(b));
        by_score.then_with(|| (&a.provider, &a.model).cmp(&(&b.provider, &b.model)))
    });
    let Some(best) = best.or(candidates.first()) else {
        return Err(format!("route_policy: no known model has quality \"{quality}\""));
    };
    let chosen =
        Resolved { id: best.model.clone(), provider: best.provider.clone(), alias: None, tool_format: None };
    let alternatives = candidates.iter().map(|candidate| candidate.to_data(&chosen)).collect();
    let decision = record(&name, quality.as_str().into(), &chosen, alternatives);
    Ok(Some(Route { chosen, decision }))
}

fn read(policy: &Data) -> Result<Option<Policy>, String> {
    match policy {
        Data::Nil | Data::Bool(false) => Ok(None),
        Data::Str(text) => read_text(text.trim()),
        Data::Dict(_) => {
            let word =
                |keys: &[&str]| keys.iter().find_map(|key| policy.field(key).as_str()).map(str::to_owned);
            let mode = policy.field("mode").as_str().unwrap_or("manual");
            let target = || filled(word(&["target", "id"]).unwrap_or_default());
            let quality = || filled(word(&["quality", "target", "id"]).unwrap_or_default());
            match mode {
                "manual" | "" => Ok(None),
                "always" => Ok(Some(Policy::Always(target()?))),
                "cheapest_over_quality" => Ok(Some(Policy::Cheapest(quality()?))),
                "fastest_over_quality" => Ok(Some(Policy::Fastest(quality()?))),
                other => Err(format!("route_policy.mode: unsupported value \"{other}\"")),
            }
        }
        _ => Err("route_policy: expected string or dict".to_owned()),
    }
}

fn read_text(text: &str) -> Result<Option<Policy>, String> {
    if text.is_empty() || text == "manual" {
        return Ok(None);
    }
    let call = text.strip_suffix(')').and_then(|open| open.split_once('('));
    let target = |inner: &str| filled(inner.trim().trim_matches('"').to_owned());
    match call {
        Some(("always", inner)) => Ok(Some(Policy::Always(target(inner)?))),
        Some(("cheapest_over_quality", inner)) => Ok(Some(Policy::Cheapest(target(inner)?))),
        Some(("fastest_over_quality", inner)) => Ok(Some(Policy::Fastest(target(inner)?))),
        _ => Err(format!(
            "route_policy: expected manual, always(id), cheapest_over_quality(t), or fastest_over_quality(t), got \
             \"{text}\""
        )),
    }
}

fn filled(target: String) -> Result<String, String> {
    if target.is_empty() { Err("route_policy: target must not be empty".to_owned()) } else { Ok(target) }
}

/// An alias, a model id, or `provider:model`.
pub fn target_of(target: &str, catalog: &Catalog, env: &Environment) -> Resolved {
    if !catalog.aliases.contains_key(target)
        && let Some((provider, model)) = target.split_once(':')
        && catalog.providers.contains_key(provider)
    {
        return Resolved {
            id: model.to_owned(),
            provider: provider.to_owned(),
            alias: None,
            tool_format: None,
        };
    }
    catalog.resolve(env, target)
}

fn rank(tier: &str) -> i64 {
    match tier {
        "small" => 0,
        "frontier" | "large" => 2,
        _ => 1,
    }
}

struct Candidate {
    model: String,
    provider: String,
    available: bool,
    rates: Option<pricing::Rates>,
    latency_ms: Option<i64>,
}

impl Candidate {
    fn new(catalog: &Catalog, env: &Environment, model: String, provider: String) -> Self {
        Candidate {
            available: catalog.available(env, &provider),
            rates: pricing::rates(catalog, &provider, &model),
            latency_ms: catalog.providers.get(&provider).and_then(|known| known.latency_p50_ms),
            model,
            provider,
        }
    }

    fn price(&self) -> f64 {
        self.rates.map_or(f64::INFINITY, |rates| rates.input + rates.output)
    }

    fn latency(&self) -> f64 {
        self.latency_ms.map_or(f64::INFINITY, |ms| ms as f64)
    }

    fn to_data(&self, chosen: &Resolved) -> Data {
        let selected = self.model == chosen.id && self.provider == chosen.provider;
        let reason = match (selected, self.available) {
            (true, _) => "selected",
            (false, true) => "available",
            (false, false) => "no key",
        };
        Data::dict([
            ("provider", Data::from(self.provider.clone())),
            ("model", self.model.clone().into()),
            ("quality_tier", model_tier(&self.model).into()),
            ("available", self.available.into()),
            ("selected", selected.into()),
            ("cost_per_1k_in", self.rates.map(|rates| rates.input / 1000.0).into()),
            ("cost_per_1k_out", self.rates.map(|rates| rates.output / 1000.0).into()),
            ("latency_p50_ms", self.latency_ms.into()),
            ("reason", reason.into()),
        ])
    }
}

fn record(policy: &str, quality: Data, chosen: &Resolved, alternatives: Vec<Data>) -> Data {
    Data::dict([
        ("policy", Data::from(policy)),
        ("requested_quality", quality),
        ("selected_provider", chosen.provider.clone().into()),
        ("selected_model", chosen.id.clone().into()),
        ("alternatives", Data::List(alternatives)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(policy: &str, env: &Environment) -> Result<Option<(String, String)>, String> {
        let route = decide(&policy.into(), &Catalog::builtin(), env)?;
        Ok(route.map(|route| (route.chosen.provider, route.chosen.id)))
    }

    #[test]
    fn the_cheapest_reachable_model_of_the_quality_wins() {
        let env = Environment::default().with_secret("ANTHROPIC_API_KEY").with_secret("OPENAI_API_KEY");
        let pair = |p: &str, m: &str| Ok(Some((p.to_owned(), m.to_owned())));
        assert_eq!(route("cheapest_over_quality(mid)", &env), pair("openai", "gpt-4o-mini"));
        assert_eq!(
            route("cheapest_over_quality(frontier)", &env),
            pair("anthropic", "claude-sonnet-4-20250514")
        );
        assert_eq!(route("always(mock:m1)", &env), pair("mock", "m1"));
        assert_eq!(route("manual", &env), Ok(None));
    }

    #[test]
    fn wrong_policies_are_refused() {
        let env = Environment::default();
        insta::assert_snapshot!(route("best", &env).unwrap_err(), @r#"route_policy: expected manual, always(id), cheapest_over_quality(t), or fastest_over_quality(t), got "best""#);
        insta::assert_snapshot!(route("always()", &env).unwrap_err(), @"route_policy: target must not be empty");
    }
}
