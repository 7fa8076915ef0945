//! Reading `harn.toml`: a thin view of the document by section and key (spec 03 section 15).

use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// A parsed manifest.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    table: Table,
}

/// Parses the text of a `harn.toml`; the error is one line.
pub fn parse(text: &str) -> Result<Manifest, String> {
    match text.parse::<Table>() {
        Ok(table) => Ok(Manifest { table }),
        Err(why) => {
            let line = why
                .span()
                .and_then(|span| text.get(..span.start))
                .map(|before| before.matches('\n').count() + 1);
            let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            Err(format!("{at}{}", why.message().lines().next().unwrap_or("malformed")))
        }
    }
}

/// The keys of each section; a section without a list may hold any.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "package",
        &[
            "name",
            "version",
            "description",
            "license",
            "repository",
            "harn",
            "harn_version",
            "harn_version_range",
            "docs_url",
            "evals",
        ],
    ),
    ("dependencies", &[]),
    ("exports", &[]),
    ("asset_roots", &[]),
    (
        "check",
        &[
            "strict",
            "strict_types",
            "strict_runtime",
            "disable_rules",
            "host_capabilities",
            "host_capabilities_path",
            "host_capabilities_file",
            "bundle_root",
            "preflight_severity",
            "preflight_allow",
        ],
    ),
    ("lint", &["disabled", "require_file_header", "complexity_threshold"]),
    ("fmt", &["line_width", "separator_width"]),
    ("workspace", &["pipelines"]),
    ("registry", &["url"]),
    ("mcp", &[]),
    ("llm", &[]),
    ("capabilities", &[]),
    ("skills", &[]),
    ("skill", &[]),
    ("hooks", &[]),
    ("triggers", &[]),
    ("providers", &[]),
    ("personas", &[]),
    ("connector_contract", &[]),
    ("orchestrator", &[]),
];

impl Manifest {
    /// Sections and keys that nothing reads (spec 09 section 3), as `section` or `section.key`, each with the known name
    /// it resembles.
    pub fn unknown_keys(&self) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        for (section, content) in &self.table {
            let Some((_, keys)) = KNOWN.iter().find(|(name, _)| name == section) else {
                let near = nearest(section, KNOWN.iter().map(|(name, _)| *name));
                found.push((section.clone(), near));
                continue;
            };
            let Some(content) = content.as_table().filter(|_| !keys.is_empty()) else { continue };
            for key in content.keys() {
                if !keys.contains(&key.replace('-', "_").as_str()) {
                    let near = nearest(key, keys.iter().copied());
                    found.push((format!("{section}.{key}"), near.map(|key| format!("{section}.{key}"))));
                }
            }
        }
        found
    }

    fn value(&self, section: &str, key: &str) -> Option<&Value> {
        let section = self.table.get(section)?.as_table()?;
        section.get(key).or_else(|| section.get(&key.replace('_', "-")))
    }

    /// A string; keys may be written with `-` for `_`.
    pub fn text(&self, section: &str, key: &str) -> Option<&str> {
        self.value(section, key)?.as_str()
    }

    /// A bool.
    pub fn flag(&self, section: &str, key: &str) -> Option<bool> {
        self.value(section, key)?.as_bool()
    }

    /// An integer.
    pub fn number(&self, section: &str, key: &str) -> Option<i64> {
        self.value(section, key)?.as_integer()
    }

    /// A table of lists of strings.
    pub fn lists(&self, section: &str, key: &str) -> BTreeMap<String, BTreeSet<String>> {
        let table = self.value(section, key).and_then(Value::as_table);
        let texts = |value: &Value| {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        table.into_iter().flatten().map(|(name, value)| (name.clone(), texts(value))).collect()
    }

    /// A list of strings; other members are left out.
    pub fn list(&self, section: &str, key: &str) -> Vec<String> {
        let items = self.value(section, key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// The known name that was meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    crate::spelling::nearest(name, known, 2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_written_with_dashes() {
        let manifest = parse("[lint]\nrequire-file-header = true\ndisabled = ['a', 'b']\n").unwrap();
        assert_eq!(manifest.flag("lint", "require_file_header"), Some(true));
        assert_eq!(manifest.list("lint", "disabled"), ["a", "b"]);
        assert_eq!(manifest.number("lint", "complexity_threshold"), None);
    }

    #[test]
    fn unknown_keys_are_found_with_what_was_meant() {
        let manifest = parse("[lint]\ndisable = []\n[packge]\nname = 'a'\n[exports]\nany = 'b'\n").unwrap();
        assert_eq!(
            manifest.unknown_keys(),
            [
                ("lint.disable".to_owned(), Some("lint.disabled".to_owned())),
                ("packge".to_owned(), Some("package".to_owned()))
            ]
        );
    }

    #[test]
    fn malformed_text_is_one_line() {
        let error = parse("[lint\n").unwrap_err();
        assert!(!error.contains('\n') && !error.is_empty());
    }
}
