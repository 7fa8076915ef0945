//! Categories of errors (spec 02 section 10.5).

/// The categories a program may name.
pub const CATEGORIES: &[&str] = &[
    "timeout",
    "auth",
    "rate_limit",
    "overloaded",
    "server_error",
    "transient_network",
    "schema_validation",
    "tool_error",
    "tool_rejected",
    "egress_blocked",
    "cancelled",
    "not_found",
    "circuit_open",
    "budget_exceeded",
    "generic",
];

/// The category that the text of an error tells.
pub fn classify(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("Error [")
        && let Some((category, _)) = rest.split_once("]: ")
    {
        return category.to_owned();
    }
    status_category(text).or_else(|| phrase_category(text)).unwrap_or("generic").to_owned()
}

/// The first standalone number 400..=599 that maps to a category.
fn status_category(text: &str) -> Option<&'static str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).find_map(|word| match word {
        "401" | "403" => Some("auth"),
        "404" | "410" => Some("not_found"),
        "408" | "504" | "522" | "524" => Some("timeout"),
        "429" => Some("rate_limit"),
        "503" | "529" => Some("overloaded"),
        "500" | "502" => Some("server_error"),
        _ => None,
    })
}

fn phrase_category(text: &str) -> Option<&'static str> {
    const EXACT: &[(&str, &str)] = &[
        ("Deadline exceeded", "timeout"),
        ("context deadline exceeded", "timeout"),
        ("overloaded_error", "overloaded"),
        ("api_error", "server_error"),
        ("insufficient_quota", "rate_limit"),
        ("billing_hard_limit_reached", "rate_limit"),
        ("invalid_api_key", "auth"),
        ("authentication_error", "auth"),
        ("not_found_error", "not_found"),
        ("model_not_found", "not_found"),
        ("circuit_open", "circuit_open"),
    ];
    const NETWORK: &[&str] = &[
        "connection reset",
        "connection refused",
        "connection closed",
        "broken pipe",
        "dns error",
        "stream error",
        "unexpected eof",
    ];
    let exact = EXACT.iter().find(|(phrase, _)| text.contains(phrase)).map(|(_, category)| *category);
    exact.or_else(|| {
        let lower = text.to_lowercase();
        NETWORK.iter().any(|phrase| lower.contains(phrase)).then_some("transient_network")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mapped_status_wins() {
        assert_eq!(classify("418 then 503 then 404"), "overloaded");
        assert_eq!(classify("code 1404"), "generic");
    }

    #[test]
    fn phrases_come_after_statuses() {
        assert_eq!(classify("Deadline exceeded"), "timeout");
        assert_eq!(classify("Connection RESET by peer"), "transient_network");
        assert_eq!(classify("429 Deadline exceeded"), "rate_limit");
    }

    #[test]
    fn a_categorised_error_keeps_its_category() {
        assert_eq!(classify("Error [tool_rejected]: 404"), "tool_rejected");
    }
}
