//! Tool declarations as provider-neutral JSON schemas (spec 07 sections 3.1 and 3.2).

use std::collections::BTreeMap;

use harn_effect::Data;

use crate::schema;

/// A tool as a provider sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// An object schema.
    pub parameters: Data,
    /// Loaded on demand.
    pub defer_loading: bool,
    /// Its group for tool search.
    pub namespace: Option<String>,
}

impl ToolSpec {
    /// The declaration of OpenAI's wire format, which knows neither deferred tools nor namespaces.
    pub fn to_openai(&self) -> Data {
        let function = Data::dict([
            ("name", Data::from(self.name.clone())),
            ("description", self.description.clone().into()),
            ("parameters", self.parameters.clone()),
        ]);
        Data::dict([("type", Data::from("function")), ("function", function)])
    }

    /// The neutral record of spec 07 section 3.2: the OpenAI shape with `defer_loading` and `namespace` on the wrapper.
    pub fn to_data(&self) -> Data {
        let mut record = self.to_openai();
        if let Data::Dict(fields) = &mut record {
            if self.defer_loading {
                fields.insert("defer_loading".to_owned(), true.into());
            }
            if let Some(namespace) = &self.namespace {
                fields.insert("namespace".to_owned(), namespace.clone().into());
            }
        }
        record
    }

    /// The declaration of Anthropic's wire format, which knows deferred tools but no namespaces.
    pub fn to_anthropic(&self) -> Data {
        let mut record = vec![
            ("name", Data::from(self.name.clone())),
            ("description", self.description.clone().into()),
            ("input_schema", self.parameters.clone()),
        ];
        if self.defer_loading {
            record.push(("defer_loading", true.into()));
        }
        Data::dict(record)
    }

    /// The placeholder arguments of the mock's default call: each required property by its JSON type.
    pub fn placeholders(&self) -> Data {
        let required = self.parameters.field("required").as_list().unwrap_or_default();
        let properties = self.parameters.field("properties");
        let filled = required.iter().filter_map(Data::as_str).map(|name| {
            let value = match properties.field(name).field("type").as_str() {
                Some("integer") => Data::Int(0),
                Some("number") => Data::Float(0.0),
                Some("boolean") => Data::Bool(false),
                Some("array") => Data::List(Vec::new()),
                Some("object") => Data::Dict(BTreeMap::new()),
                _ => Data::from(""),
            };
            (name.to_owned(), value)
        });
        Data::Dict(filled.collect())
    }
}

/// The tools of the `tools` option: a registry or a list of entries.
pub fn read(tools: &Data) -> Result<Vec<ToolSpec>, String> {
    let entries = match tools {
        Data::Nil => return Ok(Vec::new()),
        Data::List(entries) => entries.as_slice(),
        Data::Dict(_) if tools.field("_type").as_str() == Some("tool_registry") => {
            tools.field("tools").as_list().unwrap_or_default()
        }
        Data::Dict(_) => {
            return Err("tools must be a tool_registry or a list of tool definition dicts".to_owned());
        }
        _ => return Err("tools must be declared as tool definition dicts or a tool_registry".to_owned()),
    };
    entries.iter().map(read_entry).collect()
}

fn read_entry(entry: &Data) -> Result<ToolSpec, String> {
    if entry.as_dict().is_none() {
        return Err("tools must contain only tool definition dicts".to_owned());
    }
    // An entry may already be in a provider's shape.
    let inner = match entry.field("function") {
        function @ Data::Dict(_) => function,
        _ => entry,
    };
    let name = inner.field("name").as_str().unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err("tools must contain only tool definition dicts".to_owned());
    }
    let ready =
        ["inputSchema", "input_schema"].iter().map(|key| inner.field(key)).find(|data| !data.is_nil());
    Ok(ToolSpec {
        name,
        description: inner.field("description").as_str().unwrap_or_default().to_owned(),
        parameters: ready.cloned().unwrap_or_else(|| parameters(inner.field("parameters"))),
        defer_loading: entry.field("defer_loading").as_bool().unwrap_or(false),
        namespace: entry.field("namespace").as_str().map(str::to_owned),
    })
}

