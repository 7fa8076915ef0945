//! One record of the trust graph (OpenTrustGraph v0).

use harn_eventlog::{Json, provenance};

/// The schema this program writes.
pub const SCHEMA: &str = "opentrustgraph/v0";

/// How far an agent may act on its own (spec 08 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Nothing; proposals are recorded.
    Shadow,
    /// Reading; proposals are recorded.
    Suggest,
    /// What an approval covers.
    ActWithApproval,
    /// Everything, subject to the budget.
    ActAuto,
}

impl Tier {
    /// Every tier, lowest first.
    pub const ALL: [Tier; 4] = [Tier::Shadow, Tier::Suggest, Tier::ActWithApproval, Tier::ActAuto];

    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Shadow => "shadow",
            Tier::Suggest => "suggest",
            Tier::ActWithApproval => "act_with_approval",
            Tier::ActAuto => "act_auto",
        }
    }

    /// The tier with this name.
    pub fn from_name(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// The side-effect level that the tier allows.
    pub fn side_effect_level(self) -> &'static str {
        match self {
            Tier::Shadow => "none",
            Tier::Suggest | Tier::ActWithApproval => "read_only",
            Tier::ActAuto => "network",
        }
    }
}

/// How what was done came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Success,
    /// Tried and failed.
    Failure,
    /// Not allowed.
    Denied,
    /// Not in time.
    Timeout,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 4] = [Outcome::Success, Outcome::Failure, Outcome::Denied, Outcome::Timeout];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Denied => "denied",
            Outcome::Timeout => "timeout",
        }
    }

    /// The outcome with this name.
    pub fn from_name(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What someone wants to have recorded; the chain adds the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Who acted.
    pub agent: String,
    /// What it did.
    pub action: String,
    /// Who approved.
    pub approver: Option<String>,
    /// How it came out.
    pub outcome: Outcome,
    /// The trace.
    pub trace_id: String,
    /// The tier in force.
    pub tier: Tier,
    /// What it cost.
    pub cost_usd: Option<f64>,
    /// Anything else; an object.
    pub metadata: Json,
}

/// A record as it was read: the JSON itself, so that a hash covers what is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    json: Json,
}

impl Record {
    /// Takes a payload as a record; the error says what is wrong with it.
    pub fn decode(payload: &Json) -> Result<Record, String> {
        Record::check(payload)?;
        Ok(Record { json: payload.clone() })
    }

    /// [`Record::decode`] of a payload that nobody else needs.
    pub fn take(payload: Json) -> Result<Record, String> {
        Record::check(&payload)?;
        Ok(Record { json: payload })
    }

    fn check(payload: &Json) -> Result<(), String> {
        let Json::Object(_) = payload else { return Err("record is not an object".into()) };
        for field in ["agent", "action", "trace_id", "record_id", "timestamp", "schema"] {
            if payload.text(field).is_empty() {
                return Err(format!("record has no {field}"));
            }
        }
        if Outcome::from_name(payload.text("outcome")).is_none() {
            return Err(format!("unknown outcome '{}'", payload.text("outcome")));
        }
        if Tier::from_name(payload.text("autonomy_tier")).is_none() {
            return Err(format!("unknown autonomy_tier '{}'", payload.text("autonomy_tier")));
        }
        let text_or_null = |name: &str| matches!(payload.field(name), Json::Null | Json::Str(_));
        let number_or_null =
            matches!(payload.field("cost_usd"), Json::Null | Json::Int(_) | Json::Float(_) | Json::Big(_));
        let object = matches!(payload.get("metadata"), None | Some(Json::Object(_)));
        let index = matches!(payload.get("chain_index"), None | Some(Json::Int(_)));
        let hash = matches!(payload.get("entry_hash"), None | Some(Json::Str(_)));
        if !(text_or_null("approver")
            && text_or_null("previous_hash")
            && number_or_null
            && object
            && index
            && hash)
        {
            return Err("record has a field of the wrong type".into());
        }
        Ok(())
    }

    /// The record as JSON.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// A text field; empty when absent.
    pub fn text(&self, field: &str) -> &str {
        self.json.text(field)
    }

    /// The position in the chain, 0 when absent.
    pub fn chain_index(&self) -> i64 {
        self.json.field("chain_index").as_int().unwrap_or(0)
    }

    /// The hash of the record before.
    pub fn previous_hash(&self) -> Option<&str> {
        self.json.field("previous_hash").as_str()
    }

    /// The record's own hash as stored.
    pub fn entry_hash(&self) -> &str {
        self.json.text("entry_hash")
    }

    /// The outcome.
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::from_name(self.text("outcome"))
    }

    /// The tier.
    pub fn tier(&self) -> Option<Tier> {
        Tier::from_name(self.text("autonomy_tier"))
    }

    /// Who approved.
    pub fn approver(&self) -> Option<&str> {
        self.json.field("approver").as_str()
    }

    /// The hash that the record should have (spec 08 section 3.3).
    pub fn expected_hash(&self) -> String {
        provenance::sha256(&hashed_text(&self.json))
    }

    /// Whether the stored hash is right; also in the exponent form of early builds.
    pub fn hash_holds(&self) -> bool {
        let text = hashed_text(&self.json);
        self.entry_hash() == provenance::sha256(&text)
            || (text.contains("e+")
                && self.entry_hash() == provenance::sha256(&without_exponent_signs(&text)))
    }
}

