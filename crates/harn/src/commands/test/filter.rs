//! Which tests are meant: `--filter` (spec 09 section 4.1).

use regex::Regex;

/// A choice of test names.
#[derive(Clone, Debug)]
pub struct Filter(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    Part(String),
    Regex(Regex),
}

impl Filter {
    /// Reads a filter; none chooses every test.
    pub fn parse(text: Option<&str>) -> Result<Filter, String> {
        let Some(text) = text else { return Ok(Filter(Vec::new())) };
        if let Some(pattern) = text.strip_prefix("re:") {
            return Ok(Filter(vec![Pattern::Regex(regex(pattern)?)]));
        }
        let one = |part: &str| {
            if !part.contains(['*', '?']) {
                return Ok(Pattern::Part(part.to_owned()));
            }
            let escaped = regex::escape(part).replace(r"\*", ".*").replace(r"\?", ".");
            Ok(Pattern::Regex(regex(&format!("^{escaped}$"))?))
        };
        text.split('|').map(one).collect::<Result<_, String>>().map(Filter)
    }

    /// Whether a test is meant.
    pub fn takes(&self, name: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|pattern| match pattern {
                Pattern::Part(part) => name.contains(part.as_str()),
                Pattern::Regex(regex) => regex.is_match(name),
            })
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("--filter is no regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(filter: &str) -> Vec<&'static str> {
        let filter = Filter::parse(Some(filter)).unwrap();
        ["test_add", "test_sub", "test_add_all"].into_iter().filter(|name| filter.takes(name)).collect()
    }

    #[test]
    fn a_filter_is_a_part_alternatives_a_glob_or_a_regex() {
        assert_eq!(taken("add"), ["test_add", "test_add_all"]);
        assert_eq!(taken("sub|all"), ["test_sub", "test_add_all"]);
        assert_eq!(taken("test_a?d"), ["test_add"]);
        assert_eq!(taken("*_add"), ["test_add"]);
        assert_eq!(taken("re:^test_s"), ["test_sub"]);
        assert!(Filter::parse(Some("re:(")).is_err());
    }
}
