//! Reading `harn.toml`: a thin view of the document by section and key (spec 03 section 15).

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
        Err(why) => Err(why.message().lines().next().unwrap_or("malformed").to_owned()),
    }
}

impl Manifest {
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

    /// A list of strings; other members are left out.
    pub fn list(&self, section: &str, key: &str) -> Vec<String> {
        let items = self.value(section, key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
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
    fn malformed_text_is_one_line() {
        let error = parse("[lint\n").unwrap_err();
        assert!(!error.contains('\n') && !error.is_empty());
    }
}