/// The canonical JSON of a record without its hash, every field of the format present.
pub fn hashed_text(record: &Json) -> String {
    if let Some(text) = whole_text(record) {
        return text;
    }
    let mut json = record.clone();
    if let Json::Object(fields) = &mut json {
        fields.remove("entry_hash");
        for name in ["approver", "cost_usd", "previous_hash"] {
            fields.entry(name.into()).or_default();
        }
        fields.entry("chain_index".into()).or_insert(Json::Int(0));
        fields.entry("metadata".into()).or_insert_with(|| Json::object::<&str>([]));
        // The cost is always of fractional type.
        if let Some(cost) = fields.get("cost_usd").and_then(Json::as_f64) {
            fields.insert("cost_usd".into(), Json::Float(cost));
        }
    }
    json.canonical()
}

/// The same text without a copy of the record, when nothing is to be filled in: nearly always, and a chain has many records.
fn whole_text(record: &Json) -> Option<String> {
    const FILLED_IN: [&str; 5] = ["approver", "chain_index", "cost_usd", "metadata", "previous_hash"];
    let Json::Object(fields) = record else { return None };
    let plain_cost = matches!(fields.get("cost_usd"), Some(Json::Null | Json::Float(_)));
    if !plain_cost || !FILLED_IN.iter().all(|name| fields.contains_key(*name)) {
        return None;
    }
    let mut out = String::with_capacity(640);
    for (name, value) in fields.iter().filter(|(name, _)| *name != "entry_hash") {
        out.push(if out.is_empty() { '{' } else { ',' });
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            out.push('"');
            out.push_str(name);
            out.push('"');
        } else {
            Json::from(name.as_str()).write_canonical(&mut out);
        }
        out.push(':');
        value.write_canonical(&mut out);
    }
    out.push('}');
    Some(out)
}

/// `1e+16` as `1e16`, outside of strings.
fn without_exponent_signs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut exponent) = (false, false, false);
    for c in text.chars() {
        if !(c == '+' && exponent && !in_string) {
            out.push(c);
        }
        exponent = c == 'e';
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"schema":"opentrustgraph/v0","record_id":"01966f4c-0f31-7b5d-b44b-f7f8e7e1d384","agent":"github-triage-bot","action":"github.issue.opened","approver":null,"outcome":"success","trace_id":"trace_valid_01","autonomy_tier":"suggest","timestamp":"2026-04-19T18:42:11Z","cost_usd":null,"chain_index":1,"previous_hash":null,"metadata":{"provider":"github"}}"#;

    #[test]
    fn the_published_vectors_hold() {
        let first = Record::decode(&Json::parse(FIRST).unwrap()).unwrap();
        let hash = first.expected_hash();
        assert_eq!(hash, "sha256:84facae7d56fd304e040ea18d80bd019e274ad86ddd5a4d732f3ac3d984c48ec");
        let metadata = Json::parse(r#"{"control":true,"from_tier":"suggest","to_tier":"act_auto"}"#).unwrap();
        let second = first
            .json()
            .clone()
            .with("record_id", "01966f4c-0f32-7d37-b443-d72dd96f0f4f")
            .with("action", "trust.promote")
            .with("approver", "maintainer-1")
            .with("trace_id", "trace_valid_02")
            .with("autonomy_tier", "act_auto")
            .with("timestamp", "2026-04-19T18:43:02Z")
            .with("chain_index", 2)
            .with("previous_hash", hash)
            .with("metadata", metadata);
        assert_eq!(
            Record::decode(&second).unwrap().expected_hash(),
            "sha256:6bb2b155ba07c67443c881f2d9dd954083bb44542df81520db1490fcbfdd5bf9"
        );
    }

    #[test]
    fn the_exponent_form_of_early_builds_is_accepted() {
        let json =
            Json::parse(FIRST).unwrap().with("metadata", Json::parse(r#"{"big":1e16,"s":"1e+16"}"#).unwrap());
        let early = hashed_text(&json).replace("\"big\":1e+16", "\"big\":1e16");
        let record = Record::decode(&json.with("entry_hash", provenance::sha256(&early))).unwrap();
        assert!(record.hash_holds());
    }

    #[test]
    fn the_text_without_a_copy_is_the_same_text() {
        let whole = Json::parse(FIRST)
            .unwrap()
            .with("entry_hash", "x")
            .with("odd \"key", 1)
            .with("cost_usd", Json::Float(0.5));
        let Json::Object(mut fields) = whole.clone() else { panic!("no object") };
        fields.remove("entry_hash");
        assert_eq!(whole_text(&whole), Some(Json::Object(fields).canonical()));
        assert_eq!(whole_text(&whole.with("cost_usd", 1)), None);
    }

    #[test]
    fn an_int_cost_is_hashed_as_a_float() {
        let text = hashed_text(&Json::parse(FIRST).unwrap().with("cost_usd", 1));
        assert!(text.contains("\"cost_usd\":1.0,"), "{text}");
    }
}
