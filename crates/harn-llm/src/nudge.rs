//! What a model is told when its reply does not fit the schema (spec 07 section 1.7.2).

use harn_effect::Data;

use crate::schema;

/// How a schema retry speaks to the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Nudge {
    /// Not at all: the same request again.
    Silent,
    /// In these words, with the errors after them.
    Words(String),
    /// In generated words.
    #[default]
    Generated,
}

impl Nudge {
    /// Reads `schema_retry_nudge`.
    pub fn read(option: &Data) -> Self {
        match option {
            Data::Bool(false) => Nudge::Silent,
            Data::Str(words) => Nudge::Words(words.clone()),
            _ => Nudge::Generated,
        }
    }

    /// The text of the user message, none for a silent retry.
    pub fn text(&self, errors: &[String], schema: &Data) -> Option<String> {
        let joined = errors.join("; ");
        match self {
            Nudge::Silent => None,
            Nudge::Words(words) => Some(format!("{words}\n\nValidation errors: {joined}")),
            Nudge::Generated => Some(generated(&joined, schema)),
        }
    }
}

/// Most lines, keys in a line and levels of the shape.
const MAX_LINES: usize = 8;
const MAX_KEYS: usize = 16;
const MAX_DEPTH: usize = 3;

fn generated(errors: &str, schema: &Data) -> String {
    let schema = schema::to_json_schema(schema);
    let mut lines = vec![
        "Your previous response did not match the required JSON schema.".to_owned(),
        format!("Validation errors: {errors}."),
    ];
    let required = names(schema.field("required"));
    if !required.is_empty() {
        lines.push(format!("Required keys: {}.", required.join(", ")));
    }
    let allowed = keys(&schema);
    if !allowed.is_empty() {
        lines.push(format!("Allowed top-level keys: {}.", allowed.join(", ")));
    }
    let mut shape = Vec::new();
    describe(&schema, "root", 0, &mut shape);
    if !shape.is_empty() {
        lines.push("Expected JSON schema shape:".to_owned());
        lines.extend(shape);
    }
    lines.push("Answer again with JSON only: no prose, no code fences.".to_owned());
    lines.join("\n")
}

fn describe(schema: &Data, path: &str, depth: usize, lines: &mut Vec<String>) {
    if depth >= MAX_DEPTH || lines.len() >= MAX_LINES {
        return;
    }
    let allowed = keys(schema);
    if !allowed.is_empty() {
        let mut line = format!("- {path} object allowed keys: {}", shortened(&allowed));
        let required = names(schema.field("required"));
        if !required.is_empty() {
            line.push_str(&format!("; required keys: {}", shortened(&required)));
        }
        lines.push(line);
    }
    for (name, property) in schema.field("properties").as_dict().into_iter().flatten() {
        let inner = if path == "root" { name.clone() } else { format!("{path}.{name}") };
        describe(property, &inner, depth + 1, lines);
    }
    let items = schema.field("items");
    if items.as_dict().is_some() {
        describe(items, &format!("{path}[]"), depth + 1, lines);
    }
}

fn names(list: &Data) -> Vec<&str> {
    list.as_list().unwrap_or_default().iter().filter_map(Data::as_str).collect()
}

fn keys(schema: &Data) -> Vec<&str> {
    schema.field("properties").as_dict().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn shortened(names: &[&str]) -> String {
    let shown = names.iter().take(MAX_KEYS).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_KEYS) {
        0 => shown,
        more => format!("{shown}, ... (+{more} more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_generated_text_shows_errors_keys_and_shape() {
        let schema = Data::from_json(&json!({
            "type": "object",
            "required": ["ok"],
            "properties": {
                "ok": {"type": "boolean"},
                "steps": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            },
        }));
        let errors = ["at root: missing required key 'ok'".to_owned()];
        insta::assert_snapshot!(Nudge::Generated.text(&errors, &schema).unwrap(), @"
        Your previous response did not match the required JSON schema.
        Validation errors: at root: missing required key 'ok'.
        Required keys: ok.
        Allowed top-level keys: ok, steps.
        Expected JSON schema shape:
        - root object allowed keys: ok, steps; required keys: ok
        - steps[] object allowed keys: n
        Answer again with JSON only: no prose, no code fences.
        ");
    }

    #[test]
    fn long_lists_of_keys_are_cut() {
        let many: Vec<String> = (0..20).map(|n| format!("k{n:02}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(shortened(&names).ends_with("k15, ... (+4 more)"));
    }
}
