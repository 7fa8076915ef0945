//! What the system prompt says about tools (spec 07 sections 3.3 and 5.1).

use harn_effect::Data;
use std::collections::{BTreeMap, BTreeSet};

/// The tool contract for a system prompt. `tools` are registry entries as plain data; in native mode the schemas travel
/// beside the prompt, so only the rules are stated.
pub fn tool_contract(tools: &[Data], native: bool, sentinel: &str, examples: Option<&str>) -> String {
    if native {
        return NATIVE_RULES.replace("SENTINEL", sentinel);
    }
    let mut types = SharedTypes::default();
    let mut full = Vec::new();
    let mut compact = Vec::new();
    for tool in tools {
        if tool.field("compact").as_bool() == Some(true) {
            compact.push(format!("- {}", signature(tool, &mut types)));
        } else {
            full.push(declaration(tool, &mut types));
        }
    }
    let mut text = TEXT_RULES.replace("SENTINEL", sentinel);
    text.push_str("\n\n### Tools\n\n");
    text.push_str(&full.join("\n"));
    if !compact.is_empty() {
        text.push_str(&compact.join("\n"));
        text.push('\n');
    }
    if !types.names.is_empty() {
        text.push_str("\n### Shared types\n\n");
        for name in &types.names {
            text.push_str(&format!("- {name}\n"));
        }
    }
    if let Some(examples) = examples {
        text.push_str("\n### Examples\n\n");
        text.push_str(examples.trim());
        text.push('\n');
    }
    text.trim_end().to_owned()
}

const NATIVE_RULES: &str = "## Tools

Active mode: `native`

Call tools only through the native tool-call interface. Do not write calls as text: they are not executed. Results come back as tool messages.";

const TEXT_RULES: &str = "## Tools

Active mode: `text`

Write your whole reply as a sequence of these blocks, with nothing outside them:

<tool_call>
name({ key: \"value\" })
</tool_call>
    exactly one call; the argument is one object literal. Long text may be a heredoc: <<EOF, the lines, EOF.
<assistant_prose>short narration</assistant_prose>
<user_response>the answer for the user</user_response>
<done>SENTINEL</done>
    only when everything is finished.

Results come back in a <runtime_feedback kind=\"tool_results\"> message. Never write results yourself.";

/// Names of `$ref`s, listed once after the tools.
#[derive(Default)]
struct SharedTypes {
    names: BTreeSet<String>,
}

fn declaration(tool: &Data, types: &mut SharedTypes) -> String {
    let description = tool.field("description").as_str().unwrap_or("").replace("*/", "* /");
    format!("declare function {};\n/** {description} */\n", signature(tool, types))
}

/// `look(args: { what: string /* required — target */; n?: number /* optional — default 3 */ }): string`.
fn signature(tool: &Data, types: &mut SharedTypes) -> String {
    let name = tool.field("name").as_str().unwrap_or("");
    let empty = BTreeMap::new();
    let params = tool.field("parameters").as_dict().unwrap_or(&empty);
    let (required, optional): (Vec<_>, Vec<_>) = params.iter().partition(|(_, schema)| is_required(schema));
    let fields: Vec<String> =
        required.iter().chain(&optional).map(|(key, schema)| field(key, schema, types)).collect();
    let args = if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join("; ")) };
    let result = match tool.field("outputSchema") {
        Data::Nil => "string".to_owned(),
        schema => type_text(schema, types),
    };
    format!("{name}(args: {args}): {result}")
}

fn is_required(schema: &Data) -> bool {
    schema.field("required").as_bool() != Some(false)
        && schema.as_dict().is_none_or(|d| !d.contains_key("default"))
}

