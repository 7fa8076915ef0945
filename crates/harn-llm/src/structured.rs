//! `llm_call_structured` and its envelope and repair (spec 07 sections 1.7.3 and 1.7.4).

use std::collections::BTreeMap;

use harn_effect::Data;

use crate::error::ModelError;
use crate::extract::Found;
use crate::reply::Reply;

/// Attempts after the first when neither `schema_retries` nor `retries` is given.
const DEFAULT_RETRIES: i64 = 3;

/// The options of `llm_call` that `llm_call_structured` stands for.
pub fn options(schema: &Data, options: &Data) -> Result<Data, String> {
    match schema {
        Data::Dict(_) => {}
        Data::Nil => {
            return Err("llm_call_structured: missing required `schema` argument (expected (prompt, schema, options?))"
                .to_owned());
        }
        other => {
            return Err(format!(
                "llm_call_structured: `schema` must be a dict (JSON Schema), got {}",
                other.type_name()
            ));
        }
    }
    let mut fields = options.as_dict().cloned().unwrap_or_default();
    let retries = options.field("retries").as_int().unwrap_or(DEFAULT_RETRIES);
    let format = Data::dict([
        ("kind", Data::from("json_schema")),
        ("schema", schema.clone()),
        ("strict", true.into()),
    ]);
    let defaults: [(&str, Data); 6] = [
        ("schema_retries", retries.into()),
        ("output_schema", schema.clone()),
        ("json_schema", schema.clone()),
        ("output_format", format),
        ("response_format", "json".into()),
        ("output_validation", "error".into()),
    ];
    for (key, value) in defaults {
        let slot = fields.entry(key.to_owned()).or_default();
        if slot.is_nil() {
            *slot = value;
        }
    }
    Ok(Data::Dict(fields))
}

/// An answer that stayed invalid.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// `missing_json` or `schema_validation`.
    pub category: &'static str,
    /// One sentence.
    pub message: String,
    /// The last reply.
    pub reply: Reply,
    /// The validation errors, joined.
    pub errors: String,
}

/// The overrides of a wanted repair.
pub fn repair_overrides(repair: &Data) -> Option<BTreeMap<String, Data>> {
    match repair {
        Data::Bool(true) => Some(BTreeMap::new()),
        Data::Dict(fields) if repair.field("enabled").as_bool() != Some(false) => {
            let mut overrides = fields.clone();
            overrides.remove("enabled");
            Some(overrides)
        }
        _ => None,
    }
}

/// The options of the repair call.
pub fn repair_options(options: &Data, overrides: BTreeMap<String, Data>) -> Data {
    let mut fields = options.as_dict().cloned().unwrap_or_default();
    for key in ["messages", "system", "prefill", "repair"] {
        fields.remove(key);
    }
    fields.extend(overrides);
    fields.insert("schema_retries".to_owned(), Data::Int(0));
    Data::Dict(fields)
}

/// What the repair call asks.
pub fn repair_prompt(failure: &Failure) -> String {
    format!(
        "The following response should have been JSON of a given schema but is not.\n\nValidation errors: \
         {}\n\nResponse:\n{}\n\nAnswer with the corrected JSON only: no prose, no code fences.",
        failure.errors, failure.reply.text
    )
}

/// The parts of the diagnostic envelope that do not depend on how the call ended.
pub struct Envelope {
    /// Replies of the model.
    pub attempts: i64,
    /// Whether the repair has been made.
    pub repaired: bool,
    /// The seven accounting fields over all replies.
    pub usage: BTreeMap<String, Data>,
}

impl Envelope {
    /// The envelope of a valid answer.
    pub fn succeeded(self, found: &Found, reply: &Reply) -> Data {
        let repaired = self.repaired;
        self.build(true, found.data.clone(), reply, "", Data::Nil, found.lifted, repaired)
    }

    /// The envelope of an answer that stayed invalid.
    pub fn failed(self, category: &str, message: &str, reply: &Reply) -> Data {
        self.build(false, Data::Nil, reply, message, category.into(), false, false)
    }

    /// The envelope of a call that failed.
    pub fn transport(self, error: &ModelError) -> Data {
        let reply = Reply {
            provider: error.provider.clone().unwrap_or_default(),
            model: error.model.clone().unwrap_or_default(),
            ..Reply::default()
        };
        self.build(false, Data::Nil, &reply, &error.message, error.category.name().into(), false, false)
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field of the envelope")]
    fn build(
        self,
        ok: bool,
        data: Data,
        reply: &Reply,
        error: &str,
        category: Data,
        lifted: bool,
        repaired: bool,
    ) -> Data {
        Data::dict([
            ("ok", Data::from(ok)),
            ("data", data),
            ("raw_text", reply.text.clone().into()),
            ("error", error.into()),
            ("error_category", category),
            ("attempts", self.attempts.into()),
            ("repaired", repaired.into()),
            ("extracted_json", lifted.into()),
            ("usage", Data::Dict(self.usage)),
            ("model", reply.model.clone().into()),
            ("provider", reply.provider.clone().into()),
        ])
    }
}
