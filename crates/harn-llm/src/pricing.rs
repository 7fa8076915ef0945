//! What tokens cost (spec 07 section 1.9.4).

use crate::catalog::Catalog;
use crate::reply::Usage;

/// USD per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Input tokens.
    pub input: f64,
    /// Output tokens.
    pub output: f64,
    /// Input tokens read from the provider's cache, when known.
    pub cache_read: Option<f64>,
    /// Input tokens written to the provider's cache, when known.
    pub cache_write: Option<f64>,
}

/// Families of Claude whose cache rates are published: read 0.1, write 1.25 of the input rate.
const CLAUDE_CACHE: (f64, f64) = (0.1, 1.25);

/// Built-in prices: words the model id must hold (whole segments for the first), input, output.
const TABLE: &[(&[&str], f64, f64)] = &[
    (&["claude-3-5-haiku"], 0.80, 4.0),
    (&["claude-haiku-4"], 0.80, 4.0),
    (&["claude-3-5-sonnet"], 3.0, 15.0),
    (&["claude-sonnet-4"], 3.0, 15.0),
    (&["claude-3-opus"], 15.0, 75.0),
    (&["claude-opus-4"], 15.0, 75.0),
    (&["gpt-4o-mini"], 0.15, 0.60),
    (&["gpt-4o"], 2.50, 10.0),
    (&["gpt-4-turbo"], 10.0, 30.0),
    (&["o1-mini"], 3.0, 12.0),
    (&["o1"], 15.0, 60.0),
    (&["o3"], 15.0, 60.0),
    (&["llama", "70b"], 0.59, 0.79),
    (&["llama", "8b"], 0.05, 0.08),
    (&["mistral-large"], 2.0, 6.0),
    (&["mistral-small"], 0.20, 0.60),
    (&["gemini-2", "flash"], 0.10, 0.40),
    (&["gemini-2", "pro"], 1.25, 5.0),
];

/// The rates of a model: catalog, built-in table, the provider's flat rate; `None` when nobody knows.
pub fn rates(catalog: &Catalog, provider: &str, model: &str) -> Option<Rates> {
    if let Some(rates) = catalog.models.get(model).and_then(|entry| entry.pricing) {
        return Some(rates);
    }
    let id = model.to_lowercase();
    let known = TABLE.iter().find(|(words, ..)| match words {
        [only] => starts_a_name(&id, only),
        words => words.iter().all(|word| id.contains(word)),
    });
    if let Some((_, input, output)) = known {
        let cache = id.contains("claude-").then_some(CLAUDE_CACHE);
        return Some(Rates {
            input: *input,
            output: *output,
            cache_read: cache.map(|(read, _)| read * input),
            cache_write: cache.map(|(_, write)| write * input),
        });
    }
    let provider = catalog.providers.get(provider)?;
    let input = provider.cost_per_1k_in? * 1000.0;
    let output = provider.cost_per_1k_out? * 1000.0;
    Some(Rates { input, output, cache_read: None, cache_write: None })
}

/// Whether `name` stands in `id` as the beginning of a name: at the start or after `/`, `.` or `:`, and not inside a
/// longer word. So `o1` prices `o1-preview` but not `gpt-4o10` or `turbo1`.
fn starts_a_name(id: &str, name: &str) -> bool {
    id.match_indices(name).any(|(at, _)| {
        let before = id.get(..at).and_then(|text| text.chars().next_back());
        let after = id.get(at + name.len()..).and_then(|text| text.chars().next());
        before.is_none_or(|c| matches!(c, '/' | '.' | ':')) && after.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// USD of a number of tokens; nothing for unknown models.
pub fn cost(rates: Option<Rates>, input_tokens: i64, output_tokens: i64) -> f64 {
    rates.map_or(0.0, |rates| {
        (input_tokens as f64 * rates.input + output_tokens as f64 * rates.output) / 1_000_000.0
    })
}

/// Input tokens that were neither read from nor written to the cache, and the whole prompt. Providers disagree whether
/// `input_tokens` counts the cached ones: it does when they fit into it.
fn prompt_split(usage: &Usage) -> (i64, i64) {
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    if cached <= usage.input_tokens {
        (usage.input_tokens.saturating_sub(cached), usage.input_tokens)
    } else {
        (usage.input_tokens, usage.input_tokens.saturating_add(cached))
    }
}

/// Tokens of a reply that are paid for: the whole prompt, cached or not, and the answer.
pub fn billed_tokens(usage: &Usage) -> i64 {
    prompt_split(usage).1.saturating_add(usage.output_tokens)
}

/// USD of a reply, cached tokens at their own rates when those are known.
pub fn reply_cost(rates: Option<Rates>, usage: &Usage) -> f64 {
    let Some(known) = rates else { return 0.0 };
    let (fresh, _) = prompt_split(usage);
    let read = usage.cache_read_tokens as f64 * known.cache_read.unwrap_or(known.input);
    let written = usage.cache_write_tokens as f64 * known.cache_write.unwrap_or(known.input);
    cost(rates, fresh, usage.output_tokens) + (read + written) / 1_000_000.0
}

/// Share of the prompt that came from the cache; 0 for an empty prompt.
pub fn cache_hit_ratio(usage: &Usage) -> f64 {
    match prompt_split(usage) {
        (_, 0) => 0.0,
        (_, prompt) => usage.cache_read_tokens as f64 / prompt as f64,
    }
}

/// USD saved by the cache; negative when writing it cost more than it saved.
pub fn cache_savings(rates: Option<Rates>, usage: &Usage) -> f64 {
    let Some(rates) = rates else { return 0.0 };
    let saved = |tokens: i64, rate: Option<f64>| {
        rate.map_or(0.0, |rate| tokens as f64 * (rates.input - rate) / 1_000_000.0)
    };
    saved(usage.cache_read_tokens, rates.cache_read) + saved(usage.cache_write_tokens, rates.cache_write)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: &str) -> Option<(f64, f64)> {
        rates(&Catalog::builtin(), "openai", model).map(|rates| (rates.input, rates.output))
    }

    #[test]
    fn a_price_needs_the_name_not_a_part_of_a_word() {
        assert_eq!(of("gpt-4o-mini-2024-07-18"), Some((0.15, 0.60)));
        assert_eq!(of("anthropic/claude-sonnet-4.6"), Some((3.0, 15.0)));
        assert_eq!(of("o1-preview"), Some((15.0, 60.0)));
        assert_eq!(of("turbo1"), None);
        assert_eq!(of("o100"), None);
    }

    #[test]
    fn cached_tokens_cost_their_own_rate() {
        let usage = Usage { input_tokens: 100, cache_read_tokens: 100, ..Usage::default() };
        let rates = rates(&Catalog::builtin(), "anthropic", "claude-sonnet-4-20250514");
        assert!((reply_cost(rates, &usage) - 100.0 * 0.3 / 1e6).abs() < 1e-12);
        assert!(cache_savings(rates, &usage) > 0.0);
        assert_eq!(cache_hit_ratio(&usage), 1.0);
    }
}