fn field(key: &str, schema: &Data, types: &mut SharedTypes) -> String {
    let required = is_required(schema);
    let mut notes = vec![if required { "required".to_owned() } else { "optional".to_owned() }];
    match schema {
        // In text mode a parameter given as a string is its description.
        Data::Str(description) => notes.push(description.clone()),
        _ => {
            if let Some(description) = schema.field("description").as_str() {
                notes.push(description.to_owned());
            }
            if let Some(default) = schema.as_dict().and_then(|d| d.get("default")) {
                notes.push(format!("default {}", default.to_json()));
            }
            if let Some(examples) = schema.field("examples").as_list().filter(|e| !e.is_empty()) {
                let shown: Vec<String> = examples.iter().map(|e| e.to_json().to_string()).collect();
                notes.push(format!(
                    "example{} {}",
                    if shown.len() == 1 { "" } else { "s" },
                    shown.join(", ")
                ));
            }
        }
    }
    let note = notes.join(" — ").replace("*/", "* /");
    let mark = if required { "" } else { "?" };
    format!("{key}{mark}: {} /* {note} */", type_text(schema, types))
}

/// A schema as a TypeScript type.
fn type_text(schema: &Data, types: &mut SharedTypes) -> String {
    if let Some(reference) = schema.field("$ref").as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference).to_owned();
        types.names.insert(name.clone());
        return name;
    }
    if let Some(values) = schema.field("enum").as_list() {
        return values.iter().map(|v| v.to_json().to_string()).collect::<Vec<_>>().join(" | ");
    }
    if let Some(value) = schema.as_dict().and_then(|d| d.get("const")) {
        return value.to_json().to_string();
    }
    for (key, separator) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema.field(key).as_list() {
            return parts.iter().map(|part| type_text(part, types)).collect::<Vec<_>>().join(separator);
        }
    }
    let base = match schema.field("type").as_str() {
        Some("int" | "integer" | "float" | "number") => "number".to_owned(),
        Some("bool" | "boolean") => "boolean".to_owned(),
        Some("list" | "array") => format!("{}[]", item_type(schema, types)),
        Some("dict" | "object") => object_type(schema, types),
        Some("nil" | "null") => "null".to_owned(),
        Some("any") => "any".to_owned(),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    };
    let base = if matches!(schema, Data::Str(_)) { "string".to_owned() } else { base };
    if schema.field("nullable").as_bool() == Some(true) { format!("{base} | null") } else { base }
}

fn item_type(schema: &Data, types: &mut SharedTypes) -> String {
    match schema.field("items") {
        Data::Nil => "any".to_owned(),
        items => {
            let text = type_text(items, types);
            if text.contains(' ') { format!("({text})") } else { text }
        }
    }
}

fn object_type(schema: &Data, types: &mut SharedTypes) -> String {
    let Some(properties) = schema.field("properties").as_dict() else {
        return "object".to_owned();
    };
    let fields: Vec<String> =
        properties.iter().map(|(key, value)| format!("{key}: {}", type_text(value, types))).collect();
    format!("{{ {} }}", fields.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Data {
        Data::dict([
            ("name", Data::from("look")),
            ("description", Data::from("Looks around")),
            (
                "parameters",
                Data::dict([
                    ("n", Data::dict([("type", Data::from("int")), ("default", Data::Int(3))])),
                    (
                        "what",
                        Data::dict([("type", Data::from("string")), ("description", Data::from("target"))]),
                    ),
                ]),
            ),
        ])
    }

    #[test]
    fn text_mode_declares_tools_with_required_parameters_first() {
        let text = tool_contract(&[look()], false, "##DONE##", None);
        assert!(text.contains(
            "declare function look(args: { what: string /* required — target */; n?: number /* optional — default 3 */ }): string;\n/** Looks around */"
        ));
        assert!(text.contains("Active mode: `text`") && text.contains("<done>##DONE##</done>"));
    }

    #[test]
    fn native_mode_states_only_the_rules() {
        let text = tool_contract(&[look()], true, "##DONE##", None);
        assert!(text.contains("Active mode: `native`") && !text.contains("declare function"));
    }

    #[test]
    fn enums_lists_and_references_become_types() {
        let mut types = SharedTypes::default();
        let list = Data::dict([
            ("type", Data::from("array")),
            ("items", Data::dict([("$ref", Data::from("types/Pet"))])),
        ]);
        assert_eq!(type_text(&list, &mut types), "Pet[]");
        let choice = Data::dict([("enum", Data::List(vec![Data::from("a"), Data::Int(1)]))]);
        assert_eq!(type_text(&choice, &mut types), "\"a\" | 1");
        assert!(types.names.contains("Pet"));
    }
}