/// The object schema of a tool's parameters: a dict of name to schema (or type name), or a ready object schema.
pub fn parameters(declared: &Data) -> Data {
    let is_schema = declared.field("type").as_str() == Some("object")
        && (declared.field("properties").as_dict().is_some() || declared.field("properties").is_nil());
    if is_schema {
        return declared.clone();
    }
    let mut properties = BTreeMap::new();
    let mut required = Vec::new();
    for (name, given) in declared.as_dict().into_iter().flatten() {
        let (property, needed) = parameter(given);
        properties.insert(name.clone(), property);
        if needed {
            required.push(Data::from(name.clone()));
        }
    }
    Data::dict([
        ("type", Data::from("object")),
        ("properties", Data::Dict(properties)),
        ("required", Data::List(required)),
        ("additionalProperties", false.into()),
    ])
}

/// The schema of one parameter and whether it must be given.
fn parameter(given: &Data) -> (Data, bool) {
    match given {
        Data::Str(name) => (type_named(name), true),
        Data::Dict(fields) => {
            let needed = fields.get("required").and_then(Data::as_bool) != Some(false)
                && fields.get("default").is_none_or(Data::is_nil);
            let mut fields = fields.clone();
            // `required: bool` is ours; a list of names belongs to a nested object and stays.
            if fields.get("required").is_some_and(|flag| flag.as_bool().is_some()) {
                fields.remove("required");
            }
            (schema::to_json_schema(&Data::Dict(fields)), needed)
        }
        _ => (Data::Dict(BTreeMap::new()), true),
    }
}

/// The schema of a type's name (`int`, `list<string>`, `string | nil`); any other text describes a string.
fn type_named(text: &str) -> Data {
    let name = text.trim();
    if let Some(json) = schema::json_type(name) {
        return Data::dict([("type", Data::from(json))]);
    }
    if name == "any" {
        return Data::Dict(BTreeMap::new());
    }
    if let Some(item) = name.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
        return Data::dict([("type", Data::from("array")), ("items", type_named(item))]);
    }
    if name.starts_with("dict<") {
        return Data::dict([("type", Data::from("object"))]);
    }
    if let Some(types) =
        name.split('|').map(|part| schema::json_type(part.trim())).collect::<Option<Vec<_>>>()
    {
        return Data::dict([("type", Data::List(types.into_iter().map(Data::from).collect()))]);
    }
    Data::dict([("type", Data::from("string")), ("description", text.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(json: serde_json::Value) -> String {
        serde_json::to_string(&parameters(&Data::from_json(&json)).to_json()).unwrap()
    }

    #[test]
    fn parameters_keep_their_full_schema_and_only_needed_ones_are_required() {
        insta::assert_snapshot!(
            declared(serde_json::json!({
                "q": "string",
                "n": {"type": "int", "required": false, "default": 3, "description": "how many"},
                "tags": {"type": "list", "items": {"type": "string"}, "enum": ["a"]},
                "deep": {"type": "dict", "properties": {"x": {"type": "float"}}, "required": ["x"]},
            })),
            @r#"{"additionalProperties":false,"properties":{"deep":{"properties":{"x":{"type":"number"}},"required":["x"],"type":"object"},"n":{"default":3,"description":"how many","type":"integer"},"q":{"type":"string"},"tags":{"enum":["a"],"items":{"type":"string"},"type":"array"}},"required":["deep","q","tags"],"type":"object"}"#
        );
    }

    #[test]
    fn an_mcp_schema_passes_unchanged() {
        let entry = serde_json::json!({"name": "ping", "inputSchema": {"type": "object", "x-any": 1}});
        let tools = read(&Data::List(vec![Data::from_json(&entry)])).unwrap();
        assert_eq!(tools[0].parameters.field("x-any"), &Data::Int(1));
    }

    #[test]
    fn other_shapes_are_refused() {
        let no_registry = Data::dict([("a", Data::Int(1))]);
        insta::assert_snapshot!(read(&no_registry).unwrap_err(), @"tools must be a tool_registry or a list of tool definition dicts");
        insta::assert_snapshot!(read(&Data::Int(1)).unwrap_err(), @"tools must be declared as tool definition dicts or a tool_registry");
        insta::assert_snapshot!(read(&Data::List(vec![Data::Int(1)])).unwrap_err(), @"tools must contain only tool definition dicts");
    }
}
