//! Reading `harn.toml`: a thin view of the document by section and key (spec 03 section 15).

use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;
use toml::{Table, Value};

/// A parsed manifest.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    table: Table,
}

/// Parses the text of the `harn.toml` at `path`.
///
/// # Errors
/// One line that names the file and the place: the text is no TOML, or a known key has a value of another kind.
pub fn parse(path: &str, text: &str) -> Result<Manifest, String> {
    let table = text.parse::<Table>().map_err(|why| {
        let at = place(text, why.span().map_or(0, |span| span.start));
        format!("failed to parse {path}: {at}: {}", why.message().lines().next().unwrap_or("malformed"))
    })?;
    match table.iter().find_map(|(section, content)| wrong(section, content)) {
        None => Ok(Manifest { table }),
        Some((section, key, why)) => {
            let at = place(text, value_start(text, section, key).unwrap_or(0));
            Err(format!("{path}: {at}: {why}"))
        }
    }
}

/// Line and column of an offset, both from 1; columns count characters.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}")
}

/// Where the value of a key begins, or the section itself when there is no key.
fn value_start(text: &str, section: &str, key: Option<&str>) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let section = document.get_ref().get(section)?;
    let Some(key) = key else { return Some(section.span().start) };
    Some(section.get_ref().as_table()?.get(key)?.span().start)
}

/// What a key holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    /// A whole number of at least so much.
    Number(i64),
    Texts,
    /// A table of lists of strings.
    Lists,
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_str));
        match self {
            Kind::Text => value.is_str(),
            Kind::Flag => value.is_bool(),
            // Widths are counted in 16 bits, as on the command line.
            Kind::Number(least) => {
                value.as_integer().is_some_and(|n| (least..=i64::from(u16::MAX)).contains(&n))
            }
            Kind::Texts => texts(value),
            Kind::Lists => value.as_table().is_some_and(|table| table.values().all(texts)),
        }
    }

    fn wanted(self) -> String {
        match self {
            Kind::Text => "a string in quotes".to_owned(),
            Kind::Flag => "true or false, without quotes".to_owned(),
            Kind::Number(least) => format!("a whole number from {least} to {}", u16::MAX),
            Kind::Texts => "a list of strings, as [\"a\", \"b\"]".to_owned(),
            Kind::Lists => "a table of lists of strings, as {project = [\"scan\"]}".to_owned(),
        }
    }
}

