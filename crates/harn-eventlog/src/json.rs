//! JSON as the log keeps it, and its canonical form (spec 08 section 3.3).
//!
//! Not `serde_json`: a hash must be taken over what was read, so integers of any size are kept digit by digit, a float
//! reads back to the very same double, and a repeated key is an error instead of a place to hide something.

use std::collections::BTreeMap;
use std::fmt::Write;

use harn_effect::Data;

/// Values nested deeper than this are neither written nor read.
pub const MAX_DEPTH: usize = 256;

/// A JSON value; int and float are apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other integer: its decimal digits.
    Big(String),
    /// A number of fractional type.
    Float(f64),
    /// Text.
    Str(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the byte order of its keys.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// An object of the given fields.
    pub fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Json)>) -> Json {
        Json::Object(fields.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// Reads JSON text.
    pub fn parse(text: &str) -> Result<Json, String> {
        crate::json_text::parse(text)
    }

    /// The canonical text: no white space, keys sorted, the number forms of spec 08 section 3.3.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    /// Appends the canonical text to `out`.
    pub fn write_canonical(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Int(n) => {
                let _ = write!(out, "{n}");
            }
            Json::Big(digits) => out.push_str(digits),
            Json::Float(x) => write_float(*x, out),
            Json::Str(text) => write_string(text, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write_canonical(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
        }
    }

    /// The field `key`; null when this is no object or has no such field.
    pub fn field(&self, key: &str) -> &Json {
        const NULL: &Json = &Json::Null;
        self.get(key).unwrap_or(NULL)
    }

    /// The field `key`, if present.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.get(key),
            _ => None,
        }
    }

    /// Sets a field of an object; does nothing to another value.
    pub fn set(&mut self, key: &str, value: Json) {
        if let Json::Object(fields) = self {
            fields.insert(key.to_owned(), value);
        }
    }

    /// The object with one more field.
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Json {
        self.set(key, value.into());
        self
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The text of the string field `key`, empty when there is none.
    pub fn text(&self, key: &str) -> &str {
        self.field(key).as_str().unwrap_or_default()
    }

    /// The value of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Json::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The value of a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Int(n) => Some(*n as f64),
            Json::Float(x) => Some(*x),
            Json::Big(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The value of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The strings of an array; other elements are left out.
    pub fn strings(&self) -> Vec<String> {
        self.as_array().unwrap_or_default().iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// Whether arrays and objects are nested at most `limit` deep.
    pub fn fits_depth(&self, limit: usize) -> bool {
        match self {
            Json::Array(items) => limit > 0 && items.iter().all(|v| v.fits_depth(limit - 1)),
            Json::Object(fields) => limit > 0 && fields.values().all(|v| v.fits_depth(limit - 1)),
            _ => true,
        }
    }

    /// As a value of the language: integers beyond 64 bits become floats.
    pub fn to_data(&self) -> Data {
        match self {
            Json::Null => Data::Nil,
            Json::Bool(b) => Data::Bool(*b),
            Json::Int(n) => Data::Int(*n),
            Json::Big(digits) => Data::Float(digits.parse().unwrap_or(f64::NAN)),
            Json::Float(x) => Data::Float(*x),
            Json::Str(text) => Data::Str(text.clone()),
            Json::Array(items) => Data::List(items.iter().map(Json::to_data).collect()),
            Json::Object(fields) => {
                Data::Dict(fields.iter().map(|(k, v)| (k.clone(), v.to_data())).collect())
            }
        }
    }
}

impl From<&Data> for Json {
    fn from(data: &Data) -> Json {
        match data {
            Data::Nil => Json::Null,
            Data::Bool(b) => Json::Bool(*b),
            Data::Int(n) | Data::Duration(n) => Json::Int(*n),
            Data::Float(x) if x.is_finite() => Json::Float(*x),
            Data::Float(_) => Json::Null,
            Data::Str(text) => Json::Str(text.clone()),
            // `Data` owns the text form of bytes.
            Data::Bytes(_) => match data.to_json() {
                serde_json::Value::String(text) => Json::Str(text),
                _ => Json::Null,
            },
            Data::List(items) => Json::Array(items.iter().map(Json::from).collect()),
            Data::Dict(fields) => {
                Json::Object(fields.iter().map(|(k, v)| (k.clone(), Json::from(v))).collect())
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Str(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Str(text)
    }
}

impl From<i64> for Json {
    fn from(n: i64) -> Json {
        Json::Int(n)
    }
}

impl From<bool> for Json {
    fn from(b: bool) -> Json {
        Json::Bool(b)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Json {
        Json::Array(items.into_iter().map(Into::into).collect())
    }
}

/// Shortest round-trip digits: plain with at least one decimal while the decimal exponent is in -5..=15, else exponent
/// form with an explicit sign.
fn write_float(x: f64, out: &mut String) {
    if !x.is_finite() {
        out.push_str("null");
        return;
    }
    let scientific = format!("{x:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x == 0.0 || (-5..=15).contains(&exponent) {
        let plain = format!("{x}");
        out.push_str(&plain);
        if !plain.contains('.') {
            out.push_str(".0");
        }
    } else {
        let sign = if exponent < 0 { "" } else { "+" };
        let _ = write!(out, "{mantissa}e{sign}{exponent}");
    }
}

/// Appends a text as a JSON string.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x09 => "\\t",
            0x0a => "\\n",
            0x0c => "\\f",
            0x0d => "\\r",
            _ => "",
        };
        out.push_str(text.get(plain_from..at).unwrap_or_default());
        if short.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(short);
        }
        plain_from = at + 1;
    }
    out.push_str(text.get(plain_from..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn floats_have_the_forms_of_the_specification() {
        for (x, text) in [
            (1.0, "1.0"),
            (0.034, "0.034"),
            (0.00001, "0.00001"),
            (1.5e-6, "1.5e-6"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.2345678901234568e17, "1.2345678901234568e+17"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ] {
            assert_eq!(Json::Float(x).canonical(), text);
        }
    }

    #[test]
    fn strings_escape_only_what_must_be_escaped() {
        let text = "\"\\\u{8}\t\n\u{c}\r\u{1}\u{1f}/\u{7f}é\u{2028}";
        assert_eq!(Json::from(text).canonical(), "\"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f/\u{7f}é\u{2028}\"");
    }

    #[test]
    fn integers_of_any_size_are_kept() {
        let text = "[9007199254740993,123456789012345678901234567890,-9223372036854775808]";
        assert_eq!(Json::parse(text).unwrap().canonical(), text);
    }

    #[test]
    fn keys_are_sorted_by_bytes() {
        assert_eq!(
            Json::parse(r#"{"b":1, "B": {"z":1,"a":2}, "é":3}"#).unwrap().canonical(),
            r#"{"B":{"a":2,"z":1},"b":1,"é":3}"#
        );
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Int),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Json::Float),
            any::<String>().prop_map(Json::Str),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_to_the_same_value(value in any_json()) {
            prop_assert_eq!(Json::parse(&value.canonical()).unwrap(), value);
        }
    }
}