/// The keys of each section; a section without a list may hold any.
const KNOWN: &[(&str, &[(&str, Kind)])] = &[
    (
        "package",
        &[
            ("name", Kind::Text),
            ("version", Kind::Text),
            ("description", Kind::Text),
            ("license", Kind::Text),
            ("repository", Kind::Text),
            ("harn", Kind::Text),
            ("harn_version", Kind::Text),
            ("harn_version_range", Kind::Text),
            ("docs_url", Kind::Text),
            ("evals", Kind::Texts),
        ],
    ),
    ("dependencies", &[]),
    ("exports", &[]),
    ("asset_roots", &[]),
    (
        "check",
        &[
            ("strict", Kind::Flag),
            ("strict_types", Kind::Flag),
            ("strict_runtime", Kind::Flag),
            ("disable_rules", Kind::Texts),
            ("host_capabilities", Kind::Lists),
            ("host_capabilities_path", Kind::Text),
            ("host_capabilities_file", Kind::Text),
            ("bundle_root", Kind::Text),
            ("preflight_severity", Kind::Text),
            ("preflight_allow", Kind::Texts),
        ],
    ),
    (
        "lint",
        &[
            ("disabled", Kind::Texts),
            ("require_file_header", Kind::Flag),
            ("complexity_threshold", Kind::Number(0)),
        ],
    ),
    ("fmt", &[("line_width", Kind::Number(20)), ("separator_width", Kind::Number(20))]),
    ("workspace", &[("pipelines", Kind::Texts)]),
    ("registry", &[("url", Kind::Text)]),
    // What these three hold is read, with their mistakes, by `harn_govern::rules`.
    ("reviewers", &[]),
    ("hitl", &[]),
    ("autonomy", &[]),
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

/// The first known key of a section that holds something of another kind, with what to write.
fn wrong<'t>(section: &'t str, content: &'t Value) -> Option<(&'t str, Option<&'t str>, String)> {
    let (_, keys) = KNOWN.iter().find(|(name, keys)| *name == section && !keys.is_empty())?;
    let Some(content) = content.as_table() else {
        return Some((
            section,
            None,
            format!("`{section}` must be a section, as [{section}] on a line of its own"),
        ));
    };
    content.iter().find_map(|(key, value)| {
        let plain = key.replace('-', "_");
        let (_, kind) = keys.iter().find(|(name, _)| *name == plain)?;
        let why = || format!("[{section}] {key} must be {}; it is {value}", kind.wanted());
        (!kind.takes(value)).then(|| (section, Some(key.as_str()), why()))
    })
}

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
                if !keys.iter().any(|(name, _)| *name == key.replace('-', "_")) {
                    let near = nearest(key, keys.iter().map(|(name, _)| *name));
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
        let manifest =
            parse("harn.toml", "[lint]\nrequire-file-header = true\ndisabled = ['a', 'b']\n").unwrap();
        assert_eq!(manifest.flag("lint", "require_file_header"), Some(true));
        assert_eq!(manifest.list("lint", "disabled"), ["a", "b"]);
        assert_eq!(manifest.number("lint", "complexity_threshold"), None);
    }

    #[test]
    fn unknown_keys_are_found_with_what_was_meant() {
        let text = "[lint]\ndisable = []\n[packge]\nname = 'a'\n[exports]\nany = 'b'\n[hitl]\n";
        assert_eq!(
            parse("harn.toml", text).unwrap().unknown_keys(),
            [
                ("lint.disable".to_owned(), Some("lint.disabled".to_owned())),
                ("packge".to_owned(), Some("package".to_owned()))
            ]
        );
    }

    #[test]
    fn malformed_text_is_one_line_with_its_place() {
        let error = parse("a/harn.toml", "x = 1\n[lint\n").unwrap_err();
        assert_eq!(error, "failed to parse a/harn.toml: line 2, column 6: unclosed table, expected `]`");
    }

    #[test]
    fn a_value_of_another_kind_is_refused_at_its_place_with_what_to_write() {
        let error = |text: &str| parse("harn.toml", text).unwrap_err();
        insta::assert_snapshot!(
            [
                error("[fmt]\nline_width = 8\n"),
                error("[fmt]\nline-width = \"100\"\n"),
                error("[fmt]\nseparator_width = 70000\n"),
                error("[check]\nstrict = \"yes\"\n"),
                error("lint.disabled = \"unused-import\"\n"),
                error("[check.host_capabilities]\nproject = \"scan\"\n"),
                error("[[package]]\nname = \"a\"\n"),
                error("fmt = 80\n"),
            ]
            .join("\n"),
            @r#"
        harn.toml: line 2, column 14: [fmt] line_width must be a whole number from 20 to 65535; it is 8
        harn.toml: line 2, column 14: [fmt] line-width must be a whole number from 20 to 65535; it is "100"
        harn.toml: line 2, column 19: [fmt] separator_width must be a whole number from 20 to 65535; it is 70000
        harn.toml: line 2, column 10: [check] strict must be true or false, without quotes; it is "yes"
        harn.toml: line 1, column 17: [lint] disabled must be a list of strings, as ["a", "b"]; it is "unused-import"
        harn.toml: line 1, column 1: [check] host_capabilities must be a table of lists of strings, as {project = ["scan"]}; it is { project = "scan" }
        harn.toml: line 1, column 1: `package` must be a section, as [package] on a line of its own
        harn.toml: line 1, column 7: `fmt` must be a section, as [fmt] on a line of its own
        "#
        );
    }
}
